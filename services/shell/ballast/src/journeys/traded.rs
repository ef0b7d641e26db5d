//! Journey (a): 9,367 executions in seven US shares on 1,506 trading days, long and short, with the cash
//! and the positions that must stand in the book after each day. A book that is kept, not steered: its
//! policy has no targets.

use super::table::{DataError, Table};
use super::{Dated, Day, Oracle, evening};
use domain::cash::CashEntry;
use domain::enums::{CashKind, ExecType, InstrumentType, PriceSource, Side};
use domain::fill::Fill;
use domain::instrument::Instrument;
use domain::policy::{Book, Orders, Policy};
use domain::tick::Tick;
use domain::{Amount, Currency, Date, Input, InstrumentId, Money, PortfolioId, Price, Quantity, SmolStr, Timestamp};
use smallvec::SmallVec;
use std::collections::BTreeMap;
use std::path::Path;

/// The portfolio.
pub const PORTFOLIO: &str = "traded-book";
/// What it starts with, in USD.
const DEPOSIT: i128 = 100_000;
/// Prices come once a trading day; the longest weekend of the data has five days.
pub(super) const WEEK: i64 = 7 * 86_400;

/// Every day of the journey, the day before the first one with what opens the book.
pub fn days(data: &Path) -> Result<Vec<Day>, DataError> {
    let folder = data.join("pyfolio");
    let mut days = oracles(&folder)?;
    marks(&folder, &mut days)?;
    executions(&folder, &mut days)?;
    let mut days: Vec<_> = days.into_values().collect();
    if let Some(first) = days.first() {
        let eve = first.date.plus_days(-1);
        let shares: Vec<_> = first.oracle.iter().flat_map(|oracle| oracle.positions.keys().cloned()).collect();
        days.insert(0, Day { date: eve, inputs: opening(evening(eve), &shares), portfolios: vec![PORTFOLIO], ..Day::default() });
    }
    Ok(days)
}

fn oracles(folder: &Path) -> Result<BTreeMap<Date, Day>, DataError> {
    let table = Table::read(folder.join("cash.csv"))?;
    let mut days = BTreeMap::new();
    for row in table.rows(&["date", "cash_replayed"])? {
        let (date, cash): (Date, Money) = (row.get(0)?, row.get(1)?);
        let oracle = Some(Oracle { cash, equity: cash, ..Oracle::default() });
        days.insert(date, Day { date, oracle, portfolios: vec![PORTFOLIO], ..Day::default() });
    }
    Ok(days)
}

/// Positions, what they are worth, and the prices that say so.
fn marks(folder: &Path, days: &mut BTreeMap<Date, Day>) -> Result<(), DataError> {
    let table = Table::read(folder.join("positions.csv"))?;
    for row in table.rows(&["date", "symbol", "quantity", "price"])? {
        let (date, share, quantity): (Date, InstrumentId, Quantity) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let day = days.get_mut(&date).ok_or_else(|| row.wrong("cash.csv does not have this day"))?;
        let oracle = day.oracle.as_mut().expect("every day was made with one");
        if !row.text(3).is_empty() {
            let price: Price = row.get(3)?;
            let value = quantity.times(price).and_then(Amount::to_money).map_err(|error| row.wrong(error))?;
            oracle.equity = oracle.equity.checked_add(value).map_err(|error| row.wrong(error))?;
            day.inputs.push(Dated { input: Input::Tick(Box::new(mark(&share, price, evening(date)))), time: evening(date) });
        }
        oracle.positions.insert(share, quantity);
    }
    Ok(())
}

