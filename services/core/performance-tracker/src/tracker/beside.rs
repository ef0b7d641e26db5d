//! What the instruments did that stand beside a portfolio, its benchmark and the one whose returns are risk-free: written
//! into the series for as long as their prices are kept, so that history which is told later still counts; and all returns
//! between the days on which each of them had a price.

use crate::sample::{InvalidSeries, Sample};
use crate::settings::Settings;
use crate::tracker::book::Book;
use crate::tracker::market::{Cut, Market};
use crate::tracker::returned::linked;
use crate::tracker::series::{Beside, Day};
use crate::tracker::terms::Terms;
use domain::{Date, InstrumentId};

/// A place beside a portfolio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Benchmark,
    RiskFree,
}

impl Place {
    fn instrument(self, terms: &Terms) -> Option<&InstrumentId> {
        match self {
            Self::Benchmark => terms.benchmark.as_ref(),
            Self::RiskFree => terms.risk_free_instrument.as_ref(),
        }
    }
    const fn of(self, day: &Day) -> Beside {
        match self {
            Self::Benchmark => day.benchmark,
            Self::RiskFree => day.risk_free,
        }
    }
    /// The day with something else in its place; `None` where it says that already.
    fn rewritten(self, day: &Day, now: Beside) -> Option<Day> {
        if self.of(day) == now {
            return None;
        }
        let day = day.clone();
        Some(match self {
            Self::Benchmark => Day { benchmark: now, ..day },
            Self::RiskFree => Day { risk_free: now, ..day },
        })
    }
}

/// Writes the returns of the instruments beside those of the portfolio, each since the last day on which it had a price;
/// returns the days of which they say something else now.
pub fn write(book: &mut Book, terms: &Terms, newest: &Cut, market: &Market) -> Vec<Date> {
    let mut dates = write_one(Place::Benchmark, book, terms, newest, market);
    dates.extend(write_one(Place::RiskFree, book, terms, newest, market));
    dates
}

fn write_one(place: Place, book: &mut Book, terms: &Terms, newest: &Cut, market: &Market) -> Vec<Date> {
    let Some(instrument) = place.instrument(terms) else { return Vec::new() };
    let levels = market.total_return(instrument, terms.base, newest);
    let Some(first) = levels.dates.first().copied() else { return Vec::new() };
    let mut before: Option<f64> = None;
    let mut changed = Vec::new();
    for day in book.series().after(Some(first.plus_days(-1))) {
        let Some(level) = levels.on(day.date) else {
            changed.extend(place.rewritten(day, Beside::Unpriced));
            continue;
        };
        // On the first day that has a price the return since the one before it is not known any more.
        let now = match (before, place.of(day)) {
            (Some(before), _) => Beside::Return(level / before - 1.0),
            (None, known @ Beside::Return(_)) => known,
            (None, _) => Beside::First,
        };
        changed.extend(place.rewritten(day, now));
        before = Some(level);
    }
    let dates = changed.iter().map(|day| day.date).collect();
    changed.into_iter().for_each(|day| _ = book.series_mut().write(day));
    dates
}

/// Which instruments count that stand beside a portfolio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// The benchmark.
    pub benchmark: bool,
    /// The one whose returns are risk-free.
    pub risk_free: bool,
}

/// A day of a portfolio: its date, the return where it has one, what the benchmark did, and what the risk-free instrument.
pub type DayBeside = (Date, Option<f64>, [Beside; 2]);

/// Returns of common periods: of the portfolio, and of each instrument that counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Common {
    counted: Counted,
    /// The day from which the first period counts.
    opening: Option<Date>,
    dates: Vec<Date>,
    ours: Vec<f64>,
    theirs: [Vec<f64>; 2],
}

impl Counted {
    /// Whether each instrument that counts had a price on a day.
    pub fn are_priced(self, day: &Day) -> bool {
        let has = |counts: bool, did: Beside| !counts || did != Beside::Unpriced;
        has(self.benchmark, day.benchmark) && has(self.risk_free, day.risk_free)
    }
}

impl Common {
    /// Returns between the days on which every instrument that counts had a price: joined first, returns afterwards.
    /// `anchor` is the last such day before these; without one the first of them only begins.
    pub fn of(counted: Counted, anchor: Option<Date>, days: impl Iterator<Item = DayBeside>) -> Self {
        let mut common = Self { counted, opening: None, dates: Vec::new(), ours: Vec::new(), theirs: Default::default() };
        let mut anchor = anchor;
        let mut since: (Vec<f64>, [Vec<f64>; 2]) = Default::default();
        for (date, returned, beside) in days {
            since.0.extend(returned);
            since.1.iter_mut().zip(beside).for_each(|(since, beside)| since.extend(beside.returned()));
            let is = |one: Beside| [counted.benchmark, counted.risk_free].into_iter().zip(beside).any(|(counts, did)| counts && did == one);
            // Of what had its first price nobody knows what it did before.
            anchor = anchor.filter(|_| !is(Beside::First));
            if is(Beside::Unpriced) {
                continue;
            }
            if anchor.is_some() {
                common.opening = common.opening.or(anchor);
                common.dates.push(date);
                common.ours.push(linked(&since.0));
                common.theirs.iter_mut().zip(&since.1).for_each(|(all, since)| all.push(linked(since)));
            }
            anchor = Some(date);
            since.0.clear();
            since.1.iter_mut().for_each(Vec::clear);
        }
        common
    }

