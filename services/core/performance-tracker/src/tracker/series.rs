//! The daily series of a portfolio, a year at a time: what a close adds, and what a correction changes, is one year's.

use crate::tracker::deeds::add_trades;
use domain::ledger::ClosedTrades;
use domain::{Date, Money};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a day has returned.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Returned {
    /// A fraction of the capital at its beginning.
    Return(f64),
    /// There was no capital at its beginning.
    NoCapital,
    /// Nothing was left at its end: linking stops, and goes on with new capital.
    Lost,
}

/// What an instrument did on a day that stands beside the portfolio: its benchmark, or the one whose returns are risk-free.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub enum Beside {
    /// It had no price.
    #[default]
    Unpriced,
    /// It had its first: what the portfolio earned before has nothing to stand beside.
    First,
    /// Its return since the last day on which it had one.
    Return(f64),
}

impl Beside {
    /// Its return, where it has one.
    pub const fn returned(self) -> Option<f64> {
        match self {
            Self::Return(value) => Some(value),
            Self::First | Self::Unpriced => None,
        }
    }
}

/// One closed day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Day {
    /// Its date.
    pub date: Date,
    /// Equity at its cut.
    pub equity: Money,
    /// Net external flows since the close before.
    pub flow: Money,
    /// What it has returned.
    pub returned: Returned,
    /// What the benchmark did.
    pub benchmark: Beside,
    /// What the instrument did whose returns are risk-free.
    pub risk_free: Beside,
    /// Whether its close says that something is missing.
    pub provisional: bool,
    /// Trades that were closed on it.
    pub trades: Option<Box<ClosedTrades>>,
}

/// All closed days, by year.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    years: BTreeMap<i16, Vec<Day>>,
}

impl Series {
    /// Writes a day, new or known; returns whether it differs from what was known.
    pub fn write(&mut self, day: Day) -> bool {
        let year = self.years.entry(day.date.month().0).or_default();
        match year.binary_search_by_key(&day.date, |known| known.date) {
            Ok(at) if year[at] == day => false,
            Ok(at) => {
                year[at] = day;
                true
            }
            Err(at) => {
                year.insert(at, day);
                true
            }
        }
    }
    /// Adds closed trades to the first day from a date on, whose date is returned; to none where no such day was closed.
    pub fn close_trades(&mut self, first: Date, trades: &ClosedTrades) -> Option<Date> {
        let day = self.years.range_mut(first.month().0..).flat_map(|(_, year)| year.iter_mut()).find(|day| first <= day.date)?;
        add_trades(&mut day.trades, trades);
        Some(day.date)
    }
    /// The days after one, in order.
    pub fn after(&self, day: Option<Date>) -> impl DoubleEndedIterator<Item = &Day> {
        let first = day.map_or(i16::MIN, |day| day.month().0);
        let days = self.years.range(first..).flat_map(|(_, year)| year.iter());
        days.filter(move |known| day.is_none_or(|day| day < known.date))
    }
    /// The days before one, in order.
    pub fn before(&self, day: Date) -> impl DoubleEndedIterator<Item = &Day> {
        let days = self.years.range(..=day.month().0).flat_map(|(_, year)| year.iter());
        days.filter(move |known| known.date < day)
    }
    /// The newest day up to one.
    pub fn last_until(&self, day: Date) -> Option<&Day> {
        let years = self.years.range(..=day.month().0).rev();
        years.flat_map(|(_, year)| year.iter().rev()).find(|known| known.date <= day)
    }
    /// Years that there are.
    pub fn years(&self) -> impl Iterator<Item = i16> + '_ {
        self.years.keys().copied()
    }
    /// The days of a year.
    pub fn year(&self, year: i16) -> Option<&Vec<Day>> {
        self.years.get(&year)
    }
    /// Puts a year back.
    pub fn restore(&mut self, year: i16, days: Vec<Day>) {
        self.years.insert(year, days);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(date: &str) -> Day {
        let date = date.parse().unwrap();
        Day {
            date,
            equity: Money::ZERO,
            flow: Money::ZERO,
            returned: Returned::NoCapital,
            benchmark: Beside::Unpriced,
            risk_free: Beside::Unpriced,
            provisional: false,
            trades: None,
        }
    }

    #[test]
    fn days_stand_in_order_and_are_written_once() {
        let mut series = Series::default();
        let dates = ["2026-01-05", "2025-12-31", "2026-01-02", "2024-12-31"];
        assert!(dates.iter().all(|date| series.write(day(date))));
        assert!(!series.write(day("2026-01-05")));
        assert!(series.write(Day { provisional: true, ..day("2026-01-05") }));
        let shown =
            |after: Option<&str>| series.after(after.map(|day| day.parse().unwrap())).map(|day| day.date.to_string()).collect::<Vec<_>>();
        assert_eq!(shown(None), ["2024-12-31", "2025-12-31", "2026-01-02", "2026-01-05"]);
        assert_eq!(shown(Some("2025-12-31")), ["2026-01-02", "2026-01-05"]);
        let until = |date: &str| series.last_until(date.parse().unwrap()).map(|day| day.date.to_string());
        assert_eq!((until("2026-01-04").as_deref(), until("2024-01-01")), (Some("2026-01-02"), None));
    }
}
