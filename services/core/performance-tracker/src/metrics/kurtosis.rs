//! Excess kurtosis: how fat the tails of the returns are beside a normal distribution's.

use super::{Metric, Unit::Ratio};
use crate::numeric::moments::{central_moment, variation};
use crate::sample::Sample;
use crate::undefined::{Answer, finite};

/// The figures of this file.
pub const METRICS: &[Metric] = &[
    Metric::of_returns("kurtosis", Ratio, "m4 / m2^2 - 3, moments divided by n", "Joanes and Gill (1998) g2; scipy kurtosis", population),
    Metric::of_returns(
        "kurtosis_sample",
        Ratio,
        "(n - 1) / ((n - 2)(n - 3)) x ((n + 1) g2 + 6)",
        "Joanes and Gill (1998) G2; pandas, quantstats",
        corrected,
    ),
];

/// Excess kurtosis of the observations as a population.
pub fn population(sample: &Sample<'_>) -> Answer {
    variation(sample.returns())?;
    let second = central_moment(sample.returns(), 2)?;
    finite(central_moment(sample.returns(), 4)? / (second * second) - 3.0)
}

fn corrected(sample: &Sample<'_>) -> Answer {
    sample.needs(4)?;
    let n = sample.len() as f64;
    finite((n - 1.0) / ((n - 2.0) * (n - 3.0)) * ((n + 1.0) * population(sample)? + 6.0))
}
