//! One transactional client and one transaction on it, step by step.
//!
//! Promises that every failure is told as fenced, never, or interrupted. It retries nothing but
//! `commit_transaction` itself; the order of the steps, and recycling, are the lane's policy.

use crate::NO_PANIC;
use crate::callbacks::Callbacks;
use crate::client_config;
use crate::errors::{CommitError, SettingsError};
use crate::hurry::{HOLDS, Hurry};
use crate::lane_producer::{Transactions, Written};
use crate::message::{Message, Partition, TopicName};
use crate::producer::record_of;
use crate::settings::KafkaSettings;
use rdkafka::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::producer::{BaseProducer, DeliveryResult, Producer as _, ProducerContext};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Between the first two looks at what is in flight; each pause after that is twice as long, up to the last one.
/// `commit_transaction` with messages in flight waits out a fixed 100 ms instead.
const DRAIN_PAUSE: Duration = Duration::from_micros(100);
/// The longest pause: every look wakes a thread, which costs more than it looks at.
const DRAIN_PAUSE_MOST: Duration = Duration::from_micros(500);
/// Bytes of one topic, and messages, that are sent before their acknowledgements are awaited: below those of a batch
/// (`batch.size`, `batch.num.messages`), so that no message stands behind a batch of its own partition.
const ROUND_BYTES: usize = 900_000;
const ROUND_MESSAGES: usize = 9_000;
/// What a message takes in a batch beside key, value and headers, and each header beside its texts, at most.
const FRAME_BYTES: usize = 64;
/// How long past the messages' own time-out their reports may take before we stop waiting.
const DRAIN_GRACE: Duration = Duration::from_secs(5);
/// The most events served at once; those of an unreachable broker never end.
const EVENTS: usize = 200;
/// One try of `commit_transaction` or `init_transactions`; how soon a client that nobody wants any more gives up.
const TRY: Duration = Duration::from_millis(500);
/// Fetching metadata to warm a client up is a courtesy; it may fail.
const WARM_UP: Duration = Duration::from_secs(2);

/// Collects what happens on the client's threads.
#[derive(Default)]
pub(crate) struct Deliveries {
    callbacks: Callbacks,
    failed: Mutex<Option<Failure>>,
    /// The newest record of each partition that the transaction wrote to.
    written: Mutex<Vec<Written>>,
    /// How many events were served.
    served: AtomicU64,
}

struct Failure {
    code: Option<RDKafkaErrorCode>,
    topic: TopicName,
    partition: i32,
    reason: String,
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.count();
        self.callbacks.on_log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.count();
        self.callbacks.on_error(&error, reason);
    }

    fn stats_raw(&self, json: &[u8]) {
        self.count();
        self.callbacks.on_statistics(json);
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        self.count();
        let (error, message) = match result {
            Ok(message) => return self.note(message.topic(), message.partition(), message.offset()),
            Err(failure) => failure,
        };
        let mut failed = self.failed.lock().expect(NO_PANIC);
        failed.get_or_insert_with(|| Failure {
            code: error.rdkafka_error_code(),
            topic: TopicName::from(message.topic()),
            partition: message.partition(),
            reason: error.to_string(),
        });
    }
}

impl Deliveries {
    fn of(config: &ClientConfig) -> Self {
        Self { callbacks: Callbacks::of(config), ..Self::default() }
    }

    fn count(&self) {
        self.served.fetch_add(1, Ordering::Relaxed);
    }

    fn note(&self, topic: &str, partition: i32, offset: i64) {
        let mut written = self.written.lock().expect(NO_PANIC);
        match written.iter_mut().find(|known| known.partition == partition && known.topic.as_str() == topic) {
            Some(known) => known.offset = known.offset.max(offset),
            None => written.push(Written { topic: TopicName::from(topic), partition, offset }),
        }
    }
}

/// Messages in the rounds in which they are sent.
struct Rounds<'a>(&'a [Message]);

impl<'a> Iterator for Rounds<'a> {
    type Item = &'a [Message];

