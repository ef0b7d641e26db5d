//! One lane of one role: windows in, closed steps out, and the image of its state.
//! It runs live and in replay alike; whether outputs leave the house is the shell's to know.

mod error;
mod open;
mod sealing;
mod slices;

use crate::codec::{Codec, Refusal};
use crate::frames::FrameChain;
use crate::image::{self, ImageError};
use crate::partition::lane_of;
use crate::repeats::Repeats;
use crate::role::{Context, Counts, Origin, RecordRef, Role};
use crate::settings::Settings;
use crate::step::Step;
use crate::timers::Timers;
use crate::{Image, RULES_VERSION};
use domain::frame::Frame;
use domain::progress::{Begin, Done, Range, Recorded, WindowRecord};
use domain::reason::DeadLetterCode;
use domain::{Input, Output, PortfolioId, SmolStr, Timestamp, Topic};
pub use error::LaneError;
use open::Open;
use sealing::Sealing;
use serde::{Deserialize, Serialize};
pub use slices::WINDOW_COST;
use std::collections::{BTreeMap, BTreeSet};

/// Records that are decoded before the first of them is folded.
const BLOCK: usize = 32;

/// Bytes of outputs at which a step is closed. Dead letters carry their inputs whole, so that many windows of
/// them would not fit one transaction.
pub const STEP_BYTES: usize = 16 << 20;

/// Header with the W3C trace of a record.
pub const TRACEPARENT: &str = "traceparent";

/// The records of one input partition in one window.
pub struct Slice<'a, T> {
    /// Topic.
    pub topic: Topic,
    /// Partition.
    pub partition: i32,
    /// First offset that the window does not contain.
    pub to: i64,
    /// Its records, by offset.
    pub records: &'a [T],
}

/// What of a lane is neither its role's nor open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Shared {
    step: i64,
    lanes: i32,
    now: Timestamp,
    timers: Timers,
    positions: BTreeMap<(Topic, i32), i64>,
    /// Topics of which something was read.
    moved: BTreeSet<Topic>,
    chain: FrameChain,
    repeats: Repeats,
    settings: Option<Settings>,
    /// Recorded writers' schemas, by fingerprint, with their texts: progress may no longer hold them.
    schemas: BTreeMap<SmolStr, String>,
    totals: Counts,
}

/// A decoded record and what was told of it ahead, or why it is refused.
type Decoded<R> = Result<(Input, <R as Role>::Ahead), Refusal>;

/// A lane.
pub struct Lane<R: Role> {
    role: R,
    lane: i32,
    shared: Shared,
    settings: Settings,
    new_settings: Vec<Recorded>,
    new_schemas: Vec<Recorded>,
    /// Inputs that began above 0 and of which no step tells yet.
    begun: BTreeSet<(Topic, i32)>,
    open: Open,
    /// How many outputs the last step had: the next one has about as many.
    last_outputs: usize,
}

impl<R: Role> Lane<R> {
    /// A lane at its genesis, before its first step.
    pub fn new(role: R, lane: i32, lanes: i32) -> Self {
        let shared = Shared {
            step: 0,
            lanes,
            now: Timestamp::MIN,
            timers: Timers::default(),
            positions: BTreeMap::new(),
            moved: BTreeSet::new(),
            chain: FrameChain::default(),
            repeats: Repeats::default(),
            settings: None,
            schemas: BTreeMap::new(),
            totals: Counts::default(),
        };
        Self {
            role,
            lane,
            shared,
            settings: Settings::default(),
            new_settings: Vec::new(),
            new_schemas: Vec::new(),
            begun: BTreeSet::new(),
            open: Open::default(),
            last_outputs: 0,
        }
    }

