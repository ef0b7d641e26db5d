//! Returns since the end of the last month and of the last year, as of the last date of the series.

use super::{Metric, Unit::Fraction};
use crate::returns::calendar::{Timeframe, starts_with};
use crate::returns::growth;
use crate::sample::Sample;
use crate::undefined::{Answer, finite};

/// The figures of this file.
pub const METRICS: &[Metric] = &[
    Metric::of_returns(
        "mtd_return",
        Fraction,
        "index / index at or before the previous month's end (else its first value), less 1",
        "GIPS",
        |sample| since(sample, Timeframe::Month),
    ),
    Metric::of_returns(
        "ytd_return",
        Fraction,
        "index / index at or before the previous year's end (else its first value), less 1",
        "GIPS",
        |sample| since(sample, Timeframe::Year),
    ),
];

/// What the last timeframe of the series has returned so far.
pub fn since(sample: &Sample<'_>, timeframe: Timeframe) -> Answer {
    sample.needs(1)?;
    let first = starts_with(sample.dates()?, timeframe);
    finite(growth(&sample.returns()[first..])? - 1.0)
}
