//! The day of a portfolio: the moments at which a local time of day comes in its own time zone.
//! It knows no calendar of trading days and reads no clock, and no zone but those that are compiled in: what is
//! installed on the machine must not change a decision.

use crate::{Date, Timestamp};
use jiff::civil;
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// Days before and after the local date of a moment among which the cuts around it are: a change of the clocks
/// moves a cut over midnight, a change of the date line drops a day.
const AROUND: std::ops::RangeInclusive<i64> = -2..=2;

/// Whether that is an IANA time zone.
pub fn is_time_zone(name: &str) -> bool {
    zone(name).is_some()
}

/// The last moment at or before `now` at which a day is cut. A local time that the clocks skip is as much later
/// as they skip; one that they show twice is the first of both. `None` where zone or time are none, and at the
/// ends of the calendar.
pub fn last_day_cut(time_zone: &str, day_cut: &str, now: Timestamp) -> Option<Timestamp> {
    cuts(time_zone, day_cut, now)?.filter(|cut| *cut <= now).max()
}

/// The first moment after `now` at which a day is cut, by the same rule.
pub fn next_day_cut(time_zone: &str, day_cut: &str, now: Timestamp) -> Option<Timestamp> {
    cuts(time_zone, day_cut, now)?.filter(|cut| *cut > now).min()
}

/// The day that a cut ends: the local date of the last moment before it. So a cut at midnight ends the day before.
pub fn day_of_cut(time_zone: &str, cut: Timestamp) -> Option<Date> {
    local_date(time_zone, cut.plus_micros(-1))
}

/// The first moment of a day in a time zone: midnight, or when the clocks skip it, the first moment after it. `None`
/// where the zone is none, and at the ends of the calendar.
pub fn start_of_day(time_zone: &str, day: Date) -> Option<Timestamp> {
    let start = zone(time_zone)?.to_ambiguous_zoned(day.civil()?.to_datetime(civil::Time::midnight())).compatible().ok()?;
    Some(Timestamp::from_micros(start.timestamp().as_microsecond()))
}

/// The local date of a moment. `None` where the zone is none, and at the ends of the calendar.
pub fn local_date(time_zone: &str, moment: Timestamp) -> Option<Date> {
    let date = zone(time_zone)?.to_datetime(jiff::Timestamp::from_microsecond(moment.micros()).ok()?).date();
    Date::from_civil(date)
}

/// The local hour of a moment, 0 to 23. `None` where the zone is none, and at the ends of the calendar.
pub fn local_hour(time_zone: &str, moment: Timestamp) -> Option<u8> {
    let local = zone(time_zone)?.to_datetime(jiff::Timestamp::from_microsecond(moment.micros()).ok()?);
    u8::try_from(local.hour()).ok()
}

/// The moment at which a local time of day (HH:MM) comes on a local date, by the rule of [`last_day_cut`].
pub fn moment_of(time_zone: &str, time: &str, day: Date) -> Option<Timestamp> {
    at_time(time_zone, day, time_of_day(time)?)
}

/// The same of a time in minutes after midnight.
pub fn at_local_time(time_zone: &str, day: Date, minutes: i16) -> Option<Timestamp> {
    let (hour, minute) = (i8::try_from(minutes / 60).ok()?, i8::try_from(minutes % 60).ok()?);
    at_time(time_zone, day, civil::Time::new(hour, minute, 0, 0).ok()?)
}

fn at_time(time_zone: &str, day: Date, time: civil::Time) -> Option<Timestamp> {
    let at = zone(time_zone)?.to_ambiguous_zoned(day.civil()?.to_datetime(time)).compatible().ok()?;
    Some(Timestamp::from_micros(at.timestamp().as_microsecond()))
}

