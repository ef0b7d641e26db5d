//! What waits for something that never comes: who is told of it, and how a DISCARD takes it out.

use crate::harness::*;
use domain::reason::DeadLetterCode as Code;
use domain::{Output, Timestamp};
use engine::Role as _;
use serde_json::{Value, json};

/// A book that knows instrument A and its price.
fn ready() -> Book {
    let mut book = Book::new();
    book.policy(1, json!({})).policy_of("q", 1, json!({})).instrument("A", json!({})).price("A", "10").run();
    book
}
fn place(topic: &str, offset: i64) -> Value {
    json!({"dead_letter": {"topic": topic, "partition": 0, "offset": offset}, "reason": "mistyped"})
}
fn discard(book: &mut Book, id: &str, offset: i64) -> Vec<Output> {
    book.command(id, "DISCARD", place("execution.fills.v1", offset)).run()
}
/// A fee in a currency of which no rate ever comes.
fn mistyped() -> Value {
    json!({"fees": [{"type": "COMMISSION", "amount": "1", "currency": "UDS"}]})
}
fn booked(outputs: &[Output]) -> Vec<String> {
    ledgers(outputs).iter().flat_map(|ledger| &ledger.entries).map(|entry| entry.cause.id.to_string()).collect()
}
fn refused(outputs: &[Output], words: &str) {
    let (code, text) = only(letters(outputs));
    assert!(code == Code::InvalidCommand && text.contains(words), "{code}: {text}");
}

#[test]
fn what_waited_behind_a_discarded_record_goes_on_in_order() {
    let mut book = ready();
    book.fill("typo", "BUY", "1", "10", mistyped()).fill("2", "BUY", "2", "10", json!({})).fill("3", "SELL", "1", "10", json!({}));
    book.cash("c", "DEPOSIT", "USD", "50").fill("other", "BUY", "1", "10", json!({"portfolio_id": "q"}));
    let outputs = book.run();
    assert_eq!((booked(&outputs), book.lane.role().waiting()), (vec!["c".to_owned(), "other".to_owned()], 3));
    let outputs = discard(&mut book, "d1", 0);
    let (code, text) = only(letters(&outputs));
    assert_eq!(code, Code::Discarded);
    for words in ["DISCARD \"d1\" of \"me\"", "mistyped", "while it waited for a rate of UDS in USD"] {
        assert!(text.contains(words), "{text}");
    }
    let Some(Output::DeadLetter(letter)) = outputs.iter().find(|output| matches!(output, Output::DeadLetter(_))) else { panic!() };
    assert_eq!((letter.offset, letter.value.as_ref()), (0, Some(&book.sent_fills("p")[0].1)), "it is the record, whole");
    assert_eq!(booked(&outputs), ["2", "3"]);
    assert_eq!((book.lane.role().waiting(), book.lane.role().quarantined()), (0, 0));
    let health = only(drifts(&book.refresh("5b9da7e6-3c55-4a0b-9f0e-42a11a57ba11").run())).health.clone();
    assert!(health.complete && health.waiting == 0 && !health.quarantined);
    // Its id was never booked: the right record may come under it.
    assert_eq!(booked(&book.fill("typo", "BUY", "1", "10", json!({})).run()), ["typo"]);
    refused(&discard(&mut book, "d2", 0), "no such record of it waits");
}

#[test]
fn one_is_taken_out_of_the_midst_and_the_head_goes_on_waiting() {
    let mut book = ready();
    let unknown = || json!({"instrument_id": "NEW"});
    book.fill("1", "BUY", "1", "10", unknown()).fill("2", "BUY", "1", "10", unknown()).fill("3", "BUY", "1", "10", json!({})).run();
    let mut back = restored(&mut book.lane);
    std::mem::swap(&mut book.lane, &mut back);
    let outputs = discard(&mut book, "d1", 1);
    let (_, text) = only(letters(&outputs));
    assert!(text.ends_with("while it waited behind others for reference data of instrument \"NEW\"") && booked(&outputs).is_empty());
    refused(&discard(&mut book, "d2", 1), "no such record of it waits");
    refused(&book.command("d3", "DISCARD", place("treasury.cash.v1", 0)).run(), "no such record of it waits");
    let of_another = json!({"portfolio_id": "q", "dead_letter": {"topic": "execution.fills.v1", "partition": 0, "offset": 0}});
    refused(&book.command("d4", "DISCARD", of_another).run(), "no such record of it waits");
    let outputs = book.command("d5", "DISCARD", place("execution.fills.v1", 9)).run();
    refused(&outputs, "execution.fills.v1/0@9 cannot be discarded: no such refusal of portfolio \"p\" is open");
    let outputs = book.command("d6", "DISCARD", place("execution.fills.v1.dlq", 0)).run();
    refused(&outputs, "execution.fills.v1.dlq/0@0 names no topic of ours");
    refused(&book.command("d7", "RELEASE", json!({})).run(), "portfolio \"p\" cannot be released: it is not quarantined");
    assert_eq!(book.lane.role().waiting(), 2);
    let outputs = book.instrument("NEW", json!({})).run();
    assert_eq!((booked(&outputs), book.lane.role().waiting()), (vec!["1".to_owned(), "3".to_owned()], 0));
}

