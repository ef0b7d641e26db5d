//! Capture: how much of the benchmark's rises and falls the portfolio went along with.

use super::{Metric, Unit::Ratio, cumulative_return::annualised_of};
use crate::numeric::mean;
use crate::sample::Sample;
use crate::undefined::{Answer, Undefined, finite};

/// The figures of this file.
pub const METRICS: &[Metric] = &[
    Metric::of_returns(
        "up_capture",
        Ratio,
        "annualised r / annualised b, of the periods with b above 0",
        "Morningstar; empyrical up_capture",
        |sample| capture(sample, rises, compounded),
    ),
    Metric::of_returns(
        "down_capture",
        Ratio,
        "annualised r / annualised b, of the periods with b below 0",
        "Morningstar; empyrical down_capture",
        |sample| capture(sample, falls, compounded),
    ),
    Metric::of_returns("capture", Ratio, "annualised r / annualised b", "empyrical capture", |sample| {
        capture(sample, |_| true, compounded)
    }),
    Metric::of_returns("up_down_capture", Ratio, "up capture / down capture", "empyrical up_down_capture", up_down),
    Metric::of_returns("up_capture_mean", Ratio, "mean r / mean b, of the periods with b above 0", "Bacon (2008)", |sample| {
        capture(sample, rises, |returns, _| mean(returns))
    }),
    Metric::of_returns("down_capture_mean", Ratio, "mean r / mean b, of the periods with b below 0", "Bacon (2008)", |sample| {
        capture(sample, falls, |returns, _| mean(returns))
    }),
];

fn rises(one: f64) -> bool {
    one > 0.0
}

fn falls(one: f64) -> bool {
    one < 0.0
}

fn compounded(returns: &[f64], periods: f64) -> Answer {
    annualised_of(returns, periods)
}

fn capture(sample: &Sample<'_>, counts: fn(f64) -> bool, figure: fn(&[f64], f64) -> Answer) -> Answer {
    let pairs = sample.returns().iter().zip(sample.benchmark()?);
    let (own, market): (Vec<f64>, Vec<f64>) = pairs.filter(|(_, other)| counts(**other)).map(|(own, other)| (*own, *other)).unzip();
    let missing = if counts(1.0) { Undefined::NoUpside } else { Undefined::NoDownside };
    if own.is_empty() {
        return Err(missing);
    }
    let below = figure(&market, sample.periods())?;
    if below == 0.0 { Err(Undefined::ZeroDenominator) } else { finite(figure(&own, sample.periods())? / below) }
}

fn up_down(sample: &Sample<'_>) -> Answer {
    let down = capture(sample, falls, compounded)?;
    if down == 0.0 { Err(Undefined::ZeroDenominator) } else { finite(capture(sample, rises, compounded)? / down) }
}
