//! Sub-positions by strategy: with what they leave they are the line, in every snapshot; what the ledger says of each
//! entry adds up to what the snapshots show; and what is taken back leaves nothing of a strategy behind.

use crate::amending::METHODS;
use crate::harness::*;
use domain::Output;
use domain::ledger::{LedgerEntry, StrategyChange};
use domain::snapshot::{Snapshot, StrategyPosition};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn ready_by(method: &str) -> Book {
    let mut book = Book::new();
    book.at(second(0)).policy(1, json!({"book": {"cost_method": method}})).instrument("A", json!({})).price("A", "100");
    book.instrument("B", json!({})).price("B", "10").cash("open", "DEPOSIT", "USD", "1000000").run();
    book
}

fn of(strategy: &str) -> Value {
    json!({"strategy": strategy})
}

/// The rows of a snapshot, shortly: strategy, quantity, average, net, unrealized.
fn rows(snapshot: &Snapshot) -> Vec<String> {
    let name = |row: &StrategyPosition| match (&row.strategy, row.residual) {
        (Some(strategy), _) => strategy.to_string(),
        (None, residual) => if residual { "residual" } else { "-" }.to_owned(),
    };
    let average = |row: &StrategyPosition| row.average_price.map_or("-".to_owned(), |price| price.to_string());
    let rows = snapshot.strategies.iter();
    rows.map(|row| format!("{} {} {} {} {}", name(row), row.quantity, average(row), row.realized_net, row.unrealized)).collect()
}

fn parts(entry: &LedgerEntry) -> Vec<String> {
    let name =
        |part: &StrategyChange| part.strategy.as_ref().map_or(if part.residual { "residual" } else { "-" }.to_owned(), ToString::to_string);
    entry.by_strategy.iter().map(|part| format!("{} {} {} {}", name(part), part.quantity_change, part.realized_gross, part.fees)).collect()
}

fn newest(book: &mut Book, at: i64) -> Snapshot {
    let outputs = book.run_at(second(at));
    assert!(letters(&outputs).is_empty(), "{:?}", letters(&outputs));
    only(snapshots(&outputs)).clone()
}

#[test]
fn nobody_who_names_no_strategy_sees_any() {
    let mut book = ready_by("FIFO");
    book.fill("1", "BUY", "100", "10", json!({})).fill("2", "SELL", "50", "12", json!({}));
    let outputs = book.run_at(second(5));
    assert!(only(snapshots(&outputs)).strategies.is_empty());
    assert!(only(ledgers(&outputs)).entries.iter().all(|entry| entry.by_strategy.is_empty()));
    assert!(!serde_json::to_string(&outputs).unwrap().contains("strategies"), "and no line of text says it");
}

#[test]
fn a_correction_that_names_another_strategy_moves_its_execution_and_one_that_names_none_does_not() {
    let mut book = ready_by("AVERAGE");
    book.fill("1", "BUY", "100", "90", of("s1")).fill("2", "SELL", "40", "110", of("s1"));
    assert_eq!(rows(&newest(&mut book, 5)), ["s1 60 90 800 600"]);
    book.fill("c", "BUY", "100", "91", json!({"exec_type": "CORRECT", "exec_ref_id": "1"}));
    assert_eq!(rows(&newest(&mut book, 10)), ["s1 60 91 760 540"]);
    book.fill("d", "BUY", "100", "91", json!({"exec_type": "CORRECT", "exec_ref_id": "1", "strategy": "s2"}));
    let outputs = book.run_at(second(15));
    assert_eq!(rows(only(snapshots(&outputs))), ["s1 -40 110 0 400", "s2 100 91 0 900", "residual 0 - 760 -760"]);
    let entries = &only(ledgers(&outputs)).entries;
    assert_eq!(entries[0].strategy.as_ref().unwrap().as_str(), "s2");
    assert_eq!(entries[0].realized_gross.to_string(), "0");
    assert_eq!((parts(&entries[0]), entries.len()), (vec!["s1 -100 0 0".to_owned(), "s2 100 0 0".to_owned()], 2));
    // The sale of s1 now opens a short position: what it had realized of its own is the line's alone.
    assert_eq!(parts(&entries[1]), ["s1 0 -760 0", "residual 0 760 0"]);
}

