//! The figures of trades that were closed within a timeframe: the catalogue's, over the exact counts and sums of its days.

use crate::metrics::trades::Tally;
use crate::metrics::{Function, catalogue};
use crate::tracker::figures::{Line, amount, number};
use crate::tracker::series::Day;
use crate::undefined::{Answer, Undefined};
use domain::SmolStr;
use domain::ledger::ClosedTrades;
use domain::performance::Metric;

/// Figures of the catalogue that a record holds.
const PUBLISHED: [&str; 7] = ["trades", "winning_trades", "losing_trades", "win_rate", "profit_factor", "average_win", "average_loss"];

/// How many of them count: what days of a longer time add up to.
const COUNTS: usize = 3;

/// The figures of these days.
pub fn figures(days: &[&Day], window: &SmolStr) -> Vec<Metric> {
    with_sums(&PUBLISHED, days, window)
}

/// Only those of a day that add up with other days.
pub fn counts(day: &Day, window: &SmolStr) -> Vec<Metric> {
    with_sums(&PUBLISHED[..COUNTS], &[day], window)
}

fn with_sums(ids: &[&str], days: &[&Day], window: &SmolStr) -> Vec<Metric> {
    let closed = sum(days);
    let tally = closed.as_ref().map(tally);
    let mut figures: Vec<Metric> = ids.iter().filter_map(|id| line(id, tally)).map(|line| line.published(window)).collect();
    if let Some(closed) = closed {
        figures.push(amount("gross_profit", closed.gross_profit, "sum of trades above 0", window));
        figures.push(amount("gross_loss", closed.gross_loss, "sum of trades below 0; negative", window));
    }
    figures
}

/// All of them together; `None` beyond the range of money.
fn sum(days: &[&Day]) -> Option<ClosedTrades> {
    let first = days.first()?.date;
    let mut all = days.iter().filter_map(|day| day.trades.as_deref());
    all.try_fold(ClosedTrades::none(first), |mut sum, trades| sum.add(trades, 1).map(|()| sum)).ok()
}

fn tally(closed: &ClosedTrades) -> Tally {
    let count = |trades: i64| usize::try_from(trades).unwrap_or(0);
    Tally {
        winning: count(closed.winning),
        losing: count(closed.losing),
        even: count(closed.even),
        gross_profit: number(closed.gross_profit),
        gross_loss: number(closed.gross_loss),
    }
}

fn line(id: &str, tally: Option<Tally>) -> Option<Line> {
    let metric = catalogue::find(id)?;
    let Function::Tally(function) = metric.function else { return None };
    let value: Answer = tally.ok_or(Undefined::OutOfRange).and_then(|tally| function(&tally));
    let observations = tally.map_or(0, |tally| tally.all());
    Some(Line::new(metric.id, metric.unit.published(), value, observations, metric.formula))
}
