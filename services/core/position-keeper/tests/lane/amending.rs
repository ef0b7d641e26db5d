//! Cancels and corrections: the book is that of a replay in which the execution never was, or was right from the
//! beginning, whatever came between and in whatever order the records came.

use crate::harness::*;
use domain::enums::EntryKind;
use domain::ledger::{CurrencyAmount, Ledger, PositionState};
use domain::reason::DeadLetterCode as Code;
use domain::{Amount, Output};
use engine::Settings;
use position_keeper::book::holding::Holding;
use proptest::prelude::*;
use serde_json::{Value, json};
use smallvec::SmallVec;
use std::collections::BTreeMap;

fn ready() -> Book {
    ready_by("AVERAGE")
}

pub fn ready_by(method: &str) -> Book {
    let mut book = Book::new();
    book.policy(1, json!({"book": {"cost_method": method}})).price("EUR/USD", "1.1").price("BTC/USD", "100").price("GBP/USD", "1.25");
    book.instrument("A", json!({})).instrument("E", json!({"currency": "EUR"}));
    book.instrument("F", json!({"type": "FUTURE", "multiplier": "50"}));
    book.instrument("BTC/USD", json!({"type": "CRYPTO", "base_asset": "BTC"}));
    book.instrument("GBP/USD", json!({"type": "FX", "base_asset": "GBP"}));
    for id in ["A", "E", "F"] {
        book.price(id, "10");
    }
    book.cash("open", "DEPOSIT", "USD", "1000000").run();
    book
}

fn amend(book: &mut Book, id: &str, kind: &str, of: &str, mut more: Value) {
    more["exec_type"] = json!(kind);
    more["exec_ref_id"] = json!(of);
    book.fill(id, "BUY", "1", "1", more);
}

/// The entries of a ledger record, shortly: kind, quantity, cash of the first leg, realized.
fn entries(outputs: &[Output]) -> Vec<String> {
    let all = ledgers(outputs).into_iter().flat_map(|ledger| &ledger.entries);
    let cash = |entry: &domain::ledger::LedgerEntry| entry.cash.iter().map(|leg| format!("{}", leg.amount)).collect::<Vec<_>>().join(",");
    all.map(|entry| format!("{} {} {} {}", entry.kind, entry.quantity_change, cash(entry), entry.realized_gross)).collect()
}

fn position(outputs: &[Output]) -> (String, String, String) {
    let state = &only(ledgers(outputs)).positions[0];
    (state.quantity.to_string(), state.average_price.map_or("-".into(), |price| price.to_string()), state.realized_gross.to_string())
}

#[test]
fn a_cancel_undoes_its_execution_and_restates_what_came_after() {
    let mut book = ready();
    book.fill("1", "BUY", "100", "10", json!({})).fill("2", "BUY", "100", "20", json!({})).fill("3", "SELL", "50", "30", json!({})).run();
    amend(&mut book, "c", "CANCEL", "2", json!({}));
    let outputs = book.run();
    // Average 15 became 10: the sale realized 1,000 instead of 750.
    assert_eq!(entries(&outputs), ["CANCEL -100 2000 0", "RESTATE 0  250"]);
    assert_eq!(position(&outputs), ("50".into(), "10".into(), "1000".into()));
    amend(&mut book, "d", "CANCEL", "3", json!({"side": "SELL"}));
    assert_eq!(position(&book.run()), ("100".into(), "10".into(), "0".into()));
    amend(&mut book, "e", "CANCEL", "1", json!({}));
    let outputs = book.run();
    assert_eq!((entries(&outputs).join(";").as_str(), position(&outputs).0.as_str()), ("CANCEL -100 1000 0", "0"));
    assert_eq!(only(ledgers(&outputs)).cash[0].amount.to_string(), "1000000");
}

