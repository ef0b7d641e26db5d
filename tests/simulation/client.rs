//! A transactional client as librdkafka is one, on the log in memory: it asks again in silence, its requests may arrive
//! late, it does not know what became of some, and it is used up by the first failure.

use crate::brokers::{Reached, out_message};
use crate::faults::Fault;
use crate::planted::Planted;
use crate::publisher::Line;
use crate::stage::Hand;
use ballast::memory::{ProducerEpoch, Refused};
use ballast::messages::{DONE, OutMessage, done_of};
use domain::{SmolStr, Topic};
use kafka_log::{CommitError, DoneStep, Ground, Message, Outcome, ProbeError, ReadError, TopicName, Transactions, Written};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

/// How long a message may be on its way.
const DELIVERY: Duration = Duration::from_secs(14);
/// After so long an unanswered request is sent again.
const SOCKET: Duration = Duration::from_secs(3);
/// Offsets of progress that are looked at from its end on.
const LOOK_BACK: i64 = 400;

/// A lane's ground in a play.
pub struct SimGround<'a> {
    pub hand: &'a Hand<'a>,
    pub line: Rc<Line>,
    pub id: SmolStr,
    pub progress: Topic,
    pub lane: i32,
}

/// One client.
pub struct SimClient<'a> {
    hand: &'a Hand<'a>,
    line: Rc<Line>,
    id: SmolStr,
    epoch: Cell<Option<ProducerEpoch>>,
    added: RefCell<BTreeSet<(SmolStr, i32)>>,
    written: RefCell<Vec<Written>>,
    /// What the transaction has sent, for a planted mistake.
    sent: RefCell<Vec<Message>>,
    errors: Cell<bool>,
    broken: Cell<bool>,
}

impl<'a> Ground for SimGround<'a> {
    type Client = SimClient<'a>;

    fn client(&self) -> Result<SimClient<'a>, CommitError> {
        Ok(SimClient {
            hand: self.hand,
            line: self.line.clone(),
            id: self.id.clone(),
            epoch: Cell::new(None),
            added: RefCell::default(),
            written: RefCell::default(),
            sent: RefCell::default(),
            errors: Cell::new(false),
            broken: Cell::new(false),
        })
    }
    fn elapsed(&self) -> Duration {
        self.hand.world.now()
    }
    fn sleep(&self, span: Duration) {
        self.hand.pass(span);
    }
    fn is_abandoned(&self) -> bool {
        self.line.abandoned.get()
    }
    fn last_done(&mut self) -> Result<Option<DoneStep>, ProbeError> {
        self.ask("reading the progress tail")?;
        let (log, topic) = (&self.hand.world.log, self.progress.name());
        let mut from = log.stable_end(topic, self.lane);
        loop {
            let to = from;
            from = (from - LOOK_BACK).max(log.start(topic, self.lane));
            let dones = log.range(topic, self.lane, from, to).into_iter().filter_map(|record| {
                let header = record.headers.iter().rev().find(|header| header.name == DONE)?;
                done_of(&header.value).map(|(sequence, mark)| DoneStep { sequence, mark })
            });
            let last = dones.max();
            if last.is_some() || from <= log.start(topic, self.lane) {
                return Ok(last);
            }
        }
    }
    fn stable_ends(&mut self, partitions: &[(TopicName, i32)]) -> Result<Vec<i64>, ProbeError> {
        self.ask("reading ends")?;
        Ok(partitions.iter().map(|(topic, partition)| self.hand.world.log.stable_end(topic.as_str(), *partition)).collect())
    }
    fn tell(&mut self, outcome: Outcome) {
        let world = self.hand.world;
        match &outcome {
            Outcome::Confirmed { timings: None, .. } => world.note("branch", "confirmed-by-progress", || self.id.to_string()),
            Outcome::Confirmed { recycled: true, .. } => world.note("branch", "producer-recycled", || format!("{} {outcome:?}", self.id)),
            Outcome::Fenced { .. } => world.note("branch", "producer-fenced", || self.id.to_string()),
            Outcome::Failed { error, .. } => world.note("branch", "producer-failed", || format!("{} {error}", self.id)),
            Outcome::Troubled { error, .. } => world.note("branch", "producer-troubled", || format!("{} {error}", self.id)),
            _ => world.tell(|| format!("{} {outcome:?}", self.id)),
        }
        if matches!(outcome, Outcome::Troubled { .. }) && world.strikes(Fault::KillInTrouble) {
            self.hand.die();
        }
        // That planted one was told when the step was handed over.
        if !world.errs(Planted::ConfirmedWhenSubmitted) || !matches!(outcome, Outcome::Confirmed { .. }) {
            self.line.heard.borrow_mut().push_back(outcome);
        }
    }
}