#[test]
fn one_strategy_more_than_a_line_may_have_counts_as_nameless_and_the_ledger_says_so() {
    let mut book = ready_by("AVERAGE");
    for n in 0..66 {
        book.fill(&n.to_string(), "BUY", "1", "100", of(&format!("s{n:02}")));
        book.entry(&format!("e{n}"), "FEE", json!({"instrument_id": "B", "amount": "1", "strategy": format!("s{n:02}")}));
    }
    let outputs = book.run_at(second(5));
    assert!(letters(&outputs).is_empty());
    let entries = ledgers(&outputs).into_iter().flat_map(|ledger| &ledger.entries);
    let last: Vec<_> = entries.filter(|entry| ["65", "e65"].contains(&entry.cause.id.as_str())).collect();
    assert!(last.iter().all(|entry| entry.strategy.as_ref().unwrap().as_str() == "s65"));
    let mut told: Vec<_> = last.iter().flat_map(|entry| parts(entry)).collect();
    told.sort();
    assert_eq!(told, ["- 0 0 1", "- 1 0 0"]);
    let snapshot = only(snapshots(&outputs));
    adds_up(snapshot);
    let of_a = snapshot.strategies.iter().filter(|row| row.instrument_id.as_ref().is_some_and(|id| id.as_str() == "A"));
    assert_eq!(of_a.map(|row| row.quantity.to_string()).collect::<Vec<_>>(), [vec!["2".to_owned()], vec!["1".to_owned(); 64]].concat());
    // Where one is taken back there is room again: the next in order has it.
    book.fill("c", "BUY", "1", "100", json!({"exec_type": "CANCEL", "exec_ref_id": "3"}));
    let snapshot = newest(&mut book, 10);
    let names: Vec<_> = snapshot.strategies.iter().filter_map(|row| row.strategy.clone()).map(|name| name.to_string()).collect();
    assert!(names.contains(&"s64".to_owned()) && !names.contains(&"s65".to_owned()), "{names:?}");
}

#[test]
fn a_line_that_is_neither_held_nor_targeted_any_more_is_told_with_the_others_of_its_kind() {
    let mut book = ready_by("AVERAGE");
    for id in ["A", "B"] {
        let more = |strategy: &str| json!({"instrument_id": id, "strategy": strategy});
        book.fill(&format!("1{id}"), "BUY", "10", "10", more("s1")).fill(&format!("2{id}"), "SELL", "10", "12", more("s1"));
        book.fill(&format!("3{id}"), "BUY", "5", "10", more("s2")).fill(&format!("4{id}"), "SELL", "5", "11", more("s2"));
    }
    let snapshot = newest(&mut book, 5);
    assert!(snapshot.strategies.iter().all(|row| row.instrument_id.is_none()));
    assert_eq!(rows(&snapshot), ["s1 0 - 40 0", "s2 0 - 10 0"]);
    // On both sides at once it is held, though the line is flat.
    book.fill("5", "BUY", "10", "10", of("s1")).fill("6", "SELL", "10", "10", of("s2"));
    let snapshot = newest(&mut book, 10);
    assert_eq!(rows(&snapshot), ["s1 10 10 20 900", "s2 -10 10 5 -900", "s1 0 - 20 0", "s2 0 - 5 0"]);
    adds_up(&snapshot);
}

/// Every figure of every line, exactly as published.
fn adds_up(snapshot: &Snapshot) {
    let mut by_line: BTreeMap<&str, [i128; 4]> = BTreeMap::new();
    for row in &snapshot.strategies {
        assert_eq!(row.realized_net.units(), row.realized_gross.units() - row.fees.units() + row.income.units(), "{row:?}");
        assert_eq!(row.unrealized.units(), row.value.units() - row.cost.units(), "{row:?}");
        let Some(id) = &row.instrument_id else { continue };
        let figures = [row.quantity.units(), row.value.units(), row.unrealized.units(), row.realized_net.units()];
        by_line.entry(id.as_str()).or_default().iter_mut().zip(figures).for_each(|(sum, units)| *sum += units);
    }
    for (id, sums) in by_line {
        match snapshot.allocations.iter().find(|line| line.instrument_id.as_str() == id) {
            Some(line) => {
                assert_eq!(sums, [line.quantity.units(), line.value.units(), line.unrealized.units(), line.realized.units()], "{id}");
            }
            None => assert_eq!(sums[..3], [0; 3], "{id}"),
        }
    }
}

/// Realized, fees and income by strategy; the residual stands under its own name.
type Told = BTreeMap<String, [i128; 3]>;

fn name(strategy: Option<&domain::StrategyId>, residual: bool) -> String {
    if residual { "residual".into() } else { strategy.map_or("-".into(), ToString::to_string) }
}

