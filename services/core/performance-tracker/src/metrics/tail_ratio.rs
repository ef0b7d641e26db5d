//! The right tail of the returns over the left one.

use super::{Metric, Unit::Ratio};
use crate::numeric::quantile;
use crate::sample::Sample;
use crate::undefined::{Answer, Undefined, finite};

/// The figures of this file.
pub const METRICS: &[Metric] =
    &[Metric::of_returns("tail_ratio", Ratio, "|95 % quantile| / |5 % quantile|, type 7", "empyrical tail_ratio", tail_ratio)];

fn tail_ratio(sample: &Sample<'_>) -> Answer {
    let (right, left) = (quantile(sample.returns(), 0.95)?.abs(), quantile(sample.returns(), 0.05)?.abs());
    if left > 0.0 { finite(right / left) } else { Err(Undefined::ZeroDenominator) }
}
