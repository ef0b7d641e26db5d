//! The service as processes on a real Kafka and a real Postgres, through what may happen to them.
//!
//! One binary, so that it is linked once; each test has servers of its own and waits for its turn.

mod crew;
mod smoke;
mod kill_loop;
mod broker;
mod database;
mod takeover;
mod leaving;
mod start_up;
