//! Dividends: income and a receivable at the ex-date, cash at the pay date, and what cash entries then do.

use crate::harness::*;
use domain::Output;
use domain::corporate_action::CorporateAction;
use serde_json::{Value, json};

fn noon(day: i64) -> i64 {
    second((day - 5) * 86_400 + 12 * 3_600)
}

fn dividend(status: &str, more: Value) -> CorporateAction {
    let mut action = json!({"action_id": "d", "instrument_id": "A", "status": status, "kind": "CASH_DIVIDEND",
        "amount_per_share": "0.5", "ex_date": "2026-01-06", "pay_date": "2026-01-08"});
    more.as_object().unwrap().iter().for_each(|(name, value)| action[name] = value.clone());
    serde_json::from_value(action).unwrap()
}

fn announce(book: &mut Book, action: CorporateAction) -> &mut Book {
    book.frame(|frame| frame.actions.push(action))
}

fn ready(book: Value) -> Book {
    let mut ready = Book::new();
    ready.at(noon(5)).policy(1, json!({"book": book})).instrument("A", json!({})).price("A", "100").price("EUR/USD", "1.1");
    ready.cash("open", "DEPOSIT", "USD", "1000000").fill("1", "BUY", "100", "100", json!({})).run();
    ready
}

fn entry(book: &mut Book, id: &str, amount: &str, action: Value) {
    let entry = json!({"source": "bank", "entry_id": id, "portfolio_id": "p", "kind": "DIVIDEND", "currency": "USD", "amount": amount,
        "action_id": action, "instrument_id": "A", "effective_at": "2026-01-08T09:00:00Z"});
    book.add(domain::Topic::Cash, "p", Some(entry.to_string().into_bytes()));
}

/// Kind, cash, income.
fn entries(outputs: &[Output]) -> Vec<String> {
    let all = ledgers(outputs).into_iter().flat_map(|ledger| &ledger.entries);
    let cash = |entry: &domain::ledger::LedgerEntry| entry.cash.iter().map(|leg| format!("{}", leg.amount)).collect::<Vec<_>>().join(",");
    all.map(|entry| format!("{} {} {}", entry.kind, cash(entry), entry.income)).collect()
}

/// Equity, cash, receivables, income.
fn shown(outputs: &[Output]) -> (String, String, Vec<String>, String) {
    let snapshot = only(snapshots(outputs));
    let owed = snapshot.receivables.iter().map(|owed| format!("{} {}", owed.amount, owed.currency)).collect();
    (snapshot.total_value.to_string(), snapshot.cash_value.to_string(), owed, snapshot.metrics.income.to_string())
}

fn is(equity: &str, cash: &str, owed: &[&str], income: &str) -> (String, String, Vec<String>, String) {
    (equity.into(), cash.into(), owed.iter().map(|text| (*text).to_owned()).collect(), income.into())
}

#[test]
fn it_is_earned_at_the_ex_date_and_paid_at_the_pay_date() {
    let mut book = ready(json!({}));
    announce(&mut book, dividend("NEW", json!({}))).run();
    let outputs = book.run_at(noon(6));
    assert_eq!(entries(&outputs), ["DIVIDEND  50"]);
    assert_eq!(shown(&outputs), is("1000050", "990000", &["50 USD"], "50"));
    let outputs = book
        .at(noon(7))
        .fill("2", "BUY", "10", "100", json!({}))
        .fill("3", "SELL", "100", "100", json!({"trade_date": "2026-01-07"}))
        .run();
    // Ten more were traded before it, although they were booked later.
    assert_eq!(entries(&outputs), ["TRADE -1000 0", "RESTATE  5", "TRADE 10000 0"]);
    assert_eq!(shown(&outputs).2, ["55 USD"]);
    let mut lane = restored(&mut book.lane);
    std::mem::swap(&mut book.lane, &mut lane);
    let outputs = book.run_at(noon(8));
    assert_eq!(entries(&outputs), ["CASH_DIVIDEND 55 0"]);
    assert_eq!(shown(&outputs), is("1000055", "999055", &[], "55"));
    let outputs = book.at(noon(9)).fill("4", "BUY", "10", "100", json!({})).run();
    assert_eq!(entries(&outputs), ["TRADE -1000 0", "RESTATE 5 5"], "what comes after the payment is paid at once");
    let outputs = announce(book.at(noon(10)), dividend("CANCELLED", json!({}))).run();
    assert_eq!(entries(&outputs), ["CANCEL -60 -60"]);
    assert_eq!(shown(&outputs), is("1000000", "998000", &[], "0"));
}

