//! Actions: the book is that of a replay in which every split was known in time, whenever it was announced, amended or
//! withdrawn, and whatever was booked, cancelled or corrected meanwhile.

use crate::harness::*;
use domain::Output;
use domain::corporate_action::CorporateAction;
use domain::enums::DriftCause;
use engine::Settings;
use position_keeper::book::holding::Holding;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Noon of a day of January 2026.
fn noon(day: i64) -> i64 {
    second((day - 5) * 86_400 + 12 * 3_600)
}

fn split(id: &str, status: &str, new: &str, old: &str, ex_date: &str, more: Value) -> CorporateAction {
    let mut action = json!({"action_id": id, "instrument_id": "A", "status": status, "kind": "SPLIT", "ratio_new": new, "ratio_old": old,
        "ex_date": ex_date});
    more.as_object().unwrap().iter().for_each(|(name, value)| action[name] = value.clone());
    serde_json::from_value(action).unwrap()
}

fn announce(book: &mut Book, action: CorporateAction) -> &mut Book {
    book.frame(|frame| frame.actions.push(action))
}

fn ready_by(method: &str) -> Book {
    let mut book = Book::new();
    book.at(noon(5)).policy(1, json!({"book": {"cost_method": method}, "targets": [{"instrument_id": "A", "target_weight": "0.5"}]}));
    book.instrument("A", json!({}));
    book.price("A", "100").cash("open", "DEPOSIT", "USD", "1000000").run();
    book
}

fn entries(outputs: &[Output]) -> Vec<String> {
    let all = ledgers(outputs).into_iter().flat_map(|ledger| &ledger.entries);
    let cash = |entry: &domain::ledger::LedgerEntry| entry.cash.iter().map(|leg| format!("{}", leg.amount)).collect::<Vec<_>>().join(",");
    all.map(|entry| format!("{} {} {} {}", entry.kind, entry.quantity_change, cash(entry), entry.realized_gross)).collect()
}

fn held(book: &Book) -> Vec<Holding> {
    let lines = book.lane.role().portfolios()[0].lines.all().iter();
    assert!(lines.clone().all(|line| line.lots.is_empty() || line.lots.add_up_to(&line.position)));
    lines.map(|line| Holding { position: line.position, lots: line.lots.clone(), subs: line.subs.clone(), newest: line.newest }).collect()
}

fn position(book: &Book) -> (String, String) {
    let holding = &held(book)[0];
    (holding.position.quantity.to_string(), holding.position.cost.to_string())
}

fn price(book: &Book) -> String {
    book.lane.role().market().slots()[0].price.unwrap().to_string()
}

#[test]
fn a_split_takes_effect_when_its_day_begins_at_the_venue() {
    let mut book = ready_by("AVERAGE");
    book.instrument("A", json!({"venue": "XNAS"})).fill("1", "BUY", "100", "100", json!({})).run();
    announce(&mut book, split("s", "NEW", "4", "1", "2026-01-06", json!({}))).run();
    assert_eq!((position(&book), price(&book)), (("100".into(), "10000".into()), "100".into()));
    // Midnight in New York.
    book.run_at(second(86_400 + 5 * 3_600 - 1));
    assert_eq!(position(&book).0, "100");
    let outputs = book.run_at(second(86_400 + 5 * 3_600));
    assert_eq!(entries(&outputs), ["SPLIT 300  0"]);
    assert_eq!((position(&book), price(&book)), (("400".into(), "10000".into()), "25".into()));
    let snapshot = only(snapshots(&outputs));
    assert_eq!((snapshot.total_value.to_string(), snapshot.health.unreconciled), ("1000000".into(), false));
    let asked = drifts(&outputs).into_iter().find(|drift| drift.cause == Some(DriftCause::Action)).unwrap();
    assert_eq!(asked.cause_id.as_deref(), Some("s"));
}

#[test]
fn marks_from_before_follow_and_a_withdrawal_puts_them_back() {
    let mut book = ready_by("AVERAGE");
    book.instrument("A", json!({"max_jump_bp": "1000"})).price("A", "100.01").run();
    announce(&mut book, split("s", "NEW", "3", "1", "2026-01-06", json!({}))).run();
    book.run_at(noon(6));
    assert_eq!(price(&book), "33.3366666667");
    // Judged against the adjusted price, so that it is no jump; and it is in the new units already.
    book.price("A", "34").run();
    assert_eq!(price(&book), "34");
    announce(&mut book, split("s", "CANCELLED", "3", "1", "2026-01-06", json!({}))).run();
    assert_eq!(price(&book), "34");
    let mut book = ready_by("AVERAGE");
    book.price("A", "100.01").run();
    announce(book.at(noon(6)), split("s", "NEW", "3", "1", "2026-01-06", json!({}))).run();
    assert_eq!(price(&book), "33.3366666667");
    announce(&mut book, split("s", "CANCELLED", "3", "1", "2026-01-06", json!({}))).run();
    assert_eq!(price(&book), "100.01");
}

