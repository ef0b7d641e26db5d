//! Publishing of a lane's steps: the service's own commit policy, in a task of its own, on the clients of the play.

use crate::brokers::{Reached, message};
use crate::client::SimGround;
use crate::planted::Planted;
use crate::stage::{Hand, TaskId};
use ballast::kafka::{outcome_of, taken_over};
use ballast::messages::step_messages;
use ballast::worker::ports::{Outcome, PortError, Publisher};
use domain::{SmolStr, Topic};
use engine::{Role, Step};
use kafka_log::{Commit, DoneStep, LanePolicy, LaneSettings, Outcome as Heard};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

/// How long a take-over may take.
const TAKE_OVER: Duration = Duration::from_secs(60);
/// How often an idle client serves its callbacks.
const IDLE: Duration = Duration::from_millis(100);
/// How long the end of progress may be asked for.
const ENDS: Duration = Duration::from_secs(2);

/// What a lane asks of its producer.
pub enum Order {
    /// To take the lane over.
    Init,
    /// To commit a step.
    Commit(Commit),
}

/// The line between a lane and its producer.
#[derive(Default)]
pub struct Line {
    /// What was ordered.
    pub orders: RefCell<VecDeque<Order>>,
    /// What the producer said.
    pub heard: RefCell<VecDeque<Heard>>,
    /// Nothing more will be ordered.
    pub closed: Cell<bool>,
    /// Nobody wants the producer any more.
    pub abandoned: Cell<bool>,
    /// The producer has ended.
    pub ended: Cell<bool>,
}

/// A lane's publisher.
pub struct SimPublisher<'a> {
    hand: &'a Hand<'a>,
    line: Rc<Line>,
    task: TaskId,
    role: &'static str,
    progress: Topic,
    lane: i32,
    known_end: i64,
}

impl<'a> SimPublisher<'a> {
    /// Begins the producer's task; it fences nobody yet.
    pub fn open<R: Role>(hand: &'a Hand<'a>, lane: i32) -> Self {
        let line = Rc::new(Line::default());
        let (own, id) = (line.clone(), SmolStr::new(format!("{}.{lane}", R::NAME)));
        let task = hand.world.agenda.borrow_mut().begin(hand.process, move |hand| produce(hand, &own, &id, R::PROGRESS, lane));
        Self { hand, line, task, role: R::NAME, progress: R::PROGRESS, lane, known_end: 0 }
    }
    /// The line to its producer.
    pub fn line(&self) -> Rc<Line> {
        self.line.clone()
    }
    fn order(&self, order: Order) -> Result<(), PortError> {
        if self.line.ended.get() {
            return Err(PortError::later("the lane's producer has ended"));
        }
        self.line.orders.borrow_mut().push_back(order);
        self.hand.world.agenda.borrow_mut().wake(self.task);
        Ok(())
    }
    /// The mistakes that were planted here.
    fn err(&self, commit: &mut Commit) {
        let world = self.hand.world;
        if world.errs(Planted::DoneBeforeOutputs) {
            commit.begin.append(&mut commit.done);
        }
        if world.errs(Planted::OutputsBeforeBegin) {
            commit.outputs.append(&mut commit.begin);
            std::mem::swap(&mut commit.outputs, &mut commit.begin);
        }
        if world.errs(Planted::ConfirmedWhenSubmitted) {
            let (sequence, took) = (commit.step.sequence, Duration::ZERO);
            self.line.heard.borrow_mut().push_back(Heard::Confirmed { sequence, took, timings: None, recycled: false });
        }
    }
    /// Lets what was ordered end within a limit; past it the producer is abandoned, and ends when it can.
    pub fn close(self, limit: Duration) {
        self.line.closed.set(true);
        let deadline = self.hand.world.now() + limit;
        while !self.line.ended.get() && self.hand.world.now() < deadline {
            self.hand.pass(Duration::from_millis(10));
        }
        self.line.abandoned.set(true);
        self.hand.world.agenda.borrow_mut().wake(self.task);
    }
}

/// The producer's task.
fn produce(hand: &Hand<'_>, line: &Rc<Line>, id: &SmolStr, progress: Topic, lane: i32) {
    let ground = SimGround { hand, line: line.clone(), id: id.clone(), progress, lane };
    let mut settings = LaneSettings::default();
    if hand.world.errs(Planted::NeverRecycled) {
        settings.slow_commit = Duration::from_secs(3600);
    }
    let mut policy = LanePolicy::new(ground, settings, id.to_string(), &[]).expect("a client of a play is always made");
    policy.warm_up();
    loop {
        let order = line.orders.borrow_mut().pop_front();
        let done = match order {
            Some(Order::Init) => policy.take_over(),
            Some(Order::Commit(commit)) => policy.commit(&commit),
            None if line.closed.get() || line.abandoned.get() => break,
            None => {
                hand.pass(IDLE);
                policy.idle()
            }
        };
        if done.is_break() {
            break;
        }
    }
    line.ended.set(true);
}

impl Publisher for SimPublisher<'_> {
    fn take_over(&mut self, let_go: &dyn Fn() -> bool) -> Result<(), PortError> {
        self.hand.effect();
        self.order(Order::Init)?;
        let end = self.hand.world.now() + TAKE_OVER;
        loop {
            let heard = self.line.heard.borrow_mut().pop_front();
            match heard.and_then(taken_over) {
                Some(taken_over) => return taken_over,
                None if let_go() => return Err(PortError::later("the lane was let go while it was being taken over")),
                None if self.hand.world.now() >= end => return Err(PortError::later("the lane could not be taken over")),
                None => self.hand.pass(Duration::from_millis(20)),
            }
        }
    }
    fn submit(&mut self, step: Step) -> Result<(), PortError> {
        self.hand.effect();
        self.hand.world.saw_step(self.role, self.lane, &step);
        let messages = step_messages(self.role, self.progress, self.lane, step);
        let mut commit = Commit {
            step: DoneStep { sequence: u64::try_from(messages.step).map_err(PortError::of)?, mark: messages.mark },
            begin: vec![message(messages.begin)],
            outputs: messages.outputs.into_iter().map(message).collect(),
            done: vec![message(messages.done)],
        };
        self.err(&mut commit);
        self.order(Order::Commit(commit))
    }
    fn outcome(&mut self, wait: Duration) -> Option<Outcome> {
        let next = || self.line.heard.borrow_mut().pop_front();
        loop {
            match next() {
                Some(heard) => {
                    if let Some(outcome) = outcome_of(heard) {
                        return Some(outcome);
                    }
                }
                None if self.line.ended.get() => return Some(Outcome::Failed(PortError::later("the lane's producer has ended"))),
                None if wait.is_zero() => return None,
                None => {
                    self.hand.pass(wait);
                    return next().and_then(outcome_of);
                }
            }
        }
    }
    fn progress_end(&mut self) -> Result<i64, PortError> {
        self.hand.effect();
        if self.hand.reach(ENDS) != Reached::Never {
            self.known_end = self.known_end.max(self.hand.world.log.stable_end(self.progress.name(), self.lane));
        }
        Ok(self.known_end)
    }
}
