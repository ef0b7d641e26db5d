//! The guide's four tables, as views on a real Postgres: its names, its three states, and trades beside a rebalance.

use crate::projections::{order, s};
use crate::scratch::{Scratch, apply};
use postgres_store::projections::{OrderRow, ProjectionBatch};

const ROWS: &str = r#"
INSERT INTO portfolios VALUES ('p', 's', NULL, 'P', NULL, 'BALANCED', 0.12, 'DAILY', 'USD', NULL, 'APPROVAL', 1, '{}', false, 1, now(), now());
INSERT INTO allocation_heads VALUES ('p');
INSERT INTO portfolio_allocations (portfolio_id, instrument_id, target_weight, min_weight, max_weight, current_weight)
    VALUES ('p', 'A', 0.6, 0.5, 0.7, 0.61);
SELECT ensure_month(t, '2026-01-05') FROM unnest(ARRAY['portfolio_rebalances', 'performance_snapshots', 'performance_records', 'risk_records']) AS t;
INSERT INTO portfolio_rebalances SELECT s, 'p', '2026-01-05 10:00+00', 'SCHEDULED', '{}', '{}', s, NULL, '{"turnover": "0.1", "text": "x"}', '[]', '[]',
    NULL, s = 'SHADOW', NULL, 1, now()
    FROM unnest(ARRAY['PROPOSED', 'PENDING_APPROVAL', 'APPROVED', 'RELEASED', 'COMPLETED', 'FAILED', 'NO_ACTION_NEEDED', 'REJECTED', 'EXPIRED',
        'REFUSED', 'STUCK', 'SHADOW']) AS s;
INSERT INTO performance_snapshots VALUES ('p', 1, '2026-01-05 10:00+00', 'USD', 100, 10, 9, '{}', NULL, '{"total_pnl": "1"}', '[]', '{"exposure": {}}',
    '{}', true, 1);
INSERT INTO performance_records SELECT 'p', t, at, 'USD', false, jsonb_build_array(jsonb_build_object('id', 'r', 'value', v)), '[]', NULL, NULL, '[]', 1
    FROM (VALUES ('DAY', '2026-01-05 09:00+00'::timestamptz, '0.01'), ('DAY', '2026-01-05 11:00+00', '0.99'), ('ALL', '2026-01-05 09:00+00', '0.5'))
    AS g (t, at, v);
"#;

#[tokio::test]
async fn the_views_have_the_guides_columns_and_states() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    scratch.run(ROWS).await;
    let traded = OrderRow { rebalance_id: s("COMPLETED"), portfolio_id: s("p"), ..order(1) };
    apply(&store, ProjectionBatch { orders: vec![traded], ..ProjectionBatch::default() }).await;
    let columns = "SELECT string_agg(table_name || ': ' || columns, '; ' ORDER BY table_name) FROM (
        SELECT table_name, string_agg(column_name, ' ' ORDER BY ordinal_position) AS columns FROM information_schema.columns
        WHERE table_name IN ('portfolio', 'portfolio_allocation', 'portfolio_rebalance', 'performance_snapshot') GROUP BY 1) c";
    assert_eq!(
        scratch.text(columns).await,
        "performance_snapshot: id portfolio_id timestamp total_value cash_value returns metrics allocations risk; \
         portfolio: id session_id name description type target_risk rebalance_frequency created_at updated_at; \
         portfolio_allocation: id portfolio_id instrument_id target_weight min_weight max_weight current_weight last_rebalance; \
         portfolio_rebalance: id portfolio_id timestamp type old_allocations new_allocations trades status state code metrics"
    );
    let states = "SELECT string_agg(state || ' ' || status, ', ' ORDER BY state) FROM portfolio_rebalance";
    assert_eq!(
        scratch.text(states).await,
        "APPROVED PENDING, COMPLETED COMPLETED, EXPIRED FAILED, FAILED FAILED, PENDING_APPROVAL PENDING, REFUSED FAILED, \
         REJECTED FAILED, RELEASED PENDING, STUCK PENDING"
    );
    let trades = "SELECT string_agg(trades -> 0 ->> 'order_id', '') || (array_agg(metrics::text))[1] FROM portfolio_rebalance";
    assert_eq!(scratch.text(trades).await, "o1{\"turnover\": \"0.1\"}");
    let figures =
        "SELECT concat_ws(' ', returns, metrics ->> 'total_pnl', metrics #>> '{figures,0,value}', risk) FROM performance_snapshot";
    assert_eq!(
        scratch.text(figures).await,
        "{\"DAY\": [{\"id\": \"r\", \"value\": \"0.01\"}]} 1 0.5 {\"exposure\": {}}",
        "of its moment, not of later"
    );
    let sessions = "INSERT INTO portfolios SELECT 'q', session_id, NULL, 'Q', NULL, type, NULL, 'NONE', 'USD', NULL, mode, 1, '{}', false, 1, now(), now()
        FROM portfolios";
    let twice = sqlx::raw_sql(sqlx::AssertSqlSafe(sessions)).execute(&mut scratch.connection().await).await;
    assert!(twice.unwrap_err().to_string().contains("session_id"), "a session has one portfolio");
}

#[tokio::test]
async fn the_statements_that_the_readme_shows_run() {
    let scratch = Scratch::new().await;
    scratch.migrated().await;
    let readme = include_str!("../../../../../README.md");
    let blocks: Vec<&str> = readme.split("```sql\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!blocks.is_empty(), "the README shows SQL");
    for block in blocks {
        let ran = sqlx::raw_sql(sqlx::AssertSqlSafe(block.to_owned())).execute(&mut scratch.connection().await).await;
        ran.unwrap_or_else(|error| panic!("{block}: {error}"));
    }
}
