//! The step: recorded windows of inputs → state → outputs as values, the same for every role.
//!
//! A lane is one partition number across every portfolio-keyed topic, and one single-threaded machine.
//! The shell hands it windows; the lane fires due timers, folds the records, lets its role decide,
//! and closes steps whose BEGIN, outputs and DONE the shell commits in one transaction. The same
//! calls, fed with recorded windows, recover a lane, audit it and answer what-if questions.
//!
//! It promises that state and output bytes depend on nothing but the windows, the settings and the
//! build's rules. It knows no clock, no Kafka, no database, no Avro, and no rule of any role.

pub mod codec;
pub mod commands;
pub mod dedup;
pub mod digest;
pub mod frames;
pub mod image;
pub mod lane;
pub mod near;
pub mod partition;
pub mod quarantine;
pub mod recovery;
pub mod refused;
pub mod repeats;
pub mod role;
pub mod settings;
pub mod stats;
pub mod step;
pub mod timers;
pub mod waiting;

pub use codec::{Codec, Refusal};
pub use image::{Image, ImageError};
pub use lane::{Lane, LaneError};
pub use role::{Context, Origin, RawRecord, RecordRef, Role};
pub use settings::Settings;
pub use stats::Stats;
pub use step::{Encoded, Step};
pub use timers::{Timer, Timers};

/// Version of the rules of this build, recorded in every BEGIN. Raise it with any change that makes
/// other state or other bytes from the same windows: a build refuses to replay another's steps.
pub const RULES_VERSION: i32 = 24;