/// What a reader of the ledger alone comes to.
fn by_ledger(outputs: &[Output]) -> (Told, i128) {
    let (mut told, mut entries) = (Told::new(), 0);
    let mut add = |name: String, figures: [i128; 3]| {
        told.entry(name).or_default().iter_mut().zip(figures).for_each(|(sum, units)| *sum += units);
    };
    for entry in ledgers(outputs).into_iter().flat_map(|ledger| &ledger.entries).filter(|entry| entry.instrument_id.is_some()) {
        entries += 1;
        if entry.by_strategy.is_empty() {
            let fees = entry.fees.iter().map(|fee| fee.amount.units()).sum();
            add(name(entry.strategy.as_ref(), false), [entry.realized_gross.units(), fees, entry.income.units()]);
        }
        for part in &entry.by_strategy {
            let figures = [part.realized_gross.units(), part.fees.units(), part.income.units()];
            add(name(part.strategy.as_ref(), part.residual), figures);
        }
    }
    (told, entries)
}

fn by_snapshot(snapshot: &Snapshot) -> Told {
    let mut told = Told::new();
    for row in &snapshot.strategies {
        let figures = [row.realized_gross.units(), row.fees.units(), row.income.units()];
        told.entry(name(row.strategy.as_ref(), row.residual)).or_default().iter_mut().zip(figures).for_each(|(sum, units)| *sum += units);
    }
    told
}

#[derive(Debug, Clone)]
enum Act {
    Trade { buy: bool, quantity: u32, price: u32, strategy: Option<u8>, day: u8 },
    Amend { of: usize, now: Option<(u32, u32, Option<u8>)> },
    Entry { kind: usize, amount: u32, strategy: Option<u8> },
    Reverse { of: usize },
    Action { id: u8, new: u32, old: u32, lieu: bool, withdrawn: bool },
    Restore,
}

fn strategy() -> impl Strategy<Value = Option<u8>> {
    prop_oneof![2 => Just(None), 3 => (0..3_u8).prop_map(Some)]
}

fn act() -> impl Strategy<Value = Act> {
    let numbers = || (1..2_000_u32, 1..5_u32, strategy());
    let trade = (any::<bool>(), numbers(), 4..7_u8).prop_map(|(buy, (quantity, price, strategy), day)| Act::Trade {
        buy,
        quantity,
        price,
        strategy,
        day,
    });
    let amend = (any::<usize>(), prop::option::weighted(0.6, numbers())).prop_map(|(of, now)| Act::Amend { of, now });
    let entry = (0..4_usize, 1..500_u32, strategy()).prop_map(|(kind, amount, strategy)| Act::Entry { kind, amount, strategy });
    let numbers = (0..4_u8, 1..6_u32, 1..6_u32, any::<bool>(), prop::bool::weighted(0.2));
    let action = numbers.prop_map(|(id, new, old, lieu, withdrawn)| Act::Action { id, new, old, lieu, withdrawn });
    let reverse = any::<usize>().prop_map(|of| Act::Reverse { of });
    prop_oneof![8 => trade, 3 => amend, 2 => entry, 1 => reverse, 2 => action, 1 => Just(Act::Restore)]
}

fn named(strategy: Option<u8>) -> Value {
    strategy.map_or(Value::Null, |n| json!(format!("s{n}")))
}

fn units(quantity: u32) -> String {
    format!("{}.{:08}", quantity / 100, quantity % 100)
}

/// What was sent, as far as it may be named later.
#[derive(Default)]
struct Sent {
    trades: Vec<Option<(bool, u8)>>,
    entries: Vec<Option<(usize, u32)>>,
}

