//! A reader by `assign`: explicit offsets in, batches of committed records out.
//!
//! Promises read_committed (but for [`Pace::Undecided`]), never to skip an offset (an offset that is not in the log is an error
//! for ever), and positions that count transaction markers. It joins no group and commits no
//! offsets; where to start is the caller's knowledge.

use crate::batch::{Batch, PartitionEnd};
use crate::callbacks::Callbacks;
use crate::client_config;
use crate::errors::{ReadError, SettingsError};
use crate::message::TopicName;
use crate::native::{Messages, Queues, Record};
use crate::settings::KafkaSettings;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};
use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often log lines and client errors are passed on while polling.
const NEWS_EVERY: Duration = Duration::from_millis(100);
/// How long the broker may take to say where a log starts and ends, when an error text wants it.
const BOUNDS_LIMIT: Duration = Duration::from_secs(3);
/// Between two tries of what passes.
const PAUSE: Duration = Duration::from_millis(50);

/// What a reader is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Following a log: the broker holds an empty fetch (`live_fetch_wait_ms`), which is cheap.
    Live,
    /// Reading to an end as fast as can be: 10 ms, costly when left idle.
    Recovery,
    /// The same, also of what no transaction has decided, or has aborted: for a look behind the last
    /// stable offset. Such a reader's ends are high watermarks.
    Undecided,
}

/// Where to start in one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The topic.
    pub topic: TopicName,
    /// The partition.
    pub partition: i32,
    /// The first offset to read.
    pub offset: i64,
}

/// The span of a partition's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogBounds {
    /// The first offset that is still there.
    pub start: i64,
    /// The last stable offset: below it every transaction is decided. This, and not the high
    /// watermark, is what a reader can reach.
    pub stable_end: i64,
}

/// A consumer for one thread (`Send`, not `Sync`).
pub struct Reader {
    queues: Arc<Queues>,
    topics: Arc<[TopicName]>,
    /// librdkafka's topic objects seen since the last assignment, and their topics' indices.
    addresses: Vec<(usize, u32)>,
    assigned: Vec<Assigned>,
    halted: Option<ReadError>,
    news_at: Instant,
    one_thread: PhantomData<Cell<()>>,
}

struct Assigned {
    topic: u32,
    partition: i32,
    next: i64,
}

impl Reader {
    /// A reader without an assignment. `name` is added to the client id. Contacts nobody yet.
    ///
    /// # Errors
    /// [`ReadError::Settings`] when no client can be made of the settings.
    pub fn open(settings: &KafkaSettings, pace: Pace, name: &str) -> Result<Self, ReadError> {
        let config = client_config::reader(settings, pace, name)?;
        let refused = |reason: String| ReadError::Settings(SettingsError::Refused { reason });
        let consumer: BaseConsumer<Callbacks> =
            config.create_with_context(Callbacks::of(&config)).map_err(|error| refused(error.to_string()))?;
        let queues = Queues::new(consumer).ok_or_else(|| refused("no consumer queue".to_owned()))?;
        Ok(Self {
            queues: Arc::new(queues),
            topics: Arc::from([]),
            addresses: Vec::new(),
            assigned: Vec::new(),
            halted: None,
            news_at: Instant::now(),
            one_thread: PhantomData,
        })
    }

    /// Reads these partitions from these offsets on, and nothing else; replaces what was assigned
    /// and lifts a halt.
    ///
    /// # Errors
    /// [`ReadError::Client`] when librdkafka refuses the list.
    pub fn assign(&mut self, starts: &[Start]) -> Result<(), ReadError> {
        let mut topics: Vec<TopicName> = Vec::new();
        for start in starts {
            if !topics.contains(&start.topic) {
                topics.push(start.topic.clone());
            }
        }
        self.assigned = starts.iter().map(|start| assigned(&topics, start)).collect();
        self.topics = topics.into();
        self.addresses.clear();
        self.halted = None;
        let list = list_of(starts.iter().map(|s| (s.topic.as_str(), s.partition, s.offset)));
        self.consumer().assign(&list).map_err(|error| client_error("assigning partitions", &error))
    }

    /// Up to `max` records: what is there, after waiting up to `wait` for the first. Returns early
    /// with an empty batch when only ends were reached.
    ///
    /// # Errors
    /// [`ReadError::OutOfRange`] for ever once it occurred, until the next [`Reader::assign`]
    /// (librdkafka itself reports it once and is silent then); [`ReadError::Refused`] when a broker
    /// refuses a partition.
    pub fn poll_batch(&mut self, max: usize, wait: Duration) -> Result<Batch, ReadError> {
        self.pass_on_news();
        if let Some(error) = self.raised() {
            return Err(error);
        }
        let messages = self.queues.consume(max, wait);
        self.sorted(messages)
    }

    /// The offset that will be read next; `None` if not assigned. Transaction markers are counted
    /// as soon as a record or the end behind them is read.
    #[must_use]
    pub fn position(&self, topic: &TopicName, partition: i32) -> Option<i64> {
        // librdkafka's own position is one too far after the batch queue gave an end.
        self.find(topic, partition).map(|at| self.assigned[at].next)
    }

