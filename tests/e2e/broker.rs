//! The broker goes away under load and comes back.

use crate::e2e::crew::{Shift, hire};
use serde_json::Value;
use std::time::Duration;
use system_tests::stack::Stack;

#[test]
fn a_broker_killed_under_load_costs_nothing_but_time() {
    let stack = Stack::ready("broker-killed");
    let mut crew = hire(&stack);
    let mut shift = Shift::begin(&stack, 11);
    shift.work(Duration::from_secs(3));
    stack.control(&["kill-broker", "--signal", "KILL"]);
    shift.work(Duration::from_secs(1));
    stack.control(&["restart-broker"]);
    shift.work(Duration::from_secs(4));
    crew.iter_mut().for_each(system_tests::service::Service::assert_runs);
    shift.settle(&stack);
    assert_eq!(crew.iter().flat_map(|service| service.errors()).collect::<Vec<Value>>(), Vec::<Value>::new());
}

#[test]
fn an_orderly_restart_of_the_broker_under_load_costs_nothing_but_time() {
    let stack = Stack::ready("broker-restarted");
    let mut crew = hire(&stack);
    let mut shift = Shift::begin(&stack, 12);
    shift.work(Duration::from_secs(3));
    stack.control(&["restart-broker", "--signal", "TERM"]);
    shift.work(Duration::from_secs(4));
    crew.iter_mut().for_each(system_tests::service::Service::assert_runs);
    shift.settle(&stack);
    assert_eq!(crew.iter().flat_map(|service| service.errors()).collect::<Vec<Value>>(), Vec::<Value>::new());
}
