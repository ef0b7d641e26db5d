//! A book as a report shows it: lines, cash, exposure, and where all of it comes from. The newest one is taken as the
//! snapshot says it; one of the past is put together beside this file.

use domain::enums::InstrumentType;
use domain::snapshot::Allocation;
use postgres_store::queries::{AllocationView, BookView};
use rust_decimal::Decimal;
use serde_json::Value;

/// Where a valuation comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Basis {
    /// A snapshot, as it was published.
    Snapshot,
    /// A closed day, as it was published.
    Close,
    /// Quantities that differ from the snapshot's, at its prices.
    RestatedSnapshot,
    /// Quantities that differ from the close's, at its prices.
    RestatedClose,
    /// Nothing: there is no price of then.
    Unvalued,
}

impl Basis {
    pub(super) fn name(self) -> &'static str {
        match self {
            Basis::Snapshot => "SNAPSHOT",
            Basis::Close => "CLOSE",
            Basis::RestatedSnapshot => "SNAPSHOT_RESTATED",
            Basis::RestatedClose => "CLOSE_RESTATED",
            Basis::Unvalued => "NONE",
        }
    }
}

/// A line. Amounts are in the base currency.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Line {
    pub(super) instrument_id: String,
    pub(super) symbol: Option<String>,
    pub(super) sector: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) quantity: Option<Decimal>,
    pub(super) price: Option<Decimal>,
    pub(super) price_time: Option<i64>,
    pub(super) stale: Option<bool>,
    pub(super) value: Option<Decimal>,
    pub(super) percentage: Option<Decimal>,
    pub(super) target_weight: Option<Decimal>,
    pub(super) drift: Option<Decimal>,
    pub(super) unrealized: Option<Decimal>,
    pub(super) realized: Option<Decimal>,
}

/// A balance.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cash {
    pub(super) currency: String,
    pub(super) trade_date: Decimal,
    pub(super) settled: Option<Decimal>,
}

/// Exposure over equity, and its amounts.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Exposure {
    pub(super) net: Option<Decimal>,
    pub(super) gross: Option<Decimal>,
    pub(super) long: Option<Decimal>,
    pub(super) short: Option<Decimal>,
    /// Sector, value, weight.
    pub(super) sectors: Vec<(String, Option<Decimal>, Option<Decimal>)>,
}

/// A book.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Book {
    pub(super) basis: Basis,
    /// The moment of the prices, in microseconds.
    pub(super) as_of: Option<i64>,
    /// Version of the snapshot or the close.
    pub(super) version: Option<i64>,
    pub(super) base_currency: String,
    pub(super) total_value: Option<Decimal>,
    pub(super) cash_value: Option<Decimal>,
    pub(super) available_cash: Option<Decimal>,
    pub(super) cash: Vec<Cash>,
    pub(super) lines: Vec<Line>,
    pub(super) exposure: Exposure,
    pub(super) profit: Value,
    pub(super) concentration: Value,
    pub(super) complete: bool,
    /// What is stale, missing or waits, in words.
    pub(super) wanting: Vec<String>,
}

/// The newest book, as the snapshot says it.
pub(super) fn newest(book: &BookView, allocations: &[AllocationView]) -> Book {
    Book { lines: allocations.iter().map(current).collect(), ..of_snapshot(book) }
}

/// A snapshot without its lines.
pub(super) fn of_snapshot(book: &BookView) -> Book {
    Book {
        basis: Basis::Snapshot,
        as_of: Some(book.as_of.0),
        version: Some(book.version),
        base_currency: book.base_currency.clone(),
        total_value: Some(book.total_value),
        cash_value: Some(book.cash_value),
        available_cash: Some(book.available_cash),
        cash: balances(&book.cash),
        lines: Vec::new(),
        exposure: exposure(&book.risk),
        profit: book.metrics.clone(),
        concentration: book.risk.get("concentration").cloned().unwrap_or(Value::Null),
        complete: book.complete,
        wanting: wanting(&book.health),
    }
}

fn current(view: &AllocationView) -> Line {
    Line {
        instrument_id: view.instrument_id.clone(),
        symbol: view.symbol.clone(),
        sector: view.sector.clone(),
        kind: view.kind.clone(),
        quantity: view.quantity,
        price: view.price,
        price_time: view.price_time.map(|at| at.0),
        stale: view.stale,
        value: view.value,
        percentage: view.percentage,
        target_weight: view.target_weight,
        drift: view.drift,
        unrealized: view.unrealized,
        realized: view.realized,
    }
}

