//! The portfolio's day: the moment of the last day cut in its own time zone, or the policy that has none.

use domain::policy::Policy;
use domain::{Timestamp, day};

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

/// The last day cut at or before `now`.
pub fn last_day_cut(policy: &Policy, now: Timestamp) -> Result<Timestamp, NoDay> {
    let fail = || NoDay { time_zone: policy.time_zone.to_string(), day_cut: policy.day_cut.to_string(), now };
    day::last_day_cut(&policy.time_zone, &policy.day_cut, now).ok_or_else(fail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_without_a_day_is_named() {
        let policy = |zone: &str, cut: &str| -> Policy {
            let text = format!(r#"{{"portfolio_id":"p","policy_version":1,"base_currency":"USD","time_zone":"{zone}","day_cut":"{cut}"}}"#);
            serde_json::from_str(&text).unwrap()
        };
        let now = "2026-11-01T06:30:00Z".parse().unwrap();
        // 01:30 comes twice in New York on that day; its day is cut at the first, for limits as for closes.
        let cut = last_day_cut(&policy("America/New_York", "01:30"), now).map(|cut| cut.to_string());
        assert_eq!(cut.as_deref(), Ok("2026-11-01T05:30:00Z"));
        let no_day = last_day_cut(&policy("UTC", "25:00"), now).unwrap_err();
        assert!(no_day.to_string().contains(r#"day cut "25:00""#), "{no_day}");
    }
}
