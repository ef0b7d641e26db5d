//! What each holding adds to the risk of the whole. The components add up to the total, by each method.

use super::covariance::{Matrix, with_portfolio};
use crate::numeric::moments::enough;
use crate::numeric::{mean, normal, sum};
use crate::undefined::{Answer, Undefined, finite};

/// A book's risk and the part of each holding, in the order of the holdings; fractions of the book's value.
#[derive(Debug, Clone, PartialEq)]
pub struct Components {
    /// Total.
    pub total: f64,
    /// What each holding adds; they add up to the total.
    pub parts: Vec<f64>,
}

impl Components {
    /// Each part over the total; absent where the total is zero.
    pub fn shares(&self) -> Vec<Answer> {
        let share = |part: &f64| if self.total == 0.0 { Err(Undefined::ZeroDenominator) } else { finite(part / self.total) };
        self.parts.iter().map(share).collect()
    }
}

/// Volatility a period: weight times covariance with the portfolio, over the portfolio's volatility (Euler).
pub fn volatility(covariances: &Matrix, weights: &[f64]) -> Result<Components, Undefined> {
    let with = with_portfolio(covariances, weights);
    let variance = finite(sum(with.iter().zip(weights).map(|(entry, weight)| entry * weight)))?;
    if variance <= 0.0 {
        return Err(Undefined::ZeroVolatility);
    }
    let total = variance.sqrt();
    Ok(Components { total, parts: with.iter().zip(weights).map(|(entry, weight)| weight * entry / total).collect() })
}

/// Parametric value at risk: -(mean x horizon + z std x sqrt(horizon)), of which each holding has -(its weighted mean
/// x horizon + z x its part of the volatility x sqrt(horizon)). Means of zero leave the mean out.
pub fn parametric(covariances: &Matrix, means: &[f64], weights: &[f64], confidence: f64, horizon: f64) -> Result<Components, Undefined> {
    below_the_mean(covariances, means, weights, -normal::quantile(1.0 - confidence)?, horizon)
}

/// Expected shortfall of a normal distribution: density(z) / (1 - confidence) deviations below the mean, of which each
/// holding has its part as of [`parametric`].
pub fn parametric_shortfall(
    covariances: &Matrix,
    means: &[f64],
    weights: &[f64],
    confidence: f64,
    horizon: f64,
) -> Result<Components, Undefined> {
    let deviations = normal::density(normal::quantile(1.0 - confidence)?) / (1.0 - confidence);
    below_the_mean(covariances, means, weights, deviations, horizon)
}

/// The loss so many standard deviations below the mean.
fn below_the_mean(covariances: &Matrix, means: &[f64], weights: &[f64], deviations: f64, horizon: f64) -> Result<Components, Undefined> {
    let moved = volatility(covariances, weights)?.parts;
    let drift = means.iter().zip(weights).map(|(mean, weight)| mean * weight * horizon);
    let parts: Vec<f64> = moved.iter().zip(drift).map(|(part, drift)| deviations * part * horizon.sqrt() - drift).collect();
    Ok(Components { total: finite(sum(parts.iter().copied()))?, parts })
}

/// What each holding lost in the rows between which the historical value at risk of the book lies (type 7).
pub fn historical(columns: &[Vec<f64>], weights: &[f64], confidence: f64) -> Result<Components, Undefined> {
    let book = portfolio(columns, weights);
    enough(book.len(), 1)?;
    if !(0.0..=1.0).contains(&confidence) {
        return Err(Undefined::OutOfRange);
    }
    let mut rows: Vec<usize> = (0..book.len()).collect();
    rows.sort_by(|one, other| book[*one].total_cmp(&book[*other]));
    let (low, part) = crate::numeric::rank(rows.len(), 1.0 - confidence);
    let (below, above) = (rows[low], rows[(low + 1).min(rows.len() - 1)]);
    let lost = |column: &Vec<f64>, weight: &f64| -weight * (column[below] + (column[above] - column[below]) * part);
    let parts: Vec<f64> = columns.iter().zip(weights).map(|(column, weight)| lost(column, weight)).collect();
    Ok(Components { total: finite(sum(parts.iter().copied()))?, parts })
}

