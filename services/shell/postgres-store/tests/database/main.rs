//! What is stored, projected and asked, on a real Postgres.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod aged;
mod as_of;
mod checkpoints;
mod closes;
mod connection;
mod dashboards;
mod guide;
mod months;
mod numbers;
mod older_database;
mod projections;
mod quality;
mod queries;
mod reader;
mod reports;
mod scratch;
mod sessions;
mod strategies;