impl SimGround<'_> {
    fn ask(&self, what: &str) -> Result<(), ProbeError> {
        let limit = Duration::from_secs(2);
        match self.hand.reach(limit) {
            Reached::Never => Err(ReadError::TimedOut { attempted: what.to_owned(), limit }.into()),
            _ => Ok(()),
        }
    }
}

impl Transactions for SimClient<'_> {
    fn warm_up(&self, _topics: &[TopicName]) {
        self.hand.latency(1_000, 5_000);
    }

    fn init(&mut self, limit: Duration) -> Result<(), CommitError> {
        let deadline = self.hand.world.now() + limit;
        loop {
            self.hand.effect();
            self.heed()?;
            if self.hand.reach(limit) == Reached::Never || self.hand.world.now() > deadline {
                return Err(self.interrupt("init_transactions", "timed out"));
            }
            let decided = self.hand.world.log.lacks_markers(&self.id);
            // What was abandoned while the request was on its way arrives all the same.
            match self.hand.world.log.take_over(&self.id) {
                Ok(_) if self.hand.world.strikes(Fault::TakeOverAnswerLost) => {}
                Ok(epoch) => {
                    self.hand.world.next_transaction(&self.id);
                    self.epoch.set(Some(epoch));
                    self.hand.effect();
                    return Ok(());
                }
                Err(_) => {
                    if !decided {
                        self.hand.world.aborted(&self.id);
                    }
                    self.hand.world.next_transaction(&self.id);
                    self.hand.world.markers_follow(&self.id, false);
                    self.hand.latency(20_000, 500_000);
                }
            }
        }
    }

    fn serve(&self) {}

    fn saw_errors(&self) -> bool {
        self.errors.get() && !self.hand.world.errs(Planted::NeverRecycled)
    }

    fn begin(&self) -> Result<(), CommitError> {
        self.sound("begin_transaction")?;
        self.added.borrow_mut().clear();
        self.written.borrow_mut().clear();
        self.sent.borrow_mut().clear();
        Ok(())
    }

    fn acknowledged(&self, messages: &[Message]) -> Result<(), CommitError> {
        if self.hand.world.errs(Planted::AbortedAndReused) {
            self.sent.borrow_mut().extend_from_slice(messages);
        }
        let mut rest: Vec<OutMessage> = messages.iter().map(out_message).collect();
        while let Some(first) = rest.first() {
            let place = (SmolStr::new_static(first.topic), first.partition);
            let (here, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(|m| m.topic == place.0 && m.partition == place.1);
            rest = others;
            self.add(&place)?;
            self.deliver(here)?;
        }
        Ok(())
    }

    fn end(&self, budget: Duration) -> Result<(), CommitError> {
        let ended = self.ended(budget);
        let failed = matches!(ended, Err(CommitError::Interrupted { .. }));
        if failed && self.hand.world.errs(Planted::FailureIsSuccess) {
            self.broken.set(false);
            return Ok(());
        }
        if failed && self.hand.world.errs(Planted::AbortedAndReused) {
            return self.sent_again(budget);
        }
        ended
    }

    fn written(&self) -> Vec<Written> {
        let lost = self.hand.world.errs(Planted::FailureIsSuccess);
        if lost { Vec::new() } else { self.written.borrow().clone() }
    }

    fn abort_and_drop(self, limit: Duration) {
        let Some(epoch) = self.epoch.get() else { return };
        if self.hand.reach(limit) != Reached::Never && self.hand.world.log.end_transaction(&self.id, epoch, false).is_ok() {
            self.hand.world.aborted(&self.id);
            self.hand.world.markers_follow(&self.id, false);
        }
    }
}

