//! The simulator of whole clusters: every role and lane, several processes, one thread and one seed. The real engine,
//! workers and commit policy run on a log and a store in memory that fail as brokers and databases do; whoever
//! dies does so at any effect. See `services/decisions/0050` and `0051`.

mod brokers;
mod chance;
mod checker;
mod client;
mod coverage;
mod faults;
mod inputs;
mod lane;
mod market;
mod membership;
mod must;
mod people;
mod planted;
mod play;
mod publisher;
mod reading;
mod retention;
mod router;
mod scenario;
mod seeds;
mod shrink;
mod stage;
mod store;
mod world;

use play::{Script, play};
use seeds::{Run, first_wrong, from_environment};
use std::collections::BTreeSet;

/// Seeds of an ordinary run.
const SEEDS: u64 = 2_000;
/// Of one that is judged by what retention leaves.
const KEPT_SEEDS: u64 = 300;

#[test]
fn nothing_is_lost_or_doubled_whatever_fails() {
    let (first, count) = (from_environment("BALLAST_SIM_FIRST", 1), from_environment("BALLAST_SIM_SEEDS", SEEDS));
    let run = Run::of(first, count, &Script::default());
    println!("{run}");
    run.assert_sound();
    if count >= SEEDS {
        must::assert_seen(&run.coverage);
    }
}

/// A deployment is older than its retention: nothing of what is left is accused for what is gone.
#[test]
fn what_retention_leaves_is_not_accused() {
    let count = from_environment("BALLAST_SIM_KEPT_SEEDS", KEPT_SEEDS);
    let run = Run::of(1, count, &Script { as_kept: true, ..Script::default() });
    println!("{} seeds in {:.1?}, {} went wrong", run.count, run.took, run.failed.len());
    run.assert_sound();
}

#[test]
fn a_seed_plays_the_same_to_the_byte() {
    for seed in 1..=20 {
        let told = |told| play(&Script { seed, told, ..Script::default() });
        let (once, again) = (told(true), told(false));
        assert_eq!((once.digest, once.moments, &once.struck), (again.digest, again.moments, &again.struck), "seed {seed}");
    }
}

#[test]
fn every_planted_mistake_is_found() {
    let found = std::thread::scope(|scope| {
        let looks = planted::ALL.map(|(mistake, seeds)| (mistake, scope.spawn(move || planted::found(mistake, seeds))));
        looks.map(|(mistake, look)| (mistake, look.join().expect("a play catches what goes wrong in it")))
    });
    let mut missed = Vec::new();
    for (mistake, found) in found {
        match found {
            Some((seed, wrong)) => println!("{:<24} seed {seed:>4}: {wrong}", format!("{mistake:?}")),
            None => missed.push(mistake),
        }
    }
    assert_eq!(missed, [], "not found within their seeds");
}

/// Looks for the first seed that goes wrong, on sources with a mistake in them: for `planted/find`. Then where faults are
/// many; there some seeds go wrong on sound sources as well, which are asked first and name them.
#[test]
fn a_mistake_of_the_sources_is_found() {
    let Ok(known) = std::env::var("BALLAST_SIM_PLANTED") else { return };
    let count = from_environment("BALLAST_SIM_SEEDS", SEEDS);
    if known == "sound" {
        let wrong = Run::of(1, count, &Script { harsh: true, ..Script::default() }).failed;
        println!("\nknown: {}", wrong.iter().map(|(seed, _)| seed.to_string()).collect::<Vec<_>>().join(" "));
        return;
    }
    let known = known.split_whitespace().map(|seed| seed.parse().expect("seeds are numbers")).collect();
    let mild = first_wrong(count, false, &BTreeSet::new()).map(|found| ("", found));
    match mild.or_else(|| first_wrong(count, true, &known).map(|found| (" where faults are many", found))) {
        Some((place, (seed, wrong))) => println!("\nseed {seed}{place}: {}", wrong.replace('\n', " ")),
        None => panic!("not found in {count} seeds, nor in as many where faults are many"),
    }
}

#[test]
fn a_failure_is_told_with_its_shortest_cause() {
    let planted = Some(planted::Planted::ReadsOneTooLate);
    let (seed, _) = planted::found(planted::Planted::ReadsOneTooLate, 50).expect("it is found");
    let whole = Script { seed, planted, harsh: true, ..Script::default() };
    let cause = shrink::shrink(&whole);
    assert!(!cause.outcome.wrongs.is_empty());
    let (before, after) = (play(&whole), &cause.outcome);
    assert!(
        after.struck.len() + after.inputs - cause.script.left_out.len() < before.struck.len() + before.inputs,
        "something was taken away"
    );
    let shown = shrink::shown(&cause);
    assert!(shown.contains("its shortest cause") && shown.contains(&format!("BALLAST_SIM_SEED={seed}")), "{shown}");
}

/// Plays the seed of `BALLAST_SIM_SEED` (with `BALLAST_SIM_AS_KEPT`, judged by what retention leaves), tells all of it, and looks for the shortest cause where it goes wrong.
#[test]
fn played_again() {
    let Ok(seed) = std::env::var("BALLAST_SIM_SEED") else { return };
    let as_kept = std::env::var_os("BALLAST_SIM_AS_KEPT").is_some();
    let script = Script { seed: seed.parse().expect("BALLAST_SIM_SEED is a number"), told: true, as_kept, ..Script::default() };
    let outcome = play(&script);
    outcome.tale.iter().for_each(|line| println!("{line}"));
    if !outcome.wrongs.is_empty() {
        panic!("{}", shrink::shown(&shrink::shrink(&Script { told: false, ..script })));
    }
}
