//! The best and the worst period.

use super::{Metric, Unit::Fraction};
use crate::sample::Sample;
use crate::undefined::Undefined;

/// The figures of this file.
pub const METRICS: &[Metric] = &[
    Metric::of_returns("best_day", Fraction, "largest r: the best period", "quantstats best", |sample| {
        sample.returns().iter().copied().reduce(f64::max).ok_or(NONE)
    }),
    Metric::of_returns("worst_day", Fraction, "smallest r: the worst period", "quantstats worst", |sample| {
        sample.returns().iter().copied().reduce(f64::min).ok_or(NONE)
    }),
];

const NONE: Undefined = Undefined::TooFewObservations { have: 0, need: 1 };

/// Rows of the best and the worst period, the first where several are equal; `None` of an empty sample.
pub fn rows(sample: &Sample<'_>) -> Option<(usize, usize)> {
    let returns = sample.returns();
    let better = |best: usize, row: usize| if returns[row] > returns[best] { row } else { best };
    let worse = |worst: usize, row: usize| if returns[row] < returns[worst] { row } else { worst };
    Some(((0..returns.len()).reduce(better)?, (0..returns.len()).reduce(worse)?))
}
