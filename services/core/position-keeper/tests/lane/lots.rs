//! Lots: which of them a reduction takes from under each method, what becomes of the rest, how many there may be,
//! and that a portfolio keeps its method.

use crate::harness::*;
use domain::Output;
use domain::reason::DeadLetterCode as Code;
use engine::Settings;
use serde_json::{Value, json};

fn by(method: &str) -> Book {
    with(method, &Settings::default())
}

fn with(method: &str, settings: &Settings) -> Book {
    let mut book = Book::with(settings);
    book.policy(1, kept_by(method)).price("EUR/USD", "1.1").price("BTC/USD", "100");
    book.instrument("A", json!({})).instrument("E", json!({"currency": "EUR"}));
    book.instrument("F", json!({"type": "FUTURE", "multiplier": "50"}));
    book.instrument("BTC/USD", json!({"type": "CRYPTO", "base_asset": "BTC"}));
    book.run();
    book
}

fn kept_by(method: &str) -> Value {
    json!({"book": {"cost_method": method}})
}

/// The lots of the only position that was touched, in booking order: id, units, cost.
fn lots(outputs: &[Output]) -> String {
    let state = &only(only(ledgers(outputs)).positions.iter().collect());
    let all = state.lots.iter().map(|lot| format!("{} {} {}", lot.exec_id, lot.quantity, lot.cost));
    all.collect::<Vec<_>>().join(", ")
}

fn realized(outputs: &[Output]) -> String {
    only(ledgers(outputs)).positions[0].realized_gross.to_string()
}

/// Ten units each, opened by `open`, then 15 closed at 40: what is realized and what is left, by method.
fn closed(method: &str, open: &str, close: &str) -> (String, String) {
    let mut book = by(method);
    for (id, price) in [("1", "10"), ("2", "30"), ("3", "20"), ("4", "30")] {
        book.fill(id, open, "10", price, json!({}));
    }
    let outputs = book.fill("5", close, "15", "40", json!({})).run();
    (realized(&outputs), lots(&outputs))
}

#[test]
fn each_method_closes_its_own_lots() {
    let told = |realized: &str, left: &str| (realized.to_owned(), left.to_owned());
    assert_eq!(closed("AVERAGE", "BUY", "SELL"), told("262.5", ""));
    assert_eq!(closed("FIFO", "BUY", "SELL"), told("350", "2 5 150, 3 10 200, 4 10 300"));
    assert_eq!(closed("LIFO", "BUY", "SELL"), told("200", "1 10 100, 2 10 300, 3 5 100"));
    assert_eq!(closed("HIFO", "BUY", "SELL"), told("150", "1 10 100, 3 10 200, 4 5 150"), "of two at 30 the older");
    assert_eq!(closed("FIFO", "SELL_SHORT", "BUY"), told("-350", "2 -5 -150, 3 -10 -200, 4 -10 -300"));
    assert_eq!(closed("LIFO", "SELL_SHORT", "BUY"), told("-200", "1 -10 -100, 2 -10 -300, 3 -5 -100"));
    assert_eq!(closed("HIFO", "SELL_SHORT", "BUY"), told("-150", "1 -10 -100, 3 -10 -200, 4 -5 -150"));
}

#[test]
fn a_flip_closes_every_lot_and_opens_one_with_the_rest() {
    for method in ["FIFO", "LIFO", "HIFO"] {
        let mut book = by(method);
        book.fill("1", "BUY", "10", "10", json!({})).fill("2", "BUY", "10", "20", json!({})).run();
        let outputs = book.fill("3", "SELL", "25", "30", json!({})).run();
        assert_eq!((realized(&outputs), lots(&outputs)), ("300".into(), "3 -5 -150".into()), "{method}");
        let outputs = book.fill("4", "BUY", "5", "30", json!({})).run();
        assert_eq!((realized(&outputs), lots(&outputs)), ("300".into(), String::new()), "{method}");
    }
}

#[test]
fn a_share_that_does_not_end_leaves_nothing_behind() {
    for method in ["FIFO", "LIFO", "HIFO"] {
        let mut book = by(method);
        let gross = json!({"gross_amount": "10", "instrument_id": "E", "currency": "EUR", "fx_rate": "1.1"});
        book.fill("1", "BUY", "3", "3.33", gross.clone()).fill("2", "BUY", "3", "3.33", gross.clone()).run();
        for id in ["3", "4", "5", "6", "7", "8"] {
            let outputs = book.fill(id, "SELL", "1", "0", json!({"instrument_id": "E", "currency": "EUR", "fx_rate": "1.2"})).run();
            if id == "8" {
                assert_eq!((realized(&outputs), lots(&outputs)), ("-20".into(), String::new()), "{method}");
            }
        }
        let position = book.lane.role().portfolios()[0].lines.all()[0].position;
        assert!(position.quantity.is_zero() && position.cost.is_zero() && position.book_cost.is_zero(), "{method}");
    }
}

