//! What the system tests stand on: servers of their own, the service as processes that die with the
//! test, a load that knows what must come of it, and a reader of topics.
//!
//! Promises that a test leaves nothing running, that a failed one keeps its logs and shows their
//! ends, and that two tests with servers never run at once. It knows the service only from outside:
//! command line, topics, log lines.

pub mod accounts;
pub mod binary;
pub mod books;
pub mod dice;
pub mod feed;
pub mod load;
pub mod monitoring;
pub mod proxy;
pub mod service;
pub mod stack;
pub mod topic;
pub mod turn;
pub mod volume;
pub mod waiting;
