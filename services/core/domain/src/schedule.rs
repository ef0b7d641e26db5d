//! When a scheduled rebalance is due: at a local time on the weekdays (DAILY), on Mondays (WEEKLY), on the first weekday
//! of a month (MONTHLY). A portfolio whose calendar is `24/7` has no weekends: its months begin on the first.
//! It knows no holidays and reads no clock.

use crate::day::{local_date, moment_of};
use crate::enums::RebalanceFrequency;
use crate::policy::{Policy, Trigger};
use crate::{Date, SmolStr, Timestamp};

/// The calendar of markets that never close.
pub const ALWAYS_OPEN: &str = "24/7";

/// Whether the days of a policy's portfolio are those from Monday to Friday alone.
pub fn has_weekends(policy: &Policy) -> bool {
    policy.calendar.as_deref() != Some(ALWAYS_OPEN)
}

/// Whether a day counts where there are weekends, or none.
pub fn counts(has_weekends: bool, day: Date) -> bool {
    !has_weekends || weekday(day) < 5
}

/// Days among which the next turn of every frequency is, from two before a moment's local date: a change of the date
/// line drops a day.
const SEARCHED: std::ops::RangeInclusive<i32> = -2..=40;

/// The schedule of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    frequency: RebalanceFrequency,
    time: SmolStr,
    time_zone: SmolStr,
    has_weekends: bool,
}

impl Schedule {
    /// The schedule of a trigger in its policy, or of the trigger of its shadow; `None` where there is none.
    pub fn of(policy: &Policy, trigger: &Trigger) -> Option<Self> {
        let frequency = trigger.rebalance_frequency;
        if matches!(frequency, RebalanceFrequency::None | RebalanceFrequency::Unknown) {
            return None;
        }
        let (time, time_zone) = (trigger.schedule_time.clone()?, policy.time_zone.clone());
        Some(Self { frequency, time, time_zone, has_weekends: has_weekends(policy) })
    }
    /// The first turn after `now`; `None` at the ends of the calendar. A local time that the clocks skip comes as much
    /// later as they skip; one that they show twice comes at the first of both, and once.
    pub fn next_turn(&self, now: Timestamp) -> Option<Timestamp> {
        self.next(now, |day| self.has_turn(day))
    }
    /// The first moment after `now` at which the time comes on a day that is no weekend, whatever the frequency.
    pub fn next_day(&self, now: Timestamp) -> Option<Timestamp> {
        self.next(now, |day| self.is_day(day))
    }

    fn next(&self, now: Timestamp, takes: impl Fn(Date) -> bool) -> Option<Timestamp> {
        let today = local_date(&self.time_zone, now)?;
        let days = SEARCHED.map(|days| today.plus_days(days)).filter(|day| takes(*day));
        days.filter_map(|day| moment_of(&self.time_zone, &self.time, day)).find(|at| *at > now)
    }
    fn is_day(&self, day: Date) -> bool {
        counts(self.has_weekends, day)
    }
    fn has_turn(&self, day: Date) -> bool {
        match self.frequency {
            RebalanceFrequency::Daily => self.is_day(day),
            RebalanceFrequency::Weekly => weekday(day) == 0,
            RebalanceFrequency::Monthly => self.is_day(day) && self.is_first(day),
            RebalanceFrequency::None | RebalanceFrequency::Unknown => false,
        }
    }
    /// Whether no day before it in its month is one that counts.
    fn is_first(&self, day: Date) -> bool {
        let before = day_of_month(day).map(|number| 1..number);
        before.is_some_and(|mut before| !before.any(|back| self.is_day(day.plus_days(-back))))
    }
}

/// Days since Monday.
fn weekday(day: Date) -> i32 {
    // 1970-01-01 was a Thursday.
    (day.days() + 3).rem_euclid(7)
}

