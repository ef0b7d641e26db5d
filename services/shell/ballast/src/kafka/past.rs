//! Reading of what was: progress, and recorded ranges of inputs, streamed once from front to back.

use super::read_error;
use super::{newest_frame, stored};
use crate::messages::DEPLOYMENT;
use crate::stored::StoredRecord;
use crate::worker::ports::{Past, PortError};
use avro_codec::{SchemaStore, decode_progress};
use conflator::tail_start;
use domain::Topic;
use domain::progress::Progress;
use engine::{RecordRef, Role};
use kafka_log::{KafkaSettings, Pace, Reader, Start, TopicName};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

/// How long the broker may take for one answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Records of one poll.
const BATCH: usize = 5_000;
/// Offsets before a place among which a record is looked for: markers and aborted records count as offsets too.
const LOOK_BACK: i64 = 256;
/// Milliseconds by which the clocks of two brokers may differ.
const CLOCKS_DIFFER: i64 = 5_000;
/// How long the markers of a decided transaction may take to stand in their partition: a broker that has just started
/// needs more than a second for its first. Nobody waits where they stand, as they nearly always do.
const MARKERS: Duration = Duration::from_secs(3);

/// The past of a role's lane.
pub struct KafkaPast {
    settings: KafkaSettings,
    progress: Topic,
    lane: i32,
    name: String,
    bounds: Reader,
    streams: BTreeMap<(Topic, i32), Stream>,
    last_sign: LastSign,
}

/// When the lane was last heard of: when the newest of its progress was appended, in milliseconds by the broker's
/// clock, whether a transaction has decided it or not. Whatever the lane has read had been appended by then.
#[derive(Clone, Copy, Default)]
struct LastSign(Option<i64>);

impl LastSign {
    /// Takes a look at progress into account; one that brings nothing takes nothing back.
    fn hear(&mut self, told: Told) -> Vec<Progress> {
        self.0 = self.0.max(told.newest);
        told.progress
    }
    /// From when on nothing was appended that the lane has read.
    fn unread_since(self) -> Option<i64> {
        self.0.map(|newest| newest + CLOCKS_DIFFER + 1)
    }
}

/// What a look at progress brought, and when the newest of it was appended.
struct Told {
    progress: Vec<Progress>,
    newest: Option<i64>,
}

/// One partition, read from front to back.
struct Stream {
    reader: Reader,
    buffer: VecDeque<StoredRecord>,
    /// Everything below is in the buffer or was handed over.
    read_to: i64,
    /// Everything below was handed over.
    given_to: i64,
}

impl KafkaPast {
    /// The past of a lane of `R`.
    pub fn open<R: Role>(settings: &KafkaSettings, lane: i32) -> Result<Self, PortError> {
        let name = format!("{}-{lane}-past", R::NAME);
        let bounds = Reader::open(settings, Pace::Recovery, &name).map_err(read_error)?;
        Ok(Self {
            settings: settings.clone(),
            progress: R::PROGRESS,
            lane,
            name,
            bounds,
            streams: BTreeMap::new(),
            last_sign: LastSign::default(),
        })
    }

    fn stream(&mut self, topic: Topic, partition: i32, from: i64) -> Result<&mut Stream, PortError> {
        if self.streams.get(&(topic, partition)).is_none_or(|stream| stream.given_to > from) {
            let mut reader = Reader::open(&self.settings, Pace::Recovery, &self.name).map_err(read_error)?;
            let start = Start { topic: TopicName::from(topic.name()), partition, offset: from };
            reader.assign(&[start]).map_err(read_error)?;
            self.streams.insert((topic, partition), Stream { reader, buffer: VecDeque::new(), read_to: from, given_to: from });
        }
        Ok(self.streams.get_mut(&(topic, partition)).expect("it was just put there"))
    }
}

impl Stream {
    fn fill(&mut self, to: i64, topic: Topic, partition: i32) -> Result<(), PortError> {
        let end = Instant::now() + PATIENCE;
        let name = TopicName::from(topic.name());
        while self.read_to < to {
            if Instant::now() >= end {
                let at = self.read_to;
                return Err(PortError::later(format!(
                    "{topic}/{partition} gave nothing between {at} and {to} for {PATIENCE:?}: is the broker up?"
                )));
            }
            let batch = self.reader.poll_patiently(BATCH, Duration::from_millis(100), PATIENCE).map_err(read_error)?;
            self.buffer.extend(batch.records().map(|record| stored(&record)));
            let newest = self.buffer.back().map_or(0, |record| record.offset + 1);
            let ends = batch.ends().iter().map(|end| end.offset).max().unwrap_or(0);
            self.read_to = self.read_to.max(newest).max(ends);
            if batch.is_empty() && self.read_to < to {
                self.read_to = self.read_to.max(self.reader.position(&name, partition).unwrap_or(0));
            }
        }
        Ok(())
    }
}

