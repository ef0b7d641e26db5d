//! Closed days, from the closes' topic.
//!
//! Promises: every version that was read stays, with the time in which it was the newest, and the day's values are those
//! of the newest. Old days go by the month only ([`Store::drop_months`](crate::Store::drop_months)); their values stay.

use rust_decimal::Decimal;
use serde_json::Value;
use sqlx::{Postgres, Transaction};

use super::column::{column, json, newest, opt_text, text};
use crate::statement::Limit;
use crate::{Micros, StoreError};

/// A closed day; values are in the base currency.
#[derive(Debug, Clone, PartialEq)]
pub struct CloseRow {
    /// Portfolio.
    pub portfolio_id: String,
    /// Its day, as YYYY-MM-DD.
    pub date: String,
    /// Version, rising by day: newer wins.
    pub version: i64,
    /// Base currency.
    pub base_currency: Option<String>,
    /// When the day was cut.
    pub cut_at: Option<Micros>,
    /// When this version was made.
    pub as_of: Option<Micros>,
    /// Equity.
    pub equity: Decimal,
    /// Net external flows since the close before.
    pub net_external_flow: Decimal,
    /// Those of all days up to this one.
    pub net_flows: Option<Decimal>,
    /// Holdings.
    pub positions: Value,
    /// Cash by currency.
    pub cash: Value,
    /// Receivables by currency.
    pub receivables: Value,
    /// What both are worth.
    pub currencies: Value,
    /// Whether every price and rate was there and no record waited.
    pub complete: bool,
    /// Whether another version is to be expected.
    pub provisional: bool,
    /// Why.
    pub incomplete_reason: Option<String>,
    /// Version of the policy.
    pub policy_version: Option<i64>,
    /// What its cash is worth, where that is told.
    pub cash_value: Option<Decimal>,
    /// Value of long holdings, of a future its notional.
    pub long_value: Option<Decimal>,
    /// Magnitude of short holdings, of a future its notional.
    pub short_value: Option<Decimal>,
}

const DOING: &str = "projecting closes";

pub(super) async fn upsert(limit: &Limit, transaction: &mut Transaction<'_, Postgres>, rows: &[CloseRow]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    insert_versions(limit, transaction, rows).await?;
    let days = newest(rows, |r| (&r.portfolio_id, &r.date), |r| r.version);
    number_times(limit, transaction, &days).await?;
    upsert_values(limit, transaction, &days).await
}

async fn insert_versions(limit: &Limit, transaction: &mut Transaction<'_, Postgres>, rows: &[CloseRow]) -> Result<(), StoreError> {
    let statement = sqlx::query(INSERT)
        .bind(column(rows, |r| text(&r.portfolio_id)))
        .bind(column(rows, |r| text(&r.date)))
        .bind(column(rows, |r| r.version))
        .bind(column(rows, |r| opt_text(&r.base_currency)))
        .bind(column(rows, |r| r.cut_at))
        .bind(column(rows, |r| r.as_of))
        .bind(column(rows, |r| r.equity))
        .bind(column(rows, |r| r.net_external_flow))
        .bind(column(rows, |r| r.net_flows))
        .bind(column(rows, |r| json(&r.positions)))
        .bind(column(rows, |r| json(&r.cash)))
        .bind(column(rows, |r| json(&r.receivables)))
        .bind(column(rows, |r| json(&r.currencies)))
        .bind(column(rows, |r| r.complete))
        .bind(column(rows, |r| r.provisional))
        .bind(column(rows, |r| opt_text(&r.incomplete_reason)))
        .bind(column(rows, |r| r.policy_version))
        .execute(&mut **transaction);
    limit.run(DOING, statement).await?;
    Ok(())
}

/// Says of each version of these days until when it was the newest.
async fn number_times(limit: &Limit, transaction: &mut Transaction<'_, Postgres>, days: &[&CloseRow]) -> Result<(), StoreError> {
    let statement = sqlx::query(NUMBER_TIMES)
        .bind(column(days, |r| text(&r.portfolio_id)))
        .bind(column(days, |r| text(&r.date)))
        .execute(&mut **transaction);
    limit.run(DOING, statement).await?;
    Ok(())
}

