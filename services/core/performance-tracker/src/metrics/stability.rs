//! How straight the way of the index was: R squared of its logarithm against time.

use super::{Metric, Unit::Ratio};
use crate::numeric::{covariance, variance};
use crate::sample::Sample;
use crate::undefined::{Answer, Undefined, finite};

/// The figures of this file.
pub const METRICS: &[Metric] = &[Metric::of_returns(
    "stability",
    Ratio,
    "R squared of the cumulative log returns on a line through time",
    "empyrical stability_of_timeseries",
    stability,
)];

fn stability(sample: &Sample<'_>) -> Answer {
    sample.needs(2)?;
    if sample.returns().iter().any(|one| *one <= -1.0) {
        return Err(Undefined::TotalLoss);
    }
    let mut total = 0.0;
    let line: Vec<f64> = sample
        .returns()
        .iter()
        .map(|one| {
            total += libm::log1p(*one);
            total
        })
        .collect();
    let time: Vec<f64> = (0..line.len()).map(|row| row as f64).collect();
    let (spread, joint) = (variance(&line)?, covariance(&line, &time)?);
    if spread > 0.0 { finite(joint * joint / (spread * variance(&time)?)) } else { Err(Undefined::ZeroVolatility) }
}
