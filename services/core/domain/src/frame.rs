//! `ballast.frames.v1`: market and reference data conflated over an instant, for every lane alike.
//! A frame counts only where the last one that counted ended; see the conflator.

use crate::close::Close;
use crate::corporate_action::CorporateAction;
use crate::dead_letter::DeadLetter;
use crate::enums::PriceSource;
use crate::instrument::Instrument;
use crate::market_status::MarketStatus;
use crate::{InstrumentId, Price, Quantity, SmolStr, Timestamp, Topic};
use serde::{Deserialize, Serialize};

/// A contiguous range of one source that a frame contains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameSource {
    /// Topic.
    pub topic: Topic,
    /// Partition.
    pub partition: i32,
    /// First offset contained.
    pub from: i64,
    /// First offset not contained.
    pub to: i64,
}

/// The price fields of one instrument that the ticks of this frame gave; a null one keeps its last value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FramePrice {
    /// Instrument or currency pair.
    pub instrument_id: InstrumentId,
    /// Best bid.
    pub bid: Option<Price>,
    /// Best ask.
    pub ask: Option<Price>,
    /// Last trade.
    pub last: Option<Price>,
    /// Mark.
    pub mark: Option<Price>,
    /// Accrued interest per unit.
    pub accrued: Option<Price>,
    /// Volume of the day.
    pub volume: Option<Quantity>,
    /// Venue of the newest tick.
    pub venue: Option<SmolStr>,
    /// When the newest of these was made.
    pub event_time: Timestamp,
    /// The sender's rising number, where it gives one.
    pub sequence: Option<i64>,
    /// When the bid was made; null where that is the event time.
    pub bid_time: Option<Timestamp>,
    /// When the ask was made; null where that is the event time.
    pub ask_time: Option<Timestamp>,
    /// When the last was made; null where that is the event time.
    pub last_time: Option<Timestamp>,
    /// When the mark was made; null where that is the event time.
    pub mark_time: Option<Timestamp>,
}

impl FramePrice {
    /// A price of which nothing is given yet.
    pub const fn empty(instrument_id: InstrumentId, event_time: Timestamp) -> Self {
        Self {
            instrument_id,
            bid: None,
            ask: None,
            last: None,
            mark: None,
            accrued: None,
            volume: None,
            venue: None,
            event_time,
            sequence: None,
            bid_time: None,
            ask_time: None,
            last_time: None,
            mark_time: None,
        }
    }
    /// The bid and when it was made.
    pub fn bid_at(&self) -> Option<(Price, Timestamp)> {
        self.bid.map(|price| (price, self.bid_time.unwrap_or(self.event_time)))
    }
    /// The ask and when it was made.
    pub fn ask_at(&self) -> Option<(Price, Timestamp)> {
        self.ask.map(|price| (price, self.ask_time.unwrap_or(self.event_time)))
    }
    /// The last and when it was made.
    pub fn last_at(&self) -> Option<(Price, Timestamp)> {
        self.last.map(|price| (price, self.last_time.unwrap_or(self.event_time)))
    }
    /// The mark and when it was made.
    pub fn mark_at(&self) -> Option<(Price, Timestamp)> {
        self.mark.map(|price| (price, self.mark_time.unwrap_or(self.event_time)))
    }
    /// When the oldest of the prices that it gives was made; the event time where it gives none.
    pub fn oldest(&self) -> Timestamp {
        let made = [self.bid_at(), self.ask_at(), self.last_at(), self.mark_at()].into_iter().flatten().map(|(_, made)| made);
        made.min().unwrap_or(self.event_time).min(self.event_time)
    }
    fn fields(&mut self) -> [(&mut Option<Price>, &mut Option<Timestamp>); 4] {
        [
            (&mut self.bid, &mut self.bid_time),
            (&mut self.ask, &mut self.ask_time),
            (&mut self.last, &mut self.last_time),
            (&mut self.mark, &mut self.mark_time),
        ]
    }
    /// Moves the event time forward; when each field was made stays as it is.
    pub fn raise_to(&mut self, time: Timestamp) {
        let before = self.event_time;
        if time <= before {
            return;
        }
        for (_, made) in self.fields().into_iter().filter(|(price, _)| price.is_some()) {
            *made = Some(made.unwrap_or(before)).filter(|made| *made != time);
        }
        self.event_time = time;
    }
    /// Whether it is older than what is held: a lower sequence where both have one, else an earlier event time.
    pub fn is_late(&self, held_sequence: Option<i64>, held_time: Timestamp) -> bool {
        is_late((self.sequence, self.event_time), (held_sequence, held_time))
    }
    /// Takes the fields that `newer` gives. Returns false, and takes nothing, when it is late.
    pub fn merge(&mut self, newer: &FramePrice) -> bool {
        if newer.is_late(self.sequence, self.event_time) {
            return false;
        }
        self.raise_to(newer.event_time);
        let time = self.event_time;
        let given = [newer.bid_at(), newer.ask_at(), newer.last_at(), newer.mark_at()];
        for ((price, made), given) in self.fields().into_iter().zip(given) {
            if let Some((new, new_made)) = given {
                (*price, *made) = (Some(new), Some(new_made).filter(|made| *made != time));
            }
        }
        self.accrued = newer.accrued.or(self.accrued);
        self.volume = newer.volume.or(self.volume);
        if newer.venue.is_some() {
            self.venue.clone_from(&newer.venue);
        }
        self.sequence = newer.sequence.or(self.sequence);
        true
    }
}

