//! Winning and losing trades: figures over the profits and losses of closed trades. Most follow from how many won and
//! lost and from the two sums, so that those who keep only these have them too.

use super::{
    Metric,
    Unit::{Amount, Count, Fraction, Ratio},
};
use crate::numeric::moments::enough;
use crate::numeric::{mean, sum};
use crate::undefined::{Answer, Undefined, finite};

/// The figures of this file.
pub const METRICS: &[Metric] = &[
    Metric::of_tally("trades", Count, "closed trades", "count", |tally| finite(tally.all() as f64)),
    Metric::of_tally("winning_trades", Count, "trades above 0", "count", |tally| finite(tally.winning as f64)),
    Metric::of_tally("losing_trades", Count, "trades below 0", "count", |tally| finite(tally.losing as f64)),
    Metric::of_tally("win_rate", Fraction, "trades above 0 / all trades", "Bacon (2008)", win_rate),
    Metric::of_tally("profit_factor", Ratio, "gross profit / |gross loss|", "Schwager (1996)", profit_factor),
    Metric::of_tally("average_win", Amount, "mean of trades above 0", "arithmetic mean", average_win),
    Metric::of_tally("average_loss", Amount, "mean of trades below 0; negative", "arithmetic mean", average_loss),
    Metric::of_tally("payoff_ratio", Ratio, "average win / |average loss|", "Schwager (1996)", payoff_ratio),
    Metric::of_trades("expectancy", Amount, "mean of all trades", "Tharp (1998)", mean),
    Metric::of_trades("net_profit", Amount, "sum of all trades", "sum", |trades| finite(sum(trades.iter().copied()))),
    Metric::of_tally("gross_profit", Amount, "sum of trades above 0", "sum", |tally| finite(tally.gross_profit)),
    Metric::of_tally("gross_loss", Amount, "sum of trades below 0; negative", "sum", gross_loss),
    Metric::of_trades("largest_win", Amount, "largest trade above 0", "maximum", |trades| {
        wins(trades).reduce(f64::max).ok_or(Undefined::NoWins)
    }),
    Metric::of_trades("largest_loss", Amount, "smallest trade below 0; negative", "minimum", |trades| {
        losses(trades).reduce(f64::min).ok_or(Undefined::NoLosses)
    }),
    Metric::of_trades("longest_winning_run", Count, "most trades above 0 in a row", "quantstats consecutive_wins", |trades| {
        longest_run(trades, |one| one > 0.0)
    }),
    Metric::of_trades("longest_losing_run", Count, "most trades below 0 in a row", "quantstats consecutive_losses", |trades| {
        longest_run(trades, |one| one < 0.0)
    }),
];

/// How many trades won, lost and did neither, and the sums of those that did.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Tally {
    /// Trades above zero.
    pub winning: usize,
    /// Trades below zero.
    pub losing: usize,
    /// Trades of exactly zero.
    pub even: usize,
    /// Sum of the trades above zero.
    pub gross_profit: f64,
    /// Sum of the trades below zero; negative.
    pub gross_loss: f64,
}

impl Tally {
    /// That of trades.
    pub fn of(trades: &[f64]) -> Self {
        let (winning, losing) = (wins(trades).count(), losses(trades).count());
        let even = trades.len() - winning - losing;
        Self { winning, losing, even, gross_profit: sum(wins(trades)), gross_loss: sum(losses(trades)) }
    }
    /// All trades.
    pub const fn all(&self) -> usize {
        self.winning + self.losing + self.even
    }
}

fn wins(trades: &[f64]) -> impl Iterator<Item = f64> + '_ {
    trades.iter().copied().filter(|one| *one > 0.0)
}

fn losses(trades: &[f64]) -> impl Iterator<Item = f64> + '_ {
    trades.iter().copied().filter(|one| *one < 0.0)
}

/// Part of the trades that won; a trade of zero did not.
pub fn win_rate(tally: &Tally) -> Answer {
    enough(tally.all(), 1)?;
    finite(tally.winning as f64 / tally.all() as f64)
}

/// What was won over what was lost.
pub fn profit_factor(tally: &Tally) -> Answer {
    enough(tally.all(), 1)?;
    let lost = gross_loss(tally)?;
    if lost < 0.0 { finite(finite(tally.gross_profit)? / -lost) } else { Err(Undefined::NoLosses) }
}

/// Mean of those that won.
pub fn average_win(tally: &Tally) -> Answer {
    enough(tally.all(), 1)?;
    if tally.winning > 0 { finite(tally.gross_profit / tally.winning as f64) } else { Err(Undefined::NoWins) }
}

/// Mean of those that lost; negative.
pub fn average_loss(tally: &Tally) -> Answer {
    enough(tally.all(), 1)?;
    if tally.losing > 0 { finite(tally.gross_loss / tally.losing as f64) } else { Err(Undefined::NoLosses) }
}

/// The average win over the size of the average loss.
pub fn payoff_ratio(tally: &Tally) -> Answer {
    finite(average_win(tally)? / -average_loss(tally)?)
}

/// Sum of those that lost; at most 0.
pub fn gross_loss(tally: &Tally) -> Answer {
    finite(tally.gross_loss)
}

fn longest_run(trades: &[f64], counts: impl Fn(f64) -> bool) -> Answer {
    let (mut longest, mut run) = (0_u32, 0_u32);
    for trade in trades {
        run = if counts(*trade) { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    finite(f64::from(longest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trade_of_zero_neither_wins_nor_loses() {
        let trades = [100.0, -50.0, 0.0, 200.0, -25.0];
        let tally = Tally::of(&trades);
        assert_eq!((tally.winning, tally.losing, tally.even), (2, 2, 1));
        assert_eq!((win_rate(&tally), profit_factor(&tally)), (Ok(0.4), Ok(4.0)));
        assert_eq!((average_win(&tally), average_loss(&tally), payoff_ratio(&tally)), (Ok(150.0), Ok(-37.5), Ok(4.0)));
        assert_eq!(mean(&trades), Ok(45.0));
    }

    #[test]
    fn what_never_lost_has_no_factor() {
        let [won, lost, none] = [&[1.0][..], &[-1.0], &[]].map(Tally::of);
        assert_eq!(
            (win_rate(&won), profit_factor(&won), average_loss(&won)),
            (Ok(1.0), Err(Undefined::NoLosses), Err(Undefined::NoLosses))
        );
        assert_eq!(
            (win_rate(&none), average_win(&lost)),
            (Err(Undefined::TooFewObservations { have: 0, need: 1 }), Err(Undefined::NoWins))
        );
        assert_eq!((profit_factor(&lost), longest_run(&[1.0, 2.0, -1.0, 3.0], |one| one > 0.0)), (Ok(0.0), Ok(2.0)));
    }
}
