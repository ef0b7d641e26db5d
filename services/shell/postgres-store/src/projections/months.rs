//! Tables that are cut into months: a month is there before a row of it is written, and goes as a whole.
//!
//! Promises: which months there are is the database's word, asked for each batch, so that a month that somebody
//! dropped is made again. Does not decide how long anything is kept: the settings do.

use std::collections::BTreeSet;

use sqlx::{Postgres, Transaction};

use super::ProjectionBatch;
use crate::statement::Limit;
use crate::{Micros, Store, StoreError};

/// A table in months.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Monthly {
    /// Every snapshot.
    Snapshots,
    /// Value, cash and exposure by minute.
    Minutes,
    /// The same by hour.
    Hours,
    /// Every version of a closed day.
    Closes,
    /// Rebalances.
    Rebalances,
    /// Every booking.
    Ledger,
    /// Figures of performance.
    Performance,
    /// Figures of risk.
    Risk,
}

impl Monthly {
    /// Every one of them.
    pub const ALL: [Monthly; 8] = [
        Monthly::Snapshots,
        Monthly::Minutes,
        Monthly::Hours,
        Monthly::Closes,
        Monthly::Rebalances,
        Monthly::Ledger,
        Monthly::Performance,
        Monthly::Risk,
    ];

    /// Its name in the database.
    #[must_use]
    pub const fn table(self) -> &'static str {
        match self {
            Monthly::Snapshots => "performance_snapshots",
            Monthly::Minutes => "values_by_minute",
            Monthly::Hours => "values_by_hour",
            Monthly::Closes => "close_versions",
            Monthly::Rebalances => "portfolio_rebalances",
            Monthly::Ledger => "ledger_entries",
            Monthly::Performance => "performance_records",
            Monthly::Risk => "risk_records",
        }
    }
}

impl Store {
    /// Makes the months of every table that hold a moment: the projector does so ahead of the turn of a month.
    ///
    /// # Errors
    /// What the server says.
    pub async fn prepare_months(&self, moment: Micros) -> Result<(), StoreError> {
        let tables: Vec<&str> = Monthly::ALL.iter().map(|table| table.table()).collect();
        let ensure = sqlx::query("SELECT ensure_month(t, $2) FROM UNNEST($1::text[]) AS t").bind(tables).bind(moment).execute(self.pool());
        self.limit().run("preparing months", ensure).await?;
        Ok(())
    }

    /// Drops the months of a table that end at or before a moment, and answers their names. A portfolio's newest snapshot
    /// and figures stand in tables of their own and stay.
    ///
    /// # Errors
    /// What the server says; [`StoreError::Timeout`] while somebody reads a month for longer than `lock_timeout_ms`.
    pub async fn drop_months(&self, table: Monthly, before: Micros) -> Result<Vec<String>, StoreError> {
        let drop = sqlx::query_scalar("SELECT drop_months($1, $2)").bind(table.table()).bind(before).fetch_all(self.pool());
        self.limit().run("dropping old months", drop).await
    }
}

/// Makes the months of a batch's rows.
pub(super) async fn ensure(limit: &Limit, transaction: &mut Transaction<'_, Postgres>, batch: &ProjectionBatch) -> Result<(), StoreError> {
    let wanted = wanted(batch);
    let dates: BTreeSet<&str> = batch.closes.iter().map(|row| row.date.as_str()).collect();
    if wanted.is_empty() && dates.is_empty() {
        return Ok(());
    }
    let (tables, moments): (Vec<&str>, Vec<Micros>) = wanted.into_iter().map(|(table, moment)| (table.table(), moment)).unzip();
    let statement = sqlx::query(ENSURE)
        .bind(tables)
        .bind(moments)
        .bind(Monthly::Closes.table())
        .bind(dates.into_iter().map(str::to_owned).collect::<Vec<_>>())
        .execute(&mut **transaction);
    limit.run("making the months of a batch", statement).await?;
    Ok(())
}

const ENSURE: &str = "
SELECT ensure_month(m.parent, m.month)
FROM (SELECT DISTINCT parent, date_trunc('month', moment, 'UTC') AS month FROM UNNEST($1::text[], $2::timestamptz[]) AS g (parent, moment)
      UNION
      SELECT DISTINCT $3::text, date_trunc('month', day::date::timestamp) AT TIME ZONE 'UTC' FROM UNNEST($4::text[]) AS d (day)) m
ORDER BY m.parent, m.month";

/// A table and a moment for each UTC day that the rows of a batch lie in; closed days are told by their dates.
fn wanted(batch: &ProjectionBatch) -> BTreeSet<(Monthly, Micros)> {
    let mut wanted = BTreeSet::new();
    let mut add = |table, at: Micros| _ = wanted.insert((table, at.start_of_day()));
    for row in &batch.snapshots {
        [Monthly::Snapshots, Monthly::Minutes, Monthly::Hours].into_iter().for_each(|table| add(table, row.as_of));
    }
    batch.rebalances.iter().for_each(|row| add(Monthly::Rebalances, row.at));
    batch.entries.iter().for_each(|row| add(Monthly::Ledger, row.recorded_at));
    batch.performance.iter().for_each(|row| add(Monthly::Performance, row.as_of));
    batch.risk.iter().for_each(|row| add(Monthly::Risk, row.as_of));
    wanted
}