#[test]
fn a_correction_takes_the_place_and_keeps_the_date_and_a_chain_means_its_head() {
    let mut book = ready();
    let fee = json!({"fees": [{"type": "commission", "amount": "5", "currency": "USD"}]});
    book.fill("1", "BUY", "100", "10", fee).fill("2", "SELL", "40", "12", json!({})).run();
    amend(&mut book, "c1", "CORRECT", "1", json!({"quantity": "100", "price": "11", "trade_date": "2026-01-06"}));
    let outputs = book.run();
    assert_eq!(entries(&outputs), ["CORRECT 0 -95 0", "RESTATE 0  -40"], "a fee of 5 less, and 1 for each unit more");
    assert_eq!(only(ledgers(&outputs)).entries[0].trade_date.unwrap().to_string(), "2026-01-05");
    assert_eq!(position(&outputs), ("60".into(), "11".into(), "40".into()));
    // By the first id or by that of the correction: both mean what stands there now.
    amend(&mut book, "c2", "CORRECT", "c1", json!({"quantity": "50", "price": "11", "trade_date": "2026-01-06"}));
    assert_eq!(position(&book.run()), ("10".into(), "11".into(), "40".into()));
    amend(&mut book, "c3", "CANCEL", "1", json!({}));
    assert_eq!(position(&book.run()), ("-40".into(), "12".into(), "0".into()));
}

#[test]
fn a_reference_may_come_before_what_it_names_and_holds_nobody_up() {
    let mut book = ready();
    amend(&mut book, "c2", "CANCEL", "c1", json!({}));
    amend(&mut book, "c1", "CORRECT", "1", json!({"quantity": "7", "price": "10"}));
    let outputs = book.at(second(5)).fill("0", "BUY", "5", "10", json!({})).run();
    assert_eq!((position(&outputs).0.as_str(), book.lane.role().waiting()), ("5", 2));
    assert_eq!(only(snapshots(&outputs)).health.waiting, 2);
    let outputs = book.fill("1", "BUY", "100", "10", json!({})).run();
    assert_eq!(entries(&outputs), ["TRADE 100 -1000 0", "CORRECT -93 930 0", "CANCEL -7 70 0"]);
    assert_eq!((position(&outputs).0.as_str(), book.lane.role().waiting()), ("5", 0));
}

#[test]
fn what_cannot_be_amended_changes_nothing_and_is_reported() {
    for (id, kind, of, more, code, word) in [
        ("x", "CANCEL", "1", json!({"exec_ref_id": null}), Code::InvalidRecord, "exec_ref_id"),
        ("1", "CANCEL", "1", json!({}), Code::InvalidRecord, "id of its own"),
        ("x", "CORRECT", "1", json!({"instrument_id": "E", "currency": "EUR"}), Code::InvalidRecord, "another instrument"),
        ("x", "CORRECT", "1", json!({"side": "SELL"}), Code::InvalidRecord, "another side"),
        ("x", "CORRECT", "1", json!({"currency": "EUR"}), Code::InvalidRecord, "another currency"),
        ("x", "CORRECT", "1", json!({"quantity": "0"}), Code::OutOfRange, "quantity"),
        ("x", "CANCEL", "gone", json!({}), Code::DuplicateConflict, "cancelled already"),
        ("x", "CORRECT", "gone", json!({}), Code::DuplicateConflict, "cancelled already"),
        ("x", "CANCEL", "1", json!({"trade_date": "2025-12-01"}), Code::LateReference, "not known any more"),
    ] {
        let mut book = Book::with(&Settings { dedup_trade_dates: 1, ..Settings::default() });
        book.policy(1, json!({})).instrument("A", json!({})).instrument("E", json!({"currency": "EUR"})).price("A", "10");
        book.fill("1", "BUY", "100", "10", json!({})).fill("gone", "BUY", "1", "10", json!({})).run();
        amend(&mut book, "c", "CANCEL", "gone", json!({}));
        book.run();
        let mut given = more.clone();
        given["exec_type"] = json!(kind);
        if given.get("exec_ref_id").is_none() {
            given["exec_ref_id"] = json!(of);
        }
        let outputs = book.at(second(5)).fill(id, "BUY", "1", "1", given).run();
        let (found, text) = only(letters(&outputs));
        assert!(found == code && text.contains(word), "{kind} {of} {more}: {found} {text}");
        assert!(ledgers(&outputs).is_empty());
        assert!(only(snapshots(&outputs)).health.quarantined);
    }
}