    /// How many offsets of a partition are not read yet, by the end that the broker named last; transaction markers
    /// count. Asks nobody; `None` if not assigned, or before the first answer.
    #[must_use]
    pub fn left(&self, topic: &TopicName, partition: i32) -> Option<i64> {
        let position = self.position(topic, partition)?;
        Some(self.queues.known_end(topic.as_str(), partition)?.saturating_sub(position).max(0))
    }

    /// The same for who reads up to an end and leaves: an error that passes (a partition without a leader yet, a broker
    /// that comes up) is waited out, for so long at most.
    ///
    /// # Errors
    /// Those of [`Reader::poll_batch`].
    pub fn poll_patiently(&mut self, max: usize, wait: Duration, patience: Duration) -> Result<Batch, ReadError> {
        let begun = Instant::now();
        loop {
            match self.poll_batch(max, wait) {
                Err(error) if error.retry() && begun.elapsed() < patience => std::thread::sleep(PAUSE),
                answer => return answer,
            }
        }
    }

    /// Where a partition's log starts and what is decided in it; need not be assigned. A refusal that passes is waited
    /// out within the limit.
    ///
    /// # Errors
    /// [`ReadError::TimedOut`] or [`ReadError::Refused`].
    pub fn bounds(&self, topic: &TopicName, partition: i32, limit: Duration) -> Result<LogBounds, ReadError> {
        let begun = Instant::now();
        loop {
            self.queues.serve_news();
            match self.consumer().fetch_watermarks(topic.as_str(), partition, limit.saturating_sub(begun.elapsed())) {
                Ok((start, stable_end)) => return Ok(LogBounds { start, stable_end }),
                Err(error) => match bounds_error(topic, partition, limit, &error) {
                    ReadError::Refused { retry: true, .. } if begun.elapsed() + PAUSE < limit => std::thread::sleep(PAUSE),
                    error => return Err(error),
                },
            }
        }
    }

    /// The last stable offsets of partitions, in their order: one request to each of their leaders.
    ///
    /// # Errors
    /// [`ReadError::TimedOut`] or [`ReadError::Refused`].
    pub fn stable_ends(&self, partitions: &[(TopicName, i32)], limit: Duration) -> Result<Vec<i64>, ReadError> {
        let found = self.list_offsets(partitions, Offset::End, limit)?;
        let end_of = |(place, offset): (&(TopicName, i32), Offset)| match offset {
            Offset::Offset(end) => Ok(end),
            _ => Err(bounds_error(&place.0, place.1, limit, &KafkaError::OffsetFetch(RDKafkaErrorCode::NoOffset))),
        };
        partitions.iter().zip(found).map(end_of).collect()
    }

    /// The first offset of a partition whose record bears that time or a later one, in milliseconds since 1970; `None`
    /// where there is none.
    ///
    /// # Errors
    /// As [`Reader::stable_ends`].
    pub fn first_since(&self, topic: &TopicName, partition: i32, millis: i64, limit: Duration) -> Result<Option<i64>, ReadError> {
        let found = self.list_offsets(&[(topic.clone(), partition)], Offset::Offset(millis), limit)?;
        Ok(found.first().and_then(|offset| if let Offset::Offset(first) = offset { Some(*first) } else { None }))
    }

    fn list_offsets(&self, partitions: &[(TopicName, i32)], at: Offset, limit: Duration) -> Result<Vec<Offset>, ReadError> {
        self.queues.serve_news();
        let mut asked = TopicPartitionList::with_capacity(partitions.len());
        for (topic, partition) in partitions {
            let added = asked.add_partition_offset(topic.as_str(), *partition, at);
            added.map_err(|error| client_error("asking for the ends of partitions", &error))?;
        }
        let refused = |(topic, partition): &(TopicName, i32), error: &KafkaError| bounds_error(topic, *partition, limit, error);
        let Some(first) = partitions.first() else { return Ok(Vec::new()) };
        let answer = self.consumer().offsets_for_times(asked, limit).map_err(|error| refused(first, &error))?;
        let offset_of = |place: &(TopicName, i32)| {
            let found = answer.find_partition(place.0.as_str(), place.1);
            let element = found.ok_or_else(|| refused(place, &KafkaError::OffsetFetch(RDKafkaErrorCode::UnknownPartition)))?;
            element.error().map_err(|error| refused(place, &error))?;
            Ok(element.offset())
        };
        partitions.iter().map(offset_of).collect()
    }

    fn consumer(&self) -> &BaseConsumer<Callbacks> {
        self.queues.consumer()
    }

    fn find(&self, topic: &TopicName, partition: i32) -> Option<usize> {
        self.assigned.iter().position(|assigned| assigned.partition == partition && self.topics[assigned.topic as usize] == *topic)
    }

    /// Passes on what the client has to tell of its connections; polling does so by itself. Who only
    /// asks for bounds now and then calls it often, or that piles up while no broker answers.
    pub fn serve(&mut self) {
        self.pass_on_news();
    }

    fn pass_on_news(&mut self) {
        if self.news_at.elapsed() >= NEWS_EVERY {
            self.queues.serve_news();
            self.news_at = Instant::now();
        }
    }

