//! `portfolio.risk.v1`: the risk of what a portfolio holds at a close. Amounts are in the base currency.

use crate::performance::Metric;
use crate::snapshot::SectorExposure;
use crate::{Currency, Date, Fraction, InstrumentId, Money, PortfolioId, SmolStr, Timestamp};
use serde::{Deserialize, Serialize};

/// What one holding adds to the risk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskComponent {
    /// Instrument.
    pub instrument_id: InstrumentId,
    /// Market value, signed.
    pub value: Money,
    /// value ÷ equity; null when equity is not above zero.
    pub weight: Option<Fraction>,
    /// Yearly, of its returns in base currency; null when there are too few.
    pub volatility: Option<Fraction>,
    /// Against the policy's benchmark; null without one or with too few returns.
    pub beta: Option<Fraction>,
    /// Its part of the parametric value at risk; the parts add up to the whole.
    pub value_at_risk: Option<Money>,
    /// Its daily returns in the window.
    pub observations: i32,
    /// Its part of the historical expected shortfall at 95 %: what it lost on average on the days on which the whole lost
    /// as much as its value at risk, or more; the parts add up to the whole.
    #[serde(default)]
    pub expected_shortfall: Option<Money>,
    /// Yearly, of its returns by exponential weights (lambda 0.94, mean zero); null when there are too few.
    #[serde(default)]
    pub ewma_volatility: Option<Fraction>,
}

/// How two instruments move together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correlation {
    /// One.
    pub instrument_id: InstrumentId,
    /// The other.
    pub other_id: InstrumentId,
    /// Pearson's, of daily returns on common dates; null when there are too few.
    pub value: Option<Fraction>,
    /// Common daily returns.
    pub observations: i32,
    /// A day, by exponential weights (lambda 0.94, means zero); null when there are too few.
    #[serde(default)]
    pub ewma_covariance: Option<Fraction>,
}

/// The risk of one portfolio at a close.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Risk {
    /// Portfolio; also the record's key.
    pub portfolio_id: PortfolioId,
    /// When the day was cut.
    pub as_of: Timestamp,
    /// The period that returns are taken from, such as 500D.
    pub timeframe: SmolStr,
    /// Currency of every amount that names none.
    pub base_currency: Currency,
    /// Whether later records may still change the figures.
    pub provisional: bool,
    /// One entry a metric.
    pub metrics: Vec<Metric>,
    /// Day of whose close the holdings are.
    #[serde(default)]
    pub date: Option<Date>,
    /// Version of that close.
    #[serde(default)]
    pub close_version: Option<i64>,
    /// Policy whose benchmark and rates were used.
    #[serde(default)]
    pub policy_version: Option<i64>,
    /// By instrument id.
    #[serde(default)]
    pub components: Vec<RiskComponent>,
    /// Of each two of the largest holdings, and of each with the benchmark.
    #[serde(default)]
    pub correlations: Vec<Correlation>,
    /// By sector.
    #[serde(default)]
    pub sector_exposure: Vec<SectorExposure>,
}
