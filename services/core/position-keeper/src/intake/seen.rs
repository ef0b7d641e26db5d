//! The commands that were acted on: the same id acts once. Memory is bounded: the newest ones are known.

use engine::dedup::Parts;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, VecDeque};

/// Commands remembered.
const KEPT: usize = 4096;

/// Ids of the newest commands, as hashes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Seen {
    order: VecDeque<u64>,
    ids: BTreeSet<u64>,
}

impl Seen {
    /// Remembers a command of a portfolio; returns whether it is new.
    pub fn first(&mut self, portfolio: &str, command_id: &str) -> bool {
        let id = Parts::default().part(portfolio.as_bytes()).part(command_id.as_bytes()).content();
        if !self.ids.insert(id) {
            return false;
        }
        self.order.push_back(id);
        if self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_acts_once_while_it_is_remembered() {
        let mut seen = Seen::default();
        assert!(seen.first("p", "a"));
        assert!(!seen.first("p", "a"));
        assert!(seen.first("q", "a"), "an id is a portfolio's own");
        (0..KEPT).for_each(|n| assert!(seen.first("p", &n.to_string())));
        assert!(seen.first("p", "a"), "the oldest was forgotten");
        assert_eq!(seen.order.len(), seen.ids.len());
    }
}
