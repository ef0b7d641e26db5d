//! The core as one machine: conflator, position-keeper, rebalancer and performance-tracker, each lane fed with what the
//! others publish until nothing moves any more.

use super::{Held, Published};
use crate::lines::{JsonCodec, Line};
use conflator::{Conflator, Limits, SOURCES, Tail};
use domain::frame::Frame;
use domain::{Output, Timestamp, Topic};
use engine::lane::Slice;
use engine::waiting::Waiter;
use engine::{Codec, Lane, LaneError, Origin, RawRecord, Role, Settings};
use performance_tracker::PerformanceTracker;
use position_keeper::PositionKeeper;
use rebalancer::Rebalancer;
use std::collections::BTreeMap;

/// Rounds of feeding the roles with each other's records before a group counts as never ending.
const MOST_ROUNDS: usize = 1000;

/// All roles but those that touch the world.
pub(super) struct Machine {
    conflator: Conflator,
    keeper: Station<PositionKeeper>,
    rebalancer: Station<Rebalancer>,
    tracker: Station<PerformanceTracker>,
    codec: JsonCodec,
    offsets: BTreeMap<Topic, i64>,
    /// Numbers of the lines of each input, by offset.
    lines: BTreeMap<Topic, Vec<i64>>,
    clock: Timestamp,
}

/// A lane and what it has not read yet.
struct Station<R: Role> {
    lane: Lane<R>,
    inbox: BTreeMap<Topic, Vec<RawRecord>>,
    /// Records that were known already.
    known: i64,
}

impl<R: Role> Station<R> {
    fn new(role: R, settings: &Settings) -> Self {
        let mut lane = Lane::new(role, 0, 1);
        lane.configure(settings);
        Self { lane, inbox: BTreeMap::new(), known: 0 }
    }
    fn post(&mut self, record: &RawRecord) {
        if R::INPUTS.contains(&record.topic) {
            self.inbox.entry(record.topic).or_default().push(record.clone());
        }
    }
    fn has_work(&self, now: Timestamp) -> bool {
        !self.inbox.is_empty() || self.lane.next_due().is_some_and(|due| due <= now)
    }
    fn step(&mut self, now: Timestamp, codec: &mut JsonCodec) -> Result<Vec<Published>, LaneError> {
        let inbox = std::mem::take(&mut self.inbox);
        let slices: Vec<_> = inbox
            .iter()
            .map(|(topic, records)| Slice { topic: *topic, partition: 0, to: records.last().map_or(0, |r| r.offset + 1), records })
            .collect();
        let mut published = Vec::new();
        while !self.lane.window(now, false, &rest(&self.lane, &slices), codec)? {
            published.append(&mut self.close(codec)?);
        }
        published.append(&mut self.close(codec)?);
        Ok(published)
    }
    fn close(&mut self, codec: &mut JsonCodec) -> Result<Vec<Published>, LaneError> {
        let time = self.lane.now();
        let mut published = Vec::new();
        let step = self.lane.close_and_show(codec, |output| published.push(Published { output, time }))?;
        self.known += step.map_or(0, |step| step.counts.duplicates);
        Ok(published)
    }
}

/// What of slices a lane has not folded.
fn rest<'a, R: Role>(lane: &Lane<R>, slices: &[Slice<'a, RawRecord>]) -> Vec<Slice<'a, RawRecord>> {
    let rest = |slice: &Slice<'a, RawRecord>| {
        let at = lane.position(slice.topic, slice.partition);
        let folded = slice.records.partition_point(|record| record.offset < at);
        Slice { topic: slice.topic, partition: slice.partition, to: slice.to, records: &slice.records[folded..] }
    };
    slices.iter().map(rest).collect()
}

impl Machine {
    pub(super) fn new(settings: &Settings) -> Self {
        let limits = Limits { future_tick_seconds: settings.future_tick_seconds, ..Limits::default() };
        let mut conflator = Conflator::resume(Tail::default(), limits);
        for topic in SOURCES {
            conflator.start(topic, 0, 0);
        }
        Self {
            conflator,
            keeper: Station::new(PositionKeeper::default(), settings),
            rebalancer: Station::new(Rebalancer::default(), settings),
            tracker: Station::new(PerformanceTracker::default(), settings),
            codec: JsonCodec,
            offsets: BTreeMap::new(),
            lines: BTreeMap::new(),
            clock: Timestamp::MIN,
        }
    }

    /// Sets the clock of an input whose first lines name no moment.
    pub(super) fn start(&mut self, moment: Timestamp) {
        self.clock = moment;
    }

    /// Runs one group of lines to its end.
    pub(super) fn run(&mut self, group: Vec<(i64, Line)>) -> Result<Vec<Published>, LaneError> {
        self.clock = group.iter().filter_map(|(_, line)| line.timestamp).fold(self.clock, Timestamp::max);
        for (number, line) in group {
            self.lines.entry(line.topic).or_default().push(number);
            self.take_in(line);
        }
        self.post_frames();
        self.settle()
    }

    /// The number of the line that is the record of a place.
    pub(super) fn line_of(&self, topic: Topic, offset: i64) -> Option<i64> {
        self.lines.get(&topic)?.get(usize::try_from(offset).ok()?).copied()
    }

