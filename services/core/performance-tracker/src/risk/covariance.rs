//! How assets move together: covariance and correlation matrices on common dates, plain or with weights that fade.
//! A matrix is a list of rows; entry (i, j) belongs to assets i and j, in the order of the columns that came in.

use crate::numeric::moments::{enough, variation};
use crate::numeric::{mean, sum};
use crate::undefined::{Answer, Undefined, finite};

/// A square matrix, row by row.
pub type Matrix = Vec<Vec<f64>>;

/// Sample covariances (n - 1) a period of at least two observations; every column has one length.
pub fn sample(columns: &[Vec<f64>]) -> Result<Matrix, Undefined> {
    let around = centred(columns)?;
    let one_less = columns.first().map_or(1, |column| column.len() - 1) as f64;
    pairs(columns.len(), |i, j| finite(sum(around[i].iter().zip(&around[j]).map(|(one, other)| one * other)) / one_less))
}

/// Pearson correlations; absent where one column does not vary.
pub fn correlation(columns: &[Vec<f64>]) -> Result<Matrix, Undefined> {
    columns.iter().try_for_each(|column| variation(column).map(|_| ()))?;
    correlation_of(&sample(columns)?)
}

/// Exponentially weighted covariances a period (RiskMetrics 1996): the newest product of returns has the weight
/// 1 - lambda, each older one lambda times the next, all divided by their sum; the mean return counts as zero.
/// `lambda` lies above 0 and below 1.
pub fn exponential(columns: &[Vec<f64>], lambda: f64) -> Result<Matrix, Undefined> {
    if !(lambda > 0.0 && lambda < 1.0) {
        return Err(Undefined::OutOfRange);
    }
    let length = columns.first().map_or(0, Vec::len);
    enough(length, 1)?;
    let mut weights = vec![1.0];
    (1..length).for_each(|at| weights.push(weights[at - 1] * lambda));
    weights.reverse();
    let whole = sum(weights.iter().copied());
    pairs(columns.len(), |i, j| {
        let products = weights.iter().zip(&columns[i]).zip(&columns[j]).map(|((weight, one), other)| weight * one * other);
        finite(sum(products) / whole)
    })
}

/// Correlations that belong to covariances; absent where a variance is zero.
pub fn correlation_of(covariances: &Matrix) -> Result<Matrix, Undefined> {
    let spread = |i: usize| if covariances[i][i] > 0.0 { Ok(covariances[i][i].sqrt()) } else { Err(Undefined::ZeroVolatility) };
    pairs(covariances.len(), |i, j| match i == j {
        true => spread(i).map(|_| 1.0),
        false => finite((covariances[i][j] / (spread(i)? * spread(j)?)).clamp(-1.0, 1.0)),
    })
}

/// Each row times the weights: the covariance of each asset with the portfolio.
pub fn with_portfolio(covariances: &Matrix, weights: &[f64]) -> Vec<f64> {
    covariances.iter().map(|row| sum(row.iter().zip(weights).map(|(entry, weight)| entry * weight))).collect()
}

/// A symmetric matrix from its upper half.
fn pairs(size: usize, entry: impl Fn(usize, usize) -> Answer) -> Result<Matrix, Undefined> {
    let upper: Result<Matrix, Undefined> = (0..size).map(|i| (i..size).map(|j| entry(i, j)).collect()).collect();
    let upper = upper?;
    Ok((0..size).map(|i| (0..size).map(|j| upper[i.min(j)][i.max(j) - i.min(j)]).collect()).collect())
}

/// Columns around their means, of at least two observations.
fn centred(columns: &[Vec<f64>]) -> Result<Matrix, Undefined> {
    let one = |column: &Vec<f64>| {
        enough(column.len(), 2)?;
        let middle = mean(column)?;
        Ok(column.iter().map(|value| value - middle).collect())
    };
    columns.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<Vec<f64>> {
        vec![vec![0.01, 0.02, -0.01], vec![0.02, 0.04, -0.02], vec![-0.01, 0.01, 0.0]]
    }

    #[test]
    fn a_column_and_its_double_are_of_one_mind() {
        let matrix = correlation(&columns()).unwrap();
        assert!((matrix[0][1] - 1.0).abs() < 1e-15 && matrix[2][2] == 1.0 && matrix[0][2] == matrix[2][0]);
        let covariances = sample(&columns()).unwrap();
        assert!((covariances[1][1] - 4.0 * covariances[0][0]).abs() < 1e-18);
        assert!((correlation_of(&covariances).unwrap()[0][2] - matrix[0][2]).abs() < 1e-15);
        assert_eq!(correlation(&[vec![0.1, 0.1], vec![0.0, 0.1]]), Err(Undefined::ZeroVolatility));
        assert!(sample(&[vec![0.1]]).is_err());
    }

    #[test]
    fn newer_products_weigh_more() {
        let matrix = exponential(&columns(), 0.5).unwrap();
        let expected = (0.25 * 1e-4 + 0.5 * 4e-4 + 1e-4) / 1.75;
        assert!((matrix[0][0] - expected).abs() < 1e-18);
        assert_eq!(exponential(&columns(), 1.0), Err(Undefined::OutOfRange));
        assert!(exponential(&[vec![]], 0.9).is_err());
    }
}
