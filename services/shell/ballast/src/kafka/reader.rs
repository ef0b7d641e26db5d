//! Live reading of a lane's inputs: one consumer, one thread.

use super::{KafkaRecord, read_error};
use crate::worker::backlog::Backlog;
use crate::worker::ports::{LaneReader, Polled, PortError};
use domain::{Timestamp, Topic};
use engine::RecordRef;
use engine::lane::Slice;
use kafka_log::{Batch, KafkaSettings, Pace, Reader, Start, TopicName};
use std::time::{Duration, Instant};

/// How long a turn may be held up by asking where a partition ends; what is not answered is asked again at the next.
const LOOK_UP: Duration = Duration::from_millis(200);

/// Between two counts of what is left to read.
const COUNT_EVERY: Duration = Duration::from_secs(1);

/// A live reader.
pub struct KafkaReader {
    reader: Reader,
    topics: Vec<Topic>,
    assigned: Vec<(Topic, i32, i64)>,
    backlog: Backlog,
    /// When it was last counted what is left to read.
    counted: Option<Instant>,
    /// Seconds by which an event time may lie ahead of the machine's clock, where it is asked for.
    ahead: Option<i64>,
}

/// What a batch brought of one partition.
struct Place<'a> {
    topic: Topic,
    partition: i32,
    records: Vec<&'a dyn RecordRef>,
    /// The last of them says how far the partition was read.
    last: &'a KafkaRecord<'a>,
}

impl KafkaReader {
    /// A reader with nothing assigned. `ahead`: that the greatest event time is asked for, and by how many seconds it may
    /// lie ahead of the machine's clock: a lane's never goes back.
    pub fn open(settings: &KafkaSettings, name: &str, ahead: Option<i64>) -> Result<Self, PortError> {
        let reader = Reader::open(settings, Pace::Live, name).map_err(read_error)?;
        Ok(Self { reader, topics: Vec::new(), assigned: Vec::new(), backlog: Backlog::default(), counted: None, ahead })
    }

    fn hand_over(&mut self, batch: &Batch, take: &mut dyn FnMut(Polled<'_>)) {
        let records: Vec<KafkaRecord<'_>> = batch.records().map(KafkaRecord).collect();
        let mut by_place: Vec<Place<'_>> = Vec::new();
        for (at, record) in records.iter().enumerate() {
            let (topic, partition) = (self.topics[record.0.topic()], record.0.partition());
            match by_place.iter_mut().find(|place| (place.topic, place.partition) == (topic, partition)) {
                Some(place) => {
                    place.records.push(record);
                    place.last = record;
                }
                None => {
                    // Nearly all records of a batch are of one partition: its list is made once.
                    let mut of_it: Vec<&dyn RecordRef> = Vec::with_capacity(records.len() - at);
                    of_it.push(record);
                    by_place.push(Place { topic, partition, records: of_it, last: record });
                }
            }
        }
        let slices: Vec<_> = by_place
            .iter()
            .map(|place| Slice {
                topic: place.topic,
                partition: place.partition,
                to: place.last.offset() + 1,
                records: place.records.as_slice(),
            })
            .collect();
        for place in &by_place {
            self.backlog.read(place.topic, place.partition, place.last.appended());
        }
        for end in batch.ends() {
            self.backlog.end(self.topics[end.topic], end.partition);
        }
        self.count_left();
        let newest = |ahead: i64| {
            let newest: Option<Timestamp> = records.iter().map(RecordRef::timestamp).max();
            newest.map(|newest| newest.min(crate::clock::now().plus_seconds(ahead)))
        };
        take(Polled { slices: &slices, backlog: &self.backlog, newest_event: self.ahead.and_then(newest) });
    }
}

impl KafkaReader {
    fn count_left(&mut self) {
        if self.counted.is_some_and(|counted| counted.elapsed() < COUNT_EVERY) {
            return;
        }
        self.counted = Some(Instant::now());
        for (topic, partition, _) in &self.assigned {
            if let Some(left) = self.reader.left(&TopicName::from(topic.name()), *partition) {
                self.backlog.left(*topic, *partition, left);
            }
        }
    }
}

impl LaneReader for KafkaReader {
    fn assign(&mut self, starts: &[(Topic, i32, i64)]) -> Result<(), PortError> {
        let starts_there: Vec<_> = starts
            .iter()
            .map(|(topic, partition, offset)| Start { topic: TopicName::from(topic.name()), partition: *partition, offset: *offset })
            .collect();
        self.reader.assign(&starts_there).map_err(read_error)?;
        self.backlog.assign(starts.iter().map(|(topic, partition, _)| (*topic, *partition)));
        self.assigned = starts.to_vec();
        self.topics.clear();
        for (topic, ..) in starts {
            if !self.topics.contains(topic) {
                self.topics.push(*topic);
            }
        }
        Ok(())
    }

    fn poll(&mut self, max: usize, wait: Duration, take: &mut dyn FnMut(Polled<'_>)) -> Result<(), PortError> {
        let batch = match self.reader.poll_batch(max, wait) {
            Ok(batch) => batch,
            Err(error) if error.retry() => {
                tracing::warn!(%error, "reading inputs; trying again");
                return Ok(());
            }
            Err(error) => return Err(read_error(error)),
        };
        self.hand_over(&batch, take);
        Ok(())
    }

    fn reached_end(&mut self) -> bool {
        if let Some((topic, partition)) = self.backlog.unknown_end() {
            match self.reader.bounds(&TopicName::from(topic.name()), partition, LOOK_UP) {
                Ok(bounds) => self.backlog.ends_at(topic, partition, bounds.stable_end),
                Err(error) => tracing::debug!(%error, "where a partition ends is asked again"),
            }
        }
        for (topic, partition, _) in &self.assigned {
            let position = self.reader.position(&TopicName::from(topic.name()), *partition).unwrap_or(0);
            self.backlog.read_to(*topic, *partition, position);
        }
        self.backlog.all_ended()
    }
}