    /// The portfolio's returns as a sample, with those of the instruments that count.
    ///
    /// # Errors
    /// When a return is no finite number, or a setting lies outside its range.
    pub fn sample(&self, settings: Settings) -> Result<Sample<'_>, InvalidSeries> {
        let [benchmark, rates] = &self.theirs;
        let mut sample = Sample::new(&self.ours)?.dated(&self.dates)?.with(settings)?;
        if let Some(opening) = self.opening {
            sample = sample.opened(opening);
        }
        if self.counted.benchmark {
            sample = sample.against(benchmark)?;
        }
        if self.counted.risk_free { sample.with_risk_free(rates) } else { Ok(sample) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::undefined::Undefined;
    use Beside::{First, Return, Unpriced};

    #[test]
    fn returns_count_between_days_that_all_have() {
        let days = [
            (1, Some(0.5), [First, Unpriced]),
            (2, Some(0.1), [Return(0.2), First]),
            (3, Some(0.1), [Return(0.1), Unpriced]),
            (4, None, [Unpriced, Return(0.03)]),
            (5, Some(0.2), [Return(0.3), Return(0.01)]),
            (6, Some(0.4), [Return(0.4), Return(0.02)]),
        ];
        let found = |benchmark, risk_free| {
            let counted = Counted { benchmark, risk_free };
            Common::of(counted, None, days.into_iter().map(|(day, returned, beside)| (Date::from_days(day), returned, beside)))
        };
        let near = |found: &[f64], expected: &[f64]| {
            found.len() == expected.len() && found.iter().zip(expected).all(|(one, other)| (one - other).abs() < 1e-15)
        };
        let both = found(true, true);
        assert_eq!(both.dates, [5, 6].map(Date::from_days));
        assert!(near(&both.ours, &[1.1 * 1.2 - 1.0, 0.4]), "{:?}", both.ours);
        assert!(near(&both.theirs[0], &[1.1 * 1.3 - 1.0, 0.4]), "{:?}", both.theirs);
        assert!(near(&both.theirs[1], &[1.03 * 1.01 - 1.0, 0.02]), "{:?}", both.theirs);
        let sample = both.sample(Settings::default()).unwrap();
        assert_eq!(sample.opening(), Some(Date::from_days(2)), "the last day before that both have is where it begins");
        assert_eq!((sample.benchmark().unwrap(), sample.risk_free(1)), (both.theirs[0].as_slice(), 0.02));
        let (one, other) = (found(true, false), found(false, true));
        assert!(near(&one.theirs[0], &[0.2, 0.1, 0.3, 0.4]) && near(&one.ours, &[0.1, 0.1, 0.2, 0.4]), "{one:?}");
        assert!(near(&other.theirs[1], &[0.03, 0.01, 0.02]) && near(&other.ours, &[0.1, 0.2, 0.4]), "{other:?}");
        let of_benchmark = |common: &Common| common.sample(Settings::default()).unwrap().benchmark().map(<[f64]>::len);
        assert_eq!((of_benchmark(&one), of_benchmark(&other)), (Ok(4), Err(Undefined::NoBenchmark)));
    }

    #[test]
    fn what_came_before_a_first_price_counts_for_nobody() {
        let counted = Counted { benchmark: true, risk_free: true };
        let days = [
            (1, [First, Unpriced]),
            (2, [Unpriced, First]),
            (3, [Return(0.03), Return(0.01)]),
            (4, [Return(0.02), Return(0.01)]),
            (5, [Unpriced, First]),
            (6, [Return(0.05), Return(0.01)]),
        ];
        let days = days.map(|(day, beside)| (Date::from_days(day), Some(0.1), beside));
        let found = Common::of(counted, None, days.into_iter());
        assert_eq!((found.dates.as_slice(), found.opening), ([Date::from_days(4)].as_slice(), Some(Date::from_days(3))));
        // Of days behind one that lacked a price the first only begins.
        let alone = Common::of(counted, None, days.into_iter().skip(2));
        assert_eq!((alone.dates, alone.opening), (found.dates, found.opening));
        let behind = Common::of(counted, Some(Date::from_days(2)), days.into_iter().skip(2));
        assert_eq!((behind.dates.len(), behind.opening), (2, Some(Date::from_days(2))));
    }
}