    /// The role.
    pub fn role(&self) -> &R {
        &self.role
    }
    /// Number of the lane.
    pub fn lane(&self) -> i32 {
        self.lane
    }
    /// Number of lanes that the state was made for.
    pub fn lanes(&self) -> i32 {
        self.shared.lanes
    }
    /// The step that was closed last; 0 before the first.
    pub fn step(&self) -> i64 {
        self.shared.step
    }
    /// The clock of the last window.
    pub fn now(&self) -> Timestamp {
        self.shared.now
    }
    /// Inputs since genesis, by outcome.
    pub fn totals(&self) -> Counts {
        self.shared.totals
    }
    /// Next offset of an input; 0 before its first record.
    pub fn position(&self, topic: Topic, partition: i32) -> i64 {
        self.shared.positions.get(&(topic, partition)).copied().unwrap_or(0)
    }
    /// Next offset of every input that moved.
    pub fn positions(&self) -> &BTreeMap<(Topic, i32), i64> {
        &self.shared.positions
    }
    /// Whether records of a topic were read.
    pub fn has_moved(&self, topic: Topic) -> bool {
        self.shared.moved.contains(&topic)
    }
    /// Writers' schemas that its steps have recorded.
    pub fn schemas(&self) -> impl Iterator<Item = Recorded> + '_ {
        self.shared.schemas.iter().map(|(name, text)| Recorded { name: name.clone(), value: text.clone() })
    }
    /// When the next timer is due.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.shared.timers.next_due()
    }
    /// Whether windows are open that no step has closed.
    pub fn is_open(&self) -> bool {
        !self.open.windows.is_empty()
    }
    /// Windows of the open step.
    pub fn open_windows(&self) -> usize {
        self.open.windows.len()
    }
    /// Whether closing the step now would publish something besides BEGIN and DONE.
    pub fn has_outputs(&self) -> bool {
        !self.open.outputs.is_empty() || self.role.holds_outputs()
    }
    /// Whether the open step must be closed before the next window.
    pub fn step_full(&self) -> bool {
        self.open.bytes >= STEP_BYTES || self.role.step_full()
    }

    /// Takes settings over from the next window on, and records them with its step.
    pub fn configure(&mut self, settings: &Settings) {
        self.new_settings = settings.changes_since(self.shared.settings.as_ref());
    }
    /// Records writers' schemas that became known, by fingerprint, with the next step.
    pub fn know_schemas(&mut self, schemas: Vec<Recorded>) {
        self.new_schemas = schemas.into_iter().filter(|schema| !self.shared.schemas.contains_key(&schema.name)).collect();
    }
    /// Begins anew after the last step of an earlier life, whose outputs stand in the topics.
    pub fn begin_after(&mut self, step: i64) {
        self.shared.step = step;
        self.role.begin_after(step);
    }
    /// Lets an input that has never moved begin at an offset: its earlier records are gone. The first step tells
    /// of it, so that a replay begins there too.
    pub fn begin_at(&mut self, topic: Topic, partition: i32, offset: i64) {
        self.shared.positions.entry((topic, partition)).or_insert(offset);
        self.begun.insert((topic, partition));
    }
    /// Prepares the replay of a recorded step: its settings hold from its first window on.
    pub fn expect(&mut self, begin: &Begin) -> Result<(), LaneError> {
        if begin.step != self.shared.step + 1 {
            return Err(LaneError::StepOrder { found: begin.step, at: self.shared.step });
        }
        if begin.rules_version != RULES_VERSION {
            return Err(LaneError::Rules { step: begin.step, found: begin.rules_version });
        }
        self.new_settings.clone_from(&begin.settings);
        self.new_schemas.clone_from(&begin.schemas);
        Ok(())
    }

    /// Runs one window: timers due, then records in the order of the role's inputs, then decisions.
    /// `now` may not go back: the greater of it and the last clock holds. Returns whether all records were folded: a
    /// window whose records cost much ends before the next one, and is recorded so; the others are to be handed over
    /// again, from the lane's positions on.
    pub fn window<T: RecordRef>(
        &mut self,
        now: Timestamp,
        behind: bool,
        slices: &[Slice<'_, T>],
        codec: &mut dyn Codec,
    ) -> Result<bool, LaneError> {
        let ranges = self.ranges(slices)?;
        if self.open.windows.is_empty() {
            self.open_step()?;
        }
        self.shared.now = self.shared.now.max(now);
        self.open.windows.push(WindowRecord { ranges, now: self.shared.now, behind });
        self.fire_timers(behind, codec);
        let mut whole = true;
        for topic in R::INPUTS {
            for slice in slices.iter().filter(|slice| slice.topic == *topic) {
                let to = if whole { self.run_slice(slice, behind, codec)? } else { None };
                whole &= to == Some(slice.to);
                self.move_to(slice, to);
            }
        }
        self.with_context(behind, codec, |role, cx| role.decide(cx));
        Ok(whole)
    }

    /// Lets the role publish what timers would publish later: the input has ended for good.
    pub fn finish(&mut self, codec: &mut dyn Codec) -> Result<(), LaneError> {
        self.window::<crate::RawRecord>(self.shared.now, false, &[], codec)?;
        self.with_context(false, codec, |role, cx| role.finish(cx));
        Ok(())
    }

    /// Closes the open step; `None` when no window is open.
    pub fn close(&mut self, codec: &mut dyn Codec) -> Result<Option<Step>, LaneError> {
        self.close_and_show(codec, drop)
    }

    /// The same; shows each output as a record, in order, once it is encoded: for readers within the process. Of a step
    /// that fails, those are shown that stand ahead of the one that could not be encoded.
    pub fn close_and_show(&mut self, codec: &mut dyn Codec, mut show: impl FnMut(Output)) -> Result<Option<Step>, LaneError> {
        if self.open.windows.is_empty() {
            return Ok(None);
        }
        let mut open = std::mem::take(&mut self.open);
        let made = std::mem::take(&mut open.outputs);
        let number = self.shared.step + 1;
        let mut sealing = Sealing::new(number, self.lane, self.shared.now, &open.traces, self.last_outputs * 5 / 4);
        let mut publish = |output: Output| {
            if sealing.add(&output, codec) {
                show(output);
            }
        };
        self.role.close_step(&mut publish);
        made.into_iter().for_each(publish);
        let (outputs, digest) = sealing.finish()?;
        self.last_outputs = outputs.len();
        self.shared.step = number;
        self.shared.totals = sum(self.shared.totals, open.counts);
        let begin = Begin {
            step: number,
            rules_version: RULES_VERSION,
            lanes: self.shared.lanes,
            settings: open.settings,
            schemas: open.schemas,
            windows: open.windows,
        };
        let count = i32::try_from(outputs.len()).expect("a step is bounded far below 2^31 outputs");
        let done = Done { step: number, digest: digest.text(), outputs: count, inputs: open.counts.inputs };
        Ok(Some(Step { begin, outputs, done, counts: open.counts, known: open.known }))
    }

    fn open_step(&mut self) -> Result<(), LaneError> {
        let mut settings = self.shared.settings.clone().unwrap_or_default();
        for change in &self.new_settings {
            settings.apply(change)?;
        }
        if !self.new_settings.is_empty() || self.shared.settings.is_none() {
            self.role.configure(&settings);
            self.settings = settings.clone();
            self.shared.settings = Some(settings);
        }
        self.shared.schemas.extend(self.new_schemas.iter().map(|schema| (schema.name.clone(), schema.value.clone())));
        self.open.settings = std::mem::take(&mut self.new_settings);
        self.open.schemas = std::mem::take(&mut self.new_schemas);
        Ok(())
    }

    fn ranges<T>(&mut self, slices: &[Slice<'_, T>]) -> Result<Vec<Range>, LaneError>
    where
        T: RecordRef,
    {
        let mut ranges = Vec::with_capacity(slices.len());
        for slice in slices {
            let at = self.position(slice.topic, slice.partition);
            let from = slice.records.first().map_or(at, RecordRef::offset);
            if from < at || slice.to < at {
                return Err(LaneError::Gap { topic: slice.topic, partition: slice.partition, from: from.min(slice.to), at });
            }
            ranges.push(Range { topic: slice.topic, partition: slice.partition, from: at, to: slice.to });
        }
        for (topic, partition) in std::mem::take(&mut self.begun) {
            if !slices.iter().any(|slice| (slice.topic, slice.partition) == (topic, partition)) {
                let at = self.position(topic, partition);
                ranges.push(Range { topic, partition, from: at, to: at });
            }
        }
        Ok(ranges)
    }

    fn fire_timers(&mut self, behind: bool, codec: &mut dyn Codec) {
        // A timer that a firing sets for a moment already past waits for the next window, so that a
        // role that keeps setting one cannot hold the lane.
        let now = self.shared.now;
        let due: Vec<_> = std::iter::from_fn(|| self.shared.timers.pop_due(now)).collect();
        for timer in due {
            self.with_context(behind, codec, |role, cx| role.fire(timer, cx));
        }
    }

    fn record(&mut self, origin: &Origin<'_>, decoded: Decoded<R>, behind: bool, codec: &mut dyn Codec) -> Result<(), LaneError> {
        let offset = origin.offset();
        match decoded {
            Ok((Input::Frame(frame), _)) if !self.shared.chain.admit(offset, &frame) => self.stray(offset, &frame)?,
            Ok((input, ahead)) => {
                self.remember_trace(|| input.portfolio_id().cloned(), origin.record);
                self.with_context(behind, codec, |role, cx| role.fold(input, ahead, origin, cx));
            }
            Err(refusal) if origin.topic == Topic::Frames && refusal.code == DeadLetterCode::UnknownSchema => {
                return Err(LaneError::UnreadableFrame { offset, why: refusal.text.to_string() });
            }
            Err(refusal) => self.refuse(origin, refusal, behind, codec),
        }
        Ok(())
    }

    fn stray(&mut self, offset: i64, frame: &Frame) -> Result<(), LaneError> {
        if let Some(anchor) = self.shared.chain.lost(offset, frame) {
            return Err(LaneError::FramesLost { offset, anchor, last: self.shared.chain.last().unwrap_or(-1) });
        }
        self.open.counts.stray_frames += 1;
        Ok(())
    }

    fn remember_trace(&mut self, portfolio: impl FnOnce() -> Option<PortfolioId>, record: &dyn RecordRef) {
        let trace = record.header(TRACEPARENT).filter(|t| t.len() == 55).and_then(|t| std::str::from_utf8(t).ok());
        if let Some(trace) = trace
            && let Some(portfolio) = portfolio()
        {
            self.open.traces.insert(portfolio, SmolStr::new(trace));
        }
    }

    /// Whether the key of a record is its portfolio, and belongs to this lane.
    fn is_keyed(&self, portfolio: &str, key: Option<&[u8]>) -> bool {
        key.is_some_and(|key| key == portfolio.as_bytes() && lane_of(key, self.shared.lanes) == self.lane)
    }

    fn check_lane(&self, input: Input, key: Option<&[u8]>) -> Result<Input, Refusal> {
        let Some(portfolio) = input.portfolio_id() else { return Ok(input) };
        if self.is_keyed(portfolio.as_str(), key) {
            return Ok(input);
        }
        let shown = crate::role::key_shown(key);
        let key = key.unwrap_or_default();
        let wrong = |text: String| Err(Refusal::new(DeadLetterCode::WrongLane, text));
        if key != portfolio.as_str().as_bytes() {
            return wrong(format!("the record's key is {shown}, its portfolio_id {portfolio:?}: key records by portfolio"));
        }
        let belongs = lane_of(key, self.shared.lanes);
        wrong(format!(
            "portfolio {portfolio:?} belongs to partition {belongs} of {}, the record stands in {}: use the murmur2 partitioner",
            self.shared.lanes, self.lane
        ))
    }

    fn refuse(&mut self, origin: &Origin<'_>, refusal: Refusal, behind: bool, codec: &mut dyn Codec) {
        // What every lane reads, one lane reports; what two roles read, one of them.
        if origin.topic == Topic::Frames && self.lane != 0 || R::REPORTED_ELSEWHERE.contains(&origin.topic) {
            return;
        }
        let portfolio = self.portfolio_of_key(origin.record.key());
        self.with_context(behind, codec, |role, cx| {
            cx.dead_letter(origin.to_raw(), portfolio.clone(), refusal);
            role.refused(origin, portfolio.as_ref(), cx);
        });
    }

    fn portfolio_of_key(&self, key: Option<&[u8]>) -> Option<PortfolioId> {
        let key = key.filter(|key| lane_of(key, self.shared.lanes) == self.lane)?;
        PortfolioId::new(std::str::from_utf8(key).ok()?).ok()
    }

    fn with_context<O>(&mut self, behind: bool, codec: &mut dyn Codec, act: impl FnOnce(&mut R, &mut Context<'_>) -> O) -> O {
        let mut context = Context {
            now: self.shared.now,
            behind,
            lane: self.lane,
            lanes: self.shared.lanes,
            settings: &self.settings,
            timers: &mut self.shared.timers,
            positions: &self.shared.positions,
            outputs: &mut self.open.outputs,
            bytes: &mut self.open.bytes,
            codec,
            counts: &mut self.open.counts,
            known: &mut self.open.known,
        };
        act(&mut self.role, &mut context)
    }
}

/// Keys of a lane's image: the role's entities, as they are.
impl<R: Role> Lane<R> {
    /// The shared part of the image: the lane's own state and the role's. No window may be open.
    pub fn shared_image(&self) -> Vec<u8> {
        assert!(self.open.windows.is_empty(), "an image is taken between steps");
        image::versioned(&(&self.shared, self.role.shared()))
    }
    /// A lane whose shared part is put back; entities follow by [`Lane::image`].
    pub fn restore(role: R, lane: i32, bytes: &[u8]) -> Result<Self, ImageError> {
        let (shared, own): (Shared, Vec<u8>) = image::from_versioned("the lane's shared part", bytes)?;
        let mut lane = Self::new(role, lane, shared.lanes);
        lane.settings = shared.settings.clone().unwrap_or_default();
        lane.role.configure(&lane.settings);
        lane.role.restore_shared(&own)?;
        lane.shared = shared;
        Ok(lane)
    }
    /// Entities, to put back or to take out.
    pub fn image(&mut self) -> &mut impl Image {
        &mut self.role
    }
}

fn sum(a: Counts, b: Counts) -> Counts {
    Counts {
        inputs: a.inputs + b.inputs,
        duplicates: a.duplicates + b.duplicates,
        dead_letters: a.dead_letters + b.dead_letters,
        repeats: a.repeats + b.repeats,
        stray_frames: a.stray_frames + b.stray_frames,
    }
}
