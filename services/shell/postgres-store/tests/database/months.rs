//! Tables in months on a real Postgres: made when a row needs them, dropped as a whole, and never a portfolio's newest.

use crate::scratch::{self, Scratch, apply, try_apply};
use postgres_store::projections::{Monthly, PerformanceRow, ProjectionBatch, RiskRow, SnapshotRow};
use postgres_store::{Micros, StoreError};
use serde_json::json;

const DAY: i64 = 86_400_000_000;
/// 2026-01-01.
const YEAR: i64 = 1_767_225_600_000_000;

fn snapshot(portfolio: &str, version: i64, at: i64, total: &str) -> SnapshotRow {
    let risk = json!({"exposure": {"net": "0.9", "gross": "0.9", "long": "90.25", "short": "0"}});
    SnapshotRow { complete: version != 3, risk, ..scratch::snapshot(portfolio, version, at, total) }
}

fn of(snapshots: Vec<SnapshotRow>) -> ProjectionBatch {
    ProjectionBatch { snapshots, ..ProjectionBatch::default() }
}

/// Months of a table, by their names.
async fn months(scratch: &Scratch, table: &str) -> String {
    let sql = format!(
        "SELECT string_agg(right(c.relname, 7), ' ' ORDER BY c.relname) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = '{table}'::regclass"
    );
    scratch.text(&sql).await
}

#[tokio::test]
async fn a_month_is_made_for_the_rows_that_need_it_and_found_again() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    // The last microsecond of a month, and the first of the next, which is not in order.
    apply(&store, of(vec![snapshot("p", 2, YEAR, "2"), snapshot("p", 1, YEAR - 1, "1")])).await;
    apply(&store, of(vec![snapshot("p", 3, YEAR + 20 * DAY, "3")])).await;
    for table in ["performance_snapshots", "values_by_minute", "values_by_hour"] {
        assert_eq!(months(&scratch, table).await, "2025_12 2026_01", "{table}");
    }
    assert_eq!(scratch.number("SELECT count(*) FROM performance_snapshots_2025_12").await, 1);
    store.prepare_months(Micros(YEAR + 40 * DAY)).await.unwrap();
    store.prepare_months(Micros(YEAR + 40 * DAY)).await.unwrap();
    for table in Monthly::ALL {
        assert!(months(&scratch, table.table()).await.ends_with("2026_02"), "{}", table.table());
    }
}

#[tokio::test]
async fn old_months_go_whole_and_the_newest_of_a_portfolio_stays() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    let rows =
        vec![snapshot("old", 1, YEAR - 40 * DAY, "1"), snapshot("new", 1, YEAR - 40 * DAY, "1"), snapshot("new", 2, YEAR + DAY, "2")];
    apply(&store, of(rows)).await;
    let dropped = store.drop_months(Monthly::Snapshots, Micros(YEAR - 1)).await.unwrap();
    assert_eq!(dropped, ["performance_snapshots_2025_11"]);
    assert_eq!(store.drop_months(Monthly::Snapshots, Micros(YEAR + 30 * DAY)).await.unwrap(), Vec::<String>::new(), "it has not ended");
    assert_eq!(scratch.number("SELECT count(*) FROM performance_snapshots").await, 1);
    assert_eq!(scratch.number("SELECT count(*) FROM latest_snapshots").await, 2);
    assert_eq!(months(&scratch, "values_by_minute").await, "2025_11 2026_01", "other tables have their own time");
    // A month that was dropped is made again where a row needs it.
    apply(&store, of(vec![snapshot("old", 2, YEAR - 40 * DAY, "3")])).await;
    assert_eq!(months(&scratch, "performance_snapshots").await, "2025_11 2026_01");
}

#[tokio::test]
async fn a_moment_that_no_clock_shows_has_no_month_and_blames_the_record() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    for at in [i64::MAX, i64::MIN] {
        match try_apply(&store, of(vec![snapshot("p", 1, at, "1")])).await.unwrap_err() {
            StoreError::Refused { code, .. } => assert!(code.starts_with("22"), "{code}"),
            other => panic!("{other}"),
        }
    }
    assert_eq!(scratch.number("SELECT count(*) FROM latest_snapshots").await, 0, "nothing of a refused batch is there");
}

