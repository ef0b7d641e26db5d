//! What is refused, what waits, and how a quarantine ends.

use crate::harness::*;
use domain::reason::DeadLetterCode as Code;
use domain::{Output, Topic};
use engine::Settings;
use serde_json::{Value, json};

fn ready() -> Book {
    ready_with(&Settings::default())
}
fn ready_with(settings: &Settings) -> Book {
    let mut book = Book::with(settings);
    book.policy(1, json!({})).instrument("A", json!({})).price("A", "10");
    book.run();
    book
}
fn refused(book: &mut Book, code: Code, words: &str) {
    let outputs = book.run();
    let (found, text) = only(letters(&outputs));
    assert_eq!(found, code, "{text}");
    assert!(text.contains(words), "{text}");
    assert!(ledgers(&outputs).is_empty());
}

#[test]
fn a_wrong_fill_is_dead_lettered_with_its_reason_and_quarantines() {
    let cases: [(Value, Code, &str); 11] = [
        (json!({"quantity": "-1"}), Code::OutOfRange, "quantity is -1"),
        (json!({"quantity": "0"}), Code::OutOfRange, "quantity is 0"),
        (json!({"price": "-1"}), Code::OutOfRange, "price is -1"),
        (json!({"quantity": "99999999999999", "price": "99999999999999"}), Code::OutOfRange, "range of exact amounts"),
        (json!({"side": "HOLD"}), Code::UnknownEnum, "side"),
        (json!({"exec_type": "WEIRD"}), Code::UnknownEnum, "exec_type"),
        (json!({"exec_type": "CANCEL"}), Code::InvalidRecord, "exec_ref_id, which is missing"),
        (json!({"currency": "EUR"}), Code::InvalidRecord, "in USD"),
        (json!({"fx_rate": "1.1"}), Code::OutOfRange, "base currency USD"),
        (json!({"trade_date": "2026-01-07"}), Code::OutOfRange, "at most tomorrow"),
        (json!({"gross_amount": "-5"}), Code::OutOfRange, "gross_amount"),
    ];
    for (fields, code, words) in cases {
        let mut book = ready();
        book.fill("1", "BUY", "1", "10", fields);
        refused(&mut book, code, words);
        let outputs = book.refresh("5b9da7e6-3c55-4a0b-9f0e-42a11a57ba11").run();
        assert!(only(drifts(&outputs)).health.quarantined);
    }
}

#[test]
fn cash_that_is_not_booked_says_so() {
    for (kind, amount, code, words) in [
        ("DEPOSIT", "-1", Code::OutOfRange, "must be above 0"),
        ("DIVIDEND", "0", Code::OutOfRange, "must be above 0"),
        ("TRANSFER_IN", "0", Code::OutOfRange, "must be above 0"),
        ("LOTTERY", "1", Code::UnknownEnum, "kind"),
    ] {
        let mut book = ready();
        book.cash("1", kind, "USD", amount);
        refused(&mut book, code, words);
        assert_eq!(book.lane.role().quarantined(), 1);
    }
}

#[test]
fn a_repeated_fill_acts_once_and_a_changed_one_conflicts() {
    let mut book = ready();
    book.fill("1", "BUY", "1", "10", json!({})).run();
    let again = json!({"received_at": "2026-01-05T11:00:00Z"});
    let outputs = book.fill("1", "BUY", "1", "10", again).run();
    assert!(ledgers(&outputs).is_empty() && letters(&outputs).is_empty());
    assert_eq!(book.lane.totals().duplicates, 1);
    book.fill("1", "BUY", "2", "10", json!({}));
    refused(&mut book, Code::DuplicateConflict, "booked with other content");
    // The same id on another day or from another system is another execution.
    let outputs = book.fill("1", "BUY", "2", "10", json!({"source": "other"})).run();
    assert_eq!(ledgers(&outputs).len(), 1);
    book.cash("c", "DEPOSIT", "USD", "5").cash("c", "DEPOSIT", "USD", "5").run();
    assert_eq!(book.lane.totals().duplicates, 2);
    book.cash("c", "DEPOSIT", "USD", "6");
    refused(&mut book, Code::DuplicateConflict, "entry \"c\"");
}

