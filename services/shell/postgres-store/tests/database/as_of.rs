//! What was held at a moment as it was known at another, on a real Postgres: the laws that tie both to closes and bookings.

use crate::scratch::{Scratch, apply, portfolio};
use postgres_store::projections::{CloseRow, LedgerEntryRow, PortfolioRow, ProjectionBatch};
use postgres_store::{Micros, Store};
use rust_decimal::Decimal;
use serde_json::json;

const HOUR: i64 = 3_600_000_000;
/// 2026-01-05T00:00Z, a Monday.
const MONDAY: i64 = 1_767_571_200_000_000;

/// A booking: kind, day that tells where it belongs, hours after Monday's start at which it takes effect and is booked,
/// units, cash.
fn entry(version: i64, kind: &str, dated: Option<&str>, effective: i64, recorded: i64, units: &str, cash: &str) -> LedgerEntryRow {
    LedgerEntryRow {
        portfolio_id: "p".to_owned(),
        version,
        place: 0,
        kind: kind.to_owned(),
        cause_topic: "execution.fills.v1".to_owned(),
        cause_partition: 0,
        cause_offset: version,
        cause_id: format!("e{version}"),
        instrument_id: (units != "0").then(|| "ACME".to_owned()),
        strategy: None,
        venue: None,
        dated: dated.map(str::to_owned),
        effective_at: Micros(MONDAY + effective * HOUR),
        recorded_at: Micros(MONDAY + recorded * HOUR),
        quantity_change: units.parse().unwrap(),
        price: None,
        fx_rate: None,
        cash: json!({"USD": cash}),
        realized_gross: Decimal::ZERO,
        fees: json!({}),
        income: Decimal::ZERO,
        external_flow: Decimal::ZERO,
    }
}

/// A close of Monday, cut at midnight; made so many hours after Monday's start.
fn close(version: i64, made: i64, units: &str, cash: &str) -> CloseRow {
    CloseRow {
        portfolio_id: "p".to_owned(),
        date: "2026-01-05".to_owned(),
        version,
        base_currency: Some("USD".to_owned()),
        cut_at: Some(Micros(MONDAY + 24 * HOUR)),
        as_of: Some(Micros(MONDAY + made * HOUR)),
        equity: Decimal::ONE,
        net_external_flow: Decimal::ZERO,
        net_flows: None,
        positions: json!([{"instrument_id": "ACME", "quantity": units}]),
        cash: json!({"USD": cash}),
        receivables: json!({}),
        currencies: json!([]),
        complete: true,
        provisional: false,
        incomplete_reason: None,
        policy_version: None,
        cash_value: None,
        long_value: None,
        short_value: None,
    }
}

/// Monday: 1,000 in, 10 bought. The day is closed. Tuesday at 9 the fill is corrected to 8, and Monday is closed again an
/// hour later; at 12, 5 more are bought.
fn story() -> ProjectionBatch {
    let entries = vec![
        entry(1, "CASH_DEPOSIT", None, 9, 9, "0", "1000"),
        entry(2, "TRADE", Some("2026-01-05"), 14, 15, "10", "-100"),
        entry(3, "CORRECT", Some("2026-01-05"), 33, 33, "-2", "20"),
        entry(4, "RESTATE", Some("2026-01-05"), 33, 33, "0", "0"),
        entry(5, "TRADE", Some("2026-01-06"), 36, 36, "5", "-50"),
    ];
    let closes = vec![close(1, 24, "10", "900"), close(2, 34, "8", "920")];
    ProjectionBatch { entries, closes, ..ProjectionBatch::default() }
}

/// Units of ACME and dollars at a moment as known at another, both in hours after Monday's start.
async fn held(scratch: &Scratch, moment: i64, known: i64) -> String {
    let at = |hours: i64| format!("to_timestamp({})", (MONDAY + hours * HOUR) / 1_000_000);
    let (moment, known) = (at(moment), at(known));
    let sql = format!(
        "SELECT coalesce((SELECT quantity::text FROM positions_as_of('p', {moment}, {known})), '-') || ' '
             || coalesce((SELECT amount::text FROM cash_as_of('p', {moment}, {known})), '-')"
    );
    scratch.text(&sql).await
}

async fn told() -> (Scratch, Store) {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    apply(&store, story()).await;
    (scratch, store)
}

/// The same, and the portfolio that it is of.
async fn told_of_a_portfolio() -> (Scratch, Store) {
    let (scratch, store) = told().await;
    let portfolios = vec![PortfolioRow { session_id: Some("s".to_owned()), ..portfolio("p", 1) }];
    apply(&store, ProjectionBatch { portfolios, ..ProjectionBatch::default() }).await;
    (scratch, store)
}

#[tokio::test]
async fn before_a_day_is_closed_bookings_add_up() {
    let (scratch, _) = told().await;
    assert_eq!(held(&scratch, 8, 99).await, "- -", "nothing was there yet");
    assert_eq!(held(&scratch, 10, 99).await, "- 1000");
    assert_eq!(held(&scratch, 14, 99).await, "10 900", "from its very moment on");
    assert_eq!(held(&scratch, 14, 14).await, "- 1000", "the fill came an hour late");
}

#[tokio::test]
async fn a_closed_day_is_what_its_version_of_then_says() {
    let (scratch, _) = told().await;
    assert_eq!(held(&scratch, 24, 24).await, "10 900", "as it was known at the cut");
    assert_eq!(held(&scratch, 24, 33).await, "10 900", "the day was not closed again yet");
    assert_eq!(held(&scratch, 24, 34).await, "8 920", "after the correction");
    assert_eq!(held(&scratch, 24, 99).await, "8 920");
}

