//! The waiting room: records that came before what they need, in order, bounded.
//! It keeps them and hands them back; what they wait for, and by what name they are asked for, is the role's.

use crate::role::RawRecord;
use domain::SmolStr;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Records that wait in queues, each under a name of the role's own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WaitingRoom {
    next: u64,
    queues: BTreeMap<SmolStr, BTreeMap<u64, RawRecord>>,
    count: usize,
}

impl WaitingRoom {
    /// Lets a record wait at the end of a queue; hands it back when `limit` records wait already.
    pub fn wait(&mut self, queue: &str, record: RawRecord, limit: usize) -> Result<(), Box<RawRecord>> {
        if self.count >= limit {
            return Err(Box::new(record));
        }
        self.queues.entry(SmolStr::new(queue)).or_default().insert(self.next, record);
        self.next += 1;
        self.count += 1;
        Ok(())
    }
    /// Every record of a queue, in the order in which they came.
    pub fn take(&mut self, queue: &str) -> Vec<RawRecord> {
        let taken: Vec<_> = self.queues.remove(queue).map(|records| records.into_values().collect()).unwrap_or_default();
        self.count -= taken.len();
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
