//! Closed days on a real Postgres.

use crate::scratch::{self, Scratch, portfolio, returned};
use postgres_store::projections::{CloseRow, DayReturnRow, OffsetAdvance, PerformanceRow, PortfolioRow, ProjectionBatch, SnapshotRow};
use postgres_store::queries::{ClosedTrades, DayReturn};
use postgres_store::{Micros, Store};
use rust_decimal::Decimal;
use serde_json::json;

async fn apply(store: &Store, closes: Vec<CloseRow>) {
    scratch::apply(store, ProjectionBatch { closes, ..ProjectionBatch::default() }).await;
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

fn performance(timeframe: &str, date: &str, at: i64, change: &str) -> PerformanceRow {
    PerformanceRow {
        portfolio_id: "p1".to_owned(),
        timeframe: timeframe.to_owned(),
        as_of: Micros(at),
        base_currency: "USD".to_owned(),
        provisional: false,
        metrics: json!([{"id": "time_weighted_return", "value": change}]),
        attribution: json!([]),
        date: Some(date.to_owned()),
        from_date: Some("2026-01-01".to_owned()),
        drawdowns: json!([]),
        source_offset: at,
    }
}

#[tokio::test]
async fn a_closed_day_has_each_figure_of_its_record_in_its_place() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    apply(&store, vec![close("2026-01-05", 1, "10")]).await;
    let number = |text: &str| -> Decimal { text.parse().unwrap() };
    let trades = ClosedTrades { trades: 9, winning: 5, losing: 3, gross_profit: Some(number("12.5")), gross_loss: Some(number("-7.25")) };
    let whole = DayReturnRow {
        profit: Some(number("1.1")),
        benchmark_return: Some(number("0.02")),
        risk_free_return: Some(number("0.0003")),
        trades: Some(trades),
        ..returned("2026-01-05", 1, "0.1")
    };
    let told = async |expected: Option<i64>, row: DayReturnRow| {
        let offsets = vec![OffsetAdvance { topic: "portfolio.performance.v1".to_owned(), partition: 0, expected, next: row.source_offset }];
        store.apply(&ProjectionBatch { offsets, day_returns: vec![row], ..ProjectionBatch::default() }).await.unwrap();
        let days = store.days("p1", "2026-01-05", "2026-01-05").await.unwrap();
        let told = days.into_iter().next().unwrap().returned.unwrap();
        (told.profit, told.benchmark_return, told.risk_free_return, told.trades)
    };
    let found = told(None, whole.clone()).await;
    assert_eq!(found, (Some(number("1.1")), Some(number("0.02")), Some(number("0.0003")), Some(trades)));
    // A later record that tells of none has the last word.
    let none = DayReturnRow { risk_free_return: None, trades: None, source_offset: 2, ..whole };
    assert_eq!(told(Some(1), none).await, (Some(number("1.1")), Some(number("0.02")), None, None));
}

#[tokio::test]
async fn a_closed_day_has_what_its_newest_record_tells() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    let mut closes = ["05", "06", "07", "08"].map(|day| close(&format!("2026-01-{day}"), 1, "10")).to_vec();
    // One that names no cut.
    closes[1].cut_at = None;
    apply(&store, closes).await;
    let records = async |expected: Option<i64>, day_returns| {
        let next = expected.unwrap_or(0) + 1;
        let offsets = vec![OffsetAdvance { topic: "portfolio.performance.v1".to_owned(), partition: 0, expected, next }];
        store.apply(&ProjectionBatch { offsets, day_returns, ..ProjectionBatch::default() }).await.unwrap();
    };
    let told = async |from: &str| -> Vec<(String, Option<String>)> {
        let days = store.days("p1", from, "2026-12-31").await.unwrap();
        let one = |told: DayReturn| told.time_weighted_return.map_or_else(|reason| reason, |change| change.to_string());
        days.into_iter().map(|day| (day.date, day.returned.map(one))).collect()
    };
    let days = |rows: &[(&str, Option<&str>)]| -> Vec<(String, Option<String>)> {
        rows.iter().map(|(date, told)| ((*date).to_owned(), told.map(str::to_owned))).collect()
    };
    records(
        None,
        vec![
            returned("2026-01-05", 1, "0.1"),
            // Of a day whose close is not there yet.
            returned("2026-01-02", 2, "0.7"),
            returned("2026-01-06", 4, "0.3"),
            returned("2026-01-06", 3, "0.2"),
            DayReturnRow { portfolio_id: "p2".to_owned(), ..returned("2026-01-07", 5, "0.9") },
            returned("2026-01-08", 6, "TOTAL_LOSS: all"),
        ],
    )
    .await;
    let expected =
        [("2026-01-05", Some("0.1")), ("2026-01-06", Some("0.3")), ("2026-01-07", None), ("2026-01-08", Some("TOTAL_LOSS: all"))];
    assert_eq!(told("2026-01-06").await, days(&expected), "behind the day before the span; none of another portfolio");
    assert_eq!(told("2026-01-08").await, days(&expected[2..]));
    assert_eq!(told("2027-01-01").await, days(&expected[3..]), "the day before the span alone");
    assert_eq!(store.days("p3", "2026-01-01", "2026-12-31").await.unwrap(), []);
    records(Some(1), vec![returned("2026-01-06", 3, "0.4"), returned("2026-01-05", 7, "0.5")]).await;
    assert_eq!(
        told("2026-01-07").await[..2],
        days(&[("2026-01-06", Some("0.3")), ("2026-01-07", None)]),
        "an older record changes nothing"
    );
    let newest = store.days("p1", "2026-01-05", "2026-01-05").await.unwrap();
    let newest = newest[0].returned.as_ref().unwrap();
    assert_eq!((newest.provisional, newest.is_of_an_earlier_close), (true, false));
    apply(&store, vec![close("2026-01-05", 2, "10.5")]).await;
    let closed_again = store.days("p1", "2026-01-05", "2026-01-05").await.unwrap();
    assert!(closed_again[0].returned.as_ref().unwrap().is_of_an_earlier_close);
}

#[tokio::test]
async fn a_set_of_figures_has_its_days() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    let at = 1_767_646_800_000_000;
    let records = vec![performance("DAY", "2026-01-05", at, "0.1"), performance("MTD", "2026-01-05", at, "0.7")];
    scratch::apply(&store, ProjectionBatch { performance: records, ..ProjectionBatch::default() }).await;
    let sets = store.performance_as_of("p1", Micros(at)).await.unwrap();
    let spans: Vec<_> = sets.iter().map(|set| (set.timeframe.as_str(), set.from_date.as_deref(), set.date.as_deref())).collect();
    assert_eq!(spans, [("DAY", Some("2026-01-01"), Some("2026-01-05")), ("MTD", Some("2026-01-01"), Some("2026-01-05"))]);
}

#[tokio::test]
async fn a_portfolio_is_read_with_its_policy_and_the_days_of_its_figures() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    let policy = json!({"portfolio_id": "p1", "risk_free_rate": "0.02"});
    let row = PortfolioRow { policy: policy.clone(), ..portfolio("p1", 1) };
    let performance = vec![performance("ALL", "2026-01-05", 1_767_646_800_000_000, "0.1")];
    scratch::apply(&store, ProjectionBatch { portfolios: vec![row], performance, ..ProjectionBatch::default() }).await;
    let view = store.portfolio("p1").await.unwrap().unwrap();
    assert_eq!(view.head.policy, policy);
    assert_eq!((view.performance[0].from_date.as_deref(), view.performance[0].date.as_deref()), (Some("2026-01-01"), Some("2026-01-05")));
}
