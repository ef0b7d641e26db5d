//! The risk that a portfolio ran beside the risk that it was to run.

use crate::undefined::{Answer, Undefined, finite};

/// Realised against target risk, both fractions a year.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AgainstTarget {
    /// Annualised volatility.
    pub realised: f64,
    /// Annualised volatility that was aimed at.
    pub target: f64,
    /// Realised less target: positive where more was risked.
    pub difference: f64,
    /// Realised over target.
    pub ratio: f64,
}

/// Compares an annualised volatility with the one that was aimed at, which is positive.
pub fn against_target(realised: Answer, target: f64) -> Result<AgainstTarget, Undefined> {
    let realised = realised?;
    if target <= 0.0 {
        return Err(Undefined::ZeroDenominator);
    }
    Ok(AgainstTarget { realised, target, difference: finite(realised - target)?, ratio: finite(realised / target)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_the_target_is_positive() {
        let found = against_target(Ok(0.15), 0.1).unwrap();
        assert!((found.difference - 0.05).abs() < 1e-15 && (found.ratio - 1.5).abs() < 1e-15);
        assert!(against_target(Ok(0.1), 0.0).is_err() && against_target(Err(Undefined::NoDates), 0.1).is_err());
    }
}
