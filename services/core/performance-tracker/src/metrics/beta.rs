//! Beta: how far the benchmark moves the portfolio, and how closely they go together.

use super::{Metric, Unit::Ratio};
use crate::numeric::moments::variation;
use crate::numeric::{covariance, variance};
use crate::sample::Sample;
use crate::undefined::{Answer, Undefined, finite};

/// The figures of this file.
pub const METRICS: &[Metric] = &[
    Metric::of_returns("beta", Ratio, "cov(r - rf, b - rf) / var(b - rf)", "CAPM; empyrical beta", beta),
    Metric::of_returns("correlation", Ratio, "cov(r, b) / (std(r) std(b))", "Pearson", correlation),
    Metric::of_returns("r_squared", Ratio, "correlation squared", "quantstats r_squared", |sample| {
        correlation(sample).and_then(|correlation| finite(correlation * correlation))
    }),
];

/// Beta of the excess returns.
pub fn beta(sample: &Sample<'_>) -> Answer {
    let benchmark = sample.benchmark_excess()?;
    variation(&benchmark).map_err(of_benchmark)?;
    finite(covariance(&sample.excess(), &benchmark)? / variance(&benchmark)?)
}

fn correlation(sample: &Sample<'_>) -> Answer {
    let benchmark = sample.benchmark()?;
    let spread = variation(sample.returns())? * variation(benchmark).map_err(of_benchmark)?;
    finite((covariance(sample.returns(), benchmark)? / spread).clamp(-1.0, 1.0))
}

const fn of_benchmark(reason: Undefined) -> Undefined {
    match reason {
        Undefined::ZeroVolatility => Undefined::ZeroBenchmarkVolatility,
        other => other,
    }
}
