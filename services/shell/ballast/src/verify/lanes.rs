//! Progress: what every lane says that it did. I4 (steps and ranges without gaps) and I6 (a checkpoint
//! never runs ahead). Whether the outputs agree is checked elsewhere.

use super::history::{History, Marker};
use super::report::Check;
use super::seen::{KEEPER, REBALANCER, ROLES, Stamp};
use domain::progress::{Begin, Done, Progress, Range, WindowRecord};
use domain::{SmolStr, Timestamp, Topic};
use std::collections::{BTreeMap, BTreeSet};

/// The setting that says of how many dates ids are known.
const DATES: &str = "dedup_trade_dates";

/// The newest step that a checkpoint of a lane contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Role, as in its topics: `position-keeper`.
    pub role: String,
    /// Lane.
    pub lane: i32,
    /// Step.
    pub step: i64,
}

/// One lane of one role.
#[derive(Debug, Default)]
pub(super) struct Lane {
    pub(super) begun: BTreeSet<i64>,
    pub(super) done: BTreeMap<i64, Done>,
    /// Number of lanes that the newest BEGIN names.
    pub(super) lanes: i32,
    /// For each input, the offset reached by each step that moved it.
    reach: BTreeMap<(Topic, i32), BTreeMap<i64, i64>>,
    /// For each input, the offset at which the first range starts.
    starts: BTreeMap<(Topic, i32), i64>,
    /// The clock at the end of each step.
    clock: BTreeMap<i64, Timestamp>,
    /// First step whose BEGIN is kept, where earlier ones were deleted; 0 where none was.
    first: i64,
    /// First steps of the lives after the first: `--genesis` begins anew, above the numbers used before.
    lives: Vec<i64>,
    /// Names of the settings that were ever recorded.
    settings: BTreeSet<SmolStr>,
    /// The windows of each step.
    windows: BTreeMap<i64, Vec<WindowRecord>>,
    /// Of how many dates ids are known: the fewest that a setting ever named.
    dates: Option<usize>,
}

