//! The waiting room: records that came before what they need, in order, bounded.
//! It keeps them and hands them back; what they wait for, and by what name they are asked for, is the role's.

use crate::role::RawRecord;
use domain::{PortfolioId, SmolStr, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Bytes of records that may wait: they stand in the part of an image that every checkpoint holds.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// A record that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The record.
    pub record: RawRecord,
    /// The window's clock when it came.
    pub since: Timestamp,
}

/// A record that holds a queue up, as people are told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiter {
    /// The record's topic, partition and offset.
    pub place: (domain::Topic, i32, i64),
    /// Its portfolio.
    pub portfolio: PortfolioId,
    /// The window's clock when it came.
    pub since: Timestamp,
    /// What it waits for, in words.
    pub need: String,
    /// How many records of its portfolio wait behind it.
    pub behind: usize,
}

/// Records that wait in queues, each under a name of the role's own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WaitingRoom {
    next: u64,
    queues: BTreeMap<SmolStr, BTreeMap<u64, Waiting>>,
    count: usize,
    bytes: usize,
}

impl WaitingRoom {
    /// Lets a record that has come wait at the end of a queue; hands it back when `limit` records, or too many
    /// bytes, wait already.
    pub fn wait(&mut self, queue: &str, waiting: Waiting, limit: usize) -> Result<(), Box<Waiting>> {
        if self.count >= limit || self.bytes + waiting.record.bytes() > MOST_BYTES {
            return Err(Box::new(waiting));
        }
        self.wait_on(queue, waiting);
        Ok(())
    }
    /// Lets a record that was taken out wait on at the end of a queue: the room that it had is not refused to it.
    pub fn wait_on(&mut self, queue: &str, waiting: Waiting) {
        self.bytes += waiting.record.bytes();
        self.queues.entry(SmolStr::new(queue)).or_default().insert(self.next, waiting);
        self.next += 1;
        self.count += 1;
    }
    /// Every record of a queue, in the order in which they came.
    pub fn take(&mut self, queue: &str) -> Vec<Waiting> {
        let taken: Vec<_> = self.queues.remove(queue).map(|records| records.into_values().collect()).unwrap_or_default();
        self.count -= taken.len();
        self.bytes -= taken.iter().map(|waiting| waiting.record.bytes()).sum::<usize>();
        taken
    }
    /// Takes one record out of the midst of a queue.
    pub fn take_one(&mut self, queue: &str, is: impl Fn(&RawRecord) -> bool) -> Option<Waiting> {
        let records = self.queues.get_mut(queue)?;
        let number = records.iter().find(|(_, waiting)| is(&waiting.record)).map(|(number, _)| *number)?;
        let taken = records.remove(&number)?;
        if records.is_empty() {
            self.queues.remove(queue);
        }
        self.count -= 1;
        self.bytes -= taken.record.bytes();
        Some(taken)
    }
    /// The records of a queue, in order.
    pub fn queue<'a>(&'a self, queue: &str) -> impl Iterator<Item = &'a Waiting> + use<'a> {
        self.queues.get(queue).into_iter().flat_map(BTreeMap::values)
    }
    /// Since when the oldest record waits; `None` where none does.
    pub fn oldest(&self) -> Option<Timestamp> {
        self.queues.values().flat_map(BTreeMap::values).map(|waiting| waiting.since).min()
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
    use domain::Topic;

    fn waiting(offset: i64, bytes: usize) -> Waiting {
        let (topic, value) = (Topic::Fills, Some(vec![0; bytes]));
        let record = RawRecord { topic, partition: 0, offset, timestamp: Timestamp::default(), key: None, headers: Vec::new(), value };
        Waiting { record, since: Timestamp::from_micros(offset) }
    }
    fn record(bytes: usize) -> Waiting {
        waiting(0, bytes)
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

    #[test]
    fn one_is_taken_out_of_the_midst_and_the_oldest_is_known() {
        let mut room = WaitingRoom::default();
        assert_eq!(room.oldest(), None);
        (1..=3).for_each(|offset| assert!(room.wait("a", waiting(offset, 1), 9).is_ok()));
        assert!(room.wait("b", waiting(9, 1), 9).is_ok());
        assert_eq!(room.take_one("a", |record| record.offset == 9), None, "it stands in another queue");
        assert_eq!(room.take_one("a", |record| record.offset == 2), Some(waiting(2, 1)));
        assert_eq!(room.queue("a").map(|waiting| waiting.record.offset).collect::<Vec<_>>(), [1, 3]);
        assert_eq!((room.oldest(), room.len()), (Some(Timestamp::from_micros(1)), 3));
        room.take("a");
        assert_eq!(room.take_one("b", |_| true), Some(waiting(9, 1)));
        assert_eq!(room, WaitingRoom { next: 4, ..WaitingRoom::default() });
    }
}
