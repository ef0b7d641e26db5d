//! The vocabulary of the service: exact numbers, ids, times, and one struct for each record that
//! crosses a topic. Everything here is a plain value.
//!
//! It promises that a number is never rounded or wrapped in silence, that every record can be
//! written as JSON and read back unchanged, and that field names are those of `schemas/`.
//! It does not decide anything: no accounting, no plan, no clock, no bytes of Avro.

pub mod calendar;
pub mod cash;
pub mod close;
pub mod command;
pub mod corporate_action;
pub mod day;
pub mod dead_letter;
pub mod drift;
pub mod enums;
pub mod execution;
pub mod fill;
pub mod fixed;
pub mod frame;
pub mod ids;
pub mod instrument;
pub mod ledger;
pub mod market_status;
pub mod order;
pub mod order_status;
pub mod performance;
pub mod policy;
pub mod portfolio_close;
pub mod progress;
pub mod reason;
pub mod rebalance_event;
pub mod record;
pub mod refresh;
pub mod risk;
pub mod schedule;
pub mod snapshot;
pub mod target_risk;
pub mod tick;
pub mod time;
pub mod topics;
pub mod trading_days;
pub mod venue;
pub mod wide;

pub use fixed::{Amount, Bps, FixedError, Fraction, FxRate, Money, Percent, Price, Quantity};
pub use ids::{Currency, IdError, InstrumentId, OrderId, PortfolioId, RebalanceId, StrategyId};
pub use record::{Input, Output};
pub use smol_str::SmolStr;
pub use time::{Date, TimeError, Timestamp};
pub use topics::Topic;
pub use trading_days::TradingDays;
pub use uuid::Uuid;