#[test]
fn lots_add_up_and_one_of_which_nothing_is_left_gives_its_cost_to_its_neighbour() {
    let mut book = ready_by("FIFO");
    for (id, quantity) in [("1", "0.00000001"), ("2", "10"), ("3", "3")] {
        book.fill(id, "BUY", quantity, "10", json!({}));
    }
    announce(&mut book, split("s", "NEW", "1", "3", "2026-01-06", json!({}))).run();
    book.run_at(noon(6));
    let lots: Vec<_> = held(&book)[0]
        .lots
        .iter()
        .map(|lot| (lot.opened_by.to_string(), lot.held.quantity.to_string(), lot.held.cost.to_string()))
        .collect();
    let lot = |id: &str, quantity: &str, cost: &str| (id.to_owned(), quantity.to_owned(), cost.to_owned());
    assert_eq!(lots, [lot("2", "3.33333333", "100.0000001"), lot("3", "1", "30")]);
    assert_eq!(position(&book), ("4.33333333".into(), "130.0000001".into()));
}

#[test]
fn the_part_below_one_lot_is_sold_and_dust_is_flat() {
    let mut book = ready_by("AVERAGE");
    book.fill("1", "BUY", "105", "10", json!({})).run();
    announce(&mut book, split("s", "NEW", "1", "10", "2026-01-06", json!({"cash_in_lieu_price": "120"}))).run();
    assert_eq!(entries(&book.run_at(noon(6))), ["SPLIT -95 60 10"], "half a unit that cost 50 was sold for 60");
    assert_eq!(position(&book), ("10".into(), "1000".into()));
    let mut book = ready_by("LIFO");
    book.fill("1", "SELL", "0.00000009", "1000", json!({})).run();
    announce(&mut book, split("s", "NEW", "1", "10", "2026-01-06", json!({}))).run();
    assert_eq!(entries(&book.run_at(noon(6))), ["SPLIT 0.00000009  0.00009"]);
    assert_eq!(position(&book), ("0".into(), "0".into()));
}

#[test]
fn a_late_split_restates_what_was_booked_since_and_a_withdrawal_takes_it_back() {
    let mut book = ready_by("AVERAGE");
    book.fill("1", "BUY", "100", "100", json!({})).run();
    book.at(noon(6)).fill("2", "SELL", "50", "60", json!({"trade_date": "2026-01-06"})).run();
    assert_eq!(position(&book), ("50".into(), "5000".into()));
    announce(&mut book, split("s", "NEW", "2", "1", "2026-01-06", json!({})));
    // 50 of 200 at 50 each instead of 50 of 100 at 100 each.
    assert_eq!(entries(&book.run()), ["SPLIT 100  0", "RESTATE 0  2500"]);
    assert_eq!(position(&book), ("150".into(), "7500".into()));
    announce(&mut book, split("s", "NEW", "4", "1", "2026-01-06", json!({})));
    assert_eq!(entries(&book.run()), ["CORRECT 200  0", "RESTATE 0  1250"]);
    announce(&mut book, split("s", "CANCELLED", "4", "1", "2026-01-06", json!({})));
    assert_eq!(entries(&book.run()), ["CANCEL -300  0", "RESTATE 0  -3750"]);
    assert_eq!(position(&book), ("50".into(), "5000".into()));
    announce(&mut book, split("s", "NEW", "2", "1", "2026-01-20", json!({})));
    assert!(entries(&book.run()).is_empty(), "its day is to come");
}

#[test]
fn a_fill_goes_by_its_trade_date() {
    let mut book = ready_by("AVERAGE");
    book.fill("1", "BUY", "100", "100", json!({})).run();
    announce(book.at(noon(6)), split("s", "NEW", "2", "1", "2026-01-06", json!({}))).run();
    book.fill("2", "BUY", "10", "100", json!({}));
    assert_eq!(entries(&book.run()), ["TRADE 20 -1000 0"], "dated before it, at its own price");
    book.fill("3", "BUY", "10", "50", json!({"trade_date": "2026-01-06"}));
    assert_eq!(entries(&book.run()), ["TRADE 10 -500 0"]);
    book.fill("4", "SELL", "10", "100", json!({}));
    assert_eq!(entries(&book.run()), ["TRADE -20 1000 0"]);
    assert_eq!(position(&book), ("210".into(), "10500".into()));
    book.fill("c", "BUY", "10", "100", json!({"exec_type": "CANCEL", "exec_ref_id": "2"}));
    book.run();
    assert_eq!(position(&book), ("190".into(), "9500".into()));
}

