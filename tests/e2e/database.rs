//! Postgres goes away under load and comes back: outputs go on without it, checkpoints after it.

use crate::e2e::crew::{Shift, hire, ledger_length};
use std::time::Duration;
use system_tests::stack::Stack;

#[test]
fn outputs_go_on_while_postgres_is_away() {
    let stack = Stack::ready("postgres-away");
    let mut crew = hire(&stack);
    let mut shift = Shift::begin(&stack, 21);
    shift.work(Duration::from_secs(3));
    stack.control(&["stop-postgres", "--signal", "INT"]);
    let before = ledger_length(&stack);
    shift.work(Duration::from_secs(5));
    let meanwhile = ledger_length(&stack) - before;
    assert!(meanwhile > 50, "the ledger grew by {meanwhile} records while Postgres was away");

    // A lane that must load its checkpoint waits for it, and says so, and has not lost its place.
    crew[1].kill();
    crew[1].restart(&stack);
    shift.work_until("the position-keeper waits for Postgres", || (!crew[1].lines_saying("Postgres").is_empty()).then_some(()));
    assert!(crew[1].recovered().is_empty(), "no lane runs without having looked for its checkpoint");

    stack.control(&["restart-postgres"]);
    let lanes = shift.work_until("every lane runs again", || Some(crew[1].recovered()).filter(|lanes| lanes.len() == 4));
    println!("the ledger grew by {meanwhile} records while Postgres was away; then recovered: {lanes:?}");
    shift.work(Duration::from_secs(3));
    shift.settle(&stack);
}
