//! What has been released of late: the value since the day cut and the orders of the last minute, for
//! the limits of a day and a minute. What was released counts, filled or not.

use domain::fixed::FixedError;
use domain::{Money, Timestamp};
use serde::{Deserialize, Serialize};

/// Older releases are forgotten: longer than any day between two cuts, a change of the clocks included.
const KEPT_SECONDS: i64 = 50 * 3600;

/// One release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Release {
    at: Timestamp,
    value: Money,
    orders: u32,
}

/// The releases of a portfolio, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Budget {
    releases: Vec<Release>,
}

impl Budget {
    /// Counts a wave that leaves now.
    pub fn spend(&mut self, at: Timestamp, value: Money, orders: u32) {
        let oldest = at.plus_seconds(-KEPT_SECONDS);
        self.releases.retain(|release| release.at > oldest);
        self.releases.push(Release { at, value, orders });
    }
    /// Value released at or after `since`, in the base currency.
    pub fn value_since(&self, since: Timestamp) -> Result<Money, FixedError> {
        self.releases.iter().filter(|release| release.at >= since).try_fold(Money::ZERO, |sum, release| sum.checked_add(release.value))
    }
    /// Orders released in the 60 seconds that end now.
    pub fn orders_last_minute(&self, now: Timestamp) -> u32 {
        let since = now.plus_seconds(-60);
        self.releases.iter().filter(|release| release.at > since).fold(0, |sum, release| sum.saturating_add(release.orders))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_minutes_are_counted_apart() {
        let at = |seconds: i64| Timestamp::default().plus_seconds(seconds);
        let money = |text: &str| text.parse::<Money>().unwrap();
        let mut budget = Budget::default();
        budget.spend(at(0), money("100"), 2);
        budget.spend(at(30), money("10.5"), 1);
        assert_eq!(budget.value_since(at(0)).unwrap(), money("110.5"));
        assert_eq!(budget.value_since(at(1)).unwrap(), money("10.5"));
        assert_eq!(budget.orders_last_minute(at(59)), 3);
        assert_eq!(budget.orders_last_minute(at(60)), 1);
        budget.spend(at(KEPT_SECONDS), money("1"), 1);
        assert_eq!(budget.value_since(Timestamp::MIN).unwrap(), money("11.5"));
    }
}