    /// Tells records from ends and errors. An error lets the records before it through first.
    fn sorted(&mut self, messages: Messages) -> Result<Batch, ReadError> {
        let mut records = Vec::with_capacity(messages.len());
        let mut ends = Vec::new();
        for index in 0..messages.len() {
            let record = messages.get(index);
            let topic = self.topic_index(&record);
            match record.error() {
                None => {
                    self.advance(topic, record.partition(), record.offset() + 1);
                    records.push((u32::try_from(index).expect("a batch is small"), topic));
                }
                Some(RDKafkaErrorCode::PartitionEOF) => {
                    self.advance(topic, record.partition(), record.offset());
                    let (topic, partition) = (topic as usize, record.partition());
                    ends.push(PartitionEnd { topic, partition, offset: record.offset() });
                }
                Some(code) => {
                    let error = self.read_error(&record, code);
                    // Never let a later, passing error hide the one that halts.
                    if self.halted.as_ref().is_none_or(ReadError::retry) {
                        self.halted = Some(error);
                    }
                }
            }
        }
        if records.is_empty()
            && let Some(error) = self.raised()
        {
            return Err(error);
        }
        Ok(Batch { records, ends, topics: Arc::clone(&self.topics), messages })
    }

    /// The error to report now; one that may pass is reported once.
    fn raised(&mut self) -> Option<ReadError> {
        let error = self.halted.clone()?;
        if error.retry() {
            self.halted = None;
        }
        Some(error)
    }

    fn topic_index(&mut self, record: &Record<'_>) -> u32 {
        let address = record.topic_address();
        if let Some((_, index)) = self.addresses.iter().find(|(known, _)| *known == address) {
            return *index;
        }
        let name = record.topic_text();
        let index = self.topics.iter().position(|topic| topic.as_str() == name).unwrap_or(0);
        let index = u32::try_from(index).expect("an assignment is small");
        if !name.is_empty() {
            self.addresses.push((address, index));
        }
        index
    }

    fn advance(&mut self, topic: u32, partition: i32, next: i64) {
        let assigned = self.assigned.iter_mut();
        for assigned in assigned.filter(|a| a.topic == topic && a.partition == partition) {
            assigned.next = assigned.next.max(next);
        }
    }

    fn read_error(&self, record: &Record<'_>, code: RDKafkaErrorCode) -> ReadError {
        let topic = TopicName::from(record.topic_text());
        let partition = record.partition();
        match code {
            RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange => self.out_of_range(topic, partition),
            code => ReadError::Refused { topic, partition, reason: code.to_string(), retry: passes(code) },
        }
    }

    fn out_of_range(&self, topic: TopicName, partition: i32) -> ReadError {
        let offset = self.find(&topic, partition).map_or(-1, |at| self.assigned[at].next);
        let (log_start, log_end) = match self.bounds(&topic, partition, BOUNDS_LIMIT) {
            Ok(bounds) => (bounds.start, bounds.stable_end),
            Err(_) => (-1, -1),
        };
        ReadError::OutOfRange { topic, partition, offset, log_start, log_end }
    }
}

fn assigned(topics: &[TopicName], start: &Start) -> Assigned {
    let topic = topics.iter().position(|topic| *topic == start.topic).unwrap_or(0);
    Assigned { topic: u32::try_from(topic).expect("an assignment is small"), partition: start.partition, next: start.offset }
}

fn list_of<'a>(partitions: impl Iterator<Item = (&'a str, i32, i64)>) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for (topic, partition, offset) in partitions {
        list.add_partition_offset(topic, partition, Offset::from_raw(offset)).expect("a fresh list takes every partition");
    }
    list
}

/// Whether librdkafka goes on by itself after reporting this error.
fn passes(code: RDKafkaErrorCode) -> bool {
    !matches!(
        code,
        RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::UnknownTopicOrPartition
            | RDKafkaErrorCode::UnknownPartition
            | RDKafkaErrorCode::UnknownTopic
            | RDKafkaErrorCode::Fatal
            | RDKafkaErrorCode::BadMessage
            | RDKafkaErrorCode::InvalidMessage
    )
}

fn client_error(attempted: &str, error: &KafkaError) -> ReadError {
    ReadError::Client { attempted: attempted.to_owned(), reason: error.to_string() }
}

fn bounds_error(topic: &TopicName, partition: i32, limit: Duration, error: &KafkaError) -> ReadError {
    let reason = error.to_string();
    match error.rdkafka_error_code() {
        Some(
            RDKafkaErrorCode::OperationTimedOut
            | RDKafkaErrorCode::BrokerTransportFailure
            | RDKafkaErrorCode::AllBrokersDown
            | RDKafkaErrorCode::RequestTimedOut,
        ) => ReadError::TimedOut { attempted: format!("asking for the ends of {topic}/{partition}"), limit },
        Some(code) => ReadError::Refused { topic: topic.clone(), partition, reason, retry: passes(code) },
        None => ReadError::Client { attempted: format!("asking for the ends of {topic}/{partition}"), reason },
    }
}