#[tokio::test]
async fn later_bookings_stand_on_the_closed_day_and_none_counts_twice() {
    let (scratch, _) = told().await;
    assert_eq!(held(&scratch, 35, 99).await, "8 920", "the correction is in the close, and not added to it");
    assert_eq!(held(&scratch, 36, 99).await, "13 870");
    assert_eq!(held(&scratch, 99, 35).await, "8 920", "what was booked later was not known");
}

#[tokio::test]
async fn what_belongs_to_a_closed_day_counts_before_the_day_is_closed_again_and_once_after_it() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    let ProjectionBatch { mut entries, mut closes, .. } = story();
    entries.push(entry(6, "CASH_FEE", None, 20, 33, "0", "-7"));
    // A fill that came days too late, for a day that is not closed again for it.
    entries.push(entry(7, "TRADE", Some("2026-01-05"), 15, 24 * 9, "3", "-30"));
    closes[1].cash = json!({"USD": "913"});
    apply(&store, ProjectionBatch { entries, closes, ..ProjectionBatch::default() }).await;
    assert_eq!(held(&scratch, 33, 33).await, "8 913", "a correction and a late fee of Monday, from their booking on");
    assert_eq!(held(&scratch, 32, 33).await, "10 893", "the correction took effect later, the fee before the cut");
    assert_eq!(held(&scratch, 32, 32).await, "10 900", "neither was known");
    assert_eq!(held(&scratch, 33, 34).await, "8 913", "both are in the close");
    assert_eq!(held(&scratch, 36, 99).await, "13 863");
    assert_eq!(held(&scratch, 36, 24 * 9).await, "13 863", "what came days later is in later days");
}

#[tokio::test]
async fn a_moment_known_at_itself_never_changes_by_what_comes_later() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    let ProjectionBatch { entries, closes, .. } = story();
    let of = |until: i64| ProjectionBatch {
        entries: entries.iter().filter(|entry| entry.recorded_at.0 <= MONDAY + until * HOUR).cloned().collect(),
        closes: closes.iter().filter(|close| close.as_of.unwrap().0 <= MONDAY + until * HOUR).cloned().collect(),
        ..ProjectionBatch::default()
    };
    let mut before: Vec<(i64, String)> = Vec::new();
    for hour in [8, 10, 14, 15, 24, 30, 33, 34, 36, 40] {
        apply(&store, of(hour)).await;
        for (then, said) in &before {
            assert_eq!(held(&scratch, *then, *then).await, *said, "as of {then}, told again at {hour}");
        }
        before.push((hour, held(&scratch, hour, hour).await));
    }
    assert_eq!(before.last().unwrap().1, "13 870");
}

#[tokio::test]
async fn the_same_bookings_again_change_nothing() {
    let (scratch, store) = told().await;
    let picture = "SELECT coalesce(json_agg(e ORDER BY e::text)::text, '') FROM ledger_entries e";
    let before = scratch.text(picture).await;
    apply(&store, story()).await;
    assert_eq!(scratch.text(picture).await, before);
    assert_eq!(scratch.number("SELECT count(*) FROM ledger_entries").await, 5);
}

#[tokio::test]
async fn a_portfolio_is_read_whole_and_of_one_moment() {
    let (_scratch, store) = told_of_a_portfolio().await;
    assert_eq!(store.portfolio_of("s").await.unwrap().as_deref(), Some("p"), "by its session");
    assert_eq!(store.portfolio_of("p").await.unwrap().as_deref(), Some("p"));
    assert_eq!(store.portfolio_of("other").await.unwrap(), None);
    assert_eq!(store.portfolio("other").await.unwrap(), None);
    let now = store.portfolio("p").await.unwrap().unwrap();
    assert_eq!((now.head.kind.as_str(), now.book, now.past), ("BALANCED", None, None));
    let then = store.portfolio_as_of("p", Micros(MONDAY + 24 * HOUR), Micros(MONDAY + 40 * HOUR)).await.unwrap().unwrap().past.unwrap();
    assert_eq!((then.positions[0].quantity.to_string().as_str(), then.close.unwrap().version), ("8", 2));
    assert_eq!(then.snapshot, None);
    let days = store.days("p", "2026-01-06", "2026-12-31").await.unwrap();
    assert_eq!(days.iter().map(|day| day.date.as_str()).collect::<Vec<_>>(), ["2026-01-05"], "the day before the span");
}

#[tokio::test]
async fn the_commands_statements_say_what_the_functions_say() {
    let (scratch, store) = told_of_a_portfolio().await;
    for moment in [8, 10, 14, 24, 30, 35, 36, 99] {
        for known in [8, 14, 24, 33, 34, 35, 36, 99] {
            let at = |hours: i64| Micros(MONDAY + hours * HOUR);
            let past = store.portfolio_as_of("p", at(moment), at(known)).await.unwrap().unwrap().past.unwrap();
            let units = past.positions.first().map_or_else(|| "-".to_owned(), |held| held.quantity.normalize().to_string());
            let cash = past.cash.first().map_or_else(|| "-".to_owned(), |held| held.amount.normalize().to_string());
            assert_eq!(format!("{units} {cash}"), held(&scratch, moment, known).await, "as of {moment}, known at {known}");
        }
    }
}
