//! What is booked, and how it stands in ledger and snapshot.

use crate::harness::*;
use serde_json::json;

fn funded() -> Book {
    let mut book = Book::new();
    book.policy(1, json!({})).instrument("A", json!({})).price("A", "10").cash("d1", "DEPOSIT", "USD", "10000");
    book.run();
    book
}

#[test]
fn a_purchase_moves_position_and_cash_and_ties_out() {
    let mut book = funded();
    let fees = json!({"fees": [{"type": "commission", "amount": "1.5", "currency": "USD"}]});
    let outputs = book.fill("1", "BUY", "100", "10", fees).at(second(2)).run();
    let ledger = only(ledgers(&outputs));
    let (entry, position) = (&ledger.entries[0], &ledger.positions[0]);
    assert_eq!((ledger.version, entry.kind.symbol(), entry.cause.id.as_str()), (2, "TRADE", "1"));
    assert_eq!((entry.quantity_change.to_string(), entry.cash[0].amount.to_string()), ("100".into(), "-1001.5".into()));
    assert_eq!((position.quantity.to_string(), position.cost.to_string()), ("100".into(), "1000".into()));
    assert_eq!(position.average_price.unwrap().to_string(), "10", "the average excludes fees");
    assert_eq!((position.realized_net.to_string(), ledger.cash[0].amount.to_string()), ("-1.5".into(), "8998.5".into()));
    let outputs = book.price("A", "12").at(second(4)).run();
    let snapshot = only(snapshots(&outputs));
    assert_eq!((snapshot.version, snapshot.total_value.to_string()), (3, "10198.5".into()));
    let m = &snapshot.metrics;
    assert_eq!((m.unrealized.to_string(), m.fees.to_string(), m.total_pnl.to_string()), ("200".into(), "1.5".into(), "198.5".into()));
    assert_eq!((m.net_flows.to_string(), snapshot.allocations[0].value.to_string()), ("10000".into(), "1200".into()));
    assert!(snapshot.health.complete);
}

#[test]
fn a_flip_splits_its_fee_and_opens_a_new_cycle() {
    let mut book = funded();
    book.fill("1", "BUY", "100", "10", json!({})).run();
    let fees = json!({"fees": [{"type": "c", "amount": "3", "currency": "USD"}]});
    let outputs = book.fill("2", "SELL", "150", "12", fees).run();
    let position = &only(ledgers(&outputs)).positions[0];
    assert_eq!((position.quantity.to_string(), position.cost.to_string()), ("-50".into(), "-600".into()));
    assert_eq!((position.realized_gross.to_string(), position.realized_net.to_string()), ("200".into(), "197".into()));
    assert_eq!((position.cycle_realized_gross.to_string(), position.cycle_fees.to_string()), ("0".into(), "1".into()));
}

#[test]
fn a_rate_is_news_only_while_the_value_depends_on_it() {
    let mut book = funded();
    let trade = |side: &str| json!({"instrument_id": "E", "currency": "EUR", "side": side});
    book.instrument("E", json!({"currency": "EUR"})).price("E", "10").price("EUR/USD", "1.1").run();
    let rate = |book: &mut Book, rate: &str, at: i64| snapshots(&book.price("EUR/USD", rate).at(second(at)).run()).len();
    book.fill("1", "BUY", "100", "10", trade("BUY")).at(second(2)).run();
    assert_eq!(rate(&mut book, "1.2", 4), 1);
    book.fill("2", "SELL", "100", "10", trade("SELL")).at(second(6)).run();
    assert_eq!(rate(&mut book, "1.3", 8), 0, "neither shares nor cash in EUR are left");
    book.fill("3", "BUY", "1", "10", trade("BUY")).at(second(10)).run();
    assert_eq!(rate(&mut book, "1.2", 12), 1);
}

#[test]
fn a_foreign_purchase_and_what_rates_do() {
    let mut book = funded();
    book.instrument("E", json!({"currency": "EUR"})).price("E", "10").price("EUR/USD", "1.1").run();
    let outputs = book.fill("1", "BUY", "100", "10", json!({"instrument_id": "E", "currency": "EUR"})).at(second(2)).run();
    let entry = &only(ledgers(&outputs)).entries[0];
    assert_eq!((entry.fx_rate.unwrap().to_string(), entry.cash[0].currency.as_str()), ("1.1".into(), "EUR"));
    // EUR −1000 at 1.2 instead of 1.1 costs 100; the shares, 1000 EUR, gain 100.
    let outputs = book.price("EUR/USD", "1.2").at(second(4)).run();
    let m = &only(snapshots(&outputs)).metrics;
    assert_eq!((m.fx_cash.to_string(), m.unrealized.to_string(), m.total_pnl.to_string()), ("-100".into(), "100".into(), "0".into()));
    // Sold at 12 and 1.2: 1440 for what cost 1100; the cash is now EUR 200, booked at 340, worth 240.
    let outputs = book.fill("2", "SELL", "100", "12", json!({"instrument_id": "E", "currency": "EUR"})).at(second(6)).run();
    let m = &only(snapshots(&outputs)).metrics;
    assert_eq!((m.realized_gross.to_string(), m.fx_cash.to_string(), m.total_pnl.to_string()), ("340".into(), "-100".into(), "240".into()));
}

