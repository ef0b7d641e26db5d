//! Which step of a lane is visible: the question that a producer must ask after a commit in doubt.
//!
//! Promises an answer that is read from the log at read_committed, after the lane's earlier
//! transactions were decided. Knows no record format: the caller says which records mean "done".

use crate::errors::ProbeError;
use crate::message::TopicName;
use crate::native::Record;
use crate::reader::{LogBounds, Pace, Reader};
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
        let done = &mut self.done;
        last_within(|look| {
            let mut last = None;
            let seen = reader.tail(&self.topic, self.partition, look, LIMIT, |record| last = last.max(done(record)))?;
            Ok((seen, last))
        })
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

/// Looks further and further back: aborted attempts and markers may fill any tail. It ends where a look has reached the
/// start of the log as it is by then, for retention may move that meanwhile.
fn last_within(mut tail: impl FnMut(i64) -> Result<(LogBounds, Option<DoneStep>), ProbeError>) -> Result<Option<DoneStep>, ProbeError> {
    let mut look = FIRST_LOOK;
    loop {
        let (seen, last) = tail(look)?;
        let reached_start = seen.start == 0 || seen.start > seen.stable_end.saturating_sub(look);
        if last.is_some() || reached_start {
            return Ok(last);
        }
        look = look.saturating_mul(8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks at a log whose start the next one of `starts` tells, and which ends at `end`; at which offset a DONE stands.
    fn looked(end: i64, starts: &[i64], done: Option<i64>) -> (Option<DoneStep>, usize) {
        let mut looks = 0;
        let last = last_within(|look| {
            let start = *starts.get(looks).or(starts.last()).expect("a log starts somewhere");
            looks += 1;
            assert!(looks < 50, "it looks for ever");
            let from = start.max(end - look);
            let step = DoneStep { sequence: 7, mark: 1 };
            Ok((LogBounds { start: from, stable_end: end }, done.filter(|at| *at >= from).map(|_| step)))
        });
        (last.expect("every look succeeds"), looks)
    }

    #[test]
    fn a_tail_without_a_done_is_looked_through_to_the_start_of_the_log() {
        let step = Some(DoneStep { sequence: 7, mark: 1 });
        assert_eq!(looked(100, &[0], None), (None, 1));
        assert_eq!(looked(0, &[0], None), (None, 1));
        assert_eq!(looked(FIRST_LOOK, &[0], None), (None, 1), "the first look is as long as the log");
        assert_eq!(looked(10_000, &[0], Some(9_999)), (step, 1));
        assert_eq!(looked(10_000, &[0], Some(1)), (step, 4), "far behind");
        assert_eq!(looked(10_000, &[9_000], None), (None, 2));
    }

    #[test]
    fn retention_may_move_the_start_of_the_log_while_it_is_looked_through() {
        assert_eq!(looked(10_000, &[0, 9_500], None), (None, 2));
        assert_eq!(looked(10_000, &[0, 10_000], None), (None, 2), "nothing is left");
        assert_eq!(looked(i64::MAX, &[0, i64::MAX], None), (None, 2));
    }
}
