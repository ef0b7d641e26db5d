//! The machine: records in, frames out, and the reading back of what counted.

use crate::newest::Newest;
use crate::prices::{Prices, Taken};
use crate::tail::Tail;
use crate::{check, weight};
use domain::close::Close;
use domain::corporate_action::CorporateAction;
use domain::dead_letter::DeadLetter;
use domain::frame::{Frame, FrameSource};
use domain::instrument::Instrument;
use domain::market_status::MarketStatus;
use domain::reason::DeadLetterCode;
use domain::tick::Tick;
use domain::{Date, Input, InstrumentId, SmolStr, Timestamp, Topic};
use engine::frames::FrameChain;
use engine::{Origin, Refusal};
use std::collections::{BTreeMap, VecDeque};

/// The topics that it reads, every partition of each.
pub const SOURCES: [Topic; 5] = [Topic::Ticks, Topic::Instruments, Topic::CorporateActions, Topic::MarketStatus, Topic::Closes];

/// What a conflator may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes at which a frame is full; one more record may pass it. At most 4 MiB.
    pub frame_bytes: usize,
    /// Frames made and not yet read back; further ones wait, but for those that keep the prices of two minutes apart.
    pub in_flight: usize,
    /// Instruments of which it remembers how new the newest tick was, 100–150 bytes each.
    pub known_instruments: usize,
    /// Seconds that a tick may lie in the future.
    pub future_tick_seconds: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { frame_bytes: 4 * 1024 * 1024, in_flight: 256, known_instruments: 1_000_000, future_tick_seconds: 60 }
    }
}

/// What it did since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Ticks read.
    pub ticks: u64,
    /// Of these, merged into a price that its frame had already.
    pub conflated: u64,
    /// Of these, older than what their instrument had.
    pub late: u64,
    /// Of these, with a field that is not above zero.
    pub not_above_zero: u64,
    /// Other records taken.
    pub reference: u64,
    /// Records refused.
    pub rejected: u64,
    /// Records of offsets that it had read before.
    pub repeated: u64,
    /// Frames made.
    pub frames: u64,
}

/// What a frame that was read back means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observed {
    /// It counts.
    Counted,
    /// It does not, and is not ours: left over from an earlier writer.
    Stray,
}

/// This conflator's frames do not count any more: it must be thrown away. Nothing is lost, for its
/// successor goes on where the last counting frame ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Ended {
    /// Another conflator's frame counts.
    #[error("frame {offset} of another conflator counts: this one was overtaken; let go, or resume if no other is meant to run")]
    Overtaken {
        /// The other's frame.
        offset: i64,
    },
    /// A frame of ours never arrived, so that a later one does not count.
    #[error("frame {offset} does not count because one before it was not delivered: resume")]
    Undelivered {
        /// The frame that does not count.
        offset: i64,
    },
}

#[derive(Debug, Clone, Copy)]
struct Reach {
    from: i64,
    to: i64,
}

/// A conflator. See the crate's documentation for how it is run.
#[derive(Debug)]
pub struct Conflator {
    limits: Limits,
    chain: FrameChain,
    sources: BTreeMap<(Topic, i32), Reach>,
    in_flight: VecDeque<Vec<FrameSource>>,
    prices: Prices,
    instruments: Newest<InstrumentId, Instrument>,
    actions: Newest<SmolStr, CorporateAction>,
    /// In order, none left out: what a status means may depend on the one before it.
    statuses: Vec<MarketStatus>,
    closes: Newest<(InstrumentId, Date), Close>,
    rejected: Vec<DeadLetter>,
    event_time: Option<Timestamp>,
    last_event_time: Timestamp,
    bytes: usize,
    counters: Counters,
    /// The instrument of the newest tick that gave a field not above zero.
    not_above_zero: Option<InstrumentId>,
}

impl Conflator {
    /// A conflator that goes on behind the tail of the frames.
    pub fn resume(tail: Tail, limits: Limits) -> Self {
        let sources = tail.chain.ends().iter().map(|(place, end)| (*place, Reach { from: *end, to: *end })).collect();
        Self {
            limits,
            chain: tail.chain,
            sources,
            in_flight: VecDeque::new(),
            prices: tail.prices,
            instruments: Newest::default(),
            actions: Newest::default(),
            statuses: Vec::new(),
            closes: Newest::default(),
            rejected: Vec::new(),
            event_time: None,
            last_event_time: tail.event_time,
            bytes: 0,
            counters: Counters::default(),
            not_above_zero: None,
        }
    }

    /// Names a partition that is read, and says where to read on: behind the last frame, or where its
    /// log starts, if that is later.
    pub fn start(&mut self, topic: Topic, partition: i32, log_start: i64) -> i64 {
        let reach = self.sources.entry((topic, partition)).or_insert(Reach { from: log_start, to: log_start });
        reach.to.max(log_start)
    }

