//! How the state stands, as gauges show it.

use crate::harness::*;
use engine::{Role as _, Stats};
use serde_json::json;

fn stats(book: &Book) -> Stats {
    book.lane.role().stats(book.lane.now())
}

#[test]
fn waiting_quarantined_and_stale_are_counted() {
    let mut book = Book::new();
    book.policy(1, json!({"targets": [{"instrument_id": "A", "target_weight": "0.5"}], "book": {"max_price_age_seconds": 100}}));
    book.instrument("A", json!({"max_price_age_seconds": null}));
    book.run();
    let (none, one) = (Some(0), Some(1));
    let sound = Stats {
        waiting_records: none,
        oldest_waiting_seconds: none,
        breached_portfolios: none,
        stale_prices: none,
        unfinished_days: none,
        quarantined_portfolios: none,
        ..Stats::default()
    };
    assert_eq!(stats(&book), Stats { stale_prices: one, ..sound }, "a target without a price");
    book.price("A", "10").run();
    assert_eq!(stats(&book), sound);
    book.cash("paid-in", "DEPOSIT", "USD", "1000").run();
    assert_eq!(stats(&book), Stats { breached_portfolios: one, ..sound }, "nothing is held of a target of a half");
    book.fill("0", "BUY", "50", "10", json!({})).run();
    assert_eq!(stats(&book), sound, "it stands at its target again");
    book.fill("1", "BUY", "1", "10", json!({"instrument_id": "UNHEARD"})).run();
    assert_eq!(stats(&book).waiting_records, one);
    book.fill("2", "BUY", "-1", "10", json!({})).run();
    assert_eq!(stats(&book).quarantined_portfolios, one);
    let later = book.lane.now().plus_seconds(1_000);
    assert_eq!(book.lane.role().stats(later).stale_prices, one, "a price that is too old for who targets it");
}

#[test]
fn days_that_are_not_closed_finally_are_counted() {
    let mut book = Book::new();
    let unfinished = |book: &Book| stats(book).unfinished_days.unwrap();
    book.policy(1, json!({})).cash("d", "DEPOSIT", "EUR", "1000").behind(true).run();
    book.run_at(second(3 * 86_400));
    assert_eq!(unfinished(&book), 3, "they are not closed while the lane is behind");
    book.behind(false).run_at(second(3 * 86_400 + 1));
    assert_eq!(unfinished(&book), 3, "a rate is missing");
    book.price("EUR/USD", "1.1").run();
    assert_eq!(unfinished(&book), 0);
}
