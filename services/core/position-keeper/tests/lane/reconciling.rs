//! RECONCILE with an outside book: what is compared, what differs, and what ends it.

use crate::harness::*;
use serde_json::{Value, json};

/// 10 A at 10, 5 B at 20, 900 USD and 100 EUR at 1.2.
fn held(policy: Value) -> Book {
    let mut book = Book::new();
    book.policy(1, policy).instrument("A", json!({})).instrument("B", json!({})).instrument("EUR/USD", json!({"type": "FX"}));
    book.price("A", "10").price("B", "20").price("EUR/USD", "1.2");
    book.cash("d", "DEPOSIT", "USD", "1100").cash("e", "DEPOSIT", "EUR", "100");
    book.fill("1", "BUY", "10", "10", json!({})).fill("2", "BUY", "5", "20", json!({"instrument_id": "B"})).run();
    book
}

fn statement(positions: &[(&str, &str)], cash: &[(&str, &str)]) -> Value {
    let positions: Vec<_> = positions.iter().map(|(id, units)| json!({"instrument_id": id, "quantity": units})).collect();
    let cash: Vec<_> = cash.iter().map(|(currency, amount)| json!({"currency": currency, "amount": amount})).collect();
    json!({"positions": positions, "cash": cash})
}

/// What the drift event that answers an outside book says: `A 10/9 USD 900/901`.
fn compared(book: &mut Book, id: &str, said: Value) -> String {
    let outputs = book.command(id, "RECONCILE", said).run();
    let drift = only(drifts(&outputs));
    assert_eq!(drift.cause_id.as_deref(), Some(id));
    told(&drift.health)
}

fn told(health: &domain::snapshot::Health) -> String {
    let positions = health.position_breaks.iter().map(|found| format!("{} {}/{}", found.instrument_id, found.ours, found.outside));
    let cash = health.cash_breaks.iter().map(|found| format!("{} {}/{}", found.currency, found.ours, found.outside));
    let all: Vec<_> = positions.chain(cash).collect();
    assert_eq!(health.unreconciled, !all.is_empty());
    all.join(" ")
}

const ALL: [(&str, &str); 2] = [("A", "10"), ("B", "5")];
const CASH: [(&str, &str); 2] = [("USD", "900"), ("EUR", "100")];

#[test]
fn an_agreeing_book_says_so_and_each_difference_is_a_break() {
    let mut book = held(json!({}));
    for (n, (positions, cash, breaks)) in [
        (ALL.to_vec(), CASH.to_vec(), ""),
        (vec![("A", "10")], vec![], "B 5/0"),
        (vec![("A", "10"), ("B", "5"), ("C", "3"), ("D", "0")], vec![], "C 0/3"),
        (vec![("A", "10.00000001"), ("B", "-5")], vec![], "A 10/10.00000001 B 5/-5"),
        (ALL.to_vec(), vec![("USD", "900.0000000001")], "EUR 100/0 USD 900/900.0000000001"),
        (vec![], vec![("USD", "900"), ("EUR", "100"), ("CHF", "1")], "CHF 0/1"),
        // Only cash is compared: positions agreed before.
        (vec![], CASH.to_vec(), ""),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(compared(&mut book, &format!("k{n}"), statement(&positions, &cash)), breaks, "{positions:?} {cash:?}");
    }
}

#[test]
fn a_break_stays_through_bookings_until_a_list_agrees_or_a_person_lets_it_be() {
    let mut book = held(json!({}));
    assert_eq!(compared(&mut book, "k1", statement(&[("A", "12"), ("B", "5")], &[])), "A 10/12");
    let outputs = book.at(second(2)).fill("3", "BUY", "2", "10", json!({})).run();
    assert_eq!(told(&only(snapshots(&outputs)).health), "A 10/12", "a trade may be another one than what is missing");
    assert_eq!(compared(&mut book, "k2", statement(&[], &[("USD", "880"), ("EUR", "100")])), "A 10/12", "cash says nothing of positions");
    assert_eq!(compared(&mut book, "k3", statement(&[("A", "12"), ("B", "5")], &[])), "");
    assert_eq!(compared(&mut book, "k4", statement(&[("A", "12")], &[("USD", "1")])), "B 5/0 EUR 100/0 USD 880/1");
    let outputs = book.at(second(4)).command("r", "RELEASE", json!({})).run();
    assert_eq!(told(&only(snapshots(&outputs)).health), "");
    assert!(letters(&outputs).is_empty());
    let again = book.command("r2", "RELEASE", json!({})).run();
    assert!(
        letters(&again)[0].1.contains("it is not quarantined, no outside book differs from it, and no figure of it is beyond its bound"),
        "{:?}",
        letters(&again)
    );
}

