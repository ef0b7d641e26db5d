//! The waiting room: records that came before what they need, in order, bounded.
//! It keeps them and hands them back; what they wait for is the role's.

use crate::role::RawRecord;
use domain::SmolStr;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Records that wait, each under the name of what it needs (an instrument, a portfolio's policy, a rate).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WaitingRoom {
    next: u64,
    by_need: BTreeMap<SmolStr, BTreeMap<u64, RawRecord>>,
    count: usize,
}

impl WaitingRoom {
    /// Lets a record wait for `need`; hands it back when `limit` records wait already.
    pub fn wait(&mut self, need: &str, record: RawRecord, limit: usize) -> Result<(), Box<RawRecord>> {
        if self.count >= limit {
            return Err(Box::new(record));
        }
        self.by_need.entry(SmolStr::new(need)).or_default().insert(self.next, record);
        self.next += 1;
        self.count += 1;
        Ok(())
    }
    /// Every record that waits for `need`, in the order in which they came.
    pub fn take(&mut self, need: &str) -> Vec<RawRecord> {
        let taken: Vec<_> = self.by_need.remove(need).map(|records| records.into_values().collect()).unwrap_or_default();
        self.count -= taken.len();
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
