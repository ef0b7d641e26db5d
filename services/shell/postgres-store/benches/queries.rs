//! How fast the tables answer with many portfolios and many years in them: it fills a database of its own, asks each
//! question of a random portfolio again and again, one after the other, and shows the times. A question whose 99th
//! percentile is above the limit, or whose plan reads a whole table, fails the bench.
//!
//! `BALLAST_POSTGRES_URL` names the server; `BALLAST_BENCH_PORTFOLIOS`, `BALLAST_BENCH_YEARS` and
//! `BALLAST_BENCH_QUESTIONS` set the size. The rows are made up; the statements are those of the crate.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a bench that cannot go on has failed")]

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use postgres_store::queries::STATEMENTS;
use postgres_store::{Micros, Settings, Store, StoreError};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};

/// What a question may take, at its 99th percentile.
const LIMIT: Duration = Duration::from_millis(10);
/// Questions before the measurement, so that pages and plans are where they are in service.
const WARM: u64 = 200;
const DATABASE: &str = "ballast_bench_queries";

fn main() {
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    let size = Size {
        portfolios: from_environment("BALLAST_BENCH_PORTFOLIOS", 10_000),
        years: from_environment("BALLAST_BENCH_YEARS", 10),
        questions: from_environment("BALLAST_BENCH_QUESTIONS", 2_000),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(measure(&size));
}

struct Size {
    portfolios: u64,
    years: u64,
    questions: u64,
}

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}: it is no number")))
}

async fn measure(size: &Size) {
    let url = std::env::var("BALLAST_POSTGRES_URL").expect("BALLAST_POSTGRES_URL names a server: `make bench-sql` starts one");
    let server: PgConnectOptions = url.parse().unwrap();
    let mut admin = PgConnection::connect_with(&server).await.unwrap();
    run(&mut admin, &format!("DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")).await;
    run(&mut admin, &format!("CREATE DATABASE {DATABASE}")).await;
    let options = server.database(DATABASE);
    let settings = Settings { statement_timeout_ms: 0, ..Settings::from_url(options.to_url_lossy().as_str()) };
    let store = Store::new(&settings).unwrap();
    store.migrate().await.unwrap();
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    load(&store, &mut connection, size).await;
    let slow = ask_all(&store, size).await;
    let whole = whole_reads(&mut connection).await;
    store.close().await;
    connection.close().await.unwrap();
    run(&mut admin, &format!("DROP DATABASE {DATABASE} WITH (FORCE)")).await;
    assert!(whole.is_empty(), "these read a whole table: {whole:?}");
    assert!(slow.is_empty(), "these are slower than {LIMIT:?} at their 99th percentile: {slow:?}");
}

async fn run(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// The last day of the made-up years is yesterday.
async fn load(store: &Store, connection: &mut PgConnection, size: &Size) {
    let began = Instant::now();
    run(connection, "SET synchronous_commit = off; SET maintenance_work_mem = '512MB'; SET jit = off").await;
    for month in 0..=size.years * 12 {
        let sql = format!("SELECT extract(epoch FROM now() - interval '{month} months')::bigint * 1000000");
        let moment: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut *connection).await.unwrap();
        store.prepare_months(Micros(moment)).await.unwrap();
    }
    run(
        connection,
        include_str!("rows.sql").replace(":portfolios", &size.portfolios.to_string()).replace(":years", &size.years.to_string()).as_str(),
    )
    .await;
    // The server has written what it was given before it is asked: else its checkpoint would run beside the questions.
    run(connection, "VACUUM ANALYZE").await;
    run(connection, "CHECKPOINT").await;
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM values_by_day").fetch_one(&mut *connection).await.unwrap();
    let bytes: String =
        sqlx::query_scalar("SELECT pg_size_pretty(pg_database_size(current_database()))").fetch_one(connection).await.unwrap();
    println!("{} portfolios, {} years, {count} days, {bytes}: filled in {:.0?}", size.portfolios, size.years, began.elapsed());
}

type Asked<'a> = Pin<Box<dyn Future<Output = Result<usize, StoreError>> + 'a>>;
type Question = for<'a> fn(&'a Store, &'a str) -> Asked<'a>;

/// Yesterday evening, and a quarter ago, by the machine's clock.
fn moments() -> (Micros, Micros) {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = i64::try_from(now.as_micros()).unwrap();
    (Micros(now - 90 * 86_400_000_000), Micros(now - 20 * 86_400_000_000))
}

