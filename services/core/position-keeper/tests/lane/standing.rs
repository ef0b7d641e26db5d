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
    let sound =
        Stats { waiting_records: none, oldest_waiting_seconds: none, stale_prices: none, quarantined_portfolios: none, ..Stats::default() };
    assert_eq!(stats(&book), Stats { stale_prices: one, ..sound }, "a target without a price");
    book.price("A", "10").run();
    assert_eq!(stats(&book), sound);
    book.fill("1", "BUY", "1", "10", json!({"instrument_id": "UNHEARD"})).run();
    assert_eq!(stats(&book).waiting_records, one);
    book.fill("2", "BUY", "-1", "10", json!({})).run();
    assert_eq!(stats(&book).quarantined_portfolios, one);
    let later = book.lane.now().plus_seconds(1_000);
    assert_eq!(book.lane.role().stats(later).stale_prices, one, "a price that is too old for who targets it");
}
