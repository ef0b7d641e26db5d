//! The waiting room: records that came before what they need, in order, bounded.
//! It keeps them and hands them back; what they wait for is the role's.

use crate::role::RawRecord;
use domain::SmolStr;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Bytes of records that may wait: they stand in the part of an image that every checkpoint holds.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// Records that wait, each under the name of what it needs (an instrument, a portfolio's policy, a rate).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WaitingRoom {
    next: u64,
    by_need: BTreeMap<SmolStr, BTreeMap<u64, RawRecord>>,
    count: usize,
    bytes: usize,
}

impl WaitingRoom {
    /// Lets a record wait for `need`; hands it back when `limit` records, or too many bytes, wait already.
    pub fn wait(&mut self, need: &str, record: RawRecord, limit: usize) -> Result<(), Box<RawRecord>> {
        if self.count >= limit || self.bytes + record.bytes() > MOST_BYTES {
            return Err(Box::new(record));
        }
        self.bytes += record.bytes();
        self.by_need.entry(SmolStr::new(need)).or_default().insert(self.next, record);
        self.next += 1;
        self.count += 1;
        Ok(())
    }
    /// Every record that waits for `need`, in the order in which they came.
    pub fn take(&mut self, need: &str) -> Vec<RawRecord> {
        let taken: Vec<_> = self.by_need.remove(need).map(|records| records.into_values().collect()).unwrap_or_default();
        self.count -= taken.len();
        self.bytes -= taken.iter().map(RawRecord::bytes).sum::<usize>();
        taken
    }
    /// Whether anything waits for `need`.
    pub fn awaits(&self, need: &str) -> bool {
        self.by_need.contains_key(need)
    }
    /// The needs for which something waits, ascending.
    pub fn needs(&self) -> impl Iterator<Item = &SmolStr> {
        self.by_need.keys()
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
