//! What each command of a person was answered with, from rebalance events that name it.
//!
//! Promises: of the events that name a command the newest by offset, which is the one that ends its answer.

use sqlx::{Postgres, Transaction};

use super::column::{column, newest, opt_text, text};
use crate::statement::Limit;
use crate::{Micros, StoreError};

/// The answer to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandAnswerRow {
    /// Portfolio.
    pub portfolio_id: String,
    /// The command.
    pub command_id: String,
    /// The rebalance that the answer is about, or the answer's own id.
    pub rebalance_id: String,
    /// Status that the event says.
    pub status: String,
    /// Why, as a code.
    pub code: Option<String>,
    /// Why, in words.
    pub reason: Option<String>,
    /// The moment of the event.
    pub at: Micros,
    /// Offset of the event: newer wins.
    pub source_offset: i64,
}

pub(super) async fn upsert(
    limit: &Limit,
    transaction: &mut Transaction<'_, Postgres>,
    rows: &[CommandAnswerRow],
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows = newest(rows, |r| (&r.portfolio_id, &r.command_id), |r| r.source_offset);
    let statement = sqlx::query(UPSERT)
        .bind(column(&rows, |r| text(&r.portfolio_id)))
        .bind(column(&rows, |r| text(&r.command_id)))
        .bind(column(&rows, |r| text(&r.rebalance_id)))
        .bind(column(&rows, |r| text(&r.status)))
        .bind(column(&rows, |r| opt_text(&r.code)))
        .bind(column(&rows, |r| opt_text(&r.reason)))
        .bind(column(&rows, |r| r.at))
        .bind(column(&rows, |r| r.source_offset))
        .execute(&mut **transaction);
    limit.run("projecting answers to commands", statement).await?;
    Ok(())
}

const UPSERT: &str = "
INSERT INTO command_answers AS c
    (portfolio_id, command_id, rebalance_id, status, code, reason, answered_at, source_offset)
SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::bigint[])
ON CONFLICT (portfolio_id, command_id) DO UPDATE SET
    rebalance_id = EXCLUDED.rebalance_id, status = EXCLUDED.status, code = EXCLUDED.code, reason = EXCLUDED.reason,
    answered_at = EXCLUDED.answered_at, source_offset = EXCLUDED.source_offset
WHERE c.source_offset < EXCLUDED.source_offset";
