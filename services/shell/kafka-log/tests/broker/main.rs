//! Producers, consumers and topics on a real broker, on a mock of one, and behind a wire that fails.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cluster;
mod lanes;
mod leader_hints;
mod membership;
mod orphans;
mod publishing;
mod reading;
mod topics;
