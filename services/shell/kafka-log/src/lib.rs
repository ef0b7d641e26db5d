//! The log: everything Ballast says to Kafka and hears from it, and the only home of rdkafka.
//!
//! It knows bytes: topic names, partitions, offsets, keys, values, headers. It promises the error
//! policy of the architecture (fencing, recycling, never a skipped offset). It knows no domain
//! types, no Avro, no Postgres, and no async runtime: whoever calls owns a plain thread.
//!
//! # How it is used
//!
//! ```no_run
//! use kafka_log::{
//!     Commit, DoneStep, KafkaSettings, LaneProducer, LaneSettings, Message, Outcome, Pace, Reader, Start,
//!     TailProbe, TopicName,
//! };
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let settings = KafkaSettings { brokers: "127.0.0.1:9092".into(), ..KafkaSettings::default() };
//!
//! // 1. Reading live: one reader a thread, assigned at explicit offsets.
//! let fills = TopicName::from("execution.fills.v1");
//! let mut reader = Reader::open(&settings, Pace::Live, "lane-3")?;
//! reader.assign(&[Start { topic: fills.clone(), partition: 3, offset: 42 }])?;
//! let batch = reader.poll_batch(5_000, Duration::from_millis(50))?;
//! for record in batch.records() {
//!     let (_offset, _value) = (record.offset(), record.value());
//!     let _traceparent = record.header("traceparent");
//! }
//! for end in batch.ends() { /* this partition was read to its last stable offset */ let _ = end; }
//!
//! // 2. Reading for recovery: `Pace::Recovery`, then whole ranges through a visitor.
//! let progress = TopicName::from("ballast.position-keeper.progress.v1");
//! let mut past = Reader::open(&settings, Pace::Recovery, "lane-3-recovery")?;
//! past.read_to_end(&progress, 3, 0, Duration::from_secs(30), |record| { let _ = record.value(); })?;
//!
//! // 3. Writing: one transactional producer a lane, on its own thread.
//! let probe = TailProbe::new(&settings, progress.clone(), 3, |record| {
//!     let sequence = std::str::from_utf8(record.header("done")?).ok()?.parse().ok()?;
//!     Some(DoneStep { sequence, mark: 0 })       // the mark tells two owners' steps of one number apart
//! });
//! let (tell, hear) = std::sync::mpsc::channel();
//! let id = settings.transactional_id("position-keeper", 3);
//! let lane = LaneProducer::spawn(&settings, LaneSettings::default(), id, &[progress.clone()],
//!     Box::new(probe), move |outcome| { let _ = tell.send(outcome); })?;
//! lane.init()?;                                  // fences the predecessor; Outcome::Ready
//! lane.commit(Commit {
//!     step: DoneStep { sequence: 1, mark: 0 },
//!     begin: vec![Message::to(progress.clone(), 3, b"BEGIN 1".to_vec())],
//!     outputs: vec![],
//!     done: vec![Message::to(progress, 3, b"DONE 1".to_vec()).header("done", b"1".to_vec())],
//! })?;                                           // does not wait: Outcome::Confirmed { sequence: 1, .. }
//! match hear.recv()? {
//!     Outcome::Ready { .. } | Outcome::Confirmed { .. } | Outcome::Troubled { .. } => {}
//!     Outcome::Fenced { .. } => { /* let the lane go at once */ }
//!     Outcome::Failed { error, .. } => return Err(error.into()),
//! }
//! let leaving = lane.close(Duration::from_secs(2)); // finishes the commit in flight, if it can
//! assert!(leaving.is_none_or(|producer| producer.has_ended()));
//! # Ok(()) }
//! ```
//!
//! Who owns which lane: [`Membership`]. Topics made and verified: [`Topics`]. Publishing without a
//! lane (commands, frames): [`Producer`], and [`publish_together`] where all must arrive or none.

mod batch;
mod callbacks;
mod client_config;
mod errors;
mod handshake;
mod hurry;
mod lane_producer;
mod leader_hints;
mod membership;
mod message;
mod native;
mod news;
mod orphans;
mod producer;
mod progress_tail;
mod range;
mod reader;
mod settings;
mod together;
mod topics;
mod transaction;
mod unowned;
mod wait;

/// Of a lock that was let go by a panic.
const NO_PANIC: &str = "never poisoned: nothing in it panics";

pub use batch::{Batch, PartitionEnd};
pub use errors::{CommitError, MembershipError, ProbeError, ReadError, SendError, SettingsError, TopicsError};
pub use lane_producer::{Commit, CommitTimings, Ground, LanePolicy, LaneProducer, LaneSettings, Leaving, Outcome, Transactions, Written};
pub use membership::{Ack, Membership, MembershipEvent, MembershipSettings};
pub use message::{Message, Partition, TopicName};
pub use native::{Header, Headers, Record};
pub use producer::{DeliveryFailure, FlushError, Producer};
pub use progress_tail::{DoneStep, ProgressProbe, TailProbe};
pub use reader::{LogBounds, Pace, Reader, Start};
pub use settings::{FETCH_AHEAD_KIB, KafkaSettings, LIVE_FETCH_WAIT_MS, Protocol, Secret, Security, TRANSACTION_TIMEOUT_MS};
pub use together::publish_together;
pub use topics::{Difference, TopicDescription, TopicSpec, Topics};
