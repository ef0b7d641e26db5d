//! What a lane's worker needs of the world, as traits: the real ones stand on Kafka and Postgres,
//! the others on memory. Nothing here decides anything.

use super::backlog::Backlog;
use domain::progress::Progress;
use domain::{SmolStr, Timestamp, Topic};
use engine::lane::Slice;
use engine::{RecordRef, Step};
use std::collections::BTreeSet;
use std::time::Duration;

/// Something outside failed; the text says what, whose fault, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct PortError {
    /// What failed, whose fault it is, what to do.
    pub text: String,
    /// Whether the same may work later without anybody's help.
    pub retry: bool,
}

impl PortError {
    /// An error that stays, from anything that explains itself.
    pub fn of(error: impl std::fmt::Display) -> Self {
        Self { text: error.to_string(), retry: false }
    }
    /// An error that may pass.
    pub fn later(error: impl std::fmt::Display) -> Self {
        Self { text: error.to_string(), retry: true }
    }
}

/// What one poll brought.
pub struct Polled<'a> {
    /// Records by topic and partition.
    pub slices: &'a [Slice<'a, &'a dyn RecordRef>],
    /// How far the reading stands behind each log once they are read.
    pub backlog: &'a Backlog,
    /// Greatest event time among them.
    pub newest_event: Option<Timestamp>,
}

/// Live reading of a lane's inputs.
pub trait LaneReader {
    /// Starts over at these offsets; later polls read these partitions only.
    fn assign(&mut self, starts: &[(Topic, i32, i64)]) -> Result<(), PortError>;
    /// Waits up to `wait` for records, at most `max`, and hands them over (an empty hand-over is
    /// allowed). Offsets out of range are an error.
    fn poll(&mut self, max: usize, wait: Duration, take: &mut dyn FnMut(Polled<'_>)) -> Result<(), PortError>;
    /// Whether every assigned partition has been read to the end that it had when this was first asked after
    /// `assign`, whatever has been appended since.
    fn reached_end(&mut self) -> bool;
}

/// Reading of what was, for recovery.
pub trait Past {
    /// First offset that a partition still holds, and its end.
    fn bounds(&mut self, topic: Topic, partition: i32) -> Result<(i64, i64), PortError>;
    /// Every visible record of a range of offsets, in order.
    fn range(&mut self, topic: Topic, partition: i32, from: i64, to: i64, take: &mut dyn FnMut(&dyn RecordRef)) -> Result<(), PortError>;
    /// The offset from which frames must be followed when their first ones are gone.
    fn frames_start(&mut self) -> Result<i64, PortError>;
    /// Every visible progress record from an offset to the end.
    fn progress(&mut self, from: i64) -> Result<Vec<Progress>, PortError>;
    /// Whether the records below an offset were appended after all progress that was read, decided or not: then they are
    /// not those that the lane has read, for their topic was made anew. A log that nobody can make anew never was.
    fn made_anew(&mut self, _topic: Topic, _partition: i32, _offset: i64) -> Result<bool, PortError> {
        Ok(false)
    }
    /// Every progress record that no transaction has decided; asked once the lane was taken over, when none
    /// should be left. A log that cannot lose the end of a transaction has none.
    fn undecided(&mut self) -> Result<Vec<Progress>, PortError> {
        Ok(Vec::new())
    }
    /// Whether a record in one of these partitions, by topic and number, is decided by no transaction; asked likewise.
    fn hangs(&mut self, _places: &BTreeSet<(&'static str, i32)>) -> Result<bool, PortError> {
        Ok(false)
    }
}

/// How a commit ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The step is visible to every reader.
    Confirmed {
        /// Its number.
        step: i64,
        /// From hand-over to confirmation.
        took: Duration,
        /// Whether the commit cost its producer: it was slow, failed, or in doubt.
        recycled: bool,
    },
    /// Another process owns the lane: let go at once.
    Fenced,
    /// The lane cannot publish any more.
    Failed(PortError),
}

/// Publishing of a lane's steps, one transaction each, in order.
pub trait Publisher {
    /// Takes the lane over: after it no earlier owner can publish. Gives up when `let_go` says so.
    fn take_over(&mut self, let_go: &dyn Fn() -> bool) -> Result<(), PortError>;
    /// Hands a step over; returns at once.
    fn submit(&mut self, step: Step) -> Result<(), PortError>;
    /// How the oldest open commit ended, waiting up to `wait` for it.
    fn outcome(&mut self, wait: Duration) -> Option<Outcome>;
    /// End of the lane's progress partition, as far as known: a lower bound of what comes next.
    fn progress_end(&mut self) -> Result<i64, PortError>;
}

/// A state at the end of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointImage {
    /// The step.
    pub step: i64,
    /// The checkpoint before it; `None` before the first.
    pub parent: Option<i64>,
    /// Offset of the progress partition at or before BEGIN of the next step.
    pub progress_from: i64,
    /// The lane's shared part.
    pub shared: Vec<u8>,
    /// Entities that changed since the parent; `None` is gone.
    pub changed: Vec<(SmolStr, Option<Vec<u8>>)>,
    /// Every entity of the bucket whose turn it is, with its number.
    pub full_bucket: Option<(u16, Vec<Kept>)>,
}

/// An entity's key and bytes.
pub type Kept = (SmolStr, Vec<u8>);

/// A checkpoint as it is read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedImage {
    /// The step.
    pub step: i64,
    /// Offset of the progress partition to read from.
    pub progress_from: i64,
    /// The lane's shared part.
    pub shared: Vec<u8>,
    /// Every entity, by ascending key.
    pub entities: Vec<Kept>,
}

/// Why a checkpoint was not loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// What is stored fails its check, or cannot be read by this build: the generation before may do.
    #[error("{0}")]
    Corrupt(String),
    /// The store did not answer, or refused: that says nothing of what it holds.
    #[error(transparent)]
    Store(#[from] PortError),
}

/// How saving a checkpoint ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saved {
    /// It is kept.
    Kept {
        /// Its step.
        step: i64,
        /// Bytes written.
        bytes: usize,
        /// From hand-over until it was kept.
        took: Duration,
    },
    /// Another one than its parent is the newest: a save whose answer got lost, or one of an earlier owner, has
    /// arrived meanwhile, or somebody took checkpoints away. Nothing was written.
    Overtaken {
        /// Step of the newest one; `None` when there is none.
        newest: Option<i64>,
    },
    /// It could not be written; the next one will hold everything that this one held.
    Failed(PortError),
}

/// Keeping of a lane's checkpoints.
pub trait Checkpoints {
    /// The newest whole checkpoint (`generation` 0) or the one before it (1).
    fn load(&mut self, generation: u8) -> Result<Option<LoadedImage>, LoadError>;
    /// Starts writing one; returns at once. One at a time.
    fn save(&mut self, image: CheckpointImage);
    /// How the last one ended, once it has, waiting up to `wait`.
    fn saved(&mut self, wait: Duration) -> Option<Saved>;
    /// Forgets the checkpoints after `step`, which cannot be read, so that the next builds upon it.
    fn discard_newer(&mut self, step: i64) -> Result<(), PortError>;
    /// The bucket whose entities are to be written whole next: the one that was not for longest.
    fn bucket_in_turn(&self) -> u16;
    /// The bucket of an entity.
    fn bucket_of(&self, key: &str) -> u16;
}
