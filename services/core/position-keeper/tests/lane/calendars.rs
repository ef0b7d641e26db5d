//! Trading calendars: whose days are sessions, when a market without a word of its own is closed, and what a lane that is
//! put back from an image makes of both.

use crate::closing::closes;
use crate::harness::*;
use domain::Output;
use domain::enums::{MarketState, PriceFlag};
use serde_json::json;

/// Microseconds of a moment.
fn moment(text: &str) -> i64 {
    text.parse::<domain::Timestamp>().unwrap().micros()
}

/// Half of a portfolio in one share, priced in the last minute of Thursday, 2026-04-02; Friday is Good Friday.
fn before_easter(venue: serde_json::Value, policy: serde_json::Value) -> Book {
    let mut book = Book::new();
    let mut all = json!({"targets": [{"instrument_id": "A", "target_weight": "0.5"}], "band": {"absolute": "0.9"}, "calendar": "XNYS"});
    all.as_object_mut().unwrap().extend(policy.as_object().unwrap().clone());
    let facts = json!({"venue": venue, "calendar": "XNAS", "max_price_age_seconds": 300});
    book.at(moment("2026-04-02T19:59:00Z")).policy(1, all).instrument("A", facts).price("A", "10").cash("d", "DEPOSIT", "USD", "1000");
    book.fill("1", "BUY", "50", "10", json!({"trade_date": "2026-04-02"})).run();
    book
}

/// The state of the market and the fitness of the price, as an event tells them that is asked for at a moment.
fn asked(book: &mut Book, id: &str, at: &str) -> (MarketState, PriceFlag) {
    let outputs = book.at(moment(at)).command(id, "REBALANCE", json!({})).run();
    let line = &drifts(&outputs).into_iter().find(|drift| drift.cause_id.as_deref() == Some(id)).expect("it is answered").lines[0];
    (line.market_status, line.price_flag)
}

#[test]
fn a_market_without_a_word_of_its_own_keeps_to_its_calendar() {
    use MarketState::{Closed, Open};
    use PriceFlag::{Fresh, Stale};
    let mut book = before_easter(json!("XNYS"), json!({}));
    for (id, at, expected) in [
        ("1", "2026-04-02T19:59:59Z", (Open, Fresh)),
        ("2", "2026-04-02T20:00:00Z", (Closed, Fresh)),
        ("3", "2026-04-03T15:00:00Z", (Closed, Fresh)),
        ("4", "2026-04-06T13:29:59Z", (Closed, Fresh)),
        // One minute of Thursday and four of Monday are the five that it may have.
        ("5", "2026-04-06T13:34:00Z", (Open, Fresh)),
        ("6", "2026-04-06T13:34:01Z", (Open, Stale)),
    ] {
        assert_eq!(asked(&mut book, id, at), expected, "{at}");
        book.lane = restored(&mut book.lane);
    }
}

#[test]
fn what_a_venue_reports_comes_before_its_calendar() {
    use MarketState::{Closed, Halted, Open};
    let mut book = before_easter(json!("XNYS"), json!({}));
    let state = |book: &mut Book, id: &str, at: &str| asked(book, id, at).0;
    book.at(moment("2026-04-02T22:00:00Z")).status(json!({"instrument_id": "A", "status": "OPEN", "effective_at": "2026-04-02T22:00:00Z"}));
    assert_eq!(state(&mut book, "1", "2026-04-02T22:00:00Z"), Open, "said of itself since the close");
    assert_eq!(state(&mut book, "2", "2026-04-06T13:30:00Z"), Open);
    assert_eq!(state(&mut book, "3", "2026-04-06T20:00:00Z"), Closed, "the calendar's close is newer");
    book.status(json!({"venue": "XNYS", "status": "OPEN", "effective_at": "2026-04-06T21:00:00Z"}));
    assert_eq!(state(&mut book, "4", "2026-04-06T21:00:00Z"), Open);
    book.status(json!({"instrument_id": "A", "status": "HALTED", "effective_at": "2026-04-07T14:00:00Z"}));
    assert_eq!(state(&mut book, "5", "2026-04-07T14:00:00Z"), Halted);
}

#[test]
fn a_halt_and_the_years_that_no_calendar_knows_are_not_open() {
    let mut book = before_easter(json!("XNYS"), json!({"orders": {"require_market_status": true}}));
    book.status(json!({"instrument_id": "A", "status": "HALTED", "effective_at": "2026-04-02T19:59:30Z"}));
    assert_eq!(asked(&mut book, "1", "2026-04-06T14:00:00Z").0, MarketState::Halted, "a halt outlasts an opening");
    book.status(json!({"instrument_id": "A", "status": "OPEN", "effective_at": "2026-04-06T14:10:00Z"}));
    assert_eq!(asked(&mut book, "2", "2026-04-06T14:10:00Z").0, MarketState::Open);
    assert_eq!(asked(&mut book, "3", "2036-01-02T15:00:00Z"), (MarketState::Closed, PriceFlag::Stale));
}

#[test]
fn the_lane_wakes_at_an_opening_and_a_close() {
    let mut book = before_easter(json!(null), json!({}));
    let woken = |book: &mut Book, at: &str| book.run_at(moment(at)).iter().any(|output| matches!(output, Output::Snapshot(_)));
    assert!(woken(&mut book, "2026-04-02T20:00:00Z"));
    // The end of the day is one thing more that wakes it.
    book.run_at(moment("2026-04-03T00:00:00Z"));
    assert!(!woken(&mut book, "2026-04-03T15:00:00Z"));
    book.run_at(moment("2026-04-04T00:00:00Z"));
    book.lane = restored(&mut book.lane);
    assert!(woken(&mut book, "2026-04-06T13:30:00Z"));
}

fn told(outputs: &[Output]) -> Vec<String> {
    closes(outputs).iter().map(|close| format!("{} {}", close.date, close.incomplete_reason.as_deref().unwrap_or("final"))).collect()
}

#[test]
fn holidays_are_no_days_and_what_happens_on_them_is_in_the_next() {
    let mut book = before_easter(json!("XNYS"), json!({}));
    let at = |text: &str| moment(text);
    assert_eq!(told(&book.run_at(at("2026-04-03T00:00:00Z"))), ["2026-04-02 final"]);
    book.at(at("2026-04-03T12:00:00Z")).entry("e", "DEPOSIT", json!({"amount": "500", "effective_at": "2026-04-03T12:00:00Z"})).run();
    assert_eq!(told(&book.run_at(at("2026-04-06T00:00:00Z"))), Vec::<String>::new());
    let outputs = book.run_at(at("2026-04-07T00:00:00Z"));
    assert_eq!(told(&outputs), ["2026-04-06 final"]);
    assert_eq!(closes(&outputs)[0].net_external_flow.to_string(), "500");
}

#[test]
fn a_day_that_no_calendar_knows_stays_provisional() {
    let mut book = before_easter(json!("XNYS"), json!({}));
    book.run_at(moment("2035-12-31T12:00:00Z"));
    let outputs = book.run_at(moment("2036-01-03T00:00:00Z"));
    let reason = |day: &str| format!("{day} calendar XNYS does not reach to {day}: it may be a holiday");
    assert_eq!(told(&outputs), ["2035-12-31 final".to_owned(), reason("2036-01-01"), reason("2036-01-02")]);
    assert!(closes(&outputs).iter().all(|close| close.complete), "nothing is missing of the figures");
    assert_eq!(told(&book.run_at(moment("2036-01-03T12:00:00Z"))), Vec::<String>::new(), "it is said once");
}
