//! Drift events: when they are told and what they hold.

use crate::harness::*;
use domain::Timestamp;
use domain::enums::DriftKind::{Clear, Open, Rearm, Requested, Unpriced, Worse};
use domain::enums::{DriftCause, DriftKind};
use domain::snapshot::Health;
use serde_json::{Value, json};

/// 50 A and 50 B at 10 each: both at their target of 50 %, with an absolute band of five points.
fn balanced(more: Value) -> Book {
    let mut book = Book::new();
    let mut policy = json!({"targets": [{"instrument_id": "A", "target_weight": "0.5"}, {"instrument_id": "B", "target_weight": "0.5"}]});
    more.as_object().unwrap().iter().for_each(|(name, value)| policy[name] = value.clone());
    book.instrument("A", json!({"sector": "Tech"})).instrument("B", json!({"sector": "Energy"})).price("A", "10").price("B", "10");
    book.policy(1, policy).cash("d", "DEPOSIT", "USD", "1000");
    book.fill("1", "BUY", "50", "10", json!({})).fill("2", "BUY", "50", "10", json!({"instrument_id": "B"}));
    assert_eq!(events(&book.run()), []);
    book
}
fn move_to(book: &mut Book, at: i64, price: &str) -> Vec<DriftKind> {
    events(&book.at(second(at)).price("A", price).run())
}

#[test]
fn an_episode_from_open_to_clear() {
    let mut book = balanced(json!({}));
    assert_eq!(move_to(&mut book, 1, "12.2"), [], "weights 0.5495 and 0.4505");
    assert_eq!(move_to(&mut book, 2, "12.3"), [Open]);
    assert_eq!(move_to(&mut book, 3, "12.4"), []);
    assert_eq!(move_to(&mut book, 4, "13.1"), [Worse]);
    assert_eq!(move_to(&mut book, 5, "12.0"), [], "0.5454: between clear and trip");
    assert_eq!(move_to(&mut book, 6, "12.3"), []);
    let outputs = book.at(second(7)).price("A", "11.7").run();
    let drift = only(drifts(&outputs));
    assert_eq!((drift.event, drift.episode), (Clear, 1));
    assert_eq!(move_to(&mut book, 8, "8"), [Open]);
}

#[test]
fn a_standing_breach_is_said_again_after_the_re_arm_time() {
    let mut book = balanced(json!({"trigger": {"rearm_seconds": 60}}));
    assert_eq!(move_to(&mut book, 2, "12.5"), [Open]);
    assert_eq!(events(&book.run_at(second(61))), []);
    assert_eq!(events(&book.run_at(second(62))), [Rearm]);
    assert_eq!(events(&book.run_at(second(121))), []);
    assert_eq!(events(&book.run_at(second(122))), [Rearm]);
    assert_eq!(move_to(&mut book, 130, "10"), [Clear]);
    assert_eq!(events(&book.run_at(second(1000))), []);
}

#[test]
fn nothing_is_decided_while_behind_and_all_of_it_afterwards() {
    let mut book = balanced(json!({}));
    book.behind(true);
    assert_eq!(move_to(&mut book, 1, "20"), []);
    let outputs = book.at(second(2)).refresh("5b9da7e6-3c55-4a0b-9f0e-42a11a57ba11").run();
    assert_eq!(drifts(&outputs).len(), 0, "who asks is answered from a book that has seen all of its inputs");
    assert_eq!(book.lane.next_due(), Some(Timestamp::from_micros(second(3))), "a lane to which nothing comes wakes by itself");
    let outputs = book.behind(false).run_at(second(3));
    assert_eq!(drifts(&outputs).iter().map(|drift| drift.event).collect::<Vec<_>>(), [Requested, Open]);
    assert_eq!(drifts(&outputs)[0].cause_id.as_deref(), Some("5b9da7e6-3c55-4a0b-9f0e-42a11a57ba11"));
    assert_eq!(drifts(&book.run_at(second(4))).len(), 0);
    assert_ne!(book.lane.next_due(), Some(Timestamp::from_micros(second(4))));
}

