//! Orders that booked fills name, as the drift events list them: ours, or strangers. A stranger is no order of the
//! open rebalance, of the one before, or of one that is not settled, when it is first heard of. Its fills are
//! booked all the same; nothing is decided by it, it is counted for whoever looks.

use domain::OrderId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The orders of the newest drift event, told apart.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Strangers {
    ours: BTreeSet<OrderId>,
    strange: BTreeSet<OrderId>,
}

impl Strangers {
    /// Takes an order of the event in; one that was ours before stays ours after its rebalance is forgotten.
    pub fn meet(&mut self, order: OrderId, is_ours: bool, before: &Self) {
        if is_ours || before.ours.contains(&order) {
            self.ours.insert(order);
        } else {
            self.strange.insert(order);
        }
    }
    /// How many are strangers.
    pub fn count(&self) -> usize {
        self.strange.len()
    }
}
