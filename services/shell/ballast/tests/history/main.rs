//! Long journeys over published history, on a whole cluster in memory: four shares with their splits and dividends, and
//! books in three currencies. Each is held against an oracle of its own, which knows the data and nothing of the service,
//! and its log against the offline checker.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod currencies;
mod exact;
mod heard;
mod stocks;
