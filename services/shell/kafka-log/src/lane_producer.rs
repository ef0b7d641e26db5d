//! A lane's way out: one transactional producer on its own thread, and its error policy.
//!
//! Promises that a step is reported [`Outcome::Confirmed`] only when it is visible whole, that a
//! step in doubt is looked up and otherwise sent again unchanged, and that a fenced producer never
//! fights. A client that failed, was slow to commit or lost a connection is thrown away: a late
//! EndTxn could otherwise hit the next transaction. Whoever goes on with a new client first looks which
//! step is the last visible one: another owner's means being fenced, and one that brokers in trouble
//! confirmed and do not show is sent again. It never aborts and goes on with the same client. It does not
//! know what a step means.

use crate::errors::{CommitError, SettingsError};
use crate::message::{Message, TopicName};
use crate::progress_tail::{DoneStep, ProgressProbe};
use crate::settings::KafkaSettings;
use ground::Brokers;
pub use ground::{Ground, Transactions, Written};
pub use policy::LanePolicy;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

mod ground;
mod policy;

/// How often an idle client serves its callbacks.
const IDLE_POLL: Duration = Duration::from_millis(100);

/// One step's transaction: BEGIN, acknowledged; the outputs, acknowledged; DONE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The step, as [`ProgressProbe::last_done`] tells of it once it is visible.
    pub step: DoneStep,
    /// Sent first and acknowledged before anything else.
    pub begin: Vec<Message>,
    /// Sent when BEGIN is acknowledged.
    pub outputs: Vec<Message>,
    /// Sent when all outputs are acknowledged.
    pub done: Vec<Message>,
}

/// Where the time of one commit went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommitTimings {
    /// From the first message of BEGIN to its acknowledgement.
    pub begin: Duration,
    /// The outputs, likewise.
    pub outputs: Duration,
    /// DONE, likewise.
    pub done: Duration,
    /// `commit_transaction` alone.
    pub commit: Duration,
    /// From `begin_transaction` to the commit's answer.
    pub whole: Duration,
}

/// What became of the lane's orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// `init` is done: every predecessor is fenced and its transactions are decided.
    Ready {
        /// How long it took.
        took: Duration,
    },
    /// The step is visible, whole.
    Confirmed {
        /// The step.
        sequence: u64,
        /// From its first try until it was known to be visible.
        took: Duration,
        /// The successful try's times; `None` when the progress topic told of the success.
        timings: Option<CommitTimings>,
        /// Whether the client was, or is about to be, thrown away because of this commit.
        recycled: bool,
    },
    /// A try failed; the producer goes on by itself. For metrics and readiness.
    Troubled {
        /// The step, if one was under way.
        sequence: Option<u64>,
        /// Which failure in a row it is, from 1.
        attempt: u32,
        /// What failed.
        error: CommitError,
    },
    /// A newer owner has the lane (or the brokers timed out our transaction while we were stopped).
    /// The last word of this producer: let the lane go.
    Fenced {
        /// The step that was under way; whether it is visible is the new owner's to find out.
        sequence: Option<u64>,
    },
    /// The last word of this producer: it cannot go on. Recover the lane from its progress topic.
    Failed {
        /// The step that was under way.
        sequence: Option<u64>,
        /// Why.
        error: CommitError,
    },
}

/// The pace and patience of a lane's producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneSettings {
    /// Orders that may wait: the lane computes the next step during a commit, so 1.
    pub queue: usize,
    /// From a commit's end to the next begin. Below 8 ms the coordinator is still busy with the
    /// last transaction: p99 30 ms instead of 16.
    pub pause: Duration,
    /// A commit that took longer recycles the client even when it returned Ok.
    pub slow_commit: Duration,
    /// How long `commit_transaction` is tried on one client.
    pub commit_budget: Duration,
    /// How long one `init_transactions` may take.
    pub init_limit: Duration,
    /// How long failures of one order are lived with before [`Outcome::Failed`].
    pub give_up_after: Duration,
}

impl Default for LaneSettings {
    fn default() -> Self {
        Self {
            queue: 1,
            pause: Duration::from_millis(8),
            slow_commit: Duration::from_secs(1),
            commit_budget: Duration::from_secs(15),
            init_limit: Duration::from_secs(10),
            give_up_after: Duration::from_secs(600),
        }
    }
}

