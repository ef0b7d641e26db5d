//! Projections on a real Postgres.

use std::str::FromStr;

use crate::scratch::{self, Scratch, TOPIC, apply, portfolio, returned};
use postgres_store::projections::{
    AllocationLine, AllocationSet, DeadLetterRow, OffsetAdvance, OrderRow, OrderStatusRow, PortfolioRow, PositionRow, ProjectionBatch,
    RebalanceRow, Rebalanced, SnapshotRow, StoredOffset, StrategyLine, TargetLine, TargetSet,
};
use postgres_store::{Micros, Retry, StoreError};
use rust_decimal::Decimal;
use serde_json::json;

pub fn d(text: &str) -> Decimal {
    Decimal::from_str(text).unwrap()
}

pub fn s(text: &str) -> String {
    text.to_owned()
}

fn step(expected: Option<i64>, next: i64) -> Vec<OffsetAdvance> {
    vec![OffsetAdvance { topic: s(TOPIC), partition: 0, expected, next }]
}

fn position(quantity: &str, version: i64) -> PositionRow {
    PositionRow {
        portfolio_id: s("p1"),
        instrument_id: s("AAPL"),
        quantity: d(quantity),
        cost: d("1234567890.123456789012345678"),
        average_price: Some(d("0.0000000000000000000000000001")),
        currency: Some(s("USD")),
        realized_gross: d("-0.5"),
        fees: d("79228162514264337593543950335"),
        income: d("0"),
        realized_net: d("-1"),
        lots: None,
        ledger_version: version,
        at: Micros(1),
    }
}

fn snapshot(version: i64, total: &str) -> SnapshotRow {
    let metrics = json!({"total_pnl": "1.5"});
    SnapshotRow { metrics, policy_version: Some(1), ..scratch::snapshot("p1", version, version * 1_000_000, total) }
}

pub fn order(offset: i64) -> OrderRow {
    OrderRow {
        order_id: s("o1"),
        portfolio_id: s("p1"),
        rebalance_id: s("r1"),
        wave_id: s("w1"),
        wave_number: 1,
        instrument_id: s("AAPL"),
        side: s("SELL"),
        quantity: d("10"),
        order_type: s("LIMIT"),
        limit_price: Some(d("99.5")),
        time_in_force: s("DAY"),
        currency: s("USD"),
        reference_price: d("100"),
        expected_value: d("1000"),
        reason_code: s("DRIFT_SELL"),
        explanation: json!({"drift": "0.06"}),
        policy_version: 1,
        snapshot_version: 7,
        valid_until: Micros(9),
        block_key: None,
        released_at: Micros(5),
        wave_offset: offset,
    }
}

pub fn status(status: &str, filled: &str, offset: i64) -> OrderStatusRow {
    OrderStatusRow {
        order_id: s("o1"),
        portfolio_id: s("p1"),
        rebalance_id: s("r1"),
        status: s(status),
        filled_quantity: d(filled),
        leaves_quantity: d("10") - d(filled),
        reason_code: None,
        reason: None,
        at: Micros(offset),
        source_offset: offset,
    }
}

pub fn rebalance(status: &str, offset: i64) -> RebalanceRow {
    RebalanceRow {
        rebalance_id: s("r1"),
        portfolio_id: s("p1"),
        at: Micros(offset * 1_000_000),
        kind: s("THRESHOLD"),
        old_allocations: json!({"AAPL": "0.6"}),
        new_allocations: json!({"AAPL": "0.5"}),
        status: s(status),
        code: None,
        metrics: Some(json!({"turnover": "0.1"})),
        explanation: json!([{"instrument": "AAPL", "decision": "ORDER"}]),
        orders: json!(["o1"]),
        proposal_hash: None,
        shadow: false,
        actor: None,
        source_offset: offset,
    }
}

fn line(instrument: &str, weight: &str) -> AllocationLine {
    AllocationLine {
        instrument_id: s(instrument),
        symbol: Some(s(instrument)),
        sector: Some(s("TECH")),
        kind: Some(s("EQUITY")),
        quantity: d("10"),
        average_price: Some(d("90")),
        price: Some(d("100")),
        price_time: Some(Micros(3)),
        stale: false,
        value: Some(d("1000")),
        percentage: Some(d(weight) * d("100")),
        current_weight: Some(d(weight)),
        drift: Some(d("0.01")),
        unrealized: Some(d("100")),
        realized: Some(d("0")),
    }
}

