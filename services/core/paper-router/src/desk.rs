//! The orders at work, by id and by instrument, and the ids of those that are finished.

use domain::order::Order;
use domain::{InstrumentId, OrderId, Quantity, SmolStr, Timestamp};
use engine::ImageError;
use engine::image;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// An order at work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Working {
    /// The order.
    pub order: Order,
    /// Its place in the order of arrival.
    pub arrival: u64,
    /// Whether it was acknowledged: before that it is not executed.
    pub acknowledged: bool,
    /// Executions so far.
    pub executions: u32,
    /// Units executed so far.
    pub cum_qty: Quantity,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum Entity {
    Working(Box<Working>),
    /// When its id may be forgotten.
    Finished(Timestamp),
}

/// All orders that the router knows.
#[derive(Debug, Default)]
pub struct Desk {
    arrivals: u64,
    working: BTreeMap<OrderId, Working>,
    finished: BTreeMap<OrderId, Timestamp>,
    // Derived from the two maps above.
    queues: BTreeMap<InstrumentId, BTreeMap<u64, OrderId>>,
    forgetting: BTreeSet<(Timestamp, OrderId)>,
    dirty: BTreeSet<OrderId>,
}

impl Desk {
    /// The order of an id, while it is at work.
    pub fn working(&self, id: OrderId) -> Option<&Working> {
        self.working.get(&id)
    }
    /// The order of an id, to change it.
    pub fn working_mut(&mut self, id: OrderId) -> Option<&mut Working> {
        self.dirty.insert(id);
        self.working.get_mut(&id)
    }
    /// Whether the id is at work or finished.
    pub fn knows(&self, id: OrderId) -> bool {
        self.working.contains_key(&id) || self.finished.contains_key(&id)
    }
    /// Takes a new order in.
    pub fn take_in(&mut self, order: &Order) {
        let arrival = self.arrivals;
        self.arrivals += 1;
        let working = Working { order: order.clone(), arrival, acknowledged: false, executions: 0, cum_qty: Quantity::ZERO };
        self.dirty.insert(order.order_id);
        self.queue(&working);
        self.working.insert(order.order_id, working);
    }
    /// Ends an order, at work or never seen: its id is known until `forget_at`.
    pub fn finish(&mut self, id: OrderId, forget_at: Timestamp) -> Option<Working> {
        self.dirty.insert(id);
        self.finished.insert(id, forget_at);
        self.forgetting.insert((forget_at, id));
        let working = self.working.remove(&id)?;
        if let Some(queue) = self.queues.get_mut(&working.order.instrument_id) {
            queue.remove(&working.arrival);
            if queue.is_empty() {
                self.queues.remove(&working.order.instrument_id);
            }
        }
        Some(working)
    }
    /// Orders at work in an instrument, as they came.
    pub fn queue_of(&self, instrument: &InstrumentId) -> Vec<OrderId> {
        self.queues.get(instrument).map(|queue| queue.values().copied().collect()).unwrap_or_default()
    }
    /// Forgets finished ids whose time is past.
    pub fn forget(&mut self, now: Timestamp) {
        while let Some((at, id)) = self.forgetting.first().copied().filter(|(at, _)| *at < now) {
            self.forgetting.remove(&(at, id));
            self.finished.remove(&id);
            self.dirty.insert(id);
        }
    }
    /// How many orders are at work, and how many finished ones are remembered.
    pub fn len(&self) -> (usize, usize) {
        (self.working.len(), self.finished.len())
    }

    fn queue(&mut self, working: &Working) {
        let queue = self.queues.entry(working.order.instrument_id.clone()).or_default();
        queue.insert(working.arrival, working.order.order_id);
    }
}

impl Desk {
    /// How many orders have come.
    pub fn arrivals(&self) -> u64 {
        self.arrivals
    }
    /// Takes that count over from an image.
    pub fn restore_arrivals(&mut self, arrivals: u64) {
        self.arrivals = arrivals;
    }
    /// Ids at work or finished, in their order.
    pub fn entity_keys(&self) -> Vec<SmolStr> {
        let ids: BTreeSet<_> = self.working.keys().chain(self.finished.keys()).collect();
        ids.into_iter().map(key).collect()
    }
    /// One order as bytes.
    pub fn entity(&self, key: &str) -> Option<Vec<u8>> {
        let id: OrderId = key.parse().ok()?;
        let entity = match (self.working.get(&id), self.finished.get(&id)) {
            (Some(working), _) => Entity::Working(Box::new(working.clone())),
            (None, Some(forget_at)) => Entity::Finished(*forget_at),
            (None, None) => return None,
        };
        Some(image::to_bytes(&entity))
    }
    /// Takes one order over from an image.
    pub fn restore_entity(&mut self, key: &str, bytes: &[u8]) -> Result<(), ImageError> {
        let id: OrderId = key.parse().map_err(|why| ImageError::new(format!("order {key:?}"), why))?;
        match image::from_bytes(key, bytes)? {
            Entity::Working(working) => {
                self.queue(&working);
                self.working.insert(id, *working);
            }
            Entity::Finished(forget_at) => {
                self.finished.insert(id, forget_at);
                self.forgetting.insert((forget_at, id));
            }
        }
        Ok(())
    }
    /// Ids that have changed since they were taken last.
    pub fn take_dirty(&mut self) -> Vec<SmolStr> {
        std::mem::take(&mut self.dirty).iter().map(key).collect()
    }
}

/// Lower-case and hyphenated: texts stand in the order of the ids.
fn key(id: &OrderId) -> SmolStr {
    SmolStr::new(id.to_string())
}
