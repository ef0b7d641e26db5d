//! What the projector keeps, and for how long: the next month of a table is there before it begins, those that are older
//! than the settings keep are dropped whole, and of tables that have no months the old rows are deleted. A failure waits
//! for the next time: nothing depends on it.

use crate::clock;
use crate::lanes::World;
use postgres_store::projections::{Aged, Monthly};
use postgres_store::{Micros, StoreError};
use std::time::{Duration, Instant};

/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(3600);
/// How long before its beginning a month is made.
const AHEAD_SECONDS: i64 = 2 * 86_400;

/// When it was last looked at.
#[derive(Debug, Default)]
pub(super) struct Retention(Option<Instant>);

impl Retention {
    /// Prepares what is due, and drops and deletes what is no longer kept, once an hour.
    pub(super) fn tend(&mut self, world: &World) {
        if self.0.is_some_and(|at| at.elapsed() < EVERY) {
            return;
        }
        self.0 = Some(Instant::now());
        if let Err(error) = world.runtime.block_on(tend(world)) {
            tracing::warn!(%error, "what is no longer kept is looked for again in an hour");
        }
    }
}

async fn tend(world: &World) -> Result<(), StoreError> {
    let (store, settings, now) = (&world.store, &world.config.postgres, clock::now());
    store.prepare_months(Micros(now.plus_seconds(AHEAD_SECONDS).micros())).await?;
    let now = Micros(now.micros());
    let mut dropped = Vec::new();
    for table in Monthly::ALL {
        if let Some(before) = settings.kept_from(table, now) {
            dropped.extend(store.drop_months(table, before).await?);
        }
    }
    if !dropped.is_empty() {
        tracing::info!(months = dropped.join(", "), "months that are no longer kept were dropped");
    }
    for table in Aged::ALL {
        if let Some(before) = settings.rows_kept_from(table, now) {
            let rows = store.delete_aged(table, before).await?;
            if rows > 0 {
                tracing::info!(table = table.table(), rows, "rows that are no longer kept were deleted");
            }
        }
    }
    Ok(())
}
