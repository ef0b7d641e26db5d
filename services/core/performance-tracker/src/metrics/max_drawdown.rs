//! The deepest fall of the index below an earlier peak, and how long the index stayed below peaks.

use super::{
    Metric,
    Unit::{Days, Fraction},
};
use crate::returns::drawdown::{Drawdown, all, below_peaks, deepest};
use crate::sample::Sample;
use crate::undefined::{Answer, Undefined, finite};

/// The figures of this file.
pub const METRICS: &[Metric] = &[
    Metric::of_returns("max_drawdown", Fraction, "smallest index / earlier peak, less 1; at most 0", "empyrical max_drawdown", depth),
    Metric::of_returns("max_drawdown_days", Days, "days from the peak to the recovery, else to the last date", "Bacon (2008)", |sample| {
        days(sample, &deepest(&all(sample.returns())?)?)
    }),
    Metric::of_returns(
        "longest_drawdown_days",
        Days,
        "longest time from a peak to its recovery, else to the last date",
        "quantstats",
        longest,
    ),
    Metric::of_returns("average_drawdown", Fraction, "mean depth of all drawdowns; at most 0", "Bacon (2008); quantstats", average),
    Metric::of_returns("current_drawdown", Fraction, "last index / highest index so far, less 1", "Bacon (2008)", |sample| {
        sample.needs(1)?;
        below_peaks(sample.returns())?.last().copied().ok_or(Undefined::OutOfRange)
    }),
];

/// Depth of the deepest drawdown, at most 0; 0 where the index never fell.
pub fn depth(sample: &Sample<'_>) -> Answer {
    sample.needs(1)?;
    finite(below_peaks(sample.returns())?.into_iter().fold(0.0, f64::min))
}

/// Days of a drawdown. One from the start on counts from the day of the first value, else from that of the first return.
fn days(sample: &Sample<'_>, drawdown: &Drawdown) -> Answer {
    let dates = sample.dates()?;
    let opening = sample.opening().or(dates.first().copied());
    let start = drawdown.peak.map_or(opening, |row| dates.get(row).copied()).ok_or(Undefined::NoDates)?;
    let end = drawdown.recovery.map_or(dates.last(), |row| dates.get(row)).ok_or(Undefined::NoDates)?;
    finite(f64::from(end.days() - start.days()))
}

fn longest(sample: &Sample<'_>) -> Answer {
    let drawdowns = all(sample.returns())?;
    let lengths: Result<Vec<f64>, Undefined> = drawdowns.iter().map(|one| days(sample, one)).collect();
    lengths?.into_iter().reduce(f64::max).ok_or(Undefined::NoDrawdown)
}

fn average(sample: &Sample<'_>) -> Answer {
    let depths: Vec<f64> = all(sample.returns())?.iter().map(|one| one.depth).collect();
    if depths.is_empty() { Err(Undefined::NoDrawdown) } else { crate::numeric::mean(&depths) }
}
