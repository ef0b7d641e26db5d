//! Closed days on a real Postgres.

// A test may fail where it stands.
#![allow(clippy::unwrap_used)]

mod scratch;

use postgres_store::projections::{CloseRow, OffsetAdvance, ProjectionBatch, SnapshotRow};
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
        cash_value: Some("10".parse().unwrap()),
        long_value: None,
        short_value: None,
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
async fn every_version_stays_with_the_time_in_which_it_was_the_newest() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    // The second comes first, and the first again at the end.
    for rows in [
        vec![close("2026-01-05", 2, "11")],
        vec![close("2026-01-05", 1, "10"), close("2026-02-05", 7, "1")],
        vec![close("2026-01-05", 1, "10")],
    ] {
        apply(&store, rows).await;
    }
    let epoch = "round(1000000 * extract(epoch FROM known_from))::bigint || '-' || coalesce(round(1000000 * extract(epoch FROM known_until))::bigint::text, '')";
    let rows = format!("SELECT string_agg(date || ' v' || version || ' ' || {epoch}, ', ' ORDER BY date, version) FROM close_versions");
    assert_eq!(scratch.text(&rows).await, "2026-01-05 v1 1-2, 2026-01-05 v2 2-, 2026-02-05 v7 7-");
    let values =
        "SELECT string_agg(date || ' v' || version || ' ' || total_value || ' ' || cash_value, ', ' ORDER BY date) FROM values_by_day";
    assert_eq!(scratch.text(values).await, "2026-01-05 v2 11 10, 2026-02-05 v7 1 10");
}

#[tokio::test]
async fn the_running_day_is_what_the_newest_snapshot_adds_to_the_newest_close() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    let shut =
        |version, net: Option<&str>| CloseRow { net_flows: net.map(|net| net.parse().unwrap()), ..close("2026-01-05", version, "100") };
    let snapshots = async |version: i64, at: i64, value: &str, flows: &str| {
        let row = SnapshotRow { metrics: json!({"net_flows": flows}), ..scratch::snapshot("p1", version, at, value) };
        let stored = store.offsets(&["portfolio.snapshots.v1"]).await.unwrap();
        let expected = stored.first().map(|o| o.next_offset);
        let advance = OffsetAdvance { topic: "portfolio.snapshots.v1".to_owned(), partition: 0, expected, next: version };
        store.apply(&ProjectionBatch { offsets: vec![advance], snapshots: vec![row], ..Default::default() }).await.unwrap();
    };
    snapshots(1, 1, "105", "60").await;
    assert_eq!(store.running_day("p1").await.unwrap(), None, "nothing is closed");
    apply(&store, vec![shut(1, None)]).await;
    assert_eq!(store.running_day("p1").await.unwrap(), None, "the snapshot is not of after the cut");
    snapshots(2, 2, "165", "110").await;
    assert_eq!(store.running_day("p1").await.unwrap(), None, "the flows up to the cut are not told");
    apply(&store, vec![shut(2, Some("60"))]).await;
    let running = store.running_day("p1").await.unwrap().unwrap();
    assert_eq!((running.since.as_str(), running.as_of, running.complete), ("2026-01-05", Micros(2), true));
    let figures = [running.value_before, running.total_value, running.net_external_flow].map(|figure| figure.normalize().to_string());
    assert_eq!(figures, ["100", "165", "50"]);
}
