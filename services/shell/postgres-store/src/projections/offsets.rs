//! How far the projector has come, per topic and partition.
//!
//! Promises: an offset moves only from where the batch believes it to stand, together with the
//! batch's rows. Does not talk to the log.

use super::column::{column, text};
use crate::statement::Limit;
use crate::{Store, StoreError};
use sqlx::{Postgres, Transaction};

/// A step forward in one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OffsetAdvance {
    /// Topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// The stored next offset that this batch starts from; `None` when none is stored yet.
    pub expected: Option<i64>,
    /// The next offset to read after this batch.
    pub next: i64,
}

/// A stored position.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredOffset {
    /// Topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// The next offset to read.
    pub next_offset: i64,
}

impl Store {
    /// Where to go on in these topics; a partition that was never projected has no entry.
    ///
    /// # Errors
    /// What the server says.
    pub async fn offsets(&self, topics: &[&str]) -> Result<Vec<StoredOffset>, StoreError> {
        self.limit()
            .run(
                "reading the projector's offsets",
                sqlx::query_as(
                    "SELECT topic, partition, next_offset FROM projector_offsets
                     WHERE topic = ANY($1) ORDER BY topic, partition",
                )
                .bind(column(topics, |t| text(t)))
                .fetch_all(self.pool()),
            )
            .await
    }
}

/// Moves every offset, in one order, so that two projectors cannot lock each other out.
pub(super) async fn advance(
    limit: &Limit,
    transaction: &mut Transaction<'_, Postgres>,
    advances: &[OffsetAdvance],
) -> Result<(), StoreError> {
    let mut sorted: Vec<&OffsetAdvance> = advances.iter().collect();
    sorted.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
    for step in sorted {
        if step.next < step.expected.unwrap_or(0) {
            return Err(StoreError::invalid(format!(
                "{}/{} would go back from {:?} to {}",
                step.topic, step.partition, step.expected, step.next
            )));
        }
        advance_one(limit, transaction, step).await?;
    }
    Ok(())
}

async fn advance_one(limit: &Limit, transaction: &mut Transaction<'_, Postgres>, step: &OffsetAdvance) -> Result<(), StoreError> {
    let statement = match step.expected {
        Some(expected) => sqlx::query(
            "UPDATE projector_offsets SET next_offset = $3
             WHERE topic = $1 AND partition = $2 AND next_offset = $4",
        )
        .bind(&step.topic)
        .bind(step.partition)
        .bind(step.next)
        .bind(expected),
        None => sqlx::query(
            "INSERT INTO projector_offsets (topic, partition, next_offset) VALUES ($1, $2, $3)
             ON CONFLICT DO NOTHING",
        )
        .bind(&step.topic)
        .bind(step.partition)
        .bind(step.next),
    };
    let moved = limit.run("moving the projector's offsets", statement.execute(&mut **transaction)).await?;
    if moved.rows_affected() == 1 {
        return Ok(());
    }
    Err(StoreError::LostRace { topic: step.topic.clone(), partition: step.partition, expected: step.expected.unwrap_or(-1) })
}