#[test]
fn the_same_record_again_is_a_duplicate_and_a_waiting_one_ends_with_the_window() {
    let mut book = Book::with(&Settings { dedup_trade_dates: 2, ..Settings::default() });
    book.policy(1, json!({})).instrument("A", json!({})).price("A", "10").fill("1", "BUY", "100", "10", json!({})).run();
    for _ in 0..2 {
        amend(&mut book, "c", "CANCEL", "1", json!({}));
    }
    amend(&mut book, "never", "CANCEL", "nothing", json!({}));
    let outputs = book.run();
    assert_eq!((entries(&outputs).len(), letters(&outputs).len(), book.lane.role().waiting()), (1, 0, 1));
    for day in ["2026-01-06", "2026-01-07"] {
        book.at(second(86_400 * 2)).fill(day, "BUY", "1", "10", json!({"trade_date": day}));
    }
    assert_eq!(only(letters(&book.run())).0, Code::LateReference);
    assert_eq!(book.lane.role().waiting(), 0);
}

#[test]
fn a_waiting_reference_from_before_a_window_ends_when_the_window_is_full() {
    let mut book = Book::with(&Settings { dedup_trade_dates: 2, ..Settings::default() });
    book.policy(1, json!({})).instrument("A", json!({})).price("A", "10").fill("1", "BUY", "100", "10", json!({}));
    amend(&mut book, "old", "CANCEL", "nothing", json!({"trade_date": "2025-12-31"}));
    amend(&mut book, "new", "CANCEL", "nothing else", json!({}));
    assert!(letters(&book.run()).is_empty());
    book.at(second(86_400)).fill("2", "BUY", "1", "10", json!({"trade_date": "2026-01-06"}));
    let outputs = book.run();
    let (code, text) = only(letters(&outputs));
    assert!(code == Code::LateReference && text.contains("2025-12-31"), "{code} {text}");
    assert_eq!(book.lane.role().waiting(), 1, "one of a date of the window may still find its execution");
}

#[test]
fn unsettled_cash_comes_back_unsettled_and_orders_count_again() {
    let mut book = ready();
    let order = "11111111-2222-5333-8444-555555555555";
    book.fill("1", "BUY", "100", "10", json!({"settle_date": "2026-01-07", "order_id": order, "cum_qty": "100"})).run();
    amend(&mut book, "c", "CORRECT", "1", json!({"quantity": "60", "price": "10", "cum_qty": "60"}));
    let outputs = book.at(second(2)).command("ask", "REBALANCE", json!({})).run();
    let drift = drifts(&outputs)[0];
    let usd = |drift: &domain::drift::Drift| (drift.cash[0].trade_date.to_string(), drift.cash[0].settled.to_string());
    assert_eq!(usd(drift), ("999400".into(), "1000000".into()));
    assert_eq!((drift.recent_orders[0].executed_quantity.to_string(), drift.health.unreconciled), ("60".into(), false));
    let outputs = book.run_at(second(86_400 * 3));
    assert!(letters(&outputs).is_empty());
    let outputs = book.command("again", "REBALANCE", json!({})).run();
    assert_eq!(usd(drifts(&outputs)[0]), ("999400".into(), "999400".into()));
}

/// Every cost method.
pub const METHODS: [&str; 4] = ["AVERAGE", "FIFO", "LIFO", "HIFO"];

const INSTRUMENTS: [(&str, &str); 5] = [("A", "USD"), ("E", "EUR"), ("F", "USD"), ("BTC/USD", "USD"), ("GBP/USD", "USD")];

#[derive(Debug, Clone)]
struct Trade {
    instrument: usize,
    buy: bool,
    quantity: u32,
    price: u32,
    fee: i32,
    fee_currency: usize,
    strategy: Option<u8>,
}

