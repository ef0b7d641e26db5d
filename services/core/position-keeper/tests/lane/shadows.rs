//! Shadow rules: a second watch over the same book, told apart from the first and never in its way.

use crate::harness::*;
use domain::Output;
use domain::drift::Drift;
use domain::enums::DriftCause;
use domain::enums::DriftKind::{self, Clear, Open, Rearm, Requested, Unpriced, Worse};
use domain::reason::DeadLetterCode;
use serde_json::{Value, json};

fn halves() -> Value {
    json!([{"instrument_id": "A", "target_weight": "0.5"}, {"instrument_id": "B", "target_weight": "0.5"}])
}

/// 50 A and 50 B at 10 each, both at their targets within five points; the shadow is content with less.
fn shadowed(shadow: Value) -> Book {
    let mut book = Book::new();
    book.instrument("A", json!({})).instrument("B", json!({})).price("A", "10").price("B", "10");
    book.policy(1, json!({"targets": halves(), "shadow": shadow})).cash("d", "DEPOSIT", "USD", "1000");
    book.fill("1", "BUY", "50", "10", json!({})).fill("2", "BUY", "50", "10", json!({"instrument_id": "B"}));
    book.run();
    book
}

fn tighter() -> Value {
    json!({"targets": halves(), "band": {"absolute": "0.02"}})
}

/// What was said by the shadow rules and by the policy's own.
fn told(outputs: &[Output]) -> (Vec<DriftKind>, Vec<DriftKind>) {
    let of = |shadow: bool| drifts(outputs).into_iter().filter(|drift| drift.shadow == shadow).map(|drift| drift.event).collect();
    (of(true), of(false))
}

fn shadow_of(outputs: &[Output]) -> &Drift {
    only(drifts(outputs).into_iter().filter(|drift| drift.shadow).collect())
}

fn move_to(book: &mut Book, at: i64, price: &str) -> (Vec<DriftKind>, Vec<DriftKind>) {
    told(&book.at(second(at)).price("A", price).run())
}

#[test]
fn its_episodes_are_its_own() {
    let mut book = shadowed(tighter());
    let outputs = book.at(second(1)).price("A", "10.9").run();
    assert_eq!(told(&outputs), (vec![Open], vec![]), "0.5215: out of two points, not of five");
    let drift = shadow_of(&outputs);
    assert_eq!((drift.episode, drift.lines[0].upper.to_string(), drift.lines[0].breached), (1, "0.52".into(), true));
    assert!(drift.policy.as_ref().unwrap().shadow.is_some(), "the policy in force, with both sets");
    assert_eq!(move_to(&mut book, 2, "11.2"), (vec![Worse], vec![]));
    assert_eq!(move_to(&mut book, 3, "13"), (vec![Worse], vec![Open]), "the policy's own comes first");
    assert_eq!(move_to(&mut book, 4, "10.1"), (vec![Clear], vec![Clear]));
    let outputs = book.at(second(5)).price("A", "11").run();
    assert_eq!((told(&outputs), shadow_of(&outputs).episode), ((vec![Open], vec![]), 2));
}

#[test]
fn it_stands_behind_the_event_of_the_policys_own_rules() {
    let mut book = shadowed(tighter());
    let outputs = book.at(second(3)).price("A", "13").run();
    let order: Vec<bool> = drifts(&outputs).iter().map(|drift| drift.shadow).collect();
    assert_eq!(order, [false, true]);
    assert_eq!(drifts(&outputs)[0].equity, drifts(&outputs)[1].equity);
    assert_eq!(snapshots(&outputs)[0].version, shadow_of(&outputs).snapshot_version);
}

#[test]
fn a_standing_breach_is_said_again_by_its_own_clock() {
    let mut shadow = tighter();
    shadow["trigger"] = json!({"rearm_seconds": 60});
    let mut book = shadowed(shadow);
    move_to(&mut book, 2, "11");
    assert_eq!(told(&book.run_at(second(61))), (vec![], vec![]));
    assert_eq!(told(&book.run_at(second(62))), (vec![Rearm], vec![]));
    assert_eq!(move_to(&mut book, 70, "10"), (vec![Clear], vec![]));
    assert_eq!(told(&book.run_at(second(1000))), (vec![], vec![]));
}

#[test]
fn what_it_alone_targets_concerns_it_alone() {
    let targets = json!([{"instrument_id": "A", "target_weight": "0.5"}, {"instrument_id": "Z", "target_weight": "0.5"}]);
    let mut book = shadowed(json!({"targets": targets, "book": {"max_price_age_seconds": 100}}));
    // Of Z nothing is known: the shadow has no book to judge, the policy has.
    let outputs = book.at(second(10)).refresh("5b9da7e6-3c55-4a0b-9f0e-42a11a57ba11").run();
    assert_eq!(told(&outputs), (vec![], vec![Requested]));
    assert!(drifts(&outputs)[0].health.complete && drifts(&outputs)[0].lines.len() == 2);
    let snapshots_before = snapshots(&book.at(second(20)).instrument("Z", json!({"max_price_age_seconds": null})).run()).len();
    let outputs = book.at(second(30)).price("Z", "7").run();
    assert_eq!((snapshots_before, snapshots(&outputs).len()), (0, 0), "no snapshot is owed for what it alone targets");
    let drift = shadow_of(&outputs);
    assert_eq!((drift.event, drift.lines.len(), drift.health.complete), (Open, 3, true));
    assert_eq!((drift.lines[2].instrument_id.as_str(), drift.lines[2].target.to_string()), ("Z", "0.5".into()));
    assert_eq!(drift.lines[1].target.to_string(), "0", "B is held under none of its lines");
    assert_eq!(told(&book.run_at(second(130))), (vec![], vec![]));
    let outputs = book.run_at(second(131));
    assert_eq!(told(&outputs), (vec![Unpriced], vec![]), "found by the clock alone");
    assert_eq!(shadow_of(&outputs).health.stale, ["Z"]);
}