/// The field or fields of a quote that a price came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PriceOrigin {
    /// The mark.
    Mark,
    /// Bid and ask.
    Mid,
    /// The last.
    Last,
    /// The bid.
    Bid,
    /// The ask.
    Ask,
}

impl PriceOrigin {
    /// Whether an update gives one of these fields.
    pub fn given_by(self, update: &FramePrice) -> bool {
        match self {
            Self::Mark => update.mark.is_some(),
            Self::Mid => update.bid.is_some() || update.ask.is_some(),
            Self::Last => update.last.is_some(),
            Self::Bid => update.bid.is_some(),
            Self::Ask => update.ask.is_some(),
        }
    }
}

/// What a source takes its price from: one field as it was quoted, or two of which it is the middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sourced {
    /// The field, of a middle the bid.
    pub one: (Price, Timestamp),
    /// Of a middle the ask.
    pub other: Option<(Price, Timestamp)>,
    /// Which fields these are.
    pub origin: PriceOrigin,
}

impl FramePrice {
    /// What `source` takes from a quote, where it is there. AUTO is the mark, else the middle of bid and ask, else the
    /// last; every other source is itself only.
    pub fn sourced(&self, source: PriceSource) -> Option<Sourced> {
        let one = |field: Option<(Price, Timestamp)>, origin| field.map(|one| Sourced { one, other: None, origin });
        let mark = || one(self.mark_at(), PriceOrigin::Mark);
        let last = || one(self.last_at(), PriceOrigin::Last);
        let mid = || Some(Sourced { one: self.bid_at()?, other: Some(self.ask_at()?), origin: PriceOrigin::Mid });
        match source {
            PriceSource::Auto | PriceSource::Unknown => mark().or_else(mid).or_else(last),
            PriceSource::Mark => mark(),
            PriceSource::Mid => mid(),
            PriceSource::Last => last(),
            PriceSource::Bid => one(self.bid_at(), PriceOrigin::Bid),
            PriceSource::Ask => one(self.ask_at(), PriceOrigin::Ask),
        }
    }
}

/// Whether a sequence and an event time are older than those that are held: a lower sequence where both have one, else an
/// earlier event time.
pub fn is_late(new: (Option<i64>, Timestamp), held: (Option<i64>, Timestamp)) -> bool {
    match (held.0, new.0) {
        (Some(held), Some(new)) => new < held,
        _ => new.1 < held.1,
    }
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Frame {
    /// Every source of the conflator with the range contained, empty ranges too, by topic and partition.
    pub sources: Vec<FrameSource>,
    /// Offset of the newest frame that its writer read back as counting; -1 before the first.
    pub anchor: i64,
    /// Greatest event time of the records contained.
    pub event_time: Timestamp,
    /// Prices that changed.
    pub prices: Vec<FramePrice>,
    /// Instruments that changed.
    pub instruments: Vec<Instrument>,
    /// Corporate actions that changed.
    pub actions: Vec<CorporateAction>,
    /// Statuses that changed.
    pub statuses: Vec<MarketStatus>,
    /// Official closes that changed.
    pub closes: Vec<Close>,
    /// What could not be read; the position-keeper of lane 0 dead-letters it.
    pub rejected: Vec<DeadLetter>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds)
    }
    fn tick(time: i64, bid: Option<i128>, last: Option<i128>) -> FramePrice {
        let price = |units: Option<i128>| units.map(Price::from_units);
        FramePrice { bid: price(bid), last: price(last), ..FramePrice::empty(InstrumentId::new("A").expect("an id"), at(time)) }
    }

    #[test]
    fn each_field_keeps_the_time_of_its_tick() {
        let mut held = tick(1, Some(10), Some(11));
        assert!(held.merge(&tick(2, None, Some(12))));
        assert_eq!((held.bid_at(), held.last_at()), (Some((Price::from_units(10), at(1))), Some((Price::from_units(12), at(2)))));
        assert_eq!((held.bid_time, held.last_time, held.ask_time), (Some(at(1)), None, None));
        assert!(held.merge(&tick(3, None, None)));
        assert_eq!((held.last_time, held.event_time), (Some(at(2)), at(3)), "who gives no price renews none");
        assert!(!held.merge(&tick(2, Some(1), None)), "late");
        let mut numbered = FramePrice { sequence: Some(1), ..tick(9, Some(10), None) };
        assert!(numbered.merge(&FramePrice { sequence: Some(2), ..tick(4, Some(20), None) }));
        assert_eq!((numbered.bid_time, numbered.event_time), (Some(at(4)), at(9)));
    }
}