/// Quantity, price, fee, and the strategy where it names one.
type Right = (u32, u32, i32, Option<u8>);

/// Most trades name none, so that many a line begins late with its sub-positions.
fn strategy() -> impl Strategy<Value = Option<u8>> {
    prop_oneof![3 => Just(None), 1 => (0..3_u8).prop_map(Some)]
}

#[derive(Debug, Clone)]
enum Act {
    Trade(Trade),
    /// Of one of the trades so far or still to come; `None` cancels.
    Amend {
        of: usize,
        by_head: bool,
        now: Option<Right>,
    },
}

fn trade() -> impl Strategy<Value = Trade> {
    // Some prices come often, so that lots have the same one.
    let price = (1..10_000_u32).prop_map(|price| if price.is_multiple_of(4) { 1_000 * (1 + price % 3) } else { price });
    let numbers = (1..1_000_u32, price, -50..50_i32, 0..3_usize);
    (0..5_usize, any::<bool>(), numbers, strategy()).prop_map(|(instrument, buy, (quantity, price, fee, fee_currency), strategy)| Trade {
        instrument,
        buy,
        quantity,
        price,
        fee,
        fee_currency,
        strategy,
    })
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let now = prop_oneof![1 => Just(None), 2 => (1..1_000_u32, 1..10_000_u32, -50..50_i32, strategy()).prop_map(Some)];
    let amend = (0..12_usize, any::<bool>(), now).prop_map(|(of, by_head, now)| Act::Amend { of, by_head, now });
    proptest::collection::vec(prop_oneof![3 => trade().prop_map(Act::Trade), 2 => amend], 1..40)
}

fn cents(number: i128) -> String {
    Amount::from_units(number * 10_i128.pow(Amount::SCALE - 2)).to_string()
}

fn fields(trade: &Trade) -> Value {
    let (id, currency) = INSTRUMENTS[trade.instrument];
    let base = ["BTC", "GBP"].iter().find(|asset| id.starts_with(**asset)).copied().unwrap_or(currency);
    let fee_currency = ["USD", "EUR", base][trade.fee_currency];
    let fee = cents(i128::from(trade.fee));
    let strategy = trade.strategy.map(|n| format!("s{n}"));
    json!({"instrument_id": id, "currency": currency, "strategy": strategy, "fees": [{"type": "f", "amount": fee, "currency": fee_currency}]})
}

fn sent(book: &mut Book, id: &str, trade: &Trade, more: &[(&str, Value)]) {
    let mut given = fields(trade);
    more.iter().for_each(|(name, value)| given[*name] = value.clone());
    let price = cents(i128::from(trade.price));
    book.fill(id, if trade.buy { "BUY" } else { "SELL" }, &trade.quantity.to_string(), &price, given);
}

/// The `n`th trade under its own id and date.
fn sent_nth(book: &mut Book, n: usize, trade: &Trade) {
    sent(book, &format!("t{n}"), trade, &[("trade_date", json!(["2026-01-04", "2026-01-05"][n % 2]))]);
}

/// What is held, to the last unit, without where it stands in the history.
pub fn held(book: &Book) -> Vec<Holding> {
    let lines = book.lane.role().portfolios()[0].lines.all().iter();
    assert!(lines.clone().all(|line| line.lots.is_empty() || line.lots.add_up_to(&line.position)));
    lines.map(|line| Holding { position: line.position, lots: line.lots.clone(), subs: line.subs.clone(), newest: line.newest }).collect()
}

