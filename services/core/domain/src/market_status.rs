//! `marketdata.status.v1`: whether a venue or an instrument trades.

use crate::enums::MarketState;
use crate::{InstrumentId, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// The state of one venue, or of one instrument where that is given; exactly one of the two is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarketStatus {
    /// Market identifier code; the record's key when no instrument is given.
    #[serde(default)]
    pub venue: Option<SmolStr>,
    /// Instrument; the record's key when given.
    #[serde(default)]
    pub instrument_id: Option<InstrumentId>,
    /// Its state.
    pub status: MarketState,
    /// From when; at most 366 days ahead. A report replaces an earlier one of the same moment and no other;
    /// a HALTED withdraws what was announced before it, except closes.
    pub effective_at: Timestamp,
}
