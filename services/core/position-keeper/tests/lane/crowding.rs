//! How many records may wait: of a lane, and of one portfolio, which never takes the room of all others.

use crate::harness::*;
use domain::reason::DeadLetterCode as Code;
use domain::{Output, Topic};
use engine::Settings;
use serde_json::json;

/// A book in which two portfolios have their policies, and neither knows instrument NEW.
fn with(waiting_limit: usize, waiting_portfolio_limit: usize) -> Book {
    let mut book = Book::with(&Settings { waiting_limit, waiting_portfolio_limit, ..Settings::default() });
    book.policy(1, json!({})).policy_of("q", 1, json!({})).instrument("A", json!({})).price("A", "10").run();
    book
}
fn early(book: &mut Book, portfolio: &str, exec: &str) -> Vec<Output> {
    book.fill(exec, "BUY", "1", "10", json!({"portfolio_id": portfolio, "instrument_id": "NEW"})).run()
}
fn counts(book: &Book) -> (usize, usize) {
    (book.lane.role().waiting(), book.lane.role().quarantined())
}
fn exceeds(outputs: &[Output], words: &str) {
    let (code, text) = only(letters(outputs));
    assert!(code == Code::WaitExceeded && text.contains(words) && text.contains("instrument \"NEW\""), "{code}: {text}");
}

#[test]
fn a_portfolio_waits_with_as_many_records_as_its_limit_and_no_more() {
    let mut book = with(100, 3);
    for (sent, waiting) in [(1, 1), (2, 2), (3, 3)] {
        assert!(letters(&early(&mut book, "p", &sent.to_string())).is_empty());
        assert_eq!(counts(&book), (waiting, 0));
    }
    exceeds(&early(&mut book, "p", "4"), "3 records of portfolio \"p\" wait already, the most that a lane keeps of one");
    assert_eq!(counts(&book), (3, 1));
    assert!(letters(&early(&mut book, "q", "1")).is_empty(), "another has its own room");
    assert_eq!(counts(&book), (4, 1));
    // What goes makes room again.
    book.command("d", "DISCARD", json!({"dead_letter": {"topic": "execution.fills.v1", "partition": 0, "offset": 1}})).run();
    assert!(letters(&early(&mut book, "p", "5")).is_empty());
    exceeds(&early(&mut book, "p", "6"), "3 records of portfolio");
    let outputs = book.instrument("NEW", json!({})).run();
    let booked: Vec<_> = ledgers(&outputs).iter().map(|ledger| ledger.entries.len()).collect();
    assert_eq!((booked, book.lane.role().waiting()), (vec![3, 1], 0));
}

#[test]
fn a_letter_says_whether_records_or_bytes_are_too_many() {
    let mut book = with(100, 100);
    let heavy = |book: &mut Book, exec: &str| {
        let mut fill = json!({
            "source": "oms", "exec_id": exec, "trade_date": "2026-01-05", "exec_type": "TRADE", "portfolio_id": "p",
            "instrument_id": "NEW", "side": "BUY", "quantity": "1", "price": "10", "currency": "USD",
            "transact_time": "2026-01-05T10:00:00Z"
        })
        .to_string()
        .into_bytes();
        fill.resize(900 * 1024, b' ');
        book.add(Topic::Fills, "p", Some(fill));
        book.run()
    };
    (1..=9).for_each(|n| assert!(letters(&heavy(&mut book, &n.to_string())).is_empty(), "{n}"));
    let outputs = heavy(&mut book, "10");
    exceeds(&outputs, "records of portfolio \"p\" of 82");
    exceeds(&outputs, "more than the 8388608 bytes that a lane keeps of one");
    assert_eq!(counts(&book), (9, 1));
}

#[test]
fn a_lane_waits_with_as_many_records_as_its_limit_and_no_more() {
    let mut book = with(2, 2);
    assert!(letters(&early(&mut book, "p", "1")).is_empty() && letters(&early(&mut book, "q", "1")).is_empty());
    exceeds(&early(&mut book, "q", "2"), "2 records wait already, the most that a lane keeps;");
    assert_eq!(counts(&book), (2, 1));
}

#[test]
fn what_awaits_its_execution_takes_room_too_also_after_an_image() {
    let mut book = with(100, 2);
    book.fill("x1", "BUY", "1", "10", json!({"exec_type": "CANCEL", "exec_ref_id": "never"})).run();
    early(&mut book, "p", "1");
    let mut back = restored(&mut book.lane);
    std::mem::swap(&mut book.lane, &mut back);
    exceeds(&early(&mut book, "p", "2"), "2 records of portfolio \"p\" wait already");
    assert_eq!(counts(&book), (2, 1));
}

#[test]
fn a_limit_that_shrinks_turns_nothing_away_that_waits_already() {
    let mut book = with(100, 100);
    let fee = json!({"instrument_id": "NEW", "fees": [{"type": "COMMISSION", "amount": "1", "currency": "UDS"}]});
    (1..=4).for_each(|n| _ = book.fill(&n.to_string(), "BUY", "1", "10", fee.clone()).run());
    book.lane.configure(&Settings { waiting_portfolio_limit: 1, waiting_limit: 1, ..Settings::default() });
    // The head goes on to wait for a rate, and the others behind it.
    assert!(letters(&book.instrument("NEW", json!({})).run()).is_empty());
    assert_eq!(counts(&book), (4, 0));
}
