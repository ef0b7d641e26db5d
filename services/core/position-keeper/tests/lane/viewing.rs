//! A fill that is viewed where it lies is booked as one that was decoded, and leaves the same state, to the last byte.

use crate::harness::*;
use engine::{Lane, Settings};
use position_keeper::PositionKeeper;
use proptest::prelude::*;
use serde_json::{Value, json};

const METHODS: [&str; 4] = ["AVERAGE", "FIFO", "LIFO", "HIFO"];
const SIDES: [&str; 5] = ["BUY", "BUY", "SELL", "SELL_SHORT", "UNKNOWN"];
const INSTRUMENTS: [&str; 7] = ["A", "B", "FUT", "BOND", "COIN", "EUR/USD", "NOWHERE"];
const QUANTITIES: [&str; 7] = ["10", "3", "0.5", "7.00000001", "0", "99999999999", "1000"];
const PRICES: [&str; 7] = ["7.5", "12.3456", "1.0000000001", "0.0000000003", "0", "-1", "99999999999"];

/// An execution report, mostly of the usual kind: what is unusual about it stands in its bits.
#[derive(Debug, Clone, Copy)]
struct Report {
    portfolio: usize,
    instrument: usize,
    id: u16,
    side: usize,
    quantity: usize,
    price: usize,
    bits: u32,
}

fn report() -> impl Strategy<Value = Report> {
    let usual = |rare: std::ops::Range<usize>| prop_oneof![4 => Just(0_usize), 4 => Just(1_usize), 1 => rare];
    let bits = prop_oneof![2 => Just(0_u32), 2 => (0..19_u32).prop_map(|bit| 1 << bit), 1 => any::<u32>()];
    (0..5_usize, usual(0..7), 0..60_u16, usual(0..5), usual(0..7), usual(0..7), bits).prop_map(
        |(portfolio, instrument, id, side, quantity, price, bits)| Report { portfolio, instrument, id, side, quantity, price, bits },
    )
}

fn send(book: &mut Book, report: Report) {
    let has = |bit: u32| report.bits & (1 << bit) != 0;
    let portfolio = ["p", "q", "r", "s", "nobody"][report.portfolio];
    let instrument = INSTRUMENTS[report.instrument];
    let kind = if has(16) && has(17) { ["CANCEL", "CORRECT"][usize::from(has(15))] } else { "TRADE" };
    let mut fees = Vec::new();
    for (bit, fee) in [
        (0, json!({"type": "commission", "amount": "0.35", "currency": "USD"})),
        (1, json!({"type": "stamp", "amount": "-0.1", "currency": "EUR"})),
        (2, json!({"type": "gas", "amount": "0.001", "currency": "COIN"})),
        (3, json!({"type": "levy", "amount": "1", "currency": "ZZZ"})),
        (18, json!({"type": "commission", "amount": "0.0000000001", "currency": "USD"})),
    ] {
        fees.extend(has(bit).then_some(fee));
    }
    let mut more = json!({
        "portfolio_id": portfolio, "instrument_id": instrument, "exec_type": kind, "fees": fees,
        "exec_ref_id": (kind != "TRADE").then(|| (report.id / 2).to_string()),
        "trade_date": if has(4) { "2026-01-02" } else { "2026-01-05" },
    });
    let mut add = |bit: u32, name: &str, value: Value| {
        if has(bit) {
            more[name] = value;
        }
    };
    add(5, "venue", json!("XNYS"));
    add(6, "settle_date", json!("2026-01-07"));
    add(7, "fx_rate", json!("1.1"));
    add(8, "order_id", json!("5b9da7e6-3c55-4a0b-9f0e-42a11a57ba11"));
    add(9, "strategy", json!("momentum"));
    add(10, "cum_qty", json!("13"));
    add(11, "gross_amount", json!("75.01"));
    add(12, "accrued_interest", json!("0.5"));
    add(13, "received_at", json!("2026-01-05T10:00:01Z"));
    add(14, "trade_date", json!("2026-01-09"));
    add(15, "currency", json!("EUR"));
    book.fill(&report.id.to_string(), SIDES[report.side], QUANTITIES[report.quantity], PRICES[report.price], more);
}

