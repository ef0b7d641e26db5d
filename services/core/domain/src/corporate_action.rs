//! `reference.corporate-actions.v1`: splits, cash dividends, symbol changes.

use crate::enums::{ActionKind, ActionStatus};
use crate::{Currency, Date, InstrumentId, Price, Quantity};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// How many units a split may make of one at most, and of how many one.
pub const LARGEST_RATIO: i128 = 100_000;

/// One corporate action; a later record of the same id amends or withdraws it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorporateAction {
    /// Its id; also the record's key.
    pub action_id: SmolStr,
    /// Instrument that it changes.
    pub instrument_id: InstrumentId,
    /// Whether it stands.
    pub status: ActionStatus,
    /// What it does.
    pub kind: ActionKind,
    /// The symbol from then on.
    #[serde(default)]
    pub new_symbol: Option<SmolStr>,
    /// A split gives `ratio_new` units …
    #[serde(default)]
    pub ratio_new: Option<Quantity>,
    /// … for `ratio_old`.
    #[serde(default)]
    pub ratio_old: Option<Quantity>,
    /// Price at which a part below one lot is paid out.
    #[serde(default)]
    pub cash_in_lieu_price: Option<Price>,
    /// Dividend per unit, in `currency`.
    #[serde(default)]
    pub amount_per_share: Option<Price>,
    /// Currency of the amounts; null is the instrument's.
    #[serde(default)]
    pub currency: Option<Currency>,
    /// First day without the right; starts at 00:00 of the venue.
    pub ex_date: Date,
    /// Day on which cash is paid.
    #[serde(default)]
    pub pay_date: Option<Date>,
}
