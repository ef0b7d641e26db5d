//! The standard normal distribution: density, distribution and its inverse.

use crate::undefined::{Answer, Undefined, finite};
use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// Steps after which the inverse has settled; three are enough anywhere.
const STEPS: usize = 12;

/// Density at `x`.
pub fn density(x: f64) -> f64 {
    libm::exp(-x * x / 2.0) / (2.0 * PI).sqrt()
}

/// Probability of a value at or below `x`.
pub fn distribution(x: f64) -> f64 {
    libm::erfc(-x * FRAC_1_SQRT_2) / 2.0
}

/// The value at or below which a draw lies with this probability, strictly between 0 and 1.
pub fn quantile(probability: f64) -> Answer {
    if !(probability > 0.0 && probability < 1.0) {
        return Err(Undefined::OutOfRange);
    }
    // Both tails are solved on the left: there the distribution keeps its digits.
    if probability > 0.5 {
        return Ok(-left_tail(1.0 - probability)?);
    }
    left_tail(probability)
}

/// Halley's method on the logarithm's scale, from the leading term of the tail.
fn left_tail(probability: f64) -> Answer {
    let far = (-2.0 * libm::log(probability)).sqrt();
    // Abramowitz and Stegun 26.2.22, right to 3e-3.
    let mut x = -(far - (2.30753 + 0.27061 * far) / (1.0 + (0.99229 + 0.04481 * far) * far));
    for _ in 0..STEPS {
        let step = (distribution(x) - probability) / density(x);
        let next = x - step / (1.0 + x * step / 2.0);
        if (next - x).abs() <= f64::EPSILON * x.abs() {
            return finite(next);
        }
        x = next;
    }
    finite(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quantiles_of_the_tables() {
        for (probability, expected) in [
            (0.5, 0.0),
            (0.95, 1.644_853_626_951_472_2),
            (0.975, 1.959_963_984_540_054),
            (0.99, 2.326_347_874_040_840_8),
            (0.01, -2.326_347_874_040_840_8),
            (0.001, -3.090_232_306_167_813_5),
            (1e-10, -6.361_340_902_404_056),
        ] {
            let found = quantile(probability).unwrap();
            assert!((found - expected).abs() <= 4e-15 * (1.0 + found.abs()), "{probability}: {found}");
        }
        assert!(quantile(0.0).is_err() && quantile(1.0).is_err() && quantile(f64::NAN).is_err());
    }

    #[test]
    fn the_inverse_undoes_the_distribution() {
        for step in 1..1000 {
            let probability = f64::from(step) / 1000.0;
            let back = distribution(quantile(probability).unwrap());
            assert!((back - probability).abs() < 1e-15, "{probability}: {back}");
        }
    }
}
