//! The list of checkpoints, and taking some away.
//!
//! Promises: taking away is one transaction and never leaves a generation without its segments.
//! Does not read any body.

use super::{CheckpointInfo, LaneKey, garbage, lane_number, signed, unsigned};
use crate::{Micros, Store, StoreError};

#[derive(sqlx::FromRow)]
struct Line {
    role: String,
    lane: i32,
    step: i64,
    parent_step: Option<i64>,
    lane_count: i32,
    segment_count: i32,
    written_bytes: i64,
    created_at: Micros,
}

impl Store {
    /// Every checkpoint of a deployment, by role and lane, newest first.
    ///
    /// # Errors
    /// What the server says.
    pub async fn list(&self, deployment: &str) -> Result<Vec<CheckpointInfo>, StoreError> {
        let lines: Vec<Line> = self
            .limit()
            .run(
                "listing checkpoints",
                sqlx::query_as(
                    "SELECT l.role, l.lane, c.step, c.parent_step, c.lane_count, c.segment_count,
                            c.written_bytes, c.created_at
                     FROM checkpoints c JOIN checkpoint_lanes l ON l.id = c.lane_id
                     WHERE l.deployment = $1 ORDER BY l.role, l.lane, c.step DESC",
                )
                .bind(deployment)
                .fetch_all(self.pool()),
            )
            .await?;
        Ok(lines.into_iter().map(|l| l.info(deployment)).collect())
    }

    /// Takes away every generation above `keep_step`, which failed its check, so that the next save
    /// builds upon `keep_step`. Answers how many were taken away; 0 when another process moved the
    /// head meanwhile or there was nothing above.
    ///
    /// # Errors
    /// [`StoreError::InvalidWrite`] when `keep_step` is not a stored checkpoint.
    pub async fn discard_newer(&self, lane: &LaneKey, keep_step: u64, corrupt_step: u64) -> Result<u64, StoreError> {
        const DOING: &str = "discarding a corrupt checkpoint";
        let keep = signed(keep_step, "step")?;
        let mut transaction = self.limit().run(DOING, self.pool().begin()).await?;
        let update = sqlx::query_scalar(
            "UPDATE checkpoint_lanes l SET newest_step = $4
             WHERE deployment = $1 AND role = $2 AND lane = $3 AND newest_step = $5
               AND newest_step > $4
               AND EXISTS (SELECT 1 FROM checkpoints c WHERE c.lane_id = l.id AND c.step = $4)
             RETURNING id",
        )
        .bind(&lane.deployment)
        .bind(&lane.role)
        .bind(lane_number(lane.lane)?)
        .bind(keep)
        .bind(signed(corrupt_step, "step")?)
        .fetch_optional(&mut *transaction);
        let Some(lane_id) = self.limit().run::<Option<i64>>(DOING, update).await? else {
            return Ok(0);
        };
        let delete =
            sqlx::query("DELETE FROM checkpoints WHERE lane_id = $1 AND step > $2").bind(lane_id).bind(keep).execute(&mut *transaction);
        let gone = self.limit().run(DOING, delete).await?.rows_affected();
        garbage::sweep(self.limit(), &mut transaction, lane_id).await?;
        self.limit().run(DOING, transaction.commit()).await?;
        Ok(gone)
    }
}

impl Line {
    fn info(self, deployment: &str) -> CheckpointInfo {
        CheckpointInfo {
            lane: LaneKey::new(deployment, self.role, self.lane.unsigned_abs()),
            step: unsigned(self.step),
            parent_step: self.parent_step.map(unsigned),
            lane_count: self.lane_count.unsigned_abs(),
            segments: self.segment_count.unsigned_abs(),
            written_bytes: unsigned(self.written_bytes),
            created_at: self.created_at,
        }
    }
}
