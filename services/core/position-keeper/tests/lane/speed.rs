//! How long valuation and booking take; run by hand: `cargo test -p position-keeper -- --ignored --nocapture speed`.

use crate::harness::*;
use domain::{Amount, Timestamp};
use serde_json::json;
use std::time::Instant;

#[test]
#[ignore = "a measurement, not a law"]
#[allow(clippy::disallowed_methods, reason = "it measures time")]
fn holders_a_second() {
    let mut book = Book::new();
    let instruments: Vec<String> = (0..500).map(|n| format!("I{n}")).collect();
    for id in &instruments {
        book.instrument(id, json!({})).price(id, "12.34");
    }
    for p in 0..1000 {
        book.policy_of(&format!("P{p}"), 1, json!({}));
        for k in 0..50 {
            let more = json!({"portfolio_id": format!("P{p}"), "instrument_id": instruments[(p * 7 + k * 11) % 500]});
            book.fill(&format!("{k}"), "BUY", "10.5", "12", more);
        }
    }
    book.run();
    let role = book.lane.role();
    let mut equities: Vec<Amount> = Vec::new();
    let start = Instant::now();
    let mut lines = 0;
    for _ in 0..100 {
        lines += position_keeper::revalue_all(role.portfolios(), role.market(), Timestamp::from_micros(second(1)), &mut equities);
    }
    let each = start.elapsed().as_nanos() / lines as u128;
    println!("{lines} holders, {each} ns each");
    assert_eq!(lines, 100 * 1000 * 50);
}
