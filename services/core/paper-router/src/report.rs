//! Order status reports.

use crate::acceptance::Reason;
use domain::enums::OrderState;
use domain::order::Order;
use domain::order_status::OrderStatus;
use domain::{Output, Quantity, SmolStr, Timestamp};

/// A report of an order of which `cum_qty` is executed and `leaves_qty` still open.
pub fn status(
    order: &Order,
    status: OrderState,
    cum_qty: Quantity,
    leaves_qty: Quantity,
    reason: Option<Reason>,
    now: Timestamp,
) -> Output {
    Output::OrderStatus(Box::new(OrderStatus {
        order_id: order.order_id,
        rebalance_id: order.rebalance_id,
        portfolio_id: order.portfolio_id.clone(),
        status,
        cum_qty,
        leaves_qty,
        reason_code: reason.map(|(code, _)| SmolStr::new_static(code)),
        reason: reason.map(|(_, words)| SmolStr::new_static(words)),
        event_time: now,
    }))
}
