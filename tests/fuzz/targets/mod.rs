//! What is done with bytes that nobody meant well, one function for each boundary where bytes come in. Each ends for any
//! bytes: it panics where a promise is broken and returns otherwise. How bytes are found is the caller's.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken promise stops the run")]

pub mod avro;
pub mod checkpoint;
pub mod configuration;
pub mod lines;
