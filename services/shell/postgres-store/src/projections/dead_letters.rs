//! Dead letters: what could not be applied, and why.
//!
//! Promises: each is written once, with its original bytes. Does not say whether an operator has
//! dealt with it: the commands topic does.

use serde_json::Value;
use sqlx::{Postgres, Transaction};

use super::column::{column, json, opt_text, text};
use crate::statement::Limit;
use crate::{Micros, StoreError};

/// A record of a `.dlq` topic.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadLetterRow {
    /// The `.dlq` topic.
    pub topic: String,
    /// Its partition.
    pub partition: i32,
    /// Offset in it.
    pub offset: i64,
    /// Topic of the original.
    pub source_topic: String,
    /// Partition of the original.
    pub source_partition: i32,
    /// Offset of the original.
    pub source_offset: i64,
    /// Dead-letter code.
    pub code: String,
    /// What, where, and what to do.
    pub reason: String,
    /// The portfolio of the original's key, where that is text.
    pub portfolio_id: Option<String>,
    /// Lane that refused it.
    pub lane: Option<i32>,
    /// Step in which it was refused.
    pub step: Option<i64>,
    /// The original's key.
    pub key: Option<Vec<u8>>,
    /// The original's bytes; `None` for a tombstone.
    pub body: Option<Vec<u8>>,
    /// The original's headers.
    pub headers: Value,
    /// Time of the dead letter.
    pub at: Micros,
}

pub(super) async fn insert(limit: &Limit, transaction: &mut Transaction<'_, Postgres>, rows: &[DeadLetterRow]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let statement = sqlx::query(INSERT)
        .bind(column(rows, |r| text(&r.topic)))
        .bind(column(rows, |r| r.partition))
        .bind(column(rows, |r| r.offset))
        .bind(column(rows, |r| text(&r.source_topic)))
        .bind(column(rows, |r| r.source_partition))
        .bind(column(rows, |r| r.source_offset))
        .bind(column(rows, |r| text(&r.code)))
        .bind(column(rows, |r| text(&r.reason)))
        .bind(column(rows, |r| opt_text(&r.portfolio_id)))
        .bind(column(rows, |r| r.lane))
        .bind(column(rows, |r| r.step))
        .bind(column(rows, |r| r.key.clone()))
        .bind(column(rows, |r| r.body.clone()))
        .bind(column(rows, |r| json(&r.headers)))
        .bind(column(rows, |r| r.at))
        .execute(&mut **transaction);
    limit.run("projecting dead letters", statement).await?;
    Ok(())
}

const INSERT: &str = "
INSERT INTO dead_letters
    (topic, partition, record_offset, source_topic, source_partition, source_offset, code, reason,
     portfolio_id, lane, step, key, body, headers, occurred_at)
SELECT topic, partition, record_offset, source_topic, source_partition, source_offset, code, reason,
       portfolio_id, lane, step, key, body, headers::jsonb, occurred_at
FROM UNNEST($1::text[], $2::int[], $3::bigint[], $4::text[], $5::int[], $6::bigint[], $7::text[],
            $8::text[], $9::text[], $10::int[], $11::bigint[], $12::bytea[], $13::bytea[],
            $14::text[], $15::timestamptz[])
    AS g (topic, partition, record_offset, source_topic, source_partition, source_offset, code,
          reason, portfolio_id, lane, step, key, body, headers, occurred_at)
ON CONFLICT DO NOTHING";
