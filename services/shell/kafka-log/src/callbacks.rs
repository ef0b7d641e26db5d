//! What librdkafka tells on the side: log lines and client-wide errors go to `tracing`.
//!
//! Promises to count every sign of a broken connection, since a commit during which one broke must
//! recycle its producer: error callbacks, and the log lines about lost connections and requests,
//! because librdkafka raises no error when a single request was on its way. End-of-partition, which
//! rdkafka also reports as an error, is no news. The same trouble is told once a minute (`news`).

use crate::handshake;
use crate::news::{NOTICE_EVERY, News, TROUBLE_EVERY};
use crate::orphans::Orphanhood;
use rdkafka::ClientContext;
use rdkafka::client::Client;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// The context of readers and of administration, and a part of every other one.
#[derive(Debug, Default)]
pub(crate) struct Callbacks {
    /// What the client begins with.
    brokers: String,
    orphanhood: Orphanhood,
    errors: AtomicU64,
    /// The newest line about a connection that could not be secured.
    insecure: Mutex<Option<String>>,
}

/// Of all clients of the process.
static NEWS: News = News::new();

impl Callbacks {
    /// Those of a client that is made of this configuration.
    pub(crate) fn of(config: &ClientConfig) -> Self {
        Self { brokers: config.get("bootstrap.servers").unwrap_or_default().to_owned(), ..Self::default() }
    }

    /// What a client needs now and then that is polled.
    pub(crate) fn mend<C: ClientContext>(&self, client: &Client<C>) {
        self.orphanhood.mend(client, &self.brokers);
    }

    pub(crate) fn on_statistics(&self, json: &[u8]) {
        self.orphanhood.on_statistics(json);
    }

    pub(crate) fn on_log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        if BREAKS.contains(&facility) {
            self.errors.fetch_add(1, Ordering::Relaxed);
            if handshake::advice(line).is_some() {
                *self.insecure.lock().unwrap_or_else(PoisonError::into_inner) = Some(handshake::words(line).to_owned());
            }
        }
        let trouble = matches!(
            level,
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error | RDKafkaLogLevel::Warning
        );
        let every = if trouble { TROUBLE_EVERY } else { NOTICE_EVERY };
        if let Some(left_out) = NEWS.take(facility, line, every, Instant::now()) {
            log_line(level, facility, line, left_out);
        }
    }

    /// How many signs of trouble there were since the client was made.
    pub(crate) fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    /// What kept a connection from being secured, in the library's words.
    pub(crate) fn insecure(&self) -> Option<String> {
        self.insecure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn on_error(&self, error: &KafkaError, reason: &str) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::PartitionEOF) {
            return;
        }
        self.errors.fetch_add(1, Ordering::Relaxed);
        if let Some(left_out) = NEWS.take(&error.to_string(), reason, TROUBLE_EVERY, Instant::now()) {
            tracing::warn!(target: "kafka", %error, reason, left_out, "the Kafka client reports an error");
        }
    }
}

/// The facilities under which librdkafka logs a lost connection and a request without an answer.
const BREAKS: [&str; 2] = ["FAIL", "REQTMOUT"];

/// `left_out` counts the lines of the same kind since the last one that was told.
fn log_line(level: RDKafkaLogLevel, facility: &str, line: &str, left_out: u64) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
            tracing::error!(target: "kafka", facility, left_out, "{line}")
        }
        RDKafkaLogLevel::Warning => tracing::warn!(target: "kafka", facility, left_out, "{line}"),
        RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => {
            tracing::info!(target: "kafka", facility, left_out, "{line}");
        }
        RDKafkaLogLevel::Debug => tracing::debug!(target: "kafka", facility, left_out, "{line}"),
    }
}

impl ClientContext for Callbacks {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.on_log(level, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.on_error(&error, reason);
    }

    fn stats_raw(&self, json: &[u8]) {
        self.on_statistics(json);
    }
}

impl ConsumerContext for Callbacks {}
