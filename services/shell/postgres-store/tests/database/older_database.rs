//! A database of before the months, with rows in it, is brought up to date: every row is there afterwards, and what the
//! topics hold besides is read again.

use std::path::Path;

use crate::scratch::Scratch;
use postgres_store::Store;
use sqlx::migrate::Migrator;

/// The migrations up to the one of that number, as that build had them.
async fn migrate_to(scratch: &Scratch, last: &str) {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let folder = std::env::temp_dir().join(format!("ballast-migrations-{}-{last}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for entry in std::fs::read_dir(all).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.as_str() < last {
            std::fs::copy(&path, folder.join(name)).unwrap();
        }
    }
    Migrator::new(folder.as_path()).await.unwrap().run(&mut scratch.connection().await).await.unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
}

const OLD_ROWS: &str = r#"
INSERT INTO projector_offsets VALUES ('portfolio.closes.v1', 0, 7), ('portfolio.ledger.v1', 0, 9), ('portfolio.snapshots.v1', 0, 11);
INSERT INTO performance_snapshots SELECT 'p', v, '2025-12-31 00:00+00'::timestamptz + v * interval '1 day', 'USD', 100 + v, 10, 9, '{}', NULL,
    '{}', '[]', '{}', '{}', true, 1 FROM generate_series(0, 40) AS v;
INSERT INTO closes SELECT 'p', '2026-01-01'::date + d, 3, 'USD', NULL, '2026-03-01 00:00+00', 100, 0, NULL, '[]', '{}', '{}',
    '[{"currency": "USD", "fx_rate": "1", "cash_value": "12.5", "receivables_value": "0"}]', true, false, NULL, 1
    FROM generate_series(0, 40) AS d;
INSERT INTO portfolio_rebalances VALUES ('r', 'p', '2026-01-02 00:00+00', 'MANUAL', '{}', '{}', 'RELEASED', NULL, '{}', '[]', '[]', NULL, false,
    'ann', 4, '2026-01-02 00:00+00');
INSERT INTO portfolio_allocations (portfolio_id, instrument_id, last_rebalance) VALUES ('headless', 'A', now());
"#;

#[tokio::test]
async fn its_rows_are_kept_and_what_is_new_is_read_again() {
    let scratch = Scratch::new().await;
    migrate_to(&scratch, "0007").await;
    scratch.run(OLD_ROWS).await;
    let store = Store::new(&scratch.settings()).unwrap();
    store.migrate().await.unwrap();
    store.check().await.unwrap();
    assert_eq!(scratch.number("SELECT count(*) FROM performance_snapshots").await, 41);
    assert_eq!(scratch.number("SELECT count(*) FROM performance_snapshots_2026_01").await, 31);
    assert_eq!(scratch.text("SELECT version || ' ' || total_value FROM latest_snapshots").await, "40 140");
    assert_eq!(scratch.number("SELECT count(*) FROM closes WHERE version = 3").await, 41);
    assert_eq!(scratch.number("SELECT count(*) FROM close_versions_2026_02").await, 10);
    assert_eq!(scratch.text("SELECT sum(cash_value)::text FROM values_by_day").await, "512.5");
    assert_eq!(scratch.text("SELECT status FROM portfolio_rebalances WHERE rebalance_id = 'r'").await, "RELEASED");
    assert_eq!(scratch.text("SELECT topic FROM projector_offsets").await, "portfolio.snapshots.v1");
    assert_eq!(scratch.number("SELECT count(*) FROM allocation_heads WHERE portfolio_id = 'headless'").await, 1);
    let told = "SELECT col_description('performance_snapshots'::regclass, 5)";
    assert_eq!(scratch.text(told).await, "Equity: cash + receivables + holdings; base currency", "columns say what they are, as before");
    // Once more changes nothing.
    store.migrate().await.unwrap();
}

#[tokio::test]
async fn what_days_returned_is_taken_from_the_records_that_are_stored() {
    let scratch = Scratch::new().await;
    migrate_to(&scratch, "0015").await;
    let rows = r#"SELECT ensure_month('performance_records', '2026-01-05');
        INSERT INTO performance_records SELECT 'p', timeframe, at, 'USD', provisional, metrics::jsonb, '[]', date, NULL, '[]', source_offset FROM (VALUES
        ('DAY', '2026-01-05 21:00+00'::timestamptz, false, '2026-01-05'::date, 1, '[{"id": "profit", "value": "7"},
            {"id": "time_weighted_return", "value": "0.1", "method": "m", "reason": null}]'),
        ('DAY', '2026-01-05 22:00+00', true, '2026-01-05', 2, '[{"id": "time_weighted_return", "value": "0.2", "method": "m"}]'),
        ('DAY', '2026-01-06 21:00+00', true, '2026-01-06', 3, '[{"id": "time_weighted_return", "value": null, "method": "m", "reason": "NO_CAPITAL: x"}]'),
        ('DAY', '2026-01-07 21:00+00', true, '2026-01-07', 4, '[]'),
        ('DAY', '2026-01-08 21:00+00', true, NULL, 5, '[{"id": "time_weighted_return", "value": "0.3"}]'),
        ('MTD', '2026-01-09 21:00+00', true, '2026-01-09', 6, '[{"id": "time_weighted_return", "value": "0.3"}]'))
        AS r (timeframe, at, provisional, date, source_offset, metrics)"#;
    scratch.run(rows).await;
    Store::new(&scratch.settings()).unwrap().migrate().await.unwrap();
    let days = "SELECT string_agg(concat_ws(' ', date, time_weighted_return, reason, method, profit, provisional, source_offset), ', ' ORDER BY date)
        FROM returns_by_day";
    assert_eq!(scratch.text(days).await, "2026-01-05 0.2 m t 2, 2026-01-06 NO_CAPITAL: x m t 3", "the newest of each day that tells one");
}