fn holdings(version: i64, lines: Vec<AllocationLine>) -> AllocationSet {
    let strategies = vec![StrategyLine { strategy: Some(s("s1")), quantity: d("10"), ..StrategyLine::default() }];
    AllocationSet { portfolio_id: s("p1"), snapshot_version: version, lines, strategies }
}

fn targets(offset: i64, lines: &[(&str, &str)]) -> TargetSet {
    TargetSet {
        portfolio_id: s("p1"),
        source_offset: offset,
        targets: lines
            .iter()
            .map(|(instrument, weight)| TargetLine {
                instrument_id: s(instrument),
                target_weight: d(weight),
                min_weight: None,
                max_weight: Some(d("0.9")),
            })
            .collect(),
    }
}

fn dead_letter() -> DeadLetterRow {
    DeadLetterRow {
        topic: s("execution.fills.v1.dlq"),
        partition: 1,
        offset: 0,
        source_topic: s("execution.fills.v1"),
        source_partition: 1,
        source_offset: 17,
        code: s("UNDECODABLE"),
        reason: s("byte 3"),
        portfolio_id: Some(s("p\u{0}1")),
        lane: Some(1),
        step: Some(4),
        key: None,
        body: Some(vec![0, 255, 1]),
        headers: json!({"nul": "\u{0}", "big": 12_345_678_901_234_567_890_u64}),
        at: Micros(i64::MIN),
    }
}

fn everything() -> ProjectionBatch {
    ProjectionBatch {
        offsets: step(None, 10),
        portfolios: vec![portfolio("p1", 1)],
        targets: vec![targets(1, &[("AAPL", "0.5")])],
        allocations: vec![holdings(1, vec![line("AAPL", "0.51")])],
        rebalanced: vec![Rebalanced { portfolio_id: s("p1"), instrument_id: s("AAPL"), at: Micros(4) }],
        positions: vec![position("10", 1)],
        entries: vec![],
        orders: vec![order(1)],
        order_cancels: vec![],
        order_statuses: vec![status("ACKNOWLEDGED", "0", 1)],
        rebalances: vec![rebalance("RELEASED", 1)],
        answers: vec![],
        snapshots: vec![snapshot(1, "100")],
        closes: vec![],
        performance: vec![],
        day_returns: vec![returned("2026-01-05", 1, "un\u{0}defined")],
        risk: vec![],
        dead_letters: vec![dead_letter()],
    }
}

/// Every row of every table, as one text.
async fn picture(scratch: &Scratch) -> String {
    let mut all = String::new();
    for table in [
        "projector_offsets",
        "portfolios",
        "allocation_heads",
        "portfolio_allocations",
        "portfolio_strategies",
        "positions",
        "orders",
        "portfolio_rebalances",
        "performance_snapshots",
        "latest_snapshots",
        "values_by_minute",
        "values_by_hour",
        "returns_by_day",
        "dead_letters",
    ] {
        let sql = format!("SELECT coalesce(json_agg(t ORDER BY t::text)::text, '') FROM {table} t");
        let rows = scratch.text(&sql).await;
        assert!(!rows.is_empty(), "{table} is empty");
        all.push_str(&rows);
    }
    all
}

#[tokio::test]
async fn the_same_batch_again_is_a_lost_race_and_changes_nothing() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    let batch = everything();
    store.apply(&batch).await.unwrap();
    let before = picture(&scratch).await;
    let mut again = batch.clone();
    again.positions[0].quantity = d("99");
    again.positions[0].ledger_version = 99;
    let error = store.apply(&again).await.unwrap_err();
    assert!(matches!(error, StoreError::LostRace { .. }), "{error}");
    assert_eq!(error.retry(), Retry::AfterReload);
    assert_eq!(picture(&scratch).await, before);
    // Read again after a restart of the topic: the versions hold by themselves.
    let replayed = ProjectionBatch { offsets: step(Some(10), 11), ..batch };
    store.apply(&replayed).await.unwrap();
    let after = picture(&scratch).await;
    assert_eq!(after.replace("\"next_offset\":11", "\"next_offset\":10"), before);
}

