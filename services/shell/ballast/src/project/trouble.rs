//! Why the projector starts again from its stored offsets. Every one of these is waited out: rows are
//! for people, and no lane stops for them.

use kafka_log::ReadError;
use postgres_store::{Retry, StoreError};
use std::time::Duration;

/// Before the stored offsets are read again.
const SOON: Duration = Duration::from_millis(500);
/// Before looking whether an operator has helped.
const LATER: Duration = Duration::from_secs(10);

/// Why one life of the projector ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// Postgres is away, refused, or another projector was first.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A batch could not be written as a whole, but its records may be one at a time.
    #[error("a batch of {records} records is written again one record at a time, because: {cause}")]
    Piecemeal {
        /// Records of the batch.
        records: usize,
        /// What Postgres said of it.
        cause: StoreError,
    },
    /// The log could not be read.
    #[error("the projector cannot read: {0}")]
    Read(#[from] ReadError),
}

impl Trouble {
    /// Whether it may pass without anybody's help.
    pub(super) fn passes(&self) -> bool {
        match self {
            Trouble::Store(error) => matches!(error.retry(), Retry::SameCall | Retry::AfterReload),
            Trouble::Piecemeal { .. } => true,
            Trouble::Read(error) => !error.is_final(),
        }
    }

    /// How long to wait before the next life.
    pub(super) fn pause(&self) -> Duration {
        match self {
            Trouble::Piecemeal { .. } => Duration::ZERO,
            _ if self.passes() => SOON,
            _ => LATER,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_log::TopicName;

    fn closes() -> TopicName {
        TopicName::from("portfolio.closes.v1")
    }

    /// A broker that comes up again does not know its topics for a moment.
    #[test]
    fn an_unknown_topic_passes_and_a_lost_offset_does_not() {
        let unknown = ReadError::Refused { topic: closes(), partition: 0, reason: "UnknownPartition".to_owned(), retry: false };
        assert!(Trouble::from(unknown).passes());
        let lost = ReadError::OutOfRange { topic: closes(), partition: 0, offset: 3, log_start: 7, log_end: 9 };
        assert!(!Trouble::from(lost).passes());
    }
}
