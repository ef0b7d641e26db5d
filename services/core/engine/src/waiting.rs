//! The waiting room: records that came before what they need, in order, bounded.
//! It keeps them and hands them back; what they wait for, and by what name they are asked for, is the role's.

use crate::role::RawRecord;
use domain::SmolStr;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Bytes of records that may wait: they stand in the part of an image that every checkpoint holds.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// Records that wait in queues, each under a name of the role's own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WaitingRoom {
    next: u64,
    queues: BTreeMap<SmolStr, BTreeMap<u64, RawRecord>>,
    count: usize,
    bytes: usize,
}

impl WaitingRoom {
    /// Lets a record wait at the end of a queue; hands it back when `limit` records, or too many bytes, wait already.
    pub fn wait(&mut self, queue: &str, record: RawRecord, limit: usize) -> Result<(), Box<RawRecord>> {
        if self.count >= limit || self.bytes + record.bytes() > MOST_BYTES {
            return Err(Box::new(record));
        }
        self.bytes += record.bytes();
        self.queues.entry(SmolStr::new(queue)).or_default().insert(self.next, record);
        self.next += 1;
        self.count += 1;
        Ok(())
    }
    /// Every record of a queue, in the order in which they came.
    pub fn take(&mut self, queue: &str) -> Vec<RawRecord> {
        let taken: Vec<_> = self.queues.remove(queue).map(|records| records.into_values().collect()).unwrap_or_default();
        self.count -= taken.len();
        self.bytes -= taken.iter().map(RawRecord::bytes).sum::<usize>();
        taken
    }
    /// How many wait.
    pub fn len(&self) -> usize {
        self.count
    }
    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Timestamp, Topic};

    fn record(bytes: usize) -> RawRecord {
        let (topic, value) = (Topic::Fills, Some(vec![0; bytes]));
        RawRecord { topic, partition: 0, offset: 0, timestamp: Timestamp::default(), key: None, headers: Vec::new(), value }
    }

    #[test]
    fn it_is_full_by_count_and_by_bytes_and_empties_again() {
        let mut room = WaitingRoom::default();
        assert!(room.wait("a", record(1), 2).is_ok() && room.wait("b", record(1), 2).is_ok());
        assert_eq!(room.wait("a", record(1), 2), Err(Box::new(record(1))));
        assert_eq!((room.take("a").len(), room.take("b").len(), room.len()), (1, 1, 0));
        let large = MOST_BYTES / 4;
        (0..4).for_each(|_| assert!(room.wait("a", record(large), 100).is_ok()));
        assert!(room.wait("b", record(1), 100).is_err());
        room.take("a");
        assert!(room.wait("b", record(large), 100).is_ok());
    }
}