/// What each holding lost on average in the rows at or below the historical value at risk of the book.
pub fn shortfall(columns: &[Vec<f64>], weights: &[f64], confidence: f64) -> Result<Components, Undefined> {
    let book = portfolio(columns, weights);
    let edge = crate::numeric::quantile(&book, 1.0 - confidence)?;
    let lost = |column: &Vec<f64>, weight: &f64| {
        let beyond: Vec<f64> = column.iter().zip(&book).filter(|(_, whole)| **whole <= edge).map(|(own, _)| *own).collect();
        Ok(-weight * mean(&beyond)?)
    };
    let parts: Result<Vec<f64>, Undefined> = columns.iter().zip(weights).map(|(column, weight)| lost(column, weight)).collect();
    let parts = parts?;
    Ok(Components { total: finite(sum(parts.iter().copied()))?, parts })
}

/// What a book with these weights would have returned in each period.
pub fn portfolio(columns: &[Vec<f64>], weights: &[f64]) -> Vec<f64> {
    assert_eq!(columns.len(), weights.len(), "each asset has its weight");
    let rows = columns.first().map_or(0, Vec::len);
    (0..rows).map(|row| sum(columns.iter().zip(weights).map(|(column, weight)| column[row] * weight))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::risk::covariance::sample;
    use crate::risk::value_at_risk::{Method, shortfall_of, value_at_risk_of};

    #[test]
    fn parts_add_up_to_what_the_book_risks() {
        let columns = vec![vec![0.01, -0.02, 0.03, -0.01, 0.005], vec![-0.01, 0.01, 0.02, -0.03, 0.0]];
        let weights = [0.7, 0.5];
        let book = portfolio(&columns, &weights);
        let means = [mean(&columns[0]).unwrap(), mean(&columns[1]).unwrap()];
        let found = parametric(&sample(&columns).unwrap(), &means, &weights, 0.95, 1.0).unwrap();
        let total = value_at_risk_of(&book, Method::Parametric, 0.95, 1.0).unwrap();
        assert!((found.total - total).abs() < 1e-15 && (found.parts[0] + found.parts[1] - total).abs() < 1e-15);
        let old = historical(&columns, &weights, 0.9).unwrap();
        assert!((old.total - value_at_risk_of(&book, Method::Historical, 0.9, 1.0).unwrap()).abs() < 1e-15);
        let beyond = shortfall(&columns, &weights, 0.7).unwrap();
        assert!((beyond.total - shortfall_of(&book, Method::Historical, 0.7, 1.0).unwrap()).abs() < 1e-15);
        assert!((sum(found.shares().into_iter().map(Result::unwrap)) - 1.0).abs() < 1e-15);
    }

    #[test]
    fn the_parts_of_a_parametric_shortfall_add_up_to_it() {
        let columns = vec![vec![0.01, -0.02, 0.03, -0.01, 0.005], vec![-0.01, 0.01, 0.02, -0.03, 0.0]];
        let weights = [0.7, 0.5];
        let covariances = sample(&columns).unwrap();
        let means = [mean(&columns[0]).unwrap(), mean(&columns[1]).unwrap()];
        let book = portfolio(&columns, &weights);
        for confidence in [0.5, 0.9, 0.95, 0.99, 0.999] {
            let found = parametric_shortfall(&covariances, &means, &weights, confidence, 4.0).unwrap();
            let whole = shortfall_of(&book, Method::Parametric, confidence, 4.0).unwrap();
            assert!((found.total - whole).abs() < 1e-15, "{confidence}: {} is not {whole}", found.total);
        }
    }

    #[test]
    fn a_book_that_does_not_move_has_no_parts() {
        assert_eq!(volatility(&vec![vec![0.0]], &[1.0]), Err(Undefined::ZeroVolatility));
        assert!(historical(&[], &[], 0.95).is_err() && shortfall(&[vec![]], &[1.0], 0.95).is_err());
    }
}