#[tokio::test]
async fn orders_are_told_apart_by_who_told_of_them() {
    let scratch = Scratch::new().await;
    migrate_to(&scratch, "0019").await;
    let rows = r#"SELECT ensure_month('portfolio_rebalances', '2026-01-05');
        INSERT INTO portfolio_rebalances VALUES ('r', 'p', '2026-01-05 00:00+00', 'MANUAL', '{}', '{}', 'FAILED', NULL,
            '{"execution": {"lines": [{"order_id": "stuck", "filled": "4"}, {"order_id": "filled", "filled": "10"}]}}', '[]', '[]', NULL, false,
            'ann', 4, '2026-01-05 00:00+00');
        INSERT INTO orders (order_id, portfolio_id, rebalance_id, status, filled_quantity, leaves_quantity, status_at, status_offset, wave_id,
            wave_number, instrument_id, side, quantity, order_type, time_in_force, currency, reference_price, expected_value, reason_code,
            explanation, policy_version, snapshot_version, valid_until, released_at, wave_offset)
        SELECT id, 'p', 'r', status, filled, 10 - filled, '2026-01-05 00:00+00', 3, 'w', 1, 'A', 'BUY', 10, 'MARKET', 'DAY', 'USD', 1, 10, 'DRIFT_BUY',
            '{}', 1, 1, '2026-01-05 00:00+00', '2026-01-05 00:00+00', 2
        FROM (VALUES ('stuck', 'RELEASED', 0), ('filled', 'FILLED', 10), ('open', 'PART_FILLED', 3)) AS o (id, status, filled);
        INSERT INTO orders (order_id, portfolio_id, rebalance_id, status, filled_quantity, leaves_quantity, status_at, status_offset)
        VALUES ('ghost', 'p', 'r', 'FILLED', 1, 0, '2026-01-05 00:00+00', 5)"#;
    scratch.run(rows).await;
    let view = "SELECT string_agg(t ->> 'order_id', ' ') FROM portfolio_rebalance, jsonb_array_elements(trades) AS t WHERE t ->> 'status' = 'CANCELLED'";
    assert_eq!(scratch.text(view).await, "NULL");
    Store::new(&scratch.settings()).unwrap().migrate().await.unwrap();
    let orders =
        "SELECT string_agg(concat_ws(' ', order_id, status, filled_quantity, leaves_quantity), ', ' ORDER BY order_id) FROM orders";
    assert_eq!(scratch.text(orders).await, "filled FILLED 10 0, open PART_FILLED 3 7, stuck CANCELLED 4 0");
    assert_eq!(scratch.text("SELECT order_id FROM early_order_reports").await, "ghost");
    assert_eq!(scratch.text(view).await, "stuck");
}

#[tokio::test]
async fn every_column_that_is_no_text_says_what_it_is_in_the_database_itself() {
    let scratch = Scratch::new().await;
    scratch.migrated().await;
    let silent = "SELECT string_agg(c.relname || '.' || a.attname, ', ' ORDER BY c.relname, a.attname)
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0
          AND NOT a.attisdropped AND a.atttypid <> 'text'::regtype AND c.relname !~ '^(checkpoint|_sqlx)'
          AND col_description(c.oid, a.attnum) IS NULL";
    assert_eq!(scratch.text(silent).await, "NULL");
    let nameless = "SELECT string_agg(c.relname, ', ') FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
          AND c.relname !~ '^(checkpoint|_sqlx)' AND obj_description(c.oid, 'pg_class') IS NULL";
    assert_eq!(scratch.text(nameless).await, "NULL");
    assert!(scratch.number("SELECT count(*) FROM pg_description WHERE objsubid > 0").await > 100);
    let told = |relation: &str| {
        format!(
            "SELECT col_description('{relation}'::regclass, attnum) FROM pg_attribute WHERE attrelid = '{relation}'::regclass AND attname = 'fees'"
        )
    };
    assert_eq!(scratch.text(&told("positions")).await, "Cumulative, at the rates of their booking; the instrument's currency");
    assert_eq!(scratch.text(&told("rebalance_quality")).await, "base currency");
}