/// What is left of a cost that was divided is rounded: the order must not hang on that.
#[test]
fn lots_of_one_price_stay_in_order_however_their_shares_were_rounded() {
    let mut book = by("HIFO");
    for id in ["1", "2"] {
        book.fill(id, "BUY", "3", "6.67", json!({"gross_amount": "20"}));
    }
    // 20 / 3 rounds up and leaves less than two thirds.
    book.fill("3", "SELL", "1", "7", json!({})).run();
    assert_eq!(lots(&book.fill("4", "SELL", "1", "7", json!({})).run()), "1 1 6.6666666667, 2 3 20");
}

#[test]
fn a_fee_in_the_base_asset_takes_from_lots_and_one_execution_opens_one() {
    let coin = |fee: &str| json!({"instrument_id": "BTC/USD", "fees": [{"type": "f", "amount": fee, "currency": "BTC"}]});
    let held = |method: &str| {
        let mut book = by(method);
        book.fill("1", "BUY", "2", "100", coin("0")).fill("2", "BUY", "1", "120", coin("0.5"));
        lots(&book.run())
    };
    assert_eq!(held("FIFO"), "1 1.5 150, 2 1 120");
    assert_eq!(held("LIFO"), "1 2 200, 2 0.5 60");
    assert_eq!(held("HIFO"), "1 2 200, 2 0.5 60");
    let mut book = by("LIFO");
    book.fill("1", "BUY", "1", "100", coin("0")).fill("2", "BUY", "0.25", "120", coin("0.5"));
    assert_eq!(lots(&book.run()), "1 0.75 75", "the fee is more than was bought");
    let outputs = book.fill("3", "SELL", "0.75", "100", coin("0.25")).run();
    assert_eq!(lots(&outputs), "3 -0.25 -25", "what a fee takes beyond the holding is short");
    assert_eq!(lots(&book.fill("4", "BUY", "2", "100", coin("-0.5")).run()), "4 2.25 225", "a rebate adds to the lot");
}

#[test]
fn lots_of_a_future_pay_what_they_realize() {
    let mut book = by("FIFO");
    let future = json!({"instrument_id": "F"});
    book.fill("1", "BUY", "1", "10", future.clone()).fill("2", "BUY", "1", "20", future.clone()).run();
    let outputs = book.fill("3", "SELL", "1", "30", future).run();
    assert_eq!((realized(&outputs), lots(&outputs)), ("1000".into(), "2 1 1000".into()));
    assert_eq!(only(ledgers(&outputs)).cash[0].amount.to_string(), "1000");
}

#[test]
fn a_corrected_lot_keeps_its_place_its_id_and_its_date() {
    let mut book = by("FIFO");
    for (id, date) in [("1", "2026-01-04"), ("2", "2026-01-05")] {
        book.fill(id, "BUY", "10", "10", json!({"trade_date": date}));
    }
    book.fill("3", "SELL", "4", "20", json!({})).run();
    let correct = |of: &str| json!({"exec_type": "CORRECT", "exec_ref_id": of});
    let outputs = book.fill("c", "BUY", "6", "12", correct("1")).run();
    assert_eq!((realized(&outputs), lots(&outputs)), ("32".into(), "1 2 24, 2 10 100".into()));
    assert_eq!(only(ledgers(&outputs)).positions[0].lots[0].trade_date.to_string(), "2026-01-04");
    let outputs = book.fill("d", "BUY", "6", "12", json!({"exec_type": "CANCEL", "exec_ref_id": "c"})).run();
    assert_eq!((realized(&outputs), lots(&outputs)), ("40".into(), "2 6 60".into()), "the sale took from the second lot");
}

