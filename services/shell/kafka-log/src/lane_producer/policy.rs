//! How a lane's steps are committed: takes the lane over, commits until a step is visible, throws clients away, and
//! gives up when it was let go. What it promises is told at its handle's.

use super::ground::{Ground, Transactions, Written};
use super::{Commit, CommitTimings, LaneSettings, Outcome};
use crate::errors::{CommitError, ProbeError};
use crate::message::TopicName;
use crate::progress_tail::DoneStep;
use std::ops::ControlFlow;
use std::time::Duration;

/// How long a confirmed step may take to become visible: its markers are written after the answer, and a broker
/// that has just started takes more than a second for its first ones.
const VISIBLE_WITHIN: Duration = Duration::from_secs(3);
/// Between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(1);
/// Between two tries to recycle a client.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// A lane's policy on its ground; every call runs to its end.
pub struct LanePolicy<G: Ground> {
    ground: G,
    /// Absent only between throwing one away and making the next.
    client: Option<G::Client>,
    lane: LaneSettings,
    id: String,
    topics: Vec<TopicName>,
    /// The moment before which no transaction begins.
    free_at: Duration,
    /// The last step that was visible when the lane was taken over, or that this producer has made so.
    known: Option<DoneStep>,
}

/// One order's troubles so far.
struct Trouble {
    sequence: Option<u64>,
    since: Duration,
    attempts: u32,
}

impl<G: Ground> LanePolicy<G> {
    /// A policy for the lane of a transactional id that writes to `topics`; contacts nobody yet.
    ///
    /// # Errors
    /// When no client can be made.
    pub fn new(ground: G, lane: LaneSettings, transactional_id: String, topics: &[TopicName]) -> Result<Self, CommitError> {
        let (client, free_at) = (Some(ground.client()?), ground.elapsed());
        Ok(Self { ground, client, lane, id: transactional_id, topics: topics.to_vec(), free_at, known: None })
    }

    /// Connects the first client.
    pub fn warm_up(&self) {
        if let Some(client) = &self.client {
            client.warm_up(&self.topics);
        }
    }

    /// Serves callbacks, and recycles a client whose connection broke while nobody waits for it.
    pub fn idle(&mut self) -> ControlFlow<()> {
        if let Some(client) = &self.client {
            client.serve();
        }
        if self.is_broken() { self.recycle() } else { ControlFlow::Continue(()) }
    }

    fn is_broken(&self) -> bool {
        self.client.as_ref().is_some_and(Transactions::saw_errors)
    }

    /// Takes the lane over; tells [`Outcome::Ready`].
    pub fn take_over(&mut self) -> ControlFlow<()> {
        let started = self.ground.elapsed();
        let warm = self.client.take();
        match self.taken_over(warm) {
            Ok(()) => {
                let took = self.since(started);
                self.ground.tell(Outcome::Ready { took });
                ControlFlow::Continue(())
            }
            Err(error) => self.end(None, error),
        }
    }

    /// Fences every predecessor and notes the last step that one of them has made visible.
    fn taken_over(&mut self, warm: Option<G::Client>) -> Result<(), CommitError> {
        let mut trouble = self.untroubled(None);
        self.initialised(warm, &mut trouble)?;
        self.known = self.last_visible(&mut trouble)?;
        Ok(())
    }

    /// Commits a step; tells [`Outcome::Confirmed`] once it is visible.
    pub fn commit(&mut self, commit: &Commit) -> ControlFlow<()> {
        let started = self.ground.elapsed();
        match self.until_visible(commit) {
            Ok((timings, recycled)) => {
                let (sequence, took) = (commit.step.sequence, self.since(started));
                self.known = Some(commit.step);
                tracing::debug!(target: "kafka", id = self.id, sequence, ?took, ?timings, "a step is visible");
                self.ground.tell(Outcome::Confirmed { sequence, took, timings, recycled });
                self.free_at = self.ground.elapsed() + self.lane.pause;
                ControlFlow::Continue(())
            }
            Err(error) => self.end(Some(commit.step.sequence), error),
        }
    }

