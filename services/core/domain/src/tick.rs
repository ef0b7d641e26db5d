//! `marketdata.ticks.v1`: prices of one instrument or one currency pair at one moment.
//! A tick replaces only the fields that it gives.

use crate::{InstrumentId, Price, Quantity, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// A price update. `AAA/BBB` as an instrument quotes BBB per AAA.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tick {
    /// Instrument or currency pair; also the record's key.
    pub instrument_id: InstrumentId,
    /// Best bid.
    #[serde(default)]
    pub bid: Option<Price>,
    /// Best ask.
    #[serde(default)]
    pub ask: Option<Price>,
    /// Last trade.
    #[serde(default)]
    pub last: Option<Price>,
    /// Mark set by the venue or a valuation service.
    #[serde(default)]
    pub mark: Option<Price>,
    /// Accrued interest per unit (bonds, whose marks are clean).
    #[serde(default)]
    pub accrued: Option<Price>,
    /// Volume of the day.
    #[serde(default)]
    pub volume: Option<Quantity>,
    /// Market identifier code.
    #[serde(default)]
    pub venue: Option<SmolStr>,
    /// When the price was made.
    pub event_time: Timestamp,
    /// The sender's rising number; lower ones of the same instrument are late.
    #[serde(default)]
    pub sequence: Option<i64>,
}
