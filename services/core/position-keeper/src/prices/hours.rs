//! When a venue or an instrument traded, and when it announced to: a line of changes by the time of their effect.
//!
//! A report takes its place in that line, whenever it comes: it replaces only one of the same moment, so
//! that an announcement far ahead keeps nothing of today from being heard. A halt lasts until a report
//! that came after it: what was announced before, other than a close, is withdrawn with it. Both ends are
//! bounded. Before the oldest kept change the market counts as open. UNKNOWN (a venue out of touch, or the symbol
//! of a newer sender) ends what is known of an open market; it lifts no halt and no close.

use domain::Timestamp;
use domain::enums::MarketState;
use serde::{Deserialize, Serialize};

/// Changes kept that took effect: some days of open, auction and close.
const KEPT: usize = 16;
/// Announced changes kept, the nearest: about a month of openings and closes.
const ANNOUNCED: usize = 64;

/// The reported states of one market.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Hours {
    changes: Vec<(Timestamp, MarketState)>,
}

impl Hours {
    /// Takes a report that comes at `now`; returns whether it changed anything.
    pub fn report(&mut self, state: MarketState, from: Timestamp, now: Timestamp) -> bool {
        if state == MarketState::Unknown && !self.ages(from) {
            return false;
        }
        let before = self.changes.clone();
        match self.changes.binary_search_by_key(&from, |(at, _)| *at) {
            Ok(place) => self.changes[place].1 = state,
            Err(place) => self.changes.insert(place, (from, state)),
        }
        if state == MarketState::Halted {
            self.changes.retain(|(at, state)| *at <= from.max(now) || *state == MarketState::Closed);
        }
        let past = self.changes.partition_point(|(at, _)| *at <= now);
        self.changes.truncate(past + ANNOUNCED);
        self.changes.drain(..past.saturating_sub(KEPT));
        self.changes != before
    }
    /// The state at a moment; UNKNOWN where none was reported.
    pub fn state(&self, at: Timestamp) -> MarketState {
        self.changes.iter().rev().find(|(from, _)| *from <= at).map_or(MarketState::Unknown, |(_, state)| *state)
    }
    /// Whether a state was reported that is not known.
    pub fn is_unsure(&self, at: Timestamp) -> bool {
        self.state(at) == MarketState::Unknown && self.changes.first().is_some_and(|(from, _)| *from <= at)
    }
    /// Whether prices age at a moment.
    pub fn ages(&self, at: Timestamp) -> bool {
        !matches!(self.state(at), MarketState::Closed | MarketState::Halted)
    }
    /// Whether a state that is known came into effect from one moment up to another.
    pub fn is_said_since(&self, from: Timestamp, to: Timestamp) -> bool {
        self.changes.iter().any(|(at, state)| from <= *at && *at <= to && *state != MarketState::Unknown)
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
        assert!(venue.report(MarketState::Open, at(100), at(100)));
        assert!(venue.report(MarketState::Closed, at(200), at(200)));
        assert_eq!(open_micros(&venue, &none, at(190), at(1_000)), 10_000_000);
        venue.report(MarketState::Open, at(1_000), at(1_000));
        assert_eq!(open_micros(&venue, &none, at(190), at(1_005)), 15_000_000);
        let mut halted = Hours::default();
        halted.report(MarketState::Halted, at(1_002), at(1_002));
        assert_eq!(open_micros(&venue, &halted, at(190), at(1_005)), 12_000_000);
        assert_eq!(venue.state(at(50)), MarketState::Unknown);
        assert_eq!(venue.state(at(200)), MarketState::Closed);
        assert!(venue.report(MarketState::Halted, at(195), at(1_005)), "a late one tells of the past");
        assert_eq!(venue.state(at(1_005)), MarketState::Open);
        assert_eq!(open_micros(&venue, &none, at(190), at(1_005)), 10_000_000);
    }

    #[test]
    fn an_announcement_keeps_nothing_from_being_heard() {
        let mut venue = Hours::default();
        venue.report(MarketState::Open, at(4_000_000_000), at(0));
        venue.report(MarketState::Closed, at(2_000), at(0));
        assert!(venue.report(MarketState::Halted, at(10), at(10)));
        assert_eq!(venue.state(at(1_999)), MarketState::Halted);
        assert_eq!(venue.state(at(2_000)), MarketState::Closed);
        assert_eq!(venue.state(at(4_000_000_000)), MarketState::Closed, "a halt withdraws the opening that was announced before it");
        venue.report(MarketState::Open, at(20), at(20));
        assert_eq!((venue.state(at(20)), venue.state(at(2_000))), (MarketState::Open, MarketState::Closed));
        assert!(venue.report(MarketState::Open, at(2_000), at(30)), "an announcement is taken back by one of its moment");
        assert_eq!(venue.state(at(2_000)), MarketState::Open);
        assert!(!venue.report(MarketState::Open, at(2_000), at(30)));
    }

    #[test]
    fn an_unknown_state_opens_nothing_and_keeps_nothing_open() {
        let mut venue = Hours::default();
        venue.report(MarketState::Open, at(0), at(0));
        assert!(venue.report(MarketState::Unknown, at(10), at(10)));
        assert_eq!(venue.state(at(10)), MarketState::Unknown);
        for shut in [MarketState::Halted, MarketState::Closed] {
            venue.report(shut, at(20), at(20));
            assert!(!venue.report(MarketState::Unknown, at(20), at(30)) && !venue.report(MarketState::Unknown, at(30), at(30)));
            assert_eq!(venue.state(at(30)), shut);
        }
    }

    #[test]
    fn who_reports_that_it_does_not_know_is_not_open() {
        let mut venue = Hours::default();
        assert!(!venue.is_unsure(at(5)), "nobody said anything");
        venue.report(MarketState::Unknown, at(10), at(10));
        assert!(!venue.is_unsure(at(9)) && venue.is_unsure(at(10)) && venue.ages(at(10)));
        venue.report(MarketState::Open, at(20), at(20));
        assert!(!venue.is_unsure(at(20)));
    }

    #[test]
    fn both_ends_are_bounded_and_the_present_stays() {
        let mut venue = Hours::default();
        venue.report(MarketState::Halted, at(0), at(0));
        (1..1_000).for_each(|n| _ = venue.report(MarketState::Open, at(n), at(0)));
        assert_eq!(venue.changes.len(), 1 + ANNOUNCED);
        assert_eq!(venue.state(at(0)), MarketState::Halted);
        (1..1_000).for_each(|n| _ = venue.report(MarketState::Open, at(n), at(n)));
        assert_eq!(venue.changes.len(), KEPT);
    }
}
