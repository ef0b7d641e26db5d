//! Figures beyond the policy's bounds: what is one, what is none, who accepts it, and that a breach is said again.

use crate::harness::*;
use domain::Output;
use domain::enums::DriftKind;
use serde_json::{Value, json};

const DAY: i64 = 86_400;

/// 50 of A at 10 and 500 in cash; A may weigh anything from 0.4 to 0.6, a day may return a tenth, and prices may move a
/// weight by a twentieth.
fn book(bounds: Value) -> Book {
    let mut book = Book::new();
    let policy = json!({"targets": [{"instrument_id": "A", "target_weight": "0.5"}], "band": {"absolute": "0.1"}, "book": bounds});
    book.policy(1, policy).instrument("A", json!({})).price("A", "10").cash("d", "DEPOSIT", "USD", "1000");
    book.fill("1", "BUY", "50", "10", json!({})).run();
    book.run_at(second(DAY));
    book
}

fn told(outputs: &[Output]) -> Vec<String> {
    let health = |output: &Output| match output {
        Output::Snapshot(snapshot) => Some(snapshot.health.clone()),
        _ => None,
    };
    let found = outputs.iter().filter_map(health).next_back().expect("a snapshot is told");
    let line = |anomaly: &domain::snapshot::Anomaly| anomaly.instrument_id.as_ref().map_or_else(String::new, |id| format!(" {id}"));
    found.anomalies.iter().map(|anomaly| format!("{}{} {}", anomaly.kind, line(anomaly), anomaly.value)).collect()
}

fn events(outputs: &[Output]) -> Vec<(DriftKind, usize)> {
    drifts(outputs).into_iter().map(|drift| (drift.event, drift.health.anomalies.len())).collect()
}

fn priced(book: &mut Book, seconds: i64, price: &str) -> Vec<Output> {
    book.at(second(DAY + seconds)).price("A", price).run()
}

#[test]
fn a_day_beyond_its_return_is_flagged_until_it_is_back() {
    let mut book = book(json!({"max_daily_return": "0.1"}));
    assert_eq!(told(&priced(&mut book, 10, "12")), Vec::<String>::new(), "exactly a tenth");
    assert_eq!(told(&priced(&mut book, 20, "12.0000000001")), ["DAILY_RETURN 0.100000000005"]);
    book.lane = restored(&mut book.lane);
    assert_eq!(told(&priced(&mut book, 30, "7")), ["DAILY_RETURN -0.15"]);
    assert_eq!(told(&priced(&mut book, 40, "8")), Vec::<String>::new());
    // The next day counts from its own cut.
    priced(&mut book, 50, "12.5");
    assert_eq!(told(&book.run_at(second(2 * DAY))), Vec::<String>::new());
}

#[test]
fn flows_trades_splits_and_policies_are_no_anomalies() {
    let bounds = json!({"max_daily_return": "0.01", "max_weight_jump": "0.01"});
    let mut book = book(bounds.clone());
    let at = |book: &mut Book, seconds: i64| _ = book.at(second(DAY + seconds));
    at(&mut book, 10);
    assert_eq!(told(&book.cash("big", "DEPOSIT", "USD", "100000").run()), Vec::<String>::new());
    at(&mut book, 20);
    assert_eq!(told(&book.fill("2", "BUY", "5000", "10", json!({"trade_date": "2026-01-05"})).run()), Vec::<String>::new());
    at(&mut book, 30);
    let split = json!({"action_id": "s", "instrument_id": "A", "status": "NEW", "kind": "SPLIT", "ratio_new": "2", "ratio_old": "1",
        "ex_date": "2026-01-06"});
    assert_eq!(told(&book.frame(|frame| frame.actions.push(serde_json::from_value(split).unwrap())).run()), Vec::<String>::new());
    assert_eq!(told(&priced(&mut book, 40, "5")), Vec::<String>::new());
    at(&mut book, 50);
    let another = json!({"targets": [{"instrument_id": "A", "target_weight": "0.1"}], "band": {"absolute": "0.1"}, "book": bounds});
    assert_eq!(told(&book.policy(2, another).run()), Vec::<String>::new());
    assert_eq!(told(&priced(&mut book, 60, "6")).len(), 2, "a price that moves both is one");
}

#[test]
fn a_weight_is_measured_on_the_holdings_of_now() {
    let mut book = book(json!({"max_weight_jump": "0.1"}));
    // 50 × 15 of 1,250 is 0.6: exactly a tenth more than 0.5.
    assert_eq!(told(&priced(&mut book, 10, "15")), Vec::<String>::new());
    assert_eq!(told(&priced(&mut book, 20, "15.0000000001")), ["WEIGHT_JUMP A 0.100000000002"]);
    assert_eq!(told(&priced(&mut book, 30, "6")), ["WEIGHT_JUMP A -0.125"]);
}

#[test]
fn a_release_accepts_what_stands_and_no_more() {
    let mut book = book(json!({"max_daily_return": "0.1"}));
    let (open, again) = ((DriftKind::Open, 1), (DriftKind::Rearm, 0));
    // 0.615 is out of its band, and 0.3 more than a day may bring.
    assert_eq!(events(&priced(&mut book, 10, "16")), [open]);
    book.at(second(DAY + 20)).command("r", "RELEASE", json!({}));
    let outputs = book.run();
    assert_eq!((told(&outputs), events(&outputs)), (Vec::new(), vec![again]), "the breach is said again, for it was refused");
    book.lane = restored(&mut book.lane);
    assert_eq!(told(&priced(&mut book, 30, "17.9")), Vec::<String>::new(), "within a tenth of what was accepted");
    assert_eq!(told(&priced(&mut book, 40, "18.1")), ["DAILY_RETURN 0.405"]);
    assert_eq!(told(&priced(&mut book, 50, "10")), Vec::<String>::new());
    let refused = book.at(second(DAY + 60)).command("r2", "RELEASE", json!({})).run();
    assert!(letters(&refused)[0].1.contains("no figure of it is beyond its bound"), "{:?}", letters(&refused));
    // What was accepted counts until the day is cut.
    book.run_at(second(2 * DAY));
    assert_eq!(told(&book.at(second(2 * DAY + 10)).price("A", "16").run()), ["DAILY_RETURN 0.3"]);
}

#[test]
fn a_breach_is_said_again_when_the_figure_is_back() {
    let mut book = book(json!({"max_weight_jump": "0.12"}));
    // 0.625 and a jump of 0.125; 0.615 and one of 0.115.
    assert_eq!(events(&priced(&mut book, 10, "16.6666666667")), [(DriftKind::Open, 1)]);
    assert_eq!(events(&priced(&mut book, 20, "16")), [(DriftKind::Rearm, 0)]);
    assert_eq!(events(&priced(&mut book, 30, "16.01")), Vec::new());
}

#[test]
fn nonsense_bounds_refuse_their_policy() {
    let mut book = Book::new();
    let outputs = book.policy(1, json!({"book": {"max_daily_return": "5"}})).run();
    assert!(letters(&outputs)[0].1.contains("book.max_daily_return is 5, it is a fraction above 0 and below 1"), "{:?}", letters(&outputs));
}