    /// Next offset of a source; `None` for one that was never started.
    pub fn position(&self, topic: Topic, partition: i32) -> Option<i64> {
        self.sources.get(&(topic, partition)).map(|reach| reach.to)
    }

    /// What it did since it was made.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The instrument of the newest tick that gave a field not above zero.
    pub fn last_not_above_zero(&self) -> Option<&InstrumentId> {
        self.not_above_zero.as_ref()
    }

    /// Frames made and not yet read back.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Whether a frame must be cut before anything more is folded.
    pub fn full(&self) -> bool {
        self.bytes + weight::sources(self.sources.len()) >= self.limits.frame_bytes
    }

    /// Whether anything changed since the last frame.
    pub fn changed(&self) -> bool {
        !(self.prices.is_empty()
            && self.instruments.is_empty()
            && self.actions.is_empty()
            && self.statuses.is_empty()
            && self.closes.is_empty()
            && self.rejected.is_empty())
    }

    /// Takes a record in, or why its bytes are none. `now` is the clock: in event time the record's own
    /// time, so that only a tick beyond its own record lies in the future. A frame that comes back is of what was taken in
    /// before, and must be published: it is full, or has a price of the same instrument of another minute. Days are
    /// cut on the minute: no frame may hide at which price one has ended, however much is read at once.
    #[must_use]
    pub fn fold(&mut self, now: Timestamp, origin: &Origin<'_>, decoded: Result<Input, Refusal>) -> Option<Frame> {
        let key = origin.record.key();
        if let (Ok(Input::Tick(tick)), Topic::Ticks) = (&decoded, origin.topic) {
            return self.fold_tick(now, origin, tick);
        }
        let full = if self.full() { self.frame() } else { None };
        if self.has_read(origin) {
            return full;
        }
        self.pass(origin);
        match decoded {
            Ok(Input::Instrument(record)) if origin.topic == Topic::Instruments => {
                let id = record.instrument_id.clone();
                let checked = check::instrument(&record, key).map(|()| weight::instrument(&record));
                self.keep(now, origin, checked, |frame| frame.instruments.put(id, *record));
            }
            Ok(Input::CorporateAction(record)) if origin.topic == Topic::CorporateActions => {
                let checked = check::action(&record, key, now).map(|()| weight::action(&record));
                self.keep(now, origin, checked, |frame| frame.actions.put(record.action_id.clone(), *record));
            }
            Ok(Input::MarketStatus(record)) if origin.topic == Topic::MarketStatus => {
                let checked = check::status(&record, key, now).map(|()| weight::status(&record));
                self.keep(now, origin, checked, |frame| frame.statuses.push(*record));
            }
            Ok(Input::Close(record)) if origin.topic == Topic::Closes => {
                let checked = check::close(&record).map(|()| weight::close(&record));
                self.keep(now, origin, checked, |frame| frame.closes.put((record.instrument_id.clone(), record.date), *record));
            }
            Ok(_) => self
                .reject(origin, Refusal::new(DeadLetterCode::InvalidRecord, format!("no record of this kind belongs in {}", origin.topic))),
            Err(refusal) => self.reject(origin, refusal),
        }
        full
    }

    /// Takes a tick in, without allocating for an instrument that it knows.
    fn fold_tick(&mut self, now: Timestamp, origin: &Origin<'_>, tick: &Tick) -> Option<Frame> {
        if self.has_read(origin) {
            return None;
        }
        let checked = check::tick(tick, origin.record.key(), now, self.limits.future_tick_seconds);
        let frame = match &checked {
            // However many are in flight: what these two prices say stands in no other frame.
            Ok(()) if self.prices.is_of_another_minute(tick) => Some(self.cut()),
            _ if self.full() => self.frame(),
            _ => None,
        };
        self.pass(origin);
        self.counters.ticks += 1;
        if let Err(refusal) = checked {
            self.reject(origin, refusal);
            return frame;
        }
        self.date(now, origin);
        if check::gives_not_above_zero(tick) {
            self.counters.not_above_zero += 1;
            self.not_above_zero = Some(tick.instrument_id.clone());
        }
        match self.prices.take(tick) {
            Taken::First => self.bytes += self.prices.newest().map_or(0, weight::price),
            Taken::Conflated => {
                self.counters.conflated += 1;
                // The venue may have changed: counting it each time only cuts a frame early.
                self.bytes += tick.venue.as_ref().map_or(0, |venue| venue.len());
            }
            Taken::Late => self.counters.late += 1,
        }
        frame
    }