fn executions(folder: &Path, days: &mut BTreeMap<Date, Day>) -> Result<(), DataError> {
    let table = Table::read(folder.join("executions.csv"))?;
    let mut held: BTreeMap<InstrumentId, Quantity> = BTreeMap::new();
    let mut by_day: BTreeMap<Date, Vec<Dated>> = BTreeMap::new();
    for row in table.rows(&["execution_id", "timestamp", "symbol", "quantity", "price"])? {
        let executed: Timestamp = row.get(1)?;
        let (share, change): (InstrumentId, Quantity) = (row.get(2)?, row.get(3)?);
        let before = held.entry(share.clone()).or_default();
        let after = before.checked_add(change).map_err(|error| row.wrong(error))?;
        let side = if change.is_positive() {
            Side::Buy
        } else if after.is_negative() {
            Side::SellShort
        } else {
            Side::Sell
        };
        *before = after;
        let date = executed.date_utc();
        let fill = Fill {
            source: SmolStr::new_static("pyfolio"),
            exec_id: SmolStr::new(row.text(0)),
            trade_date: date,
            exec_type: ExecType::Trade,
            exec_ref_id: None,
            portfolio_id: portfolio(),
            instrument_id: share,
            venue: None,
            side,
            quantity: change.abs(),
            price: row.get(4)?,
            currency: usd(),
            fees: SmallVec::new(),
            settle_date: None,
            fx_rate: None,
            order_id: None,
            strategy: None,
            cum_qty: None,
            gross_amount: None,
            accrued_interest: None,
            transact_time: executed,
            received_at: None,
        };
        by_day.entry(date).or_default().push(Dated { input: Input::Fill(Box::new(fill)), time: evening(date) });
    }
    for (date, mut fills) in by_day {
        let Some(day) = days.get_mut(&date) else { continue };
        fills.append(&mut day.inputs);
        day.inputs = fills;
    }
    Ok(())
}

fn opening(at: Timestamp, shares: &[InstrumentId]) -> Vec<Dated> {
    let mut inputs: Vec<Input> = shares.iter().map(|share| Input::Instrument(Box::new(share_facts(share.clone(), None)))).collect();
    inputs.push(Input::Policy(Box::new(policy())));
    inputs.push(Input::Cash(Box::new(deposit(portfolio(), DEPOSIT, at))));
    inputs.into_iter().map(|input| Dated { input, time: at }).collect()
}

/// The rules of a book that is only kept: shorts and negative cash are allowed, nothing is aimed at.
fn policy() -> Policy {
    Policy {
        name: Some(SmolStr::new_static("A traded book, long and short")),
        orders: Orders { allow_short: true, ..Orders::default() },
        book: Book { max_price_age_seconds: WEEK, ..Book::default() },
        ..blank_policy(portfolio())
    }
}

/// A policy of version 1 in USD with every default.
pub(super) fn blank_policy(portfolio_id: PortfolioId) -> Policy {
    serde_json::from_value(serde_json::json!({ "portfolio_id": portfolio_id, "policy_version": 1, "base_currency": "USD" }))
        .expect("the required fields of a policy are three")
}

/// The first cash of a portfolio.
pub(super) fn deposit(portfolio_id: PortfolioId, whole: i128, effective_at: Timestamp) -> CashEntry {
    CashEntry {
        source: SmolStr::new_static("treasury"),
        entry_id: SmolStr::new(format!("opening-{portfolio_id}")),
        reverses: None,
        portfolio_id,
        kind: CashKind::Deposit,
        currency: usd(),
        amount: Money::from_whole(whole).expect("a deposit of this size fits"),
        instrument_id: None,
        quantity: None,
        total_cost: None,
        action_id: None,
        strategy: None,
        effective_at,
    }
}

/// A US share: one unit is the lot.
pub(super) fn share_facts(instrument_id: InstrumentId, sector: Option<&'static str>) -> Instrument {
    Instrument {
        symbol: Some(SmolStr::new(instrument_id.as_str())),
        instrument_id,
        name: None,
        sector: sector.map(SmolStr::new_static),
        kind: InstrumentType::Equity,
        currency: usd(),
        base_asset: None,
        multiplier: Quantity::ONE,
        lot_size: Quantity::ONE,
        tick_size: None,
        venue: None,
        calendar: None,
        average_daily_volume: None,
        price_source: PriceSource::Auto,
        max_price_age_seconds: None,
        max_jump_bp: None,
        valid_from: None,
    }
}

fn mark(share: &InstrumentId, price: Price, at: Timestamp) -> Tick {
    Tick { mark: Some(price), ..blank_tick(share.clone(), at) }
}

/// A tick that says nothing yet.
pub(super) fn blank_tick(instrument_id: InstrumentId, event_time: Timestamp) -> Tick {
    Tick {
        instrument_id,
        bid: None,
        ask: None,
        last: None,
        mark: None,
        accrued: None,
        volume: None,
        venue: None,
        event_time,
        sequence: None,
    }
}

fn portfolio() -> PortfolioId {
    PortfolioId::new(PORTFOLIO).expect("the name is an id")
}

pub(super) fn usd() -> Currency {
    Currency::new("USD").expect("USD is a currency")
}