#[test]
fn a_short_position_owes_it_and_another_currency_is_kept_at_its_rate() {
    let mut book = ready(json!({}));
    book.fill("2", "SELL_SHORT", "300", "100", json!({})).run();
    announce(&mut book, dividend("NEW", json!({"currency": "EUR"}))).run();
    let outputs = book.run_at(noon(6));
    assert_eq!(entries(&outputs), ["DIVIDEND  -110"]);
    assert_eq!(shown(&outputs), is("999890", "1020000", &["-100 EUR"], "-110"));
    let outputs = book.at(noon(7)).price("EUR/USD", "1.2").run();
    let metrics = only(snapshots(&outputs)).metrics.clone();
    assert_eq!((metrics.fx_cash.to_string(), metrics.total_pnl.to_string()), ("-10".into(), "-120".into()));
    let outputs = book.run_at(noon(8));
    assert_eq!(entries(&outputs), ["CASH_DIVIDEND -100 0"]);
    let metrics = only(snapshots(&outputs)).metrics.clone();
    assert_eq!((metrics.fx_cash.to_string(), metrics.total_pnl.to_string()), ("-10".into(), "-120".into()));
}

#[test]
fn an_entry_of_an_action_that_is_booked_is_a_duplicate_and_any_other_is_income() {
    let mut book = ready(json!({}));
    entry(&mut book, "early", "40", json!("e"));
    assert_eq!(entries(&book.at(noon(8)).run()), ["CASH_DIVIDEND 40 40"]);
    announce(&mut book, dividend("NEW", json!({}))).run();
    let before = book.lane.totals().duplicates;
    entry(&mut book, "again", "42.5", json!("d"));
    assert!(entries(&book.run()).is_empty());
    assert_eq!(book.lane.totals().duplicates, before + 1);
    entry(&mut book, "plain", "7", json!(null));
    assert_eq!(entries(&book.run()), ["CASH_DIVIDEND 7 7"]);
    // The action that was paid by an entry before it came books nothing.
    let outputs = announce(book.at(noon(9)), dividend("NEW", json!({"action_id": "e"}))).run();
    assert!(outputs.iter().all(|output| !matches!(output, Output::Ledger(ledger) if ledger.entries.iter().any(|e| !e.income.is_zero()))));
}

#[test]
fn by_entries_it_is_owed_until_one_settles_it_and_the_tax_is_the_difference() {
    let mut book = ready(json!({"dividends": "CASH"}));
    announce(&mut book, dividend("NEW", json!({}))).run();
    let outputs = book.run_at(noon(6));
    assert_eq!((entries(&outputs), shown(&outputs)), (vec!["DIVIDEND  50".to_owned()], is("1000050", "990000", &["50 USD"], "50")));
    assert!(ledgers(&book.run_at(noon(8))).is_empty(), "its day of payment pays nothing");
    entry(&mut book, "paid", "42.5", json!("d"));
    let outputs = book.run_at(noon(8) + 2_000_000);
    assert_eq!(entries(&outputs), ["CASH_DIVIDEND 42.5 -7.5"]);
    assert_eq!(shown(&outputs), is("1000042.5", "990042.5", &[], "42.5"));
    // What was traded before the ex-date and comes late is owed again, also by a lane put back from its image.
    book.lane = restored(&mut book.lane);
    let outputs = book.at(noon(9)).fill("late", "BUY", "10", "100", json!({})).run();
    assert_eq!(shown(&outputs).2, ["5 USD"]);
    entry(&mut book, "more", "5", json!("d"));
    assert_eq!(shown(&book.run_at(noon(9) + 2_000_000)), is("1000047.5", "989047.5", &[], "47.5"));
}

#[test]
fn what_settled_a_dividend_can_be_taken_back() {
    let mut book = ready(json!({"dividends": "CASH"}));
    announce(&mut book, dividend("NEW", json!({}))).run();
    book.run_at(noon(6));
    entry(&mut book, "paid", "42.5", json!("d"));
    let settled = book.run_at(noon(8));
    assert_eq!(shown(&settled), is("1000042.5", "990042.5", &[], "42.5"));
    book.entry("back", "DIVIDEND", json!({"amount": "42.5", "reverses": "paid", "effective_at": "2026-01-08T09:00:00Z"}));
    assert_eq!(shown(&book.run_at(noon(8) + 2_000_000)), is("1000050", "990000", &["50 USD"], "50"));
    // Who changes over to actions is paid what is owed and due.
    let outputs = book.policy(2, json!({"book": {"dividends": "ACTIONS"}})).run_at(noon(8) + 4_000_000);
    assert_eq!((entries(&outputs), shown(&outputs)), (vec!["CASH_DIVIDEND 50 0".to_owned()], is("1000050", "990050", &[], "50")));
}

