//! A batch of rows with the offsets that they came from, applied as one.
//!
//! Promises: all or nothing; offsets first, so that a projector that lost its partition stops before
//! it writes. Does not split: keep a batch to some thousand rows.

use sqlx::{Postgres, Transaction};

use super::{
    AllocationSet, CloseRow, CommandAnswerRow, DayReturnRow, DeadLetterRow, LedgerEntryRow, OffsetAdvance, OrderCancel, OrderRow,
    OrderStatusRow, PerformanceRow, PortfolioRow, PositionRow, RebalanceRow, Rebalanced, RiskRow, SnapshotRow, TargetSet,
};
use super::{
    allocations, closes, command_answers, day_returns, dead_letters, figures, ledger_entries, months, offsets, order_reports, orders,
    portfolios, positions, rebalances, rollups, snapshots,
};
use crate::errors::UNIQUE_VIOLATION;
use crate::statement::Limit;
use crate::{Store, StoreError};

/// Rows folded from a range of offsets, in any order.
#[derive(Debug, Clone, Default)]
pub struct ProjectionBatch {
    /// The ranges that this batch consumed.
    pub offsets: Vec<OffsetAdvance>,
    /// From policies.
    pub portfolios: Vec<PortfolioRow>,
    /// From policies: each portfolio's targets.
    pub targets: Vec<TargetSet>,
    /// From snapshots: each portfolio's holdings and weights.
    pub allocations: Vec<AllocationSet>,
    /// From completed rebalances.
    pub rebalanced: Vec<Rebalanced>,
    /// From the ledger.
    pub positions: Vec<PositionRow>,
    /// From the ledger: each booking.
    pub entries: Vec<LedgerEntryRow>,
    /// From order waves of the kind NEW.
    pub orders: Vec<OrderRow>,
    /// From order waves of the kind CANCEL.
    pub order_cancels: Vec<OrderCancel>,
    /// From order status.
    pub order_statuses: Vec<OrderStatusRow>,
    /// From rebalance events.
    pub rebalances: Vec<RebalanceRow>,
    /// From rebalance events that name a command.
    pub answers: Vec<CommandAnswerRow>,
    /// From snapshots.
    pub snapshots: Vec<SnapshotRow>,
    /// From closed days.
    pub closes: Vec<CloseRow>,
    /// From figures of performance.
    pub performance: Vec<PerformanceRow>,
    /// From figures of performance of one day.
    pub day_returns: Vec<DayReturnRow>,
    /// From figures of risk.
    pub risk: Vec<RiskRow>,
    /// From the `.dlq` topics.
    pub dead_letters: Vec<DeadLetterRow>,
}

impl Store {
    /// Writes a batch and moves its offsets.
    ///
    /// # Errors
    /// [`StoreError::LostRace`] when an offset was not where the batch expected it: nothing was
    /// written, or this very batch was written before; read [`Store::offsets`] and go on from there.
    /// Also after an error whose outcome is unknown.
    pub async fn apply(&self, batch: &ProjectionBatch) -> Result<(), StoreError> {
        const DOING: &str = "projecting a batch";
        let limit = self.limit();
        let mut transaction = limit.run(DOING, self.pool().begin()).await?;
        let relax = sqlx::query("SET LOCAL synchronous_commit = off").execute(&mut *transaction);
        limit.run(DOING, relax).await?;
        offsets::advance(limit, &mut transaction, &batch.offsets).await?;
        apply_rows(limit, &mut transaction, batch).await.map_err(collision)?;
        limit.run(DOING, transaction.commit()).await
    }
}

async fn apply_rows(limit: &Limit, transaction: &mut Transaction<'_, Postgres>, batch: &ProjectionBatch) -> Result<(), StoreError> {
    months::ensure(limit, transaction, batch).await?;
    portfolios::upsert(limit, transaction, &batch.portfolios).await?;
    allocations::replace_targets(limit, transaction, &batch.targets).await?;
    allocations::replace_holdings(limit, transaction, &batch.allocations).await?;
    positions::upsert(limit, transaction, &batch.positions).await?;
    ledger_entries::insert(limit, transaction, &batch.entries).await?;
    orders::upsert(limit, transaction, &batch.orders).await?;
    orders::mark_cancels(limit, transaction, &batch.order_cancels).await?;
    order_reports::apply(limit, transaction, &batch.orders, &batch.order_statuses).await?;
    rebalances::upsert(limit, transaction, &batch.rebalances).await?;
    orders::settle(limit, transaction, &batch.orders, &batch.rebalances).await?;
    command_answers::upsert(limit, transaction, &batch.answers).await?;
    allocations::mark_rebalanced(limit, transaction, &batch.rebalanced).await?;
    snapshots::insert(limit, transaction, &batch.snapshots).await?;
    rollups::fold(limit, transaction, &batch.snapshots).await?;
    closes::upsert(limit, transaction, &batch.closes).await?;
    figures::upsert_performance(limit, transaction, &batch.performance).await?;
    day_returns::upsert(limit, transaction, &batch.day_returns).await?;
    figures::upsert_risk(limit, transaction, &batch.risk).await?;
    dead_letters::insert(limit, transaction, &batch.dead_letters).await
}

/// Two projectors granted one session_id at the same moment: the second attempt sees the first's row.
fn collision(error: StoreError) -> StoreError {
    match error {
        StoreError::Refused { doing, code, .. } if code == UNIQUE_VIOLATION => StoreError::Collision { doing, code },
        other => other,
    }
}
