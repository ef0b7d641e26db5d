//! `treasury.cash.v1`: cash and securities that move without an execution.

use crate::enums::CashKind;
use crate::{Currency, InstrumentId, Money, PortfolioId, Quantity, StrategyId, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// One entry of a treasury or custodian.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CashEntry {
    /// The system that sent it.
    pub source: SmolStr,
    /// Its id, unique within the source.
    pub entry_id: SmolStr,
    /// The entry of the same source that this one takes back.
    #[serde(default)]
    pub reverses: Option<SmolStr>,
    /// Portfolio; also the record's key.
    pub portfolio_id: PortfolioId,
    /// What it is.
    pub kind: CashKind,
    /// Currency of `amount`.
    pub currency: Currency,
    /// Amount; positive, but INTEREST and FEE may be negative; of securities transferred zero,
    /// or their total cost where `total_cost` is null.
    pub amount: Money,
    /// The instrument transferred, or the one that a dividend is for.
    #[serde(default)]
    pub instrument_id: Option<InstrumentId>,
    /// Units transferred, below zero for a short position.
    #[serde(default)]
    pub quantity: Option<Quantity>,
    /// Total cost of the units that come, in the instrument's currency.
    #[serde(default)]
    pub total_cost: Option<Money>,
    /// The corporate action that it pays.
    #[serde(default)]
    pub action_id: Option<SmolStr>,
    /// Strategy that it is attributed to.
    #[serde(default)]
    pub strategy: Option<StrategyId>,
    /// When it takes effect.
    pub effective_at: Timestamp,
}
