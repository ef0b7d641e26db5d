//! `portfolio.snapshots.v1`: a whole portfolio at one moment. Amounts are in the base currency.

use crate::enums::{AnomalyKind, InstrumentType};
use crate::ledger::CurrencyAmount;
use crate::{Currency, Fraction, InstrumentId, Money, Percent, PortfolioId, Price, Quantity, SmolStr, StrategyId, Timestamp, Topic};
use serde::{Deserialize, Serialize};

/// One holding or target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocation {
    /// Instrument.
    pub instrument_id: InstrumentId,
    /// Ticker.
    pub symbol: SmolStr,
    /// Sector.
    pub sector: Option<SmolStr>,
    /// Kind.
    #[serde(rename = "type")]
    pub kind: InstrumentType,
    /// Signed units.
    pub quantity: Quantity,
    /// In the instrument's currency; null when flat.
    pub average_price: Option<Price>,
    /// In the instrument's currency; null when there is none.
    pub price: Option<Price>,
    /// When the price was made.
    pub price_time: Option<Timestamp>,
    /// Whether the price is older than allowed, or missing.
    pub stale: bool,
    /// Market value (the notional of a future is in the drift event).
    pub value: Money,
    /// Weight in points: value ÷ equity, for a future notional ÷ equity; null when equity is not above zero.
    pub percentage: Option<Percent>,
    /// From the policy; null outside it.
    pub target_weight: Option<Fraction>,
    /// weight − target; null when equity is not above zero.
    pub drift: Option<Fraction>,
    /// Unrealised profit.
    pub unrealized: Money,
    /// Cumulative realised net profit.
    pub realized: Money,
}

/// A cash balance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashBalance {
    /// Currency.
    pub currency: Currency,
    /// By trade date, in that currency.
    pub trade_date: Money,
    /// Settled, in that currency.
    pub settled: Money,
}

/// Sums of values, over equity.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Exposure {
    /// (long − short) ÷ equity; null when equity is not above zero.
    pub net: Option<Fraction>,
    /// (long + short) ÷ equity; null when equity is not above zero.
    pub gross: Option<Fraction>,
    /// Value of long holdings.
    pub long: Money,
    /// Magnitude of short holdings.
    pub short: Money,
}

/// Exposure of one sector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectorExposure {
    /// Sector; instruments without one stand under "NONE".
    pub sector: SmolStr,
    /// Net value.
    pub value: Money,
    /// value ÷ equity; null when equity is not above zero.
    pub weight: Option<Fraction>,
}

/// How concentrated the holdings are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Concentration {
    /// Σ (|value| ÷ gross)²; null without holdings.
    pub hhi: Option<Fraction>,
    /// 1 ÷ hhi; null without holdings.
    pub effective_number: Option<Fraction>,
}

/// Profit and its parts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SnapshotMetrics {
    /// Realised before fees.
    pub realized_gross: Money,
    /// Fees paid.
    pub fees: Money,
    /// Dividends and interest.
    pub income: Money,
    /// realized_gross − fees + income.
    pub realized_net: Money,
    /// Of what is held. The first of unrealized, fx_cash, realized_gross, income and fees that is not zero
    /// carries the rounding of the others.
    pub unrealized: Money,
    /// What rates did to cash.
    pub fx_cash: Money,
    /// Net external flows.
    pub net_flows: Money,
    /// realized_net + unrealized + fx_cash − transferred = total_value − net_flows, exactly as published.
    pub total_pnl: Money,
    /// Since the day cut, net of flows; null before the first cut.
    pub day_pnl: Option<Money>,
    /// Gains that transferred securities brought, less those that they took.
    #[serde(default)]
    pub transferred: Money,
}

