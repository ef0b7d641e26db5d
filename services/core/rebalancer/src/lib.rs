//! The rebalancer: drift becomes an explained plan, a plan becomes order cycles.

mod constraints;
mod explain;
pub mod commands;
pub mod cycle;
pub mod orders;
pub mod plan;
pub mod plan_check;
pub mod role;

pub use role::Rebalancer;