#[test]
fn a_cancel_of_what_never_came_is_taken_out_too() {
    let mut book = ready();
    let cancel = json!({"exec_type": "CANCEL", "exec_ref_id": "never"});
    book.fill("x1", "BUY", "1", "10", cancel.clone()).fill("x2", "BUY", "1", "10", cancel).fill("2", "BUY", "1", "10", json!({}));
    assert_eq!(booked(&book.run()), ["2"]);
    let (_, text) = only(letters(&discard(&mut book, "d1", 1)));
    assert!(text.ends_with("while it waited for execution \"never\" of \"oms\""), "{text}");
    assert_eq!(book.lane.role().waiting(), 1);
    let mut back = restored(&mut book.lane);
    std::mem::swap(&mut book.lane, &mut back);
    let outputs = discard(&mut book, "d2", 0);
    assert_eq!((only(letters(&outputs)).0, book.lane.role().waiting()), (Code::Discarded, 0));
    let outputs = book.refresh("5b9da7e6-3c55-4a0b-9f0e-42a11a57ba11").run();
    assert_eq!(only(drifts(&outputs)).health.waiting, 0);
    assert_eq!(booked(&book.fill("never", "BUY", "1", "10", json!({})).run()), ["never"]);
}

#[test]
fn a_stranger_s_record_is_taken_out_as_any_other() {
    let mut book = Book::new();
    book.fill("1", "BUY", "1", "10", json!({"portfolio_id": "nobody"})).run();
    let of_nobody = json!({"portfolio_id": "nobody", "dead_letter": {"topic": "execution.fills.v1", "partition": 0, "offset": 0}});
    let (code, text) = only(letters(&book.command("d1", "DISCARD", of_nobody).run()));
    assert!(code == Code::Discarded && text.contains("a policy of portfolio \"nobody\"") && text.contains("no reason is given"), "{text}");
    assert_eq!(book.lane.role().waiting(), 0);
}

#[test]
fn who_waits_longest_is_named_with_what_it_waits_for() {
    let mut book = ready();
    let told = |book: &Book| -> Vec<(String, i64, i64, usize, String)> {
        let waiters = book.lane.role().waiters().into_iter();
        waiters.map(|w| (w.portfolio.to_string(), w.place.2, (w.since.micros() - MONDAY) / 1_000_000, w.behind, w.need)).collect()
    };
    assert!(told(&book).is_empty());
    let later = |needs: &str, more: Value| {
        let mut fields = more;
        fields["instrument_id"] = needs.into();
        fields
    };
    book.at(second(5)).fill("1", "BUY", "1", "10", later("NEW", mistyped())).fill("2", "BUY", "1", "10", json!({})).run();
    let cancel = json!({"portfolio_id": "q", "exec_type": "CANCEL", "exec_ref_id": "never"});
    book.at(second(9)).fill("3", "BUY", "1", "10", cancel).run();
    let new = "reference data of instrument \"NEW\"".to_owned();
    let never = ("q".to_owned(), 2, 9, 0, "execution \"never\" of \"oms\"".to_owned());
    assert_eq!(told(&book), [("p".to_owned(), 0, 5, 1, new), never.clone()]);
    // The instrument comes, and then it lacks a rate: it waits since it came.
    book.at(second(20)).instrument("NEW", json!({})).run();
    let rate = "a rate of UDS in USD (a price of UDS/USD, its inverse, or one cross)".to_owned();
    assert_eq!(told(&book), [("p".to_owned(), 0, 5, 1, rate), never]);
    let at = |n: i64| Timestamp::from_micros(second(n));
    let mut back = restored(&mut book.lane);
    std::mem::swap(&mut book.lane, &mut back);
    let stats = book.lane.role().stats(at(30));
    assert_eq!((stats.waiting_records, stats.oldest_waiting_seconds), (Some(3), Some(25)));
    discard(&mut book, "d1", 0);
    assert_eq!(book.lane.role().stats(at(30)).oldest_waiting_seconds, Some(21));
    book.command(
        "d2",
        "DISCARD",
        json!({"portfolio_id": "q", "dead_letter": {"topic": "execution.fills.v1", "partition": 0, "offset": 2}}),
    );
    book.run();
    assert_eq!(book.lane.role().stats(at(30)).oldest_waiting_seconds, Some(0));
}