    /// Records that wait for a policy, an instrument, a rate or an execution.
    pub(super) fn waiting(&self) -> usize {
        self.keeper.lane.role().waiting()
    }

    /// Records that were known already and changed nothing; each is counted by one role.
    pub(super) fn known(&self) -> u64 {
        u64::try_from(self.keeper.known + self.rebalancer.known).unwrap_or_default()
    }

    /// The lines that hold others up, or await an execution.
    pub(super) fn held(&self) -> Vec<Held> {
        let waiters = self.keeper.lane.role().waiters().into_iter();
        let line = |waiter: Waiter| Some(Held { line: self.line_of(waiter.place.0, waiter.place.2)?, waiter });
        let mut held: Vec<_> = waiters.filter_map(line).collect();
        held.sort_by_key(|held| held.line);
        held
    }

    /// Publishes what waits for a timer; timers are left alone.
    pub(super) fn finish(&mut self) -> Result<Vec<Published>, LaneError> {
        self.keeper.lane.finish(&mut self.codec)?;
        let mut published = self.keeper.close(&mut self.codec)?;
        self.forward(&published);
        published.extend(self.settle()?);
        Ok(published)
    }

    fn settle(&mut self) -> Result<Vec<Published>, LaneError> {
        let mut published = Vec::new();
        for _ in 0..MOST_ROUNDS {
            let made = if self.keeper.has_work(self.clock) {
                self.keeper.step(self.clock, &mut self.codec)?
            } else if self.rebalancer.has_work(self.clock) {
                self.rebalancer.step(self.clock, &mut self.codec)?
            } else if self.tracker.has_work(self.clock) {
                self.tracker.step(self.clock, &mut self.codec)?
            } else {
                return Ok(published);
            };
            self.forward(&made);
            published.extend(made);
        }
        tracing::error!(rounds = MOST_ROUNDS, "the roles still answer each other; this group is cut off here");
        Ok(published)
    }

    fn take_in(&mut self, line: Line) {
        let value = line.value.map(String::into_bytes);
        let mut record = RawRecord {
            topic: line.topic,
            partition: 0,
            offset: 0,
            timestamp: line.timestamp.unwrap_or(self.clock),
            key: line.key.map(String::into_bytes),
            headers: Vec::new(),
            value,
        };
        let decoded = self.codec.decode(record.topic, record.key.as_deref(), record.value.as_deref());
        if record.key.is_none() {
            record.key = match &decoded {
                Ok(input) => avro_codec::input_key(input).map(|key| key.as_bytes().to_vec()),
                Err(_) => named_portfolio(record.value.as_deref()),
            };
        }
        record.offset = self.next_offset(record.topic);
        if SOURCES.contains(&record.topic) {
            let origin = Origin { topic: record.topic, partition: 0, record: &record };
            if let Some(frame) = self.conflator.fold(self.clock, &origin, decoded) {
                self.post_frame(&frame);
            }
        } else {
            self.post(&record);
        }
    }

    fn post_frames(&mut self) {
        while let Some(frame) = self.conflator.frame() {
            self.post_frame(&frame);
        }
    }

    fn post_frame(&mut self, frame: &Frame) {
        let value = serde_json::to_vec(frame).expect("a frame is plain data");
        let offset = self.next_offset(Topic::Frames);
        self.conflator.observed(offset, frame).expect("one conflator alone always counts");
        let record = RawRecord {
            topic: Topic::Frames,
            partition: 0,
            offset,
            timestamp: frame.event_time,
            key: None,
            headers: Vec::new(),
            value: Some(value),
        };
        self.post(&record);
    }

    fn post(&mut self, record: &RawRecord) {
        self.keeper.post(record);
        self.rebalancer.post(record);
        self.tracker.post(record);
    }

    /// Hands what one role published to the role that reads it.
    fn forward(&mut self, published: &[Published]) {
        for record in published {
            let topic = record.output.topic();
            if matches!(record.output, Output::DeadLetter(_))
                || !matches!(topic, Topic::Drift | Topic::Refresh | Topic::Ledger | Topic::PortfolioCloses | Topic::Risk)
            {
                continue;
            }
            let offset = self.next_offset(topic);
            let key = record.output.portfolio_id().map(|id| id.as_str().as_bytes().to_vec());
            let mut value = Vec::new();
            self.codec.encode(&record.output, &mut value).expect("JSON holds every record");
            let raw = RawRecord { topic, partition: 0, offset, timestamp: record.time, key, headers: Vec::new(), value: Some(value) };
            self.post(&raw);
        }
    }

    fn next_offset(&mut self, topic: Topic) -> i64 {
        let next = self.offsets.entry(topic).or_default();
        *next += 1;
        *next - 1
    }
}

/// The portfolio that a record names although it cannot be read: a producer would have keyed it so.
fn named_portfolio(value: Option<&[u8]>) -> Option<Vec<u8>> {
    let json: serde_json::Value = serde_json::from_slice(value?).ok()?;
    Some(json.get("portfolio_id")?.as_str()?.as_bytes().to_vec())
}
