//! The conflator: every tick, instrument, corporate action, market status and close of the firm,
//! conflated into frames that all lanes read alike.
//!
//! It is no role of a lane: it has no progress topic, for its state is what the frames themselves say.
//! The contract with whoever runs it:
//!
//! 1. Read the newest frame; [`tail_start`] says where to begin. Feed every frame from there to the end
//!    to [`Tail::read`], then [`Conflator::resume`]. Without any frame resume an empty [`Tail`].
//! 2. [`Conflator::start`] for every partition of every topic of [`SOURCES`], also new ones later: it
//!    says where to read on. Every frame names every source, so that readers know a frame of a writer
//!    that knows less.
//! 3. [`Conflator::fold`] every record, by offset within its partition, and publish the frame that comes back. When
//!    [`Conflator::full`], or when 10–50 ms have passed, publish what [`Conflator::frame`] returns. All of them in
//!    order, by an idempotent producer.
//! 4. Read the frames' own topic along and pass every frame to [`Conflator::observed`]. An error there,
//!    or a frame that could not be delivered, ends this conflator: begin again with 1. Nothing is lost
//!    by that and nothing counts twice.
//! 5. When nothing changes for an hour, publish [`Conflator::heartbeat`]: the newest frame holds the
//!    sources' positions and must never leave the topic by retention.
//!
//! It promises frames whose counted ranges follow one another without a gap, prices that equal those of
//! a reader of every single tick, and records below the topic's limit. What it refuses travels inside
//! the frame. It reads no clock, keeps no history and values nothing.

mod check;
mod conflator;
mod newest;
mod prices;
mod tail;
mod weight;

pub use conflator::{Conflator, Counters, Ended, Limits, Observed, SOURCES};
pub use tail::{AnchorGone, Tail, tail_start};
