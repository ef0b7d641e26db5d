//! Calendar timeframes of dated returns: which rows belong to one, and what each has returned.
//! A return belongs to the timeframe of its last day.

use super::growth;
use crate::undefined::{Answer, finite};
use domain::Date;
use jiff::civil;
use std::fmt;

/// A timeframe of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timeframe {
    /// A week of ISO 8601, Monday to Sunday.
    Week,
    /// A month.
    Month,
    /// A quarter.
    Quarter,
    /// A year.
    Year,
}

/// One timeframe, such as week 2 of 2026. They rise with time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    year: i16,
    part: Option<(char, i8)>,
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part {
            None => write!(f, "{:04}", self.year),
            Some(('M', month)) => write!(f, "{:04}-{month:02}", self.year),
            Some(('W', week)) => write!(f, "{:04}-W{week:02}", self.year),
            Some((letter, part)) => write!(f, "{:04}-{letter}{part}", self.year),
        }
    }
}

/// The timeframe that a day belongs to.
pub fn span_of(day: Date, timeframe: Timeframe) -> Span {
    let date = civil_date(day);
    match timeframe {
        Timeframe::Week => Span { year: date.iso_week_date().year(), part: Some(('W', date.iso_week_date().week())) },
        Timeframe::Month => Span { year: date.year(), part: Some(('M', date.month())) },
        Timeframe::Quarter => Span { year: date.year(), part: Some(('Q', (date.month() - 1) / 3 + 1)) },
        Timeframe::Year => Span { year: date.year(), part: None },
    }
}

/// The first row of the last date's timeframe: returns from there on are those to date. The base is then the index
/// at or before the end of the timeframe before, else its first value.
pub fn starts_with(dates: &[Date], timeframe: Timeframe) -> usize {
    let Some(last) = dates.last() else { return 0 };
    let now = span_of(*last, timeframe);
    dates.iter().position(|day| span_of(*day, timeframe) == now).unwrap_or(0)
}

/// What each timeframe has returned, in order; `dates` rise and are as many as the returns.
pub fn by_timeframe(dates: &[Date], returns: &[f64], timeframe: Timeframe) -> Vec<(Span, Answer)> {
    assert_eq!(dates.len(), returns.len(), "each return has its date");
    let mut found = Vec::new();
    let mut from = 0;
    while from < dates.len() {
        let span = span_of(dates[from], timeframe);
        let rows = dates[from..].iter().take_while(|day| span_of(**day, timeframe) == span).count();
        found.push((span, growth(&returns[from..from + rows]).and_then(|growth| finite(growth - 1.0))));
        from += rows;
    }
    found
}

fn civil_date(day: Date) -> civil::Date {
    day.civil().unwrap_or(if day.days() < 0 { civil::Date::MIN } else { civil::Date::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(texts: &[&str]) -> Vec<Date> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_day_has_a_timeframe_of_each_kind() {
        let day = days(&["2026-01-01"])[0];
        let shown = [Timeframe::Week, Timeframe::Month, Timeframe::Quarter, Timeframe::Year].map(|one| span_of(day, one).to_string());
        assert_eq!(shown, ["2026-W01", "2026-01", "2026-Q1", "2026"]);
        assert_eq!(span_of(days(&["2027-01-02"])[0], Timeframe::Week).to_string(), "2026-W53");
        assert_eq!(span_of(days(&["1969-12-31"])[0], Timeframe::Quarter).to_string(), "1969-Q4");
    }

    #[test]
    fn returns_to_date_begin_after_the_last_end() {
        let dates = days(&["2025-12-30", "2025-12-31", "2026-01-02", "2026-01-30", "2026-02-02"]);
        assert_eq!((starts_with(&dates, Timeframe::Month), starts_with(&dates, Timeframe::Year)), (4, 2));
        assert_eq!(starts_with(&dates[..2], Timeframe::Year), 0);
        let months = by_timeframe(&dates, &[0.1, 0.1, 0.2, -0.5, 0.0], Timeframe::Month);
        let shown: Vec<String> = months.iter().map(|(span, total)| format!("{span} {:.4}", total.unwrap())).collect();
        assert_eq!(shown, ["2025-12 0.2100", "2026-01 -0.4000", "2026-02 0.0000"]);
    }
}
