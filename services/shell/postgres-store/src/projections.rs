//! Projections: the topics as rows, for people and for the gateway. One file a table family.
//!
//! Promises: a batch and the offsets that it consumed are written in one transaction; a row changes
//! only for a newer version of its record, whatever the order in which batches come; applying the
//! same batch again is [`StoreError::LostRace`](crate::StoreError::LostRace) and changes nothing.
//! Rows may lag and, after a crash of the server, step back by some hundred milliseconds together
//! with their offsets (`synchronous_commit` is off here: the topics hold the truth, so read the
//! offsets again and go on). Does not decode records and does not compute: the projector does.
//!
//! Hostile text cannot block a projector: NUL, which Postgres has no place for, becomes U+FFFD.

mod aged;
mod allocations;
mod batch;
mod closes;
mod column;
mod command_answers;
mod day_returns;
mod dead_letters;
mod figures;
mod ledger_entries;
mod months;
mod offsets;
mod order_reports;
mod orders;
mod overview;
mod portfolios;
mod positions;
mod rebalances;
mod rollups;
mod snapshots;
mod strategies;

pub use aged::Aged;
pub use allocations::{AllocationLine, AllocationSet, Rebalanced, TargetLine, TargetSet};
pub use batch::ProjectionBatch;
pub use closes::CloseRow;
pub use command_answers::CommandAnswerRow;
pub use day_returns::DayReturnRow;
pub use dead_letters::DeadLetterRow;
pub use figures::{PerformanceRow, RiskRow};
pub use ledger_entries::LedgerEntryRow;
pub use months::Monthly;
pub use offsets::{OffsetAdvance, StoredOffset};
pub use order_reports::OrderStatusRow;
pub use orders::{OrderCancel, OrderRow};
pub use overview::OverviewRow;
pub use portfolios::PortfolioRow;
pub use positions::PositionRow;
pub use rebalances::{FIGURES_OF_THE_WHOLE, RebalanceRow};
pub use snapshots::SnapshotRow;
pub use strategies::StrategyLine;
