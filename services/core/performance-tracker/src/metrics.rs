//! The catalogue of figures: what each is called, what it needs and how it is computed.
//! One file a figure (or a figure and its named variants); `catalogue.rs` lists them.

use crate::sample::Sample;
use crate::undefined::Answer;

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
    /// Profits and losses of closed trades.
    Trades(fn(&[f64]) -> Answer),
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
