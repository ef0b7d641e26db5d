//! One lane of a process, as its thread lives it: recover, run, let go, and recover again what may pass. The worker and
//! the recovery are the service's own.

use crate::publisher::SimPublisher;
use crate::reading::{SimPast, SimReader};
use crate::stage::Hand;
use crate::store::SimCheckpoints;
use ballast::worker::observer::Silent;
use ballast::worker::{LaneHalt, LaneWorker, Ports, Target, Turn, recover};
use engine::Role;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

/// Between two tries after something outside failed.
const AGAIN: Duration = Duration::from_millis(500);
/// How long a lane that is let go waits for its commit in flight.
const CLOSE: Duration = Duration::from_millis(200);
/// How long a lane that was fenced stays away.
const AWAY: Duration = Duration::from_secs(10);

/// What a lane's task is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wish {
    /// Go on.
    #[default]
    GoOn,
    /// Finish within a limit and let go.
    Finish(Duration),
    /// Let go at once.
    Drop,
}

/// A lane's place in a process.
#[derive(Debug, Default)]
pub struct Seat {
    /// What is asked of the task.
    pub wish: Cell<Wish>,
    /// Whether the task has ended.
    pub ended: Cell<bool>,
    /// The last step that the lane knows to be visible, while it runs.
    pub running_at: Cell<Option<i64>>,
}

/// How a life ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    LetGo,
    Fenced,
}

/// A lane's task.
pub fn live<R: Role + Default>(hand: &Hand<'_>, seat: &Rc<Seat>, role: usize, lane: i32) {
    while seat.wish.get() == Wish::GoOn {
        let lived = one_life::<R>(hand, seat, role, lane);
        seat.running_at.set(None);
        match lived {
            Ok(End::LetGo) => break,
            Ok(End::Fenced) => {
                hand.world.note("branch", "lane-fenced", || format!("{} lane {lane} in process {}", R::NAME, hand.process));
                wait(hand, seat, AWAY);
            }
            Err(_) if seat.wish.get() != Wish::GoOn => break,
            Err(halt) if halt.passes() => {
                hand.world.note("branch", "lane-recovers-again", || format!("{} lane {lane}: {halt}", R::NAME));
                wait(hand, seat, AGAIN);
            }
            Err(halt) => {
                hand.world.wrong(format!("{} lane {lane} halts: {halt}", R::NAME));
                while seat.wish.get() == Wish::GoOn {
                    hand.pass(AWAY);
                }
            }
        }
    }
    seat.ended.set(true);
}

fn wait(hand: &Hand<'_>, seat: &Seat, span: Duration) {
    let end = hand.world.now() + span;
    while seat.wish.get() == Wish::GoOn && hand.world.now() < end {
        hand.pass(Duration::from_millis(100));
    }
}

fn one_life<R: Role + Default>(hand: &Hand<'_>, seat: &Seat, role: usize, lane: i32) -> Result<End, LaneHalt> {
    let place = (hand.process, role, lane);
    // A producer of an earlier life in this process would fence its successor.
    while hand.world.lines.borrow().get(&place).is_some_and(|line| !line.ended.get()) {
        hand.world.note("branch", "waits-for-producer-before", || format!("{} lane {lane}", R::NAME));
        if seat.wish.get() != Wish::GoOn {
            return Ok(End::LetGo);
        }
        hand.pass(AGAIN);
    }
    let mut publisher = SimPublisher::open::<R>(hand, lane);
    hand.world.lines.borrow_mut().insert(place, publisher.line());
    let end = lead::<R>(hand, seat, lane, &mut publisher);
    let limit = if matches!(end, Ok(End::LetGo)) && seat.wish.get() != Wish::Drop { CLOSE } else { Duration::ZERO };
    publisher.close(limit);
    end
}

fn lead<R: Role + Default>(hand: &Hand<'_>, seat: &Seat, lane: i32, publisher: &mut SimPublisher<'_>) -> Result<End, LaneHalt> {
    let world = hand.world;
    let mut codec = world.codec();
    let mut checkpoints = SimCheckpoints::new::<R>(hand, lane);
    let mut past = SimPast::new::<R>(hand, lane);
    let target = Target { lane, lanes: world.scenario.lanes, genesis: false };
    let let_go = || seat.wish.get() != Wish::GoOn;
    let recovered = recover(target, &R::default, &mut codec, &mut past, &mut checkpoints, publisher, &let_go)?;
    let replayed = if recovered.replayed > 0 { "replayed" } else { "nothing-to-replay" };
    world.note("recovery", replayed, || format!("{} lane {lane} at step {}", R::NAME, recovered.lane.step()));
    if recovered.dangling.is_some() {
        world.note("recovery", "dangling", || format!("{} lane {lane}", R::NAME));
    }
    let mut reader = SimReader::new(hand);
    let mut ports = Ports { reader: &mut reader, publisher, checkpoints: &mut checkpoints, codec: &mut codec, steady: hand };
    let (core, pacing) = (&world.scenario.core, world.scenario.pacing.clone());
    let mut worker = LaneWorker::start(recovered, core, pacing, Box::new(Silent), &mut ports)?;
    loop {
        seat.running_at.set(Some(worker.confirmed()));
        match seat.wish.get() {
            Wish::GoOn => {
                if worker.turn(world.clock(hand.process), &mut ports)? == Turn::Fenced {
                    return Ok(End::Fenced);
                }
            }
            Wish::Drop => return Ok(End::LetGo),
            Wish::Finish(limit) => {
                let whole = worker.finish(limit, &mut ports)?;
                world.note("branch", if whole { "let-go-whole" } else { "let-go-in-doubt" }, || format!("{} lane {lane}", R::NAME));
                return Ok(End::LetGo);
            }
        }
    }
}
