//! `portfolio.drift.v1`: how far a portfolio stands from its policy, with everything that a plan needs.
//! It is complete: a plan reads this record and nothing else.

use crate::enums::{DriftCause, DriftKind, InstrumentType, MarketState, PriceFlag, Side};
use crate::ledger::CurrencyAmount;
use crate::policy::Policy;
use crate::snapshot::{CashBalance, Health, InputOffset};
use crate::target_risk::TargetRisk;
use crate::{Currency, Fraction, FxRate, InstrumentId, Money, OrderId, PortfolioId, Price, Quantity, SmolStr, Timestamp};
use serde::{Deserialize, Serialize};

/// One held or targeted instrument.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriftLine {
    /// Instrument.
    pub instrument_id: InstrumentId,
    /// Weight of the value (of the notional for a future); null when equity is not above zero.
    pub weight: Option<Fraction>,
    /// Target weight; zero outside the policy.
    pub target: Fraction,
    /// weight − target; null when equity is not above zero.
    pub drift: Option<Fraction>,
    /// Lower bound of the weight.
    pub lower: Fraction,
    /// Upper bound of the weight.
    pub upper: Fraction,
    /// Whether the weight stands outside its bounds.
    pub breached: bool,
    /// In the instrument's currency.
    pub price: Option<Price>,
    /// When the price was made.
    pub price_time: Option<Timestamp>,
    /// Fitness of the price.
    pub price_flag: PriceFlag,
    /// Price at the last day cut, else the first accepted one.
    pub close_price: Option<Price>,
    /// Null when flat.
    pub average_price: Option<Price>,
    /// Accrued interest per unit.
    pub accrued: Option<Price>,
    /// Signed units held.
    pub quantity: Quantity,
    /// Market value in the base currency; zero without a price.
    pub value: Money,
    /// Currency of the prices.
    pub currency: Currency,
    /// Units of base for one of `currency`; null when there is none.
    pub fx_rate: Option<FxRate>,
    /// Multiplier.
    pub multiplier: Quantity,
    /// Lot.
    pub lot_size: Quantity,
    /// Step of a limit price.
    pub tick_size: Option<Price>,
    /// Kind.
    #[serde(rename = "type")]
    pub kind: InstrumentType,
    /// Sector.
    pub sector: Option<SmolStr>,
    /// Venue.
    pub venue: Option<SmolStr>,
    /// Units traded on an average day.
    pub average_daily_volume: Option<Quantity>,
    /// State of its market; UNKNOWN when none was ever reported.
    pub market_status: MarketState,
    /// Best bid of its newest quote, where that has both sides, not crossed, and neither is older than the price by more
    /// than a price may be.
    #[serde(default)]
    pub bid: Option<Price>,
    /// Best ask of the same quote; there where the bid is.
    #[serde(default)]
    pub ask: Option<Price>,
}

/// What was executed of one recent order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecentOrder {
    /// Order.
    pub order_id: OrderId,
    /// Gross units executed and applied to the book, in the instrument and direction of the first fill.
    pub executed_quantity: Quantity,
    /// Instrument of its first fill; null from a book that did not keep it.
    #[serde(default)]
    pub instrument_id: Option<InstrumentId>,
    /// Side of its first fill; UNKNOWN from a book that did not keep it.
    #[serde(default)]
    pub side: Side,
    /// Whether its fills contradict each other, in their instrument, direction or cumulative quantity;
    /// RECONCILE settles it.
    #[serde(default)]
    pub contradicted: bool,
    /// Σ units × price of those executions, in the instrument's currency, rounded half-even; null from a book that did
    /// not keep it.
    #[serde(default)]
    pub notional: Option<Money>,
    /// Their fees in the base currency, at the rates of their bookings; null from a book that did not keep them.
    #[serde(default)]
    pub fees: Option<Money>,
    /// When the first of them was executed, by its sender.
    #[serde(default)]
    pub first_fill_at: Option<Timestamp>,
    /// When the last of them was executed, by its sender.
    #[serde(default)]
    pub last_fill_at: Option<Timestamp>,
}

/// A drift event. Amounts are in the base currency unless a currency stands beside them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// Portfolio; also the record's key.
    pub portfolio_id: PortfolioId,
    /// Rises by one when a breach opens.
    pub episode: i64,
    /// Whether it was measured by the shadow rules.
    pub shadow: bool,
    /// What happened.
    pub event: DriftKind,
    /// Why it was requested.
    pub cause: Option<DriftCause>,
    /// Id of the command, refresh, action or order that caused it.
    pub cause_id: Option<SmolStr>,
    /// The moment.
    pub as_of: Timestamp,
    /// By instrument id.
    pub lines: Vec<DriftLine>,
    /// Largest |drift| of a line; null when equity is not above zero.
    pub max_abs_drift: Option<Fraction>,
    /// Half of Σ |drift|, cash included; null when equity is not above zero.
    pub half_sum_abs_drift: Option<Fraction>,
    /// Cash + receivables + holdings.
    pub equity: Money,
    /// By currency.
    pub cash: Vec<CashBalance>,
    /// Base for one of each currency in `cash` and `receivables`; null when there is none.
    pub fx_rates: Vec<CurrencyRate>,
    /// Dividends earned and not yet paid.
    pub receivables: Vec<CurrencyAmount>,
    /// Cash by trade date, all currencies.
    pub available_cash: Money,
    /// Settled cash, all currencies.
    pub settled_cash: Money,
    /// Health.
    pub health: Health,
    /// The rules in force, whole; null when the portfolio has none or was closed.
    pub policy: Option<Box<Policy>>,
    /// Version of the last snapshot.
    pub snapshot_version: i64,
    /// What was executed of our orders, while their fills are in the window.
    pub recent_orders: Vec<RecentOrder>,
    /// How far the inputs were read.
    pub input_offsets: Vec<InputOffset>,
    /// Instrument of the corporate action that caused it: its open orders are asked back.
    #[serde(default)]
    pub cause_instrument_id: Option<InstrumentId>,
    /// Risk against the policy's `target_risk`; null where it has none.
    #[serde(default)]
    pub risk: Option<Box<TargetRisk>>,
}

/// The rate of one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrencyRate {
    /// Currency.
    pub currency: Currency,
    /// Units of base for one of it; null when there is none.
    pub fx_rate: Option<FxRate>,
}
