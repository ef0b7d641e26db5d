//! Snapshots: every portfolio's valuations over time.
//!
//! Promises: a version is written once and never changed, and old ones go by the month only
//! ([`Store::drop_months`](crate::Store::drop_months)); each portfolio's newest stands apart and outlives every month.

use rust_decimal::Decimal;
use serde_json::Value;
use sqlx::{Postgres, Transaction};

use super::column::{column, json, newest, opt_json, text};
use crate::statement::Limit;
use crate::{Micros, StoreError};

const DOING: &str = "projecting snapshots";

/// A valuation; values are in the base currency.
#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotRow {
    /// Portfolio.
    pub portfolio_id: String,
    /// Version, rising by portfolio.
    pub version: i64,
    /// The moment that it shows.
    pub as_of: Micros,
    /// Base currency.
    pub base_currency: String,
    /// Equity.
    pub total_value: Decimal,
    /// Cash of every currency.
    pub cash_value: Decimal,
    /// Cash that may be spent.
    pub available_cash: Decimal,
    /// Cash by currency, trade-date and settled.
    pub cash: Value,
    /// Daily, month-to-date and year-to-date returns, fractions of one; null until they are known.
    pub returns: Option<Value>,
    /// Profit and flows.
    pub metrics: Value,
    /// Lines by falling absolute value.
    pub allocations: Value,
    /// Exposure, exposure by sector, concentration.
    pub risk: Value,
    /// Complete, stale, unpriced, quarantined, unreconciled.
    pub health: Value,
    /// Whether every position has a fresh price and nothing waits.
    pub complete: bool,
    /// Version of the policy.
    pub policy_version: Option<i64>,
}

pub(super) async fn insert(limit: &Limit, transaction: &mut Transaction<'_, Postgres>, rows: &[SnapshotRow]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let statement = sqlx::query(INSERT)
        .bind(column(rows, |r| text(&r.portfolio_id)))
        .bind(column(rows, |r| r.version))
        .bind(column(rows, |r| r.as_of))
        .bind(column(rows, |r| text(&r.base_currency)))
        .bind(column(rows, |r| r.total_value))
        .bind(column(rows, |r| r.cash_value))
        .bind(column(rows, |r| r.available_cash))
        .bind(column(rows, |r| json(&r.cash)))
        .bind(column(rows, |r| opt_json(&r.returns)))
        .bind(column(rows, |r| json(&r.metrics)))
        .bind(column(rows, |r| json(&r.allocations)))
        .bind(column(rows, |r| json(&r.risk)))
        .bind(column(rows, |r| json(&r.health)))
        .bind(column(rows, |r| r.complete))
        .bind(column(rows, |r| r.policy_version))
        .execute(&mut **transaction);
    limit.run(DOING, statement).await?;
    upsert_latest(limit, transaction, rows).await
}

async fn upsert_latest(limit: &Limit, transaction: &mut Transaction<'_, Postgres>, rows: &[SnapshotRow]) -> Result<(), StoreError> {
    let rows = newest(rows, |r| &r.portfolio_id, |r| r.version);
    let statement = sqlx::query(UPSERT_LATEST)
        .bind(column(&rows, |r| text(&r.portfolio_id)))
        .bind(column(&rows, |r| r.version))
        .bind(column(&rows, |r| r.as_of))
        .bind(column(&rows, |r| text(&r.base_currency)))
        .bind(column(&rows, |r| r.total_value))
        .bind(column(&rows, |r| r.cash_value))
        .bind(column(&rows, |r| r.available_cash))
        .bind(column(&rows, |r| json(&r.cash)))
        .bind(column(&rows, |r| json(&r.metrics)))
        .bind(column(&rows, |r| json(&r.risk)))
        .bind(column(&rows, |r| json(&r.health)))
        .bind(column(&rows, |r| r.complete))
        .bind(column(&rows, |r| r.policy_version))
        .execute(&mut **transaction);
    limit.run(DOING, statement).await?;
    Ok(())
}

const INSERT: &str = "
INSERT INTO performance_snapshots
    (portfolio_id, version, timestamp, base_currency, total_value, cash_value, available_cash, cash,
     returns, metrics, allocations, risk, health, complete, policy_version)
SELECT portfolio_id, version, as_of, base_currency, total_value, cash_value, available_cash,
       cash::jsonb, returns::jsonb, metrics::jsonb, allocations::jsonb, risk::jsonb, health::jsonb,
       complete, policy_version
FROM UNNEST($1::text[], $2::bigint[], $3::timestamptz[], $4::text[], $5::numeric[], $6::numeric[],
            $7::numeric[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[],
            $13::text[], $14::bool[], $15::bigint[])
    AS g (portfolio_id, version, as_of, base_currency, total_value, cash_value, available_cash,
          cash, returns, metrics, allocations, risk, health, complete, policy_version)
ON CONFLICT DO NOTHING";

const UPSERT_LATEST: &str = "
INSERT INTO latest_snapshots AS l
    (portfolio_id, version, timestamp, base_currency, total_value, cash_value, available_cash, cash, metrics, risk, health,
     complete, policy_version)
SELECT portfolio_id, version, as_of, base_currency, total_value, cash_value, available_cash, cash::jsonb, metrics::jsonb,
       risk::jsonb, health::jsonb, complete, policy_version
FROM UNNEST($1::text[], $2::bigint[], $3::timestamptz[], $4::text[], $5::numeric[], $6::numeric[], $7::numeric[], $8::text[],
            $9::text[], $10::text[], $11::text[], $12::bool[], $13::bigint[])
    AS g (portfolio_id, version, as_of, base_currency, total_value, cash_value, available_cash, cash, metrics, risk, health,
          complete, policy_version)
ON CONFLICT (portfolio_id) DO UPDATE SET
    version = EXCLUDED.version, timestamp = EXCLUDED.timestamp, base_currency = EXCLUDED.base_currency,
    total_value = EXCLUDED.total_value, cash_value = EXCLUDED.cash_value, available_cash = EXCLUDED.available_cash,
    cash = EXCLUDED.cash, metrics = EXCLUDED.metrics, risk = EXCLUDED.risk, health = EXCLUDED.health,
    complete = EXCLUDED.complete, policy_version = EXCLUDED.policy_version
WHERE l.version < EXCLUDED.version";
