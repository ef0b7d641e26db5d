//! The plan function alone: books and policies in, legs and their reasons out.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod book;
mod by_hand;
mod examples;
mod generate;
mod laws;
mod target_risk;
mod waves;
