//! Reading whole ranges of one partition, as recovery does.
//!
//! Promises each committed record of the range exactly once and in order, and an error rather than
//! a shorter range. Every call assigns the reader anew; use a [`crate::Pace::Recovery`] reader.

use crate::errors::ReadError;
use crate::message::TopicName;
use crate::native::Record;
use crate::reader::{LogBounds, Reader, Start};
use std::time::{Duration, Instant};

/// Records a poll.
const BATCH: usize = 2_000;
/// The longest wait of one poll, so that the deadline is looked at.
const POLL: Duration = Duration::from_millis(100);

impl Reader {
    /// Visits the committed records with offsets in `from..to`. `to` may lie behind open
    /// transactions: they are waited for.
    ///
    /// # Errors
    /// [`ReadError::OutOfRange`] when `from` is not in the log, [`ReadError::TimedOut`] when `to`
    /// was not reached within `limit`; records may have been visited by then.
    pub fn read_range(
        &mut self,
        topic: &TopicName,
        partition: i32,
        (from, to): (i64, i64),
        limit: Duration,
        mut visit: impl FnMut(&Record<'_>),
    ) -> Result<(), ReadError> {
        let deadline = Instant::now() + limit;
        self.assign(&[Start { topic: topic.clone(), partition, offset: from }])?;
        let mut next = from;
        while next < to {
            if Instant::now() >= deadline {
                let attempted = format!("reading {topic}/{partition} from {from} to {to} (now at {next})");
                return Err(ReadError::TimedOut { attempted, limit });
            }
            next = self.visit_batch(next, to, &mut visit)?;
        }
        Ok(())
    }

    /// Visits all committed records from `from` to the last stable offset as it is now; returns it,
    /// the offset to go on from.
    ///
    /// # Errors
    /// As [`Reader::read_range`].
    pub fn read_to_end(
        &mut self,
        topic: &TopicName,
        partition: i32,
        from: i64,
        limit: Duration,
        visit: impl FnMut(&Record<'_>),
    ) -> Result<i64, ReadError> {
        let LogBounds { start, stable_end } = self.bounds(topic, partition, limit)?;
        if from < start || from > stable_end {
            return Err(ReadError::OutOfRange { topic: topic.clone(), partition, offset: from, log_start: start, log_end: stable_end });
        }
        self.read_range(topic, partition, (from, stable_end), limit, visit)?;
        Ok(stable_end)
    }

    /// Visits the committed records among the last `offsets` offsets; returns where it started.
    /// Markers and aborted records count as offsets too, so ask for 64 or more: it is free.
    ///
    /// # Errors
    /// As [`Reader::read_range`].
    pub fn tail(
        &mut self,
        topic: &TopicName,
        partition: i32,
        offsets: i64,
        limit: Duration,
        visit: impl FnMut(&Record<'_>),
    ) -> Result<LogBounds, ReadError> {
        let LogBounds { start, stable_end } = self.bounds(topic, partition, limit)?;
        let from = start.max(stable_end - offsets);
        self.read_range(topic, partition, (from, stable_end), limit, visit)?;
        Ok(LogBounds { start: from, stable_end })
    }

    fn visit_batch(&mut self, next: i64, to: i64, visit: &mut impl FnMut(&Record<'_>)) -> Result<i64, ReadError> {
        let batch = self.poll_batch(BATCH, POLL)?;
        let mut next = next;
        for record in batch.records().filter(|record| record.offset() < to) {
            visit(&record);
        }
        if let Some(last) = batch.records().last() {
            next = last.offset() + 1;
        }
        for end in batch.ends() {
            next = next.max(end.offset);
        }
        Ok(next)
    }
}
