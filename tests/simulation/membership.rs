//! Which process has which lane: a group for each role, that only hints, as the real one does. It hears of processes
//! late, moves lanes about, and may give a lane to one process while another still believes to have it.

use crate::faults::Fault;
use crate::lane::{Seat, Wish, live};
use crate::market::conflate;
use crate::stage::Process;
use crate::world::World;
use paper_router::PaperRouter;
use performance_tracker::PerformanceTracker;
use position_keeper::PositionKeeper;
use rebalancer::Rebalancer;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

/// Between two looks of the group.
const LOOK: Duration = Duration::from_millis(250);
/// A process that is silent for so long has lost its lanes.
const SESSION: Duration = Duration::from_secs(6);
/// How long a lane that is taken away may take to finish.
const LET_GO: Duration = Duration::from_millis(1900);
/// After so long the group gives the lane away, whatever its owner does.
const REBALANCE: Duration = Duration::from_millis(2500);

/// A role's number here.
pub type RoleNumber = usize;
/// The roles that a process may have.
pub const ROLES: [&str; 5] = ["position-keeper", "rebalancer", "paper-router", "conflator", "performance-tracker"];
/// The role that is no lane's.
pub const CONFLATOR: RoleNumber = 3;
/// The role that some plays leave to somebody outside.
const ROUTER: RoleNumber = 2;

#[derive(Debug, Clone, Copy)]
struct Move {
    to: Process,
    until: Duration,
}

/// The groups of every role.
pub struct Groups {
    owners: BTreeMap<(RoleNumber, i32), Option<Process>>,
    moves: BTreeMap<(RoleNumber, i32), Move>,
    seats: BTreeMap<(Process, RoleNumber, i32), Rc<Seat>>,
}

impl Groups {
    /// Groups in which nobody has anything yet.
    pub fn new(lanes: i32, with_router: bool) -> Self {
        let roles = (0..ROLES.len()).filter(|role| with_router || *role != ROUTER);
        let lanes = |role: RoleNumber| if role == CONFLATOR { 1 } else { lanes };
        let owners = roles.flat_map(|role| (0..lanes(role)).map(move |lane| ((role, lane), None))).collect();
        Self { owners, moves: BTreeMap::new(), seats: BTreeMap::new() }
    }
    /// A process has died, and its tasks with it.
    pub fn process_died(&mut self, process: Process) {
        self.seats.retain(|(owner, ..), _| *owner != process);
    }
    /// Lanes that do not run at their owner's, for the end of a play.
    pub fn idle(&self) -> Vec<String> {
        let idle = self.owners.iter().filter(|((role, lane), owner)| {
            let seat = owner.and_then(|process| self.seats.get(&(process, *role, *lane)));
            seat.is_none_or(|seat| seat.running_at.get().is_none())
        });
        idle.map(|((role, lane), owner)| format!("{} lane {lane} does not run (owner: {owner:?})", ROLES[*role])).collect()
    }
    /// Whether every task that was begun runs, and none is on its way back or ending.
    pub fn all_run(&self) -> bool {
        self.seats.values().all(|seat| !seat.ended.get() && seat.wish.get() == Wish::GoOn && seat.running_at.get().is_some())
    }
    /// How far the last of those is that run a role's lane; `None` where nobody does.
    pub fn least_step(&self, role: &str, lane: i32) -> Option<i64> {
        let of = |(_, number, of): &(Process, RoleNumber, i32)| ROLES[*number] == role && *of == lane;
        self.seats.iter().filter(|(place, _)| of(place)).map(|(_, seat)| seat.running_at.get()).min().flatten()
    }
    /// Asks every lane to finish and let go.
    pub fn finish_all(&self) {
        self.seats.values().for_each(|seat| seat.wish.set(Wish::Finish(LET_GO)));
    }
    fn load(&self, role: RoleNumber, process: Process) -> usize {
        let will_have = |place: &(RoleNumber, i32), owner: &Option<Process>| self.moves.get(place).map_or(*owner, |moved| Some(moved.to));
        self.owners.iter().filter(|(place, owner)| place.0 == role && will_have(place, owner) == Some(process)).count()
    }
}

