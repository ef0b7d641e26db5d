//! The portfolio's day: the moment of the last day cut in its own time zone.
//! It knows no calendar of trading days and reads no clock.

use domain::Timestamp;
use domain::policy::Policy;
use jiff::civil;
use jiff::tz::TimeZoneDatabase;

/// A policy's day cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the day of the policy (time zone {time_zone:?}, day cut {day_cut:?}) cannot be told at {now}: correct the policy")]
pub struct NoDay {
    /// The policy's time zone.
    pub time_zone: String,
    /// The policy's day cut.
    pub day_cut: String,
    /// The moment.
    pub now: Timestamp,
}

/// The last day cut at or before `now`: a local time that the clocks skip or show twice is the later moment's.
pub fn last_day_cut(policy: &Policy, now: Timestamp) -> Result<Timestamp, NoDay> {
    let fail = || NoDay { time_zone: policy.time_zone.to_string(), day_cut: policy.day_cut.to_string(), now };
    day_cut_before(policy, now).ok_or_else(fail)
}

fn day_cut_before(policy: &Policy, now: Timestamp) -> Option<Timestamp> {
    // The database that is compiled in: what is installed on the machine must not change a decision.
    let zone = TimeZoneDatabase::bundled().get(&policy.time_zone).ok()?;
    let (hour, minute) = policy.day_cut.split_once(':')?;
    let cut = civil::Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()?;
    let local = jiff::Timestamp::from_microsecond(now.micros()).ok()?.to_zoned(zone.clone()).date();
    // Around a change of the clocks the cut of today may lie after `now` though the local time says otherwise.
    let mut day = local.tomorrow().ok()?;
    for _ in 0..3 {
        let at = zone.to_ambiguous_zoned(day.to_datetime(cut)).later().ok()?.timestamp();
        let at = Timestamp::from_micros(at.as_microsecond());
        if at <= now {
            return Some(at);
        }
        day = day.yesterday().ok()?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(zone: &str, cut: &str) -> Policy {
        let text = format!(r#"{{"portfolio_id":"p","policy_version":1,"base_currency":"USD","time_zone":"{zone}","day_cut":"{cut}"}}"#);
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn the_day_starts_at_the_cut_in_its_own_zone() {
        let cases = [
            ("UTC", "00:00", "2026-01-05T14:30:00Z", "2026-01-05T00:00:00Z"),
            ("UTC", "00:00", "2026-01-05T00:00:00Z", "2026-01-05T00:00:00Z"),
            ("America/New_York", "16:00", "2026-01-05T20:59:59Z", "2026-01-04T21:00:00Z"),
            ("America/New_York", "16:00", "2026-01-05T21:00:00Z", "2026-01-05T21:00:00Z"),
            // 02:30 does not exist on 2026-03-08 and exists twice on 2026-11-01.
            ("America/New_York", "02:30", "2026-03-08T12:00:00Z", "2026-03-08T07:30:00Z"),
            ("America/New_York", "01:30", "2026-11-01T05:45:00Z", "2026-10-31T05:30:00Z"),
            ("America/New_York", "01:30", "2026-11-01T06:30:00Z", "2026-11-01T06:30:00Z"),
            ("Pacific/Kiritimati", "00:00", "2026-01-05T09:59:00Z", "2026-01-04T10:00:00Z"),
        ];
        for (zone, cut, now, want) in cases {
            let got = last_day_cut(&policy(zone, cut), now.parse().unwrap()).unwrap();
            assert_eq!(got.to_string(), want, "{zone} {cut} {now}");
        }
        assert!(last_day_cut(&policy("Mars/Olympus", "00:00"), Timestamp::default()).is_err());
        assert!(last_day_cut(&policy("UTC", "25:00"), Timestamp::default()).is_err());
    }
}