#[test]
fn a_missing_or_stale_price_is_said_once() {
    let mut book = Book::new();
    book.policy(1, json!({"targets": [{"instrument_id": "A", "target_weight": "0.5"}], "book": {"max_price_age_seconds": 100}}));
    book.cash("d", "DEPOSIT", "USD", "1000");
    let outputs = book.run();
    assert_eq!(events(&outputs), [Unpriced]);
    let health = Health { unpriced: vec!["A".into()], complete: false, ..Health::default() };
    assert_eq!(drifts(&outputs)[0].health, health);
    book.instrument("A", json!({"max_price_age_seconds": null}));
    assert_eq!(events(&book.run_at(second(1))), []);
    assert_eq!(move_to(&mut book, 2, "10"), [Open], "nothing of A is held");
    assert_eq!(events(&book.run_at(second(102))), []);
    assert_eq!(events(&book.run_at(second(103))), [Unpriced], "found by the clock alone");
    assert_eq!(events(&book.run_at(second(104))), []);
    assert_eq!(move_to(&mut book, 105, "10"), []);
}

#[test]
fn prices_do_not_age_while_their_market_is_closed() {
    let mut book = Book::new();
    book.policy(1, json!({"targets": [{"instrument_id": "A", "target_weight": "0.5"}], "book": {"max_price_age_seconds": 100}, "trigger": {"rearm_seconds": 1000000}}));
    book.instrument("A", json!({"venue": "XNYS", "max_price_age_seconds": null})).price("A", "10").cash("d", "DEPOSIT", "USD", "1000");
    book.run();
    book.at(second(50)).status(json!({"venue": "XNYS", "status": "CLOSED", "effective_at": "2026-01-05T00:00:50Z"})).run();
    assert_eq!(events(&book.run_at(second(10_000))), []);
    let outputs = book.refresh("5b9da7e6-3c55-4a0b-9f0e-42a11a57ba11").run();
    assert_eq!(only(drifts(&outputs)).lines[0].market_status.symbol(), "CLOSED");
    book.at(second(20_000)).status(json!({"venue": "XNYS", "status": "OPEN", "effective_at": "2026-01-05T05:33:20Z"})).run();
    assert_eq!(events(&book.run_at(second(20_050))), []);
    assert_eq!(events(&book.run_at(second(20_051))), [Unpriced], "50 s before the close, 51 s after the opening");
}

#[test]
fn minimum_cash_and_group_bands_breach_too() {
    let lines =
        json!([{"instrument_id": "A", "target_weight": "0.5", "max_weight": "0.51"}, {"instrument_id": "B", "target_weight": "0.5"}]);
    assert_eq!(move_to(&mut balanced(json!({"targets": lines})), 1, "10.5"), [Open]);
    let mut book = balanced(json!({"trigger": {"cash_band": "0.02"}}));
    assert_eq!(events(&book.at(second(1)).cash("more", "DEPOSIT", "USD", "25").run()), [Open]);
    let groups = json!([{"group": "Tech", "target_weight": "0.5"}, {"group": "Energy", "target_weight": "0.5"}]);
    let mut book = balanced(json!({"targets": groups}));
    assert_eq!(move_to(&mut book, 1, "11"), []);
    let outputs = book.at(second(2)).price("A", "13").run();
    let drift = only(drifts(&outputs));
    assert_eq!(drift.event, Open);
    assert!(drift.lines.iter().all(|line| line.breached && line.target.to_string() == "0.5"));
    assert_eq!(drift.half_sum_abs_drift, drift.max_abs_drift, "what one line is over the other is under, and cash stands at its target");
}

#[test]
fn every_request_is_answered_with_its_cause() {
    let mut book = balanced(json!({}));
    let order = "11111111-2222-5333-8444-555555555555";
    let approval = json!({"rebalance_id": order, "proposal_hash": "00112233445566778899aabbccddeeff"});
    book.command("c1", "REBALANCE", json!({})).command("c2", "APPROVE", approval).command("c1", "REBALANCE", json!({}));
    book.refresh("5b9da7e6-3c55-4a0b-9f0e-42a11a57ba11");
    book.fill("3", "BUY", "1", "10", json!({"order_id": order})).fill("4", "BUY", "2", "10", json!({"order_id": order, "cum_qty": "3"}));
    let outputs = book.at(second(2)).run();
    let causes: Vec<_> = drifts(&outputs).iter().map(|d| (d.cause.unwrap(), d.cause_id.clone().unwrap().to_string())).collect();
    let expected = [
        (DriftCause::Command, "c1".to_owned()),
        (DriftCause::Command, "c2".to_owned()),
        (DriftCause::Refresh, "5b9da7e6-3c55-4a0b-9f0e-42a11a57ba11".to_owned()),
        (DriftCause::Fill, order.to_owned()),
    ];
    assert_eq!(causes, expected);
    let drift = drifts(&outputs)[0];
    assert_eq!((drift.recent_orders.len(), drift.recent_orders[0].executed_quantity.to_string()), (1, "3".into()));
    assert!(!drift.health.unreconciled);
    assert_eq!((drift.snapshot_version, snapshots(&outputs)[0].version), (2, 2));
    assert!(drift.input_offsets.iter().any(|o| o.topic == domain::Topic::Fills && o.offset == 4));
    let outputs = book.at(second(4)).fill("5", "BUY", "1", "10", json!({"order_id": order, "cum_qty": "5"})).run();
    assert!(only(drifts(&outputs)).health.unreconciled, "a fill between is missing");
    let outputs = book.at(second(6)).policy(2, json!({})).run();
    assert_eq!(only(drifts(&outputs)).cause, Some(DriftCause::Policy));
}

