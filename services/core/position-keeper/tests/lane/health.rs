//! Health flags that stand beside the figures.

use crate::harness::*;
use serde_json::json;

#[test]
fn an_absurd_price_is_no_price() {
    let mut book = Book::new();
    book.policy(1, json!({})).instrument("A", json!({})).price("A", "10").cash("d", "DEPOSIT", "USD", "1000");
    book.fill("1", "BUY", "1000000", "0.001", json!({})).run();
    let outputs = book.at(second(2)).price("A", "99999999999999999").run();
    let snapshot = only(snapshots(&outputs));
    assert_eq!(snapshot.health.unpriced.iter().map(|s| s.as_str()).collect::<Vec<_>>(), ["A"]);
    assert!(!snapshot.health.complete);
    assert_eq!(snapshot.metrics.total_pnl, snapshot.metrics.unrealized, "the parts still add up");
}

#[test]
fn a_jump_is_flagged_and_not_believed() {
    let mut book = Book::new();
    book.policy(1, json!({"targets": [{"instrument_id": "A", "target_weight": "0.5"}]}));
    book.instrument("A", json!({"max_jump_bp": "1000"})).price("A", "10").cash("d", "DEPOSIT", "USD", "1000").run();
    let outputs = book.at(second(2)).price("A", "20").refresh("5b9da7e6-3c55-4a0b-9f0e-42a11a57ba11").run();
    let line = &drifts(&outputs)[0].lines[0];
    assert_eq!((line.price.unwrap().to_string(), line.price_flag.symbol()), ("10".into(), "HELD"));
    let outputs = book.at(second(3)).price("A", "20.5").refresh("5b9da7e6-3c55-4a0b-9f0e-42a11a57ba12").run();
    let line = &drifts(&outputs)[0].lines[0];
    assert_eq!((line.price.unwrap().to_string(), line.price_flag.symbol()), ("20.5".into(), "FRESH"));
}

#[test]
fn an_instrument_that_changes_its_currency_is_unreconciled() {
    let mut book = Book::new();
    book.policy(1, json!({})).instrument("A", json!({})).price("A", "10").fill("1", "BUY", "1", "10", json!({})).run();
    let outputs = book.at(second(2)).instrument("A", json!({"currency": "EUR"})).run();
    let snapshot = only(snapshots(&outputs));
    assert!(snapshot.health.unreconciled);
    assert_eq!(snapshot.total_value.to_string(), "0");
}

#[test]
fn a_tick_from_the_future_does_not_count() {
    let mut book = Book::new();
    book.policy(1, json!({})).instrument("A", json!({})).price("A", "10").run();
    book.frame(|frame| frame.prices.push(last("A", "99", second(61)))).run();
    assert_eq!(book.lane.role().market().slots()[0].price.unwrap().to_string(), "10");
    book.frame(|frame| frame.prices.push(last("A", "99", second(60)))).run();
    assert_eq!(book.lane.role().market().slots()[0].price.unwrap().to_string(), "99");
}

#[test]
fn a_split_that_is_not_applied_is_unreconciled_until_it_is_withdrawn() {
    let action = |status: &str| -> domain::corporate_action::CorporateAction {
        let json = json!({"action_id": "s", "instrument_id": "A", "status": status, "kind": "SPLIT", "ratio_new": "2", "ratio_old": "1",
            "ex_date": "2026-01-06"});
        serde_json::from_value(json).unwrap()
    };
    let mut book = Book::new();
    book.policy(1, json!({})).instrument("A", json!({})).price("A", "10").fill("1", "BUY", "1", "10", json!({})).run();
    let outputs = book.at(second(2)).frame(|frame| frame.actions.push(action("NEW"))).run();
    assert!(only(snapshots(&outputs)).health.unreconciled);
    let outputs = book.at(second(4)).frame(|frame| frame.actions.push(action("CANCELLED"))).run();
    assert!(!only(snapshots(&outputs)).health.unreconciled);
}
