//! `orders.status.v1`: what a router says of one of our orders.

use crate::enums::OrderState;
use crate::{OrderId, PortfolioId, Quantity, RebalanceId, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// One report of one order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderStatus {
    /// The order, as the wave named it.
    pub order_id: OrderId,
    /// Its rebalance.
    pub rebalance_id: RebalanceId,
    /// Its portfolio; also the record's key.
    pub portfolio_id: PortfolioId,
    /// Where it stands.
    pub status: OrderState,
    /// Units executed so far; the final quantity in a terminal report.
    pub cum_qty: Quantity,
    /// Units still open; zero in a terminal report.
    pub leaves_qty: Quantity,
    /// The router's code, where it refused or cancelled.
    #[serde(default)]
    pub reason_code: Option<SmolStr>,
    /// The router's words.
    #[serde(default)]
    pub reason: Option<SmolStr>,
    /// When the router said so.
    pub event_time: Timestamp,
}
