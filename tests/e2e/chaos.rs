//! Three instances of every role under load, and everything that may happen to them and their servers, alone and at once:
//! nothing is lost, nothing doubled, and no process ends by itself. First each role dies and each fault happens once, then
//! they are drawn.
//!
//! `BALLAST_CHAOS_KILLS` makes it longer, `BALLAST_SEED` chooses the load and the faults, `BALLAST_LOAD_FILLS` the executions
//! a second, `BALLAST_CHECKPOINT_MS` how often lanes write checkpoints.

use crate::e2e::crew::Shift;
use crate::e2e::faults::{FAULTS, Fault, Servers, drawn};
use crate::e2e::fleet::{Fleet, ROLES};
use std::collections::BTreeMap;
use std::time::Duration;
use system_tests::dice::Dice;
use system_tests::service::now;
use system_tests::stack::Stack;
use system_tests::waiting::from_environment;

/// Kills of a run among all tests.
const FEW: u64 = 30;

#[test]
fn a_fleet_under_every_fault_loses_nothing_and_doubles_nothing() {
    let seed = from_environment("BALLAST_SEED", u64::try_from(now().micros()).expect("after 1970"));
    let kills = usize::try_from(from_environment("BALLAST_CHAOS_KILLS", FEW)).expect("a number of kills");
    let (stack, proxy) = Stack::proxied("chaos");
    let mut fleet = Fleet::start(&stack);
    let mut shift = Shift::begin(&stack, seed);
    let mut dice = Dice::new(seed ^ 0x6368_616f);
    let mut servers = Servers::new(&stack, proxy);
    let mut struck = BTreeMap::<Fault, usize>::new();
    // Of each role the first, so that all of them die; then each of the other faults.
    for role in 0..ROLES.len() {
        shift.work(Duration::from_millis(500));
        servers.tend();
        fleet.tend(&stack);
        let killed = fleet.kill(role * fleet.len() / ROLES.len(), Duration::from_millis(500));
        *struck.entry(Fault::Kill).or_default() += usize::from(killed);
    }
    let mut ahead: Vec<_> = FAULTS.iter().map(|(fault, _)| *fault).filter(|fault| *fault != Fault::Kill && servers.may(*fault)).collect();
    while struck[&Fault::Kill] < kills || !ahead.is_empty() {
        shift.work(Duration::from_millis(100 + dice.below(900)));
        servers.tend();
        fleet.tend(&stack);
        let first = if dice.one_in(2) { ahead.last().copied() } else { None };
        let fault = first.unwrap_or_else(|| drawn(&mut dice));
        if servers.strike(fault, &mut fleet, &mut dice) {
            *struck.entry(fault).or_default() += 1;
            ahead.retain(|next| *next != fault);
        }
    }
    let unheard = servers.calm();
    fleet.gather(&stack);
    println!("{struck:?}; replies of commits that nobody heard: {unheard}; starts without a broker: {}", fleet.vain_starts());
    shift.settle(&stack);
    report(&fleet);
}

fn report(fleet: &Fleet) {
    for (role, name) in ROLES.iter().enumerate() {
        let (kills, freezes) = fleet.struck(role);
        println!("{name:<20} killed {kills} times, stopped {freezes} times");
        assert!(kills > 0, "every role is killed");
    }
    let recoveries = fleet.recoveries();
    let took = &recoveries.took_ms;
    let at = |part: usize| took.get(took.len().saturating_sub(1) * part / 100).copied().unwrap_or(0);
    println!(
        "from the kill of a lane's owner until the lane runs: median {} ms, 99 % {} ms, worst {} ms of {}; {} steps computed again",
        at(50),
        at(99),
        at(100),
        took.len(),
        recoveries.replayed
    );
    assert!(!took.is_empty(), "owners of lanes were killed");
    let errors = fleet.errors();
    let shown: Vec<_> = errors.iter().take(5).map(ToString::to_string).collect();
    assert!(errors.is_empty(), "{} errors were logged:\n{}", errors.len(), shown.join("\n"));
}
