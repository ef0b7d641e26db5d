//! The waiting room: records that came before what they need, in order, bounded as a whole and for each owner,
//! so that none takes the room of all others.
//! It keeps them and hands them back; what they wait for, and by what name they are asked for, is the role's.

use crate::role::RawRecord;
use domain::{PortfolioId, SmolStr, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Bytes of records that may wait: they stand in the part of an image that every checkpoint holds.
const MOST_BYTES: usize = 32 * 1024 * 1024;
/// Bytes of one owner's records.
const OWNERS_BYTES: usize = MOST_BYTES / 4;

/// How many records may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of all owners.
    pub all: usize,
    /// Of one owner.
    pub owner: usize,
}

/// Why a record may not wait; it is handed back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Full {
    /// Whose room is full.
    pub room: Room,
    /// What it is full of.
    pub of: Measure,
    /// The record.
    pub waiting: Box<Waiting>,
}

/// Whose room is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// That of all: nothing more may wait.
    All,
    /// Its owner's.
    Owner,
}

/// What a room is full of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// So many records wait, as many as may.
    Records(usize),
    /// The records that wait have so many bytes, and with the one that came they would have more than may wait.
    Bytes {
        /// Of those that wait.
        held: usize,
        /// The most that may.
        most: usize,
    },
}

/// What waits, of all or of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Load {
    count: usize,
    bytes: usize,
}

impl Load {
    fn add(&mut self, waiting: &Waiting) {
        self.count += 1;
        self.bytes += waiting.record.bytes();
    }
    fn remove(&mut self, waiting: &Waiting) {
        self.count -= 1;
        self.bytes -= waiting.record.bytes();
    }
    /// What leaves no room for a record more; `None` where it has room.
    fn full(&self, waiting: &Waiting, count: usize, most: usize) -> Option<Measure> {
        if self.count >= count {
            return Some(Measure::Records(self.count));
        }
        (self.bytes + waiting.record.bytes() > most).then_some(Measure::Bytes { held: self.bytes, most })
    }
}

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

/// Records that wait in queues, each under a name of the role's own; an owner may have several.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WaitingRoom {
    next: u64,
    queues: BTreeMap<SmolStr, BTreeMap<u64, Waiting>>,
    owners: BTreeMap<SmolStr, Load>,
    all: Load,
}

impl WaitingRoom {
    /// Lets a record that has come wait at the end of a queue; hands it back when as many, or too many bytes, wait
    /// already.
    pub fn wait(&mut self, owner: &str, queue: &str, waiting: Waiting, limits: Limits) -> Result<(), Full> {
        let owners = self.of(owner).full(&waiting, limits.owner, OWNERS_BYTES).map(|of| (Room::Owner, of));
        let full = owners.or_else(|| self.all.full(&waiting, limits.all, MOST_BYTES).map(|of| (Room::All, of)));
        if let Some((room, of)) = full {
            return Err(Full { room, of, waiting: Box::new(waiting) });
        }
        self.wait_on(owner, queue, waiting);
        Ok(())
    }
    /// Lets a record that was taken out wait on at the end of a queue: the room that it had is not refused to it.
    pub fn wait_on(&mut self, owner: &str, queue: &str, waiting: Waiting) {
        self.all.add(&waiting);
        self.owners.entry(SmolStr::new(owner)).or_default().add(&waiting);
        self.queues.entry(SmolStr::new(queue)).or_default().insert(self.next, waiting);
        self.next += 1;
    }
    /// Every record of an owner's queue, in the order in which they came.
    pub fn take(&mut self, owner: &str, queue: &str) -> Vec<Waiting> {
        let taken: Vec<_> = self.queues.remove(queue).map(|records| records.into_values().collect()).unwrap_or_default();
        taken.iter().for_each(|waiting| self.count_out(owner, waiting));
        taken
    }
    /// Takes one record out of the midst of an owner's queue.
    pub fn take_one(&mut self, owner: &str, queue: &str, is: impl Fn(&RawRecord) -> bool) -> Option<Waiting> {
        let records = self.queues.get_mut(queue)?;
        let number = records.iter().find(|(_, waiting)| is(&waiting.record)).map(|(number, _)| *number)?;
        let taken = records.remove(&number)?;
        if records.is_empty() {
            self.queues.remove(queue);
        }
        self.count_out(owner, &taken);
        Some(taken)
    }
    fn count_out(&mut self, owner: &str, waiting: &Waiting) {
        self.all.remove(waiting);
        let load = self.owners.get_mut(owner).expect("who takes a record out is its owner");
        load.remove(waiting);
        if load.count == 0 {
            self.owners.remove(owner);
        }
    }
    fn of(&self, owner: &str) -> Load {
        self.owners.get(owner).copied().unwrap_or_default()
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
        self.all.count
    }
    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.all.count == 0
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

