//! What an ADMIT carries back in: the very bytes that were refused at the place that it names, and no others.

use crate::harness::*;
use domain::reason::DeadLetterCode as Code;
use domain::{Output, Timestamp};
use engine::Settings;
use engine::refused::KNOWN_DAYS;
use serde_json::{Value, json};

/// A command acts once: the next ADMIT of the same record is another one.
const AGAIN: &str = "ADMIT it under a new command_id";

/// A book whose fill at offset 2, of 7 units, is parked as late.
fn parked() -> Book {
    let mut book = Book::with(&Settings { dedup_trade_dates: 2, ..Settings::default() });
    book.policy(1, json!({})).instrument("A", json!({})).price("A", "10");
    book.fill("1", "BUY", "1", "10", json!({"trade_date": "2026-01-04"})).fill("2", "BUY", "1", "10", json!({})).run();
    let outputs = book.fill("0", "BUY", "7", "10", json!({"trade_date": "2026-01-02"})).run();
    assert_eq!(only(letters(&outputs)).0, Code::LateFill);
    book
}

fn admit(book: &mut Book, id: &str, bytes: &[u8]) -> Vec<Output> {
    let bytes = domain::dead_letter::hex::encode(bytes);
    let letter = json!({"dead_letter": {"topic": "execution.fills.v1", "partition": 0, "offset": 2, "bytes": bytes}});
    book.command(id, "ADMIT", letter).run()
}

fn refuses(book: &mut Book, id: &str, bytes: &[u8], words: &str) {
    let outputs = admit(book, id, bytes);
    let (code, text) = only(letters(&outputs));
    assert_eq!(code, Code::InvalidCommand);
    assert!(text.contains(words) && text.contains("execution.fills.v1/0@2"), "{text}");
    assert!(ledgers(&outputs).is_empty(), "nothing is booked by a refused command");
    assert_eq!(book.lane.role().quarantined(), 1, "the refusal stays open");
}

#[test]
fn bytes_that_were_never_refused_are_not_booked() {
    let mut book = parked();
    let (_, refused) = book.sent_fills("p").pop().unwrap();
    let mut other: Value = serde_json::from_slice(&refused).unwrap();
    other["quantity"] = "7000".into();
    refuses(&mut book, "a1", other.to_string().as_bytes(), "are not those that were refused");
    // The same values, told otherwise, are other bytes.
    let same: Value = serde_json::from_slice(&refused).unwrap();
    refuses(&mut book, "a2", &serde_json::to_vec_pretty(&same).unwrap(), "are not those that were refused");
    let (_, booked) = book.sent_fills("p").remove(0);
    refuses(&mut book, "a3", &booked, "closed by DISCARD");
    let outputs = admit(&mut book, "a4", &refused);
    assert_eq!(only(ledgers(&outputs)).positions[0].quantity.to_string(), "9");
    assert_eq!(book.lane.role().quarantined(), 0);
}

/// Sent twice, it is refused twice, and each refusal can be admitted: once it is booked, the other is not.
#[test]
fn what_came_late_twice_is_admitted_once() {
    for (quantity, words) in [("7", "it was booked meanwhile"), ("8", "was booked with other content")] {
        let mut book = parked();
        let outputs = book.fill("0", "BUY", quantity, "10", json!({"trade_date": "2026-01-02"})).run();
        assert_eq!(only(letters(&outputs)).0, Code::LateFill);
        let sent = book.sent_fills("p");
        let letter = |offset: i64, bytes: &[u8]| {
            let bytes = domain::dead_letter::hex::encode(bytes);
            json!({"dead_letter": {"topic": "execution.fills.v1", "partition": 0, "offset": offset, "bytes": bytes}})
        };
        let outputs = book.command("a1", "ADMIT", letter(2, &sent[2].1)).run();
        assert_eq!(only(ledgers(&outputs)).positions[0].quantity.to_string(), "9");
        let mut lane = restored(&mut book.lane);
        std::mem::swap(&mut book.lane, &mut lane);
        let outputs = book.command("a2", "ADMIT", letter(3, &sent[3].1)).run();
        let (code, text) = only(letters(&outputs));
        assert!(code == Code::InvalidCommand && text.contains(words), "{text}");
        assert!(ledgers(&outputs).is_empty());
        // And once more by its sender.
        let outputs = book.fill("0", "BUY", "7", "10", json!({"trade_date": "2026-01-02"})).run();
        assert!(ledgers(&outputs).is_empty() && letters(&outputs).is_empty(), "it is known now");
    }
}