#[test]
fn a_tolerance_bears_differences_by_their_worth() {
    let mut book = held(json!({"book": {"reconcile_tolerance": "6"}}));
    // 0.6 of A and 5 EUR are worth 6, 0.3 of B too.
    assert_eq!(compared(&mut book, "k1", statement(&[("A", "10.6"), ("B", "4.7")], &[("USD", "894"), ("EUR", "95")])), "");
    let beyond =
        statement(&[("A", "10.60000001"), ("B", "4.7"), ("C", "0.00000001")], &[("USD", "893.9999999999"), ("EUR", "94.9999999999")]);
    let breaks = "A 10/10.60000001 C 0/0.00000001 EUR 100/94.9999999999 USD 900/893.9999999999";
    assert_eq!(compared(&mut book, "k2", beyond), breaks, "what has no price is worth anything");
}

#[test]
fn while_behind_nothing_is_compared() {
    let mut book = held(json!({}));
    let outputs = book.behind(true).command("k1", "RECONCILE", statement(&[("A", "12"), ("B", "5")], &[])).run();
    assert!(drifts(&outputs).is_empty());
    book.lane = restored(&mut book.lane);
    book.fill("3", "BUY", "2", "10", json!({})).run();
    let outputs = book.behind(false).at(second(3)).run();
    let answers: Vec<_> = drifts(&outputs).into_iter().filter(|drift| drift.cause_id.as_deref() == Some("k1")).collect();
    assert_eq!(told(&only(answers).health), "", "the fill was sent before and is read first");
}

#[test]
fn of_several_lists_each_is_answered_by_itself_and_the_newest_stands() {
    let mut book = held(json!({}));
    book.command("k1", "RECONCILE", statement(&[("A", "12"), ("B", "5")], &[]));
    book.command("k2", "RECONCILE", statement(&[], &[("USD", "1"), ("EUR", "100")]));
    let outputs = book.at(second(2)).command("k3", "RECONCILE", statement(&ALL, &[])).run();
    let events = drifts(&outputs);
    let said = |id: &str| {
        let event = events.iter().find(|drift| drift.cause_id.as_deref() == Some(id)).unwrap();
        let positions = event.health.position_breaks.iter().map(|found| found.instrument_id.to_string());
        let cash = event.health.cash_breaks.iter().map(|found| found.currency.to_string());
        assert!(event.health.unreconciled);
        positions.chain(cash).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(["k1", "k2", "k3"].map(said), ["A", "A USD", "USD"]);
    assert_eq!(told(&only(snapshots(&outputs)).health), "USD 900/1");
}

#[test]
fn many_breaks_are_told_in_part_and_a_stranger_has_none() {
    let mut book = held(json!({}));
    let many: Vec<_> = (0..60).map(|n| json!({"instrument_id": format!("X{n:02}"), "quantity": "1"})).collect();
    let outputs = book.command("k1", "RECONCILE", json!({"positions": many})).run();
    let health = &only(drifts(&outputs)).health;
    assert_eq!((health.position_breaks.len(), health.position_breaks[0].instrument_id.as_str()), (50, "A"));
    let stranger = json!({"portfolio_id": "nobody", "positions": [{"instrument_id": "A", "quantity": "1"}]});
    let outputs = book.command("k2", "RECONCILE", stranger).run();
    assert!(letters(&outputs)[0].1.contains("has no policy"), "{:?}", letters(&outputs));
}
