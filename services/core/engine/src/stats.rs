//! What a role tells of its state, for gauges. Plain counts; nothing is decided by them, and no step
//! depends on them.

/// How a role's state stands. `None`: the role has no such thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Records that wait for their instrument, policy, rate or execution.
    pub waiting_records: Option<usize>,
    /// Seconds since the oldest of them came; 0 where none waits.
    pub oldest_waiting_seconds: Option<usize>,
    /// Portfolios with an open breach: something has left its band, and not all is back.
    pub breached_portfolios: Option<usize>,
    /// Rebalance cycles that are open.
    pub open_cycles: Option<usize>,
    /// Orders without a terminal state past their deadline.
    pub stuck_orders: Option<usize>,
    /// Orders that booked fills name, and that no known rebalance made.
    pub strange_orders: Option<usize>,
    /// Portfolios whose releases are off because they met a limit of a day or a minute.
    pub latched_portfolios: Option<usize>,
    /// Halts in force, each of a scope and its target.
    pub halts: Option<usize>,
    /// Held or targeted instruments whose price is too old, or missing.
    pub stale_prices: Option<usize>,
    /// Days of portfolios that were cut and are not closed, or are closed provisionally.
    pub unfinished_days: Option<usize>,
    /// Portfolios that make no orders until they are released.
    pub quarantined_portfolios: Option<usize>,
}
