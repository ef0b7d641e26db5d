//! Returns from values and flows, and what they compound to.

use crate::undefined::{Answer, Undefined, finite};

/// What one unit grows to: the product of 1 + r. A return below -100 % ends it.
pub fn growth(returns: &[f64]) -> Answer {
    if returns.iter().any(|one| *one < -1.0) {
        return Err(Undefined::TotalLoss);
    }
    finite(returns.iter().fold(1.0, |product, one| product * (1.0 + one)))
}