impl SimClient<'_> {
    /// Ends the transaction, with all that may happen to the request and to its answer.
    fn ended(&self, budget: Duration) -> Result<(), CommitError> {
        self.sound("commit_transaction")?;
        self.hand.effect();
        self.heed()?;
        if self.hand.reach(budget) == Reached::Never {
            return Err(self.interrupt("commit_transaction", "timed out"));
        }
        let world = self.hand.world;
        if world.strikes(Fault::EndFailsUndone) {
            return Err(self.interrupt("commit_transaction", "the request got lost"));
        }
        if world.strikes(Fault::EndHeld) {
            self.arrives_later(SOCKET, 1_500);
            self.hand.pass(SOCKET);
        } else if world.strikes(Fault::EndOvertaken) {
            self.arrives_later(Duration::ZERO, 250);
        } else if world.strikes(Fault::EndCut) {
            self.errors.set(true);
            self.arrives_later(Duration::ZERO, 600);
            self.hand.latency(30_000, 300_000);
        }
        self.decided()?;
        if world.strikes(Fault::EndFailsDone) {
            return Err(self.interrupt("commit_transaction", "REQUEST_TIMED_OUT"));
        }
        if world.strikes(Fault::EndAnswerLost) {
            self.hand.pass(SOCKET);
            self.decided()?;
        }
        self.hand.effect();
        Ok(())
    }

    /// Aborts, and sends the same once more: what was asked for before may still arrive.
    fn sent_again(&self, budget: Duration) -> Result<(), CommitError> {
        self.broken.set(false);
        let (epoch, sent) = (self.sound("abort_transaction")?, self.sent.borrow().clone());
        if self.hand.world.log.end_transaction(&self.id, epoch, false).is_ok() {
            self.hand.world.aborted(&self.id);
            self.hand.world.next_transaction(&self.id);
            self.hand.world.markers_follow(&self.id, false);
        }
        self.begin()?;
        self.acknowledged(&sent)?;
        self.ended(budget)
    }

    fn sound(&self, attempted: &'static str) -> Result<ProducerEpoch, CommitError> {
        match self.epoch.get() {
            Some(epoch) if !self.broken.get() => Ok(epoch),
            _ => Err(self.interrupt(attempted, "the client is used up")),
        }
    }
    fn heed(&self) -> Result<(), CommitError> {
        if self.line.abandoned.get() { Err(CommitError::Abandoned { transactional_id: self.id.to_string() }) } else { Ok(()) }
    }
    fn interrupt(&self, attempted: &'static str, reason: &str) -> CommitError {
        self.broken.set(true);
        CommitError::Interrupted { transactional_id: self.id.to_string(), attempted, reason: reason.to_owned() }
    }
    fn refused(&self, attempted: &'static str, refused: Refused) -> CommitError {
        match refused {
            Refused::Fenced => {
                self.broken.set(true);
                CommitError::Fenced { transactional_id: self.id.to_string() }
            }
            _ => self.interrupt(attempted, &refused.to_string()),
        }
    }

    /// Tells the coordinator that a partition is written to.
    fn add(&self, place: &(SmolStr, i32)) -> Result<(), CommitError> {
        let epoch = self.sound("sending")?;
        if self.added.borrow().contains(place) {
            return Ok(());
        }
        loop {
            self.hand.effect();
            self.heed()?;
            self.arrived()?;
            match self.hand.world.log.add_partition(&self.id, epoch, &place.0, place.1) {
                Ok(()) => break,
                Err(Refused::Concurrent) => self.hand.latency(15_000, 25_000),
                Err(refused) => return Err(self.refused("sending", refused)),
            }
        }
        if self.added.borrow().is_empty() {
            self.hand.world.transaction_begins(&self.id);
        }
        self.added.borrow_mut().insert(place.clone());
        Ok(())
    }

    /// Appends the messages of one partition, in some requests.
    fn deliver(&self, messages: Vec<OutMessage>) -> Result<(), CommitError> {
        let epoch = self.sound("sending")?;
        let (world, mut fails) = (self.hand.world, false);
        for (number, message) in messages.into_iter().enumerate() {
            if number == 0 || world.chance.often("append.apart", 1000) {
                self.hand.effect();
                self.heed()?;
                self.arrived()?;
                fails = world.strikes(Fault::AppendFails);
                if fails && world.chance.below("append.fails.before", 2) == 0 {
                    return Err(self.interrupt("delivering", "the message timed out"));
                }
            }
            let (topic, partition) = (message.topic, message.partition);
            world.log.set_clock(world.time());
            let offset = world.log.append_in(&self.id, epoch, message).map_err(|refused| self.refused("delivering", refused))?;
            if fails {
                return Err(self.interrupt("delivering", "the message timed out"));
            }
            self.note(topic, partition, offset);
            if world.strikes(Fault::AppendAnswerLost) {
                self.errors.set(true);
                self.hand.latency(50_000, 400_000);
            }
        }
        Ok(())
    }

    fn arrived(&self) -> Result<(), CommitError> {
        match self.hand.reach(DELIVERY) {
            Reached::Well => Ok(()),
            Reached::Again => {
                self.errors.set(true);
                Ok(())
            }
            Reached::Never => Err(self.interrupt("delivering", "the message timed out")),
        }
    }

    fn note(&self, topic: &str, partition: i32, offset: i64) {
        let mut written = self.written.borrow_mut();
        match written.iter_mut().find(|known| known.partition == partition && known.topic.as_str() == topic) {
            Some(known) => known.offset = offset,
            None => written.push(Written { topic: topic.into(), partition, offset }),
        }
    }

    /// Asks for the commit until the coordinator says that it is done.
    fn decided(&self) -> Result<(), CommitError> {
        let epoch = self.sound("commit_transaction")?;
        let log = &self.hand.world.log;
        loop {
            match log.end_transaction(&self.id, epoch, true) {
                Ok(()) => {
                    self.hand.world.hung.borrow_mut().remove(&self.id);
                    self.hand.world.next_transaction(&self.id);
                    self.hand.world.markers_follow(&self.id, true);
                    return Ok(());
                }
                Err(Refused::Concurrent) => self.hand.latency(5_000, 20_000),
                Err(refused) => return Err(self.refused("commit_transaction", refused)),
            }
        }
    }

    /// The request to commit arrives after a while: whatever the producer has open then is committed.
    fn arrives_later(&self, least: Duration, more_ms: u64) {
        let Some(epoch) = self.epoch.get() else { return };
        let id = self.id.clone();
        let span = least + Duration::from_millis(self.hand.world.chance.between("late-end", 0, more_ms));
        self.hand.world.agenda.borrow_mut().after(span, move |world| {
            let decided = world.log.lacks_markers(&id);
            let answer = world.log.end_transaction(&id, epoch, true);
            let torn = !decided && world.log.lacks_markers(&id);
            world.note("branch", if torn { "late-end-decides" } else { "late-end-does-nothing" }, || format!("{id} {answer:?}"));
            if torn {
                world.markers_follow(&id, false);
            }
        });
    }
}