#[test]
fn the_lots_of_a_portfolio_are_bounded() {
    let mut book = with("FIFO", &Settings { max_lots: 3, ..Settings::default() });
    let euro = json!({"instrument_id": "E", "currency": "EUR"});
    book.fill("1", "BUY", "1", "10", json!({})).fill("2", "BUY", "1", "10", json!({}));
    assert!(letters(&book.run()).is_empty());
    book.fill("3", "BUY", "1", "10", euro.clone());
    assert!(letters(&book.run()).is_empty(), "the last one that there may be");
    for (id, more) in [("4", json!({})), ("5", euro.clone()), ("6", json!({"instrument_id": "BTC/USD"}))] {
        let outputs = book.fill(id, "BUY", "1", "10", more).run();
        let (code, text) = only(letters(&outputs));
        assert!(code == Code::OutOfRange && text.contains("3 open lots") && text.contains("core.max_lots"), "{text}");
        assert!(ledgers(&outputs).is_empty());
    }
    // What opens no more than it closes is booked.
    assert_eq!(lots(&book.fill("7", "SELL", "2", "10", euro.clone()).run()), "7 -1 -10");
    assert_eq!(lots(&book.fill("8", "SELL", "1", "10", json!({})).run()), "2 1 10");
    assert!(letters(&book.fill("9", "SELL", "1", "10", euro.clone()).run()).is_empty());
    // A reduction that never was would leave its lot open.
    let cancel = |of: &str| json!({"exec_type": "CANCEL", "exec_ref_id": of});
    let (code, text) = only(letters(&book.fill("c", "SELL", "1", "10", cancel("8")).run()));
    assert!(code == Code::OutOfRange && text.contains("3 open lots"), "{text}");
    // Room that was made smaller: what is open may be closed.
    let smaller = Settings { max_lots: 1, ..Settings::default() };
    book.lane.configure(&smaller);
    assert!(only(letters(&book.fill("10", "BUY", "1", "10", json!({})).run())).1.contains("the most that one may have are 1"));
    assert!(letters(&book.fill("11", "BUY", "1", "10", euro).run()).is_empty());
}

/// Lots stand in every record of their line: those that leave no room for entries close it early.
#[test]
fn a_record_that_many_lots_fill_is_closed_while_it_fits() {
    const MOST: usize = 23_600;
    let mut book = with("FIFO", &Settings { max_lots: MOST, ..Settings::default() });
    (0..MOST).for_each(|n| _ = book.fill(&n.to_string(), "BUY", "1", "10", json!({})));
    let outputs = book.run();
    let entries: Vec<_> = ledgers(&outputs).iter().map(|ledger| ledger.entries.len()).collect();
    assert_eq!(entries.iter().sum::<usize>(), MOST);
    assert!(entries[1] > 1_500, "few lots leave a record as it is: {entries:?}");
    let last = entries[entries.len() - 2];
    assert!((50..150).contains(&last), "room for some entries beside all lots: {entries:?}");
    assert_eq!(ledgers(&outputs).last().unwrap().positions[0].lots.len(), MOST);
    // What one execution closes at once.
    assert_eq!(lots(&book.fill("all", "SELL", &MOST.to_string(), "10", json!({})).run()), "");
}

#[test]
fn a_method_stays_once_something_is_booked() {
    let mut book = by("FIFO");
    book.policy(2, kept_by("HIFO"));
    assert!(letters(&book.run()).is_empty(), "nothing is booked yet");
    book.cash("c", "DEPOSIT", "USD", "1").run();
    let (code, text) = only(letters(&book.policy(3, kept_by("AVERAGE")).run()));
    assert_eq!(code, Code::InvalidPolicy);
    assert!(text.contains("book.cost_method cannot change from HIFO to AVERAGE") && text.contains("send HIFO"), "{text}");
    book.policy(4, kept_by("HIFO"));
    assert!(letters(&book.run()).is_empty());
    // Neither a closed portfolio nor one that was put back forgets it.
    book.close_policy("p").run();
    let mut lane = restored(&mut book.lane);
    std::mem::swap(&mut book.lane, &mut lane);
    assert_eq!(only(letters(&book.policy(5, kept_by("LIFO")).run())).0, Code::InvalidPolicy);
    assert!(letters(&book.policy(6, kept_by("HIFO")).run()).is_empty());
}

#[test]
fn the_base_and_the_method_of_a_life_begun_anew_may_change_until_something_is_booked() {
    let mut book = Book::new();
    book.lane.begin_after(7);
    book.policy(1, kept_by("FIFO")).run();
    book.policy(2, json!({"base_currency": "CHF", "book": {"cost_method": "LIFO"}}));
    assert!(letters(&book.run()).is_empty());
}
