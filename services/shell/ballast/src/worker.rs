//! Performs the engine's effects for one lane: reads windows, commits steps, keeps checkpoints.
//! One turn at a time, on ports, so that the same code runs on Kafka and Postgres, in memory, and in
//! a simulation. It decides nothing about portfolios.

pub mod backlog;
pub mod pacing;
pub mod ports;
pub mod recovery;
mod stall;
pub mod steady;

use domain::{Timestamp, Topic};
use engine::{Codec, Image, Lane, Role, Settings};
use observer::Observer;
use pacing::{Clock, OpenStep, Pacing};
use ports::{CheckpointImage, Checkpoints, LaneReader, Outcome, Polled, PortError, Publisher, Saved};
pub use recovery::{LaneHalt, Recovered, Target, partition_of, recover};
use stall::Stall;
use std::collections::VecDeque;
use std::time::Duration;
use steady::Steady;

pub mod observer;

/// How long after a checkpoint that could not be written the next one is taken.
const SAVE_AGAIN: Duration = Duration::from_secs(1);
/// How long a lane that is let go listens before it looks again.
const LISTEN: Duration = Duration::from_millis(5);

/// What a turn came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// Go on.
    Running,
    /// Another process owns the lane: drop the worker.
    Fenced,
}

/// The ports of a lane that runs.
pub struct Ports<'a> {
    /// Inputs.
    pub reader: &'a mut dyn LaneReader,
    /// Steps.
    pub publisher: &'a mut dyn Publisher,
    /// Checkpoints.
    pub checkpoints: &'a mut dyn Checkpoints,
    /// Bytes.
    pub codec: &'a mut dyn Codec,
    /// Time for pace and patience.
    pub steady: &'a dyn Steady,
}

/// A lane that runs.
pub struct LaneWorker<R: Role> {
    lane: Lane<R>,
    pacing: Pacing,
    observer: Box<dyn Observer>,
    in_flight: VecDeque<i64>,
    confirmed: i64,
    /// How long the last commit took.
    commit_took: Duration,
    /// When the open step began, by the steady clock, as all moments here.
    opened: Option<Duration>,
    genesis: bool,
    /// Whether the last window was behind.
    behind: bool,
    stall: Stall,
    /// The step after which this life of the lane began.
    began_after: i64,
    checkpoint: CheckpointState,
}

#[derive(Default)]
struct CheckpointState {
    kept: Option<i64>,
    /// Progress from here on holds the DONE of the last step closed and all that follow.
    progress_from: i64,
    /// When that was last looked up.
    looked: Option<Duration>,
    due: Option<Duration>,
    wanted: bool,
    /// None is taken before that moment: the last one could not be written.
    not_before: Option<Duration>,
    waiting: Option<CheckpointImage>,
    saving: bool,
    unsaved: std::collections::BTreeSet<domain::SmolStr>,
}

impl<R: Role> LaneWorker<R> {
    /// A worker for a recovered lane; publishes its dangling step first.
    pub fn start(
        recovered: Recovered<R>,
        settings: &Settings,
        pacing: Pacing,
        observer: Box<dyn Observer>,
        ports: &mut Ports<'_>,
    ) -> Result<Self, LaneHalt> {
        let Recovered { mut lane, checkpoint, begin_after, progress_from, dangling, replayed } = recovered;
        observer.recovered(lane.step(), replayed);
        lane.configure(settings);
        ports.codec.go_live();
        lane.know_schemas(ports.codec.known());
        // However often it died meanwhile: instruments and policies first, until something else was read.
        let genesis = R::INPUTS.iter().all(|topic| comes_first(*topic) || !lane.has_moved(*topic));
        let confirmed = lane.step() - i64::from(dangling.is_some());
        let mut worker = Self {
            lane,
            pacing,
            observer,
            in_flight: VecDeque::new(),
            confirmed,
            commit_took: Duration::ZERO,
            opened: None,
            genesis,
            behind: false,
            stall: Stall::default(),
            began_after: begin_after,
            // Who had to replay keeps a checkpoint soon: a lane that dies often must not replay ever more.
            checkpoint: CheckpointState { kept: checkpoint, progress_from, wanted: replayed > 0, ..CheckpointState::default() },
        };
        worker.assign(ports)?;
        if let Some(step) = dangling {
            worker.in_flight.push_back(step.begin.step);
            ports.publisher.submit(step)?;
        }
        Ok(worker)
    }