#[test]
fn a_late_fill_is_parked_and_admitted_once() {
    let mut book = ready_with(&Settings { dedup_trade_dates: 2, ..Settings::default() });
    book.fill("1", "BUY", "1", "10", json!({"trade_date": "2026-01-04"})).fill("2", "BUY", "1", "10", json!({})).run();
    book.fill("0", "BUY", "7", "10", json!({"trade_date": "2026-01-02"}));
    let outputs = book.run();
    assert_eq!(only(letters(&outputs)).0, Code::LateFill);
    let Some(Output::DeadLetter(letter)) = outputs.iter().find(|o| matches!(o, Output::DeadLetter(_))) else { panic!() };
    let carried = |letter: &domain::dead_letter::DeadLetter| {
        let bytes = domain::dead_letter::hex::encode(letter.value.as_ref().unwrap());
        json!({"dead_letter": {"topic": "execution.fills.v1", "partition": letter.partition, "offset": letter.offset, "bytes": bytes}})
    };
    let outputs = book.command("admit-1", "ADMIT", carried(letter)).run();
    assert_eq!(only(ledgers(&outputs)).positions[0].quantity.to_string(), "9");
    assert_eq!(book.lane.role().quarantined(), 0);
    let outputs = book.command("admit-1", "ADMIT", carried(letter)).run();
    assert!(letters(&outputs).is_empty() && ledgers(&outputs).is_empty(), "the same command acts once");
    let outputs = book.command("admit-2", "ADMIT", carried(letter)).run();
    assert_eq!(only(letters(&outputs)).0, Code::InvalidCommand);
}

#[test]
fn discard_and_release_end_a_quarantine() {
    let mut book = ready();
    book.fill("1", "BUY", "0", "10", json!({})).fill("2", "BUY", "0", "10", json!({})).run();
    let letter = |offset: i64| json!({"dead_letter": {"topic": "execution.fills.v1", "partition": 0, "offset": offset}});
    book.command("c0", "DISCARD", letter(0)).run();
    assert_eq!(book.lane.role().quarantined(), 1);
    book.command("c1", "DISCARD", letter(1)).run();
    assert_eq!(book.lane.role().quarantined(), 0);
    assert_eq!(only(letters(&book.command("c2", "RELEASE", json!({})).run())).0, Code::InvalidCommand);
    book.add(Topic::Fills, "p", Some(b"not json".to_vec()));
    assert_eq!(only(letters(&book.run())).0, Code::Undecodable);
    assert_eq!(book.lane.role().quarantined(), 1);
    book.command("c3", "RELEASE", json!({})).run();
    assert_eq!(book.lane.role().quarantined(), 0);
}

#[test]
fn a_policy_that_cannot_be_followed_leaves_the_old_one() {
    let mut book = Book::new();
    book.policy(5, json!({"session_id": "s"})).policy_of("q", 1, json!({})).run();
    let cases = [
        (6, json!({"band": {"absolute": 5}}), Code::InvalidAllocation, "0.05"),
        (5, json!({"name": "other"}), Code::InvalidPolicy, "does not rise"),
        (6, json!({"trigger": {"mode": "AUTOMATIC"}}), Code::InvalidPolicy, "price_collar_bp"),
    ];
    for (version, more, code, words) in cases {
        book.policy(version, more);
        refused(&mut book, code, words);
        let outputs = book.refresh("5b9da7e6-3c55-4a0b-9f0e-42a11a57ba11").run();
        assert_eq!(only(drifts(&outputs)).policy.as_ref().unwrap().policy_version, 5);
    }
    book.policy_of("q", 2, json!({"session_id": "s"}));
    refused(&mut book, Code::InvalidPolicy, "belongs to portfolio \"p\"");
    book.policy(5, json!({"session_id": "s"}));
    assert!(letters(&book.run()).is_empty(), "the very same policy again is a duplicate");
    // A closed portfolio gives its session free and keeps its book.
    book.close_policy("p").policy_of("q", 2, json!({"session_id": "s"}));
    let outputs = book.run();
    assert!(letters(&outputs).is_empty());
    assert!(drifts(&outputs).iter().any(|d| d.portfolio_id.as_str() == "p" && d.policy.is_none()));
}

