//! Volatility: how far returns lie around their mean.

use super::{Metric, Unit::Fraction};
use crate::numeric::standard_deviation;
use crate::sample::Sample;
use crate::undefined::{Answer, finite};

/// The figures of this file.
pub const METRICS: &[Metric] = &[
    Metric::of_returns("volatility", Fraction, "std(r), n - 1, x sqrt(P)", "Bacon (2008); empyrical annual_volatility", annualised),
    Metric::of_returns("standard_deviation", Fraction, "std(r), n - 1, a period", "sample standard deviation", |sample| {
        standard_deviation(sample.returns())
    }),
];

/// Sample standard deviation, a year.
pub fn annualised(sample: &Sample<'_>) -> Answer {
    finite(standard_deviation(sample.returns())? * sample.periods().sqrt())
}
