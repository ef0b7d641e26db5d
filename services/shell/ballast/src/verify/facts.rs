//! What the counting frames say: instruments, rates' pairs, and every price that a tick ever gave.
//! It follows the frames in the order of their log and keeps what was said when.

use super::actions::Announced;
use super::exact::{Exact, Published, magnitude, ratio, whole};
use super::history::History;
use super::lanes::Lanes;
use super::rates::pair_of;
use super::report::Check;
use super::seen::{KEEPER, Place};
use domain::dead_letter::DeadLetter;
use domain::enums::ActionKind;
use domain::frame::{Frame, FramePrice};
use domain::instrument::Instrument;
use domain::{InstrumentId, Price, Timestamp, Topic};
use std::collections::{BTreeMap, BTreeSet};

/// The counting frames, folded.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// Versions of each instrument by the offset of their frame.
    instruments: BTreeMap<InstrumentId, BTreeMap<i64, Instrument>>,
    /// First frame that prices each instrument or pair.
    priced: BTreeMap<InstrumentId, i64>,
    /// Every state of each instrument's prices, by the time of the price.
    quotes: BTreeMap<InstrumentId, BTreeMap<Timestamp, Vec<FramePrice>>>,
    /// Every state of what rates or accrued interest hang on, with the offset of its frame.
    states: BTreeMap<InstrumentId, Vec<(i64, FramePrice)>>,
    /// What the counting frames contain of each source, from and to: the chain leaves no gap.
    contained: BTreeMap<(Topic, i32), (i64, i64)>,
    /// Corporate actions.
    pub(super) actions: Announced,
    /// Records that the conflator refused, with the frame's offset.
    rejected: Vec<(i64, DeadLetter)>,
    /// Whether frames were deleted, and the time of the first one that is kept.
    cut: bool,
    since: Option<Timestamp>,
    /// Offset behind the last frame that counts.
    pub(super) end: i64,
}

impl Facts {
    /// Follows the chain of frames.
    pub(super) fn of(history: &History) -> Self {
        let mut facts = Self::default();
        let mut ends: BTreeMap<(Topic, i32), i64> = BTreeMap::new();
        let mut held: BTreeMap<InstrumentId, FramePrice> = BTreeMap::new();
        let first = first_known(history);
        facts.cut = first > 0;
        for seen in history.frames.iter().filter(|seen| seen.place.offset >= first) {
            let frame = &seen.record;
            if first > 0 {
                facts.since.get_or_insert(frame.event_time);
            }
            if !counts(&ends, frame) {
                continue;
            }
            for source in &frame.sources {
                ends.insert((source.topic, source.partition), source.to);
                facts.contained.entry((source.topic, source.partition)).or_insert((source.from, source.to)).1 = source.to;
            }
            facts.take(seen.place.offset, frame, &mut held);
        }
        facts
    }

    fn take(&mut self, offset: i64, frame: &Frame, held: &mut BTreeMap<InstrumentId, FramePrice>) {
        self.end = offset + 1;
        for instrument in &frame.instruments {
            self.instruments.entry(instrument.instrument_id.clone()).or_default().insert(offset, instrument.clone());
        }
        frame.actions.iter().for_each(|action| self.actions.take(offset, action));
        for price in &frame.prices {
            self.priced.entry(price.instrument_id.clone()).or_insert(offset);
            let state = held.entry(price.instrument_id.clone()).or_insert_with(|| price.clone());
            overlay(state, price);
            if state.accrued.is_some() || pair_of(&price.instrument_id).is_some() {
                self.states.entry(price.instrument_id.clone()).or_default().push((offset, state.clone()));
            }
            let quotes = self.quotes.entry(price.instrument_id.clone()).or_default();
            for time in times(state) {
                quotes.entry(time).or_default().push(state.clone());
            }
        }
        self.rejected.extend(frame.rejected.iter().map(|letter| (offset, letter.clone())));
    }