/// The last state of every position, and cash, once each instrument is traded once more.
fn state(book: &mut Book) -> (BTreeMap<String, PositionState>, String, String) {
    for (at, (id, _)) in INSTRUMENTS.iter().enumerate() {
        sent(
            book,
            &format!("last {id}"),
            &Trade { instrument: at, buy: true, quantity: 1, price: 100, fee: 0, fee_currency: 0, strategy: None },
            &[],
        );
    }
    let outputs = book.at(second(86_400 * 7)).run();
    assert!(letters(&outputs).is_empty(), "{:?}", letters(&outputs));
    let ledger: &Ledger = only(ledgers(&outputs));
    // A currency that came and went leaves a zero behind.
    let there = |amounts: &mut dyn Iterator<Item = &CurrencyAmount>| amounts.filter(|a| !a.amount.is_zero()).copied().collect();
    let kept = |state: &PositionState| PositionState { fees: there(&mut state.fees.iter()), ..state.clone() };
    let positions = ledger.positions.iter().map(|state| (state.instrument_id.to_string(), kept(state))).collect();
    let cash: SmallVec<[CurrencyAmount; 1]> = there(&mut ledger.cash.iter());
    (positions, format!("{cash:?}"), format!("{:?}", only(snapshots(&outputs)).metrics))
}

