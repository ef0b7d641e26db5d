//! Downside deviation: how far returns fall short of the minimum acceptable one; all n in the denominator.

use super::{Metric, Unit::Fraction};
use crate::numeric::sum;
use crate::sample::Sample;
use crate::undefined::{Answer, Undefined, finite};

/// The figures of this file.
pub const METRICS: &[Metric] = &[
    Metric::of_returns(
        "downside_deviation",
        Fraction,
        "sqrt(mean(min(r - MAR, 0)^2)) x sqrt(P), all n in the mean",
        "Sortino and van der Meer (1991); empyrical downside_risk",
        annualised,
    ),
    Metric::of_returns("downside_deviation_period", Fraction, "sqrt(mean(min(r - MAR, 0)^2)), a period", "Bacon (2008)", of_a_period),
];

/// Downside deviation, a period; zero where nothing falls short.
pub fn of_a_period(sample: &Sample<'_>) -> Answer {
    sample.needs(1)?;
    let squares = sample.above_minimum().into_iter().map(|above| above.min(0.0) * above.min(0.0));
    finite((sum(squares) / sample.len() as f64).sqrt())
}

/// Downside deviation, a year.
pub fn annualised(sample: &Sample<'_>) -> Answer {
    finite(of_a_period(sample)? * sample.periods().sqrt())
}

/// The same as a denominator: absent where nothing falls short.
pub fn some(sample: &Sample<'_>) -> Answer {
    of_a_period(sample).and_then(|deviation| if deviation > 0.0 { Ok(deviation) } else { Err(Undefined::NoDownside) })
}
