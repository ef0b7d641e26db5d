//! One partition of the log in memory: its records, what is decided of them, and how far a reader comes.

use crate::stored::StoredRecord;
use domain::SmolStr;
use std::collections::BTreeMap;

/// What became of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// Committed, or written outside transactions.
    Visible,
    /// In the transaction of this id, which has no marker here yet.
    Open(SmolStr),
    /// Its transaction was aborted.
    Aborted,
}

#[derive(Debug)]
struct Slot {
    record: StoredRecord,
    fate: Fate,
}

/// A partition.
#[derive(Debug, Default)]
pub(super) struct Partition {
    slots: Vec<Slot>,
    /// First offset that is still held.
    pub(super) start: i64,
    /// Offset of the next record or marker.
    pub(super) end: i64,
    /// First offset of each transaction that has no marker here.
    open: BTreeMap<SmolStr, i64>,
}

impl Partition {
    pub(super) fn push(&mut self, record: StoredRecord, fate: Fate) {
        if let Fate::Open(id) = &fate {
            self.open.entry(id.clone()).or_insert(record.offset);
        }
        self.end = record.offset + 1;
        self.slots.push(Slot { record, fate });
    }

    /// Writes a marker: all that stands here of the id's transaction is decided.
    pub(super) fn mark(&mut self, id: &SmolStr, commit: bool) {
        self.end += 1;
        let Some(first) = self.open.remove(id) else { return };
        let from = self.slots.partition_point(|slot| slot.record.offset < first);
        let open = Fate::Open(id.clone());
        for slot in self.slots[from..].iter_mut().filter(|slot| slot.fate == open) {
            slot.fate = if commit { Fate::Visible } else { Fate::Aborted };
        }
    }

    pub(super) fn stable_end(&self) -> i64 {
        self.open.values().copied().min().unwrap_or(self.end)
    }

    pub(super) fn trim(&mut self, below: i64) {
        self.start = self.start.max(below.min(self.stable_end()));
        let start = self.start;
        self.slots.retain(|slot| slot.record.offset >= start);
    }

    pub(super) fn all(&self, from: i64) -> impl Iterator<Item = &StoredRecord> {
        let at = self.slots.partition_point(|slot| slot.record.offset < from);
        self.slots[at..].iter().map(|slot| &slot.record)
    }

    pub(super) fn committed(&self, from: i64, to: i64) -> impl Iterator<Item = &StoredRecord> {
        let to = to.min(self.stable_end());
        let at = self.slots.partition_point(|slot| slot.record.offset < from);
        let below = self.slots[at..].iter().take_while(move |slot| slot.record.offset < to);
        below.filter(|slot| slot.fate == Fate::Visible).map(|slot| &slot.record)
    }

    /// The first committed records from an offset on, and where a reader stands behind them: past the markers too,
    /// once it has come to the end.
    pub(super) fn some(&self, from: i64, most: usize) -> (Vec<StoredRecord>, i64) {
        let mut rest = self.committed(from, i64::MAX);
        let records: Vec<_> = rest.by_ref().take(most).cloned().collect();
        let next = if rest.next().is_none() && most > 0 { self.stable_end() } else { records.last().map_or(from, |r| r.offset + 1) };
        (records, next.max(from))
    }
}
