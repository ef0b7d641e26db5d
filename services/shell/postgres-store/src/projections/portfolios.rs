//! Portfolios, from their policies.
//!
//! Promises: the newest policy by offset wins; a `session_id` belongs to the portfolio that had it
//! first for as long as its policies name it, a second claim is kept aside in `session_conflict` and blocks nothing.

use rust_decimal::Decimal;
use serde_json::Value;
use sqlx::{Postgres, Transaction};
use std::collections::BTreeMap;

use super::column::{column, json, newest, opt_text, text};
use crate::statement::Limit;
use crate::{Micros, StoreError};

/// A portfolio and its policy.
#[derive(Debug, Clone, PartialEq)]
pub struct PortfolioRow {
    /// Key.
    pub portfolio_id: String,
    /// The session that it belongs to; unique over portfolios.
    pub session_id: Option<String>,
    /// Name for people; the id where the policy has none.
    pub name: String,
    /// Text for people.
    pub description: Option<String>,
    /// AGGRESSIVE, BALANCED, CONSERVATIVE or CUSTOM.
    pub kind: String,
    /// Yearly volatility, a fraction of one.
    pub target_risk: Option<Decimal>,
    /// NONE, DAILY, WEEKLY or MONTHLY.
    pub rebalance_freq: String,
    /// ISO 4217 code, or a coin's.
    pub base_currency: String,
    /// Instrument of the benchmark.
    pub benchmark: Option<String>,
    /// AUTOMATIC or APPROVAL.
    pub mode: String,
    /// Rising number of the policy.
    pub policy_version: i64,
    /// The whole policy.
    pub policy: Value,
    /// Why targets that are to follow the risk do not follow its newest figures.
    pub scaling_notice: Option<String>,
    /// Whether a null policy closed the portfolio. (Give the last policy's fields again.)
    pub closed: bool,
    /// Offset of the policy in its partition: newer wins.
    pub source_offset: i64,
    /// Time of the policy.
    pub at: Micros,
}

pub(super) async fn upsert(limit: &Limit, transaction: &mut Transaction<'_, Postgres>, rows: &[PortfolioRow]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let claimed = claims(rows);
    let rows = newest(rows, |r| &r.portfolio_id, |r| r.source_offset);
    let released = sqlx::query(RELEASE)
        .bind(column(&rows, |r| text(&r.portfolio_id)))
        .bind(column(&rows, |r| opt_text(&r.session_id)))
        .bind(column(&rows, |r| r.source_offset))
        .bind(column(&rows, |r| claimed[r.portfolio_id.as_str()].anew))
        .execute(&mut **transaction);
    limit.run("releasing sessions of portfolios", released).await?;
    let statement = sqlx::query(UPSERT)
        .bind(column(&rows, |r| text(&r.portfolio_id)))
        .bind(column(&rows, |r| opt_text(&r.session_id)))
        .bind(column(&rows, |r| text(&r.name)))
        .bind(column(&rows, |r| opt_text(&r.description)))
        .bind(column(&rows, |r| text(&r.kind)))
        .bind(column(&rows, |r| r.target_risk))
        .bind(column(&rows, |r| text(&r.rebalance_freq)))
        .bind(column(&rows, |r| text(&r.base_currency)))
        .bind(column(&rows, |r| opt_text(&r.benchmark)))
        .bind(column(&rows, |r| text(&r.mode)))
        .bind(column(&rows, |r| r.policy_version))
        .bind(column(&rows, |r| json(&r.policy)))
        .bind(column(&rows, |r| r.closed))
        .bind(column(&rows, |r| r.source_offset))
        .bind(column(&rows, |r| r.at))
        .bind(column(&rows, |r| opt_text(&r.scaling_notice)))
        .bind(column(&rows, |r| claimed[r.portfolio_id.as_str()].since))
        .execute(&mut **transaction);
    limit.run("projecting portfolios", statement).await?;
    Ok(())
}