#[tokio::test]
async fn offsets_move_only_from_where_they_stand() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    assert!(store.offsets(&[TOPIC]).await.unwrap().is_empty());
    let only = |offsets| ProjectionBatch { offsets, ..ProjectionBatch::default() };
    let lost = store.apply(&only(step(Some(0), 5))).await.unwrap_err();
    assert!(matches!(lost, StoreError::LostRace { expected: 0, .. }), "nothing is stored yet");
    store.apply(&only(step(None, 5))).await.unwrap();
    store.apply(&only(step(Some(5), 9))).await.unwrap();
    assert!(store.apply(&only(step(None, 12))).await.is_err());
    assert!(store.apply(&only(step(Some(8), 12))).await.is_err());
    let back = store.apply(&only(step(Some(9), 8))).await.unwrap_err();
    assert_eq!(back.retry(), Retry::Never);
    let stored = store.offsets(&[TOPIC, "another"]).await.unwrap();
    assert_eq!(stored, [StoredOffset { topic: s(TOPIC), partition: 0, next_offset: 9 }]);
}

#[tokio::test]
async fn of_two_projectors_one_applies_each_batch() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    let other = scratch.migrated().await;
    for i in 0..20 {
        let batch = |name: &str| {
            let mut row = position("1", i);
            row.instrument_id = s(name);
            ProjectionBatch { offsets: step((i > 0).then_some(i), i + 1), positions: vec![row], ..ProjectionBatch::default() }
        };
        let (one, two) = (batch("one"), batch("two"));
        let (a, b) = tokio::join!(store.apply(&one), other.apply(&two));
        assert_ne!(a.is_ok(), b.is_ok(), "{a:?} {b:?}");
        let lost = a.err().or(b.err()).unwrap();
        assert!(matches!(lost, StoreError::LostRace { .. }), "{lost}");
    }
    let versions = "SELECT count(*) FROM positions WHERE ledger_version = 19";
    assert_eq!(scratch.number(versions).await, 1);
}

#[tokio::test]
async fn a_plan_keeps_its_reasons_wherever_a_batch_ends() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    let plan = ProjectionBatch { rebalances: vec![rebalance("RELEASED", 1)], ..ProjectionBatch::default() };
    apply(&store, plan).await;
    let late = RebalanceRow {
        old_allocations: json!({}),
        new_allocations: json!({}),
        explanation: json!([{"instrument": "MSFT", "decision": "SKIP"}]),
        orders: json!([]),
        ..rebalance("STUCK", 2)
    };
    apply(&store, ProjectionBatch { rebalances: vec![late], ..ProjectionBatch::default() }).await;
    let row = "SELECT status || ' ' || (explanation -> 0 ->> 'instrument') FROM portfolio_rebalances";
    assert_eq!(scratch.text(row).await, "STUCK AAPL");
}

#[tokio::test]
async fn an_older_version_changes_nothing_in_whatever_order() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    let newer = ProjectionBatch {
        portfolios: vec![portfolio("p1", 7), portfolio("p1", 6)],
        positions: vec![position("30", 3), position("20", 2)],
        rebalances: vec![rebalance("COMPLETED", 9), rebalance("RELEASED", 8)],
        snapshots: vec![snapshot(2, "200")],
        ..ProjectionBatch::default()
    };
    let older = ProjectionBatch {
        portfolios: vec![portfolio("p1", 5)],
        positions: vec![position("10", 1)],
        rebalances: vec![rebalance("PROPOSED", 1)],
        snapshots: vec![snapshot(2, "999"), snapshot(1, "100")],
        ..ProjectionBatch::default()
    };
    apply(&store, newer).await;
    apply(&store, older).await;
    assert_eq!(scratch.text("SELECT name FROM portfolios").await, "p1 at 7");
    assert_eq!(scratch.text("SELECT quantity::text FROM positions").await, "30");
    assert_eq!(scratch.text("SELECT status FROM portfolio_rebalances").await, "COMPLETED");
    let first = "SELECT extract(epoch FROM timestamp)::int::text FROM portfolio_rebalances";
    assert_eq!(scratch.text(first).await, "8", "the time of the first event seen");
    let values = "SELECT string_agg(total_value::text, ',' ORDER BY version) FROM performance_snapshots";
    assert_eq!(scratch.text(values).await, "100,200");
}

#[tokio::test]
async fn numbers_and_times_are_exact() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    apply(&store, everything()).await;
    let cost = scratch.text("SELECT cost::text FROM positions").await;
    assert_eq!(cost, "1234567890.123456789012345678");
    let price = scratch.text("SELECT average_price::text FROM positions").await;
    assert_eq!(price, "0.0000000000000000000000000001");
    let fees = scratch.text("SELECT fees::text FROM positions").await;
    assert_eq!(fees, "79228162514264337593543950335");
    let at = scratch.text("SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') FROM portfolios").await;
    assert_eq!(at, "2026-01-05 14:30:00.123457");
    let letter =
        scratch.text("SELECT portfolio_id || encode(body, 'hex') || (headers->>'nul') || (headers->>'big') FROM dead_letters").await;
    assert_eq!(letter, "p\u{FFFD}100ff01\u{FFFD}12345678901234567890");
}

