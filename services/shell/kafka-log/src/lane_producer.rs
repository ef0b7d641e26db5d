//! A lane's way out: one transactional producer on its own thread, and its error policy.
//!
//! Promises that a step is reported [`Outcome::Confirmed`] only when it is visible whole, that a
//! step in doubt is looked up and otherwise sent again unchanged, and that a fenced producer never
//! fights. A client that failed, was slow to commit or lost a connection is thrown away: a late
//! EndTxn could otherwise hit the next transaction. It never aborts and goes on with the same
//! client. It does not know what a step means.

use crate::errors::{CommitError, ProbeError, SettingsError};
use crate::message::{Message, TopicName};
use crate::progress_tail::ProgressProbe;
use crate::settings::KafkaSettings;
use crate::transaction::TransactionalClient;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often an idle client serves its callbacks.
const IDLE_POLL: Duration = Duration::from_millis(100);
/// Between two tries to recycle a client.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// One step's transaction: BEGIN, acknowledged; the outputs, acknowledged; DONE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The step's number, as [`ProgressProbe::last_done`] tells it.
    pub sequence: u64,
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

/// The handle to a lane's producer thread. Dropping it lets the thread finish what was ordered.
pub struct LaneProducer {
    id: String,
    orders: SyncSender<Order>,
    abandoned: Arc<AtomicBool>,
    thread: JoinHandle<()>,
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
        let worker = Worker {
            client: Some(TransactionalClient::new(settings, &transactional_id)?),
            settings: settings.clone(),
            lane,
            id: transactional_id.clone(),
            topics: topics.to_vec(),
            probe,
            tell: Box::new(tell),
            free_at: Instant::now(),
            abandoned: Arc::clone(&abandoned),
        };
        let named = thread::Builder::new().name(format!("lane {transactional_id}"));
        let thread = named.spawn(move || worker.run(&waiting)).map_err(|error| SettingsError::Refused { reason: error.to_string() })?;
        Ok(Self { id: transactional_id, orders, abandoned, thread })
    }

    /// Takes the lane over: fences every other producer with this id. Answered by
    /// [`Outcome::Ready`]. Must come before the first commit.
    ///
    /// # Errors
    /// [`CommitError::Ended`].
    pub fn init(&self) -> Result<(), CommitError> {
        self.orders.send(Order::Init).map_err(|_| self.ended())
    }

    /// Orders a commit; waits only while the queue is full, which is the lane's back-pressure.
    ///
    /// # Errors
    /// [`CommitError::Ended`].
    pub fn commit(&self, commit: Commit) -> Result<(), CommitError> {
        self.orders.send(Order::Commit(commit)).map_err(|_| self.ended())
    }

    /// Orders a commit if there is room; gives it back otherwise.
    ///
    /// # Errors
    /// [`CommitError::Ended`].
    pub fn try_commit(&self, commit: Commit) -> Result<Option<Commit>, CommitError> {
        match self.orders.try_send(Order::Commit(commit)) {
            Ok(()) => Ok(None),
            Err(TrySendError::Full(Order::Commit(commit))) => Ok(Some(commit)),
            Err(_) => Err(self.ended()),
        }
    }

    /// Whether the thread has ended.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Finishes what was ordered and ends the thread; whether it ended within `limit`. After the
    /// limit it gives up at the next step of the protocol and ends by itself.
    #[must_use]
    pub fn close(self, limit: Duration) -> bool {
        let Self { orders, abandoned, thread, .. } = self;
        drop(orders);
        let deadline = Instant::now() + limit;
        while !thread.is_finished() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
        abandoned.store(true, Ordering::Relaxed);
        thread.is_finished() && thread.join().is_ok()
    }

    fn ended(&self) -> CommitError {
        CommitError::Ended { transactional_id: self.id.clone() }
    }
}

