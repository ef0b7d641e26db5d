//! The SQL of `deploy/monitoring/dashboards` on a migrated database, as the role of `deploy/reader.sql` that dashboards use.

use std::path::Path;

use crate::projections::{order, s};
use crate::scratch::{Scratch, apply};
use postgres_store::projections::{OrderRow, ProjectionBatch};
use postgres_store::{Micros, Store};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection};

const ROLE: &str = include_str!("../../../../../deploy/reader.sql");

/// (panel, statement) of every dashboard, and what its variables ask.
fn statements() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../deploy/monitoring/dashboards");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension() != Some("json".as_ref()) {
            continue;
        }
        let dashboard: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let title = |of: &Value| format!("{}: {}", path.file_name().unwrap().to_string_lossy(), of.as_str().unwrap_or_default());
        for panel in dashboard["panels"].as_array().unwrap() {
            let targets = panel["targets"].as_array().into_iter().flatten();
            found.extend(targets.filter_map(|target| Some((title(&panel["title"]), target["rawSql"].as_str()?.to_owned()))));
        }
        let variables = dashboard["templating"]["list"].as_array().into_iter().flatten();
        let asking = variables.filter(|variable| variable["type"] == "query");
        found.extend(asking.map(|variable| (title(&variable["name"]), variable["query"].as_str().unwrap().to_owned())));
    }
    found
}

/// Grafana's macros and variables as what they become.
fn expanded(sql: &str) -> String {
    let mut text = sql.replace("${portfolio:sqlstring}", "'growth'");
    while let Some(at) = text.find("$__timeFilter(") {
        let end = at + text[at..].find(')').unwrap();
        let column = text[at + "$__timeFilter(".len()..end].to_owned();
        text.replace_range(at..=end, &format!("{column} BETWEEN '2026-01-05T00:00:00Z' AND '2026-01-06T00:00:00Z'"));
    }
    assert!(!text.contains('$'), "what becomes of a variable here? {text}");
    text
}

#[tokio::test]
async fn every_panel_of_sql_runs_as_the_reader() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    // A role of its own: other tests make and drop the one of the file at the same time.
    let role = format!("dashboards_{}", std::process::id());
    scratch.run(ROLE.replace("ballast_reader", &role)).await;
    store.prepare_months(Micros(1_767_571_200_000_000)).await.unwrap();
    let mut reader = scratch.connection().await;
    sqlx::raw_sql(AssertSqlSafe(format!("SET ROLE {role}"))).execute(&mut reader).await.unwrap();
    let statements = statements();
    assert!(statements.len() > 15, "only {} statements were found", statements.len());
    for (panel, sql) in statements {
        sqlx::raw_sql(AssertSqlSafe(expanded(&sql))).execute(&mut reader).await.unwrap_or_else(|error| panic!("{panel}: {error}\n{sql}"));
    }
    reader.close().await.unwrap();
    scratch.run(format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test]
async fn how_portfolios_stand_is_told_of_those_that_are_not_closed() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    store.prepare_months(Micros(1_767_571_200_000_000)).await.unwrap();
    let nothing = store.conditions().await.unwrap();
    assert_eq!((nothing.portfolios, nothing.oldest_approval), (0, None));
    assert_eq!(store.spreads(&[0.0, 0.5, 1.0]).await.unwrap().drift, None);
    fill(&scratch, &store).await;
    let told = store.conditions().await.unwrap();
    assert_eq!((told.portfolios, told.incomplete, told.stale_price, told.unpriced), (3, 1, 1, 0));
    assert_eq!((told.waiting, told.quarantined, told.unreconciled, told.anomalous), (1, 1, 0, 1));
    assert_eq!((told.position_breaks, told.cash_breaks, told.risk_unknown), (2, 0, 1));
    assert_eq!((told.pending_approvals, told.oldest_approval), (1, Some(Micros(1_767_618_000_000_000))));
    let spreads = store.spreads(&[0.0, 0.5, 1.0]).await.unwrap();
    assert_eq!(spreads.drift, Some(vec![0.02, 0.02, 0.25]), "the larger side counts, the closed one and the one without targets do not");
    assert_eq!(spreads.gross_exposure, Some(vec![0.5, 0.5, 1.5]));
    assert_eq!(spreads.value_at_risk, Some(vec![0.05, 0.05, 0.05]), "only one has it");
    assert_eq!((spreads.day_return, spreads.drawdown), (Some(vec![-0.01; 3]), Some(vec![0.3; 3])));
    let listed = store.figures(&["one".to_owned(), "gone".to_owned(), "unheard".to_owned()]).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].base_currency.as_str(), listed[0].total_value, listed[0].drift), ("USD", 1000.0, Some(0.25)));
    assert_eq!(store.releases(&["o1".to_owned(), "o2".to_owned()]).await.unwrap(), [("o1".to_owned(), Micros(1_767_618_000_000_000))]);
}