#[test]
fn a_missing_price_is_said_once_by_each_set() {
    let mut book = Book::new();
    book.policy(1, json!({"targets": [{"instrument_id": "A", "target_weight": "0.5"}], "shadow": tighter()}));
    book.cash("d", "DEPOSIT", "USD", "1000");
    assert_eq!(told(&book.run()), (vec![Requested, Unpriced], vec![Requested, Unpriced]));
    book.instrument("A", json!({})).price("A", "10");
    assert_eq!(told(&book.run_at(second(1))), (vec![], vec![Open]), "B is the shadow's, and has no price yet");
    book.instrument("B", json!({})).price("B", "10");
    assert_eq!(told(&book.run_at(second(2))), (vec![Open], vec![]));
}

#[test]
fn a_policy_asks_both_and_everybody_else_the_policys_own() {
    let mut book = shadowed(tighter());
    let order = "11111111-2222-5333-8444-555555555555";
    book.command("c1", "REBALANCE", json!({})).refresh("5b9da7e6-3c55-4a0b-9f0e-42a11a57ba11");
    book.fill("3", "BUY", "1", "10", json!({"order_id": order}));
    assert_eq!(told(&book.run_at(second(2))), (vec![], vec![Requested, Requested, Requested]));
    let outputs = book.at(second(4)).policy(2, json!({"targets": halves(), "shadow": tighter()})).run();
    assert_eq!(told(&outputs), (vec![Requested], vec![Requested]));
    let drift = shadow_of(&outputs);
    assert_eq!((drift.cause, drift.cause_id.as_deref(), drift.recent_orders.len()), (Some(DriftCause::Policy), Some("2"), 1));
}

#[test]
fn nothing_is_judged_while_behind_and_all_of_it_afterwards() {
    let mut book = shadowed(tighter());
    book.behind(true);
    assert_eq!(told(&book.at(second(1)).policy(2, json!({"targets": halves(), "shadow": tighter()})).run()), (vec![], vec![]));
    assert_eq!(move_to(&mut book, 2, "11"), (vec![], vec![]));
    assert_eq!(told(&book.behind(false).run_at(second(3))), (vec![Requested, Open], vec![Requested]));
    assert_eq!(told(&book.run_at(second(4))), (vec![], vec![]));
}

#[test]
fn a_new_policy_opens_anew_and_the_end_of_a_shadow_is_silent() {
    let mut shadow = tighter();
    shadow["trigger"] = json!({"rearm_seconds": 60});
    let mut book = shadowed(shadow.clone());
    assert_eq!(move_to(&mut book, 1, "11").0, [Open]);
    let outputs = book.at(second(2)).policy(2, json!({"targets": halves(), "shadow": shadow})).run();
    assert_eq!(told(&outputs).0, [Requested, Open], "what is out by the new rules opens another episode");
    assert_eq!(told(&book.at(second(3)).policy(3, json!({"targets": halves()})).run()), (vec![], vec![Requested]));
    assert_eq!(told(&book.run_at(second(600))), (vec![], vec![]), "its timers went with it");
    let outputs = book.at(second(601)).policy(4, json!({"targets": halves(), "shadow": tighter()})).run();
    assert_eq!(told(&outputs).0, [Requested, Open]);
    assert_eq!(drifts(&outputs).last().unwrap().episode, 3, "episodes are counted on");
    assert_eq!(told(&book.at(second(602)).close_policy("p").run()), (vec![], vec![Requested]));
    assert_eq!(told(&book.at(second(700)).price("A", "20").run()), (vec![], vec![]));
}

#[test]
fn a_shadow_that_cannot_be_followed_refuses_its_policy() {
    let mut book = shadowed(tighter());
    let shadow = json!({"targets": halves(), "trigger": {"mode": "AUTOMATIC"}});
    let outputs = book.at(second(1)).policy(2, json!({"targets": halves(), "shadow": shadow})).run();
    let (code, text) = only(letters(&outputs).into_iter().collect());
    assert_eq!(code, DeadLetterCode::InvalidPolicy);
    assert!(text.contains("shadow.trigger.mode AUTOMATIC needs shadow.limits.max_order_notional"), "{text}");
    assert_eq!(move_to(&mut book, 2, "11").0, [Open], "the one before stays in force");
}

#[test]
fn both_sets_of_targets_are_bounded() {
    let settings = engine::Settings { max_lines: 2, ..engine::Settings::default() };
    let mut book = Book::with(&settings);
    let three = json!([{"instrument_id": "A", "target_weight": "0.1"}, {"instrument_id": "B", "target_weight": "0.1"},
        {"instrument_id": "C", "target_weight": "0.1"}]);
    let outputs = book.policy(1, json!({"shadow": {"targets": three}})).run();
    assert!(only(letters(&outputs)).1.contains("3 shadow.targets are more than the 2 lines"), "{:?}", letters(&outputs));
    book.instrument("A", json!({})).instrument("B", json!({})).instrument("Z", json!({}));
    ["A", "B", "Z"].iter().for_each(|id| _ = book.price(id, "10"));
    book.policy(1, json!({"targets": halves(), "shadow": tighter()})).cash("d", "DEPOSIT", "USD", "1000");
    book.run_at(second(1));
    // A third instrument is the policy's to refuse; one that the shadow does not target only leaves it no room.
    book.policy(2, json!({"shadow": tighter()})).fill("1", "BUY", "10", "10", json!({"instrument_id": "Z"}));
    let outputs = book.run_at(second(2));
    assert_eq!((letters(&outputs).len(), told(&outputs).0.len()), (0, 0));
}
