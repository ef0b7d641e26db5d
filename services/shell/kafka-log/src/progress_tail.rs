//! Which step of a lane is visible: the question that a producer must ask after a commit in doubt.
//!
//! Promises an answer that is read from the log at read_committed, after the lane's earlier
//! transactions were decided. Knows no record format: the caller says which records mean "done".

use crate::errors::ProbeError;
use crate::message::TopicName;
use crate::native::Record;
use crate::reader::{Pace, Reader};
use crate::settings::KafkaSettings;
use std::time::Duration;

/// Offsets of the first look back; a step leaves three of them when nothing goes wrong.
const FIRST_LOOK: i64 = 128;
/// How long one look may take.
const LIMIT: Duration = Duration::from_secs(10);
/// How long the question after every commit may take.
const ENDS_LIMIT: Duration = Duration::from_secs(2);

/// A step that became visible. The mark tells two steps of one number apart: another owner of the lane
/// may have closed its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DoneStep {
    /// The step's number.
    pub sequence: u64,
    /// A digest of all that the step says.
    pub mark: u64,
}

/// Says which step of a lane was the last to become visible.
pub trait ProgressProbe: Send {
    /// The step with the highest number whose DONE is visible; `None` when there is none at all. Called
    /// on the lane's producer thread after `init_transactions`, so nothing of the lane is undecided.
    ///
    /// # Errors
    /// Any error makes the producer ask again.
    fn last_done(&mut self) -> Result<Option<DoneStep>, ProbeError>;

    /// The ends of what is visible of partitions, in their order: a record below its partition's end stands.
    ///
    /// # Errors
    /// Any error makes the producer doubt its last commit.
    fn stable_ends(&mut self, partitions: &[(TopicName, i32)]) -> Result<Vec<i64>, ProbeError>;
}

impl<F> ProgressProbe for F
where
    F: FnMut() -> Result<Option<DoneStep>, ProbeError> + Send,
{
    fn last_done(&mut self) -> Result<Option<DoneStep>, ProbeError> {
        self()
    }

    /// Everything stands.
    fn stable_ends(&mut self, partitions: &[(TopicName, i32)]) -> Result<Vec<i64>, ProbeError> {
        Ok(vec![i64::MAX; partitions.len()])
    }
}

/// Reads the end of the lane's progress partition, and asks for the ends of others.
pub struct TailProbe<F> {
    settings: KafkaSettings,
    topic: TopicName,
    partition: i32,
    done: F,
    /// Asks for ends; made when first needed.
    ends: Option<Reader>,
}

impl<F: FnMut(&Record<'_>) -> Option<DoneStep> + Send> TailProbe<F> {
    /// A probe of one progress partition; `done` gives the step of a DONE record and `None` for
    /// every other record.
    pub fn new(settings: &KafkaSettings, topic: TopicName, partition: i32, done: F) -> Self {
        Self { settings: settings.clone(), topic, partition, done, ends: None }
    }
}

impl<F: FnMut(&Record<'_>) -> Option<DoneStep> + Send> ProgressProbe for TailProbe<F> {
    fn last_done(&mut self) -> Result<Option<DoneStep>, ProbeError> {
        let mut reader = Reader::open(&self.settings, Pace::Recovery, "progress-tail")?;
        let start = reader.bounds(&self.topic, self.partition, LIMIT)?.start;
        let mut look = FIRST_LOOK;
        // Aborted attempts and markers may fill any tail, so look further back until the start.
        loop {
            let mut last = None;
            let done = &mut self.done;
            let seen = reader.tail(&self.topic, self.partition, look, LIMIT, |record| {
                last = last.max(done(record));
            })?;
            if last.is_some() || seen.start <= start {
                return Ok(last);
            }
            look = look.saturating_mul(8);
        }
    }

    fn stable_ends(&mut self, partitions: &[(TopicName, i32)]) -> Result<Vec<i64>, ProbeError> {
        let ends = match self.ends.take() {
            Some(ends) => ends,
            None => Reader::open(&self.settings, Pace::Recovery, "lane-ends")?,
        };
        let found = ends.stable_ends(partitions, ENDS_LIMIT)?;
        // Kept only while it answers.
        self.ends = Some(ends);
        Ok(found)
    }
}
