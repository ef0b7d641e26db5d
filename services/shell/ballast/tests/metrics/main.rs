//! `ballast metrics` as a shell sees it.

#![allow(clippy::unwrap_used, clippy::float_arithmetic, reason = "a test that cannot go on has failed, and figures are floats")]

mod figures;
mod shell;
mod unclear;
