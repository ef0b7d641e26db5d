//! The position-keeper in its lane: records in, ledger, snapshots, drift and dead letters out.
//! Records are JSON here; everything else is as in the service.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod admitting;
mod amending;
mod anomalies;
mod blocks;
mod bookings;
mod calendars;
mod closing;
mod closing_laws;
mod crowding;
mod cutting;
mod discarding;
mod dividends;
mod drifting;
mod harness;
mod health;
mod images;
mod lots;
mod model;
mod reconciling;
mod refusals;
mod reversing;
mod scheduling;
mod shadows;
mod splitting;
mod standing;
mod strategies;
mod target_risks;
mod viewing;
