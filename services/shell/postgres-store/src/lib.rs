//! Postgres: checkpoints for recovery, rows for people, and what people ask of them.
//!
//! Promises: a checkpoint is written whole or not at all, by one writer at a time, and is verified
//! when it is read; a projection batch and the offsets it consumed stand or fall together. Knows
//! plain rows and bytes only: what they mean is the caller's business. Does not decide, does not
//! retry by itself, and is outside the path on which orders are committed.

pub mod checkpoints;
mod errors;
mod largest_drift;
mod numeric;
pub mod projections;
pub mod queries;
mod schema;
mod settings;
mod statement;
mod store;
mod timestamp;

pub use errors::{Retry, StoreError};
pub use settings::{Secret, Settings, TlsMode};
pub use store::Store;
pub use timestamp::Micros;
