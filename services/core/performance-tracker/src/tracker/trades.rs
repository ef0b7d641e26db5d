//! The figures of trades that were closed within a timeframe: the catalogue's, over the exact counts and sums of its days.

use crate::metrics::trades::Tally;
use crate::metrics::{Function, Metric as Formula, catalogue};
use crate::tracker::figures::{Line, amount, number};
use crate::tracker::series::Day;
use crate::undefined::{Answer, Undefined};
use domain::ledger::ClosedTrades;
use domain::performance::Metric;
use domain::{Date, SmolStr};

/// Figures that a record holds; the first of them are those of days, which add up with other days.
const PUBLISHED: [&str; 9] =
    ["trades", "winning_trades", "losing_trades", "gross_profit", "gross_loss", "win_rate", "profit_factor", "average_win", "average_loss"];
const OF_A_DAY: usize = 5;

/// The figures that a record of these days holds.
pub fn published(days: &[&Day], window: &SmolStr) -> Vec<Metric> {
    named(&PUBLISHED, sum(days.iter().filter_map(|day| day.trades.as_deref())).as_ref(), window)
}

/// Those that a record of one day holds.
pub fn of_day(day: &Day, window: &SmolStr) -> Vec<Metric> {
    named(&PUBLISHED[..OF_A_DAY], day.trades.as_deref(), window)
}

/// Every figure of the catalogue that follows from counts and sums; `None` stands for sums beyond the range of money.
pub fn figures_of_trades(closed: Option<&ClosedTrades>, window: &SmolStr) -> Vec<Metric> {
    catalogue::all().filter_map(|formula| figure(formula, closed, window)).collect()
}

/// All of them together, whatever their date; `None` beyond the range of money.
pub fn sum<'a>(trades: impl IntoIterator<Item = &'a ClosedTrades>) -> Option<ClosedTrades> {
    let none = ClosedTrades::none(Date::from_days(0));
    trades.into_iter().try_fold(none, |mut sum, trades| sum.add(trades, 1).map(|()| sum)).ok()
}

fn named(ids: &[&str], closed: Option<&ClosedTrades>, window: &SmolStr) -> Vec<Metric> {
    ids.iter().filter_map(|id| figure(catalogue::find(id)?, closed, window)).collect()
}

fn figure(formula: &'static Formula, closed: Option<&ClosedTrades>, window: &SmolStr) -> Option<Metric> {
    let Function::Tally(function) = formula.function else { return None };
    let told = closed.and_then(|closed| Some((closed, tally(closed)?)));
    // Sums are exact, and rounded by no statistics.
    match (formula.id, told) {
        ("gross_profit", Some((closed, _))) => return Some(amount(formula.id, closed.gross_profit, formula.formula, window)),
        ("gross_loss", Some((closed, _))) => return Some(amount(formula.id, closed.gross_loss, formula.formula, window)),
        _ => {}
    }
    let value: Answer = told.ok_or(Undefined::OutOfRange).and_then(|(_, tally)| function(&tally));
    let observations = told.map_or(0, |(_, tally)| tally.all());
    Some(Line::new(formula.id, formula.unit.published(), value, observations, formula.formula).published(window))
}

/// `None` where less than nothing is left: what was taken back had never been told.
fn tally(closed: &ClosedTrades) -> Option<Tally> {
    let count = |trades: i64| usize::try_from(trades).ok();
    Some(Tally {
        winning: count(closed.winning)?,
        losing: count(closed.losing)?,
        even: count(closed.even)?,
        gross_profit: number(closed.gross_profit),
        gross_loss: number(closed.gross_loss),
    })
}