/// A late fill is known by no id: only its refusal, once settled, keeps it from being booked twice.
#[test]
fn what_was_settled_is_not_admitted_a_second_time() {
    for settle in ["ADMIT", "DISCARD", "RELEASE"] {
        let mut book = parked();
        let (_, refused) = book.sent_fills("p").pop().unwrap();
        let bytes = domain::dead_letter::hex::encode(&refused);
        let letter = json!({"dead_letter": {"topic": "execution.fills.v1", "partition": 0, "offset": 2, "bytes": bytes}});
        assert!(letters(&book.command("first", settle, letter).run()).is_empty());
        // More refusals than are listed by place: one that is not listed is believed to be open.
        for _ in 0..1_001 {
            book.add(domain::Topic::Fills, "p", Some(b"?".to_vec()));
        }
        book.run();
        let outputs = admit(&mut book, "second", &refused);
        assert!(ledgers(&outputs).is_empty(), "{settle}: booked twice, or after all");
        assert!(only(letters(&outputs)).1.contains("they were settled"), "{settle}");
    }
}

#[test]
fn what_was_refused_is_known_after_an_image() {
    let mut book = parked();
    let (_, refused) = book.sent_fills("p").pop().unwrap();
    let mut back = restored(&mut book.lane);
    assert_eq!(back.shared_image(), book.lane.shared_image());
    std::mem::swap(&mut book.lane, &mut back);
    refuses(&mut book, "a1", b"{}", "are not those that were refused");
    assert_eq!(ledgers(&admit(&mut book, "a2", &refused)).len(), 1);
}

#[test]
fn an_unreadable_record_may_be_admitted_as_it_is_and_as_nothing_else() {
    let mut book = parked();
    book.add(domain::Topic::Fills, "p", Some(b"?".to_vec()));
    book.run();
    let letter = |bytes: &str| {
        json!({"dead_letter": {"topic": "execution.fills.v1", "partition": 0, "offset": 3,
            "bytes": domain::dead_letter::hex::encode(bytes.as_bytes())}})
    };
    let text = |outputs: Vec<Output>| only(letters(&outputs)).1;
    let told = text(book.command("a1", "ADMIT", letter("!")).run());
    assert!(told.contains("are not those that were refused"), "{told}");
    let told = text(book.command("a2", "ADMIT", letter("?")).run());
    assert!(told.contains("the carried bytes were refused") && told.contains(AGAIN), "{told}");
}

#[test]
fn an_admit_that_is_refused_says_that_the_next_one_needs_a_new_id() {
    let mut book = parked();
    refuses(&mut book, "a1", b"{}", AGAIN);
    assert!(letters(&admit(&mut book, "a1", b"{}")).is_empty(), "the same command once more says nothing");
    // Two that are late besides: of an instrument that is not known, and in another currency than its instrument.
    let late = |more: Value| {
        let mut fields = more;
        fields["trade_date"] = "2026-01-02".into();
        fields
    };
    book.fill("3", "BUY", "1", "10", late(json!({"instrument_id": "NEW"})));
    book.fill("4", "BUY", "1", "10", late(json!({"currency": "EUR"}))).run();
    let mut told = |id: &str, offset: i64| {
        let (_, bytes) = book.sent_fills("p").into_iter().find(|(sent, _)| *sent == offset).unwrap();
        let bytes = domain::dead_letter::hex::encode(&bytes);
        let letter = json!({"dead_letter": {"topic": "execution.fills.v1", "partition": 0, "offset": offset, "bytes": bytes}});
        only(letters(&book.command(id, "ADMIT", letter).run())).1
    };
    let (waits, refused) = (told("a2", 3), told("a3", 4));
    assert!(waits.contains("it still needs reference data of instrument \"NEW\"") && waits.contains(AGAIN), "{waits}");
    assert!(refused.contains("it is refused again") && refused.contains(AGAIN), "{refused}");
}

#[test]
fn a_refusal_that_is_forgotten_says_so() {
    let mut book = parked();
    let (_, refused) = book.sent_fills("p").pop().unwrap();
    let last = Timestamp::from_micros(second(KNOWN_DAYS * 24 * 3600));
    book.at(last.micros() + 1);
    refuses(&mut book, "a1", &refused, "a lane knows its newest 10000 refusals, for 30 days");
    refuses(&mut book, "a1b", &refused, AGAIN);
    let discard = json!({"dead_letter": {"topic": "execution.fills.v1", "partition": 0, "offset": 2}});
    assert!(letters(&book.command("d1", "DISCARD", discard).run()).is_empty());
    assert_eq!(book.lane.role().quarantined(), 0);
    let mut book = parked();
    book.at(last.micros());
    assert_eq!(ledgers(&admit(&mut book, "a2", &refused)).len(), 1, "on its last day");
}
