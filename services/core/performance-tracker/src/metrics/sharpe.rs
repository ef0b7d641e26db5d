//! The Sharpe ratio: what volatility was paid with. Also how sure one can be that it is not chance.

use super::{
    Metric,
    Unit::{Fraction, Ratio},
};
use crate::numeric::moments::variation;
use crate::numeric::{mean, normal};
use crate::sample::Sample;
use crate::undefined::{Answer, finite};

/// The figures of this file.
pub const METRICS: &[Metric] = &[
    Metric::of_returns("sharpe", Ratio, "mean(r - rf) / std(r - rf), n - 1, x sqrt(P)", "Sharpe (1994); empyrical sharpe_ratio", sharpe),
    Metric::of_returns("sharpe_period", Ratio, "mean(r - rf) / std(r - rf), n - 1, a period", "Sharpe (1994)", of_a_period),
    Metric::of_returns("sharpe_compounded", Ratio, "(annualised return - annual risk-free rate) / volatility", "Bacon (2008)", compounded),
    Metric::of_returns(
        "probabilistic_sharpe",
        Fraction,
        "N(S x sqrt(n - 1) / sqrt(1 - g1 S + (g2 + 2)/4 x S^2)): probability that the true ratio is above zero",
        "Bailey and Lopez de Prado (2012), skewness g1 and excess kurtosis g2 of the sample",
        probabilistic,
    ),
];

/// Sharpe ratio of a period.
pub fn of_a_period(sample: &Sample<'_>) -> Answer {
    let excess = sample.excess();
    finite(mean(&excess)? / variation(&excess)?)
}

/// Sharpe ratio, a year.
pub fn sharpe(sample: &Sample<'_>) -> Answer {
    finite(of_a_period(sample)? * sample.periods().sqrt())
}

fn compounded(sample: &Sample<'_>) -> Answer {
    variation(sample.returns())?;
    let excess = super::cumulative_return::annualised(sample)? - sample.risk_free_annual()?;
    finite(excess / super::volatility::annualised(sample)?)
}

fn probabilistic(sample: &Sample<'_>) -> Answer {
    let ratio = of_a_period(sample)?;
    let (skewness, kurtosis) = (super::skewness::population(sample)?, super::kurtosis::population(sample)?);
    let spread = (1.0 - skewness * ratio + (kurtosis + 2.0) / 4.0 * ratio * ratio).sqrt();
    finite(normal::distribution(ratio * ((sample.len() - 1) as f64).sqrt() / spread))
}
