//! A book of the past: quantities and cash from the ledger and the closes, valued by the newest snapshot or close of
//! then. Where that one holds the very same, it is taken as it was published; else its prices value what the ledger
//! says, and the report says so. What it has no price for has no value, and then the book has no total.

use super::book::{Basis, Book, Cash, Exposure, Line, of_snapshot, published};
use domain::enums::InstrumentType;
use domain::portfolio_close::{ClosedCurrency, ClosedPosition};
use domain::snapshot::Allocation;
use domain::{Date, Timestamp};
use postgres_store::Micros;
use postgres_store::queries::{AllocationView, BookAsOf, CloseAsOf, SnapshotAsOf};
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;

/// The book; `known` are the lines of now, for names that a close does not tell.
pub(super) fn book(past: &BookAsOf, base_currency: &str, known: &[AllocationView]) -> Book {
    match newest(past) {
        Some(Newest::Snapshot(snapshot)) => by_snapshot(past, snapshot),
        Some(Newest::Close(close)) => by_close(past, close, base_currency, known),
        None => unvalued(past, base_currency),
    }
}

/// The day from which on bookings are kept, where a book of the past hangs on older ones: on those since the day that was
/// closed last before it, or on all of a portfolio that was made then, where there is none.
pub(super) fn kept_too_late(past: &BookAsOf, made_at: Micros, kept_from: Micros) -> Option<Date> {
    // Months go whole.
    let kept = Timestamp::from_micros(kept_from.0).date_utc().first_of_month();
    let needed = past.bookings_from().unwrap_or(made_at);
    (needed.0 < kept.start_utc().micros()).then_some(kept)
}

enum Newest<'a> {
    Snapshot(&'a SnapshotAsOf),
    Close(&'a CloseAsOf),
}

/// The valuation that was made last by then.
fn newest(past: &BookAsOf) -> Option<Newest<'_>> {
    match (&past.snapshot, &past.close) {
        (Some(snapshot), Some(close)) if close.cut_at.is_some_and(|cut| cut > snapshot.book.as_of) => Some(Newest::Close(close)),
        (Some(snapshot), _) => Some(Newest::Snapshot(snapshot)),
        (None, Some(close)) => Some(Newest::Close(close)),
        (None, None) => None,
    }
}

fn by_snapshot(past: &BookAsOf, snapshot: &SnapshotAsOf) -> Book {
    let published_lines: Vec<Allocation> = list(&snapshot.allocations);
    let lines: Vec<Line> = published_lines.iter().map(published).collect();
    let book = of_snapshot(&snapshot.book);
    if holds(&lines, past) && balances(&book.cash) == cash_of(past) {
        return Book { lines, ..book };
    }
    let values: Option<Decimal> = lines.iter().map(|line| line.value).sum();
    let receivables = || snapshot.book.total_value.checked_sub(snapshot.book.cash_value)?.checked_sub(values?);
    let rate = |currency: &str| rate_of(past.close.as_ref(), currency, &book.base_currency);
    restated(past, Book { basis: Basis::RestatedSnapshot, lines, ..book.clone() }, rate, receivables())
}

fn by_close(past: &BookAsOf, close: &CloseAsOf, base_currency: &str, known: &[AllocationView]) -> Book {
    let positions: Vec<ClosedPosition> = list(&close.positions);
    let lines: Vec<Line> = positions.iter().map(|held| closed_line(held, close.equity, known)).collect();
    let currencies: Vec<ClosedCurrency> = list(&close.currencies);
    let worth = |of: fn(&ClosedCurrency) -> Option<Decimal>| currencies.iter().map(of).sum::<Option<Decimal>>();
    let base_currency = close.base_currency.clone().unwrap_or_else(|| base_currency.to_owned());
    let book = Book {
        basis: Basis::Close,
        as_of: close.cut_at.map(|at| at.0),
        version: Some(close.version),
        base_currency: base_currency.clone(),
        total_value: Some(close.equity),
        cash_value: worth(|held| held.cash_value.to_decimal()),
        available_cash: None,
        cash: cash_lines(past),
        exposure: exposure(&lines, Some(close.equity)),
        lines,
        profit: Value::Null,
        concentration: Value::Null,
        complete: close.complete,
        wanting: close.incomplete_reason.iter().cloned().collect(),
    };
    let held: Vec<ClosedPosition> = positions.into_iter().filter(|held| !held.quantity.is_zero()).collect();
    let same = held.len() == past.positions.len()
        && past.positions.iter().zip(sorted(held)).all(|(ours, theirs)| {
            ours.instrument_id == theirs.instrument_id.as_str() && Some(ours.quantity) == theirs.quantity.to_decimal()
        });
    if same && cash_at_cut(close, past) {
        return book;
    }
    let receivables = worth(|held| held.receivables_value.to_decimal());
    let rate = |currency: &str| rate_of(Some(close), currency, &base_currency);
    restated(past, Book { basis: Basis::RestatedClose, ..book.clone() }, rate, receivables)
}

