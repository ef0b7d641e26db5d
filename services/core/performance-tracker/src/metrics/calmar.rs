//! Return over drawdown: Calmar and its relatives.

use super::{Metric, Unit::Ratio, cumulative_return, max_drawdown};
use crate::numeric::sum;
use crate::sample::Sample;
use crate::undefined::{Answer, Undefined, finite};

/// The figures of this file.
pub const METRICS: &[Metric] = &[
    Metric::of_returns("calmar", Ratio, "annualised return / |max drawdown|", "Young (1991); empyrical calmar_ratio", calmar),
    Metric::of_returns("recovery_factor", Ratio, "|sum of r| / |max drawdown|", "quantstats recovery_factor", recovery),
    Metric::of_returns("return_over_drawdown", Ratio, "cumulative return / |max drawdown|", "RoMaD", over_total),
];

/// The size of the deepest drawdown, absent where there is none.
fn fall(sample: &Sample<'_>) -> Answer {
    let depth = max_drawdown::depth(sample)?.abs();
    if depth > 0.0 { Ok(depth) } else { Err(Undefined::NoDrawdown) }
}

fn calmar(sample: &Sample<'_>) -> Answer {
    finite(cumulative_return::annualised(sample)? / fall(sample)?)
}

fn recovery(sample: &Sample<'_>) -> Answer {
    finite(sum(sample.returns().iter().copied()).abs() / fall(sample)?)
}

fn over_total(sample: &Sample<'_>) -> Answer {
    finite(cumulative_return::cumulative(sample)? / fall(sample)?)
}
