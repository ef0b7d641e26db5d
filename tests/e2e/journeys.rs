//! Both journeys through Kafka, in event time: every published execution against the published positions
//! and cash of every day, and a portfolio that stays in its bands for eight years.
//!
//! `ballast demo` publishes each day when the one before is digested, holds each day against its oracle,
//! kills the stateful roles in the middle, and fails at the first difference; it is run whole.

use std::time::Instant;
use system_tests::binary::root;
use system_tests::stack::Stack;

#[test]
fn every_day_of_both_journeys_equals_its_oracle() {
    let stack = Stack::bare("journeys");
    let (data, logs) = (root().join("tests/data"), stack.logs());
    let started = Instant::now();
    let ended = stack.ballast(&["demo", "--data", &data.to_string_lossy(), "--logs", &logs.to_string_lossy()]);
    println!("{}\n{}", ended.out, ended.err);
    println!("both journeys took {:.0?}", started.elapsed());
    assert_eq!(ended.code, Some(0), "the demo holds every day against its oracle and fails at a difference");
    assert!(ended.out.contains("SIGKILL to the position-keeper and the rebalancer"), "both were killed in the middle");
    for role in ["position-keeper", "rebalancer"] {
        let back = ended.out.lines().any(|line| line.contains(role) && line.contains("from SIGKILL to its next committed step"));
        assert!(back, "{role} has committed again after it was killed");
    }
    assert!(ended.out.contains("no violation"), "and ends with the table of invariants");
}
