//! What is told of orders and rebalances. Never by portfolio or order: those stand in SQL.

use std::sync::Arc;

use super::cell::{Counter, Spread, Timer};
use super::families::Families;

/// The metrics of orders and rebalances. Clones share the numbers.
#[derive(Debug, Clone)]
pub struct ExecutionMetrics {
    families: Arc<Families>,
}

impl ExecutionMetrics {
    pub(super) fn new(families: &Arc<Families>) -> Self {
        ExecutionMetrics { families: Arc::clone(families) }
    }

    /// Orders that left, by side.
    #[must_use]
    pub fn orders_released(&self, side: &str) -> Arc<Counter> {
        self.families.orders_released.with([side])
    }

    /// Orders that were asked back.
    #[must_use]
    pub fn cancels_requested(&self) -> Arc<Counter> {
        self.families.cancels_requested.with([])
    }

    /// Events of rebalances; give codes of the closed lists only: each pair makes a series.
    #[must_use]
    pub fn rebalance_events(&self, status: &str, code: &str) -> Arc<Counter> {
        self.families.rebalance_events.with([status, code])
    }

    /// Expected turnover of plans, in millionths of equity.
    #[must_use]
    pub fn turnover(&self) -> Arc<Spread> {
        self.families.rebalance_turnover.with([])
    }

    /// Expected fees of plans, in millionths of what they order.
    #[must_use]
    pub fn cost(&self) -> Arc<Spread> {
        self.families.rebalance_cost.with([])
    }

    /// What executions cost against PLAN, RELEASE or ALL, in millionths of their value; sign COST or GAIN.
    #[must_use]
    pub fn slippage(&self, against: &'static str, sign: &'static str) -> Arc<Spread> {
        self.families.rebalance_slippage.with([against, sign])
    }

    /// Terminal reports of orders.
    #[must_use]
    pub fn orders_ended(&self, status: &str) -> Arc<Counter> {
        self.families.orders_ended.with([status])
    }

    /// From the release of an order to its fill.
    #[must_use]
    pub fn fill_duration(&self) -> Arc<Timer> {
        self.families.order_fill_duration.with([])
    }
}