async fn upsert_values(limit: &Limit, transaction: &mut Transaction<'_, Postgres>, days: &[&CloseRow]) -> Result<(), StoreError> {
    let statement = sqlx::query(UPSERT_VALUES)
        .bind(column(days, |r| text(&r.portfolio_id)))
        .bind(column(days, |r| text(&r.date)))
        .bind(column(days, |r| r.version))
        .bind(column(days, |r| r.equity))
        .bind(column(days, |r| r.cash_value))
        .bind(column(days, |r| r.long_value))
        .bind(column(days, |r| r.short_value))
        .bind(column(days, |r| r.net_external_flow))
        .bind(column(days, |r| r.complete))
        .bind(column(days, |r| r.provisional))
        .bind(column(days, |r| r.cut_at))
        .execute(&mut **transaction);
    limit.run(DOING, statement).await?;
    Ok(())
}

const INSERT: &str = "
INSERT INTO close_versions
    (portfolio_id, date, version, base_currency, cut_at, as_of, equity, net_external_flow, net_flows, positions, cash, receivables,
     currencies, complete, provisional, incomplete_reason, policy_version, known_from)
SELECT portfolio_id, date::date, version, base_currency, cut_at, as_of, equity, net_external_flow, net_flows, positions::jsonb,
       cash::jsonb, receivables::jsonb, currencies::jsonb, complete, provisional, incomplete_reason, policy_version,
       coalesce(as_of, cut_at, (date::date + 1)::timestamp AT TIME ZONE 'UTC')
FROM UNNEST($1::text[], $2::text[], $3::bigint[], $4::text[], $5::timestamptz[], $6::timestamptz[],
            $7::numeric[], $8::numeric[], $9::numeric[], $10::text[], $11::text[], $12::text[],
            $13::text[], $14::bool[], $15::bool[], $16::text[], $17::bigint[])
    AS g (portfolio_id, date, version, base_currency, cut_at, as_of, equity, net_external_flow, net_flows,
          positions, cash, receivables, currencies, complete, provisional, incomplete_reason, policy_version)
ON CONFLICT DO NOTHING";

// The least and the greatest day tell the server which months it need not look at.
const NUMBER_TIMES: &str = "
WITH days AS MATERIALIZED (SELECT portfolio_id, day::date AS date FROM UNNEST($1::text[], $2::text[]) AS d (portfolio_id, day)),
told AS MATERIALIZED (
    SELECT v.portfolio_id, v.date, v.version,
           lead(v.known_from) OVER (PARTITION BY v.portfolio_id, v.date ORDER BY v.version) AS until
    FROM days JOIN close_versions v USING (portfolio_id, date)
    WHERE v.date >= (SELECT min(date) FROM days) AND v.date <= (SELECT max(date) FROM days))
UPDATE close_versions c SET known_until = told.until FROM told
WHERE c.portfolio_id = told.portfolio_id AND c.date = told.date AND c.version = told.version
  AND c.known_until IS DISTINCT FROM told.until
  AND c.date >= (SELECT min(date) FROM days) AND c.date <= (SELECT max(date) FROM days)";

const UPSERT_VALUES: &str = "
INSERT INTO values_by_day AS v
    (portfolio_id, date, cut_at, version, total_value, cash_value, long_value, short_value, net_external_flow, complete, provisional)
SELECT portfolio_id, date::date, cut_at, version, total_value, cash_value, long_value, short_value, net_external_flow, complete, provisional
FROM UNNEST($1::text[], $2::text[], $3::bigint[], $4::numeric[], $5::numeric[], $6::numeric[], $7::numeric[], $8::numeric[],
            $9::bool[], $10::bool[], $11::timestamptz[])
    AS g (portfolio_id, date, version, total_value, cash_value, long_value, short_value, net_external_flow, complete, provisional, cut_at)
ON CONFLICT (portfolio_id, date) DO UPDATE SET
    cut_at = EXCLUDED.cut_at, version = EXCLUDED.version, total_value = EXCLUDED.total_value, cash_value = EXCLUDED.cash_value,
    long_value = EXCLUDED.long_value, short_value = EXCLUDED.short_value, net_external_flow = EXCLUDED.net_external_flow,
    complete = EXCLUDED.complete, provisional = EXCLUDED.provisional
WHERE v.version < EXCLUDED.version OR (v.version = EXCLUDED.version AND v.long_value IS NULL)";