#[test]
fn it_waits_for_its_rate_and_is_never_booked_half() {
    let mut book = ready(json!({}));
    announce(&mut book, dividend("NEW", json!({"currency": "GBP"}))).run();
    let outputs = book.run_at(noon(6));
    assert!(ledgers(&outputs).is_empty() && only(snapshots(&outputs)).health.unreconciled);
    let outputs = book.at(noon(7)).price("GBP/USD", "2").run();
    assert_eq!(entries(&outputs), ["DIVIDEND  100"]);
    assert!(!only(snapshots(&outputs)).health.unreconciled);
}

#[test]
fn a_symbol_changes_from_its_day_on_and_comes_back() {
    let mut book = ready(json!({}));
    let action = |status: &str| dividend(status, json!({"kind": "SYMBOL_CHANGE", "new_symbol": "NEWA"}));
    let symbol = |outputs: &[Output]| only(snapshots(outputs)).allocations[0].symbol.to_string();
    announce(&mut book, action("NEW")).run();
    let outputs = book.run_at(noon(6));
    assert_eq!((symbol(&outputs), ledgers(&outputs).len()), ("NEWA".into(), 0));
    assert!(drifts(&outputs).iter().any(|drift| drift.cause_instrument_id.as_ref().is_some_and(|id| id.as_str() == "A")));
    let outputs = announce(book.at(noon(7)), action("CANCELLED")).run();
    assert_eq!(symbol(&outputs), "A");
}

#[test]
fn one_that_was_settled_and_is_announced_anew_is_not_owed_again() {
    let mut book = ready(json!({"dividends": "CASH"}));
    announce(&mut book, dividend("NEW", json!({}))).run();
    book.run_at(noon(6));
    entry(&mut book, "paid", "42.5", json!("d"));
    book.run_at(noon(8));
    let outputs = announce(book.at(noon(9)), dividend("CANCELLED", json!({}))).run();
    assert_eq!(shown(&outputs).2, ["-50 USD"], "what was paid is owed back");
    book.lane = restored(&mut book.lane);
    let outputs = announce(book.at(noon(9) + 2_000_000), dividend("NEW", json!({}))).run();
    assert_eq!(shown(&outputs), is("1000042.5", "990042.5", &[], "42.5"));
    let outputs = book.policy(2, json!({"book": {"dividends": "ACTIONS"}})).run_at(noon(9) + 4_000_000);
    assert!(entries(&outputs).is_empty(), "nothing is left to pay: {:?}", entries(&outputs));
}

#[test]
fn a_closed_portfolio_is_paid_as_before() {
    let mut book = ready(json!({"dividends": "CASH"}));
    announce(&mut book, dividend("NEW", json!({}))).run();
    book.run_at(noon(6));
    book.at(noon(7)).close_policy("p").run();
    assert!(ledgers(&book.run_at(noon(8))).is_empty(), "its day of payment pays nothing");
    entry(&mut book, "paid", "42.5", json!("d"));
    assert_eq!(entries(&book.run()), ["CASH_DIVIDEND 42.5 -7.5"]);
}

#[test]
fn what_is_taken_back_after_actions_took_over_is_paid_by_its_action() {
    let mut book = ready(json!({"dividends": "CASH"}));
    announce(&mut book, dividend("NEW", json!({}))).run();
    book.run_at(noon(6));
    entry(&mut book, "paid", "42.5", json!("d"));
    book.run_at(noon(8));
    book.policy(2, json!({"book": {"dividends": "ACTIONS"}})).run_at(noon(9));
    book.entry("back", "DIVIDEND", json!({"amount": "42.5", "reverses": "paid", "effective_at": "2026-01-08T09:00:00Z"}));
    let outputs = book.run_at(noon(9) + 2_000_000);
    assert_eq!(entries(&outputs), ["CANCEL -42.5 7.5", "CASH_DIVIDEND 50 0"]);
    assert_eq!(shown(&outputs), is("1000050", "990050", &[], "50"));
}
