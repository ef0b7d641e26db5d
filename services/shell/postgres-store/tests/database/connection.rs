//! Reaching Postgres, and what is said when it fails.

use std::time::{Duration, Instant};

use crate::scratch::Scratch;
use postgres_store::checkpoints::LaneKey;
use postgres_store::projections::{OffsetAdvance, ProjectionBatch};
use postgres_store::{Retry, Secret, Settings, Store, StoreError, TlsMode};

fn one_offset() -> ProjectionBatch {
    ProjectionBatch {
        offsets: vec![OffsetAdvance { topic: "t".to_owned(), partition: 0, expected: Some(0), next: 1 }],
        ..ProjectionBatch::default()
    }
}

/// Waits until a query of the store waits for a lock.
async fn until_blocked(scratch: &Scratch) {
    let blocked = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let since = Instant::now();
    while scratch.number(blocked).await == 0 {
        assert!(since.elapsed() < Duration::from_secs(10), "nobody waits");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_database_without_migrations_says_what_to_run() {
    let scratch = Scratch::new().await;
    let store = Store::new(&scratch.settings()).unwrap();
    store.ping().await.unwrap();
    let missing = store.check().await.unwrap_err();
    let message = missing.to_string();
    assert!(message.starts_with("migration 1 "), "{message}");
    assert!(message.ends_with("run `ballast migrate`"), "{message}");
    let early = store.load_newest(&LaneKey::new("d", "r", 0), 0).await.unwrap_err();
    assert!(early.to_string().contains("run `ballast migrate`"), "{early}");

    let (one, two) = tokio::join!(store.migrate(), store.migrate());
    one.unwrap();
    two.unwrap();
    store.check().await.unwrap();
    store.migrate().await.unwrap();

    scratch.run("DELETE FROM _sqlx_migrations WHERE version = 2").await;
    let missing = store.check().await.unwrap_err();
    assert!(matches!(missing, StoreError::MissingMigration { version: 2, .. }), "{missing}");
    scratch.run("INSERT INTO _sqlx_migrations VALUES (2, 'x', now(), true, 'x', 1)").await;
    let changed = store.check().await.unwrap_err();
    assert!(changed.to_string().contains("another content"), "{changed}");
    scratch.run("INSERT INTO _sqlx_migrations VALUES (999, 'x', now(), true, 'x', 1)").await;
    scratch.run("UPDATE _sqlx_migrations SET version = 998 WHERE version = 2").await;
    let error = store.migrate().await.unwrap_err();
    assert!(matches!(error, StoreError::ForeignMigration { .. }), "{error}");
}

#[tokio::test]
async fn an_unreachable_server_is_worth_a_retry() {
    let settings = Settings { host: Some("127.0.0.1".to_owned()), port: Some(1), acquire_timeout_ms: 1_000, ..Settings::default() };
    let store = Store::new(&settings).unwrap();
    let error = store.ping().await.unwrap_err();
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");
    assert_eq!(error.retry(), Retry::SameCall);
    assert!(error.to_string().contains("cannot be reached at 127.0.0.1:1 ("), "{error}");
}

#[tokio::test]
async fn a_silent_server_does_not_hold_us() {
    // It accepts, and never answers.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let settings = Settings {
        host: Some("127.0.0.1".to_owned()),
        port: Some(silent.local_addr().unwrap().port()),
        acquire_timeout_ms: 300,
        ..Settings::default()
    };
    let since = Instant::now();
    let error = Store::new(&settings).unwrap().ping().await.unwrap_err();
    assert_eq!(error.retry(), Retry::SameCall, "{error}");
    assert!(since.elapsed() < Duration::from_secs(3));
    let since = Instant::now();
    let password =
        Settings { url: Some(Secret::new(format!("postgres://me:hidden@{address}/db"))), acquire_timeout_ms: 300, ..Settings::default() };
    let told = Store::new(&password).unwrap().migrate().await.unwrap_err();
    assert!(since.elapsed() < Duration::from_secs(3));
    assert!(told.to_string().contains(&format!("at {address} within")) && !told.to_string().contains("hidden"), "{told}");
}

#[tokio::test]
async fn a_missing_database_is_the_operators() {
    let scratch = Scratch::new().await;
    let url = format!("{}_absent", scratch.settings().url.unwrap().reveal().split('?').next().unwrap());
    let error = Store::new(&Settings::from_url(&url)).unwrap().ping().await.unwrap_err();
    assert_eq!(error.retry(), Retry::Never);
    assert!(error.to_string().contains("create the database"), "{error}");
}

#[tokio::test]
async fn the_statement_timeout_is_kept() {
    let scratch = Scratch::new().await;
    scratch.migrated().await;
    scratch.run("INSERT INTO projector_offsets VALUES ('t', 0, 0)").await;
    let mut holder = scratch.connection().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE projector_offsets").execute(&mut holder).await.unwrap();
    for (statement_ms, lock_ms, limit) in [(300, 0, "statement_timeout"), (0, 300, "lock_timeout")] {
        let store = Store::new(&Settings { statement_timeout_ms: statement_ms, lock_timeout_ms: lock_ms, ..scratch.settings() }).unwrap();
        let since = Instant::now();
        let error = store.apply(&one_offset()).await.unwrap_err();
        assert!(error.to_string().contains(limit), "{error}");
        assert_eq!(error.retry(), Retry::SameCall);
        assert!(since.elapsed() < Duration::from_secs(5));
    }
}

#[tokio::test]
async fn a_connection_killed_in_the_middle_is_worth_a_retry_and_leaves_nothing() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    scratch.run("INSERT INTO projector_offsets VALUES ('t', 0, 0)").await;
    let mut holder = scratch.connection().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE projector_offsets").execute(&mut holder).await.unwrap();
    let applying = tokio::spawn({
        let store = store.clone();
        async move { store.apply(&one_offset()).await }
    });
    until_blocked(&scratch).await;
    scratch
        .run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
              WHERE datname = current_database() AND wait_event_type = 'Lock'",
        )
        .await;
    let error = applying.await.unwrap().unwrap_err();
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");
    assert_eq!(error.retry(), Retry::SameCall);
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();
    store.apply(&one_offset()).await.unwrap();
    assert_eq!(store.offsets(&["t"]).await.unwrap()[0].next_offset, 1);
}

