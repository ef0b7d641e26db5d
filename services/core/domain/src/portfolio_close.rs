//! `portfolio.closes.v1`: a portfolio's day at its day cut. Amounts that name no currency are in the base currency.
//!
//! equity = Σ positions' value + Σ currencies' cash_value and receivables_value, to the last unit: each part is rounded
//! once, and equity is their sum.

use crate::enums::InstrumentType;
use crate::ledger::CurrencyAmount;
use crate::snapshot::InputOffset;
use crate::{Currency, Date, FxRate, InstrumentId, Money, PortfolioId, Price, Quantity, SmolStr, StrategyId, Timestamp};
use serde::{Deserialize, Serialize};

/// A holding at the cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedPosition {
    /// Instrument.
    pub instrument_id: InstrumentId,
    /// Signed units.
    pub quantity: Quantity,
    /// In the instrument's currency; null when there is none.
    pub price: Option<Price>,
    /// Units of base for one of its currency.
    pub fx_rate: Option<FxRate>,
    /// Market value: quantity × (price + accrued) × multiplier × fx_rate, of a FUTURE less its cost before the rate.
    pub value: Money,
    /// Kind.
    #[serde(rename = "type", default)]
    pub kind: InstrumentType,
    /// Currency of price, accrued and cost.
    #[serde(default)]
    pub currency: Option<Currency>,
    /// What one unit is worth at a price of one.
    #[serde(default)]
    pub multiplier: Option<Quantity>,
    /// Accrued interest per unit, of a BOND.
    #[serde(default)]
    pub accrued: Option<Price>,
    /// What is held has cost that, fees apart, in the instrument's currency.
    #[serde(default)]
    pub cost: Option<Money>,
    /// Sector, as it was when the close was made; null where none is known.
    #[serde(default)]
    pub sector: Option<SmolStr>,
    /// When the price was made; of a middle the older of bid and ask.
    #[serde(default)]
    pub price_time: Option<Timestamp>,
    /// Whether the price, or one that the rate comes from, was made before the day began (the cut of the calendar day
    /// before): the last one stands for it.
    #[serde(default)]
    pub stale: bool,
}

/// What cash and receivables of one currency are worth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedCurrency {
    /// Currency.
    pub currency: Currency,
    /// Units of base for one of it; null when there is none.
    pub fx_rate: Option<FxRate>,
    /// Its cash by trade date, in base.
    pub cash_value: Money,
    /// Its receivables, in base.
    pub receivables_value: Money,
    /// Whether a price that the rate comes from was made before the day began: the last one stands for it.
    #[serde(default)]
    pub stale: bool,
}

/// What one strategy held of an instrument at the cut, or what all of them leave of the position. Those of one instrument
/// add up to its position, each figure exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedStrategy {
    /// Instrument; it need not be among the positions: long and short of several strategies may cancel out.
    pub instrument_id: InstrumentId,
    /// Strategy; null for what is of none.
    pub strategy: Option<StrategyId>,
    /// Whether it is what all strategies together leave of the position.
    pub residual: bool,
    /// Signed units.
    pub quantity: Quantity,
    /// What is held has cost that at the strategy's own average, fees apart, in the instrument's currency.
    pub cost: Money,
    /// Market value, as of a position; null where there is no price or no rate.
    pub value: Option<Money>,
}

/// One day of one portfolio.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortfolioClose {
    /// Portfolio; also the record's key.
    pub portfolio_id: PortfolioId,
    /// Its day.
    pub date: Date,
    /// Rises with each close of that day, by one unless its lane began anew in between.
    pub version: i64,
    /// Equity at the cut.
    pub equity: Money,
    /// Net external flows since the close before.
    pub net_external_flow: Money,
    /// Holdings, by instrument id.
    pub positions: Vec<ClosedPosition>,
    /// By currency and trade date.
    pub cash: Vec<CurrencyAmount>,
    /// Whether every price and rate was there, none older than the policy allows, and no record waited.
    pub complete: bool,
    /// Why it is provisional.
    pub incomplete_reason: Option<SmolStr>,
    /// Whether something is missing: while the day is among the newest ten, another version follows when it has come.
    pub provisional: bool,
    /// The version that it replaces.
    pub restates: Option<i64>,
    /// Base currency.
    #[serde(default)]
    pub base_currency: Option<Currency>,
    /// The moment at which the day was cut.
    #[serde(default)]
    pub cut_at: Option<Timestamp>,
    /// The moment at which this version was made.
    #[serde(default)]
    pub as_of: Option<Timestamp>,
    /// Dividends earned and not yet paid, by currency.
    #[serde(default)]
    pub receivables: Vec<CurrencyAmount>,
    /// What both are worth.
    #[serde(default)]
    pub currencies: Vec<ClosedCurrency>,
    /// Net external flows of all days up to this one.
    #[serde(default)]
    pub net_flows: Option<Money>,
    /// Policy in force; null when the portfolio is closed.
    #[serde(default)]
    pub policy_version: Option<i64>,
    /// How far the inputs were read.
    #[serde(default)]
    pub input_offsets: Vec<InputOffset>,
    /// Whose the holdings were, of instruments in which strategies are told apart; what is not named is of no strategy.
    /// Null where they are more than a close tells, and in closes of earlier builds.
    #[serde(default = "no_strategies", skip_serializing_if = "is_empty")]
    pub strategies: Option<Vec<ClosedStrategy>>,
}

/// As JSON lines the list is left out where it is empty, as others are; null is written.
const fn no_strategies() -> Option<Vec<ClosedStrategy>> {
    Some(Vec::new())
}
fn is_empty(strategies: &Option<Vec<ClosedStrategy>>) -> bool {
    strategies.as_ref().is_some_and(Vec::is_empty)
}
