//! Quantiles of a sample by linear interpolation between order statistics: type 7 of Hyndman and Fan (1996), the
//! rule of numpy, R and Excel's PERCENTILE.INC.

use super::moments::enough;
use crate::undefined::{Answer, Undefined, finite};

/// The type-7 quantile of at least one value; `probability` within 0 to 1.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank lies between 0 and the length")]
pub fn quantile(values: &[f64], probability: f64) -> Answer {
    enough(values.len(), 1)?;
    if !(0.0..=1.0).contains(&probability) {
        return Err(Undefined::OutOfRange);
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() - 1) as f64 * probability;
    let (below, part) = (rank.floor(), rank - rank.floor());
    let low = sorted[below as usize];
    let high = sorted[(below as usize + 1).min(sorted.len() - 1)];
    finite(low + (high - low) * part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_statistics_are_joined_by_lines() {
        let values = [4.0, 1.0, 3.0, 2.0];
        for (probability, expected) in [(0.0, 1.0), (0.25, 1.75), (0.4, 2.2), (0.5, 2.5), (1.0, 4.0)] {
            assert!((quantile(&values, probability).unwrap() - expected).abs() < 1e-15, "{probability}");
        }
        assert_eq!(quantile(&[7.0], 0.3), Ok(7.0));
        assert!(quantile(&[], 0.5).is_err() && quantile(&values, 1.5).is_err() && quantile(&values, f64::NAN).is_err());
    }
}