/// Each question as the commands ask it. The number is of what it found, so that nothing is measured that finds nothing.
const QUESTIONS: [(&str, Question); 9] = [
    // What the machine itself takes for a question: on a busy one, all of the others take that much longer.
    ("a sign of life", |store, _| Box::pin(async move { store.ping().await.map(|()| 1) })),
    ("portfolio of a session", |store, id| {
        Box::pin(async move { Ok(usize::from(store.portfolio_of(&format!("session-{id}")).await?.is_some())) })
    }),
    ("portfolio, whole", |store, id| Box::pin(async move { Ok(store.portfolio(id).await?.map_or(0, |view| view.allocations.len())) })),
    ("portfolio as of a moment, as known at another", |store, id| {
        Box::pin(async move {
            let (_, moment) = moments();
            let view = store.portfolio_as_of(id, moment, Micros(moment.0 + 86_400_000_000)).await?;
            Ok(view.and_then(|view| view.past).map_or(0, |past| past.positions.len()))
        })
    }),
    ("days of a year", |store, id| Box::pin(async move { Ok(store.days(id, &year(), "2899-12-31").await?.len()) })),
    ("days of all years", |store, id| Box::pin(async move { Ok(store.days(id, "1900-01-01", "2899-12-31").await?.len()) })),
    ("profit by grouping of a quarter", |store, id| {
        Box::pin(async move {
            let (from, to) = moments();
            Ok(store.attribution(id, from, to).await?.len())
        })
    }),
    ("figures as of a moment", |store, id| Box::pin(async move { Ok(store.performance_as_of(id, moments().1).await?.len()) })),
    ("open rebalances", |store, id| Box::pin(async move { Ok(store.open_rebalances(id).await?.len()) })),
];

/// The first of January of the year before this one.
fn year() -> String {
    let days = moments().1.0 / 86_400_000_000;
    format!("{}-01-01", 1969 + days / 365)
}

async fn ask_all(store: &Store, size: &Size) -> Vec<&'static str> {
    println!("  {:<50} {:>9} {:>9} {:>9} {:>7}", "question", "median", "p99", "worst", "rows");
    let mut slow = Vec::new();
    for (name, question) in QUESTIONS {
        let (mut times, mut rows) = (Vec::new(), 0);
        for at in 0..WARM + size.questions {
            // A stride that meets every portfolio, in no order that pages follow.
            let id = format!("portfolio-{:05}", at * 7_919 % size.portfolios);
            let began = Instant::now();
            let found = question(store, &id).await.unwrap();
            if at >= WARM {
                times.push(began.elapsed());
                rows += found;
            }
        }
        times.sort_unstable();
        let (median, p99, worst) = (times[times.len() / 2], times[times.len() * 99 / 100], times[times.len() - 1]);
        println!("  {name:<50} {:>9} {:>9} {:>9} {:>7}", shown(median), shown(p99), shown(worst), rows / times.len());
        assert!(rows > 0, "{name} finds nothing");
        if p99 > LIMIT {
            slow.push(name);
        }
    }
    slow
}

fn shown(time: Duration) -> String {
    format!("{}.{:02} ms", time.as_micros() / 1_000, time.as_micros() % 1_000 / 10)
}

/// Pages above which reading a table whole is no way to find a row.
const SMALL_PAGES: i32 = 100;

/// Statements whose plan, as the server makes it for any value, reads a large table whole.
async fn whole_reads(connection: &mut PgConnection) -> Vec<String> {
    let large = sqlx::query_scalar("SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relpages > $1").bind(SMALL_PAGES);
    let large: BTreeSet<String> = large.fetch_all(&mut *connection).await.unwrap().into_iter().collect();
    let is_large = |line: &&String| {
        line.split("Seq Scan on ").nth(1).and_then(|rest| rest.split(' ').next()).is_some_and(|table| large.contains(table))
    };
    let mut whole = Vec::new();
    for (name, sql) in STATEMENTS {
        let explain = format!("EXPLAIN (GENERIC_PLAN, COSTS OFF) {sql}");
        // The simple protocol: with the other one the placeholders would want values.
        let rows =
            sqlx::raw_sql(AssertSqlSafe(explain)).fetch_all(&mut *connection).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        whole.extend(lines.iter().filter(is_large).map(|line| format!("{name}: {}", line.trim())));
    }
    whole
}
