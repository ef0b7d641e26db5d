//! Returns from values and flows, and what they compound to. All are simple returns, as fractions.

pub mod account;
pub mod calendar;
pub mod dietz;
pub mod drawdown;
pub mod joined;
pub mod money_weighted;

use crate::undefined::{Answer, Undefined, finite};

/// What one unit grows to: the product of 1 + r. A return below -100 % leaves nothing that could.
pub fn growth(returns: &[f64]) -> Answer {
    if returns.iter().any(|one| *one < -1.0) {
        return Err(Undefined::TotalLoss);
    }
    finite(returns.iter().fold(1.0, |product, one| product * (1.0 + one)))
}

/// The flow-neutral index: 1, and what it has grown to after each period.
pub fn index(returns: &[f64]) -> Result<Vec<f64>, Undefined> {
    let mut levels = vec![1.0];
    for one in returns {
        let next = if *one < -1.0 { Err(Undefined::TotalLoss) } else { finite(levels[levels.len() - 1] * (1.0 + one)) };
        levels.push(next?);
    }
    Ok(levels)
}

/// Returns between levels that follow each other; every level but the last must be positive.
pub fn between(levels: &[f64]) -> Result<Vec<f64>, Undefined> {
    let one = |pair: &[f64]| if pair[0] > 0.0 { finite(pair[1] / pair[0] - 1.0) } else { Err(Undefined::NoCapital) };
    levels.windows(2).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_returns_are_each_other() {
        let returns = between(&[100.0, 110.0, 99.0]).unwrap();
        let levels = index(&returns).unwrap();
        assert!((levels[2] - 0.99).abs() < 1e-15 && (growth(&returns).unwrap() - 0.99).abs() < 1e-15);
        assert_eq!(between(&[0.0, 1.0]), Err(Undefined::NoCapital));
        assert_eq!((growth(&[-1.5]), growth(&[-1.0, 0.5])), (Err(Undefined::TotalLoss), Ok(0.0)));
        assert_eq!(index(&[1e200, 1e200]), Err(Undefined::OutOfRange));
    }
}
