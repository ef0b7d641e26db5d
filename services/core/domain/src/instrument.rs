//! `reference.instruments.v1`: the facts of one instrument.

use crate::enums::{InstrumentType, PriceSource};
use crate::{Bps, Currency, InstrumentId, Price, Quantity, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

fn one() -> Quantity {
    Quantity::ONE
}

fn auto() -> PriceSource {
    PriceSource::Auto
}

/// Reference data of one instrument.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instrument {
    /// Its id; also the record's key.
    pub instrument_id: InstrumentId,
    /// Ticker shown to people; null shows the id.
    #[serde(default)]
    pub symbol: Option<SmolStr>,
    /// Full name.
    #[serde(default)]
    pub name: Option<SmolStr>,
    /// Sector; null groups under none.
    #[serde(default)]
    pub sector: Option<SmolStr>,
    /// Kind.
    #[serde(rename = "type")]
    pub kind: InstrumentType,
    /// Currency of its price.
    pub currency: Currency,
    /// The asset that a spot pair delivers.
    #[serde(default)]
    pub base_asset: Option<Currency>,
    /// Units of value for one of price; positive.
    #[serde(default = "one")]
    pub multiplier: Quantity,
    /// Smallest tradable step; positive.
    #[serde(default = "one")]
    pub lot_size: Quantity,
    /// Smallest step of a limit price; null leaves it as computed.
    #[serde(default)]
    pub tick_size: Option<Price>,
    /// Market identifier code of its venue.
    #[serde(default)]
    pub venue: Option<SmolStr>,
    /// Name of its trading calendar: where its venue never reports, its market is closed outside its sessions.
    #[serde(default)]
    pub calendar: Option<SmolStr>,
    /// Units traded on an average day.
    #[serde(default)]
    pub average_daily_volume: Option<Quantity>,
    /// Where its mark comes from.
    #[serde(default = "auto")]
    pub price_source: PriceSource,
    /// Oldest usable price in seconds; null takes the policy's.
    #[serde(default)]
    pub max_price_age_seconds: Option<i64>,
    /// A move beyond this many basis points is held back; null lets all pass.
    #[serde(default)]
    pub max_jump_bp: Option<Bps>,
    /// From when these facts hold.
    #[serde(default)]
    pub valid_from: Option<Timestamp>,
}
