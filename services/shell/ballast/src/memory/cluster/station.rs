//! One lane of one role in the cluster: alive or dead, and the way back.

use super::death::{Death, MortalPublisher};
use crate::avro::AvroCodec;
use crate::memory::{MemoryCheckpoints, MemoryLog, MemoryPast, MemoryReader};
use crate::worker::observer::Silent;
use crate::worker::pacing::Pacing;
use crate::worker::steady::MachineTime;
use crate::worker::{LaneHalt, LaneWorker, Ports, Target, recover};
use domain::Timestamp;
use engine::{Role, Settings};
use std::time::{Duration, Instant};

/// A recovery after a kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovery {
    /// Step of the checkpoint that it started from; `None` started from nothing.
    pub checkpoint: Option<i64>,
    /// Steps replayed, their digests equal to the recorded ones.
    pub replayed: u64,
    /// Whether a step was visible in part and executed again.
    pub dangling: bool,
    /// How long it took.
    pub took: Duration,
}

/// A lane of a role.
pub(super) struct Station<R: Role> {
    log: MemoryLog,
    target: Target,
    core: Settings,
    pacing: Pacing,
    steady: MachineTime,
    fresh: fn() -> R,
    checkpoints: MemoryCheckpoints,
    life: Option<Life<R>>,
    appointed: Option<(u32, Death)>,
    recoveries: Vec<Recovery>,
    born: bool,
}

struct Life<R: Role> {
    worker: LaneWorker<R>,
    reader: MemoryReader,
    publisher: MortalPublisher,
    codec: AvroCodec,
}

impl<R: Role> Station<R> {
    pub(super) fn new(log: &MemoryLog, lane: i32, lanes: i32, core: &Settings, pacing: &Pacing, fresh: fn() -> R) -> Self {
        Self {
            log: log.clone(),
            target: Target { lane, lanes, genesis: false },
            core: core.clone(),
            pacing: pacing.clone(),
            steady: MachineTime::default(),
            fresh,
            checkpoints: MemoryCheckpoints::default(),
            life: None,
            appointed: None,
            recoveries: Vec::new(),
            born: false,
        }
    }
    pub(super) fn lane(&self) -> i32 {
        self.target.lane
    }
    pub(super) fn recoveries(&self) -> &[Recovery] {
        &self.recoveries
    }
    pub(super) fn kill(&mut self) {
        self.life = None;
    }
    pub(super) fn doom(&mut self, commits: u32, death: Death) {
        match &mut self.life {
            Some(life) => life.publisher.doom(commits, death),
            None => self.appointed = Some((commits, death)),
        }
    }
}

impl<R: Role> Station<R> {
    /// One turn; whether anything moved. A lane that dies in it is back, and has taken the turn again, before it returns.
    pub(super) fn turn(&mut self, clock: Timestamp) -> Result<bool, LaneHalt> {
        let mut moved = false;
        loop {
            let mut life = match self.life.take() {
                Some(life) => life,
                None => self.revive()?,
            };
            let checkpoints = &mut self.checkpoints;
            let before = standing(&life.worker);
            let mut ports = Ports {
                reader: &mut life.reader,
                publisher: &mut life.publisher,
                checkpoints,
                codec: &mut life.codec,
                steady: &self.steady,
            };
            life.worker.turn(clock, &mut ports)?;
            moved |= standing(&life.worker) != before;
            if !life.publisher.is_dead() {
                self.life = Some(life);
                return Ok(moved);
            }
        }
    }

    fn revive(&mut self) -> Result<Life<R>, LaneHalt> {
        let started = Instant::now();
        let lane = self.target.lane;
        let mut publisher = MortalPublisher::new::<R>(self.log.clone(), lane, self.appointed.take());
        let mut past = MemoryPast::new::<R>(self.log.clone(), lane);
        let mut reader = MemoryReader::new(self.log.clone());
        let mut codec = AvroCodec::default();
        let recovered = recover(self.target, &self.fresh, &mut codec, &mut past, &mut self.checkpoints, &mut publisher, &|| false)?;
        let recovery = Recovery {
            checkpoint: recovered.checkpoint,
            replayed: recovered.replayed,
            dangling: recovered.dangling.is_some(),
            took: started.elapsed(),
        };
        let mut ports = Ports {
            reader: &mut reader,
            publisher: &mut publisher,
            checkpoints: &mut self.checkpoints,
            codec: &mut codec,
            steady: &self.steady,
        };
        let worker = LaneWorker::start(recovered, &self.core, self.pacing.clone(), Box::new(Silent), &mut ports)?;
        if std::mem::replace(&mut self.born, true) {
            self.recoveries.push(recovery);
        }
        Ok(Life { worker, reader, publisher, codec })
    }
}

/// What changes when a lane moves.
fn standing<R: Role>(worker: &LaneWorker<R>) -> (i64, i64, usize, bool) {
    (worker.lane().step(), worker.confirmed(), worker.lane().open_windows(), worker.at_rest())
}
