//! Loading: one consistent picture, every byte checked.
//!
//! Promises: either every living entity with its newest value, or an error that names the generation
//! that cannot be read. Reads one bucket at a time.

use std::collections::BTreeMap;

use sqlx::{Postgres, Transaction};

use super::save::next_full_bucket;
use super::segment::{self, Frame, Kind, Packed};
use super::{LaneKey, LoadedCheckpoint, lane_number, unsigned};
use crate::statement::Limit;
use crate::{Micros, Store, StoreError};

const DOING: &str = "loading a checkpoint";

/// A segment's row: step, bucket, kind, part, raw_bytes, crc32, body.
type SegmentRow = (i64, i32, String, i32, i64, i64, Vec<u8>);

#[derive(sqlx::FromRow)]
struct Row {
    lane_id: i64,
    step: i64,
    parent_step: Option<i64>,
    lane_count: i32,
    buckets: i32,
    state_hash: Vec<u8>,
    shared: Vec<u8>,
    shared_bytes: i64,
    shared_crc32: i64,
    segment_count: i32,
    created_at: Micros,
}

impl Store {
    /// The lane's checkpoint: `generation` 0 is the newest, 1 the one before it. `None` where there
    /// is no such generation.
    ///
    /// # Errors
    /// [`StoreError::CorruptCheckpoint`] names the step that cannot be read: try generation 1, and
    /// when that holds, [`Store::discard_newer`] before the next save.
    pub async fn load_newest(&self, lane: &LaneKey, generation: u32) -> Result<Option<LoadedCheckpoint>, StoreError> {
        let mut reading = Reading { limit: self.limit(), transaction: self.limit().run(DOING, self.pool().begin()).await? };
        reading.freeze().await?;
        let Some(row) = reading.row(lane, generation).await? else {
            return Ok(None);
        };
        let mut loaded = unpack_row(lane, &row)?;
        loaded.next_full_bucket = next_full_bucket(self.limit(), &mut *reading.transaction, row.lane_id, row.step, row.buckets).await?;
        let mut segments = 0;
        for bucket in 0..row.buckets {
            segments += reading.bucket(lane, &row, bucket, &mut loaded).await?;
        }
        if segments != row.segment_count {
            let what = format!("{segments} segments where {} belong", row.segment_count);
            return Err(corrupt(lane, loaded.step, what));
        }
        Ok(Some(loaded))
    }
}

/// The transaction of one load.
struct Reading<'s> {
    limit: &'s Limit,
    transaction: Transaction<'s, Postgres>,
}

impl Reading<'_> {
    /// A writer may remove garbage meanwhile: read from one snapshot.
    async fn freeze(&mut self) -> Result<(), StoreError> {
        let freeze = sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").execute(&mut *self.transaction);
        self.limit.run(DOING, freeze).await?;
        Ok(())
    }

    async fn row(&mut self, lane: &LaneKey, generation: u32) -> Result<Option<Row>, StoreError> {
        let select = sqlx::query_as(
            "SELECT c.* FROM checkpoints c JOIN checkpoint_lanes l ON l.id = c.lane_id
             WHERE l.deployment = $1 AND l.role = $2 AND l.lane = $3
             ORDER BY c.step DESC OFFSET $4 LIMIT 1",
        )
        .bind(&lane.deployment)
        .bind(&lane.role)
        .bind(lane_number(lane.lane)?)
        .bind(i64::from(generation))
        .fetch_optional(&mut *self.transaction);
        self.limit.run(DOING, select).await
    }

    /// Adds a bucket's living entities; answers how many segments it had.
    async fn bucket(&mut self, lane: &LaneKey, row: &Row, bucket: i32, loaded: &mut LoadedCheckpoint) -> Result<i32, StoreError> {
        // A full image stands before its own step's delta; there is never both.
        let select = sqlx::query_as(
            "SELECT s.step, s.bucket, s.kind, s.part, s.raw_bytes, s.crc32, s.body
             FROM checkpoint_manifest m JOIN checkpoint_segments s ON s.id = m.segment_id
             WHERE m.lane_id = $1 AND m.step = $2 AND s.bucket = $3
             ORDER BY s.step, s.part",
        )
        .bind(row.lane_id)
        .bind(row.step)
        .bind(bucket)
        .fetch_all(&mut *self.transaction);
        let rows: Vec<SegmentRow> = self.limit.run(DOING, select).await?;
        let mut living = BTreeMap::new();
        let mut count = 0;
        for segment in rows {
            loaded.bytes += segment.6.len() as u64;
            let place = format!("{} segment {} of bucket {bucket}, step {}", segment.2, segment.3, segment.0);
            apply(segment, &mut living).map_err(|what| corrupt(lane, loaded.step, format!("{place}: {what}")))?;
            count += 1;
        }
        loaded.entities.extend(living);
        Ok(count)
    }
}

fn apply(row: SegmentRow, living: &mut BTreeMap<Vec<u8>, Vec<u8>>) -> Result<(), String> {
    let (step, bucket, kind, part, raw_bytes, crc32, body) = row;
    let frame = Frame {
        step: unsigned(step),
        bucket: u16::try_from(bucket).map_err(|_| "an absurd bucket")?,
        kind: Kind::from_name(&kind).ok_or("an unknown kind")?,
        part: part.unsigned_abs(),
    };
    let raw = segment::unpack(&packed(body, raw_bytes, crc32)?)?;
    for (key, value) in segment::decode(frame, &raw)? {
        match value {
            Some(value) => living.insert(key.to_vec(), value.to_vec()),
            None => living.remove(key),
        };
    }
    Ok(())
}

fn packed(body: Vec<u8>, raw_bytes: i64, crc32: i64) -> Result<Packed, String> {
    // Its own check: decompression allocates this much before it looks.
    let limit = segment::MAX_ENTITY_BYTES.max(super::MAX_SHARED_BYTES) + 1024;
    let raw_bytes = usize::try_from(raw_bytes).ok().filter(|n| *n <= limit).ok_or("an absurd size")?;
    let crc32 = u32::try_from(crc32).map_err(|_| "an absurd checksum")?;
    Ok(Packed { body, raw_bytes, crc32 })
}

fn unpack_row(lane: &LaneKey, row: &Row) -> Result<LoadedCheckpoint, StoreError> {
    let step = unsigned(row.step);
    let shared = packed(row.shared.clone(), row.shared_bytes, row.shared_crc32)
        .and_then(|p| segment::unpack(&p))
        .map_err(|what| corrupt(lane, step, format!("the shared blob: {what}")))?;
    let state_hash =
        <[u8; 16]>::try_from(row.state_hash.as_slice()).map_err(|_| corrupt(lane, step, "the state hash is not 16 bytes".to_owned()))?;
    Ok(LoadedCheckpoint {
        step,
        parent_step: row.parent_step.map(unsigned),
        lane_count: row.lane_count.unsigned_abs(),
        state_hash,
        bytes: row.shared.len() as u64,
        shared,
        buckets: u16::try_from(row.buckets).map_err(|_| corrupt(lane, step, "an absurd number of buckets".to_owned()))?,
        entities: Vec::new(),
        next_full_bucket: 0,
        created_at: row.created_at,
    })
}

fn corrupt(lane: &LaneKey, step: u64, what: String) -> StoreError {
    StoreError::CorruptCheckpoint { lane: lane.to_string(), step, what }
}