    /// Sends the step, again and unchanged, until it is known to be visible. A commit that was slow, or
    /// during which a connection broke, may have left a second EndTxn on its way; and brokers in trouble
    /// confirm commits whose markers they then lose. Then the client goes, and the step is looked up.
    fn until_visible(&mut self, commit: &Commit) -> Result<(Option<CommitTimings>, bool), CommitError> {
        let mut trouble = self.untroubled(Some(commit.step.sequence));
        // A step that is sent again because its outputs hang was visible before: that it is, tells nothing of this attempt.
        let again = self.known == Some(commit.step);
        let (mut renewed, mut freed) = (false, false);
        loop {
            self.keep_pace();
            let tried = self.tried(commit);
            let written = self.client.as_ref().map(Transactions::written).unwrap_or_default();
            let timings = match tried {
                Ok(timings) if self.is_sound(timings) && self.stands_surely(&written)? => return Ok((Some(timings), renewed)),
                Ok(timings) => {
                    self.say_recycling();
                    Some(timings)
                }
                Err(error @ CommitError::Interrupted { .. }) => {
                    self.note(error, &mut trouble)?;
                    None
                }
                Err(error) => return Err(error),
            };
            let seen = self.renewed(Some(commit.step), &mut trouble)?;
            // Its progress is visible. What it has published may hang all the same, and the next transaction
            // frees it: once more, unchanged. If it still is not then, somebody else's transaction is open there.
            let told = timings.is_some() || !(again || freed);
            if seen && told && (freed || self.stands_at_last(&written, &mut trouble)?) {
                return Ok((timings, true));
            }
            freed |= seen;
            renewed = true;
        }
    }

    fn tried(&self, commit: &Commit) -> Result<CommitTimings, CommitError> {
        match &self.client {
            Some(client) => self.transacted(client, commit),
            None => Err(self.interrupt("begin_transaction", "the client was thrown away")),
        }
    }

    /// The whole protocol of one commit, and where the time went.
    fn transacted(&self, client: &G::Client, commit: &Commit) -> Result<CommitTimings, CommitError> {
        let started = self.ground.elapsed();
        client.begin()?;
        let begin = self.timed(|| client.acknowledged(&commit.begin))?;
        let outputs = self.timed(|| client.acknowledged(&commit.outputs))?;
        let done = self.timed(|| client.acknowledged(&commit.done))?;
        let commit = self.timed(|| client.end(self.lane.commit_budget))?;
        Ok(CommitTimings { begin, outputs, done, commit, whole: self.since(started) })
    }

    fn timed(&self, call: impl FnOnce() -> Result<(), CommitError>) -> Result<Duration, CommitError> {
        let started = self.ground.elapsed();
        call()?;
        Ok(self.since(started))
    }

    fn since(&self, moment: Duration) -> Duration {
        self.ground.elapsed().saturating_sub(moment)
    }

    fn untroubled(&self, sequence: Option<u64>) -> Trouble {
        Trouble { sequence, since: self.ground.elapsed(), attempts: 0 }
    }

    fn is_sound(&self, timings: CommitTimings) -> bool {
        timings.commit <= self.lane.slow_commit && !self.is_broken()
    }

    /// Whether a transaction that wrote this becomes visible soon, wherever it wrote.
    fn stands(&mut self, written: &[Written]) -> Result<bool, CommitError> {
        let places: Vec<_> = written.iter().map(|written| (written.topic.clone(), written.partition)).collect();
        let deadline = self.ground.elapsed() + VISIBLE_WITHIN;
        loop {
            match self.ground.stable_ends(&places) {
                Ok(ends) => match written.iter().zip(ends).find(|(written, end)| *end <= written.offset) {
                    None => return Ok(true),
                    Some(_) if self.ground.elapsed() < deadline => self.ground.sleep(LOOK_AGAIN),
                    Some((Written { topic, partition, offset }, end)) => {
                        let id = &self.id;
                        tracing::warn!(target: "kafka", id, %topic, partition, offset, end, "what was confirmed is not visible");
                        return Ok(false);
                    }
                },
                Err(error) => return Err(error.into()),
            }
            self.heed()?;
        }
    }