#[test]
fn what_came_too_early_waits_in_order() {
    let mut book = Book::new();
    book.fill("1", "SELL", "5", "10", json!({})).cash("c", "DEPOSIT", "USD", "1").run();
    assert_eq!(book.lane.role().waiting(), 2);
    let outputs = book.policy(1, json!({})).run();
    // Cash waited behind nothing, but it stood before the fill in the fold: it is booked; the fill waits on.
    assert_eq!(only(ledgers(&outputs)).entries[0].kind.symbol(), "CASH_DEPOSIT");
    assert_eq!(only(snapshots(&outputs)).health.waiting, 1);
    assert!(!only(snapshots(&outputs)).health.complete);
    book.instrument("B", json!({})).price("B", "1").run();
    book.fill("2", "BUY", "5", "10", json!({"instrument_id": "B"})).run();
    assert_eq!(book.lane.role().waiting(), 2, "a fill waits behind those of its portfolio");
    book.fill("bad", "BUY", "-5", "10", json!({"instrument_id": "B"}));
    assert_eq!(only(letters(&book.run())).0, Code::OutOfRange);
    let outputs = book.instrument("A", json!({"currency": "USD"})).run();
    let entries: Vec<_> = ledgers(&outputs)[0].entries.iter().map(|e| e.cause.id.to_string()).collect();
    assert_eq!(entries, ["1", "2"]);
    assert_eq!(book.lane.role().waiting(), 0);
}

#[test]
fn what_waited_for_a_rate_is_booked_when_the_base_is_corrected() {
    let mut book = Book::new();
    book.policy(1, json!({"base_currency": "USD"})).cash("c", "DEPOSIT", "CHF", "100").run();
    assert_eq!(book.lane.role().waiting(), 1);
    let outputs = book.policy(2, json!({"base_currency": "CHF"})).run();
    assert_eq!((ledgers(&outputs).len(), book.lane.role().waiting()), (1, 0));
}

#[test]
fn a_life_begun_anew_has_versions_above_the_one_before() {
    let mut book = Book::new();
    book.lane.begin_after(7);
    let outputs = book.policy(1, json!({})).cash("c", "DEPOSIT", "USD", "100").run();
    assert_eq!((only(ledgers(&outputs)).version, only(snapshots(&outputs)).version), (700_001, 700_001));
    let mut back = restored(&mut book.lane);
    assert_eq!(back.shared_image(), book.lane.shared_image());
    std::mem::swap(&mut book.lane, &mut back);
    let outputs = book.policy_of("q", 1, json!({})).cash_of("q", "d", "DEPOSIT", "USD", "100").run();
    assert_eq!(only(ledgers(&outputs)).version, 700_001);
}

#[test]
fn a_command_id_is_its_portfolios_own_and_a_wrong_command_is_left_to_the_rebalancer() {
    let mut book = ready();
    book.policy_of("q", 1, json!({})).run();
    let outputs = book.command("1", "REBALANCE", json!({})).command("1", "REBALANCE", json!({"portfolio_id": "q"})).run();
    assert_eq!(drifts(&outputs).len(), 2);
    assert!(drifts(&book.command("2", "REBALANCE", json!({"actor": ""})).run()).is_empty());
    assert!(letters(&book.command("3", "RELEASE", json!({"portfolio_id": null})).run()).is_empty());
    // A known id with other content is refused by the rebalancer, whatever kind it had: here it does nothing.
    book.command("4", "HALT", json!({"scope": "PORTFOLIO"})).run();
    let outputs = book.command("4", "REBALANCE", json!({})).command("1", "REBALANCE", json!({"actor": "another"})).run();
    assert!(drifts(&outputs).is_empty() && letters(&outputs).is_empty());
}

#[test]
fn a_missing_rate_waits_until_it_can_be_had() {
    let mut book = ready();
    let outputs = book.cash("c", "DEPOSIT", "CHF", "100").run();
    assert!(ledgers(&outputs).is_empty() && letters(&outputs).is_empty());
    let outputs = book.price("USD/CHF", "0.8").run();
    assert_eq!(only(ledgers(&outputs)).entries[0].external_flow.to_string(), "125");
    // A fill that carries its rate needs none.
    book.instrument("J", json!({"currency": "JPY"})).run();
    let outputs = book.fill("1", "BUY", "1", "1000", json!({"instrument_id": "J", "currency": "JPY", "fx_rate": "0.007"})).run();
    assert_eq!(ledgers(&outputs).len(), 1);
}

