//! Why a lane must not run, with the text for its operator: what is wrong and which ways lead on. Decides nothing.

/// Why a lane must not run. The text is for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Halt {
    /// There is no checkpoint and an input does not start at 0.
    #[error(
        "GENESIS: there is no checkpoint, and {input} no longer holds its first records: restore the checkpoint, or start with --genesis to fold anew what is there"
    )]
    Genesis {
        /// The input.
        input: String,
    },
    /// There is neither a checkpoint nor progress, and outputs stand.
    #[error(
        "LOST_PROGRESS: there is no checkpoint and progress is empty, but {place} holds what this role has written: restore one of both, or empty the role's output topics, or start with --genesis to publish everything once more after step {step}"
    )]
    Written {
        /// Where.
        place: String,
        /// The highest step found.
        step: i64,
    },
    /// Progress ends before the checkpoint, or has a hole after it.
    #[error(
        "LOST_PROGRESS: the checkpoint stands at step {checkpoint}, and progress {}: the progress topic was cut or recreated; restore it, or delete the checkpoint and start with --genesis",
        hole_of(*.after, *.found)
    )]
    LostProgress {
        /// Step of the checkpoint.
        checkpoint: i64,
        /// The last step up to which progress is whole; 0 for none.
        after: i64,
        /// The step found behind it; 0 for none.
        found: i64,
    },
    /// There is no checkpoint, and progress does not lead from the first step of a life to its last.
    #[error(
        "LOST_PROGRESS: there is no checkpoint, and progress {}: the progress topic was cut, recreated or restored in part; restore it or a checkpoint, or start with --genesis to fold anew what the inputs hold",
        hole_of(*.after, *.found)
    )]
    Hole {
        /// The last step up to which progress is whole; 0 for none.
        after: i64,
        /// The step found behind it; 0 for none.
        found: i64,
    },
    /// Another number of lanes.
    #[error("LANE_COUNT: the state was made for {recorded} lanes, the topics have {found}: recreate the topics with {recorded} partitions")]
    LaneCount {
        /// Lanes recorded.
        recorded: i32,
        /// Lanes found.
        found: i32,
    },
    /// Two different steps of one number: something else wrote to the progress topic.
    #[error("progress holds two different records of step {step}: something other than this role wrote to it; keep it and report it")]
    Contradiction {
        /// Step.
        step: i64,
    },
    /// A replay made other outputs.
    #[error(
        "step {step} was published with digest {recorded} and replays to {replayed}: run the build that wrote it, keep the topics, and report it"
    )]
    Diverged {
        /// Step.
        step: i64,
        /// Digest in DONE.
        recorded: String,
        /// Digest of the replay.
        replayed: String,
    },
}

impl Halt {
    /// The code under which it is told; each has a page of its own for operators.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Genesis { .. } => "GENESIS",
            Self::Written { .. } | Self::LostProgress { .. } | Self::Hole { .. } => "LOST_PROGRESS",
            Self::LaneCount { .. } => "LANE_COUNT",
            Self::Contradiction { .. } => "CONTRADICTION",
            Self::Diverged { .. } => "DIVERGED",
        }
    }
}

/// What is wrong with the steps that progress names, for people.
fn hole_of(after: i64, found: i64) -> String {
    match found {
        0 if after == 0 => "holds no step".to_owned(),
        0 => format!("ends at step {after}"),
        _ if found == after + 1 => format!("does not hold the whole of step {found}"),
        _ if after == 0 => format!("begins at step {found}"),
        _ => format!("has a hole between steps {after} and {found}"),
    }
}
