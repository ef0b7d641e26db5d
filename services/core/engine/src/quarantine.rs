//! Quarantine: a portfolio one of whose fills or cash entries was refused, until somebody decides.

use domain::{PortfolioId, SmolStr};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The open refusals of each portfolio, as `topic/partition@offset`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Quarantine {
    open: BTreeMap<PortfolioId, BTreeSet<SmolStr>>,
}

/// Open refusals kept for one portfolio; further ones keep it quarantined without being listed.
const LISTED: usize = 1000;

impl Quarantine {
    /// The name of a place in a topic.
    pub fn place(topic: &str, partition: i32, offset: i64) -> SmolStr {
        SmolStr::new(format!("{topic}/{partition}@{offset}"))
    }
    /// Quarantines a portfolio for a refused record.
    pub fn enter(&mut self, portfolio: &PortfolioId, place: SmolStr) {
        let open = self.open.entry(portfolio.clone()).or_default();
        if open.len() < LISTED {
            open.insert(place);
        }
    }
    /// Settles one refusal; whether it was open.
    pub fn settle(&mut self, portfolio: &PortfolioId, place: &str) -> bool {
        let Some(open) = self.open.get_mut(portfolio) else { return false };
        let was = open.remove(place);
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
