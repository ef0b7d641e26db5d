//! The catalogue of figures: what each is called, what it needs and how it is computed.
//! One file a figure (or a figure and its named variants); `catalogue.rs` lists them.

pub mod account;
pub mod alpha;
pub mod beta;
pub mod calmar;
pub mod capture;
pub mod cash_flows;
pub mod catalogue;
pub mod cumulative_return;
pub mod downside_deviation;
pub mod extremes;
pub mod kurtosis;
pub mod max_drawdown;
pub mod omega;
pub mod rolling;
pub mod sharpe;
pub mod skewness;
pub mod sortino;
pub mod stability;
pub mod tail_ratio;
pub mod to_date;
pub mod tracking_error;
pub mod trades;
pub mod ulcer_index;
pub mod value_at_risk;
pub mod volatility;
pub mod win_rate_periods;

use crate::returns::account::{FlowTiming, Valuation};
use crate::returns::money_weighted::CashFlow;
use crate::sample::Sample;
use crate::undefined::{Answer, Undefined, finite};
use domain::enums::MetricUnit;
use trades::Tally;

/// Figures of returns that stand for a whole year, and that less than one does not show.
const OF_A_YEAR: [&str; 18] = [
    "annualised_return",
    "arithmetic_annual_return",
    "sharpe_compounded",
    "calmar",
    "martin_ratio",
    "pain_ratio",
    "alpha",
    "alpha_arithmetic",
    "alpha_of_annualised",
    "treynor",
    "m_squared",
    "information_ratio_compounded",
    "active_return",
    "benchmark_annualised_return",
    "up_capture",
    "down_capture",
    "up_down_capture",
    "capture",
];

/// Figures that count what was risk-free.
pub const OF_RISK_FREE: [&str; 13] = [
    "sharpe",
    "sharpe_period",
    "sharpe_compounded",
    "probabilistic_sharpe",
    "sortino",
    "martin_ratio",
    "pain_ratio",
    "beta",
    "alpha",
    "alpha_arithmetic",
    "alpha_of_annualised",
    "treynor",
    "m_squared",
];

/// What a figure is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// A fraction: 0.05 is 5 %.
    Fraction,
    /// A number without a unit.
    Ratio,
    /// A count.
    Count,
    /// Calendar days.
    Days,
    /// An amount of money, in whatever currency the input is.
    Amount,
}

/// What a figure is computed from.
#[derive(Debug, Clone, Copy)]
pub enum Function {
    /// Returns, with what the sample has beside them.
    Returns(fn(&Sample<'_>) -> Answer),
    /// Profits and losses of closed trades, in the order in which they were closed.
    Trades(fn(&[f64]) -> Answer),
    /// How many closed trades won and lost, and how much.
    Tally(fn(&Tally) -> Answer),
    /// Values of an account and the flows across its boundary.
    Account(fn(&[Valuation], FlowTiming) -> Answer),
    /// Dated cash flows alone.
    Flows(fn(&[CashFlow]) -> Answer),
}

impl Function {
    /// What it needs, as a word.
    pub const fn needs(self) -> &'static str {
        match self {
            Self::Returns(_) => "returns",
            Self::Trades(_) | Self::Tally(_) => "trades",
            Self::Account(_) => "values and flows",
            Self::Flows(_) => "flows",
        }
    }
}

/// A figure of the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Name, unique in the catalogue.
    pub id: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// The formula in words.
    pub formula: &'static str,
    /// Where the formula comes from.
    pub source: &'static str,
    /// How it is computed.
    pub function: Function,
}

/// A figure of one series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure {
    /// Name in the catalogue.
    pub id: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// Its value, or why there is none.
    pub value: Answer,
    /// Observations that it was computed from.
    pub observations: usize,
}

impl Metric {
    /// A figure of returns.
    pub const fn of_returns(
        id: &'static str,
        unit: Unit,
        formula: &'static str,
        source: &'static str,
        function: fn(&Sample<'_>) -> Answer,
    ) -> Self {
        Self { id, unit, formula, source, function: Function::Returns(function) }
    }

    /// A figure of closed trades.
    pub const fn of_trades(
        id: &'static str,
        unit: Unit,
        formula: &'static str,
        source: &'static str,
        function: fn(&[f64]) -> Answer,
    ) -> Self {
        Self { id, unit, formula, source, function: Function::Trades(function) }
    }

    /// A figure of closed trades that follows from their counts and sums.
    pub const fn of_tally(
        id: &'static str,
        unit: Unit,
        formula: &'static str,
        source: &'static str,
        function: fn(&Tally) -> Answer,
    ) -> Self {
        Self { id, unit, formula, source, function: Function::Tally(function) }
    }

    /// A figure of an account.
    pub const fn of_account(
        id: &'static str,
        unit: Unit,
        formula: &'static str,
        source: &'static str,
        function: fn(&[Valuation], FlowTiming) -> Answer,
    ) -> Self {
        Self { id, unit, formula, source, function: Function::Account(function) }
    }

    /// A figure of cash flows.
    pub const fn of_flows(
        id: &'static str,
        unit: Unit,
        formula: &'static str,
        source: &'static str,
        function: fn(&[CashFlow]) -> Answer,
    ) -> Self {
        Self { id, unit, formula, source, function: Function::Flows(function) }
    }

    /// The figure of a sample; `None` where it is none of returns.
    pub fn of_sample(&self, sample: &Sample<'_>) -> Option<Figure> {
        match self.function {
            Function::Returns(function) => Some(self.figure(function(sample), sample.len())),
            _ => None,
        }
    }

    /// The same as records tell it: none of what stands for a whole year where the sample covers less than one.
    pub fn of_period(&self, sample: &Sample<'_>) -> Option<Figure> {
        let mut figure = self.of_sample(sample)?;
        if figure.value.is_ok() && sample.is_under_a_year() && OF_A_YEAR.contains(&self.id) {
            figure.value = Err(Undefined::UnderOneYear { days: sample.days().unwrap_or(0) });
        }
        Some(figure)
    }

    /// A value under this name; what is not finite loses it here at the latest.
    pub fn figure(&self, value: Answer, observations: usize) -> Figure {
        Figure { id: self.id, unit: self.unit, value: value.and_then(finite), observations }
    }
}

impl Unit {
    /// The unit as a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fraction => "fraction",
            Self::Ratio => "ratio",
            Self::Count => "count",
            Self::Days => "days",
            Self::Amount => "amount",
        }
    }
    /// The unit that records name.
    pub const fn published(self) -> MetricUnit {
        match self {
            Self::Fraction => MetricUnit::Fraction,
            Self::Ratio => MetricUnit::Ratio,
            Self::Count => MetricUnit::Count,
            Self::Days => MetricUnit::Days,
            Self::Amount => MetricUnit::Money,
        }
    }
}
