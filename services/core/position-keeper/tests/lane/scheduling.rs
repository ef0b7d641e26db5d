//! Scheduled rebalances: when a drift event is asked for, once, and what moves the next turn.

use crate::harness::*;
use domain::enums::DriftCause;
use serde_json::{Value, json};

/// Seconds of a day.
const DAY: i64 = 86_400;

/// A policy with a schedule; prices stay good.
fn scheduled(frequency: &str, time: &str, more: Value) -> Value {
    let mut policy = json!({"targets": [{"instrument_id": "A", "target_weight": "0.5"}], "band": {"absolute": "0.9"},
        "trigger": {"rebalance_frequency": frequency, "schedule_time": time}, "book": {"max_price_age_seconds": 100_000_000}});
    policy.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    policy
}

fn held(policy: Value) -> Book {
    let mut book = Book::new();
    book.policy(1, policy).instrument("A", json!({"venue": "XNYS"})).price("A", "10").cash("d", "DEPOSIT", "USD", "1000").run();
    book
}

/// The turns that are told in a window at that many seconds after midnight of 2026-01-05, a Monday.
fn turns(book: &mut Book, seconds: i64) -> Vec<String> {
    let outputs = book.run_at(second(seconds));
    told(&outputs)
}

fn told(outputs: &[domain::Output]) -> Vec<String> {
    let scheduled = drifts(outputs).into_iter().filter(|drift| drift.cause == Some(DriftCause::Schedule));
    scheduled.map(|drift| drift.cause_id.clone().unwrap().replace("2026-01-", "")).collect()
}

#[test]
fn a_turn_is_taken_at_its_time_and_once() {
    let mut book = held(scheduled("DAILY", "23:30", json!({})));
    let at = 23 * 3600 + 1800;
    assert_eq!(turns(&mut book, at - 1), Vec::<String>::new());
    assert_eq!(turns(&mut book, at), ["05T23:30:00Z"]);
    assert_eq!(turns(&mut book, at + 1), Vec::<String>::new());
    assert_eq!(turns(&mut book, at + DAY), ["06T23:30:00Z"]);
}

#[test]
fn missed_turns_are_one_and_wait_until_the_lane_is_not_behind() {
    let mut book = held(scheduled("DAILY", "23:30", json!({})));
    book.behind(true);
    assert_eq!(turns(&mut book, 2 * DAY), Vec::<String>::new());
    assert_eq!(turns(&mut book, 3 * DAY), Vec::<String>::new(), "another one is due meanwhile");
    book.lane = restored(&mut book.lane);
    book.behind(false);
    assert_eq!(turns(&mut book, 3 * DAY + 60), ["07T23:30:00Z"]);
    assert_eq!(turns(&mut book, 3 * DAY + 23 * 3600 + 1800), ["08T23:30:00Z"]);
}

#[test]
fn another_policy_keeps_a_turn_of_the_same_schedule_and_no_other() {
    let mut book = held(scheduled("DAILY", "23:30", json!({})));
    let at = 23 * 3600 + 1800;
    book.policy(2, scheduled("DAILY", "23:30", json!({"name": "another"})));
    assert_eq!(turns(&mut book, at + 5), ["05T23:30:00Z"], "the turn of before it was taken by the clock of its window");
    book.policy(3, scheduled("WEEKLY", "23:30", json!({})));
    assert_eq!(turns(&mut book, DAY), Vec::<String>::new());
    assert_eq!(turns(&mut book, DAY + at), Vec::<String>::new());
    book.close_policy("p");
    assert_eq!(turns(&mut book, 2 * DAY), Vec::<String>::new());
    assert_eq!(turns(&mut book, 8 * DAY), Vec::<String>::new(), "a closed portfolio has no schedule");
}

#[test]
fn a_turn_on_which_no_market_is_open_comes_again() {
    let mut book = held(scheduled("MONTHLY", "16:00", json!({"trigger": {"rebalance_frequency": "MONTHLY", "schedule_time": "16:00"}})));
    book.status(json!({"venue": "XNYS", "status": "CLOSED", "effective_at": "2026-01-05T00:00:00Z"}));
    // 2026-02-02 is a Monday.
    let first = 28 * DAY + 16 * 3600;
    assert_eq!(turns(&mut book, first), ["2026-02-02T16:00:00Z"]);
    book.lane = restored(&mut book.lane);
    assert_eq!(turns(&mut book, first + DAY), ["2026-02-03T16:00:00Z"]);
    // It opens in the very window of the next turn.
    book.status(json!({"venue": "XNYS", "status": "OPEN", "effective_at": "2026-02-04T16:00:00Z"}));
    assert_eq!(turns(&mut book, first + 2 * DAY), ["2026-02-04T16:00:00Z"]);
    assert_eq!(turns(&mut book, first + 3 * DAY), Vec::<String>::new());
}

#[test]
fn a_frequency_without_a_time_refuses_its_policy() {
    let mut book = Book::new();
    let outputs = book.policy(1, json!({"trigger": {"rebalance_frequency": "DAILY"}})).run();
    assert!(letters(&outputs)[0].1.contains("trigger.rebalance_frequency DAILY needs trigger.schedule_time"), "{:?}", letters(&outputs));
}

#[test]
fn a_turn_that_lacks_a_price_is_told_and_once_more_when_it_lacks_none() {
    // In the hours of its market: one that is closed comes again on the next day.
    let mut book = held(scheduled("DAILY", "15:00", json!({"book": {"max_price_age_seconds": 60}})));
    book.instrument("A", json!({"max_price_age_seconds": null})).run();
    let at = 15 * 3600;
    let priced = |book: &mut Book, seconds: i64| told(&book.at(second(seconds)).price("A", "10").run());
    assert_eq!(turns(&mut book, at), ["05T15:00:00Z"], "whoever plans on it says that the price is old");
    assert_eq!(turns(&mut book, at + 1), Vec::<String>::new());
    book.lane = restored(&mut book.lane);
    assert_eq!(priced(&mut book, at + 2), ["05T15:00:00Z"]);
    assert_eq!(priced(&mut book, at + 3), Vec::<String>::new());
    // A turn whose price comes after the next one's time is left to that.
    assert_eq!(turns(&mut book, at + DAY), ["06T15:00:00Z"]);
    assert_eq!(turns(&mut book, at + 2 * DAY), ["07T15:00:00Z"]);
    assert_eq!(priced(&mut book, at + 2 * DAY + 1), ["07T15:00:00Z"]);
    // Nor does it outlive its policy's schedule.
    assert_eq!(turns(&mut book, at + 3 * DAY), ["08T15:00:00Z"]);
    book.policy(2, scheduled("NONE", "15:00", json!({"book": {"max_price_age_seconds": 60}})));
    assert_eq!(priced(&mut book, at + 3 * DAY + 1), Vec::<String>::new());
}
