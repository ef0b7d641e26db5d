//! Two instances of every role share its lanes, or one works and the other stands by; one of them dies, or
//! stops and comes back as a zombie.

use crate::e2e::crew::{LANES, SETTINGS, Shift};
use crate::e2e::fleet::{ROLES, SHARING};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use system_tests::service::Service;
use system_tests::stack::Stack;
use system_tests::waiting::until;

/// Two instances of every role.
struct Shared {
    first: [Service; 6],
    second: [Service; 6],
}

impl Shared {
    fn start(stack: &Stack) -> Self {
        let all = |instance| ROLES.map(|role| Service::start(stack, &[role], instance, SETTINGS));
        let shared = Self { first: all("1"), second: all("2") };
        for role in 0..SHARING {
            until("two instances share the lanes", Duration::from_secs(60), || {
                let (first, second) = (lanes(&shared.first[role]), lanes(&shared.second[role]));
                (!first.is_empty() && !second.is_empty() && first.union(&second).count() == LANES).then_some(())
            });
        }
        for role in SHARING..ROLES.len() {
            until("one of two works", Duration::from_secs(60), || {
                (works(&shared.first[role]) || works(&shared.second[role])).then_some(())
            });
        }
        shared
    }
}

/// Whether a conflator or projector has worked since its start.
fn works(service: &Service) -> bool {
    !service.lines_saying("conflator runs").is_empty() || !service.lines_saying("the projector reads").is_empty()
}

/// The lanes that it has ever recovered since its start.
fn lanes(service: &Service) -> BTreeSet<u64> {
    service.recovered().iter().map(|lane| lane.lane).collect()
}

#[test]
fn the_other_instance_takes_a_killed_one_s_lanes_over() {
    let stack = Stack::ready("takeover");
    let mut shared = Shared::start(&stack);
    let mut shift = Shift::begin(&stack, 31);
    shift.work(Duration::from_secs(3));
    for (role, name) in ROLES.iter().enumerate() {
        let killed = Instant::now();
        // Of two that take turns the one that works is killed.
        if works(&shared.second[role]) {
            std::mem::swap(&mut shared.first[role], &mut shared.second[role]);
        }
        shared.first[role].kill();
        let second = &shared.second[role];
        shift.work_until("the other instance has taken over", || (works(second) || lanes(second).len() == LANES).then_some(()));
        let took = killed.elapsed();
        println!("{name}: the other instance had taken over {took:.1?} after the kill");
        assert!(took < Duration::from_secs(20), "a session is 6 s: {took:?}");
    }
    shift.work(Duration::from_secs(2));
    shift.settle(&stack);
}

#[test]
fn a_zombie_that_wakes_up_is_fenced() {
    let stack = Stack::ready("zombie");
    let mut shared = Shared::start(&stack);
    let mut shift = Shift::begin(&stack, 32);
    shift.work(Duration::from_secs(3));
    for role in 0..SHARING {
        shared.first[role].signal("STOP");
        let second = &shared.second[role];
        shift.work_until("the other instance has every lane", || (lanes(second).len() == LANES).then_some(()));
        shared.first[role].signal("CONT");
        shift.work(Duration::from_secs(3));
        shared.first[role].assert_runs();
    }
    // What a zombie had half done must not have come through, whoever owns the lanes now.
    shift.work(Duration::from_secs(3));
    shift.settle(&stack);
    for service in shared.first.iter().chain(&shared.second) {
        assert_eq!(service.errors(), Vec::<serde_json::Value>::new(), "{}", service.name());
    }
    // Whoever was stopped between two steps has nothing to go on with: one of the roles was in the middle of one.
    let told = ["a lane's producer is fenced", "a lane's producer that was let go ends"]
        .map(|text| shared.first.iter().map(|service| service.lines_saying(text).len()).sum::<usize>());
    println!("{} producers were fenced, {} gave up", told[0], told[1]);
    assert!(told[0] + told[1] > 0, "under load, a woken role tries to go on, and does not come through");
}
