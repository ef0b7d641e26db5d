//! Old rows of a table, removed some at a time. Which rows those are, the table's own file says.

use crate::{Micros, Store, StoreError};

impl Store {
    /// Runs a statement that removes rows of before a moment, at most `limit` of them; answers how many.
    pub(super) async fn prune(&self, doing: &'static str, statement: &'static str, before: Micros, limit: i64) -> Result<u64, StoreError> {
        let removed = sqlx::query(statement).bind(before).bind(limit).execute(self.pool());
        Ok(self.limit().run(doing, removed).await?.rows_affected())
    }
}
