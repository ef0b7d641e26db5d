//! Timers: what is due when, in one total order. They fire only inside a window, by its clock.

use domain::{SmolStr, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One timer. The order of fields is the order of firing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timer {
    /// When.
    pub due: Timestamp,
    /// What for: a number that the role gives its kinds.
    pub kind: u8,
    /// Whom for: a portfolio, an order.
    pub id: SmolStr,
}

/// The timers of a lane; one for each (kind, id).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Timers {
    due: BTreeSet<Timer>,
    when: BTreeMap<(u8, SmolStr), Timestamp>,
}

impl Timers {
    /// Sets the timer of (kind, id), replacing an earlier setting.
    pub fn set(&mut self, due: Timestamp, kind: u8, id: &str) {
        self.clear(kind, id);
        let id = SmolStr::new(id);
        self.when.insert((kind, id.clone()), due);
        self.due.insert(Timer { due, kind, id });
    }
    /// Removes the timer of (kind, id), if it is set.
    pub fn clear(&mut self, kind: u8, id: &str) {
        let key = (kind, SmolStr::new(id));
        if let Some(due) = self.when.remove(&key) {
            self.due.remove(&Timer { due, kind, id: key.1 });
        }
    }
    /// When the timer of (kind, id) is due.
    pub fn get(&self, kind: u8, id: &str) -> Option<Timestamp> {
        self.when.get(&(kind, SmolStr::new(id))).copied()
    }
    /// Removes and returns the first timer due at or before `now`.
    pub fn pop_due(&mut self, now: Timestamp) -> Option<Timer> {
        if self.due.first()?.due > now {
            return None;
        }
        let timer = self.due.pop_first()?;
        self.when.remove(&(timer.kind, timer.id.clone()));
        Some(timer)
    }
    /// When the next timer is due.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|t| t.due)
    }
    /// How many are set.
    pub fn len(&self) -> usize {
        self.due.len()
    }
    /// Whether none is set.
    pub fn is_empty(&self) -> bool {
        self.due.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_fire_in_one_order_and_once() {
        let at = Timestamp::from_micros;
        let mut timers = Timers::default();
        timers.set(at(5), 2, "b");
        timers.set(at(5), 1, "z");
        timers.set(at(9), 1, "a");
        timers.set(at(5), 1, "a"); // replaces
        timers.set(at(1), 3, "gone");
        timers.clear(3, "gone");
        assert_eq!(timers.len(), 3);
        let fired: Vec<_> = std::iter::from_fn(|| timers.pop_due(at(5))).map(|t| (t.kind, t.id.to_string())).collect();
        assert_eq!(fired, [(1, "a".into()), (1, "z".into()), (2, "b".into())]);
        assert!(timers.is_empty());
    }
}
