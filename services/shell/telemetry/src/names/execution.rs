//! Metrics of orders and rebalances: name, unit, meaning, labels.

use super::{Definition, counter, histogram};

/// From an order's release to its fill: 100 ms to a day.
const FILL_MICROS: &[u64] = &[
    100_000,
    500_000,
    1_000_000,
    2_000_000,
    5_000_000,
    10_000_000,
    15_000_000,
    30_000_000,
    60_000_000,
    300_000_000,
    900_000_000,
    3_600_000_000,
    14_400_000_000,
    86_400_000_000,
];
/// Parts of one, 0.01 % to 10 times.
const RATIO_MILLIONTHS: &[u64] =
    &[100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_000_000, 10_000_000];

/// Orders that left.
pub const ORDERS_RELEASED: Definition =
    counter("ballast_orders_released", "{order}", &["side"], "Orders that left in waves of the rebalancer, by side");
/// Orders that were asked back.
pub const CANCELS_REQUESTED: Definition =
    counter("ballast_order_cancels_requested", "{order}", &[], "Orders that the rebalancer asked the router to cancel");
/// Events of rebalances.
pub const REBALANCE_EVENTS: Definition = counter(
    "ballast_rebalance_events",
    "{event}",
    &["status", "code"],
    "Events of rebalances by status and reason code (NONE without one); shadows and checks are left out",
);
/// Expected turnover.
pub const REBALANCE_TURNOVER: Definition = histogram(
    "ballast_rebalance_turnover_ratio",
    "1",
    RATIO_MILLIONTHS,
    &[],
    "Expected turnover of plans with orders: sum of order values over equity",
);
/// Expected fees.
pub const REBALANCE_COST: Definition = histogram(
    "ballast_rebalance_cost_ratio",
    "1",
    RATIO_MILLIONTHS,
    &[],
    "Expected fees of plans with orders, over the sum of their order values",
);
/// What executions cost.
pub const REBALANCE_SLIPPAGE: Definition = histogram(
    "ballast_rebalance_slippage_ratio",
    "1",
    RATIO_MILLIONTHS,
    &["against", "sign"],
    "What the executions of a rebalance that has ended cost (sign COST) or gained (GAIN), over their value: against PLAN, the prices of its plan, RELEASE, those of its releases, and ALL, the plan and fees; by portfolio in SQL rebalance_quality",
);
/// Orders that ended.
pub const ORDERS_ENDED: Definition = counter(
    "ballast_orders_ended",
    "{order}",
    &["status"],
    "Terminal reports of orders that the projector has read, by status; a report that is repeated counts again",
);
/// Time to fill.
pub const ORDER_FILL_DURATION: Definition = histogram(
    "ballast_order_fill_duration_seconds",
    "s",
    FILL_MICROS,
    &[],
    "Time from the release of an order to the report that it is filled, by the router's clock",
);
