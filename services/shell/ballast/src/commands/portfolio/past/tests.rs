//! What a book of the past is valued by, and what it says where that does not fit.

use super::*;
use postgres_store::Settings;
use postgres_store::projections::Monthly;
use postgres_store::queries::{BookView, CashHeld, Held};
use serde_json::json;

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn snapshot(at: i64, units: &str, value: &str, cash: &str) -> SnapshotAsOf {
    let total = d(value) + d(cash) + d("7");
    let line = json!([{"instrument_id": "ACME", "symbol": "ACM", "sector": "TECH", "type": "EQUITY", "quantity": units, "average_price": "90",
        "price": "100", "price_time": "2026-01-05T14:00:00Z", "stale": false, "value": value, "percentage": "50", "target_weight": "0.4",
        "drift": "0.1", "unrealized": "1", "realized": "2"}]);
    let book = BookView {
        version: 3,
        as_of: Micros(at),
        base_currency: "USD".to_owned(),
        total_value: total,
        cash_value: d(cash),
        available_cash: d(cash),
        cash: json!({"USD": {"trade_date": cash, "settled": cash}}),
        metrics: json!({"total_pnl": "1"}),
        risk: json!({}),
        health: json!({"complete": true}),
        complete: true,
        policy_version: Some(1),
    };
    SnapshotAsOf { book, allocations: line }
}

fn close(cut: i64) -> CloseAsOf {
    CloseAsOf {
        date: "2026-01-05".to_owned(),
        day: 20_458,
        version: 2,
        cut_at: Some(Micros(cut)),
        known_from: Micros(cut),
        base_currency: Some("USD".to_owned()),
        equity: d("1100"),
        positions: json!([{"instrument_id": "ACME", "quantity": "10", "price": "100", "fx_rate": "1", "value": "1000", "type": "EQUITY"}]),
        cash: json!({"USD": "45", "EUR": "50"}),
        currencies: json!([{"currency": "USD", "fx_rate": "1", "cash_value": "45", "receivables_value": "0"},
            {"currency": "EUR", "fx_rate": "1.1", "cash_value": "55", "receivables_value": "0"}]),
        complete: true,
        provisional: false,
        incomplete_reason: None,
    }
}

fn past(units: &str, cash: &[(&str, &str)], snapshot: Option<SnapshotAsOf>, close: Option<CloseAsOf>) -> BookAsOf {
    let cash = cash.iter().map(|(currency, amount)| CashHeld { currency: (*currency).to_owned(), amount: d(amount) }).collect();
    BookAsOf { positions: vec![Held { instrument_id: "ACME".to_owned(), quantity: d(units) }], cash, snapshot, close }
}

#[test]
fn a_snapshot_that_holds_the_same_is_taken_as_it_was_published() {
    let book = book(&past("10", &[("USD", "40")], Some(snapshot(9, "10", "1000", "40")), None), "USD", &[]);
    assert_eq!((book.basis, book.total_value, book.complete), (Basis::Snapshot, Some(d("1047")), true));
    assert_eq!(book.lines[0].percentage, Some(d("50")), "its figures are not computed anew");
}

#[test]
fn what_was_corrected_since_is_valued_at_the_prices_of_then() {
    let book = book(&past("7", &[("USD", "340")], Some(snapshot(9, "10", "1000", "40")), None), "USD", &[]);
    assert_eq!(book.basis, Basis::RestatedSnapshot);
    // 7 of 10 units, the cash of the ledger, and what the snapshot says is owed.
    assert_eq!((book.total_value, book.cash_value), (Some(d("1047")), Some(d("340"))));
    let line = &book.lines[0];
    assert_eq!((line.quantity, line.value), (Some(d("7")), Some(d("700"))));
    assert_eq!(line.percentage, Some((d("70000") / d("1047")).round_dp(10)));
    assert_eq!((book.exposure.long, book.exposure.short), (Some(d("700")), Some(d("0"))));
    assert_eq!(line.unrealized, None, "profit of other units says nothing of these");
}

#[test]
fn a_line_without_a_price_of_then_has_no_value_and_the_book_no_total() {
    let mut held = past("10", &[("USD", "40")], Some(snapshot(9, "10", "1000", "40")), None);
    held.positions.push(Held { instrument_id: "NEW".to_owned(), quantity: d("1") });
    let book = book(&held, "USD", &[]);
    assert_eq!((book.total_value, book.complete), (None, false));
    assert_eq!(book.wanting, ["NEW: no value at the prices of then"]);
    assert_eq!(book.lines.len(), 2);
}

#[test]
fn a_close_that_is_newer_than_the_snapshot_counts() {
    let old = snapshot(1, "10", "900", "40");
    let cash = &[("EUR", "50"), ("USD", "45")];
    let exactly = book(&past("10", cash, Some(old.clone()), Some(close(5))), "USD", &[]);
    assert_eq!((exactly.basis, exactly.total_value, exactly.cash_value), (Basis::Close, Some(d("1100")), Some(d("100"))));
    let since = book(&past("12", &[("EUR", "50"), ("USD", "-155")], Some(old), Some(close(5))), "USD", &[]);
    assert_eq!((since.basis, since.total_value), (Basis::RestatedClose, Some(d("1100"))));
    assert_eq!((since.lines[0].value, since.cash_value), (Some(d("1200")), Some(d("-100"))));
}

#[test]
fn a_future_is_not_valued_by_its_units() {
    let mut closed = close(5);
    closed.positions[0]["type"] = json!("FUTURE");
    let book = book(&past("12", &[("EUR", "50"), ("USD", "45")], None, Some(closed)), "USD", &[]);
    assert_eq!((book.lines[0].value, book.total_value), (None, None));
    assert_eq!(book.exposure, Exposure::default());
}

#[test]
fn without_a_price_of_then_only_units_are_told() {
    let book = book(&past("12", &[("USD", "45")], None, None), "USD", &[]);
    assert_eq!((book.basis, book.total_value, book.lines[0].quantity), (Basis::Unvalued, None, Some(d("12"))));
    assert!(!book.complete);
}

#[test]
fn bookings_that_are_gone_are_missed_by_what_hangs_on_them() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let micros = |text: &str| Micros(at(text).micros());
    let now = at("2026-06-20T12:00:00Z");
    let told = |cut: Option<&str>, keep_days| {
        let past = past("10", &[], None, cut.map(|cut| close(micros(cut).0)));
        let settings = Settings { keep_ledger_days: keep_days, ..Settings::default() };
        let kept_from = settings.kept_from(Monthly::Ledger, Micros(now.micros()))?;
        kept_too_late(&past, micros("2026-01-05T00:00:00Z"), kept_from).map(|day| day.to_string())
    };
    let may = || Some("2026-05-01".to_owned());
    assert_eq!(told(None, 30), may(), "all since January");
    assert_eq!((told(None, 0), told(None, 200)), (None, None), "nothing is gone yet");
    assert_eq!(told(Some("2026-05-05T00:00:00Z"), 30), None);
    assert_eq!(told(Some("2026-05-04T00:00:00Z"), 30), may(), "a booking may be made some days before the day that it belongs to");
}