fn time_of_day(time: &str) -> Option<civil::Time> {
    let (hour, minute) = time.split_once(':')?;
    civil::Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

fn zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

/// The cuts of the days around a moment.
fn cuts(time_zone: &str, day_cut: &str, now: Timestamp) -> Option<impl Iterator<Item = Timestamp>> {
    let zone = zone(time_zone)?;
    let time = time_of_day(day_cut)?;
    let today = zone.to_datetime(jiff::Timestamp::from_microsecond(now.micros()).ok()?).date();
    let days = AROUND.filter_map(move |days| today.checked_add(jiff::Span::new().days(days)).ok());
    let cut = move |day: civil::Date| zone.to_ambiguous_zoned(day.to_datetime(time)).compatible().ok();
    Some(days.filter_map(cut).map(|cut| Timestamp::from_micros(cut.timestamp().as_microsecond())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_cut_by_the_local_clock() {
        let new_york = "America/New_York";
        for (zone, cut, now, last, next) in [
            ("UTC", "00:00", "2026-01-05T14:30:00Z", "2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z"),
            ("UTC", "00:00", "2026-01-05T00:00:00Z", "2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z"),
            (new_york, "16:00", "2026-01-05T20:59:59Z", "2026-01-04T21:00:00Z", "2026-01-05T21:00:00Z"),
            (new_york, "16:00", "2026-07-05T20:00:00Z", "2026-07-05T20:00:00Z", "2026-07-06T20:00:00Z"),
            ("Pacific/Kiritimati", "00:00", "2026-01-05T09:59:00Z", "2026-01-04T10:00:00Z", "2026-01-05T10:00:00Z"),
            // 02:30 does not exist on 2026-03-08.
            (new_york, "02:30", "2026-03-08T07:29:59Z", "2026-03-07T07:30:00Z", "2026-03-08T07:30:00Z"),
            (new_york, "02:30", "2026-03-08T12:00:00Z", "2026-03-08T07:30:00Z", "2026-03-09T06:30:00Z"),
            // 01:30 comes twice on 2026-11-01, at 05:30 and 06:30 UTC: the day is cut once, at the first.
            (new_york, "01:30", "2026-11-01T05:29:59Z", "2026-10-31T05:30:00Z", "2026-11-01T05:30:00Z"),
            (new_york, "01:30", "2026-11-01T05:30:00Z", "2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"),
            (new_york, "01:30", "2026-11-01T06:30:00Z", "2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"),
            // Samoa had no 2011-12-30: its cut and that of the day after are one.
            ("Pacific/Apia", "12:00", "2011-12-30T00:00:00Z", "2011-12-29T22:00:00Z", "2011-12-30T22:00:00Z"),
        ] {
            let at = now.parse().unwrap();
            let found = (last_day_cut(zone, cut, at).unwrap().to_string(), next_day_cut(zone, cut, at).unwrap().to_string());
            assert_eq!(found, (last.to_owned(), next.to_owned()), "{zone} {cut} {now}");
        }
    }

    #[test]
    fn a_local_date_and_the_moment_of_a_local_time_are_each_other() {
        for (zone, time, day, moment) in [
            ("America/New_York", "15:30", "2026-01-05", "2026-01-05T20:30:00Z"),
            ("America/New_York", "02:30", "2026-03-08", "2026-03-08T07:30:00Z"),
            ("America/New_York", "01:30", "2026-11-01", "2026-11-01T05:30:00Z"),
            ("Pacific/Kiritimati", "00:00", "2026-01-05", "2026-01-04T10:00:00Z"),
            ("UTC", "23:59", "1969-12-31", "1969-12-31T23:59:00Z"),
        ] {
            let day = day.parse().unwrap();
            let found = moment_of(zone, time, day).unwrap();
            assert_eq!((found.to_string().as_str(), local_date(zone, found)), (moment, Some(day)), "{zone} {time}");
        }
        assert_eq!((local_date("Mars/Olympus", Timestamp::default()), moment_of("UTC", "24:00", Date::from_days(0))), (None, None));
    }

    #[test]
    fn a_cut_ends_the_day_whose_last_moment_comes_before_it() {
        for (zone, cut, day) in [
            ("UTC", "2026-01-06T00:00:00Z", "2026-01-05"),
            ("America/New_York", "2026-01-05T21:00:00Z", "2026-01-05"),
            ("America/New_York", "2026-03-08T07:30:00Z", "2026-03-08"),
            ("Pacific/Kiritimati", "2026-01-05T10:00:00Z", "2026-01-05"),
            ("Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-29"),
        ] {
            assert_eq!(day_of_cut(zone, cut.parse().unwrap()), day.parse().ok(), "{zone} {cut}");
        }
    }

    #[test]
    fn what_is_no_zone_or_time_cuts_no_day() {
        for (zone, cut) in [("Mars/Olympus", "00:00"), ("UTC", "25:00"), ("UTC", "noon")] {
            assert_eq!((last_day_cut(zone, cut, Timestamp::default()), next_day_cut(zone, cut, Timestamp::default())), (None, None));
        }
        assert!(is_time_zone("Europe/Zurich") && !is_time_zone("Mars/Olympus"));
    }
}
