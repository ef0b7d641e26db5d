//! A log and a checkpoint store in memory, for the demo without servers and for tests.
//! It keeps what Kafka promises to a reader of committed records: offsets that rise and may have gaps
//! (a commit takes one for its marker), first records that retention takes away, transactions whole or not
//! at all, and fencing by take-over.
//! It loses everything with the process.

pub mod cluster;
mod ports;

pub use ports::{MemoryCheckpoints, MemoryPast, MemoryPublisher, MemoryReader};

use crate::messages::OutMessage;
use crate::stored::StoredRecord;
use domain::command::Header;
use domain::{SmolStr, Timestamp};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

#[derive(Debug, Default)]
struct Partition {
    records: Vec<StoredRecord>,
    start: i64,
    end: i64,
}

#[derive(Debug, Default)]
struct Shared {
    partitions: BTreeMap<(SmolStr, i32), Partition>,
    owners: BTreeMap<SmolStr, u64>,
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
        self.0.borrow_mut().append(message)
    }
    /// Appends records as one transaction: all, then a marker in every partition touched.
    fn commit(&self, messages: impl IntoIterator<Item = OutMessage>) {
        let mut shared = self.0.borrow_mut();
        let mut touched = std::collections::BTreeSet::new();
        for message in messages {
            touched.insert((SmolStr::new_static(message.topic), message.partition));
            shared.append(message);
        }
        for place in touched {
            shared.partitions.entry(place).or_default().end += 1;
        }
    }
    /// Takes away what a partition holds below an offset, at most all, as retention does.
    pub fn trim(&self, topic: &str, partition: i32, below: i64) {
        let mut shared = self.0.borrow_mut();
        let place = shared.partitions.entry((SmolStr::new(topic), partition)).or_default();
        place.start = place.start.max(below.min(place.end));
        let start = place.start;
        place.records.retain(|record| record.offset >= start);
    }
    /// First offset that a partition still holds.
    pub fn start(&self, topic: &str, partition: i32) -> i64 {
        self.0.borrow().partitions.get(&(SmolStr::new(topic), partition)).map_or(0, |p| p.start)
    }
    /// End of a partition: the offset of the next record.
    pub fn end(&self, topic: &str, partition: i32) -> i64 {
        self.0.borrow().partitions.get(&(SmolStr::new(topic), partition)).map_or(0, |p| p.end)
    }
    /// Every record of a partition from an offset on.
    pub fn read(&self, topic: &str, partition: i32, from: i64) -> Vec<StoredRecord> {
        self.range(topic, partition, from, i64::MAX)
    }
    /// The records of a partition from an offset on, below another.
    pub fn range(&self, topic: &str, partition: i32, from: i64, to: i64) -> Vec<StoredRecord> {
        let shared = self.0.borrow();
        let Some(found) = shared.partitions.get(&(SmolStr::new(topic), partition)) else { return Vec::new() };
        let start = found.records.partition_point(|record| record.offset < from);
        let end = found.records.partition_point(|record| record.offset < to);
        found.records[start..end.max(start)].to_vec()
    }
    /// Every partition that holds something, by topic and number.
    pub fn places(&self) -> Vec<(SmolStr, i32)> {
        self.0.borrow().partitions.keys().cloned().collect()
    }
}

impl Shared {
    fn append(&mut self, message: OutMessage) -> i64 {
        let appended = self.clock;
        let partition = self.partitions.entry((SmolStr::new_static(message.topic), message.partition)).or_default();
        let offset = partition.end;
        partition.end += 1;
        let headers = message.headers.into_iter().map(|(name, value)| Header { name, value }).collect();
        partition.records.push(StoredRecord { offset, appended, key: message.key, value: message.value, headers });
        offset
    }
}
