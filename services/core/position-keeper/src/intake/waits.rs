//! Fills and cash that came too early. A portfolio's records wait in one queue, so that its order of
//! booking stays the order of its log; the queue is named by what its head needs. Cancels and corrections
//! that came before their execution, and reversals that came before their entry, wait apart: they hold nobody up.

use crate::book::Need;
use crate::book::entry::Source;
use domain::{PortfolioId, SmolStr, Timestamp};
use engine::RawRecord;
use engine::waiting::{Full, Limits, Waiter, Waiting, WaitingRoom};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Queue {
    need: Need,
    length: i32,
}

/// A record that was taken out of where it waited.
pub struct Taken {
    /// The record.
    pub waiting: Waiting,
    /// What it, or who stood before it, waited for.
    pub need: Need,
    /// Whether others stood before it.
    pub is_behind: bool,
}

/// The queues.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Waits {
    room: WaitingRoom,
    queues: BTreeMap<PortfolioId, Queue>,
    by_need: BTreeMap<Need, BTreeSet<PortfolioId>>,
    /// Executions and entries that are awaited by their portfolios, with the number of records that name each.
    named: BTreeMap<PortfolioId, BTreeMap<Need, i32>>,
}

/// The queue of a portfolio in which a record that needs that waits.
fn queue_of(portfolio: &PortfolioId, need: &Need) -> SmolStr {
    // Ids have no control characters.
    match need {
        Need::Execution(source, id) => SmolStr::new(format!("{portfolio}\n{source}\n{id}")),
        Need::Entry(source, id) => SmolStr::new(format!("{portfolio}\n{source}\n{id}\n")),
        _ => SmolStr::new(portfolio.as_str()),
    }
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
    /// Adds a record that has come to a portfolio's queue; `need` is the head's where the queue is new.
    /// Hands it back when as many wait already.
    pub fn wait(&mut self, portfolio: &PortfolioId, need: Need, waiting: Waiting, limits: Limits) -> Result<(), Full> {
        self.room.wait(portfolio.as_str(), &queue_of(portfolio, &need), waiting, limits)?;
        self.count_in(portfolio, need);
        Ok(())
    }
    /// Adds a record that was taken out again.
    pub fn wait_on(&mut self, portfolio: &PortfolioId, need: Need, waiting: Waiting) {
        self.room.wait_on(portfolio.as_str(), &queue_of(portfolio, &need), waiting);
        self.count_in(portfolio, need);
    }
    fn count_in(&mut self, portfolio: &PortfolioId, need: Need) {
        if need.is_named() {
            *self.named.entry(portfolio.clone()).or_default().entry(need).or_default() += 1;
        } else if let Some(queue) = self.queues.get_mut(portfolio) {
            queue.length += 1;
        } else {
            self.by_need.entry(need.clone()).or_default().insert(portfolio.clone());
            self.queues.insert(portfolio.clone(), Queue { need, length: 1 });
        }
    }
    /// Empties a portfolio's queue, in order.
    pub fn take(&mut self, portfolio: &PortfolioId) -> Vec<Waiting> {
        self.forget_queue(portfolio);
        self.room.take(portfolio.as_str(), portfolio.as_str())
    }
    fn forget_queue(&mut self, portfolio: &PortfolioId) {
        if let Some(queue) = self.queues.remove(portfolio)
            && let Some(waiting) = self.by_need.get_mut(&queue.need)
        {
            waiting.remove(portfolio);
            if waiting.is_empty() {
                self.by_need.remove(&queue.need);
            }
        }
    }
    /// Takes one record of a portfolio out.
    pub fn take_one(&mut self, portfolio: &PortfolioId, place: Source) -> Option<Taken> {
        let is = |record: &RawRecord| Source::from(record) == place;
        let is_behind = !self.room.queue(portfolio.as_str()).next().is_some_and(|head| is(&head.record));
        if let Some(waiting) = self.room.take_one(portfolio.as_str(), portfolio.as_str(), is) {
            let queue = self.queues.get_mut(portfolio)?;
            queue.length -= 1;
            let (need, empty) = (queue.need.clone(), queue.length == 0);
            if empty {
                self.forget_queue(portfolio);
            }
            return Some(Taken { waiting, need, is_behind });
        }
        let mut awaited = self.named.get(portfolio)?.keys().cloned();
        let (waiting, need) =
            awaited.find_map(|need| Some((self.room.take_one(portfolio.as_str(), &queue_of(portfolio, &need), is)?, need)))?;
        self.count_out(portfolio, &need);
        // Each of them awaits what it names itself.
        Some(Taken { waiting, need, is_behind: false })
    }
    fn count_out(&mut self, portfolio: &PortfolioId, need: &Need) {
        let Some(named) = self.named.get_mut(portfolio) else { return };
        if let Some(count) = named.get_mut(need) {
            *count -= 1;
            if *count == 0 {
                named.remove(need);
            }
        }
        if named.is_empty() {
            self.named.remove(portfolio);
        }
    }
    /// Since when the oldest record waits.
    pub fn oldest(&self) -> Option<Timestamp> {
        self.room.oldest()
    }
    /// The records that have held others up, or awaited what they name, for longest; at most `most`, oldest first.
    pub fn waiters(&self, most: usize) -> Vec<Waiter> {
        let queues = self.queues.iter().map(|(portfolio, queue)| (portfolio, queue.need.clone()));
        let named = self.named.iter().flat_map(|(portfolio, named)| named.keys().map(move |need| (portfolio, need.clone())));
        let mut heads: Vec<_> = queues
            .chain(named)
            .filter_map(|(portfolio, need)| {
                let mut queue = self.room.queue(&queue_of(portfolio, &need));
                let head = queue.next()?;
                Some((head.since, head, portfolio, need, queue.count()))
            })
            .collect();
        heads.sort_by_key(|(since, head, ..)| (*since, head.record.topic, head.record.partition, head.record.offset));
        heads.truncate(most);
        let waiter = |(since, head, portfolio, need, behind): (Timestamp, &Waiting, &PortfolioId, Need, usize)| Waiter {
            place: (head.record.topic, head.record.partition, head.record.offset),
            portfolio: portfolio.clone(),
            since,
            need: need.to_string(),
            behind,
        };
        heads.into_iter().map(waiter).collect()
    }
    /// Whether a portfolio awaits executions or entries.
    pub fn awaits(&self, portfolio: &PortfolioId) -> bool {
        !self.named.is_empty() && self.named.contains_key(portfolio)
    }
    /// The records that name what is needed, in order.
    pub fn take_named(&mut self, portfolio: &PortfolioId, need: &Need) -> Vec<Waiting> {
        let Some(named) = self.named.get_mut(portfolio) else { return Vec::new() };
        if named.remove(need).is_none() {
            return Vec::new();
        }
        if named.is_empty() {
            self.named.remove(portfolio);
        }
        self.room.take(portfolio.as_str(), &queue_of(portfolio, need))
    }
    /// Every record of a portfolio that names one which has not come.
    pub fn take_all_named(&mut self, portfolio: &PortfolioId) -> Vec<Waiting> {
        let named = self.named.remove(portfolio).unwrap_or_default();
        named.keys().flat_map(|need| self.room.take(portfolio.as_str(), &queue_of(portfolio, need))).collect()
    }
    /// The portfolios whose head needs that, ascending.
    pub fn waiting_for(&self, need: &Need) -> Vec<PortfolioId> {
        self.by_need.get(need).map(|set| set.iter().cloned().collect()).unwrap_or_default()
    }
    /// The rates and prices that heads need, ascending.
    pub fn quotes(&self) -> Vec<Need> {
        self.by_need.keys().filter(|need| matches!(need, Need::Rate(..) | Need::Price(_))).cloned().collect()
    }
}