    /// The instrument as the frames before an offset describe it; `None` before the first.
    pub(super) fn instrument(&self, id: &InstrumentId, before: i64) -> Option<&Instrument> {
        self.instruments.get(id)?.range(..before).next_back().map(|(_, instrument)| instrument)
    }
    /// All that was said of an instrument, with the offset of each frame.
    pub(super) fn described(&self, id: &InstrumentId) -> Vec<(i64, &Instrument)> {
        self.instruments.get(id).into_iter().flatten().map(|(offset, instrument)| (*offset, instrument)).collect()
    }
    /// Every state of the pairs' prices, and of those that accrue, with the offset of its frame.
    pub(super) fn states(&self) -> impl Iterator<Item = (&InstrumentId, &Vec<(i64, FramePrice)>)> {
        self.states.iter()
    }
    /// Whether the frames that described an instrument may have been deleted.
    pub(super) fn is_forgotten(&self, id: &InstrumentId) -> bool {
        self.cut && !self.instruments.contains_key(id)
    }
    /// Whether frames were deleted: what earlier ones announced is not known.
    pub(super) fn is_cut(&self) -> bool {
        self.cut
    }
    /// Whether a split of an instrument was announced: units and prices from before it count otherwise after it.
    pub(super) fn is_split(&self, id: &InstrumentId) -> bool {
        self.actions.are_any(id, ActionKind::Split)
    }
    /// Whether an action of that id was announced as a dividend.
    pub(super) fn is_dividend(&self, action: &str) -> bool {
        self.actions.all(action).any(|action| action.kind == ActionKind::CashDividend)
    }
    /// Whether an instrument was traded at one venue, in one size of lot, as far as frames tell.
    pub(super) fn keeps_its_lots(&self, id: &InstrumentId) -> bool {
        let versions = self.instruments.get(id).into_iter().flat_map(BTreeMap::values);
        versions.map(|i| (i.lot_size, i.venue.clone())).collect::<BTreeSet<_>>().len() <= 1
    }
    /// Whether the tick that gave a price may stand in part or whole in frames that were deleted.
    pub(super) fn may_be_gone(&self, id: &InstrumentId, time: Timestamp) -> bool {
        let states = self.quotes.get(id).and_then(|quotes| quotes.get(&time));
        let half = |states: &Vec<FramePrice>| states.iter().any(|state| state.bid.is_none() || state.ask.is_none());
        self.cut && (self.since.is_none_or(|since| time <= since) || states.is_none_or(half))
    }
    /// Whether what matters to a book never changed: kind, currency, base asset, multiplier.
    pub(super) fn is_constant(&self, id: &InstrumentId) -> bool {
        let kind = |i: &Instrument| (i.kind, i.currency, i.base_asset, i.multiplier);
        let versions = self.instruments.get(id);
        versions.is_none_or(|versions| versions.values().map(kind).collect::<BTreeSet<_>>().len() <= 1)
    }
    /// Whether a tick gave this price at this time: as mark, middle, last, bid or ask.
    pub(super) fn was_quoted(&self, id: &InstrumentId, price: Price, time: Timestamp) -> bool {
        let states = self.quotes.get(id).and_then(|quotes| quotes.get(&time));
        states.is_some_and(|states| states.iter().any(|state| candidates(state).iter().any(|quote| close_to(quote, price))))
    }
    /// First offset of a source that no counting frame contains.
    pub(super) fn contained_to(&self, topic: Topic, partition: i32) -> i64 {
        self.contained.get(&(topic, partition)).map_or(0, |(_, to)| *to)
    }
    /// First offset of a source that a counting frame contains.
    pub(super) fn contained_from(&self, topic: Topic, partition: i32) -> i64 {
        self.contained.get(&(topic, partition)).map_or(0, |(from, _)| *from)
    }
    /// Whether any counting frame says something of an instrument that a tick or reference data named.
    fn names(&self, topic: Topic, id: &InstrumentId) -> bool {
        if topic == Topic::Ticks { self.priced.contains_key(id) } else { self.instruments.contains_key(id) }
    }
}

/// Offset of the first frame to follow. Where earlier ones were deleted, that is one which a later writer has read
/// back as counting.
fn first_known(history: &History) -> i64 {
    let start = history.start(Topic::Frames, 0);
    if start == 0 {
        return 0;
    }
    let anchors: BTreeSet<i64> = history.frames.iter().map(|seen| seen.record.anchor).collect();
    let known = history.frames.iter().map(|seen| seen.place.offset).find(|offset| anchors.contains(offset));
    known.unwrap_or(start).max(1)
}

/// A frame counts where the last one that counted ended, for every source known.
fn counts(ends: &BTreeMap<(Topic, i32), i64>, frame: &Frame) -> bool {
    let named: BTreeMap<(Topic, i32), (i64, i64)> = frame.sources.iter().map(|s| ((s.topic, s.partition), (s.from, s.to))).collect();
    let sorted = frame.sources.windows(2).all(|pair| (pair[0].topic, pair[0].partition) < (pair[1].topic, pair[1].partition));
    let forward = frame.sources.iter().all(|s| s.partition >= 0 && s.from >= 0 && s.to >= s.from);
    let continues = ends.iter().all(|(source, end)| named.get(source).is_some_and(|(from, _)| from == end));
    !named.is_empty() && sorted && forward && continues
}