#[tokio::test]
async fn allocations_follow_policy_and_snapshot_apart() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    let rows = "SELECT string_agg(concat_ws('|', instrument_id, coalesce(target_weight::text, '-'),
                    coalesce(current_weight::text, '-')), ' ' ORDER BY instrument_id)
                FROM portfolio_allocations";
    let policy = |set| ProjectionBatch { targets: vec![set], ..ProjectionBatch::default() };
    let held = |set| ProjectionBatch { allocations: vec![set], ..ProjectionBatch::default() };
    apply(&store, policy(targets(1, &[("AAPL", "0.5"), ("IBM", "0.4")]))).await;
    apply(&store, held(holdings(3, vec![line("AAPL", "0.6"), line("GOOG", "0.1")]))).await;
    assert_eq!(scratch.text(rows).await, "AAPL|0.5|0.6 GOOG|-|0.1 IBM|0.4|-");
    apply(&store, held(holdings(2, vec![line("OLD", "0.9")]))).await;
    apply(&store, policy(targets(0, &[("OLD", "0.9")]))).await;
    assert_eq!(scratch.text(rows).await, "AAPL|0.5|0.6 GOOG|-|0.1 IBM|0.4|-");
    apply(&store, held(holdings(4, vec![line("IBM", "0.4")]))).await;
    assert_eq!(scratch.text(rows).await, "AAPL|0.5|- IBM|0.4|0.4");
    apply(&store, policy(targets(2, &[("MSFT", "0.2")]))).await;
    assert_eq!(scratch.text(rows).await, "IBM|-|0.4 MSFT|0.2|-");
    let rebalanced = Rebalanced { portfolio_id: s("p1"), instrument_id: s("IBM"), at: Micros(0) };
    apply(&store, ProjectionBatch { rebalanced: vec![rebalanced], ..ProjectionBatch::default() }).await;
    let when = "SELECT count(*) FROM portfolio_allocations WHERE last_rebalance = 'epoch'";
    assert_eq!(scratch.number(when).await, 1);
}

#[tokio::test]
async fn a_large_batch_in_bulk() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    let positions = (0..5_000).map(|i| PositionRow { instrument_id: format!("i{i}"), ..position("1", 1) }).collect();
    let snapshots = (1..=2_000).map(|v| snapshot(v, "1")).collect();
    apply(&store, ProjectionBatch { positions, snapshots, ..ProjectionBatch::default() }).await;
    assert_eq!(scratch.number("SELECT count(*) FROM positions").await, 5_000);
    assert_eq!(scratch.number("SELECT count(*) FROM performance_snapshots").await, 2_000);
    assert_eq!(scratch.number("SELECT version FROM latest_snapshots").await, 2_000);
    assert_eq!(scratch.number("SELECT count(*) FROM values_by_minute").await, 34, "2,000 seconds");
}

#[tokio::test]
async fn the_overview_shows_the_newest_of_each() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    apply(&store, everything()).await;
    let newer = ProjectionBatch {
        portfolios: vec![portfolio("p2", 2), PortfolioRow { closed: true, ..portfolio("p3", 3) }],
        snapshots: vec![snapshot(2, "-12345678901234567.1234567891")],
        ..ProjectionBatch::default()
    };
    apply(&store, newer).await;
    let rows = store.overview(None, 10).await.unwrap();
    assert_eq!(rows.iter().map(|r| r.portfolio_id.as_str()).collect::<Vec<_>>(), ["p1", "p2"]);
    assert_eq!(rows[0].total_value, Some(d("-12345678901234567.1234567891")));
    assert_eq!(rows[0].as_of, Some(Micros(2_000_000)));
    assert_eq!(rows[0].max_abs_drift, Some(d("0.01")));
    assert_eq!((rows[0].open_orders, rows[0].last_rebalance_status.as_deref()), (1, Some("RELEASED")));
    assert_eq!((rows[1].total_value, rows[1].open_orders), (None, 0));
    assert_eq!(store.overview(Some("p1"), 10).await.unwrap().len(), 1);
}