#[test]
fn what_was_let_go_is_not_guessed() {
    let mut book = Book::with(&Settings { dedup_trade_dates: 1, ..Settings::default() });
    book.at(noon(5)).policy(1, json!({})).instrument("A", json!({})).instrument("B", json!({})).price("A", "100").price("B", "1");
    book.fill("1", "BUY", "100", "100", json!({})).run();
    for n in 0..2_100 {
        book.fill(&format!("b{n}"), "BUY", "1", "1", json!({"instrument_id": "B"}));
    }
    book.fill("late", "BUY", "1", "1", json!({})).run();
    for day in 6..8 {
        book.at(noon(day))
            .fill(&format!("d{day}"), "BUY", "1", "1", json!({"instrument_id": "B", "trade_date": format!("2026-01-0{day}")}))
            .run();
    }
    let outputs = announce(book.at(noon(8)), split("s", "NEW", "2", "1", "2026-01-05", json!({}))).run();
    assert!(ledgers(&outputs).is_empty() && only(snapshots(&outputs)).health.unreconciled);
    assert_eq!(position(&book).0, "101");
    let outputs = announce(book.at(noon(9)), split("s", "CANCELLED", "2", "1", "2026-01-05", json!({}))).run();
    assert!(!only(snapshots(&outputs)).health.unreconciled);
}

#[test]
fn an_id_names_one_action_of_one_instrument() {
    let mut book = ready_by("AVERAGE");
    book.instrument("B", json!({})).price("B", "1").fill("1", "BUY", "100", "100", json!({})).fill(
        "2",
        "BUY",
        "7",
        "1",
        json!({"instrument_id": "B"}),
    );
    announce(book.at(noon(6)), split("s", "NEW", "2", "1", "2026-01-06", json!({}))).run();
    let outputs = announce(book.at(noon(7)), split("s", "NEW", "3", "1", "2026-01-06", json!({"instrument_id": "B"}))).run();
    assert!(ledgers(&outputs).is_empty() && only(snapshots(&outputs)).health.unreconciled);
    assert_eq!((held(&book)[0].position.quantity.to_string(), held(&book)[1].position.quantity.to_string()), ("200".into(), "7".into()));
}

#[derive(Debug, Clone)]
enum Act {
    Trade { buy: bool, quantity: u32, price: u32, day: u8 },
    Amend { of: usize, now: Option<(u32, u32)> },
    Announce { id: u8, new: u32, old: u32, day: u8, lieu: bool },
    Withdraw { id: u8 },
    Restore,
}

fn act() -> impl Strategy<Value = Act> {
    let trade =
        (any::<bool>(), 1..2_000_u32, 1..5_u32, 4..9_u8).prop_map(|(buy, quantity, price, day)| Act::Trade { buy, quantity, price, day });
    let amend = (0..20_usize, prop::option::of((1..2_000_u32, 1..5_u32))).prop_map(|(of, now)| Act::Amend { of, now });
    let announce = (0..5_u8, 1..8_u32, 1..8_u32, 4..10_u8, any::<bool>()).prop_map(|(id, new, old, day, lieu)| Act::Announce {
        id,
        new,
        old,
        day,
        lieu,
    });
    prop_oneof![6 => trade, 2 => amend, 2 => announce, 1 => (0..5_u8).prop_map(|id| Act::Withdraw { id }), 1 => Just(Act::Restore)]
}

fn date(day: u8) -> String {
    format!("2026-01-{day:02}")
}

fn sent(book: &mut Book, n: usize, (buy, quantity, price, day): (bool, u32, u32, u8)) {
    // In hundred-millionths, so that truncation shows.
    let quantity = format!("{}.{:08}", quantity / 100, quantity % 100);
    // Some name a strategy: each is split, and paid a dividend, by itself.
    let strategy = [None, Some("s1"), None, Some("s2"), Some("s1")][n % 5];
    let more = json!({"trade_date": date(day), "strategy": strategy, "fees": [{"type": "f", "amount": "0.01", "currency": "USD"}]});
    book.fill(&format!("t{n}"), if buy { "BUY" } else { "SELL" }, &quantity, &price.to_string(), more);
}