    /// The lane.
    pub fn lane(&self) -> &Lane<R> {
        &self.lane
    }
    /// The last step that is visible to every reader.
    pub fn confirmed(&self) -> i64 {
        self.confirmed
    }
    /// Whether nothing is open or in flight. A checkpoint may still be on its way.
    pub fn at_rest(&self) -> bool {
        !self.lane.is_open() && self.in_flight.is_empty()
    }

    /// One turn: hear how commits and checkpoints ended, read a window, close a step when due.
    /// `clock` is the machine's time. A halt means that the lane must not go on.
    pub fn turn(&mut self, clock: Timestamp, ports: &mut Ports<'_>) -> Result<Turn, LaneHalt> {
        let (now, role) = (self.moment(clock), self.lane.role());
        self.observer.turn(now, &|| (role.stats(now), role.waiters()));
        self.observer.unsaved(self.unkept());
        if self.hear(Duration::ZERO, ports)? == Turn::Fenced {
            return Ok(Turn::Fenced);
        }
        if self.pacing.must_keep(self.unkept()) {
            return self.hold(ports);
        }
        if self.pacing.must_wait(&self.open_step(ports.steady), self.in_flight.len()) {
            return self.hear(Duration::from_millis(self.pacing.window_ms), ports);
        }
        self.read_window(clock, ports)?;
        if self.genesis && ports.reader.reached_end() {
            self.genesis = false;
            self.assign(ports)?;
        }
        let idle_checkpoint = self.at_rest() && self.unkept() > 0 && self.checkpoint_due(ports.steady);
        if idle_checkpoint || self.pacing.commit_due(&self.open_step(ports.steady), self.in_flight.len()) {
            self.commit(ports)?;
        }
        Ok(Turn::Running)
    }

    /// Nothing is read until a checkpoint is kept: a recovery would have to replay too much. It is taken here,
    /// between steps, because no other step will come.
    fn hold(&mut self, ports: &mut Ports<'_>) -> Result<Turn, LaneHalt> {
        if self.in_flight.is_empty() && !self.checkpoint.saving {
            self.checkpoint.wanted = true;
            if self.checkpoint_due(ports.steady) {
                self.commit(ports)?;
            }
        }
        self.hear(Duration::from_millis(self.pacing.window_ms), ports)
    }

