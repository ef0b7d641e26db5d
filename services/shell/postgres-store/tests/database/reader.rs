//! The role of `deploy/reader.sql` on a real Postgres: it reads what is for people, and changes nothing.

use crate::scratch::Scratch;
use postgres_store::Micros;
use sqlx::{AssertSqlSafe, Connection};

const ROLE: &str = include_str!("../../../../../deploy/reader.sql");

#[tokio::test]
async fn a_reader_reads_tables_views_and_months_to_come_and_nothing_else() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    scratch.run(ROLE).await;
    scratch.run(ROLE).await;
    store.prepare_months(Micros(1_767_571_200_000_000)).await.unwrap();
    let mut reader = scratch.connection().await;
    sqlx::raw_sql("SET ROLE ballast_reader").execute(&mut reader).await.unwrap();
    for readable in [
        "SELECT count(*) FROM portfolios",
        "SELECT count(*) FROM performance_snapshots",
        "SELECT count(*) FROM closes",
        "SELECT count(*) FROM portfolio_rebalance",
        "SELECT count(*) FROM positions_as_of('p', now(), now())",
        "SELECT count(*) FROM values_by_day",
        "SELECT count(*) FROM returns_by_day",
    ] {
        sqlx::raw_sql(AssertSqlSafe(readable)).execute(&mut reader).await.unwrap_or_else(|error| panic!("{readable}: {error}"));
    }
    for refused in [
        "SELECT count(*) FROM checkpoints",
        "SELECT count(*) FROM checkpoint_segments",
        "DELETE FROM orders",
        "INSERT INTO projector_offsets VALUES ('t', 0, 0)",
        "SELECT drop_months('performance_snapshots', 'infinity')",
        "SELECT ensure_month('performance_snapshots', now())",
        "CREATE TABLE mine (a int)",
    ] {
        let error = sqlx::raw_sql(AssertSqlSafe(refused)).execute(&mut reader).await.expect_err(refused);
        assert!(error.to_string().contains("permission denied"), "{refused}: {error}");
    }
    reader.close().await.unwrap();
    // Roles are the server's, not the database's.
    scratch.run("DROP OWNED BY ballast_reader; DROP ROLE ballast_reader").await;
}