fn open() -> Book {
    let mut book = Book::with(&settings());
    for (portfolio, method) in ["p", "q", "r", "s"].into_iter().zip(METHODS) {
        book.policy_of(portfolio, 1, json!({"book": {"cost_method": method}}));
    }
    book.instrument("A", json!({})).instrument("B", json!({"multiplier": "10"}));
    book.instrument("FUT", json!({"type": "FUTURE", "multiplier": "50"})).instrument("BOND", json!({"type": "BOND"}));
    book.instrument("COIN", json!({"base_asset": "COIN"})).instrument("EUR/USD", json!({"type": "FX"}));
    book.price("A", "8").price("B", "9").price("COIN", "11").price("EUR/USD", "1.1");
    book.run_at(second(36_000));
    book
}

fn settings() -> Settings {
    Settings { dedup_trade_dates: 2, max_lines: 4, max_lots: 9, ..Settings::default() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]
    #[test]
    fn a_viewed_fill_is_booked_as_a_decoded_one(windows in prop::collection::vec(prop::collection::vec(report(), 1..40), 1..5), split in any::<bool>()) {
        let mut viewed = open();
        let mut outputs = Vec::new();
        for (nth, reports) in windows.iter().enumerate() {
            if split && nth == 1 {
                let split = json!({
                    "action_id": "split", "instrument_id": "A", "status": "NEW", "kind": "SPLIT", "ratio_new": "2", "ratio_old": "1",
                    "ex_date": "2026-01-05",
                });
                viewed.frame(|frame| frame.actions.push(serde_json::from_value(split).unwrap()));
            }
            reports.iter().for_each(|report| send(&mut viewed, *report));
            outputs.push(viewed.run_at(second(36_001 + nth as i64)));
        }
        let mut decoded: Lane<PositionKeeper> = Lane::new(PositionKeeper::default(), 0, 1);
        decoded.configure(&settings());
        let opened = run_with(&mut decoded, &viewed.history[0], &mut Decoding);
        prop_assert!(!opened.is_empty());
        for (window, viewed) in viewed.history[1..].iter().zip(&outputs) {
            prop_assert_eq!(&run_with(&mut decoded, window, &mut Decoding), viewed);
        }
        prop_assert_eq!(viewed.lane.totals(), decoded.totals());
        prop_assert_eq!(image(&mut viewed.lane), image(&mut decoded));
    }
}

#[test]
fn a_fill_that_the_lane_cannot_book_is_told_of_as_one_that_was_decoded() {
    let mut book = open();
    book.fill("1", "BUY", "10", "7.5", json!({}));
    book.fill("1", "BUY", "10", "7.5", json!({}));
    book.fill("1", "BUY", "11", "7.5", json!({}));
    book.fill("2", "BUY", "10", "7.5", json!({"instrument_id": "LATER"}));
    let outputs = book.run();
    assert_eq!(only(ledgers(&outputs)).entries.len(), 1);
    assert_eq!(letters(&outputs).len(), 1, "the conflict");
    let totals = book.lane.totals();
    assert_eq!(
        (totals.inputs, totals.duplicates, totals.dead_letters),
        (4 + 10 + 4, 1, 1),
        "a fill counts once, however often it was read"
    );
    assert_eq!(book.lane.role().waiting(), 1);
}

/// Half of a unit is realised and a whole one is paid: rounded apart they would make a trade that lost, and a cancel, which
/// rounds their difference, would take back another one.
#[test]
fn what_a_closed_trade_comes_to_is_rounded_once_behind_its_fee() {
    let mut book = open();
    let (kind, smallest) = ("commission", "0.0000000001");
    book.fill("1", "BUY", "1", "1", json!({}));
    book.fill("2", "SELL", "0.5", "1.0000000001", json!({"fees": [{"type": kind, "amount": smallest, "currency": "USD"}]}));
    let outputs = book.run();
    let closed = only(only(ledgers(&outputs)).entries[1].closed_trades.to_vec());
    assert_eq!((closed.even, closed.losing), (1, 0), "{closed:?}");
    book.fill("3", "SELL", "0.5", "1.0000000001", json!({"exec_type": "CANCEL", "exec_ref_id": "2"}));
    book.run();
    assert!(book.closed_trades.is_empty(), "{:?}", book.closed_trades);
}
