//! A lane's way out: one transactional producer on its own thread, and its error policy.
//!
//! Promises that a step is reported [`Outcome::Confirmed`] only when it is visible whole, that a
//! step in doubt is looked up and otherwise sent again unchanged, and that a fenced producer never
//! fights. A client that failed, was slow to commit or lost a connection is thrown away: a late
//! EndTxn could otherwise hit the next transaction. Whoever goes on with a new client first looks which
//! step is the last visible one: another owner's means being fenced, and one that brokers in trouble
//! confirmed and do not show is sent again. It never aborts and goes on with the same client. It does not
//! know what a step means.

use crate::errors::{CommitError, ProbeError, SettingsError};
use crate::message::{Message, TopicName};
use crate::progress_tail::{DoneStep, ProgressProbe};
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
/// How long a confirmed step may take to become visible: its markers are written after the answer.
const VISIBLE_WITHIN: Duration = Duration::from_secs(1);
/// Between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(2);
/// Between two tries to recycle a client.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

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
            client: Some(TransactionalClient::new(settings, &transactional_id, Arc::clone(&abandoned))?),
            settings: settings.clone(),
            lane,
            id: transactional_id.clone(),
            topics: topics.to_vec(),
            probe,
            tell: Box::new(tell),
            free_at: Instant::now(),
            abandoned: Arc::clone(&abandoned),
            known: None,
        };
        let named = thread::Builder::new().name(format!("lane {transactional_id}"));
        let thread = named.spawn(move || worker.run(&waiting)).map_err(|error| SettingsError::Refused { reason: error.to_string() })?;
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

    /// Orders a commit if there is room; gives it back otherwise.
    ///
    /// # Errors
    /// [`CommitError::Ended`].
    pub fn try_commit(&self, commit: Commit) -> Result<Option<Commit>, CommitError> {
        let Some(orders) = &self.orders else { return Err(self.ended()) };
        match orders.try_send(Order::Commit(commit)) {
            Ok(()) => Ok(None),
            Err(TrySendError::Full(Order::Commit(commit))) => Ok(Some(commit)),
            Err(_) => Err(self.ended()),
        }
    }

    /// Whether the thread has ended.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
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
    /// The last step that was visible when the lane was taken over, or that this producer has made so.
    known: Option<DoneStep>,
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
        if self.is_broken() { self.recycle() } else { ControlFlow::Continue(()) }
    }

    fn is_broken(&self) -> bool {
        self.client.as_ref().is_some_and(TransactionalClient::saw_errors)
    }

    fn take_over(&mut self) -> ControlFlow<()> {
        let started = Instant::now();
        let warm = self.client.take();
        match self.taken_over(warm) {
            Ok(()) => {
                (self.tell)(Outcome::Ready { took: started.elapsed() });
                ControlFlow::Continue(())
            }
            Err(error) => self.end(None, error),
        }
    }

    /// Fences every predecessor and notes the last step that one of them has made visible.
    fn taken_over(&mut self, warm: Option<TransactionalClient>) -> Result<(), CommitError> {
        let mut trouble = Trouble::none(None);
        self.initialised(warm, &mut trouble)?;
        self.known = self.last_visible(&mut trouble)?;
        Ok(())
    }

    fn commit(&mut self, commit: &Commit) -> ControlFlow<()> {
        let started = Instant::now();
        match self.until_visible(commit) {
            Ok((timings, recycled)) => {
                let (sequence, took) = (commit.step.sequence, started.elapsed());
                self.known = Some(commit.step);
                (self.tell)(Outcome::Confirmed { sequence, took, timings, recycled });
                self.free_at = Instant::now() + self.lane.pause;
                ControlFlow::Continue(())
            }
            Err(error) => self.end(Some(commit.step.sequence), error),
        }
    }

    /// Sends the step, again and unchanged, until it is known to be visible. A commit that was slow, or
    /// during which a connection broke, may have left a second EndTxn on its way; and brokers in trouble
    /// confirm commits whose markers they then lose. Then the client goes, and the step is looked up.
    fn until_visible(&mut self, commit: &Commit) -> Result<(Option<CommitTimings>, bool), CommitError> {
        let mut trouble = Trouble::none(Some(commit.step.sequence));
        let mut renewed = false;
        loop {
            self.keep_pace();
            let timings = match self.tried(commit) {
                Ok((done_at, timings)) if self.is_sound(timings) && self.stands(done_at)? => return Ok((Some(timings), renewed)),
                Ok((_, timings)) => {
                    self.say_recycling();
                    Some(timings)
                }
                Err(error @ CommitError::Interrupted { .. }) => {
                    self.note(error, &mut trouble)?;
                    None
                }
                Err(error) => return Err(error),
            };
            renewed = true;
            if self.renewed(Some(commit.step), &mut trouble)? {
                return Ok((timings, true));
            }
        }
    }

    fn tried(&self, commit: &Commit) -> Result<(i64, CommitTimings), CommitError> {
        let budget = self.lane.commit_budget;
        match &self.client {
            Some(client) => client.run(commit, budget),
            None => Err(self.interrupt("begin_transaction", "the client was thrown away")),
        }
    }

    fn is_sound(&self, timings: CommitTimings) -> bool {
        timings.commit <= self.lane.slow_commit && !self.is_broken()
    }

    /// Whether a step whose DONE was written there becomes visible soon.
    fn stands(&mut self, done_at: i64) -> Result<bool, CommitError> {
        let deadline = Instant::now() + VISIBLE_WITHIN;
        loop {
            match self.probe.stable_end() {
                Ok(end) if end > done_at => return Ok(true),
                Ok(_) if Instant::now() < deadline => thread::sleep(LOOK_AGAIN),
                Ok(end) => {
                    tracing::warn!(target: "kafka", id = self.id, done_at, end, "a step was confirmed and is not visible");
                    return Ok(false);
                }
                Err(error) => {
                    tracing::warn!(target: "kafka", id = self.id, %error, "whether a confirmed step is visible is not known");
                    return Ok(false);
                }
            }
            self.heed()?;
        }
    }

    fn say_recycling(&self) {
        tracing::warn!(target: "kafka", id = self.id, "recycling the producer after a slow commit, a lost connection, or a step that is not visible");
    }

    fn recycle(&mut self) -> ControlFlow<()> {
        self.say_recycling();
        match self.renewed(None, &mut Trouble::none(None)) {
            Ok(_) => ControlFlow::Continue(()),
            Err(error) => self.end(None, error),
        }
    }

    /// Goes on with a new client, if the lane is still ours: returns whether the step in doubt is visible.
    /// Another owner may have come and gone, or have been fenced by this very call; its steps tell.
    fn renewed(&mut self, in_doubt: Option<DoneStep>, trouble: &mut Trouble) -> Result<bool, CommitError> {
        self.initialised(None, trouble)?;
        match self.last_visible(trouble)? {
            last if last.is_some() && last == in_doubt => Ok(true),
            // Retention may have taken the last step of a quiet lane; another owner's would be there.
            last if last == self.known || last.is_none() => Ok(false),
            Some(last) if self.known.is_some_and(|known| last.sequence < known.sequence) => {
                Err(CommitError::Unseen { transactional_id: self.id.clone(), step: self.known.map_or(0, |known| known.sequence) })
            }
            last => Err(CommitError::Overtaken { transactional_id: self.id.clone(), step: last.map_or(0, |step| step.sequence) }),
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
            self.heed()?;
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
        let client = TransactionalClient::new(&self.settings, &self.id, Arc::clone(&self.abandoned))?;
        client.warm_up(&self.topics);
        Ok(client)
    }

    /// The last step that is visible now.
    fn last_visible(&mut self, trouble: &mut Trouble) -> Result<Option<DoneStep>, CommitError> {
        loop {
            match self.probe.last_done() {
                Ok(last) => return Ok(last),
                Err(error @ ProbeError::Nonsense(_)) => return Err(error.into()),
                Err(error) => self.note(error.into(), trouble)?,
            }
        }
    }

    /// An error once nobody wants this producer any more: it must not fence whoever comes after it.
    fn heed(&self) -> Result<(), CommitError> {
        if self.abandoned.load(Ordering::Relaxed) {
            return Err(CommitError::Abandoned { transactional_id: self.id.clone() });
        }
        Ok(())
    }

    /// Tells of a failure and waits a little; an error when patience has run out.
    fn note(&mut self, error: CommitError, trouble: &mut Trouble) -> Result<(), CommitError> {
        trouble.attempts += 1;
        let (sequence, attempt) = (trouble.sequence, trouble.attempts);
        tracing::warn!(target: "kafka", %error, ?sequence, attempt, "a lane's commit is in trouble");
        let tried_for = trouble.since.elapsed();
        self.heed()?;
        if tried_for >= self.lane.give_up_after {
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
        let id = &self.id;
        match &error {
            _ if self.abandoned.load(Ordering::Relaxed) => {
                tracing::info!(target: "kafka", %error, ?sequence, id, "a lane's producer that was let go ends");
            }
            CommitError::Fenced { .. } | CommitError::Overtaken { .. } => {
                tracing::warn!(target: "kafka", %error, ?sequence, id, "a lane's producer is fenced");
            }
            _ => tracing::error!(target: "kafka", %error, ?sequence, id, "a lane's producer ends"),
        }
        if matches!(error, CommitError::Fenced { .. } | CommitError::Overtaken { .. }) {
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