    fn full(room: Room, of: Measure, waiting: Waiting) -> Result<(), Full> {
        Err(Full { room, of, waiting: Box::new(waiting) })
    }

    fn few(all: usize, owner: usize) -> Limits {
        Limits { all, owner }
    }

    #[test]
    fn it_is_full_by_count_and_by_bytes_and_empties_again() {
        let mut room = WaitingRoom::default();
        assert!(room.wait("p", "a", record(1), few(2, 2)).is_ok() && room.wait("q", "b", record(1), few(2, 2)).is_ok());
        assert_eq!(room.wait("p", "a", record(1), few(2, 2)), full(Room::All, Measure::Records(2), record(1)));
        assert_eq!((room.take("p", "a").len(), room.take("q", "b").len(), room.len()), (1, 1, 0));
        let owners = ["p", "q", "r", "s"];
        owners.iter().for_each(|owner| assert!(room.wait(owner, owner, record(OWNERS_BYTES), few(9, 9)).is_ok()));
        let bytes = Measure::Bytes { held: MOST_BYTES, most: MOST_BYTES };
        assert_eq!(room.wait("t", "t", record(1), few(9, 9)), full(Room::All, bytes, record(1)));
        room.take("q", "q");
        assert!(room.wait("t", "t", record(OWNERS_BYTES), few(9, 9)).is_ok());
    }

    #[test]
    fn an_owner_fills_its_own_share_by_count_and_by_bytes_over_all_its_queues() {
        let mut room = WaitingRoom::default();
        assert!(room.wait("p", "a", record(1), few(9, 2)).is_ok() && room.wait("p", "b", record(1), few(9, 2)).is_ok());
        assert_eq!(room.wait("p", "c", record(1), few(9, 2)), full(Room::Owner, Measure::Records(2), record(1)));
        assert!(room.wait("q", "d", record(1), few(9, 2)).is_ok());
        assert_eq!(["p", "q", "r"].map(|owner| room.of(owner).count), [2, 1, 0]);
        // What had its room keeps it, even where the limit has shrunk meanwhile.
        room.take("p", "a").into_iter().for_each(|waiting| room.wait_on("p", "b", waiting));
        assert!(room.take_one("p", "b", |_| true).is_some());
        assert!(room.wait("p", "a", record(OWNERS_BYTES - 1), few(9, 2)).is_ok(), "to the last byte");
        assert!(room.take_one("p", "b", |_| true).is_some());
        let bytes = Measure::Bytes { held: OWNERS_BYTES - 1, most: OWNERS_BYTES };
        assert_eq!(room.wait("p", "b", record(2), few(9, 9)), full(Room::Owner, bytes, record(2)));
        assert!(room.wait("p", "b", record(1), few(9, 9)).is_ok());
    }

    #[test]
    fn one_is_taken_out_of_the_midst_and_the_oldest_is_known() {
        let mut room = WaitingRoom::default();
        assert_eq!(room.oldest(), None);
        (1..=3).for_each(|offset| assert!(room.wait("p", "a", waiting(offset, 1), few(9, 9)).is_ok()));
        assert!(room.wait("q", "b", waiting(9, 1), few(9, 9)).is_ok());
        assert_eq!(room.take_one("p", "a", |record| record.offset == 9), None, "it stands in another queue");
        assert_eq!(room.take_one("p", "a", |record| record.offset == 2), Some(waiting(2, 1)));
        assert_eq!(room.queue("a").map(|waiting| waiting.record.offset).collect::<Vec<_>>(), [1, 3]);
        assert_eq!((room.oldest(), room.len()), (Some(Timestamp::from_micros(1)), 3));
        room.take("p", "a");
        assert_eq!(room.take_one("q", "b", |_| true), Some(waiting(9, 1)));
        assert_eq!(room, WaitingRoom { next: 4, ..WaitingRoom::default() });
    }
}
