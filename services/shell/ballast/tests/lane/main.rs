//! One lane on memory, from its genesis through every exit of a recovery: what its worker does with
//! checkpoints, ends, clocks and schemas. A toy role stands in for the rules.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod checkpoints;
mod genesis;
mod pace;
mod recovery;
mod role;
mod schemas;
mod world;
