//! Rebalances: the life of each cycle, from its events.
//!
//! Promises: the newest event by offset; the time of the first one stays.

use serde_json::Value;
use sqlx::{Postgres, Transaction};

use super::column::{column, json, newest, opt_json, opt_text, text};
use crate::statement::Limit;
use crate::{Micros, StoreError};

/// A rebalance after an event.
#[derive(Debug, Clone, PartialEq)]
pub struct RebalanceRow {
    /// Key.
    pub rebalance_id: String,
    /// Portfolio.
    pub portfolio_id: String,
    /// Time of the event.
    pub at: Micros,
    /// SCHEDULED, THRESHOLD or MANUAL.
    pub kind: String,
    /// Weights before, by instrument.
    pub old_allocations: Value,
    /// Weights aimed at, by instrument.
    pub new_allocations: Value,
    /// PROPOSED, PENDING_APPROVAL, APPROVED, RELEASED, COMPLETED, FAILED, NO_ACTION_NEEDED,
    /// REJECTED, EXPIRED, REFUSED or STUCK.
    pub status: String,
    /// Why it was refused or failed.
    pub code: Option<String>,
    /// Expected fees, turnover, drift before and after.
    pub metrics: Option<Value>,
    /// One line for every instrument, ordered or not.
    pub explanation: Value,
    /// The proposal's orders.
    pub orders: Value,
    /// What an approval must name.
    pub proposal_hash: Option<String>,
    /// Whether it is a trial beside the real policy.
    pub shadow: bool,
    /// Who asked, approved, rejected or cancelled.
    pub actor: Option<String>,
    /// Offset of the event: newer wins.
    pub source_offset: i64,
}

pub(super) async fn upsert(limit: &Limit, transaction: &mut Transaction<'_, Postgres>, rows: &[RebalanceRow]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let first = newest(rows, |r| &r.rebalance_id, |r| -r.source_offset);
    let rows = newest(rows, |r| &r.rebalance_id, |r| r.source_offset);
    let statement = sqlx::query(UPSERT)
        .bind(column(&rows, |r| text(&r.rebalance_id)))
        .bind(column(&rows, |r| text(&r.portfolio_id)))
        .bind(column(&first, |r| r.at))
        .bind(column(&rows, |r| text(&r.kind)))
        .bind(column(&rows, |r| json(&r.old_allocations)))
        .bind(column(&rows, |r| json(&r.new_allocations)))
        .bind(column(&rows, |r| text(&r.status)))
        .bind(column(&rows, |r| opt_text(&r.code)))
        .bind(column(&rows, |r| opt_json(&r.metrics)))
        .bind(column(&rows, |r| json(&r.explanation)))
        .bind(column(&rows, |r| json(&r.orders)))
        .bind(column(&rows, |r| opt_text(&r.proposal_hash)))
        .bind(column(&rows, |r| r.shadow))
        .bind(column(&rows, |r| opt_text(&r.actor)))
        .bind(column(&rows, |r| r.source_offset))
        .bind(column(&rows, |r| r.at))
        .bind(FIGURES_OF_THE_WHOLE.as_slice())
        .execute(&mut **transaction);
    limit.run("projecting rebalances", statement).await?;
    Ok(())
}

/// Figures that are those of a whole rebalance: later waves and slices, which are plans of a part, leave them as they are.
pub const FIGURES_OF_THE_WHOLE: [&str; 7] =
    ["expected_fees", "expected_spread", "expected_impact", "turnover", "drift_before", "drift_after", "risk"];

const UPSERT: &str = "
WITH given AS (
    SELECT * FROM UNNEST($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[],
                         $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::bool[],
                         $14::text[], $15::bigint[], $16::timestamptz[])
        AS g (rebalance_id, portfolio_id, first_at, type, old_allocations, new_allocations, status, code, metrics, explanation,
              orders, proposal_hash, shadow, actor, source_offset, at)
)
INSERT INTO portfolio_rebalances AS r
    (rebalance_id, portfolio_id, timestamp, type, old_allocations, new_allocations, status, code,
     metrics, explanation, orders, proposal_hash, shadow, actor, source_offset, updated_at)
-- A rebalance stands in the month of its first event, whichever event comes.
SELECT rebalance_id, portfolio_id,
       coalesce((SELECT k.timestamp FROM portfolio_rebalances k WHERE k.rebalance_id = given.rebalance_id LIMIT 1), first_at), type, old_allocations::jsonb, new_allocations::jsonb,
       status, code, metrics::jsonb, explanation::jsonb, orders::jsonb, proposal_hash, shadow,
       actor, source_offset, at
FROM given
ON CONFLICT (rebalance_id, timestamp) DO UPDATE SET
    type = EXCLUDED.type, status = EXCLUDED.status, code = EXCLUDED.code, shadow = EXCLUDED.shadow,
    -- Only some events carry the plan; the others leave it as it stands.
    old_allocations = CASE WHEN EXCLUDED.old_allocations = '{}' THEN r.old_allocations ELSE EXCLUDED.old_allocations END,
    new_allocations = CASE WHEN EXCLUDED.old_allocations = '{}' THEN r.new_allocations ELSE EXCLUDED.new_allocations END,
    explanation = CASE WHEN EXCLUDED.explanation = '[]' OR (EXCLUDED.old_allocations = '{}' AND r.explanation <> '[]')
                       THEN r.explanation ELSE EXCLUDED.explanation END,
    orders = CASE WHEN EXCLUDED.orders = '[]' THEN r.orders ELSE EXCLUDED.orders END,
    -- Words are of the event that says where it stands; an end needs none.
    metrics = (COALESCE(r.metrics, '{}') - 'text') || CASE WHEN r.status IN ('RELEASED', 'STUCK')
        THEN COALESCE(EXCLUDED.metrics, '{}') - $17::text[]
        ELSE COALESCE(EXCLUDED.metrics, '{}') END,
    proposal_hash = COALESCE(EXCLUDED.proposal_hash, r.proposal_hash),
    actor = COALESCE(EXCLUDED.actor, r.actor),
    source_offset = EXCLUDED.source_offset, updated_at = EXCLUDED.updated_at
WHERE r.source_offset < EXCLUDED.source_offset";
