//! `ballast.frames.v1`: market and reference data conflated over an instant, for every lane alike.
//! A frame counts only where the last one that counted ended; see the conflator.

use crate::close::Close;
use crate::corporate_action::CorporateAction;
use crate::dead_letter::DeadLetter;
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
}

impl FramePrice {
    /// Whether it is older than what is held: a lower sequence where both have one, else an earlier event time.
    pub fn is_late(&self, held_sequence: Option<i64>, held_time: Timestamp) -> bool {
        match (held_sequence, self.sequence) {
            (Some(held), Some(new)) => new < held,
            _ => self.event_time < held_time,
        }
    }
    /// Takes the fields that `newer` gives. Returns false, and takes nothing, when it is late.
    pub fn merge(&mut self, newer: &FramePrice) -> bool {
        if newer.is_late(self.sequence, self.event_time) {
            return false;
        }
        let take = |held: &mut Option<Price>, new: Option<Price>| *held = new.or(*held);
        take(&mut self.bid, newer.bid);
        take(&mut self.ask, newer.ask);
        take(&mut self.last, newer.last);
        take(&mut self.mark, newer.mark);
        take(&mut self.accrued, newer.accrued);
        self.volume = newer.volume.or(self.volume);
        if newer.venue.is_some() {
            self.venue.clone_from(&newer.venue);
        }
        self.sequence = newer.sequence.or(self.sequence);
        self.event_time = newer.event_time.max(self.event_time);
        true
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