    /// Passes over offsets that hold no record (control records, compacted ones), up to `to`.
    pub fn advance(&mut self, topic: Topic, partition: i32, to: i64) {
        if let Some(reach) = self.sources.get_mut(&(topic, partition)) {
            reach.to = reach.to.max(to);
        }
    }

    /// The frame of all that changed since the last one; `None` when nothing did, or when too many
    /// frames have not been read back. It takes for granted that the frame will be published.
    pub fn frame(&mut self) -> Option<Frame> {
        (self.changed() && self.in_flight.len() < self.limits.in_flight).then(|| self.cut())
    }

    /// A frame whether or not anything changed: keeps the sources' positions within the topic's retention.
    pub fn heartbeat(&mut self) -> Frame {
        self.cut()
    }

    /// Reads back a frame of its own topic: every one, by offset, ours and others'.
    pub fn observed(&mut self, offset: i64, frame: &Frame) -> Result<Observed, Ended> {
        if self.chain.last().is_some_and(|last| offset <= last) {
            return Ok(Observed::Stray);
        }
        let counts = self.chain.admit(offset, frame);
        let expected = self.in_flight.front() == Some(&frame.sources);
        let moves = frame.sources.iter().any(|source| source.from < source.to);
        match (counts, expected) {
            (true, true) => self.in_flight.pop_front(),
            // Another's sign of life moves nothing and takes nothing from us.
            (true, false) if !moves => None,
            (true, false) => return Err(Ended::Overtaken { offset }),
            (false, _) if self.in_flight.contains(&frame.sources) => return Err(Ended::Undelivered { offset }),
            (false, _) => return Ok(Observed::Stray),
        };
        Ok(Observed::Counted)
    }

    fn cut(&mut self) -> Frame {
        let sources = self.sources.iter_mut().map(|((topic, partition), reach)| {
            let source = FrameSource { topic: *topic, partition: *partition, from: reach.from, to: reach.to };
            reach.from = reach.to;
            source
        });
        let sources: Vec<_> = sources.collect();
        self.last_event_time = self.event_time.take().unwrap_or(self.last_event_time);
        self.in_flight.push_back(sources.clone());
        self.counters.frames += 1;
        self.bytes = 0;
        Frame {
            sources,
            anchor: self.chain.last().unwrap_or(-1),
            event_time: self.last_event_time,
            prices: self.prices.cut(self.limits.known_instruments),
            instruments: self.instruments.take(),
            actions: self.actions.take(),
            statuses: std::mem::take(&mut self.statuses),
            closes: self.closes.take(),
            rejected: std::mem::take(&mut self.rejected),
        }
    }

    /// Whether a record was read before; it is then counted.
    fn has_read(&mut self, origin: &Origin<'_>) -> bool {
        let repeated = self.sources.get(&(origin.topic, origin.partition)).is_some_and(|reach| origin.offset() < reach.to);
        self.counters.repeated += u64::from(repeated);
        repeated
    }

    /// Moves the source behind a record.
    fn pass(&mut self, origin: &Origin<'_>) {
        let offset = origin.offset();
        let reach = self.sources.entry((origin.topic, origin.partition)).or_insert(Reach { from: offset, to: offset });
        reach.to = offset + 1;
    }

    /// A refused record does not move the event time: its own may be as wrong as the rest of it. Nor does a header that
    /// runs ahead move it further than a tick may: days end by it.
    fn date(&mut self, now: Timestamp, origin: &Origin<'_>) {
        let latest = now.plus_seconds(self.limits.future_tick_seconds);
        self.event_time = self.event_time.max(Some(origin.timestamp().min(latest)));
    }

    fn keep(&mut self, now: Timestamp, origin: &Origin<'_>, checked: Result<usize, Refusal>, put: impl FnOnce(&mut Self)) {
        match checked {
            Ok(bytes) => {
                self.bytes += bytes;
                self.counters.reference += 1;
                self.date(now, origin);
                put(self);
            }
            Err(refusal) => self.reject(origin, refusal),
        }
    }

    fn reject(&mut self, origin: &Origin<'_>, refusal: Refusal) {
        // An original of at most its topic's size, and a full frame, stay below the 8 MiB of a frame's topic.
        let (raw, refusal) = origin.to_raw().carried(refusal);
        let letter = DeadLetter {
            topic: raw.topic,
            partition: raw.partition,
            offset: raw.offset,
            code: refusal.code,
            text: refusal.text,
            portfolio_id: None,
            timestamp: raw.timestamp,
            key: raw.key,
            headers: raw.headers,
            value: raw.value,
        };
        self.counters.rejected += 1;
        self.bytes += weight::rejected(&letter);
        self.rejected.push(letter);
    }
}