/// The thread's own state.
struct Worker {
    /// Absent only between throwing one away and making the next.
    client: Option<TransactionalClient>,
    settings: KafkaSettings,
    lane: LaneSettings,
    id: String,
    topics: Vec<TopicName>,
    probe: Box<dyn ProgressProbe>,
    tell: Box<dyn FnMut(Outcome) + Send>,
    free_at: Instant,
    abandoned: Arc<AtomicBool>,
}

/// One order's troubles so far.
struct Trouble {
    sequence: Option<u64>,
    since: Instant,
    attempts: u32,
}

impl Trouble {
    fn none(sequence: Option<u64>) -> Self {
        Self { sequence, since: Instant::now(), attempts: 0 }
    }
}

impl Worker {
    fn run(mut self, waiting: &Receiver<Order>) {
        if let Some(client) = &self.client {
            client.warm_up(&self.topics);
        }
        loop {
            let done = match waiting.recv_timeout(IDLE_POLL) {
                Ok(Order::Init) => self.take_over(),
                Ok(Order::Commit(commit)) => self.commit(&commit),
                Err(RecvTimeoutError::Timeout) => self.idle(),
                Err(RecvTimeoutError::Disconnected) => ControlFlow::Break(()),
            };
            if done.is_break() {
                return;
            }
        }
    }

    /// Serves callbacks, and recycles a client whose connection broke while nobody waits for it.
    fn idle(&mut self) -> ControlFlow<()> {
        if let Some(client) = &self.client {
            client.serve();
        }
        self.recycle_if_due(if self.is_broken() { Recycle::Now } else { Recycle::No })
    }

    fn is_broken(&self) -> bool {
        self.client.as_ref().is_some_and(TransactionalClient::saw_errors)
    }

    fn take_over(&mut self) -> ControlFlow<()> {
        let started = Instant::now();
        let mut trouble = Trouble::none(None);
        let warm = self.client.take();
        match self.initialised(warm, &mut trouble) {
            Ok(()) => {
                (self.tell)(Outcome::Ready { took: started.elapsed() });
                ControlFlow::Continue(())
            }
            Err(error) => self.end(None, error),
        }
    }

    fn commit(&mut self, commit: &Commit) -> ControlFlow<()> {
        let started = Instant::now();
        match self.until_visible(commit) {
            Ok((timings, recycle)) => {
                let (sequence, took) = (commit.sequence, started.elapsed());
                (self.tell)(Outcome::Confirmed { sequence, took, timings, recycled: recycle.any() });
                self.free_at = Instant::now() + self.lane.pause;
                self.recycle_if_due(recycle)
            }
            Err(error) => self.end(Some(commit.sequence), error),
        }
    }

    /// Sends the step, again and unchanged, until it is known to be visible.
    fn until_visible(&mut self, commit: &Commit) -> Result<(Option<CommitTimings>, Recycle), CommitError> {
        let mut trouble = Trouble::none(Some(commit.sequence));
        loop {
            self.keep_pace();
            match self.tried(commit) {
                Ok(timings) => return Ok((Some(timings), self.verdict(timings, &trouble))),
                Err(error @ CommitError::Interrupted { .. }) => self.note(error, &mut trouble)?,
                Err(error) => return Err(error),
            }
            self.initialised(None, &mut trouble)?;
            if self.is_visible(commit.sequence, &mut trouble)? {
                return Ok((None, Recycle::Before));
            }
        }
    }

    fn tried(&self, commit: &Commit) -> Result<CommitTimings, CommitError> {
        let budget = self.lane.commit_budget;
        match &self.client {
            Some(client) => client.run(commit, budget),
            None => Err(self.interrupt("begin_transaction", "the client was thrown away")),
        }
    }

    /// A slow commit, or a broken connection during it, may have left a second EndTxn on its way.
    fn verdict(&self, timings: CommitTimings, trouble: &Trouble) -> Recycle {
        if timings.commit > self.lane.slow_commit || self.is_broken() {
            return Recycle::Now;
        }
        if trouble.attempts > 0 { Recycle::Before } else { Recycle::No }
    }

