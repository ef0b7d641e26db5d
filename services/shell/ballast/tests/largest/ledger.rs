//! The ledger record: as many entries as its journal takes, of every currency, with as many lots as may be open.

use super::{CURRENCIES, UNITS, amounts, currency, id, instrument, last_day, moment, portfolio};
use avro_codec::{encode, record_limit};
use domain::enums::EntryKind;
use domain::ledger::{Cause, ClosedTrades, InBase, Ledger, LedgerEntry, Lot, PositionState, StrategyChange};
use domain::{FxRate, Money, Output, Price, Quantity, Topic};
use engine::settings::{MAX_LEDGER_BYTES, MAX_LOTS};
use position_keeper::book::journal::Journal;
use position_keeper::book::sub_positions::MOST;

/// Trade dates of bookings that are kept, at most, each of another day: of two chunks of the history, and of those that can
/// be configured to be kept. An amendment may concern all of them.
const MOST_DATES: usize = 2 * 2_048 + 500;

fn entry(kind: EntryKind, currencies: usize, parts: usize) -> LedgerEntry {
    let money = Money::from_units(UNITS);
    LedgerEntry {
        kind,
        cause: Cause { topic: Topic::Fills, partition: i32::MAX, offset: i64::MAX, id: id(0).into() },
        instrument_id: Some(instrument(0)),
        strategy: Some(id(0).parse().unwrap()),
        venue: Some(id(0).into()),
        trade_date: Some(last_day()),
        effective_at: moment(),
        transact_time: Some(moment()),
        quantity_change: Quantity::from_units(UNITS),
        price: Some(Price::from_units(UNITS)),
        fx_rate: Some(FxRate::from_units(UNITS)),
        cash: amounts(currencies).into(),
        realized_gross: money,
        fees: amounts(currencies).into(),
        income: money,
        external_flow: money,
        equity_before: Some(money),
        by_strategy: (0..parts).map(part).collect(),
        closed_trades: vec![closed(); if kind == EntryKind::Restate { MOST_DATES } else { 1 }].into(),
        in_base: Some(Box::new(InBase { realized_gross: money, fees: money, income: money, proceeds: money })),
    }
}

/// As many trades as there are bookings in those chunks.
fn closed() -> ClosedTrades {
    let (money, most) = (Money::from_units(UNITS), 2 * 2_048);
    ClosedTrades { trade_date: last_day(), winning: most, losing: -most, even: most, gross_profit: money, gross_loss: money }
}

fn part(n: usize) -> StrategyChange {
    let money = Money::from_units(UNITS);
    StrategyChange {
        strategy: Some(id(n).parse().unwrap()),
        residual: false,
        quantity_change: Quantity::from_units(UNITS),
        realized_gross: money,
        fees: money,
        income: money,
        proceeds: Some(money),
    }
}

/// A position with so many lots.
fn position(lots: usize) -> PositionState {
    let (money, quantity) = (Money::from_units(UNITS), Quantity::from_units(UNITS));
    PositionState {
        instrument_id: instrument(0),
        currency: currency(0),
        quantity,
        cost: money,
        average_price: Some(Price::from_units(UNITS)),
        realized_gross: money,
        fees: amounts(CURRENCIES).into(),
        income: money,
        realized_net: money,
        cycle_realized_gross: money,
        cycle_fees: money,
        cycle_income: money,
        lots: (0..lots).map(|n| Lot { exec_id: id(n).into(), trade_date: last_day(), quantity, cost: money }).collect(),
    }
}

/// As many trades as its journal takes, and then a correction that moves every currency and restates.
fn ledger(lots: usize, parts: usize) -> Ledger {
    let (mut journal, mut entries) = (Journal::default(), Vec::new());
    while !journal.is_full(CURRENCIES, lots, MAX_LEDGER_BYTES) {
        let trade = entry(EntryKind::Trade, 1, parts);
        entries.push(trade.clone());
        journal.add(trade, None);
    }
    entries.pop();
    entries.extend([entry(EntryKind::Correct, CURRENCIES, MOST + 2), entry(EntryKind::Restate, CURRENCIES, MOST + 2)]);
    Ledger { portfolio_id: portfolio(), version: i64::MAX, entries, positions: vec![position(lots)], cash: amounts(CURRENCIES) }
}

#[test]
fn the_largest_ledger_record_can_be_published_however_many_lots_are_open() {
    for (lots, parts) in [0, 10_000, 18_000, 19_000, 21_000, MAX_LOTS].into_iter().flat_map(|lots| [(lots, 0), (lots, MOST + 2)]) {
        let (ledger, mut bytes) = (ledger(lots, parts), Vec::new());
        assert!(ledger.entries.len() > if parts == 0 { 100 } else { 10 }, "{} entries beside {lots} lots", ledger.entries.len());
        encode(&Output::Ledger(Box::new(ledger)), &mut bytes).unwrap_or_else(|error| panic!("{lots} lots: {error}"));
        println!("{lots} lots, {parts} strategies: {} of {} bytes", bytes.len(), record_limit(Topic::Ledger));
    }
    // So many more do not fit even alone.
    let beyond = Ledger { entries: Vec::new(), cash: Vec::new(), positions: vec![position(MAX_LOTS + 3_600)], ..ledger(MAX_LOTS, 0) };
    assert!(encode(&Output::Ledger(Box::new(beyond)), &mut Vec::new()).is_err());
}
