//! Tables that grow slowly and are not cut into months: their old rows are deleted, some thousand at a time.
//!
//! Promises: an order whose rebalance is open, or stuck, stays, however old it is. Does not decide how long anything is kept: the settings do.

use crate::{Micros, Store, StoreError};

/// A table whose old rows are deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aged {
    /// Orders of rebalances that have ended, by the time of their release.
    Orders,
    /// What was reported of orders whose wave never came, by the time at which it was read.
    EarlyReports,
    /// Answers to commands.
    Answers,
    /// Refused records, their bytes included.
    DeadLetters,
}

impl Aged {
    /// Every one of them.
    pub const ALL: [Aged; 4] = [Aged::Orders, Aged::EarlyReports, Aged::Answers, Aged::DeadLetters];

    /// Its name in the database.
    #[must_use]
    pub const fn table(self) -> &'static str {
        match self {
            Aged::Orders => "orders",
            Aged::EarlyReports => "early_order_reports",
            Aged::Answers => "command_answers",
            Aged::DeadLetters => "dead_letters",
        }
    }

    /// Deletes the rows from before $1, at most $2 of them: no statement takes long, and no lock is held for long.
    const fn statement(self) -> &'static str {
        match self {
            Aged::Orders => {
                "DELETE FROM orders WHERE ctid = ANY (ARRAY(
                 SELECT o.ctid FROM orders o LEFT JOIN portfolio_rebalances r ON r.rebalance_id = o.rebalance_id
                 WHERE o.released_at < $1
                   AND CASE WHEN r.rebalance_id IS NULL THEN o.status IN ('FILLED', 'CANCELLED', 'REJECTED', 'EXPIRED')
                            ELSE r.status IN ('COMPLETED', 'FAILED', 'REJECTED', 'EXPIRED', 'REFUSED', 'NO_ACTION_NEEDED') END
                 LIMIT $2))"
            }
            Aged::EarlyReports => {
                "DELETE FROM early_order_reports WHERE ctid = ANY (ARRAY(
                 SELECT ctid FROM early_order_reports WHERE arrived_at < $1 LIMIT $2))"
            }
            Aged::Answers => {
                "DELETE FROM command_answers WHERE ctid = ANY (ARRAY(SELECT ctid FROM command_answers WHERE answered_at < $1 LIMIT $2))"
            }
            Aged::DeadLetters => {
                "DELETE FROM dead_letters WHERE ctid = ANY (ARRAY(SELECT ctid FROM dead_letters WHERE occurred_at < $1 LIMIT $2))"
            }
        }
    }
}

/// Rows that one statement deletes.
const AT_ONCE: i64 = 5_000;

impl Store {
    /// Deletes the rows of a table from before a moment, and answers how many they were. Where a statement fails, what
    /// those before it deleted stays deleted.
    ///
    /// # Errors
    /// What the server says.
    pub async fn delete_aged(&self, table: Aged, before: Micros) -> Result<u64, StoreError> {
        let mut deleted = 0;
        loop {
            let statement = sqlx::query(table.statement()).bind(before).bind(AT_ONCE).execute(self.pool());
            let rows = self.limit().run("deleting old rows", statement).await?.rows_affected();
            deleted += rows;
            if i64::try_from(rows).is_ok_and(|rows| rows < AT_ONCE) {
                return Ok(deleted);
            }
        }
    }
}