async fn fill(scratch: &Scratch, store: &Store) {
    let targets = r#"{"targets":[{"instrument_id":"A"}]}"#;
    for (portfolio, closed, policy) in
        [("one", false, targets), ("two", false, targets), ("gone", true, targets), ("aimless", false, r#"{"targets":[]}"#)]
    {
        let text = format!(
            "INSERT INTO portfolios (portfolio_id, name, type, rebalance_freq, base_currency, mode, policy_version, policy, closed, source_offset,
             created_at, updated_at) VALUES ('{portfolio}', 'n', 'CUSTOM', 'NONE', 'USD', 'APPROVAL', 1, '{policy}', {closed}, 1, now(), now())"
        );
        scratch.run(text).await;
    }
    scratch.run("UPDATE portfolios SET scaling_notice = 'too old' WHERE portfolio_id IN ('two', 'gone')").await;
    let sound = r#"{"stale":[],"unpriced":[],"waiting":0,"quarantined":false,"unreconciled":false}"#;
    let unsound = r#"{"stale":["A"],"unpriced":[],"waiting":3,"quarantined":true,"unreconciled":false,
        "position_breaks":[{"instrument_id":"A"},{"instrument_id":"B"}],"cash_breaks":[],"anomalies":[{"kind":"DAILY_RETURN"}]}"#;
    for (portfolio, gross, complete, health) in
        [("one", "1.5", false, unsound), ("two", "0.5", true, sound), ("gone", "9", false, unsound), ("aimless", "0.5", true, sound)]
    {
        let text = format!(
            "INSERT INTO latest_snapshots (portfolio_id, version, timestamp, base_currency, total_value, cash_value, available_cash, cash, metrics,
             risk, health, complete) VALUES ('{portfolio}', 1, now(), 'USD', 1000, 0, 0, '{{}}', '{{}}',
             '{{\"exposure\":{{\"gross\":\"{gross}\",\"net\":null}}}}', '{health}', {complete})"
        );
        scratch.run(text).await;
    }
    scratch
        .run(
            "INSERT INTO allocation_heads (portfolio_id) VALUES ('one'), ('two'), ('gone'), ('aimless');
             INSERT INTO portfolio_allocations (portfolio_id, instrument_id, drift) VALUES ('one', 'A', -0.25), ('one', 'B', 0.1), ('two', 'A', 0.02),
             ('two', 'B', NULL), ('gone', 'A', 0.9), ('aimless', 'A', 0.8)",
        )
        .await;
    scratch
        .run(
            r#"INSERT INTO latest_risk VALUES ('one', '500D', now(), 'USD', false,
             '[{"id":"value_at_risk","value":"50"},{"id":"value_at_risk","value":"80"}]', NULL, '[]', '[]', '[]', 1)"#,
        )
        .await;
    scratch
        .run(
            r#"INSERT INTO latest_performance VALUES
             ('one', 'DAY', now(), 'USD', false, '[{"id":"time_weighted_return","value":"-0.01"}]', '[]', NULL, NULL, '[]', 1),
             ('one', 'ALL', now(), 'USD', false, '[{"id":"max_drawdown","value":"-0.3"}]', '[]', NULL, NULL, '[]', 1)"#,
        )
        .await;
    scratch
        .run(
            "INSERT INTO portfolio_rebalances (rebalance_id, portfolio_id, timestamp, type, old_allocations, new_allocations, status, explanation,
             orders, shadow, source_offset, updated_at) VALUES
             ('r1', 'one', '2026-01-05 13:00:00+00', 'MANUAL', '{}', '{}', 'PENDING_APPROVAL', '[]', '[]', false, 1, '2026-01-05 13:00:00+00'),
             ('r2', 'one', '2026-01-05 12:00:00+00', 'MANUAL', '{}', '{}', 'COMPLETED', '[]', '[]', false, 1, '2026-01-05 12:00:00+00'),
             ('r3', 'two', '2026-01-05 11:00:00+00', 'MANUAL', '{}', '{}', 'PENDING_APPROVAL', '[]', '[]', true, 1, '2026-01-05 11:00:00+00')",
        )
        .await;
    let waved = OrderRow { portfolio_id: s("one"), released_at: Micros(1_767_618_000_000_000), ..order(1) };
    apply(store, ProjectionBatch { orders: vec![waved], ..ProjectionBatch::default() }).await;
}
