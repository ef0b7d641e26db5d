//! The codec against the Avro library and against its own releases: every record of every topic,
//! made from the schema files, so that a field in the wrong place cannot pass.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a test stops where it is wrong")]

mod fixtures;
mod generator;
mod json;
mod oracle;
mod relatives;
mod resolution;
mod schema_files;
mod subject;
mod views;