/// The last two ids are of dividends, which are paid two days later or at once.
fn announced(id: u8, (new, old, day, lieu): Said) -> CorporateAction {
    if id > 2 {
        let pay = if lieu { json!(null) } else { json!(date(day + 2)) };
        let more = json!({"kind": "CASH_DIVIDEND", "amount_per_share": format!("0.{new}{old}"), "pay_date": pay});
        return split(&format!("s{id}"), "NEW", "1", "1", &date(day), more);
    }
    let more = if lieu { json!({"cash_in_lieu_price": "3"}) } else { json!({}) };
    split(&format!("s{id}"), "NEW", &new.to_string(), &old.to_string(), &date(day), more)
}

type Standing = Option<(bool, u32, u32, u8)>;

/// What was said last of an action: the ratio, the ex-date, whether it pays cash in lieu or at once.
type Said = (u32, u32, u8, bool);

/// Plays the acts; the trades and the splits that stand at the end.
fn played(method: &str, acts: &[Act]) -> (Book, Vec<Standing>, [Option<Said>; 5]) {
    let mut book = ready_by(method);
    let (mut trades, mut splits) = (Vec::<Standing>::new(), [None; 5]);
    for (n, act) in acts.iter().enumerate() {
        // Two days of acts, then two of the next ones: ex-dates begin while things are booked.
        book.at(noon(5) + n as i64 * 10_800_000_000);
        match act.clone() {
            Act::Trade { buy, quantity, price, day } => {
                // Dates are at most tomorrow.
                let day = day.min(6);
                sent(&mut book, trades.len(), (buy, quantity, price, day));
                trades.push(Some((buy, quantity, price, day)));
            }
            Act::Amend { of, now } => {
                let Some(of) = of.checked_rem(trades.len()) else { continue };
                let Some((buy, _, _, day)) = trades[of] else { continue };
                let side = if buy { "BUY" } else { "SELL" };
                let kind = if now.is_some() { "CORRECT" } else { "CANCEL" };
                let (quantity, price) = now.unwrap_or((1, 1));
                let shown = format!("{}.{:08}", quantity / 100, quantity % 100);
                let more = json!({"trade_date": date(day), "exec_type": kind, "exec_ref_id": format!("t{of}"),
                    "fees": [{"type": "f", "amount": "0.01", "currency": "USD"}]});
                book.fill(&format!("a{n}"), side, &shown, &price.to_string(), more);
                trades[of] = now.map(|(quantity, price)| (buy, quantity, price, day));
            }
            Act::Announce { id, new, old, day, lieu } => {
                splits[usize::from(id)] = Some((new, old, day, lieu));
                announce(&mut book, announced(id, (new, old, day, lieu)));
            }
            Act::Withdraw { id } => {
                splits[usize::from(id)] = None;
                let kind = if id > 2 { "CASH_DIVIDEND" } else { "SPLIT" };
                announce(&mut book, split(&format!("s{id}"), "CANCELLED", "1", "1", "2026-01-05", json!({"kind": kind})));
            }
            Act::Restore => book.lane = restored(&mut book.lane),
        }
        let outputs = book.run();
        assert!(letters(&outputs).is_empty(), "{:?}", letters(&outputs));
    }
    book.run_at(noon(30));
    (book, trades, splits)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn the_book_is_that_of_a_replay_in_which_every_action_was_known(acts in prop::collection::vec(act(), 1..40), method in 0..4_usize) {
        let method = ["AVERAGE", "FIFO", "LIFO", "HIFO"][method];
        let (book, trades, splits) = played(method, &acts);
        let mut right = ready_by(method);
        for (id, known) in (0..).zip(splits) {
            known.into_iter().for_each(|known| _ = announce(&mut right, announced(id, known)));
        }
        right.run();
        for (n, trade) in trades.into_iter().enumerate() {
            if let Some(trade) = trade {
                sent(right.at(noon(5) + n as i64 * 10_800_000_000), n, trade);
                right.run();
            }
        }
        right.run_at(noon(30));
        let sums = |book: &Book| (book.lane.role().portfolios()[0].sums, book.lane.role().portfolios()[0].cash.balances().to_vec());
        prop_assert_eq!(held(&book), held(&right));
        prop_assert_eq!(&book.closed_trades, &right.closed_trades);
        prop_assert_eq!(sums(&book), sums(&right));
        prop_assert_eq!(book.lane.role().market().slots()[0].price, right.lane.role().market().slots()[0].price);
    }
}