/// A portfolio's claim on the session that its newest policy names.
struct Claim<'a> {
    session: Option<&'a str>,
    /// When the first of the policies came that name it without one between them that does not.
    since: Micros,
    /// Whether there was one that does not.
    anew: bool,
}

/// The claims by portfolio.
fn claims(rows: &[PortfolioRow]) -> BTreeMap<&str, Claim<'_>> {
    let mut in_order: Vec<_> = rows.iter().collect();
    in_order.sort_by_key(|row| row.source_offset);
    let mut claims = BTreeMap::new();
    for row in in_order {
        let session = row.session_id.as_deref();
        let claim = claims.entry(row.portfolio_id.as_str()).or_insert(Claim { session, since: row.at, anew: false });
        if claim.session != session {
            *claim = Claim { session, since: row.at, anew: true };
        }
    }
    claims
}

// Sessions that their portfolios name no more, or did not for a while, are free before any is granted.
const RELEASE: &str = "
UPDATE portfolios p SET session_id = NULL
FROM UNNEST($1::text[], $2::text[], $3::bigint[], $4::bool[]) AS g (portfolio_id, session_id, source_offset, anew)
WHERE p.portfolio_id = g.portfolio_id AND p.source_offset < g.source_offset
  AND p.session_id IS NOT NULL AND (g.anew OR p.session_id IS DISTINCT FROM g.session_id)";

// A session_id is granted to the portfolio that holds it, else to that of this statement which has claimed it longest.
const UPSERT: &str = "
WITH given AS (
    SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::numeric[],
                         $7::text[], $8::text[], $9::text[], $10::text[], $11::bigint[],
                         $12::text[], $13::bool[], $14::bigint[], $15::timestamptz[], $16::text[],
                         $17::timestamptz[])
        AS g (portfolio_id, session_id, name, description, type, target_risk, rebalance_freq,
              base_currency, benchmark, mode, policy_version, policy, closed, source_offset, at,
              scaling_notice, claimed_at)
), granted AS (
    SELECT g.*,
           row_number() OVER (PARTITION BY g.session_id ORDER BY
               EXISTS (SELECT 1 FROM portfolios p WHERE p.portfolio_id = g.portfolio_id
                         AND p.session_id = g.session_id) DESC, g.claimed_at, g.portfolio_id) = 1
           AND NOT EXISTS (SELECT 1 FROM portfolios p WHERE p.session_id = g.session_id
                             AND p.portfolio_id <> g.portfolio_id) AS granted
    FROM given g
    WHERE NOT EXISTS (SELECT 1 FROM portfolios p WHERE p.portfolio_id = g.portfolio_id
                        AND p.source_offset >= g.source_offset)
)
INSERT INTO portfolios AS p
    (portfolio_id, session_id, session_conflict, name, description, type, target_risk,
     rebalance_freq, base_currency, benchmark, mode, policy_version, policy, closed,
     source_offset, created_at, updated_at, scaling_notice)
SELECT portfolio_id, CASE WHEN granted THEN session_id END,
       CASE WHEN NOT granted THEN session_id END, name, description, type, target_risk,
       rebalance_freq, base_currency, benchmark, mode, policy_version, policy::jsonb, closed,
       source_offset, at, at, scaling_notice
FROM granted
ON CONFLICT (portfolio_id) DO UPDATE SET
    session_id = EXCLUDED.session_id, session_conflict = EXCLUDED.session_conflict,
    name = EXCLUDED.name, description = EXCLUDED.description, type = EXCLUDED.type,
    target_risk = EXCLUDED.target_risk, rebalance_freq = EXCLUDED.rebalance_freq,
    base_currency = EXCLUDED.base_currency, benchmark = EXCLUDED.benchmark, mode = EXCLUDED.mode,
    policy_version = EXCLUDED.policy_version, policy = EXCLUDED.policy, closed = EXCLUDED.closed,
    source_offset = EXCLUDED.source_offset, updated_at = EXCLUDED.updated_at,
    scaling_notice = EXCLUDED.scaling_notice
WHERE p.source_offset < EXCLUDED.source_offset";
