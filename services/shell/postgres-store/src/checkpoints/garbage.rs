//! Garbage: what no kept generation needs.
//!
//! Promises: the two newest checkpoints stay readable; the manifest's foreign key makes the server
//! itself refuse to delete a segment that one of them needs. Runs inside the saving transaction.

use sqlx::{Postgres, Transaction};

use crate::StoreError;
use crate::statement::Limit;

const DOING: &str = "removing old checkpoints";

/// Removes every checkpoint but the two newest, then every segment that no manifest names.
pub(super) async fn collect(limit: &Limit, transaction: &mut Transaction<'_, Postgres>, lane_id: i64) -> Result<(), StoreError> {
    let old = sqlx::query(
        "DELETE FROM checkpoints WHERE lane_id = $1 AND step <
             (SELECT step FROM checkpoints WHERE lane_id = $1 ORDER BY step DESC OFFSET 1 LIMIT 1)",
    )
    .bind(lane_id)
    .execute(&mut **transaction);
    limit.run(DOING, old).await?;
    sweep(limit, transaction, lane_id).await
}

/// Removes every segment of the lane that no manifest names.
pub(super) async fn sweep(limit: &Limit, transaction: &mut Transaction<'_, Postgres>, lane_id: i64) -> Result<(), StoreError> {
    let unneeded = sqlx::query(
        "DELETE FROM checkpoint_segments s WHERE s.lane_id = $1
             AND NOT EXISTS (SELECT 1 FROM checkpoint_manifest m WHERE m.segment_id = s.id)",
    )
    .bind(lane_id)
    .execute(&mut **transaction);
    limit.run(DOING, unneeded).await?;
    Ok(())
}
