//! The days of a portfolio: the sessions of its calendar, or every weekday where its policy names none.
//! Beyond the years that a calendar speaks of weekdays count: books go on, and what they say is marked by whoever says it.

use crate::calendar::{ALWAYS, Calendar};
use crate::policy::Policy;
use crate::{Date, SmolStr};
use serde::{Deserialize, Serialize};

/// Days without a session in a row, at most, after which a day is counted by itself.
const LONGEST_PAUSE: i32 = 31;

/// Which days count. Two names of one calendar are the same days.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct TradingDays(Option<SmolStr>);

impl TradingDays {
    /// Those of a policy. A name that is none, of a policy that was refused or is of before names were checked, has
    /// weekdays.
    pub fn of(policy: &Policy) -> Self {
        let calendar = policy.calendar.as_deref().and_then(Calendar::named);
        Self(calendar.map(|calendar| SmolStr::new_static(calendar.name())))
    }
    fn calendar(&self) -> Option<&'static Calendar> {
        Calendar::named(self.0.as_deref()?)
    }
    /// Whether every day counts.
    pub fn are_all(&self) -> bool {
        self.0.as_deref() == Some(ALWAYS)
    }
    /// Whether a day counts.
    pub fn count(&self, day: Date) -> bool {
        let said = self.calendar().and_then(|calendar| calendar.has_session(day));
        said.unwrap_or_else(|| day.is_weekday())
    }
    /// The calendar's name, where it does not speak of a day.
    pub fn unknown(&self, day: Date) -> Option<&'static str> {
        self.calendar().filter(|calendar| !calendar.knows(day)).map(Calendar::name)
    }
    /// A day, or the first one after it that counts.
    pub fn counted(&self, day: Date) -> Date {
        (0..LONGEST_PAUSE).map(|days| day.plus_days(days)).find(|day| self.count(*day)).unwrap_or(day)
    }
    /// Whether a day is the first that counts in its week, which begins on Monday.
    pub fn is_first_of_week(&self, day: Date) -> bool {
        self.is_first_since(day.plus_days(-day.days_since_monday()), day)
    }
    /// Whether a day is the first that counts in its month.
    pub fn is_first_of_month(&self, day: Date) -> bool {
        self.is_first_since(day.first_of_month(), day)
    }
    fn is_first_since(&self, first: Date, day: Date) -> bool {
        self.count(day) && !(first.days()..day.days()).any(|before| self.count(Date::from_days(before)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(calendar: &str) -> TradingDays {
        let text = format!(r#"{{"portfolio_id":"p","policy_version":1,"base_currency":"USD","calendar":{calendar}}}"#);
        TradingDays::of(&serde_json::from_str(&text).unwrap())
    }
    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn sessions_count_and_weekdays_where_there_is_no_calendar() {
        for (calendar, expected) in [
            // Good Friday, the Saturday after it, Easter Monday, Juneteenth.
            ("null", [true, false, true, true]),
            (r#""anything""#, [true, false, true, true]),
            (r#""24/7""#, [true, true, true, true]),
            (r#""XNYS""#, [false, false, true, false]),
            (r#""XLON""#, [false, false, false, true]),
        ] {
            let found = ["2026-04-03", "2026-04-04", "2026-04-06", "2026-06-19"].map(|text| days(calendar).count(day(text)));
            assert_eq!(found, expected, "{calendar}");
        }
        assert!(days(r#""XNAS""#) == days(r#""XNYS""#) && days(r#""24/7""#).are_all());
    }

    #[test]
    fn weeks_and_months_begin_with_their_first_session() {
        let (new_york, none) = (days(r#""XNYS""#), days("null"));
        // Labor Day is a Monday; 2027-01-01 is a Friday.
        assert!(!new_york.is_first_of_week(day("2026-09-07")) && new_york.is_first_of_week(day("2026-09-08")));
        assert!(none.is_first_of_week(day("2026-09-07")) && !none.is_first_of_week(day("2026-09-08")));
        assert!(new_york.is_first_of_month(day("2027-01-04")) && none.is_first_of_month(day("2027-01-01")));
        assert_eq!(new_york.counted(day("2026-04-03")), day("2026-04-06"));
        // Ten days of holidays.
        assert_eq!(days(r#""XTKS""#).counted(day("2019-04-27")), day("2019-05-07"));
    }

    #[test]
    fn beyond_its_years_weekdays_count_and_the_calendar_is_named() {
        let new_york = days(r#""XNYS""#);
        assert_eq!((new_york.unknown(day("2035-12-31")), new_york.unknown(day("2036-01-01"))), (None, Some("XNYS")));
        assert!(new_york.count(day("2036-12-25")), "a Thursday");
        assert_eq!(days("null").unknown(day("2036-01-01")), None);
    }
}
