//! Fills and cash that came too early. A portfolio's records wait in one queue, so that its order of
//! booking stays the order of its log; the queue is named by what its head needs. Cancels and corrections
//! that came before their execution wait apart: they hold nobody up.

use crate::book::Need;
use domain::{PortfolioId, SmolStr};
use engine::RawRecord;
use engine::waiting::WaitingRoom;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Queue {
    need: Need,
    length: i32,
}

/// The queues.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Waits {
    room: WaitingRoom,
    queues: BTreeMap<PortfolioId, Queue>,
    by_need: BTreeMap<Need, BTreeSet<PortfolioId>>,
    /// Executions that are awaited by their portfolios, with the number of records that name each.
    named: BTreeMap<PortfolioId, BTreeMap<(SmolStr, SmolStr), i32>>,
}

/// Under what name records wait for an execution; ids have no control characters.
fn room_of(portfolio: &PortfolioId, source: &str, id: &str) -> SmolStr {
    SmolStr::new(format!("{portfolio}\n{source}\n{id}"))
}

impl Waits {
    /// What the head of a portfolio's queue needs; `None` where nothing waits.
    pub fn need(&self, portfolio: &PortfolioId) -> Option<&Need> {
        if self.queues.is_empty() {
            return None;
        }
        self.queues.get(portfolio).map(|queue| &queue.need)
    }
    /// How many records of a portfolio wait.
    pub fn count(&self, portfolio: &PortfolioId) -> i32 {
        let named = self.named.get(portfolio).map_or(0, |named| named.values().sum());
        named + self.queues.get(portfolio).map_or(0, |queue| queue.length)
    }
    /// How many records wait.
    pub fn len(&self) -> usize {
        self.room.len()
    }
    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.room.is_empty()
    }
    /// Adds a record to a portfolio's queue; `need` is the head's where the queue is new.
    /// Hands it back when `limit` records wait already.
    pub fn wait(&mut self, portfolio: &PortfolioId, need: Need, record: RawRecord, limit: usize) -> Result<(), Box<RawRecord>> {
        if let Need::Execution(source, id) = need {
            self.room.wait(&room_of(portfolio, &source, &id), record, limit)?;
            *self.named.entry(portfolio.clone()).or_default().entry((source, id)).or_default() += 1;
            return Ok(());
        }
        self.room.wait(portfolio.as_str(), record, limit)?;
        if let Some(queue) = self.queues.get_mut(portfolio) {
            queue.length += 1;
        } else {
            self.by_need.entry(need.clone()).or_default().insert(portfolio.clone());
            self.queues.insert(portfolio.clone(), Queue { need, length: 1 });
        }
        Ok(())
    }
    /// Empties a portfolio's queue, in order.
    pub fn take(&mut self, portfolio: &PortfolioId) -> Vec<RawRecord> {
        if let Some(queue) = self.queues.remove(portfolio)
            && let Some(waiting) = self.by_need.get_mut(&queue.need)
        {
            waiting.remove(portfolio);
            if waiting.is_empty() {
                self.by_need.remove(&queue.need);
            }
        }
        self.room.take(portfolio.as_str())
    }
    /// Whether a portfolio awaits executions.
    pub fn awaits(&self, portfolio: &PortfolioId) -> bool {
        !self.named.is_empty() && self.named.contains_key(portfolio)
    }
    /// The records that name an execution, in order.
    pub fn take_named(&mut self, portfolio: &PortfolioId, source: &SmolStr, id: &SmolStr) -> Vec<RawRecord> {
        let Some(named) = self.named.get_mut(portfolio) else { return Vec::new() };
        if named.remove(&(source.clone(), id.clone())).is_none() {
            return Vec::new();
        }
        if named.is_empty() {
            self.named.remove(portfolio);
        }
        self.room.take(&room_of(portfolio, source, id))
    }
    /// Every record of a portfolio that names an execution which has not come.
    pub fn take_all_named(&mut self, portfolio: &PortfolioId) -> Vec<RawRecord> {
        let named = self.named.remove(portfolio).unwrap_or_default();
        named.keys().flat_map(|(source, id)| self.room.take(&room_of(portfolio, source, id))).collect()
    }
    /// The portfolios whose head needs that, ascending.
    pub fn waiting_for(&self, need: &Need) -> Vec<PortfolioId> {
        self.by_need.get(need).map(|set| set.iter().cloned().collect()).unwrap_or_default()
    }
    /// The rates that heads need, ascending.
    pub fn rates(&self) -> Vec<Need> {
        self.by_need.keys().filter(|need| matches!(need, Need::Rate(..))).cloned().collect()
    }
}
