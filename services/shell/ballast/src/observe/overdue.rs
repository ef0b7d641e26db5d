//! Which records have waited too long for what they need: each is told of once while it waits and this process
//! has its lane. It writes no log and decides nothing.

use domain::{Timestamp, Topic};
use engine::waiting::Waiter;
use std::collections::BTreeSet;

/// What was told already.
#[derive(Debug)]
pub(super) struct Overdue {
    /// How long a record may wait, in microseconds.
    limit: i64,
    told: BTreeSet<(Topic, i32, i64)>,
}

impl Overdue {
    /// Records may wait for so many seconds.
    pub(super) fn after(seconds: u64) -> Self {
        Self { limit: i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000), told: BTreeSet::new() }
    }
    /// Those of all that wait which are to be told of now.
    pub(super) fn news(&mut self, waiters: Vec<Waiter>, now: Timestamp) -> Vec<Waiter> {
        self.told.retain(|place| waiters.iter().any(|waiter| waiter.place == *place));
        let overdue = waiters.into_iter().filter(|waiter| now.since(waiter.since) > self.limit);
        overdue.filter(|waiter| self.told.insert(waiter.place)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiter(offset: i64, since: i64) -> Waiter {
        let since = Timestamp::from_micros(since * 1_000_000);
        Waiter { place: (Topic::Fills, 0, offset), portfolio: "p".parse().unwrap(), since, need: "a rate".to_owned(), behind: 0 }
    }

    #[test]
    fn each_is_told_once_when_it_has_waited_longer_than_the_limit() {
        let mut overdue = Overdue::after(60);
        let mut told = |offsets: &[(i64, i64)], now: i64| -> Vec<i64> {
            let waiters = offsets.iter().map(|(offset, since)| waiter(*offset, *since)).collect();
            overdue.news(waiters, Timestamp::from_micros(now * 1_000_000)).iter().map(|waiter| waiter.place.2).collect()
        };
        assert!(told(&[(1, 0), (2, 30)], 60).is_empty());
        assert_eq!(told(&[(1, 0), (2, 30)], 61), [1]);
        assert_eq!(told(&[(1, 0), (2, 30)], 91), [2]);
        assert!(told(&[(1, 0), (2, 30)], 1_000).is_empty());
        assert!(told(&[(2, 30)], 1_001).is_empty());
        assert_eq!(told(&[(1, 900), (2, 30)], 1_002), [1], "what went and waits again is told of again");
    }
}