fn sorted(mut held: Vec<ClosedPosition>) -> Vec<ClosedPosition> {
    held.sort_by(|a, b| a.instrument_id.cmp(&b.instrument_id));
    held
}

/// Whether the balances are those at the cut: then what they are worth is what the close says.
fn cash_at_cut(close: &CloseAsOf, past: &BookAsOf) -> bool {
    let amount = |(currency, amount): (&'_ String, &'_ Value)| Some((currency.clone(), amount.as_str()?.parse::<Decimal>().ok()?));
    let told = close.cash.as_object().into_iter().flatten().filter_map(amount).filter(|(_, amount)| !amount.is_zero());
    let told: BTreeMap<String, Decimal> = told.collect();
    told.iter().map(|(currency, amount)| (currency.as_str(), *amount)).eq(cash_of(past))
}

/// What the ledger says, at the prices of a book that holds something else.
fn restated(past: &BookAsOf, basis: Book, rate: impl Fn(&str) -> Option<Decimal>, receivables: Option<Decimal>) -> Book {
    let by_id: BTreeMap<&str, &Line> = basis.lines.iter().map(|line| (line.instrument_id.as_str(), line)).collect();
    let mut wanting = basis.wanting.clone();
    let mut lines = Vec::new();
    for held in &past.positions {
        let line = match by_id.get(held.instrument_id.as_str()) {
            Some(line) => scaled(line, held.quantity),
            None => Line { instrument_id: held.instrument_id.clone(), quantity: Some(held.quantity), ..Line::default() },
        };
        if line.value.is_none() {
            wanting.push(format!("{}: no value at the prices of then", held.instrument_id));
        }
        lines.push(line);
    }
    let worth = |held: &postgres_store::queries::CashHeld| held.amount.checked_mul(rate(&held.currency)?);
    let cash_value: Option<Decimal> = past.cash.iter().map(worth).sum();
    if cash_value.is_none() {
        wanting.push("a balance has no rate of then".to_owned());
    }
    let values: Option<Decimal> = lines.iter().map(|line| line.value).sum();
    let total = values.and_then(|values| values.checked_add(cash_value?)?.checked_add(receivables?)).map(|total| total.round_dp(10));
    for line in &mut lines {
        weigh(line, total);
    }
    lines.sort_by(|a, b| magnitude(b).cmp(&magnitude(a)).then_with(|| a.instrument_id.cmp(&b.instrument_id)));
    Book {
        total_value: total,
        cash_value: cash_value.map(|cash| cash.round_dp(10)),
        available_cash: None,
        cash: cash_lines(past),
        exposure: exposure(&lines, total),
        lines,
        profit: Value::Null,
        concentration: Value::Null,
        complete: basis.complete && wanting.is_empty(),
        wanting,
        ..basis
    }
}

/// The line with other units: its value follows them, but for a future, whose value has its cost in it.
fn scaled(line: &Line, quantity: Decimal) -> Line {
    let same = line.quantity == Some(quantity);
    let linear = line.kind.as_deref() != Some(InstrumentType::Future.symbol());
    let value = match (line.value, line.quantity) {
        (value, _) if same => value,
        (Some(value), Some(before)) if linear && !before.is_zero() => {
            value.checked_mul(quantity).and_then(|product| product.checked_div(before)).map(|value| value.round_dp(10))
        }
        _ => None,
    };
    let kept = |figure: Option<Decimal>| figure.filter(|_| same);
    Line { quantity: Some(quantity), value, unrealized: kept(line.unrealized), realized: kept(line.realized), ..line.clone() }
}

fn weigh(line: &mut Line, total: Option<Decimal>) {
    let weight = line.value.zip(total.filter(|total| *total > Decimal::ZERO)).and_then(|(value, total)| value.checked_div(total));
    line.percentage = weight.map(|weight| (weight * Decimal::ONE_HUNDRED).round_dp(10));
    line.drift = weight.zip(line.target_weight).map(|(weight, target)| (weight - target).round_dp(12));
}

fn unvalued(past: &BookAsOf, base_currency: &str) -> Book {
    let line = |held: &postgres_store::queries::Held| Line {
        instrument_id: held.instrument_id.clone(),
        quantity: Some(held.quantity),
        ..Line::default()
    };
    let empty = past.positions.is_empty() && past.cash.is_empty();
    Book {
        basis: Basis::Unvalued,
        as_of: None,
        version: None,
        base_currency: base_currency.to_owned(),
        total_value: None,
        cash_value: None,
        available_cash: None,
        cash: cash_lines(past),
        lines: past.positions.iter().map(line).collect(),
        exposure: Exposure::default(),
        profit: Value::Null,
        concentration: Value::Null,
        complete: false,
        wanting: vec![if empty { "nothing was booked by then" } else { "no snapshot and no close of then is stored" }.to_owned()],
    }
}

