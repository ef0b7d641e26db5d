//! Winning and losing trades: figures over the profits and losses of closed trades.

use super::{
    Metric,
    Unit::{Amount, Count, Fraction, Ratio},
};
use crate::numeric::moments::enough;
use crate::numeric::{mean, sum};
use crate::undefined::{Answer, Undefined, finite};

/// The figures of this file.
pub const METRICS: &[Metric] = &[
    Metric::of_trades("trades", Count, "closed trades", "count", |trades| finite(trades.len() as f64)),
    Metric::of_trades("winning_trades", Count, "trades above 0", "count", |trades| finite(wins(trades).len() as f64)),
    Metric::of_trades("losing_trades", Count, "trades below 0", "count", |trades| finite(losses(trades).len() as f64)),
    Metric::of_trades("win_rate", Fraction, "trades above 0 / all trades", "Bacon (2008)", win_rate),
    Metric::of_trades("profit_factor", Ratio, "gross profit / |gross loss|", "Schwager (1996)", profit_factor),
    Metric::of_trades("average_win", Amount, "mean of trades above 0", "arithmetic mean", average_win),
    Metric::of_trades("average_loss", Amount, "mean of trades below 0; negative", "arithmetic mean", average_loss),
    Metric::of_trades("payoff_ratio", Ratio, "average win / |average loss|", "Schwager (1996)", payoff_ratio),
    Metric::of_trades("expectancy", Amount, "mean of all trades", "Tharp (1998)", mean),
    Metric::of_trades("net_profit", Amount, "sum of all trades", "sum", net_profit),
    Metric::of_trades("gross_profit", Amount, "sum of trades above 0", "sum", gross_profit),
    Metric::of_trades("gross_loss", Amount, "sum of trades below 0; negative", "sum", gross_loss),
    Metric::of_trades("largest_win", Amount, "largest trade above 0", "maximum", |trades| {
        wins(trades).into_iter().reduce(f64::max).ok_or(Undefined::NoWins)
    }),
    Metric::of_trades("largest_loss", Amount, "smallest trade below 0; negative", "minimum", |trades| {
        losses(trades).into_iter().reduce(f64::min).ok_or(Undefined::NoLosses)
    }),
    Metric::of_trades("longest_winning_run", Count, "most trades above 0 in a row", "quantstats consecutive_wins", |trades| {
        longest_run(trades, |one| one > 0.0)
    }),
    Metric::of_trades("longest_losing_run", Count, "most trades below 0 in a row", "quantstats consecutive_losses", |trades| {
        longest_run(trades, |one| one < 0.0)
    }),
];

fn wins(trades: &[f64]) -> Vec<f64> {
    trades.iter().copied().filter(|one| *one > 0.0).collect()
}

fn losses(trades: &[f64]) -> Vec<f64> {
    trades.iter().copied().filter(|one| *one < 0.0).collect()
}

/// Part of the trades that won; a trade of zero did not.
pub fn win_rate(trades: &[f64]) -> Answer {
    enough(trades.len(), 1)?;
    finite(wins(trades).len() as f64 / trades.len() as f64)
}

/// What was won over what was lost.
pub fn profit_factor(trades: &[f64]) -> Answer {
    enough(trades.len(), 1)?;
    let lost = gross_loss(trades)?;
    if lost < 0.0 { finite(gross_profit(trades)? / -lost) } else { Err(Undefined::NoLosses) }
}

/// Mean of those that won.
pub fn average_win(trades: &[f64]) -> Answer {
    enough(trades.len(), 1)?;
    mean(&wins(trades)).map_err(|_| Undefined::NoWins)
}

/// Mean of those that lost; negative.
pub fn average_loss(trades: &[f64]) -> Answer {
    enough(trades.len(), 1)?;
    mean(&losses(trades)).map_err(|_| Undefined::NoLosses)
}

/// The average win over the size of the average loss.
pub fn payoff_ratio(trades: &[f64]) -> Answer {
    finite(average_win(trades)? / -average_loss(trades)?)
}

/// Sum of all.
pub fn net_profit(trades: &[f64]) -> Answer {
    finite(sum(trades.iter().copied()))
}

/// Sum of those that won.
pub fn gross_profit(trades: &[f64]) -> Answer {
    finite(sum(wins(trades)))
}

/// Sum of those that lost; at most 0.
pub fn gross_loss(trades: &[f64]) -> Answer {
    finite(sum(losses(trades)))
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
        assert_eq!((win_rate(&trades), profit_factor(&trades)), (Ok(0.4), Ok(4.0)));
        assert_eq!((average_win(&trades), average_loss(&trades), payoff_ratio(&trades)), (Ok(150.0), Ok(-37.5), Ok(4.0)));
        assert_eq!((mean(&trades), net_profit(&trades)), (Ok(45.0), Ok(225.0)));
    }

    #[test]
    fn what_never_lost_has_no_factor() {
        assert_eq!(
            (win_rate(&[1.0]), profit_factor(&[1.0]), average_loss(&[1.0])),
            (Ok(1.0), Err(Undefined::NoLosses), Err(Undefined::NoLosses))
        );
        assert_eq!(
            (win_rate(&[]), average_win(&[-1.0])),
            (Err(Undefined::TooFewObservations { have: 0, need: 1 }), Err(Undefined::NoWins))
        );
        assert_eq!((profit_factor(&[-1.0]), longest_run(&[1.0, 2.0, -1.0, 3.0], |one| one > 0.0)), (Ok(0.0), Ok(2.0)));
    }
}
