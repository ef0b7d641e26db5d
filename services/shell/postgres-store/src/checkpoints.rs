//! Checkpoints: what a lane needs to start without folding its whole log.
//!
//! A checkpoint is a shared blob and a set of entities (key → value bytes), written as segments: the
//! entities changed since the parent (delta), and the whole image of one bucket in rotation (full).
//! A manifest names the segments that a checkpoint needs; two generations are kept.
//!
//! Promises: a checkpoint is saved in one transaction, by compare-and-set on its parent; what is
//! loaded is whole and checked, or an error that names the generation that is not; a saved
//! checkpoint is on disk (the server's `synchronous_commit` is left on: one flush every 10–30 s,
//! outside the commit path, buys that a lost race always means another writer). Does not know what
//! the bytes mean, and does not compute the state hash: the caller verifies it.

mod catalogue;
mod garbage;
mod load;
mod save;
mod segment;

use std::fmt;

use crate::{Micros, StoreError};

pub use segment::MAX_ENTITY_BYTES;

/// Default number of buckets over which full images rotate.
pub const DEFAULT_BUCKETS: u16 = 16;

/// Most bytes of a shared blob before compression.
pub const MAX_SHARED_BYTES: usize = 256 << 20;

/// Whose checkpoint: one role's lane in one deployment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneKey {
    /// Name of the deployment.
    pub deployment: String,
    /// Name of the role.
    pub role: String,
    /// Partition number.
    pub lane: u32,
}

impl LaneKey {
    /// A key from its parts.
    pub fn new(deployment: impl Into<String>, role: impl Into<String>, lane: u32) -> Self {
        LaneKey { deployment: deployment.into(), role: role.into(), lane }
    }
}

impl fmt::Display for LaneKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.deployment, self.role, self.lane)
    }
}

/// A changed entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// Its identity, at most [`MAX_ENTITY_BYTES`] together with the value.
    pub key: Vec<u8>,
    /// Its image, or `None` when it is gone.
    pub value: Option<Vec<u8>>,
}

/// The whole image of one bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FullBucket {
    /// Which bucket, below the number of buckets.
    pub bucket: u16,
    /// Every living entity whose [`bucket_of`] is this bucket, dirty or not.
    pub entities: Vec<Entity>,
}

/// A checkpoint to save.
#[derive(Debug, Clone)]
pub struct CheckpointWrite {
    /// Whose.
    pub lane: LaneKey,
    /// Newest step that the state contains; above the parent's.
    pub step: u64,
    /// Step of the checkpoint that this one builds upon: the newest one stored; `None` when none is,
    /// and then `dirty` holds every entity.
    pub parent_step: Option<u64>,
    /// Number of lanes of the deployment when it was written.
    pub lane_count: u32,
    /// Hash of the whole state, for the caller to verify after loading.
    pub state_hash: [u8; 16],
    /// State that is no entity: positions in the logs, price table, settings.
    pub shared: Vec<u8>,
    /// Number of buckets; the same as the parent's.
    pub buckets: u16,
    /// Every entity changed since the parent; a key given twice has its last value.
    pub dirty: Vec<Entity>,
    /// The bucket whose turn it is ([`Saved::next_full_bucket`]).
    pub full_bucket: Option<FullBucket>,
}

/// What came of a save.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SaveOutcome {
    /// It is stored.
    Saved(Saved),
    /// The newest checkpoint is not the given parent: another process wrote one. Nothing was
    /// stored. Let go of the lane, or load again.
    LostRace {
        /// Step of the newest checkpoint stored.
        newest: Option<u64>,
    },
}

/// A stored checkpoint's measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saved {
    /// Compressed bytes written by this save, shared blob included.
    pub bytes: u64,
    /// Segments written by this save.
    pub segments: u32,
    /// Segments that a load of this checkpoint reads.
    pub needed_segments: u32,
    /// The bucket whose full image is the oldest, or missing: give it with the next write.
    pub next_full_bucket: u16,
}

/// A checkpoint read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedCheckpoint {
    /// Newest step that the state contains.
    pub step: u64,
    /// Step of the checkpoint that it was built upon.
    pub parent_step: Option<u64>,
    /// Number of lanes when it was written.
    pub lane_count: u32,
    /// The hash that the state must have.
    pub state_hash: [u8; 16],
    /// State that is no entity.
    pub shared: Vec<u8>,
    /// Number of buckets.
    pub buckets: u16,
    /// Every living entity with its newest value, by bucket, then key.
    pub entities: Vec<(Vec<u8>, Vec<u8>)>,
    /// The bucket to give with the next write.
    pub next_full_bucket: u16,
    /// Compressed bytes read.
    pub bytes: u64,
    /// When it was saved, by the server's clock.
    pub created_at: Micros,
}

/// A line of the list of checkpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointInfo {
    /// Whose.
    pub lane: LaneKey,
    /// Newest step that it contains.
    pub step: u64,
    /// Step of its parent.
    pub parent_step: Option<u64>,
    /// Number of lanes when it was written.
    pub lane_count: u32,
    /// Segments that a load reads.
    pub segments: u32,
    /// Compressed bytes that its own save wrote.
    pub written_bytes: u64,
    /// When it was saved.
    pub created_at: Micros,
}

/// The bucket of an entity: stable for ever, the same on every machine.
#[must_use]
pub fn bucket_of(key: &[u8], buckets: u16) -> u16 {
    let bucket = xxhash_rust::xxh3::xxh3_64(key) % u64::from(buckets.max(1));
    u16::try_from(bucket).expect("the rest of a division by a u16 fits a u16")
}

/// An unsigned number as Postgres' signed one.
fn signed(number: u64, what: &str) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::invalid(format!("{what} {number} is above 2^63")))
}

/// A number that a check constraint keeps from being negative.
fn unsigned(number: i64) -> u64 {
    number.unsigned_abs()
}

fn lane_number(lane: u32) -> Result<i32, StoreError> {
    i32::try_from(lane).map_err(|_| StoreError::invalid(format!("lane {lane} is above 2^31")))
}
