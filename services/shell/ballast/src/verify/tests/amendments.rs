//! What the model makes of cancels and corrections: which may wait, and what they do to the sums of executions.

use super::*;
use domain::enums::ExecType;
use domain::fill::Fill;

/// A cancel of an execution, by its id.
fn cancel(id: &str, of: Option<&str>) -> Event {
    let cancelled = Fill { exec_type: ExecType::Cancel, exec_ref_id: of.map(Into::into), ..fill(id, Side::Buy, "30", "100", "0", None) };
    Event::Input(Box::new(Input::Fill(Box::new(cancelled))))
}

fn bought(id: &str) -> Event {
    Event::Input(Box::new(Input::Fill(Box::new(fill(id, Side::Buy, "1", "1", "0", None)))))
}

/// The clean story, in which the keeper's last step read these too.
fn with(read: impl IntoIterator<Item = Event>) -> Story {
    let mut story = clean();
    let at = story.events.len() - 2;
    story.events.splice(at..at, read);
    story
}

#[test]
fn i3_a_cancel_waits_for_its_execution_and_holds_nobody_up() {
    let report = passes(&with([cancel("x1", Some("never"))]));
    let fills = report.balances["execution.fills.v1"];
    assert_eq!((fills.waiting, fills.lost, report.exit_status()), (1, 0, 0), "{report}");
    // Of an instrument that is not known, it still waits for its execution first.
    let Event::Input(mut unknown) = cancel("x1", Some("never")) else { unreachable!() };
    if let Input::Fill(fill) = &mut *unknown {
        fill.instrument_id = v("NVDA");
    }
    found(&run(&with([Event::Input(unknown), bought("e9")])), "I3", &["e9 of P1 is lost"]);
    found(&run(&with([cancel("x1", Some("never")), bought("e9")])), "I3", &["e9 of P1 is lost"]);
}

#[test]
fn i3_a_cancel_may_not_wait_for_what_was_booked_or_for_nothing() {
    found(&run(&with([cancel("x1", Some("e1"))])), "I3", &["x1 of P1 is lost"]);
    found(&run(&with([cancel("x1", None)])), "I3", &["x1 of P1 is lost"]);
    found(&run(&with([cancel("x1", Some("x1"))])), "I3", &["x1 of P1 is lost"]);
}

#[test]
fn i1_looks_at_a_holding_that_a_waiting_cancel_names() {
    let mut story = with([cancel("x1", Some("never"))]);
    story.ledger(2).positions[0].quantity = v("41");
    story.snapshot(2).allocations[0].quantity = v("39");
    let report = run(&story);
    found(&report, "I1", &["holds 41 AAPL", "add up to 40"]);
    found(&report, "I1", &["holds 39 AAPL", "add up to 40"]);
}

#[test]
fn i1_does_not_follow_a_holding_that_a_cancel_moved() {
    let mut story = with([cancel("x1", Some("e1"))]);
    let mut entry = story.ledger(2).entries[0].clone();
    (entry.kind, entry.cause.offset, entry.cause.id) = (EntryKind::Cancel, 6, "x1".into());
    story.ledger(2).entries.push(entry);
    let report = run(&story);
    assert!(report.checks.iter().filter(|check| check.id == "I1").all(|check| check.passed() && check.checked == 0), "{report}");
}
