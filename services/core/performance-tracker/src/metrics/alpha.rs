//! Jensen's alpha: the return that beta does not explain. Three conventions are in use; each has its name.

use super::{
    Metric,
    Unit::{Fraction, Ratio},
    beta::beta,
    cumulative_return, volatility,
};
use crate::numeric::mean;
use crate::sample::Sample;
use crate::undefined::{Answer, Undefined, finite};

/// The figures of this file.
pub const METRICS: &[Metric] = &[
    Metric::of_returns(
        "alpha",
        Fraction,
        "(1 + mean((r - rf) - beta (b - rf)))^P - 1: the alpha of a period, compounded",
        "Jensen (1968); empyrical alpha",
        compounded,
    ),
    Metric::of_returns("alpha_arithmetic", Fraction, "mean((r - rf) - beta (b - rf)) x P", "Jensen (1968); quantstats greeks", arithmetic),
    Metric::of_returns(
        "alpha_of_annualised",
        Fraction,
        "annualised r - (annual rf + beta (annualised b - annual rf))",
        "Jensen (1968); Bacon (2008)",
        of_annualised,
    ),
    Metric::of_returns("treynor", Ratio, "(annualised r - annual rf) / beta", "Treynor (1965); Bacon (2008)", treynor),
    Metric::of_returns("m_squared", Fraction, "Sharpe ratio x volatility of b + annual rf", "Modigliani and Modigliani (1997)", m_squared),
];

/// Alpha of a period.
pub fn of_a_period(sample: &Sample<'_>) -> Answer {
    let beta = beta(sample)?;
    let benchmark = sample.benchmark_excess()?;
    let unexplained: Vec<f64> = sample.excess().iter().zip(&benchmark).map(|(own, other)| own - beta * other).collect();
    mean(&unexplained)
}

fn compounded(sample: &Sample<'_>) -> Answer {
    let growth = 1.0 + of_a_period(sample)?;
    if growth < 0.0 { Err(Undefined::TotalLoss) } else { finite(libm::pow(growth, sample.periods()) - 1.0) }
}

fn arithmetic(sample: &Sample<'_>) -> Answer {
    finite(of_a_period(sample)? * sample.periods())
}

fn of_annualised(sample: &Sample<'_>) -> Answer {
    let (beta, free) = (beta(sample)?, sample.risk_free_annual()?);
    let market = cumulative_return::annualised_of(sample.benchmark()?, sample.periods())?;
    finite(cumulative_return::annualised(sample)? - (free + beta * (market - free)))
}

fn treynor(sample: &Sample<'_>) -> Answer {
    let beta = beta(sample)?;
    let excess = cumulative_return::annualised(sample)? - sample.risk_free_annual()?;
    if beta == 0.0 { Err(Undefined::ZeroBeta) } else { finite(excess / beta) }
}

fn m_squared(sample: &Sample<'_>) -> Answer {
    let benchmark = Sample::new(sample.benchmark()?).and_then(|benchmark| benchmark.with(*sample.settings()));
    let volatility = volatility::annualised(&benchmark.map_err(|_| Undefined::OutOfRange)?)?;
    finite(super::sharpe::sharpe(sample)? * volatility + sample.risk_free_annual()?)
}
