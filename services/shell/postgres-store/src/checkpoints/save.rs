//! Saving: one transaction, compare-and-set on the parent.
//!
//! Promises: the new checkpoint, its segments, its manifest and the removal of garbage become
//! visible together or not at all; repeating a save that was in fact done answers `Saved` again.
//! Segments are encoded one at a time, between round trips, so memory stays near one segment. The
//! lane's lock is taken last, so that a process stopped in the middle blocks nobody for long.

use std::collections::BTreeMap;

use sqlx::{PgExecutor, Postgres, Transaction};

use super::segment::{self, Frame, Kind, Packed};
use super::{CheckpointWrite, Entity, MAX_SHARED_BYTES, SaveOutcome, Saved, bucket_of, garbage, lane_number, signed, unsigned};
use crate::errors::UNIQUE_VIOLATION;
use crate::statement::Limit;
use crate::{Store, StoreError};

const DOING: &str = "saving a checkpoint";

impl Store {
    /// Saves a checkpoint whose parent is the newest one stored.
    ///
    /// # Errors
    /// [`StoreError::InvalidWrite`] when the write contradicts itself or its parent; otherwise what
    /// the server says. Every error leaves the store as it was, or the checkpoint whole.
    pub async fn save(&self, write: &CheckpointWrite) -> Result<SaveOutcome, StoreError> {
        let groups = grouped(write)?;
        let lane_id = self.lane_id(write).await?;
        if self.head(lane_id).await? != write.parent_step {
            return self.lost_or_done(lane_id, write).await;
        }
        match self.attempt(lane_id, write, &groups).await {
            Ok(true) => Ok(SaveOutcome::Saved(self.measures(lane_id, write.step).await?)),
            Ok(false) => self.lost_or_done(lane_id, write).await,
            // Two writers of one step meet at the segments' key: the one that waited has lost.
            Err(StoreError::Refused { code, .. }) if code == UNIQUE_VIOLATION => self.lost_or_done(lane_id, write).await,
            Err(error) => Err(error),
        }
    }

    /// The transaction; false when the head is no longer the parent.
    async fn attempt(&self, lane_id: i64, write: &CheckpointWrite, groups: &Groups<'_>) -> Result<bool, StoreError> {
        let mut saving = Saving {
            lane_id,
            step: signed(write.step, "step")?,
            limit: self.limit(),
            transaction: self.limit().run(DOING, self.pool().begin()).await?,
            bytes: 0,
        };
        for ((bucket, kind), entities) in groups {
            saving.insert_segments(*bucket, *kind, entities).await?;
        }
        if !saving.compare_and_set(write).await? {
            return Ok(false);
        }
        saving.inherit(write).await?;
        saving.finish().await?;
        Ok(true)
    }

    async fn lane_id(&self, write: &CheckpointWrite) -> Result<i64, StoreError> {
        let lane = lane_number(write.lane.lane)?;
        self.limit()
            .run(
                DOING,
                sqlx::query(
                    "INSERT INTO checkpoint_lanes (deployment, role, lane) VALUES ($1, $2, $3)
                     ON CONFLICT DO NOTHING",
                )
                .bind(&write.lane.deployment)
                .bind(&write.lane.role)
                .bind(lane)
                .execute(self.pool()),
            )
            .await?;
        self.limit()
            .run(
                DOING,
                sqlx::query_scalar(
                    "SELECT id FROM checkpoint_lanes
                     WHERE deployment = $1 AND role = $2 AND lane = $3",
                )
                .bind(&write.lane.deployment)
                .bind(&write.lane.role)
                .bind(lane)
                .fetch_one(self.pool()),
            )
            .await
    }

    async fn head(&self, lane_id: i64) -> Result<Option<u64>, StoreError> {
        let newest: Option<i64> = self
            .limit()
            .run(DOING, sqlx::query_scalar("SELECT newest_step FROM checkpoint_lanes WHERE id = $1").bind(lane_id).fetch_one(self.pool()))
            .await?;
        Ok(newest.map(unsigned))
    }

    /// The head is not the parent: either this very checkpoint was stored by a call whose answer
    /// got lost, or somebody else was first.
    async fn lost_or_done(&self, lane_id: i64, write: &CheckpointWrite) -> Result<SaveOutcome, StoreError> {
        let newest = self.head(lane_id).await?;
        let stored: Option<(Option<i64>, Vec<u8>)> = self
            .limit()
            .run(
                DOING,
                sqlx::query_as(
                    "SELECT parent_step, state_hash FROM checkpoints
                     WHERE lane_id = $1 AND step = $2",
                )
                .bind(lane_id)
                .bind(signed(write.step, "step")?)
                .fetch_optional(self.pool()),
            )
            .await?;
        let done = newest == Some(write.step)
            && stored.is_some_and(|(parent, hash)| parent.map(unsigned) == write.parent_step && hash == write.state_hash);
        if done {
            let saved = self.measures(lane_id, write.step).await?;
            return Ok(SaveOutcome::Saved(saved));
        }
        Ok(SaveOutcome::LostRace { newest })
    }