    fn next(&mut self) -> Option<&'a [Message]> {
        let mut bytes: BTreeMap<&'a str, usize> = BTreeMap::new();
        let fits = |(nth, message): (usize, &'a Message)| {
            let sum = bytes.entry(message.topic.as_str()).or_default();
            *sum += size(message);
            nth == 0 || (*sum <= ROUND_BYTES && nth < ROUND_MESSAGES)
        };
        let count = self.0.iter().enumerate().map(fits).take_while(|fits| *fits).count();
        let (round, rest) = self.0.split_at(count);
        self.0 = rest;
        (count > 0).then_some(round)
    }
}

/// Bytes of a message in a batch, at most.
fn size(message: &Message) -> usize {
    let headers: usize = message.headers.iter().map(|(name, value)| name.len() + value.len() + FRAME_BYTES).sum();
    message.key.as_ref().map_or(0, Vec::len) + message.value.as_ref().map_or(0, Vec::len) + headers + FRAME_BYTES
}

/// A transactional client; used up by the first failure.
pub(crate) struct TransactionalClient {
    id: String,
    /// Before the producer, which its thread holds as well.
    hurry: Hurry,
    producer: Arc<BaseProducer<Deliveries>>,
    drain_limit: Duration,
    /// The count of errors when `init` was done.
    sound_at: Option<u64>,
    /// Whether the lane was let go.
    abandoned: Arc<AtomicBool>,
}

impl TransactionalClient {
    /// A client; contacts nobody yet. Once `abandoned`, it gives up whatever it waits for.
    pub(crate) fn new(settings: &KafkaSettings, id: &str, abandoned: Arc<AtomicBool>) -> Result<Self, CommitError> {
        let config = client_config::transactional(settings, id)?;
        let producer: BaseProducer<Deliveries> =
            config.create_with_context(Deliveries::of(&config)).map_err(|error| SettingsError::Refused { reason: error.to_string() })?;
        let producer = Arc::new(producer);
        let hurry = Hurry::new(Arc::clone(&producer)).map_err(|error| SettingsError::Refused { reason: error.to_string() })?;
        let drain_limit = Duration::from_millis(settings.transaction_timeout_ms.into()) + DRAIN_GRACE;
        Ok(Self { id: id.to_owned(), hurry, producer, drain_limit, sound_at: None, abandoned })
    }
}

impl Transactions for TransactionalClient {
    /// Connects, so that `init` finds the broker's own connection instead of waiting out a fixed 500 ms.
    fn warm_up(&self, topics: &[TopicName]) {
        for topic in topics {
            let known = self.producer.client().fetch_metadata(Some(topic.as_str()), WARM_UP);
            if let Err(error) = known {
                let id = &self.id;
                tracing::debug!(target: "kafka", %error, id, %topic, "no metadata while warming up");
                break;
            }
        }
        self.serve();
    }

    fn init(&mut self, limit: Duration) -> Result<(), CommitError> {
        let deadline = Instant::now() + limit;
        while let Err(error) = self.producer.init_transactions(TRY) {
            self.serve();
            if !is_timed_out(&error) || Instant::now() >= deadline {
                return Err(self.interrupted("init_transactions", &error));
            }
            self.heed()?;
        }
        self.serve();
        self.sound_at = Some(self.errors());
        Ok(())
    }

    /// Serves all callbacks that wait; call it when idle too, or neither logs nor errors are seen.
    fn serve(&self) {
        // A poll without waiting serves one event only, and the error that matters may stand behind log lines. With
        // nothing in flight, what is counted are events; a poll that served none has found none.
        let client = self.producer.client();
        let served = || client.context().served.load(Ordering::Relaxed);
        for _ in 0..EVENTS {
            let before = served();
            self.producer.poll(Duration::ZERO);
            if served() == before || self.producer.in_flight_count() == 0 {
                break;
            }
        }
        client.context().callbacks.mend(client);
    }

    /// A late EndTxn may be about. Idle times count too, since librdkafka is silent about the second of two equal
    /// breaks within 30 s.
    fn saw_errors(&self) -> bool {
        self.sound_at.is_some_and(|sound_at| sound_at != self.errors())
    }

