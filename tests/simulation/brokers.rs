//! The way to the brokers and back: how long a request takes, when it does not come through, and what brokers do by
//! themselves, as writing markers and losing patience with open transactions.

use crate::faults::Fault;
use crate::stage::Hand;
use crate::world::World;
use ballast::messages::OutMessage;
use domain::{SmolStr, Topic};
use kafka_log::{Message, Partition};
use std::rc::Rc;
use std::time::Duration;

/// How long brokers keep a transaction open.
const TRANSACTION_LIMIT: Duration = Duration::from_secs(15);

/// How a request came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// At once.
    Well,
    /// After the connection was lost and found again.
    Again,
    /// Not within the limit.
    Never,
}

impl Hand<'_> {
    /// Goes to the brokers, waiting for them up to `limit`.
    pub fn reach(&self, limit: Duration) -> Reached {
        self.latency(100, 900);
        if self.world.strikes(Fault::BrokerSlow) {
            self.latency(20_000, 2_500_000);
        }
        let from = self.world.now();
        let mut reached = Reached::Well;
        while self.world.now() < self.world.down_until.get() {
            reached = Reached::Again;
            if self.world.now() - from >= limit {
                return Reached::Never;
            }
            self.latency(100_000, 300_000);
        }
        reached
    }
}

impl World {
    /// The brokers go away for some seconds.
    pub fn brokers_restart(&self) {
        let span = Duration::from_millis(self.chance.between("brokers.away", 300, 9_000));
        self.down_until.set(self.now() + span);
    }

    /// An id begins a transaction: brokers abort it when it stays open too long.
    pub fn transaction_begins(&self, id: &SmolStr) {
        let serial = self.next_transaction(id);
        let id = id.clone();
        self.agenda.borrow_mut().after(TRANSACTION_LIMIT, move |world| {
            let same = world.transactions.borrow().get(&id) == Some(&serial);
            if same && world.log.time_out(&id) {
                world.aborted(&id);
                world.note("branch", "transaction-timed-out", || format!("the brokers abort the transaction of {id}"));
                world.markers_follow(&id, false);
            }
        });
    }
    /// An id's transaction was decided.
    pub fn next_transaction(&self, id: &SmolStr) -> u64 {
        let mut transactions = self.transactions.borrow_mut();
        let serial = transactions.entry(id.clone()).or_default();
        *serial += 1;
        *serial
    }

    /// An id's transaction is aborted. Where a marker of its last one was lost, that one's records are aborted with it:
    /// brokers that lose a marker, and then see the step that is sent again fail, take back what they had confirmed.
    pub fn aborted(&self, id: &SmolStr) {
        if self.hung.borrow_mut().remove(id) {
            self.taken_back.set(true);
            self.note("branch", "brokers-took-back-a-commit", || id.to_string());
        }
    }

    /// The markers of an id's decided transaction are written, one after the other. Some may get lost where `lossy`.
    pub fn markers_follow(self: &Rc<Self>, id: &SmolStr, lossy: bool) {
        let most = if self.strikes(Fault::MarkerSlow) { 2_600_000 } else { 1_500 };
        let span = Duration::from_micros(self.chance.between("marker", 50, most));
        let id = id.clone();
        self.agenda.borrow_mut().after(span, move |world| {
            if !world.log.lacks_markers(&id) {
                return;
            }
            let lost = lossy && world.strikes(Fault::MarkerLost);
            if lost {
                world.hung.borrow_mut().insert(id.clone());
            }
            if world.log.write_marker(&id, lost) {
                world.markers_follow(&id, lossy);
            }
        });
    }
}

/// A message as the log keeps it.
pub fn out_message(message: &Message) -> OutMessage {
    let name = message.topic.as_str();
    let topic = match name.strip_suffix(".dlq") {
        Some(input) => Topic::from_name(input).expect("a lane writes to topics of the service").dead_letters(),
        None => Topic::from_name(name).expect("a lane writes to topics of the service").name(),
    };
    let Partition::Exactly(partition) = message.partition else { panic!("a lane says which partition") };
    let headers = message.headers.iter().map(|(name, value)| (SmolStr::new(name), value.clone())).collect();
    OutMessage { topic, partition, key: message.key.clone(), value: message.value.clone(), headers }
}

/// A message as a producer takes it.
pub fn message(from: OutMessage) -> Message {
    let headers = from.headers.into_iter().map(|(name, value)| (name.as_str().into(), value)).collect();
    Message {
        topic: from.topic.into(),
        partition: Partition::Exactly(from.partition),
        key: from.key,
        value: from.value,
        headers,
        timestamp: None,
    }
}