    async fn measures(&self, lane_id: i64, step: u64) -> Result<Saved, StoreError> {
        let step = signed(step, "step")?;
        let (bytes, segments, needed, buckets): (i64, i64, i32, i32) = self
            .limit()
            .run(
                DOING,
                sqlx::query_as(
                    "SELECT written_bytes,
                            (SELECT count(*) FROM checkpoint_segments s
                             WHERE s.lane_id = c.lane_id AND s.step = c.step),
                            segment_count, buckets
                     FROM checkpoints c WHERE lane_id = $1 AND step = $2",
                )
                .bind(lane_id)
                .bind(step)
                .fetch_one(self.pool()),
            )
            .await?;
        Ok(Saved {
            bytes: unsigned(bytes),
            segments: u32::try_from(segments).unwrap_or(u32::MAX),
            needed_segments: needed.unsigned_abs(),
            next_full_bucket: next_full_bucket(self.limit(), self.pool(), lane_id, step, buckets).await?,
        })
    }
}

/// The bucket without a full image, or with the oldest one.
pub(super) async fn next_full_bucket(
    limit: &Limit,
    executor: impl PgExecutor<'_>,
    lane_id: i64,
    step: i64,
    buckets: i32,
) -> Result<u16, StoreError> {
    let select = sqlx::query_scalar(
        "SELECT b FROM generate_series(0, $3 - 1) AS b
         ORDER BY (SELECT max(s.step) FROM checkpoint_manifest m
                   JOIN checkpoint_segments s ON s.id = m.segment_id
                   WHERE m.lane_id = $1 AND m.step = $2
                     AND s.bucket = b AND s.kind = 'full') NULLS FIRST, b
         LIMIT 1",
    )
    .bind(lane_id)
    .bind(step)
    .bind(buckets)
    .fetch_one(executor);
    let bucket: i32 = limit.run(DOING, select).await?;
    Ok(u16::try_from(bucket).unwrap_or_default())
}

/// The transaction of one save.
struct Saving<'s> {
    lane_id: i64,
    step: i64,
    limit: &'s Limit,
    transaction: Transaction<'s, Postgres>,
    bytes: i64,
}