fn day_of_month(day: Date) -> Option<i32> {
    Some(i32::from(day.civil()?.day()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(frequency: RebalanceFrequency, time: &str, zone: &str, has_weekends: bool) -> Schedule {
        Schedule { frequency, time: SmolStr::new(time), time_zone: SmolStr::new(zone), has_weekends }
    }

    fn turns(schedule: &Schedule, from: &str, count: usize) -> Vec<String> {
        let mut now = from.parse().unwrap();
        let next = std::iter::from_fn(|| {
            now = schedule.next_turn(now)?;
            Some(now.to_string())
        });
        next.take(count).collect()
    }

    #[test]
    fn turns_come_on_days_that_count() {
        use RebalanceFrequency::{Daily, Monthly, Weekly};
        let new_york = "America/New_York";
        for (frequency, time, zone, weekends, from, expected) in [
            // Friday, then Monday.
            (Daily, "15:30", new_york, true, "2026-01-08T20:30:00Z", vec!["2026-01-09T20:30:00Z", "2026-01-12T20:30:00Z"]),
            (Daily, "15:30", "UTC", false, "2026-01-09T15:30:00Z", vec!["2026-01-10T15:30:00Z", "2026-01-11T15:30:00Z"]),
            (Weekly, "09:00", "UTC", true, "2026-01-05T08:59:59Z", vec!["2026-01-05T09:00:00Z", "2026-01-12T09:00:00Z"]),
            // 2026-02-01 and 2026-03-01 are Sundays, 2026-08-01 is a Saturday.
            (Monthly, "16:00", "UTC", true, "2026-01-15T00:00:00Z", vec!["2026-02-02T16:00:00Z", "2026-03-02T16:00:00Z"]),
            (Monthly, "16:00", "UTC", true, "2026-07-15T00:00:00Z", vec!["2026-08-03T16:00:00Z", "2026-09-01T16:00:00Z"]),
            (Monthly, "16:00", "UTC", false, "2026-01-15T00:00:00Z", vec!["2026-02-01T16:00:00Z", "2026-03-01T16:00:00Z"]),
            // A Monday in Auckland is a Sunday in UTC.
            (Weekly, "08:00", "Pacific/Auckland", true, "2026-01-10T00:00:00Z", vec!["2026-01-11T19:00:00Z", "2026-01-18T19:00:00Z"]),
        ] {
            assert_eq!(turns(&schedule(frequency, time, zone, weekends), from, 2), expected, "{frequency} {time} {zone} {from}");
        }
    }

    #[test]
    fn clocks_that_change_move_a_turn_and_never_double_it() {
        let daily = |time, zone| schedule(RebalanceFrequency::Daily, time, zone, false);
        // 02:30 does not exist on 2026-03-08, 01:30 comes twice on 2026-11-01.
        let gap = turns(&daily("02:30", "America/New_York"), "2026-03-07T08:00:00Z", 3);
        assert_eq!(gap, ["2026-03-08T07:30:00Z", "2026-03-09T06:30:00Z", "2026-03-10T06:30:00Z"]);
        let overlap = turns(&daily("01:30", "America/New_York"), "2026-10-31T06:00:00Z", 3);
        assert_eq!(overlap, ["2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z", "2026-11-03T06:30:00Z"]);
        // Samoa had no 2011-12-30.
        let dropped = turns(&daily("12:00", "Pacific/Apia"), "2011-12-29T21:00:00Z", 3);
        assert_eq!(dropped, ["2011-12-29T22:00:00Z", "2011-12-30T22:00:00Z", "2011-12-31T22:00:00Z"]);
    }

    #[test]
    fn the_next_day_that_counts_is_no_weekend() {
        let monthly = schedule(RebalanceFrequency::Monthly, "16:00", "UTC", true);
        let next = |now: &str| monthly.next_day(now.parse().unwrap()).unwrap().to_string();
        assert_eq!(next("2026-01-01T16:00:00Z"), "2026-01-02T16:00:00Z");
        assert_eq!(next("2026-01-02T16:00:00Z"), "2026-01-05T16:00:00Z");
    }

    #[test]
    fn a_policy_without_time_or_frequency_has_none() {
        let of = |trigger: &str| {
            let text = format!(r#"{{"portfolio_id":"p","policy_version":1,"base_currency":"USD","trigger":{trigger}}}"#);
            let policy: Policy = serde_json::from_str(&text).unwrap();
            Schedule::of(&policy, &policy.trigger).is_some()
        };
        assert!(of(r#"{"rebalance_frequency":"DAILY","schedule_time":"15:30"}"#));
        assert!(!of(r#"{"rebalance_frequency":"DAILY"}"#) && !of(r#"{"schedule_time":"15:30"}"#));
    }
}
