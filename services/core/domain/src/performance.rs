//! `portfolio.performance.v1`: returns, metrics and attribution of a portfolio over one timeframe. Amounts are in the
//! base currency, returns and ratios fractions of one.
//!
//! A record holds what one timeframe comes to; of a portfolio, a timeframe and, for a DAY, its date the newest holds.

use crate::enums::{Grouping, MetricUnit};
use crate::{Currency, Date, Fraction, Money, PortfolioId, SmolStr, Timestamp};
use serde::{Deserialize, Serialize};

/// The timeframe of one day.
pub const DAY: &str = "DAY";
/// From the end of the month before.
pub const MTD: &str = "MTD";
/// From the end of the year before.
pub const YTD: &str = "YTD";
/// The last 365 days.
pub const ONE_YEAR: &str = "1Y";
/// Since the first day with capital.
pub const ALL: &str = "ALL";

/// One figure, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metric {
    /// Name in the catalogue of metrics, such as time_weighted_return.
    pub id: SmolStr,
    /// The figure in `unit`, at twelve decimals; null when it is undefined.
    pub value: Option<Fraction>,
    /// What it counts.
    pub unit: MetricUnit,
    /// Currency of MONEY; null is the base currency.
    pub currency: Option<Currency>,
    /// The observations that it covers, in words.
    pub window: SmolStr,
    /// Observations in the window.
    pub observations: i32,
    /// How it was computed, with its parameters.
    pub method: SmolStr,
    /// Confidence of a quantile.
    pub confidence: Option<Fraction>,
    /// Horizon of a quantile, in days.
    pub horizon_days: Option<i32>,
    /// Why the value is null, or is to be read with care.
    pub reason: Option<SmolStr>,
}

/// One bucket of a grouping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributionBucket {
    /// A strategy, a sector, an instrument type or a time of day.
    pub name: SmolStr,
    /// Realised before fees.
    pub realized_gross: Money,
    /// Fees paid.
    pub fees: Money,
    /// Dividends and interest.
    pub income: Money,
    /// What the value of holdings did beside that.
    pub unrealized: Money,
    /// realized_gross − fees + income + unrealized.
    pub total: Money,
    /// Effect of weights that differ from the benchmark; null without one.
    pub allocation: Option<Fraction>,
    /// Effect of returns that differ from the benchmark; null without one.
    pub selection: Option<Fraction>,
    /// Effect of both together; null without a benchmark.
    pub interaction: Option<Fraction>,
}

/// Profit by one grouping: total = Σ buckets' totals + residual, to the last unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribution {
    /// What it is grouped by.
    pub grouping: Grouping,
    /// By name.
    pub buckets: Vec<AttributionBucket>,
    /// What no bucket holds.
    pub residual: Money,
    /// Total profit of the timeframe.
    pub total: Money,
}

/// A fall of the flow-neutral index from a peak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drawdown {
    /// Trough ÷ peak − 1, never above zero.
    pub depth: Fraction,
    /// Day of the peak.
    pub peak: Date,
    /// Day of the trough.
    pub trough: Date,
    /// First day on which the index stands as high again; null while it has not.
    pub recovery: Option<Date>,
    /// Calendar days from the peak to the recovery, or to the last day covered.
    pub days: i32,
}

/// What one timeframe of one portfolio comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Performance {
    /// Portfolio; the record's key begins with it.
    pub portfolio_id: PortfolioId,
    /// When the last day covered was cut, or the moment of a day that is not over.
    pub as_of: Timestamp,
    /// [`DAY`], [`MTD`], [`YTD`], [`ONE_YEAR`] or [`ALL`].
    pub timeframe: SmolStr,
    /// Currency of every amount that names none.
    pub base_currency: Currency,
    /// Whether later records may still change the figures.
    pub provisional: bool,
    /// One entry a metric.
    pub metrics: Vec<Metric>,
    /// One entry a grouping.
    pub attribution: Vec<Attribution>,
    /// Last day that the figures cover.
    #[serde(default)]
    pub date: Option<Date>,
    /// First day that the figures cover.
    #[serde(default)]
    pub from_date: Option<Date>,
    /// Version of the close of the last day.
    #[serde(default)]
    pub close_version: Option<i64>,
    /// Policy whose benchmark and rates were used.
    #[serde(default)]
    pub policy_version: Option<i64>,
    /// The deepest fall, and the one that the index is in, where that is another.
    #[serde(default)]
    pub drawdowns: Vec<Drawdown>,
}

impl Performance {
    /// The record's key: `<portfolio>:<timeframe>`, of a day `<portfolio>:DAY:<date>`, so that compaction keeps every
    /// day and the newest record of every other timeframe.
    pub fn key(&self) -> SmolStr {
        match self.date.filter(|_| self.timeframe == DAY) {
            Some(date) => smol_str::format_smolstr!("{}:{}:{date}", self.portfolio_id, self.timeframe),
            None => smol_str::format_smolstr!("{}:{}", self.portfolio_id, self.timeframe),
        }
    }
}
