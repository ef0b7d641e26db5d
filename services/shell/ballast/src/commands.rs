//! The commands, one file each: from arguments to an exit code.

pub mod config_check;
pub mod decide;
pub mod demo;
pub mod halt;
pub mod halts;
#[allow(clippy::float_arithmetic, reason = "statistics are f64")]
pub mod metrics;
pub mod migrate;
pub mod performance;
pub mod portfolio;
pub mod publish;
pub mod rebalance;
pub mod rebalances;
pub mod replay;
pub mod run;
pub mod shadow;
pub mod tail;
pub mod topics;
pub mod verify;
