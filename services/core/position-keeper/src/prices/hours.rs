//! When a venue or an instrument traded, as far as it matters for the age of prices.
//! It keeps the newest changes; before the oldest kept one the market counts as open.

use domain::Timestamp;
use domain::enums::MarketState;
use serde::{Deserialize, Serialize};

/// Changes kept: some days of open, auction and close.
const KEPT: usize = 16;

/// The reported states of one market.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Hours {
    changes: Vec<(Timestamp, MarketState)>,
}

impl Hours {
    /// Takes a report; a late one (older than the newest) changes nothing. Returns whether it was taken.
    pub fn report(&mut self, state: MarketState, from: Timestamp) -> bool {
        if self.changes.last().is_some_and(|(newest, _)| from < *newest) {
            return false;
        }
        self.changes.push((from, state));
        if self.changes.len() > KEPT {
            self.changes.remove(0);
        }
        true
    }
    /// The state at a moment; UNKNOWN where none was reported.
    pub fn state(&self, at: Timestamp) -> MarketState {
        self.changes.iter().rev().find(|(from, _)| *from <= at).map_or(MarketState::Unknown, |(_, state)| *state)
    }
    /// Whether prices age at a moment.
    pub fn ages(&self, at: Timestamp) -> bool {
        !matches!(self.state(at), MarketState::Closed | MarketState::Halted)
    }
    /// Whether nothing was ever reported.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
    /// The next change after a moment, where one is announced.
    pub fn next_change(&self, after: Timestamp) -> Option<Timestamp> {
        self.changes.iter().map(|(from, _)| *from).find(|from| *from > after)
    }
}

/// Microseconds of [from, to] in which both markets were open. Zero when `to` is not after `from`.
pub fn open_micros(one: &Hours, other: &Hours, from: Timestamp, to: Timestamp) -> i64 {
    if to <= from {
        return 0;
    }
    let inside = |(at, _): &(Timestamp, MarketState)| (*at > from && *at < to).then_some(*at);
    let mut edges: Vec<Timestamp> = one.changes.iter().chain(&other.changes).filter_map(inside).collect();
    edges.push(to);
    edges.sort_unstable();
    let mut open = 0_i64;
    let mut start = from;
    for edge in edges {
        if one.ages(start) && other.ages(start) {
            open = open.saturating_add(edge.since(start));
        }
        start = edge;
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn only_open_time_counts() {
        let none = Hours::default();
        assert_eq!(open_micros(&none, &none, at(0), at(10)), 10_000_000);
        let mut venue = Hours::default();
        assert!(venue.report(MarketState::Open, at(100)));
        assert!(venue.report(MarketState::Closed, at(200)));
        assert!(!venue.report(MarketState::Open, at(150)), "late");
        assert_eq!(open_micros(&venue, &none, at(190), at(1_000)), 10_000_000);
        venue.report(MarketState::Open, at(1_000));
        assert_eq!(open_micros(&venue, &none, at(190), at(1_005)), 15_000_000);
        let mut halted = Hours::default();
        halted.report(MarketState::Halted, at(1_002));
        assert_eq!(open_micros(&venue, &halted, at(190), at(1_005)), 12_000_000);
        assert_eq!(venue.state(at(50)), MarketState::Unknown);
        assert_eq!(venue.state(at(200)), MarketState::Closed);
    }
}