    /// Closes the open step, waits for every commit, and keeps a checkpoint: the lane can be let go.
    /// Returns false when the budget ran out before.
    pub fn finish(&mut self, budget: Duration, ports: &mut Ports<'_>) -> Result<bool, LaneHalt> {
        let end = ports.steady.elapsed() + budget;
        self.checkpoint.wanted = true;
        while ports.steady.elapsed() < end {
            if self.hear(LISTEN, ports)? == Turn::Fenced {
                return Ok(false);
            }
            if !self.in_flight.is_empty() {
                continue;
            }
            if self.lane.is_open() || (self.checkpoint.wanted && !self.checkpoint.saving && self.lane.step() > 0) {
                self.commit(ports)?;
            } else if !self.checkpoint.saving && self.checkpoint.waiting.is_none() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The lane's clock, as the next window would have it: no window comes of silence.
    fn moment(&self, clock: Timestamp) -> Timestamp {
        match self.pacing.clock {
            Clock::Wall => clock.max(self.lane.now()),
            Clock::Event => self.lane.now(),
        }
    }

    fn assign(&mut self, ports: &mut Ports<'_>) -> Result<(), LaneHalt> {
        // At its genesis a lane first learns instruments and policies; nothing waits for them then.
        let first = |topic: &&Topic| !self.genesis || comes_first(**topic);
        let lane = self.lane.lane();
        let starts: Vec<_> = R::INPUTS
            .iter()
            .filter(first)
            .map(|topic| (*topic, partition_of(*topic, lane)))
            .map(|(topic, partition)| (topic, partition, self.lane.position(topic, partition)))
            .collect();
        if starts.is_empty() {
            self.genesis = false;
            return self.assign(ports);
        }
        Ok(ports.reader.assign(&starts)?)
    }

    fn open_step(&self, steady: &dyn Steady) -> OpenStep {
        OpenStep {
            windows: self.lane.open_windows(),
            outputs: self.lane.has_outputs(),
            full: self.lane.step_full(),
            age: self.opened.map_or(Duration::ZERO, |opened| steady.elapsed().saturating_sub(opened)),
            last_commit: self.commit_took,
        }
    }

    fn read_window(&mut self, clock: Timestamp, ports: &mut Ports<'_>) -> Result<(), LaneHalt> {
        let Self { lane, pacing, observer, opened, behind: was_behind, stall, .. } = self;
        let (codec, steady) = (&mut *ports.codec, ports.steady);
        let mut result = Ok(true);
        let wait = wait_for(lane, pacing, clock);
        ports.reader.poll(pacing.window_records, wait, &mut |polled: Polled<'_>| {
            let now = match pacing.clock {
                Clock::Wall => clock,
                Clock::Event => polled.newest_event.unwrap_or(lane.now()),
            };
            // The lane's clock never goes back, whatever the machine's does.
            let timer_due = lane.next_due().is_some_and(|due| due <= now.max(lane.now()));
            let silent = lane.step() > 0 && pacing.silent_too_long(lane.now(), clock);
            let stalled = stall.look(steady.elapsed()) && pacing.clock == Clock::Wall;
            let behind = stalled || pacing.is_behind(polled.backlog.standing(), clock);
            observer.reads(polled.backlog);
            // What waited until the lane had caught up waits no longer, though nothing else comes.
            let caught_up = *was_behind && !behind;
            if polled.slices.is_empty() && !timer_due && !silent && !caught_up || result.is_err() {
                return;
            }
            *was_behind = behind;
            opened.get_or_insert_with(|| steady.elapsed());
            let began = steady.elapsed();
            result = lane.window(now, behind, polled.slices, codec);
            observer.window(&polled, steady.elapsed().saturating_sub(began), behind, &|topic, partition| lane.position(topic, partition));
        })?;
        if !result? {
            // What was not folded is read again, from where the lane stands.
            self.assign(ports)?;
        }
        Ok(())
    }

    fn commit(&mut self, ports: &mut Ports<'_>) -> Result<(), LaneHalt> {
        let (due, now) = (self.checkpoint_due(ports.steady), ports.steady.elapsed());
        if due {
            self.checkpoint.due = Some(now + Duration::from_millis(self.pacing.checkpoint_ms));
            self.checkpoint.wanted = false;
        }
        if !self.lane.is_open() {
            // The end of progress lies behind this step's DONE, which a recovery wants to see.
            if due && self.unkept() > 0 {
                let image = self.image(ports);
                self.checkpoint.waiting = Some(image);
                self.save_confirmed(ports);
            }
            return Ok(());
        }
        // Looked up now and then even without a checkpoint: one that is taken at rest must not refer far back.
        let interval = Duration::from_millis(self.pacing.checkpoint_ms);
        if due || self.checkpoint.looked.is_none_or(|looked| now.saturating_sub(looked) >= interval) {
            self.checkpoint.progress_from = self.checkpoint.progress_from.max(ports.publisher.progress_end()?);
            self.checkpoint.looked = Some(now);
        }
        let began = ports.steady.elapsed();
        let observer = &self.observer;
        let Some(step) = self.lane.close_and_show(ports.codec, |output| observer.output(&output))? else { return Ok(()) };
        self.opened = None;
        self.observer.step(&step, ports.steady.elapsed().saturating_sub(began));
        self.in_flight.push_back(step.begin.step);
        ports.publisher.submit(step)?;
        if due {
            let image = self.image(ports);
            self.checkpoint.waiting = Some(image);
        }
        Ok(())
    }

    /// How many steps are visible that no checkpoint holds.
    fn unkept(&self) -> i64 {
        self.confirmed - self.checkpoint.kept.unwrap_or(self.began_after)
    }

    fn checkpoint_due(&mut self, steady: &dyn Steady) -> bool {
        let now = steady.elapsed();
        let interval = Duration::from_millis(self.pacing.checkpoint_ms);
        let due = *self.checkpoint.due.get_or_insert(now + interval);
        let free = !self.checkpoint.saving && self.checkpoint.waiting.is_none();
        free && self.checkpoint.not_before.is_none_or(|moment| now >= moment) && (self.checkpoint.wanted || now >= due)
    }

    fn image(&mut self, ports: &mut Ports<'_>) -> CheckpointImage {
        let bucket = ports.checkpoints.bucket_in_turn();
        let shared = self.lane.shared_image();
        let step = self.lane.step();
        let image = self.lane.image();
        self.checkpoint.unsaved.extend(image.take_dirty());
        let changed = self.checkpoint.unsaved.iter().map(|key| (key.clone(), image.entity(key))).collect();
        let whole = image.entity_keys().into_iter().filter(|key| ports.checkpoints.bucket_of(key) == bucket);
        let full = whole.filter_map(|key| image.entity(&key).map(|bytes| (key, bytes))).collect();
        let progress_from = self.checkpoint.progress_from;
        CheckpointImage { step, parent: self.checkpoint.kept, progress_from, shared, changed, full_bucket: Some((bucket, full)) }
    }

    /// Hears how commits and checkpoints ended, and waits so long for the first of them.
    fn hear(&mut self, wait: Duration, ports: &mut Ports<'_>) -> Result<Turn, LaneHalt> {
        let (mut for_commit, for_saved) = if self.in_flight.is_empty() { (Duration::ZERO, wait) } else { (wait, Duration::ZERO) };
        while let Some(outcome) = ports.publisher.outcome(for_commit) {
            match outcome {
                Outcome::Confirmed { step, took, recycled } => {
                    assert_eq!(self.in_flight.pop_front(), Some(step), "commits are confirmed in order");
                    (self.confirmed, self.commit_took) = (step, took);
                    self.observer.confirmed(step, took, recycled);
                    self.save_confirmed(ports);
                }
                Outcome::Fenced => return Ok(Turn::Fenced),
                Outcome::Failed(error) => return Err(error.into()),
            }
            for_commit = Duration::ZERO;
        }
        if self.checkpoint.saving {
            return self.hear_saved(for_saved, ports);
        }
        ports.steady.sleep(for_saved);
        Ok(Turn::Running)
    }

    fn save_confirmed(&mut self, ports: &mut Ports<'_>) {
        let ready = |image: &CheckpointImage| image.step <= self.confirmed;
        if let Some(image) = self.checkpoint.waiting.take_if(|image| ready(image)) {
            self.checkpoint.saving = true;
            ports.checkpoints.save(image);
        }
    }

    fn hear_saved(&mut self, wait: Duration, ports: &mut Ports<'_>) -> Result<Turn, LaneHalt> {
        let Some(saved) = ports.checkpoints.saved(wait) else { return Ok(Turn::Running) };
        self.checkpoint.saving = false;
        self.observer.saved(&saved);
        match saved {
            Saved::Kept { step, .. } => {
                self.checkpoint.kept = Some(step);
                self.checkpoint.not_before = None;
                self.checkpoint.unsaved.clear();
            }
            Saved::Overtaken { newest } => return self.overtaken(newest),
            Saved::Failed(_) => {
                self.checkpoint.wanted = true;
                self.checkpoint.not_before = Some(ports.steady.elapsed() + SAVE_AGAIN);
            }
        }
        Ok(Turn::Running)
    }

    /// Another checkpoint than the expected one is the newest. It is a function of the same logs, so the next
    /// one may build upon it, as long as `unsaved` names all that changed since.
    fn overtaken(&mut self, newest: Option<i64>) -> Result<Turn, LaneHalt> {
        match newest {
            // Made of steps that are not ours: another process goes on with the lane.
            Some(step) if step > self.confirmed => return Ok(Turn::Fenced),
            Some(step) if step >= self.checkpoint.kept.unwrap_or(self.began_after + 1) => {}
            Some(step) => {
                let kept = self.checkpoint.kept;
                let text = format!("the newest checkpoint was put back to step {step} from {kept:?}: the lane is recovered from it");
                return Err(PortError::later(text).into());
            }
            None => self.checkpoint.unsaved.extend(self.lane.image().entity_keys()),
        }
        self.checkpoint.kept = newest;
        self.checkpoint.wanted = true;
        Ok(Turn::Running)
    }
}

/// What a lane reads to its end at its genesis, before anything else.
fn comes_first(topic: Topic) -> bool {
    matches!(topic, Topic::Frames | Topic::Policies)
}

fn wait_for<R: Role>(lane: &Lane<R>, pacing: &Pacing, clock: Timestamp) -> Duration {
    let window = Duration::from_millis(pacing.window_ms);
    match lane.next_due().filter(|_| pacing.clock == Clock::Wall) {
        Some(due) => window.min(Duration::from_micros(u64::try_from(due.since(clock.max(lane.now()))).unwrap_or(0))),
        None => window,
    }
}
