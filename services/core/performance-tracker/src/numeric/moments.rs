//! Means, variances and covariances in two passes: the mean first, then what lies around it.

use super::sum::sum;
use crate::undefined::{Answer, Undefined, finite};

/// Part of the largest absolute return below which a standard deviation counts as zero.
const NOTHING: f64 = 1e-15;

/// Whether there are so many observations.
pub const fn enough(have: usize, need: usize) -> Result<(), Undefined> {
    if have < need { Err(Undefined::TooFewObservations { have, need }) } else { Ok(()) }
}

/// Arithmetic mean of at least one value.
pub fn mean(values: &[f64]) -> Answer {
    enough(values.len(), 1)?;
    finite(sum(values.iter().copied()) / values.len() as f64)
}

/// Sample variance (n - 1) of at least two values.
pub fn variance(values: &[f64]) -> Answer {
    covariance(values, values)
}

/// Sample standard deviation (n - 1) of at least two values.
pub fn standard_deviation(values: &[f64]) -> Answer {
    Ok(variance(values)?.sqrt())
}

/// Sample covariance (n - 1) of two series of one length.
pub fn covariance(left: &[f64], right: &[f64]) -> Answer {
    assert_eq!(left.len(), right.len(), "series of a covariance have one length");
    enough(left.len(), 2)?;
    let (of_left, of_right) = (mean(left)?, mean(right)?);
    let products = left.iter().zip(right).map(|(one, other)| (one - of_left) * (other - of_right));
    finite(sum(products) / (left.len() - 1) as f64)
}

/// Mean of the n-th powers of the distances from the mean (divided by n).
pub fn central_moment(values: &[f64], power: u32) -> Answer {
    let middle = mean(values)?;
    let raised = |value: f64| (0..power).fold(1.0, |product, _| product * (value - middle));
    finite(sum(values.iter().copied().map(raised)) / values.len() as f64)
}

/// The standard deviation, unless the values do not vary.
pub fn variation(values: &[f64]) -> Answer {
    let deviation = standard_deviation(values)?;
    let largest = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    if deviation <= NOTHING * largest { Err(Undefined::ZeroVolatility) } else { Ok(deviation) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_by_hand() {
        let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        assert_eq!(mean(&values), Ok(5.0));
        assert_eq!(central_moment(&values, 2), Ok(4.0));
        assert_eq!(variance(&values), Ok(32.0 / 7.0));
        assert_eq!(mean(&[]), Err(Undefined::TooFewObservations { have: 0, need: 1 }));
        assert_eq!(variance(&[1.0]), Err(Undefined::TooFewObservations { have: 1, need: 2 }));
    }

    #[test]
    fn a_constant_series_does_not_vary_whatever_rounding_leaves() {
        assert_eq!(variation(&[0.1; 7]), Err(Undefined::ZeroVolatility));
        assert_eq!(variation(&[0.0; 7]), Err(Undefined::ZeroVolatility));
        assert!(variation(&[1e-12, 2e-12]).is_ok());
    }

    #[test]
    fn a_far_mean_takes_no_digits_away() {
        let far: Vec<f64> = [4.0, 7.0, 13.0, 16.0].iter().map(|value| value + 1e9).collect();
        assert_eq!(variance(&far), Ok(30.0));
    }
}
