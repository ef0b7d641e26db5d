//! Quantiles of a sample by linear interpolation between order statistics: type 7 of Hyndman and Fan (1996), the
//! rule of numpy, R and Excel's PERCENTILE.INC.

use super::moments::enough;
use crate::undefined::{Answer, Undefined, finite};

/// Between which of `length` ordered values a type-7 quantile lies: the place of the lower one, and the part of the way to the
/// next. What lies on a value but for the rounding of its probability (one less a confidence) lies on it.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank lies between 0 and the length")]
pub fn rank(length: usize, probability: f64) -> (usize, f64) {
    let rank = (length - 1) as f64 * probability;
    let whole = rank.round();
    let rank = if (rank - whole).abs() <= 4.0 * f64::EPSILON * whole.max(1.0) { whole } else { rank };
    (rank.floor() as usize, rank - rank.floor())
}

/// The type-7 quantile of at least one value; `probability` within 0 to 1.
pub fn quantile(values: &[f64], probability: f64) -> Answer {
    enough(values.len(), 1)?;
    if !(0.0..=1.0).contains(&probability) {
        return Err(Undefined::OutOfRange);
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (below, part) = rank(sorted.len(), probability);
    let (low, high) = (sorted[below], sorted[(below + 1).min(sorted.len() - 1)]);
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
        // One less 0.8 is a little less than a fifth, and five times that a little less than one.
        assert_eq!(quantile(&[-0.05, -0.03, 0.01, 0.02, 0.03, 0.04], 1.0 - 0.8), Ok(-0.03));
        assert_eq!((rank(1001, 1.0 - 0.9), rank(5, 0.375)), ((100, 0.0), (1, 0.5)));
        assert!(quantile(&[], 0.5).is_err() && quantile(&values, 1.5).is_err() && quantile(&values, f64::NAN).is_err());
    }
}