fn play(book: &mut Book, sent: &mut Sent, n: usize, act: &Act) {
    let fees = json!([{"type": "f", "amount": "0.01", "currency": "USD"}]);
    match *act {
        Act::Trade { buy, quantity, price, strategy, day } => {
            let more = json!({"trade_date": format!("2026-01-{day:02}"), "strategy": named(strategy), "fees": fees});
            book.fill(&format!("t{}", sent.trades.len()), if buy { "BUY" } else { "SELL" }, &units(quantity), &price.to_string(), more);
            sent.trades.push(Some((buy, day)));
        }
        Act::Amend { of, now } => {
            let Some(of) = of.checked_rem(sent.trades.len()) else { return };
            let Some((buy, day)) = sent.trades[of] else { return };
            let (quantity, price, strategy) = now.unwrap_or((1, 1, None));
            let kind = if now.is_some() { "CORRECT" } else { "CANCEL" };
            let more = json!({"trade_date": format!("2026-01-{day:02}"), "exec_type": kind, "exec_ref_id": format!("t{of}"),
                "strategy": named(strategy), "fees": fees});
            book.fill(&format!("a{n}"), if buy { "BUY" } else { "SELL" }, &units(quantity), &price.to_string(), more);
            sent.trades[of] = now.and(sent.trades[of]);
        }
        Act::Entry { kind, amount, strategy } => {
            let entry = entry(kind, amount, strategy);
            book.entry(&format!("e{}", sent.entries.len()), KINDS[kind], entry);
            sent.entries.push(Some((kind, amount)));
        }
        Act::Reverse { of } => {
            let Some(of) = of.checked_rem(sent.entries.len()) else { return };
            let Some((kind, amount)) = sent.entries[of].take() else { return };
            let mut more = entry(kind, amount, None);
            more["reverses"] = json!(format!("e{of}"));
            book.entry(&format!("r{n}"), KINDS[kind], more);
        }
        Act::Action { id, new, old, lieu, withdrawn } => {
            // Two splits and two dividends.
            let kind = if id > 1 { "CASH_DIVIDEND" } else { "SPLIT" };
            let action = json!({"action_id": format!("x{id}"), "instrument_id": "A", "status": if withdrawn { "CANCELLED" } else { "NEW" },
                "kind": kind, "ratio_new": new.to_string(), "ratio_old": old.to_string(), "amount_per_share": format!("0.{new}{old}"),
                "cash_in_lieu_price": if lieu { json!("3") } else { json!(null) }, "ex_date": format!("2026-01-0{}", 4 + (new + old) % 3)});
            book.frame(|frame| frame.actions.push(serde_json::from_value(action).unwrap()));
        }
        Act::Restore => book.lane = restored(&mut book.lane),
    }
}

const KINDS: [&str; 4] = ["FEE", "INTEREST", "DIVIDEND", "TRANSFER_IN"];

fn entry(kind: usize, amount: u32, strategy: Option<u8>) -> Value {
    let mut more = json!({"instrument_id": "A", "strategy": named(strategy), "effective_at": "2026-01-06T12:00:00Z"});
    if KINDS[kind] == "TRANSFER_IN" {
        more["quantity"] = json!(amount.to_string());
        more["total_cost"] = json!("77.77");
    } else {
        more["amount"] = json!(amount.to_string());
    }
    more
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 384, ..ProptestConfig::default() })]

    #[test]
    fn strategies_and_what_they_leave_are_the_line_at_every_step(acts in prop::collection::vec(act(), 1..40), method in 0..4_usize) {
        let mut book = ready_by(METHODS[method]);
        let (mut sent, mut outputs) = (Sent::default(), Vec::new());
        book.at(second(86_400 + 43_200));
        for (n, act) in acts.iter().enumerate() {
            book.at(second(86_400 + 43_200 + n as i64 * 10));
            play(&mut book, &mut sent, n, act);
            let now = book.run();
            snapshots(&now).into_iter().for_each(adds_up);
            outputs.extend(now);
        }
        let last = snapshots(&outputs).last().map(|snapshot| by_snapshot(snapshot)).unwrap_or_default();
        let (told, entries) = by_ledger(&outputs);
        if last.is_empty() {
            // Nobody is named any more, or nobody ever was: all of it is nameless.
            prop_assert!(told.iter().all(|(name, figures)| name == "-" || figures.iter().all(|units| units.abs() <= entries)), "{:?}", told);
            return Ok(());
        }
        for name in told.keys().chain(last.keys()) {
            let (a, b) = (told.get(name).copied().unwrap_or_default(), last.get(name).copied().unwrap_or_default());
            // Every entry is rounded by itself.
            prop_assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 2 * entries + 2), "{}: {:?} by the ledger, {:?} by the snapshot", name, a, b);
        }
        // All of it taken back: nothing of a strategy is left.
        for of in (0..sent.trades.len()).filter(|of| sent.trades[*of].is_some()).collect::<Vec<_>>() {
            play(&mut book, &mut sent, 10_000 + of, &Act::Amend { of, now: None });
        }
        for of in 0..sent.entries.len() {
            play(&mut book, &mut sent, 20_000 + of, &Act::Reverse { of });
        }
        let left = book.run_at(second(86_400 * 3));
        prop_assert!(snapshots(&left).last().is_none_or(|snapshot| snapshot.strategies.is_empty()), "{:?}", snapshots(&left).last().map(|s| &s.strategies));
    }
}
