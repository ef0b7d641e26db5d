//! Quarantine: a portfolio one of whose fills or cash entries was refused, until somebody decides.

use domain::{PortfolioId, SmolStr};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The open refusals of each portfolio, as `topic/partition@offset`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Quarantine {
    open: BTreeMap<PortfolioId, Refusals>,
}

/// The refusals of one portfolio.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Refusals {
    /// Open ones, by name.
    listed: BTreeSet<SmolStr>,
    /// How many more are open.
    unlisted: u64,
    /// Settled ones, so that none is counted twice while some are open that are not listed.
    settled: BTreeSet<SmolStr>,
}

impl Refusals {
    fn enter(&mut self, place: SmolStr) {
        self.settled.remove(&place);
        if self.listed.len() < LISTED {
            self.listed.insert(place);
        } else if !self.listed.contains(&place) {
            self.unlisted += 1;
        }
    }
    /// Settles one; an unlisted one is believed to be open unless it was settled before.
    fn settle(&mut self, place: &str) -> bool {
        let listed = self.listed.remove(place);
        if !listed && (self.unlisted == 0 || self.settled.contains(place) || self.settled.len() >= SETTLED) {
            return false;
        }
        self.unlisted -= u64::from(!listed);
        if self.settled.len() < SETTLED {
            self.settled.insert(SmolStr::new(place));
        }
        true
    }
    fn is_empty(&self) -> bool {
        self.listed.is_empty() && self.unlisted == 0
    }
}

/// Open refusals kept for one portfolio; further ones are counted.
const LISTED: usize = 1000;
/// Settled ones remembered while a portfolio is quarantined. Beyond them only the listed can be settled one
/// by one; what is left is for RELEASE.
const SETTLED: usize = 4 * LISTED;
/// Portfolios kept of which the caller knows nothing but refused records: whoever may write to an input
/// could name any number of them.
const STRANGERS: usize = 10_000;

impl Quarantine {
    /// The name of a place in a topic.
    pub fn place(topic: &str, partition: i32, offset: i64) -> SmolStr {
        SmolStr::new(format!("{topic}/{partition}@{offset}"))
    }
    /// Quarantines a portfolio for a refused record.
    pub fn enter(&mut self, portfolio: &PortfolioId, place: SmolStr) {
        self.open.entry(portfolio.clone()).or_default().enter(place);
    }
    /// As `enter`, for a portfolio that is not known: beyond a number of entries its dead letter alone
    /// tells of it.
    pub fn enter_stranger(&mut self, portfolio: &PortfolioId, place: SmolStr) {
        if self.open.len() < STRANGERS || self.holds(portfolio) {
            self.enter(portfolio, place);
        }
    }
    /// Settles one refusal; whether it was open.
    pub fn settle(&mut self, portfolio: &PortfolioId, place: &str) -> bool {
        let Some(open) = self.open.get_mut(portfolio) else { return false };
        let was = open.settle(place);
        if open.is_empty() {
            self.open.remove(portfolio);
        }
        was
    }
    /// Settles everything of a portfolio; whether it was quarantined.
    pub fn release(&mut self, portfolio: &PortfolioId) -> bool {
        self.open.remove(portfolio).is_some()
    }
    /// Whether a portfolio is quarantined.
    pub fn holds(&self, portfolio: &PortfolioId) -> bool {
        self.open.contains_key(portfolio)
    }
    /// How many portfolios are.
    pub fn len(&self) -> usize {
        self.open.len()
    }
    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(offset: i64) -> SmolStr {
        Quarantine::place("execution.fills.v1", 0, offset)
    }
    fn portfolio(name: &str) -> PortfolioId {
        PortfolioId::new(name).expect("an id")
    }

    #[test]
    fn what_is_not_listed_is_counted_until_each_was_settled_once() {
        let (mut quarantine, p) = (Quarantine::default(), portfolio("p"));
        let all = i64::try_from(LISTED).expect("small") + 2;
        (0..all).for_each(|offset| quarantine.enter(&p, place(offset)));
        quarantine.enter(&p, place(0));
        for offset in 0..all - 1 {
            assert!(quarantine.settle(&p, &place(offset)), "{offset}");
            assert!(!quarantine.settle(&p, &place(offset)), "{offset} a second time");
            assert!(quarantine.holds(&p));
        }
        quarantine.enter(&p, place(5));
        assert!(quarantine.settle(&p, &place(5)), "refused again, settled again");
        assert!(quarantine.settle(&p, &place(all - 1)));
        assert!(!quarantine.holds(&p) && !quarantine.settle(&p, &place(all)));
    }

    #[test]
    fn strangers_are_bounded_and_known_ones_are_not() {
        let mut quarantine = Quarantine::default();
        (0..STRANGERS + 5).for_each(|n| quarantine.enter_stranger(&portfolio(&format!("s{n}")), place(0)));
        assert_eq!(quarantine.len(), STRANGERS);
        quarantine.enter_stranger(&portfolio("s0"), place(1));
        assert!(quarantine.settle(&portfolio("s0"), &place(0)) && quarantine.holds(&portfolio("s0")));
        quarantine.enter(&portfolio("known"), place(0));
        assert!(quarantine.holds(&portfolio("known")));
    }
}
