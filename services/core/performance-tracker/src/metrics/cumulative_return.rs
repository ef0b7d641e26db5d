//! What a series of returns compounds to, by names: the total, and the means that give it.

use super::{Metric, Unit::Fraction};
use crate::numeric::mean;
use crate::returns::growth;
use crate::sample::Sample;
use crate::undefined::{Answer, finite};

/// The figures of this file.
pub const METRICS: &[Metric] = &[
    Metric::of_returns("cumulative_return", Fraction, "product of (1 + r), less 1", "GIPS; empyrical cum_returns_final", cumulative),
    Metric::of_returns("annualised_return", Fraction, "(1 + R)^(P/n) - 1", "GIPS; empyrical annual_return", annualised),
    Metric::of_returns("mean_return", Fraction, "sum of r / n, a period", "arithmetic mean", |sample| mean(sample.returns())),
    Metric::of_returns("geometric_mean_return", Fraction, "(1 + R)^(1/n) - 1, a period", "Bacon (2008)", geometric),
    Metric::of_returns("arithmetic_annual_return", Fraction, "mean of r x P", "Bacon (2008)", arithmetic),
];

/// Total return over all periods, a fraction.
pub fn cumulative(sample: &Sample<'_>) -> Answer {
    sample.needs(1)?;
    finite(growth(sample.returns())? - 1.0)
}

/// Total return a year, a fraction; of less than a year too, which callers must say.
pub fn annualised(sample: &Sample<'_>) -> Answer {
    annualised_of(sample.returns(), sample.periods())
}

/// The same of any series.
pub fn annualised_of(returns: &[f64], periods: f64) -> Answer {
    crate::numeric::moments::enough(returns.len(), 1)?;
    finite(libm::pow(growth(returns)?, periods / returns.len() as f64) - 1.0)
}

fn geometric(sample: &Sample<'_>) -> Answer {
    annualised_of(sample.returns(), 1.0)
}

fn arithmetic(sample: &Sample<'_>) -> Answer {
    finite(mean(sample.returns())? * sample.periods())
}