    fn begin(&self) -> Result<(), CommitError> {
        self.producer.context().written.lock().expect(NO_PANIC).clear();
        self.producer.begin_transaction().map_err(|error| self.interrupted("begin_transaction", &error))
    }

    fn acknowledged(&self, messages: &[Message]) -> Result<(), CommitError> {
        let deadline = Instant::now() + self.drain_limit;
        for round in Rounds(messages) {
            self.hurry.settle();
            for message in round {
                self.send(message, deadline)?;
            }
            self.drain(deadline)?;
        }
        Ok(())
    }

    /// Again where librdkafka says that it may be.
    fn end(&self, budget: Duration) -> Result<(), CommitError> {
        let deadline = Instant::now() + budget;
        loop {
            let Err(error) = self.producer.commit_transaction(TRY) else { break };
            self.serve();
            if !is_retriable(&error) || Instant::now() >= deadline {
                return Err(self.interrupted("commit_transaction", &error));
            }
            self.heed()?;
            tracing::debug!(target: "kafka", %error, id = self.id, "commit_transaction is tried again");
        }
        self.serve();
        Ok(())
    }

    fn written(&self) -> Vec<Written> {
        self.producer.context().written.lock().expect(NO_PANIC).clone()
    }

    fn abort_and_drop(self, limit: Duration) {
        if let Err(error) = self.producer.abort_transaction(limit) {
            tracing::debug!(target: "kafka", %error, id = self.id, "the transaction could not be aborted");
        }
    }
}

impl TransactionalClient {
    /// Whether the client knows that somebody newer has the id.
    fn is_fenced(&self) -> bool {
        let fatal = self.producer.client().fatal_error();
        fatal.is_some_and(|(code, _)| is_fencing(code))
    }

    fn errors(&self) -> u64 {
        self.producer.context().callbacks.errors()
    }

    fn send(&self, message: &Message, deadline: Instant) -> Result<(), CommitError> {
        loop {
            let Err((error, _)) = self.producer.send(record_of(message, ())) else { return Ok(()) };
            if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) || Instant::now() > deadline {
                return Err(self.unsendable(message, &error));
            }
            self.heed()?;
            // What fills the queue would linger in it otherwise.
            self.hurry.tell();
            self.producer.poll(Duration::from_millis(1));
        }
    }

    /// An error once the lane was let go.
    fn heed(&self) -> Result<(), CommitError> {
        if self.abandoned.load(Ordering::Relaxed) {
            return Err(CommitError::Abandoned { transactional_id: self.id.clone() });
        }
        Ok(())
    }

    fn drain(&self, deadline: Instant) -> Result<(), CommitError> {
        let (mut told, mut pause): (Option<Instant>, _) = (None, DRAIN_PAUSE);
        loop {
            if told.is_none_or(|told| told.elapsed() >= HOLDS) {
                self.hurry.tell();
                told = Some(Instant::now());
            }
            self.serve();
            if self.producer.in_flight_count() == 0 {
                break;
            }
            if Instant::now() > deadline {
                return Err(self.interrupt("waiting for acknowledgements", "they did not come in time"));
            }
            self.heed()?;
            thread::sleep(pause);
            pause = (pause * 2).min(DRAIN_PAUSE_MOST);
        }
        let failed = &self.producer.context().failed;
        let failed = failed.lock().expect(NO_PANIC).take();
        failed.map_or(Ok(()), |failure| Err(self.undelivered(failure)))
    }

    fn unsendable(&self, message: &Message, error: &KafkaError) -> CommitError {
        let code = error.rdkafka_error_code();
        if code.is_none_or(is_refusal) && !self.is_fenced() {
            return refused(message.topic.clone(), message.partition, error.to_string(), code);
        }
        self.interrupted("sending", error)
    }

    fn undelivered(&self, failure: Failure) -> CommitError {
        if failure.code.is_some_and(is_fencing) {
            return self.fenced();
        }
        if failure.code.is_some_and(is_refusal) {
            return refused(failure.topic, Partition::Exactly(failure.partition), failure.reason, failure.code);
        }
        self.interrupt("delivering", &failure.reason)
    }

    fn interrupted(&self, attempted: &'static str, error: &KafkaError) -> CommitError {
        if is_fatal_fencing(error) || self.is_fenced() {
            return self.fenced();
        }
        self.interrupt(attempted, &error.to_string())
    }

    fn interrupt(&self, attempted: &'static str, reason: &str) -> CommitError {
        if self.is_fenced() {
            return self.fenced();
        }
        let transactional_id = self.id.clone();
        CommitError::Interrupted { transactional_id, attempted, reason: reason.to_owned() }
    }

    fn fenced(&self) -> CommitError {
        CommitError::Fenced { transactional_id: self.id.clone() }
    }
}

