//! Moments and days as counts since 1970: microseconds in UTC, and calendar days.
//! No clock is read here and no time zone is assumed.

use jiff::civil;
use jiff::fmt::temporal::Pieces;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A text is no moment or no day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not RFC 3339 with an offset.
    #[error("{0:?} is no RFC 3339 time such as 2026-01-05T14:30:00Z")]
    Timestamp(String),
    /// A moment before [`Timestamp::FIRST`] or after [`Timestamp::LAST`], which no reader could be told.
    #[error("OUT_OF_RANGE: {0:?} lies outside 0001-01-01T00:00:00Z to 9999-12-30T22:00:00Z")]
    Range(String),
    /// Not a calendar day.
    #[error("{0:?} is no date such as 2026-01-05")]
    Date(String),
}

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest value that there is; older than any record.
    pub const MIN: Self = Self(i64::MIN);
    /// The end of counting: later than anything.
    pub const MAX: Self = Self(i64::MAX);
    /// The first moment that is read and written: 0001-01-01T00:00:00Z.
    pub const FIRST: Self = Self(-62_135_596_800_000_000);
    /// The last moment that is read and written, 9999-12-30T22:00:00Z: the last full second that every reader can
    /// show in every time zone.
    pub const LAST: Self = Self(253_402_207_200_000_000);
    /// Microseconds since 1970.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }
    /// Milliseconds since 1970, as the broker gives them.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1000))
    }
    /// Microseconds since 1970.
    pub const fn micros(self) -> i64 {
        self.0
    }
    /// Milliseconds since 1970, rounded down.
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1000)
    }
    /// When its minute is over; the end of time where that lies beyond it.
    pub const fn end_of_minute(self) -> Self {
        const MINUTE: i64 = 60_000_000;
        Self::from_micros(self.micros().div_euclid(MINUTE).saturating_add(1).saturating_mul(MINUTE))
    }
    /// This moment and so many seconds; saturates at the ends of time.
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }
    /// This moment and so many microseconds; saturates at the ends of time.
    pub const fn plus_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }
    /// Microseconds from `earlier` to this moment; saturates.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
    /// The UTC day that it falls in.
    #[allow(clippy::cast_possible_truncation, reason = "every i64 of microseconds is fewer than 2^27 days")]
    pub const fn date_utc(self) -> Date {
        Date(self.0.div_euclid(86_400_000_000) as i32)
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let shown = || text.chars().take(64).collect();
        // A time with its offset that is no moment lies beyond all that can be counted.
        let beyond = || Pieces::parse(text).is_ok_and(|pieces| pieces.time().is_some() && pieces.offset().is_some());
        let wrong = || if beyond() { TimeError::Range(shown()) } else { TimeError::Timestamp(shown()) };
        let parsed: jiff::Timestamp = text.parse().map_err(|_| wrong())?;
        let moment = Self(parsed.as_microsecond());
        if (Self::FIRST..=Self::LAST).contains(&moment) { Ok(moment) } else { Err(TimeError::Range(shown())) }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(time) => write!(f, "{time}"),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // What was computed from a moment near the end of time may lie beyond it: it is told as the end.
        if serializer.is_human_readable() {
            serializer.collect_str(&(*self).clamp(Self::FIRST, Self::LAST))
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
        } else {
            i64::deserialize(deserializer).map(Self)
        }
    }
}

/// Days since 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Date(i32);

impl Date {
    /// Days since 1970.
    pub const fn from_days(days: i32) -> Self {
        Self(days)
    }
    /// Days since 1970.
    pub const fn days(self) -> i32 {
        self.0
    }
    /// The day so many days later; saturates.
    pub const fn plus_days(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }
    /// The same day of the calendar; `None` beyond its ends.
    pub fn civil(self) -> Option<civil::Date> {
        EPOCH.checked_add(jiff::Span::new().try_days(self.0).ok()?).ok()
    }
    /// The day of a day of the calendar.
    pub fn from_civil(day: civil::Date) -> Option<Self> {
        Some(Self(day.since(EPOCH).ok()?.get_days()))
    }
    /// Its year and month, from 1; those of 1970-01 beyond the ends of the calendar.
    pub fn month(self) -> (i16, i8) {
        let day = self.civil().unwrap_or(EPOCH);
        (day.year(), day.month())
    }
    /// Days since the Monday of its week.
    pub const fn days_since_monday(self) -> i32 {
        // 1970-01-01 was a Thursday.
        (self.0.rem_euclid(7) + 3) % 7
    }
    /// Whether it is one from Monday to Friday.
    pub const fn is_weekday(self) -> bool {
        self.days_since_monday() < 5
    }
    /// The first day of its month; itself beyond the ends of the calendar.
    pub fn first_of_month(self) -> Self {
        self.civil().and_then(|day| Self::from_civil(day.first_of_month())).unwrap_or(self)
    }
    /// The first day of its year; itself beyond the ends of the calendar.
    pub fn first_of_year(self) -> Self {
        self.civil().and_then(|day| Self::from_civil(day.first_of_year())).unwrap_or(self)
    }
    /// Midnight UTC at which it starts.
    pub const fn start_utc(self) -> Timestamp {
        Timestamp(self.0 as i64 * 86_400_000_000)
    }
}

const EPOCH: civil::Date = civil::Date::constant(1970, 1, 1);

impl FromStr for Date {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let refuse = || TimeError::Date(text.chars().take(64).collect());
        if text.len() != 10 {
            return Err(refuse());
        }
        let date: civil::Date = text.parse().map_err(|_| refuse())?;
        Self::from_civil(date).ok_or_else(refuse)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.civil() {
            Some(date) => write!(f, "{date}"),
            None => write!(f, "day {}", self.0),
        }
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { self.0.serialize(serializer) }
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
        } else {
            i32::deserialize(deserializer).map(Self)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_round_trip() {
        for text in ["1969-12-31", "2026-01-05", "2024-02-29", "0001-01-01"] {
            assert_eq!(text.parse::<Date>().unwrap().to_string(), text);
        }
        assert_eq!("1970-01-02".parse::<Date>().unwrap().days(), 1);
        for text in ["2026-02-30", "2026-1-5", "", "20260105"] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
        for (text, month, year) in [("2024-02-29", "2024-02-01", "2024-01-01"), ("1969-12-31", "1969-12-01", "1969-01-01")] {
            let day: Date = text.parse().unwrap();
            assert_eq!([day.first_of_month(), day.first_of_year()].map(|day| day.to_string()), [month, year]);
        }
        assert_eq!(Date::from_days(i32::MAX).first_of_month(), Date::from_days(i32::MAX));
        let time: Timestamp = "2026-01-05T14:30:00.123456Z".parse().unwrap();
        assert_eq!(time.to_string(), "2026-01-05T14:30:00.123456Z");
        assert_eq!(time.date_utc().to_string(), "2026-01-05");
        assert!("2026-01-05T14:30:00".parse::<Timestamp>().is_err());
        for text in ["0001-01-01T00:00:00Z", "9999-12-30T22:00:00Z"] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        }
        for text in ["9999-12-30T22:00:00.999999Z", "9999-12-31T23:59:59Z", "9999-12-31T00:00:00+00:00", "0000-12-31T23:59:59Z"] {
            assert!(matches!(text.parse::<Timestamp>(), Err(TimeError::Range(_))), "{text}");
        }
        let beyond = serde_json::to_string(&Timestamp::LAST.plus_seconds(5)).unwrap();
        assert_eq!(serde_json::from_str::<Timestamp>(&beyond).unwrap(), Timestamp::LAST);
    }
}
