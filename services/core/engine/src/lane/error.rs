//! Why a lane must not go on: texts for the operator, who finds them in the runbook. It cures nothing.

use crate::RULES_VERSION;
use crate::settings::UnknownSetting;
use domain::Topic;

/// The lane cannot go on; nothing was lost, and the text says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LaneError {
    /// An output of ours does not fit its schema.
    #[error(
        "step {step} made a record for {topic} that its schema cannot hold ({why}): a fault of this service, keep the topics and report it"
    )]
    Unencodable {
        /// Step.
        step: i64,
        /// Topic.
        topic: Topic,
        /// The codec's words.
        why: String,
    },
    /// A window does not follow the one before.
    #[error("a window starts at {from} of {topic}/{partition}, the lane stands at {at}")]
    Gap {
        /// Topic.
        topic: Topic,
        /// Partition.
        partition: i32,
        /// Where the window starts.
        from: i64,
        /// Where the lane stands.
        at: i64,
    },
    /// A recorded step does not follow.
    #[error("progress continues with step {found}, the lane stands at {at}")]
    StepOrder {
        /// Step found.
        found: i64,
        /// Step that the lane has closed last.
        at: i64,
    },
    /// A recorded step was made by other rules.
    #[error("step {step} was computed by rules version {found}, this build has {RULES_VERSION}: let the build that wrote it recover first")]
    Rules {
        /// Step.
        step: i64,
        /// Its rules.
        found: i32,
    },
    /// A frame in a format that this build does not know.
    #[error(
        "FRAMES: the frame at {offset} cannot be read ({why}): the conflator is of a newer build; upgrade this role, it goes on from that frame"
    )]
    UnreadableFrame {
        /// Its offset.
        offset: i64,
        /// The codec's words.
        why: String,
    },
    /// The conflator goes on from a frame that did not count here.
    #[error(
        "FRAMES: the frame at {offset} goes on from {anchor}, which did not count here, the last one that did is {last}: prices would stand still for ever; see the runbook"
    )]
    FramesLost {
        /// Offset of the frame.
        offset: i64,
        /// The frame that it refers to.
        anchor: i64,
        /// The newest that counted.
        last: i64,
    },
    /// A recorded setting is unknown.
    #[error(transparent)]
    Setting(#[from] UnknownSetting),
}

impl LaneError {
    /// The code under which it is told; each has a page of its own for operators.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unencodable { .. } => "UNENCODABLE",
            Self::Gap { .. } | Self::StepOrder { .. } => "GAP",
            Self::Rules { .. } => "RULES",
            Self::UnreadableFrame { .. } | Self::FramesLost { .. } => "FRAMES",
            Self::Setting(_) => "SETTING",
        }
    }
}
