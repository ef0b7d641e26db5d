//! SIGKILL of one role about once a second for a minute, under load: nothing is lost, nothing doubled. Every
//! role in turn first, then at random.
//!
//! `BALLAST_KILL_SECONDS` makes it shorter or longer, `BALLAST_SEED` chooses the load and the victims.

use crate::crew::{Shift, hire, lanes_of, role_of};
use domain::Timestamp;
use std::time::{Duration, Instant};
use system_tests::dice::Dice;
use system_tests::service::{Service, now};
use system_tests::stack::Stack;
use system_tests::waiting::from_environment;

/// Milliseconds from each kill to all lanes of the role running, where it lived that long.
#[derive(Default)]
struct Recoveries {
    kills: Vec<(usize, Timestamp)>,
    took: Vec<u64>,
    replayed: u64,
    cut_short: usize,
}

impl Recoveries {
    /// Looks at what a process has logged, before it is killed again or at the end.
    fn note(&mut self, member: usize, service: &Service, killed: Timestamp) {
        let lanes = service.recovered();
        self.replayed += lanes.iter().map(|lane| lane.replayed).sum::<u64>();
        if lanes_of(member) == 0 {
            return;
        }
        match lanes.iter().map(|lane| lane.at).max().filter(|_| lanes.len() >= lanes_of(member)) {
            Some(last) => self.took.push(u64::try_from(last.since(killed) / 1000).unwrap_or(0)),
            None => self.cut_short += 1,
        }
    }

    fn report(mut self) {
        self.took.sort_unstable();
        let at = |part: usize| self.took.get((self.took.len().saturating_sub(1)) * part / 100).copied().unwrap_or(0);
        println!(
            "{} kills; from the kill to every lane of the role running: median {} ms, worst {} ms of {} ({} were killed again before); {} steps computed again",
            self.kills.len(),
            at(50),
            at(100),
            self.took.len(),
            self.cut_short,
            self.replayed
        );
    }
}

#[test]
fn roles_killed_at_random_under_load_lose_nothing_and_double_nothing() {
    let seed = from_environment("BALLAST_SEED", u64::try_from(now().micros()).expect("after 1970"));
    let span = Duration::from_secs(from_environment("BALLAST_KILL_SECONDS", 60));
    let stack = Stack::ready("kill-loop");
    let mut crew = hire(&stack);
    let mut shift = Shift::begin(&stack, seed);
    let mut dice = Dice::new(seed ^ 0x6b69_6c6c);
    let mut last: Vec<Option<Timestamp>> = crew.iter().map(|_| None).collect();
    let mut recoveries = Recoveries::default();
    let end = Instant::now() + span;
    while Instant::now() < end || recoveries.kills.len() < crew.len() {
        shift.work(Duration::from_millis(500 + dice.below(1000)));
        let round = recoveries.kills.len();
        let drawn = usize::try_from(dice.below(crew.len() as u64)).expect("an index");
        let member = if round < crew.len() { round } else { drawn };
        if let Some(before) = last[member] {
            recoveries.note(member, &crew[member], before);
        }
        crew[member].kill();
        last[member] = Some(now());
        recoveries.kills.push((member, now()));
        crew[member].restart(&stack);
    }
    for (member, (service, killed)) in crew.iter_mut().zip(last).enumerate() {
        service.await_lanes(lanes_of(member));
        if let Some(killed) = killed {
            recoveries.note(member, service, killed);
        }
    }
    shift.settle(&stack);
    for member in 0..crew.len() {
        let kills = recoveries.kills.iter().filter(|(killed, _)| *killed == member).count();
        println!("{:<16} killed {kills} times", role_of(member));
        assert!(kills > 0, "every role is killed");
    }
    recoveries.report();
}