#[test]
fn a_future_pays_only_what_it_gains() {
    let mut book = funded();
    book.instrument("F", json!({"type": "FUTURE", "multiplier": "50"})).price("F", "4000").run();
    let outputs = book.fill("1", "BUY", "2", "4000", json!({"instrument_id": "F"})).at(second(2)).run();
    assert!(only(ledgers(&outputs)).entries[0].cash.is_empty());
    let outputs = book.price("F", "4010").at(second(4)).run();
    let snapshot = only(snapshots(&outputs));
    assert_eq!((snapshot.total_value.to_string(), snapshot.allocations[0].value.to_string()), ("11000".into(), "1000".into()));
    assert_eq!(snapshot.exposure.long.to_string(), "401000", "exposure is the notional");
    let outputs = book.fill("2", "SELL", "1", "4020", json!({"instrument_id": "F"})).at(second(6)).run();
    assert_eq!(only(ledgers(&outputs)).entries[0].cash[0].amount.to_string(), "1000");
    let m = &only(snapshots(&outputs)).metrics;
    assert_eq!(
        (m.realized_gross.to_string(), m.unrealized.to_string(), m.total_pnl.to_string()),
        ("1000".into(), "500".into(), "1500".into())
    );
}

#[test]
fn a_bond_books_accrued_interest_to_income_and_is_valued_with_it() {
    let mut book = funded();
    book.instrument("B", json!({"type": "BOND", "multiplier": "0.01"}));
    let accrued = |book: &mut Book, price: &str, accrued: &str| {
        let (price, accrued) = (last("B", price, second(1)), accrued.parse().ok());
        book.frame(|frame| frame.prices.push(domain::frame::FramePrice { accrued, ..price }));
    };
    accrued(&mut book, "98", "1");
    let outputs = book.fill("1", "BUY", "1000", "98", json!({"instrument_id": "B", "accrued_interest": "10"})).at(second(2)).run();
    let entry = &only(ledgers(&outputs)).entries[0];
    assert_eq!((entry.cash[0].amount.to_string(), entry.income.to_string()), ("-990".into(), "-10".into()));
    let snapshot = only(snapshots(&outputs));
    assert_eq!((snapshot.total_value.to_string(), snapshot.metrics.total_pnl.to_string()), ("10000".into(), "0".into()));
    assert_eq!(only(ledgers(&outputs)).positions[0].average_price.unwrap().to_string(), "98");
}

#[test]
fn a_currency_pair_moves_two_balances_and_no_position() {
    let mut book = funded();
    book.instrument("EUR/USD", json!({"type": "FX", "base_asset": "EUR"})).price("EUR/USD", "1.1").run();
    let outputs = book.fill("1", "BUY", "1000", "1.1", json!({"instrument_id": "EUR/USD"})).at(second(2)).run();
    let ledger = only(ledgers(&outputs));
    let cash: Vec<_> = ledger.cash.iter().map(|c| (c.currency.to_string(), c.amount.to_string())).collect();
    assert_eq!(cash, [("EUR".into(), "1000".into()), ("USD".into(), "8900".into())]);
    assert!(ledger.positions.is_empty() && ledger.entries[0].quantity_change.is_zero());
    let outputs = book.price("EUR/USD", "1.15").at(second(4)).run();
    let m = &only(snapshots(&outputs)).metrics;
    assert_eq!((m.fx_cash.to_string(), m.total_pnl.to_string()), ("50".into(), "50".into()));
}

#[test]
fn a_fee_in_the_base_asset_comes_out_of_the_holding() {
    let mut book = funded();
    book.instrument("BTC/USD", json!({"type": "CRYPTO", "base_asset": "BTC"})).price("BTC/USD", "1000").run();
    let fee = json!({"instrument_id": "BTC/USD", "fees": [{"type": "taker", "amount": "0.01", "currency": "BTC"}]});
    let outputs = book.fill("1", "BUY", "2", "1000", fee).at(second(2)).run();
    let ledger = only(ledgers(&outputs));
    let position = &ledger.positions[0];
    assert_eq!((position.quantity.to_string(), position.average_price.unwrap().to_string()), ("1.99".into(), "1000".into()));
    assert_eq!((position.realized_net.to_string(), position.fees[0].amount.to_string()), ("-10".into(), "0.01".into()));
    assert_eq!((ledger.entries[0].quantity_change.to_string(), ledger.cash[0].amount.to_string()), ("1.99".into(), "8000".into()));
    let m = &only(snapshots(&outputs)).metrics;
    assert_eq!((m.fees.to_string(), m.total_pnl.to_string()), ("10".into(), "-10".into()));
}

