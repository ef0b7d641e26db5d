//! What was executed of our recent orders: kept while their fills are in the dedup window.

use domain::{Date, FixedError, OrderId, Quantity};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Executed {
    /// Gross units booked.
    pub quantity: Quantity,
    /// Largest cumulative quantity that its fills claimed.
    pub claimed: Option<Quantity>,
    /// Newest trade date of its fills.
    pub newest: Date,
}

/// Recent orders by id.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RecentOrders(BTreeMap<OrderId, Executed>);

impl RecentOrders {
    /// The sum after a fill, checked and not yet kept.
    pub fn after(&self, order: OrderId, quantity: Quantity, claimed: Option<Quantity>, date: Date) -> Result<Executed, FixedError> {
        let known = self.0.get(&order);
        let sum = known.map_or(Ok(quantity), |known| known.quantity.checked_add(quantity))?;
        let newest = known.map_or(date, |known| known.newest.max(date));
        if !sum.fits_wire() {
            return Err(FixedError::Overflow);
        }
        Ok(Executed { quantity: sum, claimed: claimed.max(known.and_then(|known| known.claimed)), newest })
    }
    /// Keeps a checked sum.
    pub fn keep(&mut self, order: OrderId, executed: Executed) {
        self.0.insert(order, executed);
    }
    /// Lets orders go whose fills have all left the window.
    pub fn forget_before(&mut self, oldest: Date) {
        self.0.retain(|_, executed| executed.newest >= oldest);
    }
    /// By id.
    pub fn iter(&self) -> impl Iterator<Item = (&OrderId, &Executed)> {
        self.0.iter()
    }
    /// Whether an order's booked quantity differs from what its fills claim: a fill was lost or doubled,
    /// or one that came early has overtaken another.
    pub fn contradict(&self) -> bool {
        self.0.values().any(|executed| executed.claimed.is_some_and(|claimed| claimed != executed.quantity))
    }
}
