//! `marketdata.closes.v1`: official daily closes.

use crate::{Currency, Date, InstrumentId, Price};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// The official close of one instrument on one day. History may be backfilled; a later record amends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Close {
    /// Instrument.
    pub instrument_id: InstrumentId,
    /// Its venue's day.
    pub date: Date,
    /// Price per unit in `currency`.
    pub close: Price,
    /// Currency of the price.
    pub currency: Currency,
    /// Who says so.
    pub source: SmolStr,
}