#[test]
fn cash_entries_are_flows_costs_or_income() {
    let mut book = funded();
    book.cash("w", "WITHDRAWAL", "USD", "1000").cash("f", "FEE", "USD", "5").cash("i", "INTEREST", "USD", "-2");
    let outputs = book.at(second(2)).run();
    let entries = &only(ledgers(&outputs)).entries;
    assert_eq!((entries[0].external_flow.to_string(), entries[0].equity_before.unwrap().to_string()), ("-1000".into(), "10000".into()));
    assert_eq!((entries[1].equity_before, entries[1].fees[0].amount.to_string()), (None, "5".into()));
    let m = &only(snapshots(&outputs)).metrics;
    assert_eq!((m.net_flows.to_string(), m.total_pnl.to_string()), ("9000".into(), "-7".into()));
}

#[test]
fn what_an_entry_names_an_instrument_for_is_that_ones() {
    let mut book = funded();
    book.instrument("B", json!({"type": "BOND"})).price("B", "100");
    let accrued = json!({"instrument_id": "B", "accrued_interest": "12"});
    book.fill("1", "BUY", "10", "100", accrued).entry("coupon", "INTEREST", json!({"instrument_id": "B", "amount": "30"}));
    book.entry("custody", "FEE", json!({"instrument_id": "B", "amount": "2"}));
    let outputs = book.at(second(2)).run();
    let state = &only(ledgers(&outputs)).positions[0];
    let told = [state.income, state.realized_net, state.cycle_income, state.fees[0].amount].map(|amount| amount.to_string());
    assert_eq!(told, ["18", "16", "-12", "2"]);
    assert_eq!(only(snapshots(&outputs)).allocations[0].realized.to_string(), "16");
}

#[test]
fn cash_settles_on_its_date() {
    let mut book = funded();
    book.fill("1", "BUY", "100", "10", json!({"settle_date": "2026-01-07"})).at(second(2));
    let settled = |outputs: &[domain::Output]| snapshots(outputs)[0].cash[0].settled.to_string();
    let outputs = book.run();
    assert_eq!((settled(&outputs), snapshots(&outputs)[0].cash_value.to_string()), ("10000".into(), "9000".into()));
    assert!(snapshots(&book.run_at(second(86_400 * 2 - 1))).iter().all(|s| s.cash[0].settled.to_string() == "10000"));
    assert_eq!(settled(&book.run_at(second(86_400 * 2))), "9000");
}

#[test]
fn snapshots_are_throttled_with_a_trailing_edge_and_no_gaps() {
    let mut book = funded();
    book.fill("1", "BUY", "100", "10", json!({}));
    let mut versions = Vec::new();
    for n in 1..=25_i64 {
        book.at(MONDAY + n * 100_000);
        book.price("A", &format!("{}", 10 + n));
        versions.extend(snapshots(&book.run()).iter().map(|s| (s.version, s.allocations.len())));
    }
    versions.extend(snapshots(&book.run_at(second(10))).iter().map(|s| (s.version, s.allocations.len())));
    assert_eq!(versions.iter().map(|(version, _)| *version).collect::<Vec<_>>(), [2, 3, 4]);
}

#[test]
fn day_profit_and_closes_follow_the_day_cut() {
    let mut book = Book::new();
    book.policy(1, json!({"day_cut": "16:00", "targets": [{"instrument_id": "A", "target_weight": "0.5"}]}));
    book.instrument("A", json!({})).price("A", "10").cash("d1", "DEPOSIT", "USD", "10000").fill("1", "BUY", "100", "10", json!({}));
    let outputs = book.at(second(10)).run();
    assert_eq!(only(snapshots(&outputs)).metrics.day_pnl, None);
    book.price("A", "11");
    book.run_at(second(3600));
    let outputs = book.run_at(second(16 * 3600));
    assert_eq!(only(snapshots(&outputs)).metrics.day_pnl.unwrap().to_string(), "0");
    let outputs = book
        .price("A", "13")
        .cash("d2", "DEPOSIT", "USD", "500")
        .refresh("5b9da7e6-3c55-4a0b-9f0e-42a11a57ba11")
        .at(second(17 * 3600))
        .run();
    assert_eq!(only(snapshots(&outputs)).metrics.day_pnl.unwrap().to_string(), "200");
    assert_eq!(drifts(&outputs)[0].lines[0].close_price.unwrap().to_string(), "11");
}

#[test]
fn a_large_record_is_cut_and_ends_the_step() {
    let settings = engine::Settings { ledger_bytes: 2000, ..engine::Settings::default() };
    let mut book = Book::with(&settings);
    book.policy(1, json!({})).instrument("A", json!({})).price("A", "10");
    (0..20).for_each(|n| _ = book.fill(&n.to_string(), "BUY", "1", "10", json!({})));
    let outputs = book.run();
    let ledgers = ledgers(&outputs);
    assert!(ledgers.len() > 1);
    assert_eq!(ledgers.iter().map(|l| l.version).collect::<Vec<_>>(), (1..=ledgers.len() as i64).collect::<Vec<_>>());
    assert_eq!(ledgers.iter().map(|l| l.entries.len()).sum::<usize>(), 20);
    let mut held = domain::Quantity::ZERO;
    for ledger in ledgers {
        ledger.entries.iter().for_each(|entry| held = held.checked_add(entry.quantity_change).unwrap());
        assert_eq!(ledger.positions[0].quantity, held);
    }
}
