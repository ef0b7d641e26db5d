//! One of two brokers is away, and with it the leaders of some lanes: an emergency stop reaches the others, says which it did
//! not reach, and reaches them by the same id when the broker is back.

use crate::e2e::crew::{LANES, SETTINGS};
use crate::e2e::portfolio_commands::{Told, ask};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use system_tests::service::Service;
use system_tests::stack::Stack;
use system_tests::waiting::until;

/// Longer than the brokers may take to take a halt and the client to say that they have not, and their lanes to answer.
const BOUND: Duration = Duration::from_secs(60);

fn lanes(of: &Value) -> BTreeSet<u64> {
    of.as_array().into_iter().flatten().filter_map(|row| row.as_u64().or(row["lane"].as_u64())).collect()
}

fn stop(stack: &Stack, scope: &[&str]) -> Told {
    ask(stack, &[&["halt", "--actor", "ann", "--wait", "10"], scope].concat())
}

#[test]
fn a_halt_reaches_the_lanes_that_have_a_leader_and_names_the_others() {
    let stack = Stack::of_two_brokers("deaf-lanes");
    let mut rebalancer = Service::start(&stack, &["rebalancer"], "1", SETTINGS);
    rebalancer.await_lanes(LANES);
    let all: BTreeSet<u64> = (0..LANES as u64).collect();
    let whole = stop(&stack, &["--instrument", "BEFORE"]);
    assert_eq!((whole.code, lanes(&whole.json["read_by"])), (Some(0), all.clone()), "{}", whole.err);

    stack.control(&["kill-broker", "--second", "--signal", "KILL"]);
    let asked = Instant::now();
    let half = stop(&stack, &["--firm", "--command-id", "firm-1"]);
    assert!(asked.elapsed() < BOUND, "it took {:?}: {}", asked.elapsed(), half.err);
    let parts = ["read_by", "not_read_by", "not_heard", "not_reached"].map(|name| lanes(&half.json[name]));
    let unreached = parts[3].clone();
    assert_eq!((half.code, unreached.len()), (Some(5), LANES / 2), "{} {}", half.json, half.err);
    assert_eq!(parts.iter().map(BTreeSet::len).sum::<usize>(), LANES, "each stands once: {}", half.json);
    assert_eq!(parts.into_iter().flatten().collect::<BTreeSet<_>>(), all, "{}", half.json);
    for lane in &unreached {
        assert!(half.err.contains(&format!("lane {lane} was not reached")) && half.err.contains("sending command firm-1"), "{}", half.err);
    }
    let listed = ask(&stack, &["halts"]);
    assert_eq!((listed.code, lanes(&listed.json["unread"])), (Some(1), unreached.clone()), "{} {}", listed.json, listed.err);
    let firm = listed.json["halts"].as_array().into_iter().flatten().find(|halt| halt["scope"] == "FIRM").cloned();
    assert_eq!(firm.map(|halt| lanes(&halt["lanes"])), Some(&all - &unreached), "{}", listed.json);

    stack.control(&["restart-broker", "--second"]);
    until("every lane has read it", Duration::from_secs(120), || {
        let told = stop(&stack, &["--firm", "--command-id", "firm-1"]);
        (told.code == Some(0) && lanes(&told.json["read_by"]) == all).then_some(())
    });
    let listed = ask(&stack, &["halts"]);
    assert_eq!((listed.code, lanes(&listed.json["unread"])), (Some(0), BTreeSet::new()), "{}", listed.err);
    rebalancer.assert_runs();
}
