//! The service as processes on a real Kafka and a real Postgres, through what may happen to them.
//!
//! One binary, so that it is linked once; each test has servers of its own and waits for its turn. All stand in one
//! module, so that the run of all other tests can leave them out by name (`--skip e2e::`) and is played beside them.

#[path = "all.rs"]
mod e2e;
