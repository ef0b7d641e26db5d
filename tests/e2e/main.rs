//! The service as processes on a real Kafka and a real Postgres, through what may happen to them.
//!
//! One binary, so that it is linked once; each test has servers of its own and waits for its turn. All stand in one
//! module: by its name a run of every other test leaves them out, beside which they are played.

#[path = "all.rs"]
mod e2e;