#[test]
fn an_event_is_complete() {
    let mut book = balanced(json!({}));
    let outputs = book.at(second(1)).price("A", "13").run();
    let drift = only(drifts(&outputs));
    let a = &drift.lines[0];
    assert_eq!((a.instrument_id.as_str(), a.weight.unwrap().to_string()), ("A", "0.565217391304".into()));
    assert_eq!(
        (a.drift.unwrap().to_string(), a.lower.to_string(), a.upper.to_string()),
        ("0.065217391304".into(), "0.45".into(), "0.55".into())
    );
    assert_eq!((a.value.to_string(), a.fx_rate.unwrap().to_string(), a.breached), ("650".into(), "1".into(), true));
    assert_eq!((a.close_price.unwrap().to_string(), a.average_price.unwrap().to_string()), ("10".into(), "10".into()));
    assert_eq!((drift.equity.to_string(), drift.cash[0].trade_date.to_string()), ("1150".into(), "0".into()));
    assert_eq!(drift.policy.as_ref().unwrap().policy_version, 1);
    assert_eq!(drift.max_abs_drift.unwrap(), a.drift.unwrap());
}

#[test]
fn a_halt_is_heard_whatever_was_announced() {
    let mut book = balanced(json!({}));
    book.instrument("A", json!({"venue": "XNYS"}));
    let status = |status: &str, from: &str| json!({"venue": "XNYS", "status": status, "effective_at": from});
    book.status(status("OPEN", "2026-01-05T00:00:00Z")).status(status("CLOSED", "2026-01-05T21:00:00Z"));
    book.status(status("OPEN", "2027-01-05T00:00:00Z")).run();
    book.at(second(10)).status(status("HALTED", "2026-01-05T00:00:10Z")).run();
    let outputs = book.at(second(20)).refresh("5b9da7e6-3c55-4a0b-9f0e-42a11a57ba11").run();
    assert_eq!(only(drifts(&outputs)).lines[0].market_status.symbol(), "HALTED");
    let outputs = book.at(second(400 * 86_400)).refresh("5b9da7e6-3c55-4a0b-9f0e-42a11a57ba12").run();
    assert_eq!(drifts(&outputs)[0].lines[0].market_status.symbol(), "CLOSED", "who halts must say when trading goes on");
}

#[test]
fn a_breach_is_opened_anew_under_a_new_policy() {
    let mut book = balanced(json!({"trigger": {"rearm_seconds": 60}}));
    assert_eq!(move_to(&mut book, 2, "12.5"), [Open]);
    let targets = json!([{"instrument_id": "A", "target_weight": "0.4"}, {"instrument_id": "B", "target_weight": "0.6"}]);
    let outputs = book.at(second(3)).policy(2, json!({"targets": targets, "trigger": {"rearm_seconds": 60}})).run();
    assert_eq!(drifts(&outputs).iter().map(|drift| (drift.event, drift.episode)).collect::<Vec<_>>(), [(Requested, 2), (Open, 2)]);
    assert_eq!(events(&book.run_at(second(62))), [], "the old re-arm time went with the old policy");
    assert_eq!(events(&book.run_at(second(63))), [Rearm]);
    book.policy(3, json!({"targets": targets, "band": {"absolute": "0.16"}}));
    assert_eq!(events(&book.run_at(second(64))), [Clear], "inside its new bounds, though not at their clear level");
}

#[test]
fn a_second_gap_is_said_also_without_equity() {
    let mut book = Book::new();
    book.policy(1, json!({"targets": [{"instrument_id": "A", "target_weight": "0.5"}], "book": {"max_price_age_seconds": 100}}));
    book.instrument("A", json!({"max_price_age_seconds": null}));
    assert_eq!(events(&book.run()), [Unpriced]);
    assert_eq!(move_to(&mut book, 1, "10"), [], "no equity");
    assert_eq!(events(&book.run_at(second(102))), [Unpriced]);
}
