//! Reading, live and for recovery, through brokers that may be away, slow, or answer for some partitions only.

use crate::brokers::Reached;
use crate::planted::Planted;
use crate::stage::Hand;
use ballast::memory::{MemoryPast, MemoryReader};
use ballast::worker::ports::{LaneReader, Past, Polled, PortError};
use domain::Topic;
use domain::progress::Progress;
use engine::{RecordRef, Role};
use std::collections::BTreeSet;
use std::time::Duration;

/// The least time that a poll takes.
const LEAST: Duration = Duration::from_micros(200);
/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the markers of a decided transaction may take.
const MARKERS: Duration = Duration::from_secs(1);

/// A lane's live reader.
pub struct SimReader<'a> {
    hand: &'a Hand<'a>,
    inner: MemoryReader,
}

impl<'a> SimReader<'a> {
    /// A reader with nothing assigned.
    pub fn new(hand: &'a Hand<'a>) -> Self {
        Self { hand, inner: MemoryReader::new(hand.world.log.clone()) }
    }
}

impl LaneReader for SimReader<'_> {
    fn assign(&mut self, starts: &[(Topic, i32, i64)]) -> Result<(), PortError> {
        let late = i64::from(self.hand.world.errs(Planted::ReadsOneTooLate));
        let end = |topic: Topic, partition| self.hand.world.log.stable_end(topic.name(), partition);
        let starts: Vec<_> = starts
            .iter()
            .map(|(topic, partition, offset)| (*topic, *partition, (offset + late).min(end(*topic, *partition).max(*offset))))
            .collect();
        self.inner.assign(&starts)
    }
    fn poll(&mut self, max: usize, wait: Duration, take: &mut dyn FnMut(Polled<'_>)) -> Result<(), PortError> {
        let world = self.hand.world;
        self.hand.effect();
        if world.now() < world.down_until.get() {
            self.hand.pass(wait.max(LEAST));
            return Ok(());
        }
        if self.inner.has_news() {
            self.hand.latency(100, 2_000);
        } else {
            self.hand.pass(wait.max(LEAST));
        }
        let mut allow = |_, _| match world.chance.below("fetch", 8) {
            0 if !world.chance.is_calm() => 0,
            1 => 1 + usize::try_from(world.chance.below("fetch.some", 3)).expect("a small number"),
            _ => usize::MAX,
        };
        self.inner.poll_within(max, &mut allow, take)
    }
    fn reached_end(&mut self) -> bool {
        self.inner.reached_end()
    }
}

/// A lane's past.
pub struct SimPast<'a> {
    hand: &'a Hand<'a>,
    inner: MemoryPast,
    progress: Topic,
    lane: i32,
}

impl<'a> SimPast<'a> {
    /// The past of a role's lane.
    pub fn new<R: Role>(hand: &'a Hand<'a>, lane: i32) -> Self {
        Self { hand, inner: MemoryPast::new::<R>(hand.world.log.clone(), lane), progress: R::PROGRESS, lane }
    }
    fn ask(&self) -> Result<(), PortError> {
        self.hand.effect();
        match self.hand.reach(PATIENCE) {
            Reached::Never => Err(PortError::later("the brokers gave no answer: are they up?")),
            _ => Ok(()),
        }
    }
}

impl SimPast<'_> {
    /// Waits until all that stands in a partition is decided; up to where it is, if it still is not then.
    fn hanging(&self, topic: &str, partition: i32, deadline: Duration) -> Option<i64> {
        let log = &self.hand.world.log;
        let end = log.end(topic, partition);
        loop {
            let decided = log.stable_end(topic, partition);
            if decided >= end {
                return None;
            }
            if self.hand.world.now() >= deadline {
                return Some(decided);
            }
            self.hand.pass(Duration::from_millis(20));
        }
    }
}

impl Past for SimPast<'_> {
    fn bounds(&mut self, topic: Topic, partition: i32) -> Result<(i64, i64), PortError> {
        self.ask()?;
        self.inner.bounds(topic, partition)
    }
    fn range(&mut self, topic: Topic, partition: i32, from: i64, to: i64, take: &mut dyn FnMut(&dyn RecordRef)) -> Result<(), PortError> {
        self.ask()?;
        let deadline = self.hand.world.now() + PATIENCE;
        // A range that was recorded is waited for: a marker before its end may be on its way.
        while self.hand.world.log.stable_end(topic.name(), partition) < to {
            if self.hand.world.now() >= deadline {
                return Err(PortError::later(format!("{topic}/{partition} gave nothing up to {to}: are the brokers up?")));
            }
            self.hand.pass(Duration::from_millis(100));
        }
        self.inner.range(topic, partition, from, to, take)
    }
    fn frames_start(&mut self) -> Result<i64, PortError> {
        self.ask()?;
        self.inner.frames_start()
    }
    fn progress(&mut self, from: i64) -> Result<Vec<Progress>, PortError> {
        self.ask()?;
        let world = self.hand.world;
        let mut progress = self.inner.progress(from + i64::from(world.errs(Planted::ProgressCut)))?;
        if world.errs(Planted::DanglingForgotten) {
            let done: Vec<i64> =
                progress.iter().filter_map(|record| if let Progress::Done(done) = record { Some(done.step) } else { None }).collect();
            progress.retain(|record| !matches!(record, Progress::Begin(begin) if !done.contains(&begin.step)));
        }
        Ok(progress)
    }
    fn undecided(&mut self) -> Result<Vec<Progress>, PortError> {
        self.ask()?;
        let (log, topic) = (&self.hand.world.log, self.progress.name());
        let Some(decided) = self.hanging(topic, self.lane, self.hand.world.now() + MARKERS) else { return Ok(Vec::new()) };
        self.hand.world.note("branch", "transaction-hangs", || format!("{}/{}", self.progress, self.lane));
        let values = log.uncommitted(topic, self.lane, decided).into_iter().filter_map(|record| record.value);
        let schemas = avro_codec::SchemaStore::compiled();
        values.map(|value| avro_codec::decode_progress(&schemas, &value).map_err(PortError::of)).collect()
    }
    fn hangs(&mut self, places: &BTreeSet<(&'static str, i32)>) -> Result<bool, PortError> {
        let deadline = self.hand.world.now() + MARKERS;
        for (topic, partition) in places {
            self.ask()?;
            if self.hanging(topic, *partition, deadline).is_some() {
                self.hand.world.note("branch", "outputs-hang", || format!("{topic}/{partition}"));
                return Ok(true);
            }
        }
        Ok(false)
    }
}