    /// The same; what is not known is doubted.
    fn stands_surely(&mut self, written: &[Written]) -> Result<bool, CommitError> {
        match self.stands(written) {
            Err(error) if !matches!(error, CommitError::Abandoned { .. }) => {
                tracing::warn!(target: "kafka", id = self.id, %error, "whether a confirmed step is visible is not known");
                Ok(false)
            }
            known => known,
        }
    }

    /// The same; what is not known is asked again.
    fn stands_at_last(&mut self, written: &[Written], trouble: &mut Trouble) -> Result<bool, CommitError> {
        loop {
            match self.stands(written) {
                Err(error) if !matches!(error, CommitError::Abandoned { .. }) => self.note(error, trouble)?,
                known => return known,
            }
        }
    }

    fn say_recycling(&self) {
        tracing::warn!(target: "kafka", id = self.id, "recycling the producer after a slow commit, a lost connection, or a step that is not visible");
    }

    fn recycle(&mut self) -> ControlFlow<()> {
        self.say_recycling();
        let mut trouble = self.untroubled(None);
        match self.renewed(None, &mut trouble) {
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
    fn initialised(&mut self, fresh: Option<G::Client>, trouble: &mut Trouble) -> Result<(), CommitError> {
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

    fn warmed(&self) -> Result<G::Client, CommitError> {
        let client = self.ground.client()?;
        client.warm_up(&self.topics);
        Ok(client)
    }

    /// The last step that is visible now.
    fn last_visible(&mut self, trouble: &mut Trouble) -> Result<Option<DoneStep>, CommitError> {
        loop {
            match self.ground.last_done() {
                Ok(last) => return Ok(last),
                Err(error @ ProbeError::Nonsense(_)) => return Err(error.into()),
                Err(error) => self.note(error.into(), trouble)?,
            }
        }
    }

    /// An error once nobody wants this producer any more: it must not fence whoever comes after it.
    fn heed(&self) -> Result<(), CommitError> {
        if self.ground.is_abandoned() {
            return Err(CommitError::Abandoned { transactional_id: self.id.clone() });
        }
        Ok(())
    }

    /// Tells of a failure and waits a little; an error when patience has run out.
    fn note(&mut self, error: CommitError, trouble: &mut Trouble) -> Result<(), CommitError> {
        trouble.attempts += 1;
        let (sequence, attempt) = (trouble.sequence, trouble.attempts);
        let tried_for = self.since(trouble.since);
        self.heed()?;
        if tried_for >= self.lane.give_up_after {
            return Err(CommitError::GaveUp {
                transactional_id: self.id.clone(),
                tried_for,
                last: error.to_string(),
                in_doubt: sequence.is_some(),
            });
        }
        self.ground.tell(Outcome::Troubled { sequence, attempt, error });
        self.ground.sleep(RETRY_PAUSE);
        Ok(())
    }

    fn end(&mut self, sequence: Option<u64>, error: CommitError) -> ControlFlow<()> {
        let id = &self.id;
        match &error {
            _ if self.ground.is_abandoned() => {
                tracing::info!(target: "kafka", %error, ?sequence, id, "a lane's producer that was let go ends");
            }
            CommitError::Fenced { .. } | CommitError::Overtaken { .. } => {
                tracing::warn!(target: "kafka", %error, ?sequence, id, "a lane's producer is fenced");
            }
            _ => tracing::error!(target: "kafka", %error, ?sequence, id, "a lane's producer ends"),
        }
        if matches!(error, CommitError::Fenced { .. } | CommitError::Overtaken { .. }) {
            self.ground.tell(Outcome::Fenced { sequence });
            return ControlFlow::Break(());
        }
        if let Some(client) = self.client.take() {
            client.abort_and_drop(self.lane.slow_commit);
        }
        self.ground.tell(Outcome::Failed { sequence, error });
        ControlFlow::Break(())
    }

    fn keep_pace(&self) {
        let wait = self.free_at.saturating_sub(self.ground.elapsed());
        if !wait.is_zero() {
            self.ground.sleep(wait);
        }
    }

    fn interrupt(&self, attempted: &'static str, reason: &str) -> CommitError {
        let transactional_id = self.id.clone();
        CommitError::Interrupted { transactional_id, attempted, reason: reason.to_owned() }
    }
}
