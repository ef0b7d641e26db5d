//! When a scheduled rebalance is due: at a local time on each of the portfolio's days (DAILY), on the first of its days in
//! a week (WEEKLY), in a month (MONTHLY). Which days it has is its calendar's to say. It reads no clock.

use crate::day::{local_date, moment_of};
use crate::enums::RebalanceFrequency;
use crate::policy::{Policy, Trigger};
use crate::{Date, SmolStr, Timestamp, TradingDays};

/// Days among which the next turn of every frequency is, from two before a moment's local date: a change of the date
/// line drops a day, and a month may begin with ten holidays.
const SEARCHED: std::ops::RangeInclusive<i32> = -2..=70;

/// The schedule of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    frequency: RebalanceFrequency,
    time: SmolStr,
    time_zone: SmolStr,
    days: TradingDays,
}

impl Schedule {
    /// The schedule of a trigger in its policy, or of the trigger of its shadow; `None` where there is none.
    pub fn of(policy: &Policy, trigger: &Trigger) -> Option<Self> {
        let frequency = trigger.rebalance_frequency;
        if matches!(frequency, RebalanceFrequency::None | RebalanceFrequency::Unknown) {
            return None;
        }
        let (time, time_zone) = (trigger.schedule_time.clone()?, policy.time_zone.clone());
        Some(Self { frequency, time, time_zone, days: TradingDays::of(policy) })
    }
    /// The first turn after `now`; `None` at the ends of the calendar. A local time that the clocks skip comes as much
    /// later as they skip; one that they show twice comes at the first of both, and once.
    pub fn next_turn(&self, now: Timestamp) -> Option<Timestamp> {
        self.next(now, |day| self.has_turn(day))
    }
    /// The first moment after `now` at which the time comes on a day that counts, whatever the frequency.
    pub fn next_day(&self, now: Timestamp) -> Option<Timestamp> {
        self.next(now, |day| self.days.count(day))
    }

    fn next(&self, now: Timestamp, takes: impl Fn(Date) -> bool) -> Option<Timestamp> {
        let today = local_date(&self.time_zone, now)?;
        let days = SEARCHED.map(|days| today.plus_days(days)).filter(|day| takes(*day));
        days.filter_map(|day| moment_of(&self.time_zone, &self.time, day)).find(|at| *at > now)
    }
    fn has_turn(&self, day: Date) -> bool {
        match self.frequency {
            RebalanceFrequency::Daily => self.days.count(day),
            RebalanceFrequency::Weekly => self.days.is_first_of_week(day),
            RebalanceFrequency::Monthly => self.days.is_first_of_month(day),
            RebalanceFrequency::None | RebalanceFrequency::Unknown => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(frequency: RebalanceFrequency, time: &str, zone: &str, calendar: Option<&str>) -> Schedule {
        let calendar = calendar.map_or_else(|| "null".to_owned(), |name| format!("{name:?}"));
        let text = format!(
            r#"{{"portfolio_id":"p","policy_version":1,"base_currency":"USD","time_zone":"{zone}","calendar":{calendar},
                "trigger":{{"rebalance_frequency":"{frequency}","schedule_time":"{time}"}}}}"#
        );
        let policy: Policy = serde_json::from_str(&text).unwrap();
        Schedule::of(&policy, &policy.trigger).unwrap()
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
        let (new_york, all, exchange) = ("America/New_York", Some("24/7"), Some("XNYS"));
        for (frequency, time, zone, calendar, from, expected) in [
            // Friday, then Monday.
            (Daily, "15:30", new_york, None, "2026-01-08T20:30:00Z", vec!["2026-01-09T20:30:00Z", "2026-01-12T20:30:00Z"]),
            (Daily, "15:30", "UTC", all, "2026-01-09T15:30:00Z", vec!["2026-01-10T15:30:00Z", "2026-01-11T15:30:00Z"]),
            (Weekly, "09:00", "UTC", None, "2026-01-05T08:59:59Z", vec!["2026-01-05T09:00:00Z", "2026-01-12T09:00:00Z"]),
            // 2026-02-01 and 2026-03-01 are Sundays, 2026-08-01 is a Saturday.
            (Monthly, "16:00", "UTC", None, "2026-01-15T00:00:00Z", vec!["2026-02-02T16:00:00Z", "2026-03-02T16:00:00Z"]),
            (Monthly, "16:00", "UTC", None, "2026-07-15T00:00:00Z", vec!["2026-08-03T16:00:00Z", "2026-09-01T16:00:00Z"]),
            (Monthly, "16:00", "UTC", all, "2026-01-15T00:00:00Z", vec!["2026-02-01T16:00:00Z", "2026-03-01T16:00:00Z"]),
            // Thanksgiving; Labor Day; New Year's Day and a weekend; ten holidays in Tokyo.
            (Daily, "15:30", new_york, exchange, "2026-11-25T20:30:00Z", vec!["2026-11-27T20:30:00Z", "2026-11-30T20:30:00Z"]),
            (Weekly, "15:30", new_york, exchange, "2026-08-31T19:30:00Z", vec!["2026-09-08T19:30:00Z", "2026-09-14T19:30:00Z"]),
            (Monthly, "15:30", new_york, exchange, "2026-12-01T20:30:00Z", vec!["2027-01-04T20:30:00Z", "2027-02-01T20:30:00Z"]),
            (Weekly, "10:00", "Asia/Tokyo", Some("XTKS"), "2019-04-22T01:00:00Z", vec!["2019-05-07T01:00:00Z", "2019-05-13T01:00:00Z"]),
            // A Monday in Auckland is a Sunday in UTC.
            (Weekly, "08:00", "Pacific/Auckland", None, "2026-01-10T00:00:00Z", vec!["2026-01-11T19:00:00Z", "2026-01-18T19:00:00Z"]),
        ] {
            assert_eq!(turns(&schedule(frequency, time, zone, calendar), from, 2), expected, "{frequency} {time} {zone} {from}");
        }
    }

    #[test]
    fn clocks_that_change_move_a_turn_and_never_double_it() {
        let daily = |time, zone| schedule(RebalanceFrequency::Daily, time, zone, Some("24/7"));
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
        let monthly = schedule(RebalanceFrequency::Monthly, "16:00", "UTC", None);
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
