//! Closed days, from the closes' topic.
//!
//! Promises: of each portfolio and day the newest version. Earlier versions stand in the topic alone. Old days go only by
//! [`Store::prune_closes`], and never a portfolio's newest.

use rust_decimal::Decimal;
use serde_json::Value;
use sqlx::{Postgres, Transaction};

use super::column::{column, json, newest, opt_text, text};
use crate::statement::Limit;
use crate::{Micros, Store, StoreError};

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
}

impl Store {
    /// Removes days that were cut before a moment, but never a portfolio's newest, at most `limit` of them; answers how
    /// many. Call again until it answers fewer than `limit`.
    ///
    /// # Errors
    /// What the server says.
    pub async fn prune_closes(&self, before: Micros, limit: i64) -> Result<u64, StoreError> {
        self.prune("pruning closes", PRUNE, before, limit).await
    }
}

const PRUNE: &str = "
DELETE FROM closes WHERE (portfolio_id, date) IN (
    SELECT c.portfolio_id, c.date FROM closes c
    WHERE c.cut_at < $1
      AND EXISTS (SELECT 1 FROM closes n WHERE n.portfolio_id = c.portfolio_id AND n.date > c.date)
    ORDER BY c.cut_at LIMIT $2)";

pub(super) async fn upsert(limit: &Limit, transaction: &mut Transaction<'_, Postgres>, rows: &[CloseRow]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows = newest(rows, |r| (&r.portfolio_id, &r.date), |r| r.version);
    let statement = sqlx::query(UPSERT)
        .bind(column(&rows, |r| text(&r.portfolio_id)))
        .bind(column(&rows, |r| text(&r.date)))
        .bind(column(&rows, |r| r.version))
        .bind(column(&rows, |r| opt_text(&r.base_currency)))
        .bind(column(&rows, |r| r.cut_at))
        .bind(column(&rows, |r| r.as_of))
        .bind(column(&rows, |r| r.equity))
        .bind(column(&rows, |r| r.net_external_flow))
        .bind(column(&rows, |r| r.net_flows))
        .bind(column(&rows, |r| json(&r.positions)))
        .bind(column(&rows, |r| json(&r.cash)))
        .bind(column(&rows, |r| json(&r.receivables)))
        .bind(column(&rows, |r| json(&r.currencies)))
        .bind(column(&rows, |r| r.complete))
        .bind(column(&rows, |r| r.provisional))
        .bind(column(&rows, |r| opt_text(&r.incomplete_reason)))
        .bind(column(&rows, |r| r.policy_version))
        .execute(&mut **transaction);
    limit.run("projecting closes", statement).await?;
    Ok(())
}

const UPSERT: &str = "
INSERT INTO closes AS c
    (portfolio_id, date, version, base_currency, cut_at, as_of, equity, net_external_flow, net_flows,
     positions, cash, receivables, currencies, complete, provisional, incomplete_reason, policy_version)
SELECT portfolio_id, date::date, version, base_currency, cut_at, as_of, equity, net_external_flow, net_flows,
       positions::jsonb, cash::jsonb, receivables::jsonb, currencies::jsonb, complete, provisional,
       incomplete_reason, policy_version
FROM UNNEST($1::text[], $2::text[], $3::bigint[], $4::text[], $5::timestamptz[], $6::timestamptz[],
            $7::numeric[], $8::numeric[], $9::numeric[], $10::text[], $11::text[], $12::text[],
            $13::text[], $14::bool[], $15::bool[], $16::text[], $17::bigint[])
    AS g (portfolio_id, date, version, base_currency, cut_at, as_of, equity, net_external_flow, net_flows,
          positions, cash, receivables, currencies, complete, provisional, incomplete_reason, policy_version)
ON CONFLICT (portfolio_id, date) DO UPDATE SET
    version = EXCLUDED.version, base_currency = EXCLUDED.base_currency, cut_at = EXCLUDED.cut_at,
    as_of = EXCLUDED.as_of, equity = EXCLUDED.equity, net_external_flow = EXCLUDED.net_external_flow,
    net_flows = EXCLUDED.net_flows, positions = EXCLUDED.positions, cash = EXCLUDED.cash,
    receivables = EXCLUDED.receivables, currencies = EXCLUDED.currencies, complete = EXCLUDED.complete,
    provisional = EXCLUDED.provisional, incomplete_reason = EXCLUDED.incomplete_reason,
    policy_version = EXCLUDED.policy_version
WHERE c.version < EXCLUDED.version";
