//! Winning and losing periods: the figures of trades, over the returns of periods and so named.

use super::{
    Metric,
    Unit::{Fraction, Ratio},
    trades::{self, Tally},
};
use crate::sample::Sample;
use crate::undefined::{Answer, Undefined, finite};

/// The figures of this file.
pub const METRICS: &[Metric] = &[
    Metric::of_returns("win_rate_periods", Fraction, "periods above 0 / periods other than 0", "quantstats win_rate", win_rate),
    Metric::of_returns("profit_factor_periods", Ratio, "sum of r above 0 / |sum of r below 0|", "quantstats profit_factor", |sample| {
        trades::profit_factor(&Tally::of(sample.returns()))
    }),
    Metric::of_returns("average_win_periods", Fraction, "mean of r above 0", "quantstats avg_win", |sample| {
        trades::average_win(&Tally::of(sample.returns()))
    }),
    Metric::of_returns("average_loss_periods", Fraction, "mean of r below 0", "quantstats avg_loss", |sample| {
        trades::average_loss(&Tally::of(sample.returns()))
    }),
    Metric::of_returns("payoff_ratio_periods", Ratio, "average win / |average loss|", "quantstats payoff_ratio", |sample| {
        trades::payoff_ratio(&Tally::of(sample.returns()))
    }),
    Metric::of_returns("gain_to_pain", Ratio, "sum of r / |sum of r below 0|", "Schwager (2012)", gain_to_pain),
    Metric::of_returns("kelly_fraction", Fraction, "w - (1 - w) / payoff ratio, w the win rate of periods", "Kelly (1956)", kelly),
];

fn win_rate(sample: &Sample<'_>) -> Answer {
    sample.needs(1)?;
    let moved = sample.returns().iter().filter(|one| **one != 0.0).count();
    let won = sample.returns().iter().filter(|one| **one > 0.0).count();
    if moved > 0 { finite(won as f64 / moved as f64) } else { Err(Undefined::ZeroVolatility) }
}

fn gain_to_pain(sample: &Sample<'_>) -> Answer {
    sample.needs(1)?;
    let lost = trades::gross_loss(&Tally::of(sample.returns()))?;
    if lost < 0.0 { finite(crate::numeric::sum(sample.returns().iter().copied()) / -lost) } else { Err(Undefined::NoLosses) }
}

fn kelly(sample: &Sample<'_>) -> Answer {
    let (won, payoff) = (win_rate(sample)?, trades::payoff_ratio(&Tally::of(sample.returns()))?);
    finite(won - (1.0 - won) / payoff)
}
