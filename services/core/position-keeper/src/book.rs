//! The book: positions, cash, profit, and the ledger entries that say how they came about.
//! Booking order is log order. It publishes nothing and values nothing.

pub mod across;
pub mod action;
pub mod amend;
pub mod asof;
pub mod attribution;
pub mod besides;
pub mod booking;
pub mod cash;
pub mod closings;
pub mod days;
pub mod entry;
pub mod execution;
pub mod fee;
pub mod fold;
pub mod follow;
pub mod history;
pub mod holding;
pub mod journal;
pub mod kept;
pub mod lines;
pub mod lots;
pub mod notes;
pub mod odd_lots;
pub mod orders;
pub mod outside;
pub mod payment;
pub mod plain;
pub mod portfolio;
pub mod position;
pub mod sub_positions;
pub mod sums;
pub mod trade;
pub mod transfer;
pub mod treasury;
pub mod trouble;

pub use cash::{Balance, CashBook};
pub use lines::{HotLine, Line, Lines};
pub use portfolio::{Portfolio, PortfolioIx};
pub use position::Position;
pub use sums::Sums;
pub use trouble::{Need, Trouble};