    fn recycle_if_due(&mut self, recycle: Recycle) -> ControlFlow<()> {
        if recycle != Recycle::Now {
            return ControlFlow::Continue(());
        }
        tracing::warn!(target: "kafka", id = self.id, "recycling the producer after a slow commit or a lost connection");
        match self.initialised(None, &mut Trouble::none(None)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => self.end(None, error),
        }
    }

    /// Throws the client away (unless a fresh one is given) and takes the lane over with a new one.
    fn initialised(&mut self, fresh: Option<TransactionalClient>, trouble: &mut Trouble) -> Result<(), CommitError> {
        let mut fresh = fresh;
        self.client = None;
        loop {
            let mut client = match fresh.take() {
                Some(client) => client,
                None => self.warmed()?,
            };
            match client.init(self.lane.init_limit) {
                Ok(()) => {
                    self.client = Some(client);
                    return Ok(());
                }
                Err(error @ CommitError::Interrupted { .. }) => self.note(error, trouble)?,
                Err(error) => return Err(error),
            }
        }
    }

    fn warmed(&self) -> Result<TransactionalClient, CommitError> {
        let client = TransactionalClient::new(&self.settings, &self.id)?;
        client.warm_up(&self.topics);
        Ok(client)
    }

    /// Whether the step in doubt is visible after all.
    fn is_visible(&mut self, sequence: u64, trouble: &mut Trouble) -> Result<bool, CommitError> {
        loop {
            match self.probe.last_done() {
                Ok(Some(last)) if last > sequence => {
                    let text = format!("step {last} is done, but this producer is still at {sequence}");
                    return Err(ProbeError::Nonsense(text).into());
                }
                Ok(last) => return Ok(last == Some(sequence)),
                Err(error @ ProbeError::Nonsense(_)) => return Err(error.into()),
                Err(error) => self.note(error.into(), trouble)?,
            }
        }
    }

    /// Tells of a failure and waits a little; an error when patience has run out.
    fn note(&mut self, error: CommitError, trouble: &mut Trouble) -> Result<(), CommitError> {
        trouble.attempts += 1;
        let (sequence, attempt) = (trouble.sequence, trouble.attempts);
        tracing::warn!(target: "kafka", %error, ?sequence, attempt, "a lane's commit is in trouble");
        let tried_for = trouble.since.elapsed();
        if tried_for >= self.lane.give_up_after || self.abandoned.load(Ordering::Relaxed) {
            return Err(CommitError::GaveUp {
                transactional_id: self.id.clone(),
                tried_for,
                last: error.to_string(),
                in_doubt: sequence.is_some(),
            });
        }
        (self.tell)(Outcome::Troubled { sequence, attempt, error });
        thread::sleep(RETRY_PAUSE);
        Ok(())
    }

    fn end(&mut self, sequence: Option<u64>, error: CommitError) -> ControlFlow<()> {
        tracing::error!(target: "kafka", %error, ?sequence, id = self.id, "a lane's producer ends");
        if matches!(error, CommitError::Fenced { .. }) {
            (self.tell)(Outcome::Fenced { sequence });
            return ControlFlow::Break(());
        }
        if let Some(client) = self.client.take() {
            client.abort_and_drop(self.lane.slow_commit);
        }
        (self.tell)(Outcome::Failed { sequence, error });
        ControlFlow::Break(())
    }

    fn keep_pace(&self) {
        let wait = self.free_at.saturating_duration_since(Instant::now());
        if !wait.is_zero() {
            thread::sleep(wait);
        }
    }

    fn interrupt(&self, attempted: &'static str, reason: &str) -> CommitError {
        let transactional_id = self.id.clone();
        CommitError::Interrupted { transactional_id, attempted, reason: reason.to_owned() }
    }
}

/// Whether, and when, a commit cost its client.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Recycle {
    No,
    /// A fresh client made the commit, or found it made.
    Before,
    /// The commit is visible, but the client must go before the next one.
    Now,
}

impl Recycle {
    fn any(self) -> bool {
        self != Self::No
    }
}