#[tokio::test]
async fn minutes_and_hours_are_a_function_of_their_snapshots() {
    let minute = 60_000_000;
    let rows = [
        snapshot("p", 1, YEAR + 1, "100"),
        snapshot("p", 2, YEAR + 2, "90"),
        snapshot("p", 3, YEAR + 3, "120"),
        snapshot("p", 4, YEAR + minute, "110"),
    ];
    let mut pictures = Vec::new();
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
        let scratch = Scratch::new().await;
        let store = scratch.migrated().await;
        for at in order {
            apply(&store, of(vec![rows[at].clone()])).await;
        }
        apply(&store, of(rows.to_vec())).await;
        let picture = |table: &str| {
            format!(
                "SELECT string_agg(concat_ws(' ', open_value, low_value, high_value, total_value, long_value, complete, first_version, last_version), ', '
                 ORDER BY at) FROM {table}"
            )
        };
        pictures.push((scratch.text(&picture("values_by_minute")).await, scratch.text(&picture("values_by_hour")).await));
    }
    assert_eq!(pictures[0].0, "100 90 120 120 90.25 f 1 3, 110 110 110 110 90.25 t 4 4");
    assert_eq!(pictures[0].1, "100 90 120 110 90.25 f 1 4");
    assert!(pictures.iter().all(|picture| *picture == pictures[0]), "{pictures:?}");
}

#[tokio::test]
async fn of_figures_the_newest_stands_apart_and_a_newer_record_for_a_moment_replaces_it() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    let performance = |at: i64, offset: i64, value: &str| PerformanceRow {
        portfolio_id: "p".to_owned(),
        timeframe: "ALL".to_owned(),
        as_of: Micros(at),
        base_currency: "USD".to_owned(),
        provisional: false,
        metrics: json!([{"id": "time_weighted_return", "value": value}]),
        attribution: json!([]),
        date: Some("2026-01-01".to_owned()),
        from_date: None,
        drawdowns: json!([]),
        source_offset: offset,
    };
    let risk = RiskRow {
        portfolio_id: "p".to_owned(),
        timeframe: "500D".to_owned(),
        as_of: Micros(YEAR),
        base_currency: "USD".to_owned(),
        provisional: true,
        metrics: json!([{"id": "beta", "value": null, "reason": "too few"}]),
        date: None,
        components: json!([{"instrument_id": "A"}]),
        correlations: json!([]),
        sectors: json!([]),
        source_offset: 1,
    };
    let batch = |performance| ProjectionBatch { performance, risk: vec![risk.clone()], ..ProjectionBatch::default() };
    apply(&store, batch(vec![performance(YEAR, 1, "0.1"), performance(YEAR + DAY, 2, "0.2")])).await;
    apply(&store, batch(vec![performance(YEAR, 3, "0.15"), performance(YEAR, 1, "0.1")])).await;
    let values = "SELECT string_agg(figure(metrics, 'time_weighted_return')::text, ' ' ORDER BY as_of) FROM performance_records";
    assert_eq!(scratch.text(values).await, "0.15 0.2");
    assert_eq!(scratch.text("SELECT figure(metrics, 'time_weighted_return')::text FROM latest_performance").await, "0.2");
    assert_eq!(scratch.text("SELECT figure(metrics, 'beta')::text FROM latest_risk").await, "NULL");
    let then = store.performance_as_of("p", Micros(YEAR + 1)).await.unwrap();
    assert_eq!((then.len(), then[0].as_of, &then[0].metrics[0]["value"]), (1, Micros(YEAR), &json!("0.15")));
    store.drop_months(Monthly::Performance, Micros(YEAR + 90 * DAY)).await.unwrap();
    assert_eq!(scratch.number("SELECT count(*) FROM latest_performance").await, 1);
}

#[tokio::test]
async fn a_day_that_was_told_while_it_lasted_counts_once() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    let day = |date: &str, at: i64, total: &str| PerformanceRow {
        portfolio_id: "p".to_owned(),
        timeframe: "DAY".to_owned(),
        as_of: Micros(at),
        base_currency: "USD".to_owned(),
        provisional: false,
        metrics: json!([]),
        attribution: json!([{"grouping": "SECTOR", "total": total}]),
        date: Some(date.to_owned()),
        from_date: Some(date.to_owned()),
        drawdowns: json!([]),
        source_offset: at,
    };
    let rows = vec![day("2026-01-01", YEAR + 1, "1"), day("2026-01-01", YEAR + DAY, "2"), day("2026-01-02", YEAR + 2 * DAY, "3")];
    apply(&store, ProjectionBatch { performance: rows, ..ProjectionBatch::default() }).await;
    let totals = |days: Vec<postgres_store::queries::AttributionDay>| -> Vec<String> {
        days.iter().map(|day| day.attribution[0]["total"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(totals(store.attribution("p", Micros(i64::MIN), Micros(i64::MAX)).await.unwrap()), ["2", "3"]);
    assert_eq!(totals(store.attribution("p", Micros(YEAR + DAY), Micros(YEAR + 2 * DAY)).await.unwrap()), ["3"], "behind the first cut");
}
