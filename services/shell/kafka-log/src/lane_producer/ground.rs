//! What a lane's commits stand on: a transactional client, the lane's progress, time. The real one is made of
//! rdkafka; a simulation brings one that fails as brokers do. Decides nothing: the policy does.

use super::Outcome;
use crate::errors::{CommitError, ProbeError};
use crate::message::{Message, TopicName};
use crate::progress_tail::{DoneStep, ProgressProbe};
use crate::settings::KafkaSettings;
use crate::transaction::TransactionalClient;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A record as the last that a transaction wrote to a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The topic.
    pub topic: TopicName,
    /// The partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
}

/// One transactional client; used up by the first failure. Every failure is told as fenced, never, or interrupted.
pub trait Transactions {
    /// Connects, so that [`Transactions::init`] is quick. Fences nobody; may fail in silence.
    fn warm_up(&self, topics: &[TopicName]);
    /// Fences every earlier client with this id and waits until its transactions are decided.
    ///
    /// # Errors
    /// Whatever kept it from that within `limit`.
    fn init(&mut self, limit: Duration) -> Result<(), CommitError>;
    /// Lets the client tell what it has to tell.
    fn serve(&self);
    /// Whether a connection broke since `init`.
    fn saw_errors(&self) -> bool;
    /// Begins a transaction.
    ///
    /// # Errors
    /// What the client says.
    fn begin(&self) -> Result<(), CommitError>;
    /// Sends messages and waits until all are acknowledged.
    ///
    /// # Errors
    /// The first that could not be delivered.
    fn acknowledged(&self, messages: &[Message]) -> Result<(), CommitError>;
    /// Commits the transaction, again within the budget where that may help.
    ///
    /// # Errors
    /// The last answer; the transaction may be committed all the same.
    fn end(&self, budget: Duration) -> Result<(), CommitError>;
    /// What the transaction has written, as far as it was acknowledged.
    fn written(&self) -> Vec<Written>;
    /// Ends an unfinished transaction, so that readers need not wait out its time-out. The client is used up: a late
    /// abort could hit the next transaction.
    fn abort_and_drop(self, limit: Duration);
}

/// Where a lane's commits are made.
pub trait Ground {
    /// Its clients.
    type Client: Transactions;
    /// A new client of the lane's id; contacts nobody yet.
    ///
    /// # Errors
    /// When none can be made of the settings.
    fn client(&self) -> Result<Self::Client, CommitError>;
    /// Time since some fixed moment.
    fn elapsed(&self) -> Duration;
    /// Waits so long.
    fn sleep(&self, span: Duration);
    /// Whether nobody wants the lane's producer any more.
    fn is_abandoned(&self) -> bool;
    /// See [`ProgressProbe::last_done`].
    ///
    /// # Errors
    /// See there.
    fn last_done(&mut self) -> Result<Option<DoneStep>, ProbeError>;
    /// See [`ProgressProbe::stable_ends`].
    ///
    /// # Errors
    /// See there.
    fn stable_ends(&mut self, partitions: &[(TopicName, i32)]) -> Result<Vec<i64>, ProbeError>;
    /// Tells the lane what became of its orders.
    fn tell(&mut self, outcome: Outcome);
}

/// The brokers of the settings.
pub(super) struct Brokers {
    pub(super) settings: KafkaSettings,
    pub(super) id: String,
    pub(super) probe: Box<dyn ProgressProbe>,
    pub(super) tell: Box<dyn FnMut(Outcome) + Send>,
    pub(super) abandoned: Arc<AtomicBool>,
    pub(super) started: Instant,
}

impl Ground for Brokers {
    type Client = TransactionalClient;

    fn client(&self) -> Result<TransactionalClient, CommitError> {
        TransactionalClient::new(&self.settings, &self.id, Arc::clone(&self.abandoned))
    }
    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
    fn sleep(&self, span: Duration) {
        std::thread::sleep(span);
    }
    fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Relaxed)
    }
    fn last_done(&mut self) -> Result<Option<DoneStep>, ProbeError> {
        self.probe.last_done()
    }
    fn stable_ends(&mut self, partitions: &[(TopicName, i32)]) -> Result<Vec<i64>, ProbeError> {
        self.probe.stable_ends(partitions)
    }
    fn tell(&mut self, outcome: Outcome) {
        (self.tell)(outcome);
    }
}
