//! Value at risk and expected shortfall of one series of returns, as fractions of its value: losses are positive.

use super::{Metric, Unit::Fraction};
use crate::risk::value_at_risk::{Method, shortfall_of, value_at_risk_of};
use crate::sample::Sample;
use crate::undefined::Answer;

/// The figures of this file.
pub const METRICS: &[Metric] = &[
    Metric::of_returns(
        "var_historical",
        Fraction,
        "-quantile(r, 1 - confidence), type 7, x sqrt(horizon)",
        "Jorion (2007); empyrical value_at_risk",
        |sample| at_risk(sample, Method::Historical),
    ),
    Metric::of_returns(
        "var_parametric",
        Fraction,
        "-(mean x horizon + z std x sqrt(horizon)), z the normal quantile of 1 - confidence",
        "Jorion (2007); quantstats value_at_risk",
        |sample| at_risk(sample, Method::Parametric),
    ),
    Metric::of_returns(
        "var_cornish_fisher",
        Fraction,
        "the same with z + (z^2 - 1) g1/6 + (z^3 - 3z) g2/24 - (2z^3 - 5z) g1^2/36 for z",
        "Zangari (1996), skewness g1 and excess kurtosis g2 of the sample",
        |sample| at_risk(sample, Method::CornishFisher),
    ),
    Metric::of_returns(
        "es_historical",
        Fraction,
        "-mean of r at or below that quantile, x sqrt(horizon)",
        "Acerbi and Tasche (2002); empyrical conditional_value_at_risk",
        |sample| shortfall(sample, Method::Historical),
    ),
    Metric::of_returns(
        "es_parametric",
        Fraction,
        "-(mean x horizon - std x sqrt(horizon) x density(z) / (1 - confidence))",
        "McNeil, Frey and Embrechts (2005)",
        |sample| shortfall(sample, Method::Parametric),
    ),
];

fn at_risk(sample: &Sample<'_>, method: Method) -> Answer {
    value_at_risk_of(sample.returns(), method, sample.settings().confidence, sample.settings().horizon)
}

fn shortfall(sample: &Sample<'_>, method: Method) -> Answer {
    shortfall_of(sample.returns(), method, sample.settings().confidence, sample.settings().horizon)
}