impl Saving<'_> {
    async fn insert_segments(&mut self, bucket: u16, kind: Kind, entities: &[&Entity]) -> Result<(), StoreError> {
        let mut rest = entities;
        let mut part = 0;
        // An empty full image is written too: it says that the bucket is empty.
        loop {
            let (now, later) = rest.split_at(segment::fitting(rest)?);
            let frame = Frame { step: unsigned(self.step), bucket, kind, part };
            self.insert_segment(frame, segment::pack(&segment::encode(frame, now))?).await?;
            if later.is_empty() {
                return Ok(());
            }
            rest = later;
            part += 1;
        }
    }

    async fn insert_segment(&mut self, frame: Frame, packed: Packed) -> Result<(), StoreError> {
        self.bytes += signed(packed.body.len() as u64, "size")?;
        let insert = sqlx::query(
            "INSERT INTO checkpoint_segments
                 (lane_id, step, bucket, kind, part, raw_bytes, crc32, body)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(self.lane_id)
        .bind(self.step)
        .bind(i32::from(frame.bucket))
        .bind(frame.kind.name())
        .bind(lane_number(frame.part)?)
        .bind(signed(packed.raw_bytes as u64, "size")?)
        .bind(i64::from(packed.crc32))
        .bind(packed.body)
        .execute(&mut *self.transaction);
        self.limit.run(DOING, insert).await?;
        Ok(())
    }

    /// Moves the head from the parent to this step; false when the head is elsewhere.
    async fn compare_and_set(&mut self, write: &CheckpointWrite) -> Result<bool, StoreError> {
        let parent = write.parent_step.map(|p| signed(p, "parent step")).transpose()?;
        let update = sqlx::query(
            "UPDATE checkpoint_lanes SET newest_step = $2
             WHERE id = $1 AND newest_step IS NOT DISTINCT FROM $3",
        )
        .bind(self.lane_id)
        .bind(self.step)
        .bind(parent)
        .execute(&mut *self.transaction);
        Ok(self.limit.run(DOING, update).await?.rows_affected() == 1)
    }

    /// The checkpoint's row, and its manifest: the parent's segments, but for the bucket that is
    /// written whole, and its own.
    async fn inherit(&mut self, write: &CheckpointWrite) -> Result<(), StoreError> {
        self.check_parent(write).await?;
        self.insert_checkpoint(write).await?;
        let parent = write.parent_step.map(|p| signed(p, "parent step")).transpose()?;
        let full = write.full_bucket.as_ref().map(|f| i32::from(f.bucket));
        let manifest = sqlx::query(
            "INSERT INTO checkpoint_manifest (lane_id, step, segment_id)
             SELECT $1, $2, s.id FROM checkpoint_segments s
             WHERE s.lane_id = $1 AND s.step = $2
             UNION ALL
             SELECT $1, $2, s.id FROM checkpoint_manifest m
             JOIN checkpoint_segments s ON s.id = m.segment_id
             WHERE m.lane_id = $1 AND m.step = $3 AND s.bucket IS DISTINCT FROM $4",
        )
        .bind(self.lane_id)
        .bind(self.step)
        .bind(parent)
        .bind(full)
        .execute(&mut *self.transaction);
        let needed = self.limit.run(DOING, manifest).await?.rows_affected();
        let count = sqlx::query("UPDATE checkpoints SET segment_count = $3 WHERE lane_id = $1 AND step = $2")
            .bind(self.lane_id)
            .bind(self.step)
            .bind(i32::try_from(needed).unwrap_or(i32::MAX))
            .execute(&mut *self.transaction);
        self.limit.run(DOING, count).await?;
        Ok(())
    }

    async fn check_parent(&mut self, write: &CheckpointWrite) -> Result<(), StoreError> {
        let Some(parent) = write.parent_step else {
            return Ok(());
        };
        let select = sqlx::query_scalar("SELECT buckets FROM checkpoints WHERE lane_id = $1 AND step = $2")
            .bind(self.lane_id)
            .bind(signed(parent, "parent step")?)
            .fetch_one(&mut *self.transaction);
        let buckets: i32 = self.limit.run(DOING, select).await?;
        if buckets == i32::from(write.buckets) {
            return Ok(());
        }
        Err(StoreError::invalid(format!(
            "{} buckets upon a checkpoint of {buckets}: keep the number, or delete the lane's checkpoints",
            write.buckets
        )))
    }

    async fn insert_checkpoint(&mut self, write: &CheckpointWrite) -> Result<(), StoreError> {
        let shared = segment::pack(&write.shared)?;
        self.bytes += signed(shared.body.len() as u64, "size")?;
        let insert = sqlx::query(
            "INSERT INTO checkpoints
                 (lane_id, step, parent_step, lane_count, buckets, full_bucket, state_hash,
                  shared, shared_bytes, shared_crc32, segment_count, written_bytes)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11)",
        )
        .bind(self.lane_id)
        .bind(self.step)
        .bind(write.parent_step.map(|p| signed(p, "parent step")).transpose()?)
        .bind(lane_number(write.lane_count)?)
        .bind(i32::from(write.buckets))
        .bind(write.full_bucket.as_ref().map(|f| i32::from(f.bucket)))
        .bind(write.state_hash.as_slice())
        .bind(shared.body)
        .bind(signed(shared.raw_bytes as u64, "size")?)
        .bind(i64::from(shared.crc32))
        .bind(self.bytes)
        .execute(&mut *self.transaction);
        self.limit.run(DOING, insert).await?;
        Ok(())
    }

    async fn finish(mut self) -> Result<(), StoreError> {
        garbage::collect(self.limit, &mut self.transaction, self.lane_id).await?;
        self.limit.run(DOING, self.transaction.commit()).await
    }
}

type Groups<'w> = BTreeMap<(u16, Kind), Vec<&'w Entity>>;

/// The write's entities by bucket and kind, after checking that it makes sense.
fn grouped(write: &CheckpointWrite) -> Result<Groups<'_>, StoreError> {
    check(write)?;
    let full = write.full_bucket.as_ref();
    let mut groups = Groups::new();
    for entity in &write.dirty {
        let bucket = bucket_of(&entity.key, write.buckets);
        // The full image has it already.
        if full.is_none_or(|f| f.bucket != bucket) {
            groups.entry((bucket, Kind::Delta)).or_default().push(entity);
        }
    }
    if let Some(full) = full {
        groups.insert((full.bucket, Kind::Full), full.entities.iter().collect());
    }
    Ok(groups)
}

fn check(write: &CheckpointWrite) -> Result<(), StoreError> {
    let fault = if write.buckets == 0 || write.lane_count == 0 {
        "no buckets or no lanes".to_owned()
    } else if write.parent_step.is_some_and(|p| p >= write.step) {
        format!("step {} is not above its parent's", write.step)
    } else if write.shared.len() > MAX_SHARED_BYTES {
        format!("a shared blob of {} bytes", write.shared.len())
    } else if let Some(fault) = write.full_bucket.as_ref().and_then(|f| stray(f, write.buckets)) {
        fault
    } else {
        return Ok(());
    };
    Err(StoreError::invalid(format!("checkpoint {} of {}: {fault}", write.step, write.lane)))
}

fn stray(full: &super::FullBucket, buckets: u16) -> Option<String> {
    if full.bucket >= buckets {
        return Some(format!("bucket {} of {buckets}", full.bucket));
    }
    full.entities
        .iter()
        .find(|e| e.value.is_none() || bucket_of(&e.key, buckets) != full.bucket)
        .map(|_| format!("the full image of bucket {} holds a foreign or dead entity", full.bucket))
}