/// A line as a snapshot of the past has it.
pub(super) fn published(line: &Allocation) -> Line {
    Line {
        instrument_id: line.instrument_id.to_string(),
        symbol: Some(line.symbol.to_string()),
        sector: line.sector.as_ref().map(ToString::to_string),
        kind: Some(line.kind.symbol().to_owned()).filter(|_| line.kind != InstrumentType::Unknown),
        quantity: line.quantity.to_decimal(),
        price: line.price.and_then(|price| price.to_decimal()),
        price_time: line.price_time.map(|at| at.micros()),
        stale: Some(line.stale),
        value: line.value.to_decimal(),
        percentage: line.percentage.and_then(|points| points.to_decimal()),
        target_weight: line.target_weight.and_then(|weight| weight.to_decimal()),
        drift: line.drift.and_then(|drift| drift.to_decimal()),
        unrealized: line.unrealized.to_decimal(),
        realized: line.realized.to_decimal(),
    }
}

fn balances(cash: &Value) -> Vec<Cash> {
    let balance = |(currency, held): (&String, &Value)| {
        Some(Cash { currency: currency.clone(), trade_date: number(held, "trade_date")?, settled: number(held, "settled") })
    };
    cash.as_object().into_iter().flatten().filter_map(balance).collect()
}

fn exposure(risk: &Value) -> Exposure {
    let of = risk.get("exposure").unwrap_or(&Value::Null);
    let sector = |held: &Value| Some((held.get("sector")?.as_str()?.to_owned(), number(held, "value"), number(held, "weight")));
    let sectors = risk.get("sector_exposure").and_then(Value::as_array).into_iter().flatten();
    Exposure {
        net: number(of, "net"),
        gross: number(of, "gross"),
        long: number(of, "long"),
        short: number(of, "short"),
        sectors: sectors.filter_map(sector).collect(),
    }
}

fn wanting(health: &Value) -> Vec<String> {
    let names = |key: &str| health.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>();
    let mut words = Vec::new();
    for (key, what) in [("stale", "price too old"), ("unpriced", "no price")] {
        words.extend(names(key).iter().map(|name| format!("{name}: {what}")));
    }
    for (key, what) in
        [("quarantined", "quarantined: a record was refused"), ("unreconciled", "differs from its orders or an outside book")]
    {
        words.extend(health.get(key).and_then(Value::as_bool).filter(|is| *is).map(|_| what.to_owned()));
    }
    words.extend(health.get("anomalies").and_then(Value::as_array).into_iter().flatten().filter_map(beyond));
    words.extend(health.get("waiting").and_then(Value::as_i64).filter(|count| *count > 0).map(|count| format!("{count} records wait")));
    words
}

/// A figure beyond its bound, in words.
fn beyond(anomaly: &Value) -> Option<String> {
    let text = |key: &str| anomaly.get(key).and_then(Value::as_str);
    let of = text("instrument_id").map_or_else(String::new, |id| format!(" of {id}"));
    Some(format!("{}{of} is {}, beyond its bound of {}: no plans until RELEASE", text("kind")?, text("value")?, text("bound")?))
}

/// A decimal of a JSON object, written as a text.
pub(super) fn number(object: &Value, name: &str) -> Option<Decimal> {
    object.get(name)?.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_book_wants_is_said_in_words() {
        let health = serde_json::json!({"stale": ["A"], "quarantined": false, "waiting": 0, "anomalies": [
            {"kind": "DAILY_RETURN", "instrument_id": null, "value": "0.3", "bound": "0.1"},
            {"kind": "WEIGHT_JUMP", "instrument_id": "A", "value": "-0.2", "bound": "0.1"},
        ]});
        let words = wanting(&health);
        assert_eq!(words[0], "A: price too old");
        assert_eq!(words[1], "DAILY_RETURN is 0.3, beyond its bound of 0.1: no plans until RELEASE");
        assert_eq!(words[2], "WEIGHT_JUMP of A is -0.2, beyond its bound of 0.1: no plans until RELEASE");
        assert_eq!(wanting(&serde_json::json!({})), Vec::<String>::new());
    }
}
