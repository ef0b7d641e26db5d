//! The role in its lane: drift events, commands and reports of orders in, waves and events out.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod approval;
mod contradictions;
mod cooldown;
mod edit;
mod execution;
mod four_eyes;
mod halts;
mod harness;
mod latch;
mod laws;
mod life_cycle;
mod moved;
mod outside;
mod shadow;
mod slices;
