//! A plain idempotent producer, for whoever publishes without a lane: commands, frames, imports.
//!
//! Promises order within a partition, no duplicates from its own retries, Java's partitioner, and
//! that every message that could not be delivered is handed back with the reason. No transactions.

use crate::NO_PANIC;
use crate::callbacks::Callbacks;
use crate::client_config;
use crate::errors::{SendError, SettingsError};
use crate::message::{Message, Partition};
use crate::settings::KafkaSettings;
use rdkafka::ClientConfig;
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer as _, ProducerContext, ThreadedProducer};
use rdkafka::util::IntoOpaque;
use std::mem;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How long `send` waits for room in the queue.
const ROOM_LIMIT: Duration = Duration::from_secs(30);

/// A message that was accepted and not delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryFailure {
    /// The message, unchanged.
    pub message: Message,
    /// Why it was not delivered.
    pub reason: String,
}

/// Not everything was delivered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlushError {
    /// Time ran out with messages still on their way; flush again.
    #[error("{waiting} messages were not acknowledged within {limit:?}: the broker is away or slow")]
    TimedOut {
        /// How many are still on their way.
        waiting: usize,
        /// The limit that passed.
        limit: Duration,
    },
    /// Messages were given up. They are not in the log, as far as is known: send them again or tell
    /// somebody.
    #[error("{} messages were not delivered; the first one: {}", failures.len(), first(failures))]
    Undelivered {
        /// The messages with their reasons.
        failures: Vec<DeliveryFailure>,
    },
}

fn first(failures: &[DeliveryFailure]) -> String {
    let text = |failure: &DeliveryFailure| format!("{}: {}", failure.message.topic, failure.reason);
    failures.first().map(text).unwrap_or_default()
}

/// The producer; may be shared between threads.
pub struct Producer {
    inner: ThreadedProducer<Reports>,
}

impl Producer {
    /// A producer; `name` is added to the client id. Contacts nobody yet.
    ///
    /// # Errors
    /// When no client can be made of the settings.
    pub fn open(settings: &KafkaSettings, name: &str) -> Result<Self, SettingsError> {
        let config = client_config::producer(settings, name)?;
        let made = config.create_with_context(Reports::of(&config));
        let inner = made.map_err(|error| SettingsError::Refused { reason: error.to_string() })?;
        Ok(Self { inner })
    }

    /// Accepts a message for delivery; waits only while the queue is full (up to 30 s).
    ///
    /// # Errors
    /// [`SendError`] when it was not accepted. What happens later is told by [`Producer::flush`]
    /// and [`Producer::take_failures`].
    pub fn send(&self, message: Message) -> Result<(), SendError> {
        let topic = message.topic.clone();
        let deadline = Instant::now() + ROOM_LIMIT;
        self.mend();
        let message = Arc::new(message);
        loop {
            let record = record_of(&message, Arc::clone(&message));
            let Err((error, _)) = self.inner.send(record) else { return Ok(()) };
            if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
                return Err(SendError::Refused { topic, reason: error.to_string() });
            }
            if Instant::now() >= deadline {
                return Err(SendError::QueueFull { topic, limit: ROOM_LIMIT });
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Waits until every accepted message is acknowledged or given up.
    ///
    /// # Errors
    /// [`FlushError::Undelivered`] with all that failed since the last look,
    /// [`FlushError::TimedOut`] when some are still on their way.
    pub fn flush(&self, limit: Duration) -> Result<(), FlushError> {
        self.mend();
        let flushed = self.inner.flush(limit);
        let failures = self.take_failures();
        if !failures.is_empty() {
            return Err(FlushError::Undelivered { failures });
        }
        flushed.map_err(|_| FlushError::TimedOut { waiting: self.on_their_way(), limit })
    }

    /// Messages that were accepted and whose end is not known yet.
    #[must_use]
    pub fn on_their_way(&self) -> usize {
        usize::try_from(self.inner.in_flight_count()).unwrap_or(0)
    }

    fn mend(&self) {
        let client = self.inner.client();
        client.context().callbacks.mend(client);
    }

    /// The messages that failed since the last look.
    #[must_use]
    pub fn take_failures(&self) -> Vec<DeliveryFailure> {
        let context = self.inner.client().context();
        mem::take(&mut *context.failures.lock().expect(NO_PANIC))
    }
}

/// Collects what could not be delivered.
#[derive(Default)]
struct Reports {
    callbacks: Callbacks,
    failures: Mutex<Vec<DeliveryFailure>>,
}

impl Reports {
    fn of(config: &ClientConfig) -> Self {
        Self { callbacks: Callbacks::of(config), ..Self::default() }
    }
}

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.callbacks.on_log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.callbacks.on_error(&error, reason);
    }

    fn stats_raw(&self, json: &[u8]) {
        self.callbacks.on_statistics(json);
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = Arc<Message>;

    fn delivery(&self, result: &DeliveryResult<'_>, message: Arc<Message>) {
        let Err((error, _)) = result else { return };
        let reason = error.to_string();
        let message = Arc::unwrap_or_clone(message);
        let mut failures = self.failures.lock().expect(NO_PANIC);
        failures.push(DeliveryFailure { message, reason });
    }
}

/// A message in rdkafka's form; bytes are copied by the client when it is sent.
pub(crate) fn record_of<D: IntoOpaque>(message: &Message, opaque: D) -> BaseRecord<'_, [u8], [u8], D> {
    let mut record = BaseRecord::with_opaque_to(message.topic.as_str(), opaque);
    if let Partition::Exactly(partition) = message.partition {
        record = record.partition(partition);
    }
    record.key = message.key.as_deref();
    record.payload = message.value.as_deref();
    record.timestamp = message.timestamp;
    if !message.headers.is_empty() {
        record.headers = Some(headers_of(message));
    }
    record
}

fn headers_of(message: &Message) -> OwnedHeaders {
    let empty = OwnedHeaders::new_with_capacity(message.headers.len());
    message.headers.iter().fold(empty, |headers, (key, value)| headers.insert(Header { key, value: Some(value.as_slice()) }))
}