fn closed_line(held: &ClosedPosition, equity: Decimal, known: &[AllocationView]) -> Line {
    let now = known.iter().find(|line| line.instrument_id == held.instrument_id.as_str());
    let mut line = Line {
        instrument_id: held.instrument_id.to_string(),
        symbol: now.and_then(|now| now.symbol.clone()),
        sector: held.sector.as_ref().map(ToString::to_string).or_else(|| now.and_then(|now| now.sector.clone())),
        kind: Some(held.kind.symbol().to_owned()).filter(|_| held.kind != InstrumentType::Unknown),
        quantity: held.quantity.to_decimal(),
        price: held.price.and_then(|price| price.to_decimal()),
        price_time: held.price_time.map(|at| at.micros()),
        // Closes of before it was told say nothing of it.
        stale: (held.stale || held.price_time.is_some()).then_some(held.stale),
        value: held.value.to_decimal(),
        ..Line::default()
    };
    weigh(&mut line, Some(equity));
    line
}

fn exposure(lines: &[Line], total: Option<Decimal>) -> Exposure {
    let future = |line: &&Line| line.kind.as_deref() == Some(InstrumentType::Future.symbol());
    if lines.iter().any(|line| future(&line)) {
        // The value of a future is no exposure, and its notional is not in these records.
        return Exposure::default();
    }
    let side = |positive: bool| -> Option<Decimal> {
        let values =
            lines.iter().map(|line| line.value.map(|value| if (value > Decimal::ZERO) == positive { value.abs() } else { Decimal::ZERO }));
        values.sum()
    };
    let (long, short) = (side(true), side(false));
    let over = |amount: Option<Decimal>| {
        let total = total.filter(|total| *total > Decimal::ZERO)?;
        Some(amount?.checked_div(total)?.round_dp(12))
    };
    let mut sectors: BTreeMap<String, Option<Decimal>> = BTreeMap::new();
    for line in lines {
        let sum = sectors.entry(line.sector.clone().unwrap_or_else(|| "NONE".to_owned())).or_insert(Some(Decimal::ZERO));
        *sum = sum.zip(line.value).and_then(|(sum, value)| sum.checked_add(value));
    }
    Exposure {
        net: over(long.zip(short).and_then(|(long, short)| long.checked_sub(short))),
        gross: over(long.zip(short).and_then(|(long, short)| long.checked_add(short))),
        long,
        short,
        sectors: sectors.into_iter().map(|(sector, value)| (sector, value, over(value))).collect(),
    }
}

fn rate_of(close: Option<&CloseAsOf>, currency: &str, base: &str) -> Option<Decimal> {
    if currency == base {
        return Some(Decimal::ONE);
    }
    let currencies: Vec<ClosedCurrency> = list(&close?.currencies);
    currencies.iter().find(|told| told.currency.as_str() == currency)?.fx_rate?.to_decimal()
}

fn holds(lines: &[Line], past: &BookAsOf) -> bool {
    let held: BTreeMap<&str, Decimal> = lines
        .iter()
        .filter_map(|line| Some((line.instrument_id.as_str(), line.quantity?)))
        .filter(|(_, quantity)| !quantity.is_zero())
        .collect();
    held == past.positions.iter().map(|held| (held.instrument_id.as_str(), held.quantity)).collect()
}

fn balances(cash: &[Cash]) -> BTreeMap<&str, Decimal> {
    cash.iter().map(|held| (held.currency.as_str(), held.trade_date)).filter(|(_, amount)| !amount.is_zero()).collect()
}

fn cash_of(past: &BookAsOf) -> BTreeMap<&str, Decimal> {
    past.cash.iter().map(|held| (held.currency.as_str(), held.amount)).filter(|(_, amount)| !amount.is_zero()).collect()
}

fn cash_lines(past: &BookAsOf) -> Vec<Cash> {
    past.cash.iter().map(|held| Cash { currency: held.currency.clone(), trade_date: held.amount, settled: None }).collect()
}

fn magnitude(line: &Line) -> Option<Decimal> {
    line.value.map(|value| value.abs())
}

/// A list of records as a table keeps them; one that cannot be read is left out, and then nothing is valued by it.
fn list<T: DeserializeOwned>(rows: &Value) -> Vec<T> {
    rows.as_array().into_iter().flatten().filter_map(|row| serde_json::from_value(row.clone()).ok()).collect()
}

#[cfg(test)]
mod tests;
