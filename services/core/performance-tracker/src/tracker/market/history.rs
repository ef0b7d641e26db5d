//! A price for each day of an instrument: its official close, else the last price of the day at its venue.

use super::actions::Actions;
use domain::enums::PriceSource;
use domain::frame::{FramePrice, Sourced};
use domain::venue;
use domain::{Currency, Date, Price, Timestamp};
use serde::{Deserialize, Serialize};

/// Days of an instrument that are kept: two years of returns, and some more for who has holidays of their own.
const KEPT: usize = 540;
/// How old a rate may be that stands in for that of a day, in days: a long weekend, and a holiday beside it.
const NEAR_DAYS: i32 = 7;

/// The price of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Level {
    date: Date,
    price: Price,
    official: bool,
}

/// The days that are over, and every official close, by date.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct History {
    levels: Vec<Level>,
}

impl History {
    /// The last price of a day that is over.
    pub fn day(&mut self, date: Date, price: Price) {
        self.set(Level { date, price, official: false });
    }
    /// The official close of a day, which may be told long after it, and again.
    pub fn official(&mut self, date: Date, price: Price) {
        self.set(Level { date, price, official: true });
    }
    fn set(&mut self, level: Level) {
        if !level.price.is_positive() {
            return;
        }
        match self.levels.binary_search_by_key(&level.date, |known| known.date) {
            Ok(at) if level.official || !self.levels[at].official => self.levels[at] = level,
            Ok(_) => {}
            Err(at) => self.levels.insert(at, level),
        }
        let most = self.levels.len().saturating_sub(KEPT);
        self.levels.drain(..most);
    }
    /// Whether a day has an official close.
    pub fn is_official(&self, date: Date) -> bool {
        self.levels.binary_search_by_key(&date, |known| known.date).is_ok_and(|at| self.levels[at].official)
    }
    /// Every day up to one, with the day that is not over where it is among them.
    pub fn levels(&self, today: Option<(Date, Price)>, until: Date) -> Vec<(Date, f64)> {
        let past = self.levels.iter().filter(|level| level.date <= until && today.is_none_or(|(date, _)| date != level.date));
        let mut levels: Vec<_> = past.map(|level| (level.date, float(level.price))).collect();
        if let Some((date, price)) = today.filter(|(date, price)| *date <= until && price.is_positive()) {
            let at = levels.partition_point(|(known, _)| *known < date);
            levels.insert(at, (date, float(price)));
        }
        levels
    }
    /// The price of a day, or of the nearest one before it that is not long ago.
    pub fn near(&self, today: Option<(Date, Price)>, day: Date) -> Option<f64> {
        let at = self.levels.partition_point(|level| level.date <= day);
        let past = at.checked_sub(1).map(|at| (self.levels[at].date, self.levels[at].price));
        let newest = [past, today.filter(|(date, price)| *date <= day && price.is_positive())].into_iter().flatten();
        let (date, price) = newest.max_by_key(|(date, _)| *date)?;
        (day.days() - date.days() <= NEAR_DAYS).then(|| float(price))
    }
}

/// The quote of the newest day, merged from its ticks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Today {
    quote: FramePrice,
    date: Date,
    /// The day's own moments at its venue: from, and up to.
    span: (Timestamp, Timestamp),
    price: Option<Price>,
    /// The price that stood before the minute of the newest one: cuts are on the minute, and frames may be read ahead of
    /// the close that they followed.
    before: Option<(Date, Price)>,
    before_at: Timestamp,
}

impl Today {
    /// The first quote of an instrument.
    pub fn new(quote: FramePrice, venue: Option<&str>, source: PriceSource) -> Self {
        let price = chosen(&quote, source);
        let (date, span) = day_at(venue, quote.event_time);
        Self { quote, date, span, price, before: None, before_at: Timestamp::MIN }
    }
    /// Takes a newer quote in; the day before with its last price, where that is over by it.
    pub fn quote(&mut self, newer: &FramePrice, venue: Option<&str>, source: PriceSource) -> Option<(Date, Price)> {
        let (last, minute) = (self.level(), self.quote.event_time.end_of_minute());
        if !self.quote.merge(newer) {
            return None;
        }
        if self.quote.event_time >= minute {
            (self.before, self.before_at) = (last, minute);
        }
        let over = (self.quote.event_time >= self.span.1).then(|| self.level());
        if over.is_some() {
            (self.date, self.span) = day_at(venue, self.quote.event_time);
        }
        self.price = chosen(&self.quote, source);
        over.flatten()
    }
    /// The price that stood at a cut, and its day: the newest, where that was made before it, else the one before. `None`
    /// where that is younger too.
    pub fn level_before(&self, cut: Timestamp) -> Option<(Date, Price)> {
        if self.quote.event_time < cut { self.level() } else { self.before.filter(|_| self.before_at <= cut) }
    }
    /// Its price, and its day.
    pub fn level(&self) -> Option<(Date, Price)> {
        self.price.map(|price| (self.date, price))
    }
}

