//! The overview: one line a portfolio, for a table on a screen.
//!
//! Promises: the newest of each table, as far as the projector has come. Does not write.

use rust_decimal::Decimal;

use crate::largest_drift::largest_drift;
use crate::{Micros, Store, StoreError};

/// A portfolio at a glance; values are in its base currency.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct OverviewRow {
    /// Portfolio.
    pub portfolio_id: String,
    /// Name for people.
    pub name: String,
    /// Base currency.
    pub base_currency: String,
    /// Equity of the newest snapshot.
    pub total_value: Option<Decimal>,
    /// Cash of the newest snapshot.
    pub cash_value: Option<Decimal>,
    /// Time of the newest snapshot.
    pub as_of: Option<Micros>,
    /// Whether the newest snapshot is complete.
    pub complete: Option<bool>,
    /// Largest |weight − target| of its lines, a fraction of one; of a portfolio without targets nothing.
    pub max_abs_drift: Option<Decimal>,
    /// Orders without a terminal state.
    pub open_orders: i64,
    /// Status of the newest rebalance that is no shadow.
    pub last_rebalance_status: Option<String>,
}

impl Store {
    /// The first `limit` portfolios that are not closed, by id, after `after` where it is given.
    ///
    /// # Errors
    /// What the server says.
    pub async fn overview(&self, after: Option<&str>, limit: i64) -> Result<Vec<OverviewRow>, StoreError> {
        let select = sqlx::query_as(SELECT).bind(after.unwrap_or_default()).bind(limit).fetch_all(self.pool());
        self.limit().run("reading the overview", select).await
    }
}

const SELECT: &str = concat!(
    "
SELECT p.portfolio_id, p.name, p.base_currency, s.total_value, s.cash_value, s.timestamp AS as_of, s.complete,
       ",
    largest_drift!(),
    " AS max_abs_drift,
       (SELECT count(*) FROM orders o WHERE o.portfolio_id = p.portfolio_id
          AND o.status NOT IN ('FILLED', 'CANCELLED', 'REJECTED', 'EXPIRED')) AS open_orders,
       (SELECT r.status FROM portfolio_rebalances r WHERE r.portfolio_id = p.portfolio_id AND NOT r.shadow
        ORDER BY r.timestamp DESC LIMIT 1) AS last_rebalance_status
FROM portfolios p
LEFT JOIN latest_snapshots s ON s.portfolio_id = p.portfolio_id
WHERE NOT p.closed AND p.portfolio_id > $1 ORDER BY p.portfolio_id LIMIT $2"
);