#[test]
fn waiting_is_bounded() {
    let mut book = ready_with(&Settings { waiting_limit: 2, ..Settings::default() });
    (0..3).for_each(|n| _ = book.fill(&n.to_string(), "BUY", "1", "10", json!({"instrument_id": "NEW"})));
    let outputs = book.run();
    assert_eq!(only(letters(&outputs)).0, Code::WaitExceeded);
    assert_eq!((book.lane.role().waiting(), book.lane.role().quarantined()), (2, 1));
}

#[test]
fn commands_without_a_known_portfolio_are_refused() {
    let mut book = ready();
    book.command("1", "REBALANCE", json!({"portfolio_id": "nobody"}));
    refused(&mut book, Code::InvalidCommand, "has no policy");
    book.command("2", "ADMIT", json!({}));
    refused(&mut book, Code::InvalidCommand, "dead_letter is missing");
    book.command("3", "HALT", json!({"portfolio_id": null}));
    assert!(letters(&book.run()).is_empty(), "the rebalancer holds halts");
}

#[test]
fn a_portfolio_has_no_more_lines_than_its_records_hold() {
    let settings = Settings { max_lines: 2, ..Settings::default() };
    let mut book = Book::with(&settings);
    book.policy(1, json!({})).instrument("A", json!({})).instrument("B", json!({})).instrument("C", json!({}));
    book.fill("1", "BUY", "1", "10", json!({})).fill("2", "BUY", "1", "10", json!({"instrument_id": "B"}));
    assert!(letters(&book.run()).is_empty());
    book.fill("3", "BUY", "1", "10", json!({"instrument_id": "C"}));
    let refused = letters(&book.run());
    assert!(refused[0].1.contains("2 lines, the most"), "{refused:?}");
    // What is flat and not targeted counts no more.
    book.fill("4", "SELL", "1", "10", json!({"instrument_id": "B"})).fill("5", "BUY", "1", "10", json!({"instrument_id": "C"}));
    assert!(letters(&book.run()).is_empty());
    let target = |id: &str| json!({"instrument_id": id, "target_weight": "0.1"});
    book.policy(2, json!({"targets": [target("A"), target("B")]}));
    let refused = letters(&book.run());
    assert!(refused[0].1.contains("2 targets beside 1 other instruments that are held"), "{refused:?}");
    book.policy(3, json!({"targets": [target("A"), target("C")]}));
    assert!(letters(&book.run()).is_empty());
    book.fill("6", "BUY", "1", "10", json!({"venue": "v".repeat(129)}));
    assert!(letters(&book.run())[0].1.contains("venue has at most 128 bytes"));
}

/// A busy neighbour makes nothing of a portfolio forgotten: its ids are its own, also from before its policy.
#[test]
fn a_command_is_remembered_whatever_others_send() {
    let mut book = Book::new();
    book.command("r", "RELEASE", json!({})).run();
    book.policy(1, json!({})).policy_of("q", 1, json!({})).run();
    for n in 0..=engine::commands::KNOWN {
        book.command(&n.to_string(), "REBALANCE", json!({"portfolio_id": "q"}));
    }
    book.add(Topic::Fills, "p", Some(b"?".to_vec()));
    book.run();
    assert_eq!(book.lane.role().quarantined(), 1);
    book.command("r", "RELEASE", json!({})).run();
    assert_eq!(book.lane.role().quarantined(), 1, "the same id acts once");
    book.command("s", "RELEASE", json!({})).run();
    assert_eq!(book.lane.role().quarantined(), 0);
}

#[test]
fn an_exchange_of_two_currencies_has_no_accrued_interest() {
    let mut book = Book::new();
    book.policy(1, json!({})).instrument("EUR/USD", json!({"type": "FX"})).price("EUR/USD", "1.2").run();
    let given = |accrued: &str| json!({"instrument_id": "EUR/USD", "accrued_interest": accrued});
    assert!(letters(&book.fill("1", "BUY", "100", "1.2", given("0")).run()).is_empty());
    let outputs = book.fill("2", "BUY", "100", "1.2", given("3")).run();
    let (code, text) = only(letters(&outputs));
    assert!(code == Code::InvalidRecord && text.contains("accrued_interest has no meaning"), "{code} {text}");
}
