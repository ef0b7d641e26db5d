//! Every test with the whole service.

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