/// Whether the figures may be relied on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Health {
    /// Every held or targeted instrument and every currency has a price, none is too old, and no record waits.
    pub complete: bool,
    /// Instruments and pairs whose price is too old.
    pub stale: Vec<SmolStr>,
    /// Instruments and pairs without one.
    pub unpriced: Vec<SmolStr>,
    /// A fill or cash entry was refused and nobody has decided about it.
    pub quarantined: bool,
    /// The book differs from its orders or from an outside book.
    pub unreconciled: bool,
    /// Records of this portfolio that wait for an instrument, a policy or a rate.
    pub waiting: i32,
    /// Where the book differs from an outside one; the first of many.
    #[serde(default)]
    pub position_breaks: Vec<PositionBreak>,
    /// Balances that differ from those of an outside book; the first of many.
    #[serde(default)]
    pub cash_breaks: Vec<CashBreak>,
    /// Figures beyond the policy's bounds which nobody has accepted; the first of many. Nothing is planned on them.
    #[serde(default)]
    pub anomalies: Vec<Anomaly>,
}

/// A figure beyond its bound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anomaly {
    /// Which.
    pub kind: AnomalyKind,
    /// The line, of a weight.
    #[serde(default)]
    pub instrument_id: Option<InstrumentId>,
    /// The figure, signed.
    pub value: Fraction,
    /// The most that it may be either way.
    pub bound: Fraction,
}

/// A holding that differs from what an outside book has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionBreak {
    /// Instrument.
    pub instrument_id: InstrumentId,
    /// Signed units of this book, when they were compared.
    pub ours: Quantity,
    /// Signed units of the outside book.
    pub outside: Quantity,
}

/// A balance that differs from what an outside book has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashBreak {
    /// Currency.
    pub currency: Currency,
    /// Balance of this book by trade date, when they were compared.
    pub ours: Money,
    /// Balance of the outside book.
    pub outside: Money,
}

/// How far an input was read; the next offset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputOffset {
    /// Topic.
    pub topic: Topic,
    /// Partition.
    pub partition: i32,
    /// First offset that is not contained.
    pub offset: i64,
}

/// A portfolio at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Portfolio; also the record's key.
    pub portfolio_id: PortfolioId,
    /// Rises by one with each snapshot of the portfolio.
    pub version: i64,
    /// The moment.
    pub as_of: Timestamp,
    /// Currency of every amount that names none.
    pub base_currency: Currency,
    /// Equity: cash + receivables + holdings.
    pub total_value: Money,
    /// Cash by trade date.
    pub cash_value: Money,
    /// Cash that may be spent, as the policy's basis says, less its reserve.
    pub available_cash: Money,
    /// By currency.
    pub cash: Vec<CashBalance>,
    /// Dividends earned and not yet paid.
    pub receivables: Vec<CurrencyAmount>,
    /// By falling absolute value, then instrument id.
    pub allocations: Vec<Allocation>,
    /// Exposure.
    pub exposure: Exposure,
    /// By sector name.
    pub sector_exposure: Vec<SectorExposure>,
    /// Concentration.
    pub concentration: Concentration,
    /// Profit.
    pub metrics: SnapshotMetrics,
    /// Health.
    pub health: Health,
    /// Policy in force; null before the first.
    pub policy_version: Option<i64>,
    /// How far the inputs were read.
    pub input_offsets: Vec<InputOffset>,
    /// Sub-positions by strategy, of every line that has them: by instrument id, then nameless, by name, residual.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strategies: Vec<StrategyPosition>,
}

/// What one strategy holds and has earned of an instrument, at its own average, or what all of them leave of the line:
/// they add up to its figures exactly as published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrategyPosition {
    /// Instrument; null for those together that are neither held nor targeted any more.
    pub instrument_id: Option<InstrumentId>,
    /// Strategy; null for what is of none.
    pub strategy: Option<StrategyId>,
    /// Whether it is what all strategies together leave of the line.
    pub residual: bool,
    /// Signed units.
    pub quantity: Quantity,
    /// In the instrument's currency; null when flat.
    pub average_price: Option<Price>,
    /// Book cost at the rates of booking; zero for a future.
    pub cost: Money,
    /// Market value.
    pub value: Money,
    /// Cumulative profit before fees.
    pub realized_gross: Money,
    /// Cumulative fees.
    pub fees: Money,
    /// Cumulative dividends, interest, accrued interest.
    pub income: Money,
    /// realized_gross − fees + income.
    pub realized_net: Money,
    /// value − cost.
    pub unrealized: Money,
}
