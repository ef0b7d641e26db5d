//! How long valuation and booking take; run by hand, with optimisation:
//! `cargo test -p position-keeper --profile fast -- --ignored --nocapture speed`.

use crate::harness::*;
use domain::enums::Side;
use domain::fill::Fill;
use domain::{Amount, Input, Output, Timestamp, Topic};
use engine::lane::Slice;
use engine::{Codec, Lane, RawRecord, Refusal, Settings};
use position_keeper::PositionKeeper;
use serde_json::json;
use std::time::Instant;

#[test]
#[ignore = "a measurement, not a law"]
#[allow(clippy::disallowed_methods, reason = "it measures time")]
fn speed_of_holders() {
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
    for _ in 0..200 {
        lines += position_keeper::revalue_all(role.portfolios(), role.market(), Timestamp::from_micros(second(1)), &mut equities);
    }
    let each = start.elapsed().as_nanos() as f64 / lines as f64;
    println!("{lines} holders, {each:.2} ns each");
    assert_eq!(lines, 200 * 1000 * 50);
}

/// Makes each fill where a codec would: just before it is folded.
struct Decoded(Box<Fill>);

impl Codec for Decoded {
    fn decode(&mut self, _: Topic, key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Input, Refusal> {
        let n = u32::from_le_bytes(value.unwrap().try_into().unwrap());
        let mut fill = self.0.clone();
        fill.portfolio_id = std::str::from_utf8(key.unwrap()).unwrap().parse().unwrap();
        fill.exec_id = domain::SmolStr::new(n.to_string());
        fill.instrument_id = format!("I{}", (n * 7 + n / 1000) % 50 + n * 31 % 1000 % 450).parse().unwrap();
        fill.side = if n % 3 == 0 { Side::Sell } else { Side::Buy };
        Ok(Input::Fill(fill))
    }
    fn encode(&mut self, output: &Output, into: &mut Vec<u8>) -> Result<(), Refusal> {
        into.push(u8::from(output.portfolio_id().is_some()));
        Ok(())
    }
}

#[test]
#[ignore = "a measurement, not a law"]
#[allow(clippy::disallowed_methods, reason = "it measures time")]
fn speed_of_fills() {
    let mut book = Book::new();
    for n in 0..500 {
        book.instrument(&format!("I{n}"), json!({})).price(&format!("I{n}"), "12.34");
    }
    for p in 0..1000 {
        book.policy_of(&format!("P{p}"), 1, json!({}));
    }
    book.run();
    let mut lane: Lane<PositionKeeper> = restored(&mut book.lane);
    lane.configure(&Settings { snapshot_interval_ms: 1_000_000_000, ..Settings::default() });
    let (mut folding, mut closing) = (u128::MAX, u128::MAX);
    let fill = json!({"source": "oms", "exec_id": "0", "trade_date": "2026-01-05", "exec_type": "TRADE", "portfolio_id": "p",
        "instrument_id": "A", "side": "SELL", "quantity": "10.5", "price": "12.25", "currency": "USD",
        "transact_time": "2026-01-05T10:00:00Z", "fees": [{"type": "c", "amount": "0.5", "currency": "USD"}]});
    let mut codec = Decoded(serde_json::from_value(fill).unwrap());
    let (windows, each) = (40_u32, 10_000_u32);
    for window in 0..windows {
        let mut records = Vec::new();
        for n in 0..each {
            let n = window * each + n;
            let portfolio = format!("P{}", n * 31 % 1000);
            let key = Some(portfolio.into_bytes());
            let (offset, value) = (i64::from(n), Some(n.to_le_bytes().to_vec()));
            let timestamp = Timestamp::from_micros(second(1));
            records.push(RawRecord { topic: Topic::Fills, partition: 0, offset, timestamp, key, headers: Vec::new(), value });
        }
        let to = i64::from((window + 1) * each);
        let start = Instant::now();
        let slices = [Slice { topic: Topic::Fills, partition: 0, to, records: &records }];
        lane.window(Timestamp::from_micros(second(2)), false, &slices, &mut codec).unwrap();
        folding = folding.min(start.elapsed().as_nanos());
        let start = Instant::now();
        let step = lane.close(&mut codec).unwrap().unwrap();
        closing = closing.min(start.elapsed().as_nanos());
        assert!(step.records.len() >= 1000);
    }
    assert_eq!(lane.totals().dead_letters, 0);
    let (folding, closing) = (folding / u128::from(each), closing / u128::from(each));
    println!("at best {folding} ns a fill to fold and decide, {closing} to close the step");
}
