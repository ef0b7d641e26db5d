//! The rebalances of a portfolio and how they came off.

use rust_decimal::Decimal;
use serde_json::Value;

use crate::{Micros, Store, StoreError};

/// A rebalance as a list shows it.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct RebalanceLine {
    /// The rebalance.
    pub rebalance_id: String,
    /// The moment of its first event.
    pub began_at: Micros,
    /// SCHEDULED, THRESHOLD or MANUAL.
    #[sqlx(rename = "type")]
    pub trigger: String,
    /// Its newest status.
    pub status: String,
    /// Why it ended so.
    pub code: Option<String>,
    /// Figures of its plan, how its orders were executed, and words of its events.
    pub metrics: Option<Value>,
    /// The moment of its newest event.
    pub updated_at: Micros,
}

/// How the rebalances of a portfolio came off; money in its base currency, positive is a cost.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct QualityView {
    /// Those of which orders had left and that have ended.
    pub released: i64,
    /// Of them, with every order filled.
    pub completed: i64,
    /// The others.
    pub failed: i64,
    /// completed / released.
    pub success_rate: Option<Decimal>,
    /// What of the ordered value was executed.
    pub fill_rate: Option<Decimal>,
    /// Executions at their prices.
    pub traded_value: Option<Decimal>,
    /// Against the prices of the plans.
    pub slippage: Option<Decimal>,
    /// Against the prices of the releases.
    pub arrival_slippage: Option<Decimal>,
    /// Fees.
    pub fees: Option<Decimal>,
    /// slippage + fees.
    pub cost: Option<Decimal>,
    /// The same in basis points of the traded value.
    pub cost_bp: Option<Decimal>,
    /// Those whose cost is not known.
    pub untold: i64,
}

impl Store {
    /// The newest rebalances of a portfolio, newest first: no shadows, checks, or plans that came to nothing.
    ///
    /// # Errors
    /// What the server says.
    pub async fn rebalances(&self, portfolio: &str, most: i64) -> Result<Vec<RebalanceLine>, StoreError> {
        let select = sqlx::query_as(NEWEST).bind(portfolio).bind(most).fetch_all(self.pool());
        self.limit().run("reading rebalances", select).await
    }

    /// How all rebalances of a portfolio came off; `None` where none has ended whose orders had left.
    ///
    /// # Errors
    /// What the server says.
    pub async fn rebalance_quality(&self, portfolio: &str) -> Result<Option<QualityView>, StoreError> {
        let select = sqlx::query_as(QUALITY).bind(portfolio).fetch_optional(self.pool());
        self.limit().run("reading how rebalances came off", select).await
    }
}

pub(super) const NEWEST: &str = "
SELECT rebalance_id, timestamp AS began_at, type, status, code, metrics, updated_at
FROM portfolio_rebalances
WHERE portfolio_id = $1 AND NOT shadow AND status NOT IN ('PROPOSED', 'NO_ACTION_NEEDED')
ORDER BY timestamp DESC, rebalance_id LIMIT $2";

// Rates are rounded: a quotient has more digits than a decimal holds.
pub(super) const QUALITY: &str = "
SELECT released, completed, failed, round(success_rate, 12) AS success_rate, round(fill_rate, 12) AS fill_rate, traded_value, slippage,
       arrival_slippage, fees, cost, round(cost_bp, 4) AS cost_bp, untold
FROM rebalance_quality WHERE portfolio_id = $1";
