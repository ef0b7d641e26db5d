//! A log and a checkpoint store in memory, for the demo without servers, for tests, and for the simulator.
//! It keeps what Kafka promises: offsets that rise and have gaps (a marker for each partition that a transaction
//! wrote to), readers of committed records that stop at the first open transaction and skip what was aborted, first
//! records that retention takes away, and producers fenced by who takes their id over.
//! It has one broker that never fails: who simulates failures does so around it. It loses everything with the process.

pub mod cluster;
mod partition;
mod ports;
mod transactions;

pub use ports::{MemoryCheckpoints, MemoryPast, MemoryPublisher, MemoryReader};
pub use transactions::{ProducerEpoch, Refused};

use crate::messages::OutMessage;
use crate::stored::StoredRecord;
use domain::command::Header;
use domain::{SmolStr, Timestamp};
use partition::{Fate, Partition};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use transactions::Coordinator;

#[derive(Debug, Default)]
struct Shared {
    partitions: BTreeMap<(SmolStr, i32), Partition>,
    coordinator: Coordinator,
    clock: Timestamp,
}

/// A log in memory; clones share it.
#[derive(Debug, Clone, Default)]
pub struct MemoryLog(Rc<RefCell<Shared>>);

impl MemoryLog {
    /// An empty log.
    pub fn new() -> Self {
        Self::default()
    }
    /// Sets the time of later appends.
    pub fn set_clock(&self, now: Timestamp) {
        self.0.borrow_mut().clock = now;
    }
    /// Appends one record outside any transaction; its offset.
    pub fn append(&self, message: OutMessage) -> i64 {
        self.0.borrow_mut().append(message, Fate::Visible)
    }
    /// Appends records as one transaction: all, then a marker in every partition touched.
    fn commit(&self, messages: impl IntoIterator<Item = OutMessage>) {
        let mut shared = self.0.borrow_mut();
        let mut touched = BTreeSet::new();
        for message in messages {
            touched.insert((SmolStr::new_static(message.topic), message.partition));
            shared.append(message, Fate::Visible);
        }
        for place in touched {
            shared.partitions.entry(place).or_default().end += 1;
        }
    }
    /// Takes away what a partition holds below an offset, at most all that is decided, as retention does.
    pub fn trim(&self, topic: &str, partition: i32, below: i64) {
        self.0.borrow_mut().partitions.entry((SmolStr::new(topic), partition)).or_default().trim(below);
    }
    /// First offset that a partition still holds.
    pub fn start(&self, topic: &str, partition: i32) -> i64 {
        self.of(topic, partition, |found| found.start).unwrap_or(0)
    }
    /// End of a partition: the offset of the next record.
    pub fn end(&self, topic: &str, partition: i32) -> i64 {
        self.of(topic, partition, |found| found.end).unwrap_or(0)
    }
    /// The last stable offset: readers of committed records come so far.
    pub fn stable_end(&self, topic: &str, partition: i32) -> i64 {
        self.of(topic, partition, Partition::stable_end).unwrap_or(0)
    }
    /// Every committed record of a partition from an offset on.
    pub fn read(&self, topic: &str, partition: i32, from: i64) -> Vec<StoredRecord> {
        self.range(topic, partition, from, i64::MAX)
    }
    /// The committed records of a partition from an offset on, below another.
    pub fn range(&self, topic: &str, partition: i32, from: i64, to: i64) -> Vec<StoredRecord> {
        self.of(topic, partition, |found| found.committed(from, to).cloned().collect()).unwrap_or_default()
    }
    /// The first committed records of a partition from an offset on, at most so many; the offset at which to go on.
    pub fn some(&self, topic: &str, partition: i32, from: i64, most: usize) -> (Vec<StoredRecord>, i64) {
        self.of(topic, partition, |found| found.some(from, most)).unwrap_or((Vec::new(), from))
    }
    /// Every record of a partition from an offset on, whether or not it is committed.
    pub fn uncommitted(&self, topic: &str, partition: i32, from: i64) -> Vec<StoredRecord> {
        self.of(topic, partition, |found| found.all(from).cloned().collect()).unwrap_or_default()
    }
    /// Every partition that holds something, by topic and number.
    pub fn places(&self) -> Vec<(SmolStr, i32)> {
        self.0.borrow().partitions.keys().cloned().collect()
    }

    fn of<T>(&self, topic: &str, partition: i32, look: impl FnOnce(&Partition) -> T) -> Option<T> {
        self.0.borrow().partitions.get(&(SmolStr::new(topic), partition)).map(look)
    }
}

impl Shared {
    fn append(&mut self, message: OutMessage, fate: Fate) -> i64 {
        let appended = self.clock;
        let partition = self.partitions.entry((SmolStr::new_static(message.topic), message.partition)).or_default();
        let offset = partition.end;
        let headers = message.headers.into_iter().map(|(name, value)| Header { name, value }).collect();
        partition.push(StoredRecord { offset, appended, key: message.key, value: message.value, headers }, fate);
        offset
    }
}