/// Lets the group look again and again.
pub fn meet(world: &Rc<World>) {
    if !world.finishing.get() {
        look(world);
    }
    if !world.closing.get() {
        world.agenda.borrow_mut().after(LOOK, meet);
    }
}

fn look(world: &Rc<World>) {
    let now = world.now();
    let (mut awake, mut members) = (Vec::new(), Vec::new());
    for (process, machine) in world.machines.borrow_mut().iter_mut().enumerate() {
        if machine.alive && machine.frozen <= now {
            machine.heard = now;
            awake.push(process);
        }
        if now - machine.heard < SESSION {
            members.push(process);
        }
    }
    let places: Vec<_> = world.groups.borrow().owners.keys().copied().collect();
    for place in places {
        place_lane(world, place, &members);
    }
    for process in awake {
        tell(world, process);
    }
}

/// Decides who has a lane.
fn place_lane(world: &Rc<World>, place: (RoleNumber, i32), members: &[Process]) {
    let now = world.now();
    let mut groups = world.groups.borrow_mut();
    let owner = groups.owners[&place].filter(|owner| members.contains(owner));
    let Some(owner) = owner else {
        let free = members.iter().copied().min_by_key(|process| (groups.load(place.0, *process), *process));
        groups.moves.remove(&place);
        groups.owners.insert(place, free);
        return;
    };
    if let Some(moved) = groups.moves.get(&place).copied() {
        let seat = groups.seats.get(&(owner, place.0, place.1));
        if seat.is_none_or(|seat| seat.ended.get()) || now >= moved.until || !members.contains(&moved.to) {
            groups.moves.remove(&place);
            groups.owners.insert(place, Some(moved.to).filter(|to| members.contains(to)));
        }
        return;
    }
    let (most, to) =
        (groups.load(place.0, owner), members.iter().copied().min_by_key(|process| (groups.load(place.0, *process), *process)));
    let uneven = to.is_some_and(|to| groups.load(place.0, to) + 1 < most);
    drop(groups);
    let moved = if uneven { to } else { Some(*world.chance.pick("hand-over.to", members)).filter(|_| world.strikes(Fault::HandOver)) };
    if let Some(to) = moved.filter(|to| *to != owner) {
        world.tell(|| format!("{} lane {} moves from {owner} to {to}", ROLES[place.0], place.1));
        world.groups.borrow_mut().moves.insert(place, Move { to, until: now + REBALANCE });
    }
}

/// Tells a process what it has and what it has no more.
fn tell(world: &Rc<World>, process: Process) {
    let places: Vec<_> = world.groups.borrow().owners.iter().map(|(place, owner)| (*place, *owner)).collect();
    for ((role, lane), owner) in places {
        let (seat, moving) = {
            let groups = world.groups.borrow();
            (groups.seats.get(&(process, role, lane)).cloned(), groups.moves.contains_key(&(role, lane)))
        };
        match seat {
            Some(seat) if seat.ended.get() => {
                world.groups.borrow_mut().seats.remove(&(process, role, lane));
            }
            Some(seat) if owner == Some(process) && moving && seat.wish.get() == Wish::GoOn => seat.wish.set(Wish::Finish(LET_GO)),
            Some(seat) if owner != Some(process) && seat.wish.get() == Wish::GoOn && !world.strikes(Fault::SplitBrain) => {
                seat.wish.set(Wish::Drop);
            }
            None if owner == Some(process) && !moving => begin(world, process, role, lane),
            _ => {}
        }
    }
}

fn begin(world: &Rc<World>, process: Process, role: RoleNumber, lane: i32) {
    let seat = Rc::new(Seat::default());
    world.groups.borrow_mut().seats.insert((process, role, lane), seat.clone());
    world.tell(|| format!("process {process} begins {} lane {lane}", ROLES[role]));
    world.agenda.borrow_mut().begin(process, move |hand| match role {
        0 => live::<PositionKeeper>(hand, &seat, role, lane),
        1 => live::<Rebalancer>(hand, &seat, role, lane),
        ROUTER => live::<PaperRouter>(hand, &seat, role, lane),
        4 => live::<PerformanceTracker>(hand, &seat, role, lane),
        _ => conflate(hand, &seat),
    });
}