/// The fields that a newer price gives replace the held ones; a late one replaces nothing.
fn overlay(held: &mut FramePrice, newer: &FramePrice) {
    let late = match (held.sequence, newer.sequence) {
        (Some(before), Some(now)) => now < before,
        _ => newer.event_time < held.event_time,
    };
    if late {
        return;
    }
    let made = |own: Option<Timestamp>, of: &FramePrice| Some(own.unwrap_or(of.event_time));
    let newest = |given: bool, new: Option<Timestamp>, old: Option<Timestamp>| if given { made(new, newer) } else { made(old, held) };
    let mut next = newer.clone();
    next.bid_time = newest(newer.bid.is_some(), newer.bid_time, held.bid_time);
    next.ask_time = newest(newer.ask.is_some(), newer.ask_time, held.ask_time);
    next.last_time = newest(newer.last.is_some(), newer.last_time, held.last_time);
    next.mark_time = newest(newer.mark.is_some(), newer.mark_time, held.mark_time);
    next.event_time = newer.event_time.max(held.event_time);
    next.sequence = newer.sequence.or(held.sequence);
    next.bid = newer.bid.or(held.bid);
    next.ask = newer.ask.or(held.ask);
    next.last = newer.last.or(held.last);
    next.mark = newer.mark.or(held.mark);
    next.accrued = newer.accrued.or(held.accrued);
    *held = next;
}

/// The times at which a price of this state may have been made: of all of it, and of each field.
fn times(state: &FramePrice) -> BTreeSet<Timestamp> {
    let own = [state.bid_time, state.ask_time, state.last_time, state.mark_time];
    own.into_iter().flatten().chain([state.event_time]).collect()
}

fn candidates(state: &FramePrice) -> Vec<Exact> {
    let mut found: Vec<Exact> = [state.mark, state.last, state.bid, state.ask].iter().flatten().map(|price| price.exact()).collect();
    if let (Some(bid), Some(ask)) = (state.bid, state.ask) {
        found.push((bid.exact() + ask.exact()) / whole(2));
    }
    found
}

fn close_to(quote: &Exact, price: Price) -> bool {
    magnitude(&(quote - price.exact())) <= ratio(1, 10)
}

/// Topics that the conflator reads.
pub(super) const BROADCAST: [Topic; 5] = [Topic::Ticks, Topic::Instruments, Topic::CorporateActions, Topic::MarketStatus, Topic::Closes];

/// I10 for broadcast inputs: what the counting frames contain they tell of, or refuse.
pub(super) fn conflated(history: &History, facts: &Facts, lanes: &Lanes) -> Check {
    let mut check = Check::new("I10", "the counting frames tell of each broadcast input, or refuse it; refused ones are dead-lettered");
    let refused: BTreeSet<(Topic, i32, i64)> = facts.rejected.iter().map(|(_, l)| (l.topic, l.partition, l.offset)).collect();
    let buried: BTreeSet<(Topic, i32, i64)> =
        history.letters.iter().map(|l| (l.record.topic, l.record.partition, l.record.offset)).collect();
    for ((topic, partition), log) in history.log.iter().filter(|((topic, _), _)| BROADCAST.contains(topic)) {
        let span = facts.contained_from(*topic, *partition)..facts.contained_to(*topic, *partition);
        for (offset, logged) in log.iter().filter(|(offset, _)| span.contains(offset)) {
            let place = Place { topic: *topic, partition: *partition, offset: *offset, dead: false };
            if let Some(id) = logged.instrument.as_ref().filter(|_| !refused.contains(&(*topic, *partition, *offset))) {
                // A late tick tells nothing new of what frames that are gone may have named.
                check.that(facts.cut || facts.names(*topic, id), || format!("{place}: of {id}, and no counting frame names {id}"));
            }
            if let Some(why) = &logged.fault {
                check.that(refused.contains(&(*topic, *partition, *offset)), || {
                    format!("{place}: unreadable ({why}) and not refused by the conflator")
                });
            }
        }
    }
    // The first lane writes their dead letters.
    let read = lanes.end(KEEPER, 0, Topic::Frames, 0);
    for (frame, letter) in facts.rejected.iter().filter(|(frame, _)| *frame < read) {
        let gone = history.letter_may_be_gone(letter.topic, letter.partition, letter.offset);
        check.that(gone || buried.contains(&(letter.topic, letter.partition, letter.offset)), || {
            format!("{}/{}@{}: refused in frame {frame}, not dead-lettered", letter.topic, letter.partition, letter.offset)
        });
    }
    check
}