/// Plays the acts as they come; the trades that stand at the end, in the order of their booking.
fn played(method: &str, acts: &[Act], upset: bool) -> (Book, Vec<(usize, Trade)>) {
    let mut book = ready_by(method);
    let mut trades: Vec<(Trade, Vec<String>)> = Vec::new();
    for act in acts {
        if let Act::Trade(trade) = act {
            trades.push((trade.clone(), vec![format!("t{}", trades.len())]));
        }
    }
    let mut standing: Vec<Option<Trade>> = trades.iter().map(|(trade, _)| Some(trade.clone())).collect();
    let (mut next, mut sent_now) = (0, 0);
    for (n, act) in acts.iter().enumerate() {
        book.at(second(n as i64));
        match act {
            Act::Trade(trade) => {
                sent_nth(&mut book, next, trade);
                next += 1;
            }
            Act::Amend { of, by_head, now } => {
                // Of what was sent; where the order is upset, also of what comes later.
                let known = if upset { trades.len() } else { next };
                let Some(of) = of.checked_rem(known) else { continue };
                if standing[of].is_none() {
                    continue;
                }
                let (original, ids) = &mut trades[of];
                let named = if *by_head { ids.last().unwrap() } else { &ids[0] }.clone();
                let id = format!("a{sent_now}");
                sent_now += 1;
                let kind = if now.is_some() { "CORRECT" } else { "CANCEL" };
                let was = standing[of].clone().unwrap();
                let right = |(quantity, price, fee, strategy): Right| Trade { quantity, price, fee, strategy, ..original.clone() };
                let shown = now.map_or_else(|| original.clone(), right);
                sent(&mut book, &id, &shown, &[("exec_type", json!(kind)), ("exec_ref_id", json!(named))]);
                ids.push(id);
                // One that names no strategy leaves it as it is.
                standing[of] = now.map(right).map(|trade| Trade { strategy: trade.strategy.or(was.strategy), ..trade });
            }
        }
        let outputs = book.run();
        assert!(letters(&outputs).is_empty(), "{:?}", letters(&outputs));
    }
    assert_eq!(book.lane.role().waiting(), 0);
    (book, standing.into_iter().enumerate().filter_map(|(n, trade)| Some((n, trade?))).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn the_book_is_that_of_a_replay_without_the_mistakes(acts in acts(), upset in any::<bool>(), method in 0..4_usize) {
        let method = METHODS[method];
        let (mut book, standing) = played(method, &acts, upset);
        let mut back = restored(&mut book.lane);
        let mut right = ready_by(method);
        for (n, trade) in &standing {
            sent_nth(right.at(second(*n as i64)), *n, trade);
            right.run();
        }
        let expected = state(&mut right);
        prop_assert_eq!(&state(&mut book), &expected);
        prop_assert_eq!(held(&book), held(&right));
        prop_assert_eq!(&book.closed_trades, &right.closed_trades);
        prop_assert_eq!(back.shared_image(), restored(&mut back).shared_image());
    }
}

#[test]
fn later_bookings_of_a_future_move_cash_again() {
    let mut book = ready();
    for (id, side, price) in [("1", "BUY", "10"), ("2", "BUY", "20"), ("3", "SELL", "30")] {
        book.fill(id, side, "1", price, json!({"instrument_id": "F"}));
    }
    book.run();
    amend(&mut book, "c", "CANCEL", "1", json!({"instrument_id": "F"}));
    let outputs = book.run();
    assert_eq!(entries(&outputs), ["CANCEL -1  0", "RESTATE 0 -250 -250"], "(30 - 15) x 50 became (30 - 20) x 50");
    assert_eq!(only(ledgers(&outputs)).entries[1].kind, EntryKind::Restate);
}

/// Some 2,000 bookings are folded again for each of them, so that some 120 cost what a window may.
#[test]
fn a_burst_of_corrections_ends_its_window_early_and_comes_to_the_same_book() {
    let (mut book, mut right) = (ready(), ready());
    for n in 0..2_000 {
        book.fill(&n.to_string(), "BUY", "1", "10", json!({}));
        right.fill(&n.to_string(), "BUY", "1", "10", json!({}));
    }
    assert_eq!((book.run().is_empty(), right.run().is_empty(), book.windows), (false, false, 1));
    for n in 0..300 {
        amend(&mut book, &format!("c{n}"), "CORRECT", &n.to_string(), json!({}));
        amend(&mut right, &format!("c{n}"), "CORRECT", &n.to_string(), json!({}));
        right.run();
        assert_eq!(right.windows, 1);
    }
    let outputs = book.run();
    assert_eq!((book.windows, entries(&outputs).len()), (3, 300));
    assert_eq!((held(&book), book.lane.role().waiting()), (held(&right), 0));
}

#[test]
fn a_line_is_folded_again_over_many_chunks_and_from_an_image() {
    METHODS.into_iter().for_each(folded_over_many_chunks);
}

fn folded_over_many_chunks(method: &str) {
    let day = |n: usize| format!("2026-01-{:02}", 5 + n / 1_000);
    let deeds: Vec<_> = (0..6_000_usize).map(|n| (n, ["A", "E"][n % 2], n % 7 < 4, 1 + (n * 37) % 11, 1 + (n * 53) % 97)).collect();
    let send = |book: &mut Book, (n, id, buy, quantity, price): (usize, &str, bool, usize, usize), more: Value| {
        let strategy = n.is_multiple_of(5).then(|| format!("s{}", n % 3));
        let currency = if id == "E" { "EUR" } else { "USD" };
        let mut given = json!({"instrument_id": id, "currency": currency, "trade_date": day(n), "strategy": strategy});
        more.as_object().unwrap().iter().for_each(|(name, value)| given[name] = value.clone());
        book.fill(&n.to_string(), if buy { "BUY" } else { "SELL" }, &quantity.to_string(), &price.to_string(), given);
    };
    let (mut book, mut right) = (ready_by(method), ready_by(method));
    let gone = [0, 1, 2_047, 2_048, 3_001, 5_998];
    for deed in &deeds {
        send(&mut book, *deed, json!({}));
        if !gone.contains(&deed.0) {
            send(&mut right, *deed, json!({}));
        }
        if deed.0 % 500 == 499 {
            book.at(second(86_400 * 6)).run();
            right.at(second(86_400 * 6)).run();
        }
    }
    let mut lane = restored(&mut book.lane);
    std::mem::swap(&mut book.lane, &mut lane);
    // Backwards, so that what stands before later executions has changed already.
    for at in gone.into_iter().rev() {
        let (n, id, buy, quantity, price) = deeds[at];
        let named = json!({"exec_type": "CANCEL", "exec_ref_id": n.to_string(), "trade_date": "2026-01-10"});
        send(&mut book, (100_000 + n, id, buy, quantity, price), named);
        assert!(letters(&book.run()).is_empty());
        let mut lane = restored(&mut book.lane);
        std::mem::swap(&mut book.lane, &mut lane);
    }
    assert_eq!(state(&mut book), state(&mut right), "{method}");
    assert_eq!(held(&book), held(&right), "{method}");
}
