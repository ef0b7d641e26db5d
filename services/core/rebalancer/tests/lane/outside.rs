//! RECONCILE with an outside book, as the rebalancer answers it; and turns of a schedule.

use crate::harness::{self, House, drift_mut, explained, tell, words};
use domain::enums::{CommandKind, DriftCause, DriftKind};
use domain::snapshot::{CashBreak, PositionBreak};
use domain::{Input, Output};

const POSITIONS: &str = r#""positions":[{"instrument_id":"AAA","quantity":"690"}]"#;

fn answered(house: &mut House, fields: &str) -> Vec<Output> {
    let reconcile = house.command(CommandKind::Reconcile, fields);
    assert_eq!(house.told(vec![reconcile.clone()]), "", "it waits for its drift event");
    house.restore();
    let answer = house.answer(&reconcile);
    house.window(vec![answer])
}

fn broken(house: &mut House) {
    house.book.health.unreconciled = true;
    house.book.health.position_breaks =
        vec![PositionBreak { instrument_id: "AAA".parse().unwrap(), ours: harness::units("700"), outside: harness::units("690") }];
    house.book.health.cash_breaks =
        vec![CashBreak { currency: "USD".parse().unwrap(), ours: "0".parse().unwrap(), outside: "12.5".parse().unwrap() }];
}

#[test]
fn an_outside_book_that_agrees_is_said_to() {
    let mut house = House::automatic();
    let outputs = answered(&mut house, POSITIONS);
    assert_eq!(tell(&outputs), "MANUAL NO_ACTION_NEEDED by c1");
    assert_eq!(words(&outputs, 0), "the outside book agrees with ours of 2026-01-05T14:30:00Z: 1 positions and 0 balances were compared");
}

#[test]
fn breaks_are_told_and_nothing_is_ordered() {
    let mut house = House::automatic();
    broken(&mut house);
    let outputs = answered(&mut house, POSITIONS);
    assert_eq!(tell(&outputs), "MANUAL REFUSED UNRECONCILED by c1");
    assert_eq!(explained(&outputs, 0), "AAA SKIP UNRECONCILED, BBB SKIP UNRECONCILED");
    assert!(words(&outputs, 0).starts_with("the outside book differs: AAA is 700 here and 690 there. Nothing is ordered until"));
    let Output::RebalanceEvent(event) = &outputs[0] else { panic!("an event") };
    let numbers: Vec<_> = event.explanation[0].numbers.iter().map(|number| format!("{} {}", number.name, number.value)).collect();
    assert_eq!(numbers, ["ours 700", "outside 690"]);
    assert_eq!(house.rebalanced(), "MANUAL REFUSED UNRECONCILED by c2");
    let cash = answered(&mut house, r#""cash":[{"currency":"USD","amount":"12.5"}]"#);
    assert!(words(&cash, 0).starts_with("the outside book differs: USD is 0 here and 12.5 there."), "{}", words(&cash, 0));
    house.book.health = domain::snapshot::Health { complete: true, ..Default::default() };
    assert!(house.rebalanced().starts_with("MANUAL RELEASED by c4"));
}

#[test]
fn an_outside_book_is_no_list_of_orders() {
    let mut house = House::automatic();
    for fields in [
        r#""orders":[{"order_id":"5b9da7e6-3c55-4a0b-9f0e-42a11a57ba11","quantity":"1"}],"cash":[{"currency":"USD","amount":"1"}]"#,
        r#""positions":[{"instrument_id":"AAA","quantity":"1"},{"instrument_id":"AAA","quantity":"2"}]"#,
        r#""cash":[{"currency":"USD","amount":"1"},{"currency":"USD","amount":"1"}]"#,
    ] {
        let command = house.command(CommandKind::Reconcile, fields);
        assert_eq!(house.told(vec![command]), "dead letter INVALID_COMMAND", "{fields}");
    }
}

fn turn(house: &House) -> Input {
    let mut due = house.drift(DriftKind::Requested);
    drift_mut(&mut due).cause = Some(DriftCause::Schedule);
    due
}

#[test]
fn a_turn_that_finds_a_cycle_open_is_left_out() {
    let mut house = House::automatic().opened();
    let due = turn(&house);
    let outputs = house.window(vec![due]);
    assert_eq!(tell(&outputs), "SCHEDULED REFUSED OPEN_CYCLE");
    assert!(words(&outputs, 0).ends_with("is RELEASED: this turn of the schedule is left out"), "{}", words(&outputs, 0));
    let mut house = House::approval();
    house.opening();
    house.book.price("AAA", "101");
    let due = turn(&house);
    let told = house.told(vec![due]);
    assert_eq!(told, "SCHEDULED REFUSED OPEN_CYCLE\nTHRESHOLD PENDING_APPROVAL [SELL 201 AAA, BUY 203 BBB]");
}

#[test]
fn a_breach_of_the_same_moment_does_not_narrow_a_turn() {
    for breach_first in [false, true] {
        let mut house = House::automatic();
        let (due, breach) = (turn(&house), house.drift(DriftKind::Open));
        let both = if breach_first { vec![breach, due] } else { vec![due, breach] };
        let told = house.told(both);
        assert!(told.starts_with("SCHEDULED RELEASED [SELL 200 AAA]"), "{told}");
    }
}