fn day_at(venue: Option<&str>, moment: Timestamp) -> (Date, (Timestamp, Timestamp)) {
    let date = venue::day_of(venue, moment);
    (date, (venue::day_start(venue, date), venue::day_start(venue, date.plus_days(1))))
}

/// The price that a source takes from a quote.
fn chosen(quote: &FramePrice, source: PriceSource) -> Option<Price> {
    let Sourced { one: (one, _), other, .. } = quote.sourced(source)?;
    other.map_or(Some(one), |(other, _)| one.middle(other).ok())
}

pub(super) fn float(price: Price) -> f64 {
    price.units() as f64 / Price::ONE.units() as f64
}

/// What one unit has come to, by day, relative to the first of them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TotalReturn {
    /// Days.
    pub dates: Vec<Date>,
    /// Index of total return, 1 on the first day.
    pub index: Vec<f64>,
}

impl TotalReturn {
    /// The index of a day.
    pub fn on(&self, day: Date) -> Option<f64> {
        self.dates.binary_search(&day).ok().map(|at| self.index[at])
    }
}

/// The index of total return in the currency that `rate` converts to: a day without a rate is left out.
pub(super) fn total_return(levels: &[(Date, f64)], actions: &Actions, rate: impl Fn(Option<Currency>, Date) -> Option<f64>) -> TotalReturn {
    let mut found = TotalReturn::default();
    let mut before: Option<(Date, f64, f64)> = None;
    for (date, price) in levels {
        let Some(own) = rate(None, *date) else { continue };
        let index = match before {
            None => 1.0,
            Some((day, worth, index)) => {
                let (units, income) = actions.between(day, *date, &rate);
                index * ((units * price * own + income) / worth)
            }
        };
        found.dates.push(*date);
        found.index.push(index);
        before = Some((*date, price * own, index));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }
    fn price(text: &str) -> Price {
        text.parse().unwrap()
    }

    #[test]
    fn an_official_close_comes_before_the_last_price_of_its_day() {
        let mut history = History::default();
        history.day(day("2026-01-05"), price("10"));
        history.official(day("2026-01-06"), price("12"));
        history.day(day("2026-01-06"), price("11"));
        history.official(day("2026-01-02"), price("9"));
        history.official(day("2026-01-05"), price("0"));
        let levels = history.levels(Some((day("2026-01-07"), price("13"))), day("2026-01-07"));
        assert_eq!(levels.iter().map(|(_, price)| *price).collect::<Vec<_>>(), [9.0, 10.0, 12.0, 13.0]);
        assert_eq!(history.near(None, day("2026-01-13")), Some(12.0));
        assert_eq!(history.near(None, day("2026-01-14")), None, "too long ago");
    }

    #[test]
    fn a_day_ends_at_the_midnight_of_its_venue() {
        let quote = |moment: &str, last: &str| FramePrice {
            last: Some(price(last)),
            ..FramePrice::empty("A".parse().unwrap(), moment.parse().unwrap())
        };
        let mut today = Today::new(quote("2026-01-05T20:00:00Z", "10"), Some("XNAS"), PriceSource::Auto);
        assert_eq!(today.quote(&quote("2026-01-06T04:59:59Z", "11"), Some("XNAS"), PriceSource::Auto), None);
        let over = today.quote(&quote("2026-01-06T05:00:00Z", "12"), Some("XNAS"), PriceSource::Auto);
        assert_eq!(over, Some((day("2026-01-05"), price("11"))));
        assert_eq!(today.level(), Some((day("2026-01-06"), price("12"))));
        let before = |cut: &str| today.level_before(cut.parse().unwrap());
        assert_eq!(before("2026-01-06T05:00:00Z"), Some((day("2026-01-05"), price("11"))));
        assert_eq!((before("2026-01-06T05:01:00Z"), before("2026-01-06T04:59:00Z")), (Some((day("2026-01-06"), price("12"))), None));
        assert_eq!(today.quote(&quote("2026-01-05T05:00:00Z", "1"), Some("XNAS"), PriceSource::Auto), None, "late");
    }

    #[test]
    fn splits_and_dividends_are_in_the_total_return() {
        let levels = [(day("2026-01-05"), 100.0), (day("2026-01-06"), 50.0), (day("2026-01-07"), 49.0)];
        let mut actions = Actions::default();
        actions.split("s", day("2026-01-06"), 2);
        actions.dividend("d", day("2026-01-07"), 1);
        let found = total_return(&levels, &actions, |_, _| Some(1.0));
        assert_eq!(found.index, [1.0, 1.0, 1.0]);
        let abroad = total_return(&levels, &actions, |_, date| (date != day("2026-01-06")).then_some(2.0));
        assert_eq!(abroad.index, [1.0, 1.0], "a day without a rate is left out");
    }
}