impl KafkaPast {
    /// Waits until all that stands in a partition is decided; up to where it is, if it still is not then. `all` reads what
    /// no transaction has decided as well.
    fn hanging(&self, all: &Reader, topic: &TopicName, partition: i32, deadline: Instant) -> Result<Option<i64>, PortError> {
        let end = all.bounds(topic, partition, PATIENCE).map_err(read_error)?.stable_end;
        loop {
            let decided = self.bounds.bounds(topic, partition, PATIENCE).map_err(read_error)?.stable_end;
            if decided >= end {
                return Ok(None);
            }
            if Instant::now() >= deadline {
                tracing::warn!(%topic, partition, decided, end, "a transaction hangs that the brokers hold for decided; its step is sent again");
                return Ok(Some(decided));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Past for KafkaPast {
    fn bounds(&mut self, topic: Topic, partition: i32) -> Result<(i64, i64), PortError> {
        let bounds = self.bounds.bounds(&TopicName::from(topic.name()), partition, PATIENCE).map_err(read_error)?;
        Ok((bounds.start, bounds.stable_end))
    }

    fn range(&mut self, topic: Topic, partition: i32, from: i64, to: i64, take: &mut dyn FnMut(&dyn RecordRef)) -> Result<(), PortError> {
        let stream = self.stream(topic, partition, from)?;
        stream.fill(to, topic, partition)?;
        while let Some(record) = stream.buffer.front().filter(|record| record.offset < to) {
            if record.offset >= from {
                take(record);
            }
            stream.buffer.pop_front();
        }
        stream.given_to = to;
        Ok(())
    }

    fn frames_start(&mut self) -> Result<i64, PortError> {
        let frames = TopicName::from(Topic::Frames.name());
        let (bounds, newest) = newest_frame(&mut self.bounds, &frames, &SchemaStore::compiled()).map_err(read_error)?;
        newest.map_or(Ok(bounds.start), |frame| tail_start(&frame, bounds.start).map_err(PortError::of))
    }

    fn progress(&mut self, from: i64) -> Result<Vec<Progress>, PortError> {
        let topic = TopicName::from(self.progress.name());
        let told = progress_from(&mut self.bounds, &topic, self.lane, from, &self.settings.deployment)?;
        Ok(self.last_sign.hear(told))
    }

    fn made_anew(&mut self, topic: Topic, partition: i32, offset: i64) -> Result<bool, PortError> {
        let Some(since) = self.last_sign.unread_since() else { return Ok(false) };
        let name = TopicName::from(topic.name());
        // One question, and nothing is read where the answer lies behind what the lane has read.
        let later = self.bounds.first_since(&name, partition, since, PATIENCE).map_err(read_error)?;
        if later.is_none_or(|later| later >= offset) {
            return Ok(false);
        }
        let (start, end) = self.bounds(topic, partition)?;
        // What is gone tells nothing, and of an offset that is not there the reader speaks.
        if offset <= start || offset > end {
            return Ok(false);
        }
        let from = start.max(offset - LOOK_BACK);
        let mut newest = None;
        let read = self.bounds.read_range(&name, partition, (from, offset), PATIENCE, |record| newest = newest.max(record.appended()));
        read.map_err(read_error)?;
        Ok(newest.is_some_and(|newest| newest >= since))
    }

    fn undecided(&mut self) -> Result<Vec<Progress>, PortError> {
        let topic = TopicName::from(self.progress.name());
        let mut all = Reader::open(&self.settings, Pace::Undecided, &self.name).map_err(read_error)?;
        match self.hanging(&all, &topic, self.lane, Instant::now() + MARKERS)? {
            None => Ok(Vec::new()),
            // A step that hangs is executed again: the lane has read what it names, by the time of its BEGIN.
            Some(decided) => {
                let told = progress_from(&mut all, &topic, self.lane, decided, &self.settings.deployment)?;
                Ok(self.last_sign.hear(told))
            }
        }
    }

    fn hangs(&mut self, places: &BTreeSet<(&'static str, i32)>) -> Result<bool, PortError> {
        let all = Reader::open(&self.settings, Pace::Undecided, &self.name).map_err(read_error)?;
        let deadline = Instant::now() + MARKERS;
        for (topic, partition) in places {
            if self.hanging(&all, &TopicName::from(*topic), *partition, deadline)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Progress from an offset on.
fn progress_from(reader: &mut Reader, topic: &TopicName, lane: i32, from: i64, ours: &str) -> Result<Told, PortError> {
    let schemas = SchemaStore::compiled();
    let (mut read, mut other, mut newest) = (Vec::new(), None, None);
    reader
        .read_to_end(topic, lane, from, PATIENCE, |record| {
            if let Some(value) = record.value() {
                read.push(decode_progress(&schemas, value));
            }
            newest = newest.max(record.appended());
            other = other.take().or_else(|| record.header(DEPLOYMENT).filter(|name| *name != ours.as_bytes()).map(<[u8]>::to_vec));
        })
        .map_err(read_error)?;
    if let Some(other) = other {
        return Err(PortError::of(format!(
            "{topic}/{lane} was written by deployment {:?}, and kafka.deployment is {ours:?}: two deployments on the same topics would both write; name it as before, or give this one topics of its own",
            String::from_utf8_lossy(&other)
        )));
    }
    let read: Result<_, _> = read.into_iter().map(|progress| progress.map_err(PortError::of)).collect();
    Ok(Told { progress: read?, newest })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::progress::Begin;

    /// A look at progress that finds the BEGIN of a step, if one was appended.
    fn look(step: i64, newest: Option<i64>) -> Told {
        let begin = Begin { step, rules_version: 1, lanes: 1, settings: vec![], schemas: vec![], windows: vec![] };
        Told { progress: newest.map(|_| Progress::Begin(begin)).into_iter().collect(), newest }
    }

    #[test]
    fn a_step_that_hangs_is_a_sign_of_life_as_a_visible_one_is() {
        let mut sign = LastSign::default();
        assert_eq!(sign.unread_since(), None);
        assert_eq!(sign.hear(look(1, Some(1_000))).len(), 1);
        assert_eq!(sign.unread_since(), Some(6_001));
        // A minute later a record came, its step was begun, and the transaction hangs.
        let came = 61_000;
        assert_eq!(sign.hear(look(2, Some(came + 10))).len(), 1);
        assert!(sign.unread_since().is_some_and(|since| came < since), "the lane has read it: its topic was not made anew");
        // Another look at progress, which still finds nothing behind step 1.
        sign.hear(look(1, Some(1_000)));
        sign.hear(look(1, None));
        assert_eq!(sign.unread_since(), Some(came + 10 + 5_001));
    }
}
