//! What one poll brought: records by reference, and the partitions whose end was reached.
//!
//! Promises no allocation a record, and that the bytes live until the batch drops, on whatever one
//! thread that happens. Holding many batches holds the reader's memory.

use crate::message::TopicName;
use crate::native::{Messages, Record};
use std::sync::Arc;

/// A partition whose last stable offset was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartitionEnd {
    /// The index of the topic in [`Batch::topics`].
    pub topic: usize,
    /// The partition.
    pub partition: i32,
    /// The offset that will be read next: past the last transaction marker.
    pub offset: i64,
}

/// The records of one poll, each partition's in offset order. `Send`, not `Sync`.
pub struct Batch {
    pub(crate) records: Vec<(u32, u32)>,
    pub(crate) ends: Vec<PartitionEnd>,
    pub(crate) topics: Arc<[TopicName]>,
    pub(crate) messages: Messages,
}

impl Batch {
    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is no record; there may still be [`Batch::ends`].
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The records, in the order of arrival.
    pub fn records(&self) -> impl ExactSizeIterator<Item = Record<'_>> {
        self.records.iter().map(|(message, topic)| self.messages.get(*message as usize).of_topic(*topic as usize))
    }

    /// The ends that were reached. Edge-triggered: once a reached end, again after every later
    /// commit or abort in the partition.
    #[must_use]
    pub fn ends(&self) -> &[PartitionEnd] {
        &self.ends
    }

    /// The names that the topic indices stand for, in the order of the assignment.
    #[must_use]
    pub fn topics(&self) -> &[TopicName] {
        &self.topics
    }
}
