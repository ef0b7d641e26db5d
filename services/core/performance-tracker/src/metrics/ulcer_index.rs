//! The Ulcer index: the depth and the length of drawdowns in one figure, and the return that it was paid with.

use super::{
    Metric,
    Unit::{Fraction, Ratio},
    cumulative_return,
};
use crate::numeric::sum;
use crate::returns::drawdown::below_peaks;
use crate::sample::Sample;
use crate::undefined::{Answer, Undefined, finite};

/// The figures of this file.
pub const METRICS: &[Metric] = &[
    Metric::of_returns("ulcer_index", Fraction, "sqrt(mean of squared drawdowns at each period)", "Martin (1987)", ulcer),
    Metric::of_returns("pain_index", Fraction, "mean of |drawdown| at each period", "Becker; Bacon (2008)", pain),
    Metric::of_returns("martin_ratio", Ratio, "(annualised return - annual risk-free rate) / Ulcer index", "Martin (1987)", martin),
    Metric::of_returns("pain_ratio", Ratio, "(annualised return - annual risk-free rate) / pain index", "Bacon (2008)", pain_ratio),
];

fn ulcer(sample: &Sample<'_>) -> Answer {
    sample.needs(1)?;
    let falls = below_peaks(sample.returns())?;
    finite((sum(falls.iter().map(|fall| fall * fall)) / falls.len() as f64).sqrt())
}

fn pain(sample: &Sample<'_>) -> Answer {
    sample.needs(1)?;
    let falls = below_peaks(sample.returns())?;
    finite(sum(falls.iter().map(|fall| fall.abs())) / falls.len() as f64)
}

fn martin(sample: &Sample<'_>) -> Answer {
    over(sample, ulcer(sample)?)
}

fn pain_ratio(sample: &Sample<'_>) -> Answer {
    over(sample, pain(sample)?)
}

fn over(sample: &Sample<'_>, index: f64) -> Answer {
    let excess = cumulative_return::annualised(sample)? - sample.risk_free_annual()?;
    if index > 0.0 { finite(excess / index) } else { Err(Undefined::NoDrawdown) }
}
