//! The rebalancer: drift becomes an explained plan, a plan becomes order cycles.

pub mod commands;
mod constraints;
pub mod cycle;
mod explain;
pub mod orders;
pub mod plan;
pub mod plan_check;
pub mod role;

pub use role::Rebalancer;