fn refused(topic: TopicName, partition: Partition, reason: String, code: Option<RDKafkaErrorCode>) -> CommitError {
    CommitError::Refused { topic, partition, reason, passes: code.is_some_and(is_of_the_topic) }
}

fn is_retriable(error: &KafkaError) -> bool {
    match error {
        KafkaError::Transaction(error) => error.is_retriable() && !error.is_fatal() && !error.txn_requires_abort(),
        _ => false,
    }
}

/// Whether the same call on the same client goes on with what it has begun.
fn is_timed_out(error: &KafkaError) -> bool {
    is_retriable(error) && matches!(error, KafkaError::Transaction(error) if error.code() == RDKafkaErrorCode::OperationTimedOut)
}

fn is_fatal_fencing(error: &KafkaError) -> bool {
    matches!(error, KafkaError::Transaction(error) if is_fencing(error.code()))
}

fn is_fencing(code: RDKafkaErrorCode) -> bool {
    matches!(code, RDKafkaErrorCode::Fenced | RDKafkaErrorCode::ProducerFenced | RDKafkaErrorCode::InvalidProducerEpoch)
}

/// Refusals that come from the topic and not from the record.
fn is_of_the_topic(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::UnknownPartition
            | RDKafkaErrorCode::UnknownTopic
            | RDKafkaErrorCode::UnknownTopicOrPartition
            | RDKafkaErrorCode::TopicAuthorizationFailed
    )
}

/// Errors that the same bytes will meet again.
fn is_refusal(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::MessageSizeTooLarge
            | RDKafkaErrorCode::InvalidRecord
            | RDKafkaErrorCode::InvalidMessageSize
            | RDKafkaErrorCode::UnknownPartition
            | RDKafkaErrorCode::UnknownTopic
            | RDKafkaErrorCode::UnknownTopicOrPartition
            | RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::InvalidTopic
            | RDKafkaErrorCode::MessageBatchTooLarge
            | RDKafkaErrorCode::InvalidTimestamp
            | RDKafkaErrorCode::InvalidArgument
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(topic: &str, bytes: usize) -> Message {
        Message::to(TopicName::from(topic), 0, vec![0; bytes])
    }

    fn rounds(messages: &[Message]) -> Vec<usize> {
        Rounds(messages).map(<[Message]>::len).collect()
    }

    #[test]
    fn a_round_of_a_topic_stays_below_a_batch() {
        assert_eq!(rounds(&[]), [0; 0]);
        let halves = [message("a", 400_000), message("b", 400_000), message("a", 400_000), message("b", 400_000), message("a", 400_000)];
        assert_eq!(rounds(&halves), [4, 1], "each topic counts alone");
        assert_eq!(rounds(&[message("a", 8_000_000), message("a", 8_000_000), message("a", 1)]), [1, 1, 1], "a large one goes alone");
        assert_eq!(rounds(&vec![message("a", 1); 20_000]), [ROUND_MESSAGES, ROUND_MESSAGES, 2_000]);
    }

    #[test]
    fn key_and_headers_count() {
        let plain = size(&message("a", 100));
        let dressed = Message { key: Some(vec![0; 10]), ..message("a", 100).header("name", vec![0; 20]) };
        assert_eq!(size(&dressed), plain + 10 + "name".len() + 20 + FRAME_BYTES);
    }
}