/// Every lane of every role.
#[derive(Debug, Default)]
pub(super) struct Lanes(BTreeMap<(&'static str, i32), Lane>);

impl Lanes {
    /// What the progress topics say.
    pub(super) fn of(history: &History) -> Self {
        let lane = |steps: &Vec<Marker>| {
            let mut lane = Lane::default();
            steps.iter().for_each(|seen| lane.take(&seen.record.0));
            lane
        };
        let mut lanes = Self(history.progress.iter().map(|(key, steps)| (*key, lane(steps))).collect());
        for (name, number) in history.cut() {
            if let Some((role, _)) = ROLES.iter().find(|(_, progress)| progress.name() == name) {
                let lane = lanes.0.entry((*role, number)).or_default();
                lane.first = lane.begun.first().copied().unwrap_or(i64::MAX);
            }
        }
        lanes
    }
    /// Whether what a step did can no longer be told: its progress was deleted.
    pub(super) fn is_bygone(&self, stamp: Option<Stamp>) -> bool {
        stamp.is_some_and(|stamp| self.0.get(&(stamp.role, stamp.lane)).is_some_and(|lane| stamp.step < lane.first))
    }
    /// Whether a step may stand in a later life of its lane than the first.
    pub(super) fn has_lived(&self, stamp: Option<Stamp>) -> bool {
        let lane = stamp.and_then(|stamp| Some((stamp, self.0.get(&(stamp.role, stamp.lane))?)));
        lane.is_some_and(|(stamp, lane)| lane.was_cut() || lane.life_of(stamp.step) > 0)
    }
    /// Whether two steps of a lane belong to one life, as far as can be told.
    pub(super) fn one_life(&self, earlier: Option<Stamp>, later: Option<Stamp>) -> bool {
        let (Some(earlier), Some(later)) = (earlier, later) else { return true };
        let lane = self.0.get(&(later.role, later.lane));
        !self.is_bygone(Some(earlier)) && lane.is_none_or(|lane| lane.life_of(earlier.step) == lane.life_of(later.step))
    }
    /// A lane of a role.
    pub(super) fn get(&self, role: &str, lane: i32) -> Option<&Lane> {
        self.0.iter().find(|((name, number), _)| *name == role && *number == lane).map(|(_, lane)| lane)
    }
    /// Every lane with its role.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&(&'static str, i32), &Lane)> {
        self.0.iter()
    }
    /// Whether the step of an output was closed. One whose progress was deleted was: what was torn was completed.
    pub(super) fn is_settled(&self, stamp: Option<Stamp>) -> bool {
        self.is_bygone(stamp)
            || stamp.is_some_and(|stamp| self.0.get(&(stamp.role, stamp.lane)).is_some_and(|lane| lane.done.contains_key(&stamp.step)))
    }
    /// First offset of an input that a lane of a role has not read in its closed steps.
    pub(super) fn end(&self, role: &str, lane: i32, topic: Topic, partition: i32) -> i64 {
        self.get(role, lane).map_or(0, |lane| lane.position(lane.last_done(), topic, partition))
    }
    /// Whether a role that dead-letters what nobody can read of a topic has come to an offset: of commands, which two
    /// roles read, that is the rebalancer, of frames and policies the position-keeper.
    pub(super) fn reported(&self, topic: Topic, partition: i32, offset: i64) -> bool {
        let reports = |role: &str| match topic {
            Topic::Commands => role == REBALANCER,
            Topic::Frames | Topic::Policies => role == KEEPER,
            _ => true,
        };
        self.readers(topic, partition).iter().any(|(role, end)| reports(role) && offset < *end)
    }
    /// Whether the last window of a lane was behind: what leaves the house only when it has caught up is still to come.
    pub(super) fn ends_behind(&self, role: &str, lane: i32) -> bool {
        let windows = self.get(role, lane).and_then(|lane| lane.windows.get(&lane.last_done()));
        windows.and_then(|windows| windows.last()).is_some_and(|window| window.behind)
    }
    /// Whether no lane has read a record, as far as can be told: steps whose progress was deleted may have.
    pub(super) fn is_unread(&self, topic: Topic, partition: i32, offset: i64) -> bool {
        let readers = self.readers(topic, partition);
        if readers.is_empty() {
            return !self.0.iter().any(|((_, number), lane)| *number == partition && lane.was_cut());
        }
        readers.iter().all(|(_, end)| offset >= *end)
    }
    /// Roles with a lane that reads a partition, and how far its closed steps have read.
    pub(super) fn readers(&self, topic: Topic, partition: i32) -> Vec<(&'static str, i64)> {
        let reads = |((role, _), lane): (&(&'static str, i32), &Lane)| {
            let reaches = lane.reach.contains_key(&(topic, partition));
            reaches.then(|| (*role, lane.position(lane.last_done(), topic, partition)))
        };
        self.0.iter().filter_map(reads).collect()
    }
}

impl Lane {
    fn take(&mut self, progress: &Progress) {
        match progress {
            Progress::Begin(begin) => self.open(begin),
            Progress::Done(done) => _ = self.done.insert(done.step, done.clone()),
        }
    }
    fn open(&mut self, begin: &Begin) {
        let step = begin.step;
        let last = self.begun.last().copied().unwrap_or(step - 1);
        if !self.begun.insert(step) {
            return;
        }
        if begins_anew(begin, last, &self.settings) {
            self.lives.push(step);
            self.starts.clear();
        }
        self.settings.extend(begin.settings.iter().map(|setting| setting.name.clone()));
        let dates = begin.settings.iter().filter(|setting| setting.name == DATES).filter_map(|setting| setting.value.parse().ok());
        self.dates = self.dates.into_iter().chain(dates).min();
        self.lanes = begin.lanes;
        for range in begin.windows.iter().flat_map(|window| &window.ranges) {
            let key = (range.topic, range.partition);
            self.starts.entry(key).or_insert(range.from);
            self.reach.entry(key).or_default().insert(step, range.to);
        }
        if let Some(now) = begin.windows.iter().map(|window| window.now).max() {
            self.clock.insert(step, now);
        }
        self.windows.insert(step, begin.windows.clone());
    }
    /// Of how many dates of a portfolio ids are known at least: of none where the settings were deleted.
    pub(super) fn fewest_dates(&self) -> usize {
        self.dates.unwrap_or(if self.was_cut() { 0 } else { usize::MAX })
    }
    /// First step of the newest life; 0 in the first.
    pub(super) fn life(&self) -> i64 {
        self.lives.last().copied().unwrap_or(0)
    }
    fn life_of(&self, step: i64) -> usize {
        self.lives.partition_point(|first| *first <= step)
    }
    /// First offset of an input that the newest life has read, as far as can be told.
    pub(super) fn reads_from(&self, topic: Topic, partition: i32) -> i64 {
        // Of a life whose first steps were deleted nothing is known: it began at the beginning.
        let known = self.life() >= self.first;
        self.starts.get(&(topic, partition)).copied().filter(|_| known).unwrap_or(0)
    }
    /// Whether progress was deleted: what its steps read is not known.
    pub(super) fn was_cut(&self) -> bool {
        self.first > 0
    }
    /// Whether a step's BEGIN was deleted.
    pub(super) fn is_bygone(&self, step: i64) -> bool {
        step < self.first
    }
    /// The newest closed step; 0 before the first.
    pub(super) fn last_done(&self) -> i64 {
        self.done.last_key_value().map_or(0, |(step, _)| *step)
    }
    /// First offset of an input that is not read when a step ends.
    pub(super) fn position(&self, step: i64, topic: Topic, partition: i32) -> i64 {
        let reach = self.reach.get(&(topic, partition));
        reach.and_then(|reach| reach.range(..=step).next_back()).map_or(0, |(_, to)| *to)
    }
    /// The clock when a step ends; `None` before the first window.
    pub(super) fn now(&self, step: i64) -> Option<Timestamp> {
        self.clock.range(..=step).next_back().map(|(_, now)| *now)
    }
    /// The step that read a record.
    pub(super) fn step_of(&self, topic: Topic, partition: i32, offset: i64) -> Option<i64> {
        self.reach.get(&(topic, partition))?.iter().find(|(_, to)| offset < **to).map(|(step, _)| *step)
    }
    /// First offset of frames that is not read in the window of a step which reads a record, and the clock of that window.
    pub(super) fn window_of(&self, step: i64, topic: Topic, partition: i32, offset: i64) -> Option<(i64, Timestamp)> {
        let windows = self.windows.get(&step)?;
        let holds = |range: &&Range| range.topic == topic && range.partition == partition && (range.from..range.to).contains(&offset);
        let at = windows.iter().position(|window| window.ranges.iter().any(|range| holds(&range)))?;
        let frames = windows[..=at].iter().flat_map(|window| &window.ranges).filter(|range| range.topic == Topic::Frames);
        let read = frames.map(|range| range.to).next_back().unwrap_or_else(|| self.position(step - 1, Topic::Frames, 0));
        Some((read, windows[at].now))
    }
    /// First offset of an input that is not read when each window of a step ends.
    pub(super) fn windows_of(&self, step: i64, topic: Topic, partition: i32) -> Vec<i64> {
        let mut read = self.position(step - 1, topic, partition);
        let ends = self.windows.get(&step).into_iter().flatten().map(|window| {
            let ranges = window.ranges.iter().filter(|range| range.topic == topic && range.partition == partition);
            read = ranges.map(|range| range.to).max().unwrap_or(read);
            read
        });
        ends.collect()
    }
    /// Whether every window of a step was behind.
    pub(super) fn is_behind(&self, step: i64) -> bool {
        self.windows.get(&step).is_some_and(|windows| !windows.is_empty() && windows.iter().all(|window| window.behind))
    }
    /// Whether a step has one window only.
    pub(super) fn is_single(&self, step: i64) -> bool {
        self.windows.get(&step).is_some_and(|windows| windows.len() == 1)
    }
}

/// Whether a step begins a new life: above the number that was due, and with every setting recorded again.
fn begins_anew(begin: &Begin, last: i64, settings: &BTreeSet<SmolStr>) -> bool {
    let recorded = |name: &SmolStr| begin.settings.iter().any(|setting| setting.name == *name);
    begin.step > last + 1 && !begin.settings.is_empty() && settings.iter().all(recorded)
}

/// I4: numbers, ranges and clocks of steps.
pub(super) fn contiguous(history: &History) -> Check {
    let mut check = Check::new("I4", "steps count up, BEGIN before DONE; ranges follow; clocks never go back");
    for ((role, lane), steps) in &history.progress {
        let progress = steps.first().map_or(0, |seen| history.start(seen.place.topic, *lane));
        let mut state = Sequence { cut: progress > 0, ..Sequence::default() };
        for seen in steps {
            let outcome = state.follow(&seen.record.0, seen.record.1);
            check.that(outcome.is_ok(), || format!("{}: {role} lane {lane}: {}", seen.place, outcome.err().unwrap_or_default()));
        }
    }
    check
}

/// The steps of one lane so far.
#[derive(Default)]
struct Sequence {
    closed: i64,
    open: Option<(i64, u64)>,
    /// The last closed step, with the contents of its BEGIN and DONE: whoever finds it in a transaction that
    /// hangs sends it again, unchanged.
    last: Option<(i64, u64, u64)>,
    now: Option<Timestamp>,
    lanes: Option<i32>,
    ends: BTreeMap<(Topic, i32), i64>,
    settings: BTreeSet<SmolStr>,
    /// Whether what stood before the next marker was deleted.
    cut: bool,
}

impl Sequence {
    fn follow(&mut self, progress: &Progress, content: u64) -> Result<(), String> {
        let cut = std::mem::replace(&mut self.cut, false);
        match progress {
            Progress::Done(done) if cut => {
                self.closed = done.step;
                Ok(())
            }
            Progress::Done(done) => {
                let open = self.open.take();
                self.closed = self.closed.max(done.step);
                let begun = open.map_or(0, |(_, begun)| begun);
                match self.last.replace((done.step, begun, content)) {
                    _ if open.is_none_or(|(step, _)| step != done.step) => {
                        Err(format!("DONE {} follows BEGIN {:?}", done.step, open.map(|(step, _)| step)))
                    }
                    Some((step, _, known)) if step == done.step && known != content => {
                        Err(format!("DONE {step} stands twice, and differs"))
                    }
                    _ => Ok(()),
                }
            }
            Progress::Begin(begin) if cut || self.is_anew(begin) => {
                *self = Self { closed: begin.step - 1, open: Some((begin.step, content)), ..Self::default() };
                self.begin(begin)
            }
            Progress::Begin(begin) => match self.open.replace((begin.step, content)) {
                Some((step, known)) if step == begin.step => {
                    if known == content {
                        Ok(())
                    } else {
                        Err(format!("BEGIN {step} stands twice, with other windows"))
                    }
                }
                Some((step, _)) => Err(format!("BEGIN {} follows BEGIN {step}, which has no DONE", begin.step)),
                None if self.last.is_some_and(|(step, known, _)| step == begin.step && known == content) => Ok(()),
                None => self.begin(begin),
            },
        }
    }
    fn is_anew(&self, begin: &Begin) -> bool {
        begins_anew(begin, self.open.map_or(self.closed, |(step, _)| step), &self.settings)
    }
    fn begin(&mut self, begin: &Begin) -> Result<(), String> {
        self.settings.extend(begin.settings.iter().map(|setting| setting.name.clone()));
        let expected = self.closed + 1;
        if begin.step != expected {
            return Err(format!("BEGIN {} where step {expected} was due", begin.step));
        }
        let lanes = *self.lanes.get_or_insert(begin.lanes);
        if lanes != begin.lanes {
            return Err(format!("step {} counts {} lanes, the steps before it {lanes}", begin.step, begin.lanes));
        }
        begin.windows.iter().try_for_each(|window| {
            if self.now.is_some_and(|now| window.now < now) {
                return Err(format!("step {}: the clock goes back from {:?} to {}", begin.step, self.now, window.now));
            }
            self.now = Some(window.now);
            window.ranges.iter().try_for_each(|range| self.range(begin.step, range))
        })
    }
    fn range(&mut self, step: i64, range: &Range) -> Result<(), String> {
        let end = self.ends.insert((range.topic, range.partition), range.to);
        let shown = format!("step {step} reads {}/{} from {} to {}", range.topic, range.partition, range.from, range.to);
        if range.from > range.to {
            return Err(format!("{shown}: backwards"));
        }
        match end {
            Some(end) if end != range.from => Err(format!("{shown}, the window before ended at {end}")),
            _ => Ok(()),
        }
    }
}

/// I10, seen from the steps: each DONE counts the records that its ranges hold.
pub(super) fn inputs_counted(history: &History, lanes: &Lanes) -> Check {
    let mut check = Check::new("I10", "each DONE counts exactly the records in its step's ranges");
    for ((role, number), lane) in lanes.iter() {
        for (step, done) in lane.done.iter().filter(|(step, _)| !lane.is_bygone(**step)) {
            let ranges: Vec<&Range> = lane.windows.get(step).into_iter().flatten().flat_map(|window| &window.ranges).collect();
            if ranges.iter().any(|range| range.from < range.to && is_cut(history, range.topic, range.partition, range.from)) {
                continue;
            }
            let held: usize = ranges.iter().map(|range| count(history, range.topic, range.partition, range.from, range.to)).sum();
            let counted = usize::try_from(done.inputs).ok();
            check.that(counted == Some(held), || {
                format!("{role} lane {number} step {step}: DONE counts {} inputs, its ranges hold {held} records", done.inputs)
            });
        }
    }
    check
}

/// Inputs of lanes that the broker keeps for a limited time; the others are kept for ever.
const SHORT_LIVED: [Topic; 3] = [Topic::Frames, Topic::Orders, Topic::Refresh];

/// Whether retention has cut the log of a partition behind an offset.
fn is_cut(history: &History, topic: Topic, partition: i32, from: i64) -> bool {
    let first = history.log.get(&(topic, partition)).and_then(|log| log.first_key_value());
    history.start(topic, partition) > from || SHORT_LIVED.contains(&topic) && first.is_none_or(|(offset, _)| *offset > from)
}

fn count(history: &History, topic: Topic, partition: i32, from: i64, to: i64) -> usize {
    history.log.get(&(topic, partition)).map_or(0, |log| log.range(from..to.max(from)).count())
}

/// I6: no checkpoint contains a step that was not committed.
pub(super) fn checkpoints(lanes: &Lanes, checkpoints: &[Checkpoint]) -> Check {
    let mut check = Check::new("I6", "a checkpoint holds committed steps only");
    for checkpoint in checkpoints {
        let known = ROLES.iter().any(|(role, _)| *role == checkpoint.role);
        let done = lanes.get(&checkpoint.role, checkpoint.lane).map_or(0, Lane::last_done);
        let gone = lanes.get(&checkpoint.role, checkpoint.lane).is_some_and(|lane| lane.first == i64::MAX);
        check.that(known && (checkpoint.step <= done || gone), || {
            format!("{} lane {}: the checkpoint holds step {}, the last DONE is {done}", checkpoint.role, checkpoint.lane, checkpoint.step)
        });
    }
    check
}
