//! The Sortino ratio: what the downside was paid with.

use super::{Metric, Unit::Ratio, downside_deviation};
use crate::numeric::mean;
use crate::sample::Sample;
use crate::undefined::{Answer, finite};

/// The figures of this file.
pub const METRICS: &[Metric] = &[
    Metric::of_returns(
        "sortino",
        Ratio,
        "mean(r - rf) / sqrt(mean(min(r - MAR, 0)^2)) x sqrt(P), all n in the denominator",
        "Sortino and Price (1994), numerator of the Sharpe ratio",
        over_risk_free,
    ),
    Metric::of_returns(
        "sortino_target",
        Ratio,
        "mean(r - MAR) / sqrt(mean(min(r - MAR, 0)^2)) x sqrt(P)",
        "Sortino and Price (1994); empyrical sortino_ratio",
        over_target,
    ),
    Metric::of_returns(
        "sortino_target_period",
        Ratio,
        "mean(r - MAR) / sqrt(mean(min(r - MAR, 0)^2)), a period",
        "Rollinger and Hoffman (2013)",
        of_a_period,
    ),
];

fn over_risk_free(sample: &Sample<'_>) -> Answer {
    sample.needs(2)?;
    finite(mean(&sample.excess())? / downside_deviation::some(sample)? * sample.periods().sqrt())
}

fn over_target(sample: &Sample<'_>) -> Answer {
    finite(of_a_period(sample)? * sample.periods().sqrt())
}

fn of_a_period(sample: &Sample<'_>) -> Answer {
    sample.needs(2)?;
    finite(mean(&sample.above_minimum())? / downside_deviation::some(sample)?)
}
