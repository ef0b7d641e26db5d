//! Months of tables: the next one is there before it begins, and those that are older than the settings keep are dropped
//! whole. A failure waits for the next time: nothing depends on it.

use crate::clock;
use crate::lanes::World;
use postgres_store::projections::Monthly;
use postgres_store::{Micros, StoreError};
use std::time::{Duration, Instant};

/// How often months are looked at.
const EVERY: Duration = Duration::from_secs(3600);
/// How long before its beginning a month is made.
const AHEAD_SECONDS: i64 = 2 * 86_400;

/// When months were last looked at.
#[derive(Debug, Default)]
pub(super) struct Months(Option<Instant>);

impl Months {
    /// Prepares and drops what is due, once an hour.
    pub(super) fn tend(&mut self, world: &World) {
        if self.0.is_some_and(|at| at.elapsed() < EVERY) {
            return;
        }
        self.0 = Some(Instant::now());
        match world.runtime.block_on(tend(world)) {
            Ok(dropped) if dropped.is_empty() => {}
            Ok(dropped) => tracing::info!(months = dropped.join(", "), "months that are no longer kept were dropped"),
            Err(error) => tracing::warn!(%error, "months are looked at again in an hour"),
        }
    }
}

async fn tend(world: &World) -> Result<Vec<String>, StoreError> {
    let now = clock::now();
    world.store.prepare_months(Micros(now.plus_seconds(AHEAD_SECONDS).micros())).await?;
    let mut dropped = Vec::new();
    for table in Monthly::ALL {
        if let Some(before) = world.config.postgres.kept_from(table, Micros(now.micros())) {
            dropped.extend(world.store.drop_months(table, before).await?);
        }
    }
    Ok(dropped)
}
