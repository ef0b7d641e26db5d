//! The Omega ratio: what lay above the minimum acceptable return, over what lay below.

use super::{Metric, Unit::Ratio};
use crate::numeric::sum;
use crate::sample::Sample;
use crate::undefined::{Answer, Undefined, finite};

/// The figures of this file.
pub const METRICS: &[Metric] = &[Metric::of_returns(
    "omega",
    Ratio,
    "sum(max(r - MAR, 0)) / sum(max(MAR - r, 0))",
    "Keating and Shadwick (2002); empyrical omega_ratio",
    omega,
)];

fn omega(sample: &Sample<'_>) -> Answer {
    sample.needs(2)?;
    let above = sample.above_minimum();
    let below = sum(above.iter().map(|one| (-one).max(0.0)));
    if below > 0.0 { finite(sum(above.iter().map(|one| one.max(0.0))) / below) } else { Err(Undefined::NoDownside) }
}
