//! What the benchmark did between the days of a portfolio: written into the series for as long as its prices are kept, so
//! that history which is told later still counts; and both returns between the days on which it had a price.

use crate::tracker::book::Book;
use crate::tracker::market::{Cut, Market};
use crate::tracker::returned::linked;
use crate::tracker::series::{Benchmark, Day};
use crate::tracker::terms::Terms;
use domain::Date;

/// Writes the benchmark's returns, since the last day on which it had a price, beside those of the portfolio; returns the
/// days of which it says something else now.
pub fn write(book: &mut Book, terms: &Terms, newest: &Cut, market: &Market) -> Vec<Date> {
    let Some(benchmark) = &terms.benchmark else { return Vec::new() };
    let levels = market.total_return(benchmark, terms.base, newest);
    let Some(first) = levels.dates.first().copied() else { return Vec::new() };
    let mut before: Option<f64> = None;
    let mut changed = Vec::new();
    for day in book.series().after(Some(first.plus_days(-1))) {
        let Some(level) = levels.on(day.date) else {
            changed.extend(rewritten(day, Benchmark::Unpriced));
            continue;
        };
        // On the first day that has a price the return since the one before it is not known any more.
        let benchmark = match (before, day.benchmark) {
            (Some(before), _) => Benchmark::Return(level / before - 1.0),
            (None, known @ Benchmark::Return(_)) => known,
            (None, _) => Benchmark::First,
        };
        changed.extend(rewritten(day, benchmark));
        before = Some(level);
    }
    let dates = changed.iter().map(|day| day.date).collect();
    changed.into_iter().for_each(|day| _ = book.series_mut().write(day));
    dates
}

/// Returns between the days on which the benchmark had a price, of the portfolio and of the benchmark: joined first, returns
/// afterwards. Each day comes with its date, the portfolio's return where it has one, and what the benchmark did.
pub fn between_prices(days: impl Iterator<Item = (Date, Option<f64>, Benchmark)>) -> (Vec<Date>, Vec<f64>, Vec<f64>) {
    let (mut dates, mut ours, mut theirs, mut since) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (date, returned, benchmark) in days {
        since.extend(returned);
        if let Benchmark::Return(told) = benchmark {
            dates.push(date);
            ours.push(linked(&since));
            theirs.push(told);
        }
        if benchmark != Benchmark::Unpriced {
            since.clear();
        }
    }
    (dates, ours, theirs)
}

fn rewritten(day: &Day, benchmark: Benchmark) -> Option<Day> {
    (day.benchmark != benchmark).then(|| Day { benchmark, ..day.clone() })
}
