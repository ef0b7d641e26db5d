//! Closed days on a real Postgres.

// A test may fail where it stands.
#![allow(clippy::unwrap_used)]

mod scratch;

use postgres_store::projections::{CloseRow, OffsetAdvance, ProjectionBatch};
use postgres_store::{Micros, Store};
use scratch::Scratch;
use serde_json::json;

const TOPIC: &str = "portfolio.closes.v1";

/// Applies rows under offsets that nobody contends for.
async fn apply(store: &Store, closes: Vec<CloseRow>) {
    let stored = store.offsets(&[TOPIC]).await.unwrap();
    let expected = stored.first().map(|o| o.next_offset);
    let offsets = vec![OffsetAdvance { topic: TOPIC.to_owned(), partition: 0, expected, next: expected.unwrap_or(0) + 1 }];
    store.apply(&ProjectionBatch { offsets, closes, ..Default::default() }).await.unwrap();
}

fn close(date: &str, version: i64, equity: &str) -> CloseRow {
    CloseRow {
        portfolio_id: "p1".to_owned(),
        date: date.to_owned(),
        version,
        base_currency: Some("USD".to_owned()),
        cut_at: Some(Micros(1)),
        as_of: Some(Micros(version)),
        equity: equity.parse().unwrap(),
        net_external_flow: "-1.5".parse().unwrap(),
        net_flows: None,
        positions: json!([{"instrument_id": "AAPL"}]),
        cash: json!({"USD": "10"}),
        receivables: json!({}),
        currencies: json!([]),
        complete: true,
        provisional: version == 1,
        incomplete_reason: None,
        policy_version: Some(1),
    }
}

#[tokio::test]
async fn the_newest_version_of_each_closed_day_stays() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    apply(&store, vec![close("2026-01-05", 2, "11"), close("2026-01-05", 1, "10"), close("2026-01-06", 1, "12.5")]).await;
    apply(&store, vec![close("2026-01-05", 1, "10"), close("2026-01-06", 3, "13")]).await;
    let rows = "SELECT string_agg(date || ' v' || version || ' ' || equity || ' ' || provisional, ', ' ORDER BY date) FROM closes";
    assert_eq!(scratch.text(rows).await, "2026-01-05 v2 11 false, 2026-01-06 v3 13 false");
}

#[tokio::test]
async fn old_days_are_pruned_but_never_a_portfolios_newest() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    let days = (1..=9).map(|day| CloseRow { cut_at: Some(Micros(day)), ..close(&format!("2026-01-0{day}"), 1, "1") });
    apply(&store, days.collect()).await;
    assert_eq!(store.prune_closes(Micros(4), 2).await.unwrap(), 2);
    assert_eq!(store.prune_closes(Micros(4), 2).await.unwrap(), 1, "those of before the fourth");
    assert_eq!(store.prune_closes(Micros(100), 100).await.unwrap(), 5);
    assert_eq!(scratch.text("SELECT string_agg(date::text, ' ') FROM closes").await, "2026-01-09");
}
