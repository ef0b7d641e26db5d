//! A play: a seed's world from its beginning to its end, and what came of it.

use crate::chance::{Asked, Chance};
use crate::checker::check;
use crate::coverage::Coverage;
use crate::faults::{Fault, Mix};
use crate::membership::meet;
use crate::people::{quote, watch};
use crate::planted::Planted;
use crate::retention;
use crate::router::route;
use crate::scenario::Scenario;
use crate::stage::{OUTSIDE, Stage};
use crate::world::World;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

/// How long a calm lasts: longer than any order, proposal or time-out of a play.
const CALM: Duration = Duration::from_secs(90);
/// For how long of it prices are told.
pub const QUOTED: Duration = Duration::from_secs(78);
/// How long brokers take to write the markers that are due.
const MARKERS: Duration = Duration::from_secs(4);
/// How long lanes are waited for that were asked to finish.
const FINISH: Duration = Duration::from_secs(5);

/// What to play.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Script {
    /// The seed.
    pub seed: u64,
    /// Faults that may not strike.
    pub spared: BTreeSet<Asked>,
    /// Inputs that are left out, by number.
    pub left_out: BTreeSet<usize>,
    /// Whether the tale is kept.
    pub told: bool,
    /// Whether faults are many.
    pub harsh: bool,
    /// A mistake that the ports make.
    pub planted: Option<Planted>,
    /// Whether the end is judged by what retention has left, as in a deployment; else by all that there was.
    pub as_kept: bool,
}

/// What came of a play.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// What went wrong.
    pub wrongs: Vec<String>,
    /// The digest of all that happened.
    pub digest: u64,
    /// Faults that struck.
    pub struck: Vec<Asked>,
    /// Inputs that there were.
    pub inputs: usize,
    /// What was seen.
    pub coverage: Coverage,
    /// The tale, where it was kept.
    pub tale: Vec<String>,
    /// Moments played.
    pub moments: u64,
}

/// Plays.
pub fn play(script: &Script) -> Outcome {
    let chance = Chance::new(script.seed, script.spared.clone());
    let mix = Mix::of(&chance, script.harsh);
    let scenario = Scenario::of(&chance, &mix, &script.left_out);
    let inputs = scenario.inputs.len() + script.left_out.len();
    let world = World::new(scenario, chance, mix, script);
    let mut stage = Stage::new(world.clone());
    let played = catch_unwind(AssertUnwindSafe(|| {
        perform(&mut stage, &world);
        check(&world);
    }));
    if let Err(panic) = played {
        let text = panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        world.wrong(format!("panic: {}", text.unwrap_or_default()));
    }
    stage.clear();
    world.chance.struck().iter().for_each(|(fault, _)| world.coverage.borrow_mut().saw("fault", fault));
    let digest = world.digest();
    if script.told {
        world.tell_records();
    }
    let tale = world.tale.as_ref().map(|tale| tale.borrow().clone()).unwrap_or_default();
    Outcome {
        wrongs: world.wrongs.borrow().clone(),
        digest,
        struck: world.chance.struck(),
        inputs,
        coverage: world.coverage.borrow().clone(),
        tale,
        moments: stage.moments,
    }
}

fn perform(stage: &mut Stage, world: &Rc<World>) {
    let scenario = &world.scenario;
    {
        let mut agenda = world.agenda.borrow_mut();
        for timed in scenario.inputs.iter().cloned() {
            agenda.after(timed.at, move |world| {
                world.tell(|| timed.says.clone());
                world.append(timed.message);
            });
        }
        agenda.begin(OUTSIDE, watch);
        agenda.begin(OUTSIDE, quote);
        if !scenario.with_router {
            agenda.begin(OUTSIDE, route);
        }
        agenda.after(Duration::from_secs(1), trouble);
    }
    meet(world);
    let wrong = |world: &World| !world.wrongs.borrow().is_empty();
    stage.play(scenario.active, wrong);
    if wrong(world) {
        return;
    }
    world.calm_down();
    if scenario.calms_down {
        stage.play(scenario.active + CALM, wrong);
    } else {
        // Whoever lives dies here; what brokers have decided, they write.
        (0..scenario.processes).for_each(|process| world.process_ends(process));
        world.finishing.set(true);
        world.closing.set(true);
        return stage.play(scenario.active + MARKERS, wrong);
    }
    if world.chance.below("finish", 2) == 0 {
        world.finishing.set(true);
        world.groups.borrow().finish_all();
        stage.play(scenario.active + CALM + FINISH, wrong);
    }
    world.closing.set(true);
}

/// What befalls the whole world now and then.
fn trouble(world: &Rc<World>) {
    if world.chance.is_calm() {
        return;
    }
    if world.strikes(Fault::BrokerRestart) {
        world.brokers_restart();
    }
    if world.strikes(Fault::Retention) {
        retention::passes(world);
    }
    for process in 0..world.scenario.processes {
        if world.strikes(Fault::ClockJump) {
            world.clock_jumps(process);
        }
    }
    world.agenda.borrow_mut().after(Duration::from_secs(1), trouble);
}
