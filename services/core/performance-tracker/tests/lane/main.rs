//! The tracker in its lane: what it says of days that are closed, closed again, and told in any order.
#![allow(clippy::unwrap_used, reason = "what cannot go on in a test fails it")]
#![allow(clippy::float_arithmetic, clippy::cast_possible_truncation, reason = "statistics are f64; tests count in small whole numbers")]
#![allow(missing_docs, reason = "the names say it")]

mod days;
mod house;
mod laws;
mod trades;
