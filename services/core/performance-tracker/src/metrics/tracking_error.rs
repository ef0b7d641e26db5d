//! Returns beside the benchmark's: active return, tracking error, information ratio.

use super::{
    Metric,
    Unit::{Fraction, Ratio},
    cumulative_return,
};
use crate::numeric::moments::variation;
use crate::numeric::{mean, standard_deviation};
use crate::sample::Sample;
use crate::undefined::{Answer, finite};

/// The figures of this file.
pub const METRICS: &[Metric] = &[
    Metric::of_returns("tracking_error", Fraction, "std(r - b), n - 1, x sqrt(P)", "Bacon (2008)", tracking_error),
    Metric::of_returns(
        "information_ratio",
        Ratio,
        "mean(r - b) / std(r - b), n - 1, x sqrt(P)",
        "Grinold and Kahn (1999)",
        information_ratio,
    ),
    Metric::of_returns(
        "information_ratio_period",
        Ratio,
        "mean(r - b) / std(r - b), n - 1, a period",
        "empyrical excess_sharpe; quantstats information_ratio",
        of_a_period,
    ),
    Metric::of_returns(
        "information_ratio_compounded",
        Ratio,
        "(annualised r - annualised b) / tracking error",
        "Bacon (2008); PerformanceAnalytics",
        compounded,
    ),
    Metric::of_returns("active_return", Fraction, "annualised r - annualised b", "Bacon (2008)", active_return),
    Metric::of_returns("benchmark_return", Fraction, "product of (1 + b), less 1", "GIPS", |sample| {
        sample.needs(1)?;
        finite(crate::returns::growth(sample.benchmark()?)? - 1.0)
    }),
    Metric::of_returns("benchmark_annualised_return", Fraction, "annualised b", "GIPS", |sample| {
        cumulative_return::annualised_of(sample.benchmark()?, sample.periods())
    }),
    Metric::of_returns("batting_average", Fraction, "periods with r above b / periods", "Bacon (2008)", |sample| {
        sample.needs(1)?;
        let ahead = sample.active()?.iter().filter(|one| **one > 0.0).count();
        finite(ahead as f64 / sample.len() as f64)
    }),
];

fn tracking_error(sample: &Sample<'_>) -> Answer {
    finite(standard_deviation(&sample.active()?)? * sample.periods().sqrt())
}

fn of_a_period(sample: &Sample<'_>) -> Answer {
    let active = sample.active()?;
    finite(mean(&active)? / variation(&active)?)
}

fn information_ratio(sample: &Sample<'_>) -> Answer {
    finite(of_a_period(sample)? * sample.periods().sqrt())
}

fn active_return(sample: &Sample<'_>) -> Answer {
    let market = cumulative_return::annualised_of(sample.benchmark()?, sample.periods())?;
    finite(cumulative_return::annualised(sample)? - market)
}

fn compounded(sample: &Sample<'_>) -> Answer {
    variation(&sample.active()?)?;
    finite(active_return(sample)? / tracking_error(sample)?)
}
