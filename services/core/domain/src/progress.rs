//! `ballast.<role>.progress.v1`: the recorded interleaving of a lane's inputs.
//! BEGIN opens a step with its windows, DONE closes it with the digest of its outputs.

use crate::{SmolStr, Timestamp, Topic};
use serde::{Deserialize, Serialize};

/// A contiguous range of one input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// Topic.
    pub topic: Topic,
    /// Partition.
    pub partition: i32,
    /// First offset read.
    pub from: i64,
    /// First offset not read; offsets between may be absent (control records).
    pub to: i64,
}

/// One window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowRecord {
    /// Inputs that moved, in the role's order of inputs.
    pub ranges: Vec<Range>,
    /// The window's clock.
    pub now: Timestamp,
    /// Whether the lane was behind its inputs.
    pub behind: bool,
}

/// A setting of the core or a writer's schema, recorded when it changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Name of the setting, or fingerprint of the schema.
    pub name: SmolStr,
    /// Its value, or the schema's text.
    pub value: String,
}

/// A step opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begin {
    /// Number of the step; rises by one.
    pub step: i64,
    /// Version of the rules that computed it.
    pub rules_version: i32,
    /// Number of lanes.
    pub lanes: i32,
    /// Settings that changed since the step before.
    pub settings: Vec<Recorded>,
    /// Schemas that became known since the step before.
    pub schemas: Vec<Recorded>,
    /// Windows, in order.
    pub windows: Vec<WindowRecord>,
}

/// A step is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Number of the step.
    pub step: i64,
    /// Digest of its outputs: topic, key and bytes of each in order (lower-case hexadecimal).
    pub digest: SmolStr,
    /// Number of outputs.
    pub outputs: i32,
    /// Number of input records.
    pub inputs: i64,
}

/// A record of the progress topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::large_enum_variant, reason = "one a step, never stored in bulk")]
pub enum Progress {
    /// A step opens.
    Begin(Begin),
    /// A step is whole.
    Done(Done),
}
