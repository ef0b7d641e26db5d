//! The service as processes on a real Kafka and a real Postgres, through what may happen to them.
//!
//! One binary, so that it is linked once; each test has servers of its own and waits for its turn.

mod broker;
mod certificates;
mod chaos;
mod crew;
mod database;
mod deaf_lanes;
mod faults;
mod fleet;
mod health;
mod journeys;
mod leaving;
mod metrics;
mod portfolio_commands;
mod secure;
mod smoke;
mod start_up;
mod takeover;
