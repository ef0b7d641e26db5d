//! Skewness: which tail of the returns is longer.

use super::{Metric, Unit::Ratio};
use crate::numeric::moments::{central_moment, variation};
use crate::sample::Sample;
use crate::undefined::{Answer, finite};

/// The figures of this file.
pub const METRICS: &[Metric] = &[
    Metric::of_returns("skewness", Ratio, "m3 / m2^(3/2), moments divided by n", "Joanes and Gill (1998) g1; scipy skew", population),
    Metric::of_returns(
        "skewness_sample",
        Ratio,
        "g1 x sqrt(n (n - 1)) / (n - 2)",
        "Joanes and Gill (1998) G1; pandas, quantstats",
        corrected,
    ),
];

/// Skewness of the observations as a population.
pub fn population(sample: &Sample<'_>) -> Answer {
    variation(sample.returns())?;
    let second = central_moment(sample.returns(), 2)?;
    finite(central_moment(sample.returns(), 3)? / (second * second.sqrt()))
}

fn corrected(sample: &Sample<'_>) -> Answer {
    sample.needs(3)?;
    let n = sample.len() as f64;
    finite(population(sample)? * (n * (n - 1.0)).sqrt() / (n - 2.0))
}
