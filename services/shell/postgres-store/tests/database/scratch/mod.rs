//! A database of its own for each test, dropped at its end, and rows that several tests begin with.

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use postgres_store::projections::{DayReturnRow, OffsetAdvance, PortfolioRow, ProjectionBatch, SnapshotRow};
use postgres_store::{Micros, Settings, Store, StoreError};
use rust_decimal::Decimal;
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

static SERVER: LazyLock<String> = LazyLock::new(server_url);
static COUNT: AtomicU32 = AtomicU32::new(0);

/// The server's URL: from the environment, else of the local stack.
fn server_url() -> String {
    if let Ok(url) = std::env::var("BALLAST_POSTGRES_URL") {
        return url;
    }
    let stack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../deploy/local/stack");
    let output = Command::new(&stack).arg("env").output();
    let text = output.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default();
    text.lines()
        .find_map(|l| l.strip_prefix("BALLAST_POSTGRES_URL="))
        .map(|url| url.trim_matches(['"', '\'']).to_owned())
        .expect("a Postgres: set BALLAST_POSTGRES_URL or run `deploy/local/stack up`")
}

/// An empty database.
pub struct Scratch {
    name: String,
    url: String,
}

impl Scratch {
    /// Makes it.
    pub async fn new() -> Self {
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("store_test_{}_{nanos}_{count}", std::process::id());
        let mut server = PgConnection::connect(&SERVER).await.unwrap();
        run(&mut server, format!("CREATE DATABASE {name}")).await;
        server.close().await.unwrap();
        let options: PgConnectOptions = SERVER.parse().unwrap();
        let url = options.database(&name).to_url_lossy().to_string();
        Scratch { name, url }
    }

    /// A store on it, after the migrations.
    pub async fn migrated(&self) -> Store {
        let store = Store::new(&self.settings()).unwrap();
        store.migrate().await.unwrap();
        store
    }

    /// Settings that point to it.
    pub fn settings(&self) -> Settings {
        Settings::from_url(&self.url)
    }

    /// A connection for what only a test does.
    pub async fn connection(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.unwrap()
    }

    /// Runs a statement.
    pub async fn run(&self, sql: impl Into<String>) -> u64 {
        run(&mut self.connection().await, sql.into()).await
    }

    /// One number.
    pub async fn number(&self, sql: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut self.connection().await).await.unwrap()
    }

    /// One text; `NULL` where there is none.
    pub async fn text(&self, sql: &str) -> String {
        let text: Option<String> =
            sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_optional(&mut self.connection().await).await.unwrap().flatten();
        text.unwrap_or_else(|| "NULL".to_owned())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // A runtime of its own: this one may be ending.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut server = PgConnection::connect(&SERVER).await.unwrap();
                run(&mut server, drop).await;
            });
        });
        dropping.join().unwrap();
    }
}

/// The topic under whose offsets `apply` applies.
pub const TOPIC: &str = "portfolio.ledger.v1";

/// Applies rows under offsets that nobody contends for.
pub async fn try_apply(store: &Store, mut batch: ProjectionBatch) -> Result<(), StoreError> {
    let stored = store.offsets(&[TOPIC]).await.unwrap();
    let expected = stored.first().map(|o| o.next_offset);
    batch.offsets = vec![OffsetAdvance { topic: TOPIC.to_owned(), partition: 0, expected, next: expected.unwrap_or(0) + 1 }];
    store.apply(&batch).await
}

/// The same of rows that fit.
pub async fn apply(store: &Store, batch: ProjectionBatch) {
    try_apply(store, batch).await.unwrap();
}

async fn run(connection: &mut PgConnection, sql: String) -> u64 {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.unwrap().rows_affected()
}

/// A complete snapshot that tells its value, and ten of cash.
pub fn snapshot(portfolio: &str, version: i64, at: i64, total: &str) -> SnapshotRow {
    SnapshotRow {
        portfolio_id: portfolio.to_owned(),
        version,
        as_of: Micros(at),
        base_currency: "USD".to_owned(),
        total_value: total.parse().unwrap(),
        cash_value: "10".parse().unwrap(),
        available_cash: "9.5".parse().unwrap(),
        cash: json!({"USD": {"trade_date": "10", "settled": "9.5"}}),
        returns: None,
        metrics: json!({}),
        allocations: json!([]),
        risk: json!({"exposure": {"net": "0.9"}}),
        health: json!({"complete": true}),
        complete: true,
        policy_version: None,
    }
}

/// A portfolio as its policy at that offset has it.
pub fn portfolio(id: &str, offset: i64) -> PortfolioRow {
    PortfolioRow {
        portfolio_id: id.to_owned(),
        session_id: Some(format!("session of {id}")),
        name: format!("{id} at {offset}"),
        description: None,
        kind: "BALANCED".to_owned(),
        target_risk: Some("0.12".parse().unwrap()),
        rebalance_freq: "DAILY".to_owned(),
        base_currency: "USD".to_owned(),
        benchmark: None,
        mode: "AUTOMATIC".to_owned(),
        policy_version: offset,
        policy: json!({"targets": [{"instrument_id": "AAPL", "target_weight": "0.5"}]}),
        closed: false,
        source_offset: offset,
        at: Micros(1_767_623_400_123_456 + offset),
        scaling_notice: Some("no figures of risk were read yet: targets are not scaled".to_owned()),
    }
}

/// What a record of `p1` tells of a day: a return, or why there is none.
pub fn returned(date: &str, offset: i64, change: &str) -> DayReturnRow {
    DayReturnRow {
        portfolio_id: "p1".to_owned(),
        date: date.to_owned(),
        time_weighted_return: change.parse().ok(),
        reason: change.parse::<Decimal>().is_err().then(|| change.to_owned()),
        method: "m".to_owned(),
        profit: None,
        benchmark_return: None,
        risk_free_return: None,
        trades: None,
        // The equity of the closes, in other decimals.
        total_value: Some("10.00".parse().unwrap()),
        net_external_flow: None,
        provisional: offset > 5,
        source_offset: offset,
    }
}
