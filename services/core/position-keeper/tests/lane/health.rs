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
    book.frame(|frame| frame.prices.push(last("A", "99", second(121)))).run();
    assert_eq!(book.lane.role().market().slots()[0].price.unwrap().to_string(), "10");
    book.frame(|frame| frame.prices.push(last("A", "99", second(120)))).run();
    assert_eq!(book.lane.role().market().slots()[0].price.unwrap().to_string(), "99");
}

#[test]
fn a_split_that_no_book_can_bear_is_unreconciled_until_it_is_withdrawn() {
    let action = |status: &str| -> domain::corporate_action::CorporateAction {
        let json = json!({"action_id": "s", "instrument_id": "A", "status": status, "kind": "SPLIT", "ratio_new": "10000000",
            "ratio_old": "1", "ex_date": "2026-01-06"});
        serde_json::from_value(json).unwrap()
    };
    let mut book = Book::new();
    book.policy(1, json!({})).instrument("A", json!({})).price("A", "10").fill("1", "BUY", "1", "10", json!({})).run();
    let outputs = book.at(second(2)).frame(|frame| frame.actions.push(action("NEW"))).run();
    assert!(only(snapshots(&outputs)).health.unreconciled);
    let outputs = book.at(second(4)).frame(|frame| frame.actions.push(action("CANCELLED"))).run();
    assert!(!only(snapshots(&outputs)).health.unreconciled);
}

#[test]
fn a_corrected_record_ends_the_conflict_of_an_instrument() {
    let mut book = Book::new();
    book.policy(1, json!({})).instrument("A", json!({"currency": "EUR"})).instrument("A", json!({})).price("A", "10");
    let outputs = book.fill("1", "BUY", "1", "10", json!({})).run();
    assert!(letters(&outputs).is_empty() && !only(snapshots(&outputs)).health.unreconciled, "nothing was booked by the first record");
    let outputs = book.at(second(2)).instrument("A", json!({"multiplier": "10"})).run();
    assert!(only(snapshots(&outputs)).health.unreconciled);
    let outputs = book.at(second(4)).instrument("A", json!({})).run();
    assert!(!only(snapshots(&outputs)).health.unreconciled);
}

#[test]
fn a_price_that_is_too_old_makes_the_book_incomplete() {
    let mut book = Book::new();
    book.policy(1, json!({"book": {"max_price_age_seconds": 100}}))
        .instrument("A", json!({"max_price_age_seconds": null}))
        .price("A", "10");
    let outputs = book.fill("1", "BUY", "1", "10", json!({})).run();
    assert!(only(snapshots(&outputs)).health.complete);
    let outputs = book.run_at(second(101));
    let health = &only(snapshots(&outputs)).health;
    assert_eq!((health.complete, health.stale.len(), health.unpriced.len()), (false, 1, 0));
}

#[test]
fn each_price_that_goes_stale_is_said_at_its_own_moment() {
    let own = |seconds: i64| json!({"max_price_age_seconds": seconds});
    let mut book = Book::new();
    // A and B live by the policy's limit, C and D by their own, E in another currency.
    book.policy(1, json!({"book": {"max_price_age_seconds": 100}})).instrument("A", json!({"max_price_age_seconds": null}));
    book.instrument("B", json!({"max_price_age_seconds": null})).instrument("C", own(140)).instrument("D", own(160));
    book.instrument("E", json!({"currency": "EUR", "max_price_age_seconds": 180})).instrument("EUR/USD", json!({"type": "FX"}));
    for id in ["A", "C", "D", "E", "EUR/USD"] {
        book.price(id, "1");
    }
    for id in ["A", "B", "C", "D"] {
        book.fill(id, "BUY", "1", "1", json!({"instrument_id": id}));
    }
    book.fill("E", "BUY", "1", "1", json!({"instrument_id": "E", "currency": "EUR"})).run();
    book.at(second(20)).price("B", "1").run();
    let due = |book: &Book| book.lane.next_due().map(|at| (at.micros() - second(0)) / 1_000_000);
    for (at, stale) in [(100, "A"), (120, "A B"), (140, "A B C"), (160, "A B C D"), (180, "A B C D E")] {
        assert_eq!(due(&book), Some(at), "the lane wakes for {stale}");
        let outputs = book.run_at(second(at) + 1);
        let names: Vec<_> = only(snapshots(&outputs)).health.stale.iter().map(|name| name.as_str()).collect();
        assert_eq!(names.join(" "), stale);
    }
}

#[test]
fn what_a_tick_does_not_give_goes_on_ageing() {
    let mut book = Book::new();
    book.policy(1, json!({"book": {"max_price_age_seconds": 100}}))
        .instrument("A", json!({"max_price_age_seconds": null}))
        .price("A", "10");
    book.fill("1", "BUY", "1", "10", json!({})).run();
    let volume = domain::frame::FramePrice { last: None, volume: "7".parse().ok(), ..last("A", "1", second(90)) };
    book.at(second(90)).frame(|frame| frame.prices.push(volume)).run();
    let outputs = book.run_at(second(101));
    assert!(only(snapshots(&outputs)).allocations[0].stale);
}

#[test]
fn a_reserve_of_a_book_in_debt_is_nothing() {
    let mut book = Book::new();
    book.policy(1, json!({"orders": {"cash_reserve": "0.1"}}));
    let outputs = book.cash("w", "WITHDRAWAL", "USD", "100").run();
    assert_eq!(only(snapshots(&outputs)).available_cash.to_string(), "-100");
}

#[test]
fn prices_of_a_cut_that_nobody_uses_are_let_go() {
    const HOUR: i64 = 3_600;
    let keeps = |book: &mut Book, cut: &str| book.lane.shared_image().windows(cut.len()).any(|part| part == cut.as_bytes());
    let mut book = Book::new();
    book.policy(1, json!({"day_cut": "01:00"})).instrument("A", json!({})).price("A", "10").run();
    book.run_at(second(HOUR));
    assert!(keeps(&mut book, "UTC 01:00"));
    book.at(second(2 * HOUR)).policy(2, json!({"day_cut": "03:00"})).run();
    for hour in [3, 25, 27] {
        book.run_at(second(hour * HOUR));
    }
    assert!(!keeps(&mut book, "UTC 01:00") && keeps(&mut book, "UTC 03:00"));
}

#[test]
fn a_portfolio_that_was_closed_begins_its_day_anew() {
    const DAY: i64 = 86_400;
    let mut book = Book::new();
    book.policy(1, json!({})).instrument("A", json!({})).price("A", "10").fill("1", "BUY", "1", "10", json!({})).run();
    let outputs = book.at(second(DAY)).price("A", "11").run();
    assert_eq!(only(snapshots(&outputs)).metrics.day_pnl.map(|day| day.to_string()), Some("1".into()));
    let outputs = book.at(second(DAY + 10)).close_policy("p").run();
    assert_eq!(only(snapshots(&outputs)).metrics.day_pnl, None);
    let outputs = book.at(second(3 * DAY)).price("A", "20").policy(2, json!({})).run();
    assert_eq!(snapshots(&outputs).last().unwrap().metrics.day_pnl, None, "no cut since it was opened again");
}