#[tokio::test]
async fn tls_is_demanded_when_it_is_asked_for() {
    let scratch = Scratch::new().await;
    if scratch.text("SHOW ssl").await == "on" {
        return;
    }
    for (tls, works) in [(TlsMode::Disable, true), (TlsMode::Prefer, true), (TlsMode::Require, false), (TlsMode::VerifyFull, false)] {
        let settings = Settings { tls: Some(tls), ..scratch.settings() };
        let outcome = Store::new(&settings).unwrap().ping().await;
        assert_eq!(outcome.is_ok(), works, "{tls:?}: {outcome:?}");
        if let Err(error) = outcome {
            assert!(error.to_string().contains("`tls`"), "{error}");
        }
    }
}

#[tokio::test]
async fn the_session_shows_its_name_and_keeps_its_limits() {
    let scratch = Scratch::new().await;
    let store = Store::new(&Settings { application_name: "keeper-1".to_owned(), ..scratch.settings() }).unwrap();
    store.ping().await.unwrap();
    let mine = "SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND application_name = 'keeper-1'";
    assert_eq!(scratch.number(mine).await, 1);
    store.close().await;
    assert_eq!(store.ping().await.unwrap_err().retry(), Retry::SameCall);
}

#[tokio::test]
async fn settings_that_cannot_be_used_say_what_to_change() {
    let from = |text: &str| toml::from_str::<Settings>(text).unwrap();
    let refused = |text: &str| Store::new(&from(text)).unwrap_err().to_string();
    assert!(refused("url = 'postgres://a/b'\nhost = 'c'").contains("keep one form"));
    let bad_url = refused("url = 'mysql://me:hidden@host/db'");
    assert!(bad_url.contains("postgres://user") && !bad_url.contains("hidden"), "{bad_url}");
    assert!(refused("password_file = '/nonexistent/pw'").contains("`password_file`"));
    assert!(refused("root_cert = '/nonexistent/ca'").contains("`root_cert`"));
    assert!(refused("client_cert = '/nonexistent/c'").contains("belong together"));
    assert!(refused("pool_size = 0").contains("`pool_size`"));
    assert!(toml::from_str::<Settings>("hots = 'x'").unwrap_err().to_string().contains("unknown field"));
    assert_eq!(from("tls = 'verify-full'").tls, Some(TlsMode::VerifyFull));
    assert!(toml::from_str::<Settings>("tls = 'maybe'").is_err());
}

#[tokio::test]
async fn secrets_are_never_shown() {
    let settings = Settings::from_url("postgres://me:hidden@host/db");
    let store = Store::new(&settings).unwrap();
    assert!(!format!("{settings:?} {store:?}").contains("hidden"));
    assert_eq!(format!("{} {:?}", Secret::new("hidden"), Secret::new("hidden")), "*** ***");
}
