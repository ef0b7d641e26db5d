//! Value at risk and expected shortfall: the loss that is not exceeded with a confidence, and the mean of those at
//! or beyond it. Positive fractions; a negative one is a gain even there.

use crate::numeric::moments::{central_moment, enough, standard_deviation};
use crate::numeric::{mean, normal, quantile, sum};
use crate::undefined::{Answer, Undefined, finite};

/// How the loss is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// The type-7 quantile of the returns themselves.
    #[default]
    Historical,
    /// Mean and standard deviation of a normal distribution.
    Parametric,
    /// The same, its quantile corrected for skewness and kurtosis.
    CornishFisher,
}

impl Method {
    /// The method as a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Historical => "historical",
            Self::Parametric => "parametric",
            Self::CornishFisher => "cornish-fisher",
        }
    }
}

/// What a statement of value at risk was computed from, and what it says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Statement {
    /// Value at risk, a fraction of the value, positive for a loss.
    pub value_at_risk: Answer,
    /// Expected shortfall, likewise; absent for Cornish-Fisher.
    pub shortfall: Answer,
    /// Method.
    pub method: Method,
    /// Confidence, between 0 and 1.
    pub confidence: f64,
    /// Horizon in periods.
    pub horizon: f64,
    /// Newest observations that were asked for.
    pub window: usize,
    /// Observations that there were.
    pub observations: usize,
    /// Rows within the window that had no return.
    pub gaps: usize,
}

/// Both figures of the newest `window` rows; rows without a return are gaps and are counted.
pub fn statement(rows: &[Option<f64>], window: usize, method: Method, confidence: f64, horizon: f64) -> Statement {
    let newest = &rows[rows.len().saturating_sub(window)..];
    let returns: Vec<f64> = newest.iter().copied().flatten().collect();
    Statement {
        value_at_risk: value_at_risk_of(&returns, method, confidence, horizon),
        shortfall: shortfall_of(&returns, method, confidence, horizon),
        method,
        confidence,
        horizon,
        window,
        observations: returns.len(),
        gaps: newest.len() - returns.len(),
    }
}

/// Value at risk of finite returns. A horizon scales historical losses by its square root.
pub fn value_at_risk_of(returns: &[f64], method: Method, confidence: f64, horizon: f64) -> Answer {
    if method == Method::Historical {
        enough(returns.len(), 1)?;
        return finite(-quantile(returns, 1.0 - confidence)? * horizon.sqrt());
    }
    let tail = tail(returns, method, confidence)?;
    finite(-(mean(returns)? * horizon + tail * standard_deviation(returns)? * horizon.sqrt()))
}

/// Expected shortfall of finite returns.
pub fn shortfall_of(returns: &[f64], method: Method, confidence: f64, horizon: f64) -> Answer {
    match method {
        Method::Historical => {
            let edge = quantile(returns, 1.0 - confidence)?;
            let beyond: Vec<f64> = returns.iter().copied().filter(|one| *one <= edge).collect();
            finite(-mean(&beyond)? * horizon.sqrt())
        }
        Method::Parametric => {
            let part = normal::density(normal::quantile(1.0 - confidence)?) / (1.0 - confidence);
            finite(-(mean(returns)? * horizon - part * standard_deviation(returns)? * horizon.sqrt()))
        }
        Method::CornishFisher => Err(Undefined::NoMethod),
    }
}

/// The quantile, in standard deviations from the mean.
fn tail(returns: &[f64], method: Method, confidence: f64) -> Answer {
    let z = normal::quantile(1.0 - confidence)?;
    if method != Method::CornishFisher {
        return Ok(z);
    }
    enough(returns.len(), 2)?;
    let second = central_moment(returns, 2)?;
    if second == 0.0 {
        return Err(Undefined::ZeroVolatility);
    }
    let skewness = central_moment(returns, 3)? / (second * second.sqrt());
    let kurtosis = central_moment(returns, 4)? / (second * second) - 3.0;
    // A quantile rises with its probability. Where the expansion does not, it is none (Maillard 2012).
    let slope = [1.0, z * skewness / 3.0, (z * z - 1.0) * kurtosis / 8.0, -(6.0 * z * z - 5.0) * skewness * skewness / 36.0];
    if sum(slope) <= 0.0 {
        return Err(Undefined::OutsideExpansion);
    }
    let terms = [
        z,
        (z * z - 1.0) * skewness / 6.0,
        (z * z * z - 3.0 * z) * kurtosis / 24.0,
        -(2.0 * z * z * z - 5.0 * z) * skewness * skewness / 36.0,
    ];
    finite(sum(terms))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETURNS: [f64; 5] = [-0.04, -0.02, 0.0, 0.02, 0.04];

    #[test]
    fn losses_are_positive() {
        assert!((value_at_risk_of(&RETURNS, Method::Historical, 0.9, 1.0).unwrap() - 0.032).abs() < 1e-15);
        assert!((shortfall_of(&RETURNS, Method::Historical, 0.9, 1.0).unwrap() - 0.04).abs() < 1e-15);
        let parametric = value_at_risk_of(&RETURNS, Method::Parametric, 0.95, 1.0).unwrap();
        assert!((parametric - 1.644_853_626_951_472_2 * 0.001_f64.sqrt()).abs() < 1e-15);
        assert!(shortfall_of(&RETURNS, Method::Parametric, 0.95, 1.0).unwrap() > parametric);
        let gain = value_at_risk_of(&[0.1, 0.2], Method::Historical, 0.95, 1.0).unwrap();
        assert!(gain < 0.0);
    }

    #[test]
    fn a_statement_counts_what_it_rests_on() {
        let rows = [Some(9.0), Some(-0.1), None, Some(0.1)];
        let said = statement(&rows, 3, Method::Historical, 0.5, 1.0);
        assert_eq!((said.window, said.observations, said.gaps), (3, 2, 1));
        assert_eq!(said.value_at_risk, Ok(0.0));
        let none = statement(&[], 500, Method::Parametric, 0.95, 1.0);
        assert!(none.value_at_risk.is_err() && none.shortfall.is_err());
    }

    #[test]
    fn an_expansion_that_falls_is_no_quantile() {
        // A year of small days, and one of −30 %: "at 99 %" it would be a gain of 40 %.
        let small = |day: i32| if day % 2 == 0 { 0.001 } else { -0.001 };
        let returns: Vec<f64> = (0..249).map(small).chain([-0.3]).collect();
        for confidence in [0.9, 0.95, 0.99] {
            assert_eq!(value_at_risk_of(&returns, Method::CornishFisher, confidence, 1.0), Err(Undefined::OutsideExpansion));
        }
        // Fat tails that the expansion bears.
        let returns: Vec<f64> = (0..1000).map(small).chain([0.01, -0.01, 0.01, -0.01]).collect();
        let normal = value_at_risk_of(&returns, Method::Parametric, 0.99, 1.0).unwrap();
        assert!(value_at_risk_of(&returns, Method::CornishFisher, 0.99, 1.0).unwrap() > normal);
    }

    #[test]
    fn a_horizon_scales_by_its_root() {
        let one = value_at_risk_of(&RETURNS, Method::Historical, 0.9, 1.0).unwrap();
        assert!((value_at_risk_of(&RETURNS, Method::Historical, 0.9, 4.0).unwrap() - 2.0 * one).abs() < 1e-15);
    }
}
