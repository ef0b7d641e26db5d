//! What librdkafka tells on the side: log lines and client-wide errors go to `tracing`.
//!
//! Promises to count every sign of a broken connection, since a commit during which one broke must
//! recycle its producer: error callbacks, and the log lines about lost connections and requests,
//! because librdkafka raises no error when a single request was on its way. End-of-partition, which
//! rdkafka also reports as an error, is no news.

use crate::orphans::Orphanhood;
use rdkafka::ClientContext;
use rdkafka::client::Client;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The context of readers and of administration, and a part of every other one.
#[derive(Debug, Default)]
pub(crate) struct Callbacks {
    /// What the client begins with.
    brokers: String,
    orphanhood: Orphanhood,
    errors: AtomicU64,
    told: Mutex<BTreeMap<String, Instant>>,
}

/// The same news of one client is told once in this time: while no broker answers, it comes a thousand times a second.
const TELL_EVERY: Duration = Duration::from_secs(1);

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
        }
        if self.is_news(facility) {
            log_line(level, facility, line);
        }
    }

    fn is_news(&self, what: &str) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        match told.get_mut(what) {
            Some(at) if at.elapsed() < TELL_EVERY => false,
            Some(at) => {
                *at = Instant::now();
                true
            }
            None => {
                told.insert(what.to_owned(), Instant::now());
                true
            }
        }
    }

    /// How many signs of trouble there were since the client was made.
    pub(crate) fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    pub(crate) fn on_error(&self, error: &KafkaError, reason: &str) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::PartitionEOF) {
            return;
        }
        self.errors.fetch_add(1, Ordering::Relaxed);
        if self.is_news(&error.to_string()) {
            tracing::warn!(target: "kafka", %error, reason, "the Kafka client reports an error");
        }
    }
}

/// The facilities under which librdkafka logs a lost connection and a request without an answer.
const BREAKS: [&str; 2] = ["FAIL", "REQTMOUT"];

pub(crate) fn log_line(level: RDKafkaLogLevel, facility: &str, line: &str) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
            tracing::error!(target: "kafka", facility, "{line}")
        }
        RDKafkaLogLevel::Warning => tracing::warn!(target: "kafka", facility, "{line}"),
        RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => {
            tracing::info!(target: "kafka", facility, "{line}");
        }
        RDKafkaLogLevel::Debug => tracing::debug!(target: "kafka", facility, "{line}"),
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