/// The handle to a lane's producer thread. Dropping it abandons the thread: it gives up as soon as it can.
pub struct LaneProducer {
    id: String,
    orders: Option<SyncSender<Order>>,
    abandoned: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// A producer that was let go and has not ended yet. While it lives, it could still commit what it has
/// begun, or fence its successor: the lane must not be taken over again before it has ended.
#[derive(Debug)]
pub struct Leaving {
    thread: JoinHandle<()>,
}

impl Leaving {
    /// Whether the thread has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }
}

/// What the producer's thread does until its handle is gone or its policy ends.
fn serve(mut policy: LanePolicy<Brokers>, waiting: &Receiver<Order>) {
    policy.warm_up();
    loop {
        let done = match waiting.recv_timeout(IDLE_POLL) {
            Ok(Order::Init) => policy.take_over(),
            Ok(Order::Commit(commit)) => policy.commit(&commit),
            Err(RecvTimeoutError::Timeout) => policy.idle(),
            Err(RecvTimeoutError::Disconnected) => ControlFlow::Break(()),
        };
        if done.is_break() {
            return;
        }
    }
}

enum Order {
    Init,
    Commit(Commit),
}

impl LaneProducer {
    /// Starts the thread, connects and fetches the metadata of `topics` (so that
    /// [`LaneProducer::init`] is quick), fences nobody. `tell` is called on the thread.
    ///
    /// # Errors
    /// When no client can be made of the settings.
    pub fn spawn(
        settings: &KafkaSettings,
        lane: LaneSettings,
        transactional_id: String,
        topics: &[TopicName],
        probe: Box<dyn ProgressProbe>,
        tell: impl FnMut(Outcome) + Send + 'static,
    ) -> Result<Self, CommitError> {
        let (orders, waiting) = sync_channel(lane.queue);
        let abandoned = Arc::new(AtomicBool::new(false));
        let ground = Brokers {
            settings: settings.clone(),
            id: transactional_id.clone(),
            probe,
            tell: Box::new(tell),
            abandoned: Arc::clone(&abandoned),
            started: Instant::now(),
        };
        let policy = LanePolicy::new(ground, lane, transactional_id.clone(), topics)?;
        let named = thread::Builder::new().name(format!("lane {transactional_id}"));
        let thread = named.spawn(move || serve(policy, &waiting)).map_err(|error| SettingsError::Refused { reason: error.to_string() })?;
        Ok(Self { id: transactional_id, orders: Some(orders), abandoned, thread: Some(thread) })
    }

    /// Takes the lane over: fences every other producer with this id. Answered by
    /// [`Outcome::Ready`]. Must come before the first commit.
    ///
    /// # Errors
    /// [`CommitError::Ended`].
    pub fn init(&self) -> Result<(), CommitError> {
        self.order(Order::Init)
    }

    /// Orders a commit; waits only while the queue is full, which is the lane's back-pressure.
    ///
    /// # Errors
    /// [`CommitError::Ended`].
    pub fn commit(&self, commit: Commit) -> Result<(), CommitError> {
        self.order(Order::Commit(commit))
    }

    /// Finishes what was ordered and ends the thread. If that takes longer than `limit`, it gives up at the
    /// next step of the protocol, starts no other, and is handed back until it has ended.
    #[must_use = "the lane must not be taken over while this producer lives"]
    pub fn close(mut self, limit: Duration) -> Option<Leaving> {
        self.orders = None;
        let thread = self.thread.take()?;
        let deadline = Instant::now() + limit;
        while !thread.is_finished() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
        self.abandoned.store(true, Ordering::Relaxed);
        let leaving = Leaving { thread };
        (!leaving.has_ended()).then_some(leaving)
    }

    fn order(&self, order: Order) -> Result<(), CommitError> {
        let sent = self.orders.as_ref().map(|orders| orders.send(order));
        if matches!(sent, Some(Ok(()))) { Ok(()) } else { Err(self.ended()) }
    }

    fn ended(&self) -> CommitError {
        CommitError::Ended { transactional_id: self.id.clone() }
    }
}

impl Drop for LaneProducer {
    fn drop(&mut self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }
}
