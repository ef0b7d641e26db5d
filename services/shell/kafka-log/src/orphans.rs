//! A client that has nobody left to ask.
//!
//! A broker that has just started, or that its controller has fenced, answers a request for metadata with no
//! broker at all. librdkafka (2.10 to 2.15 at least; confluentinc/librdkafka#5301) then drops all that it
//! knows, those of `bootstrap.servers` too, and since nobody is left who could be asked, the client is silent
//! for ever: no record, no error, no log line. Its statistics show it. The brokers that it began with are then
//! added again, which is all that it lacks.
//!
//! Clients that nobody polls have no statistics: whoever keeps one opens it anew when it fails.
#![allow(unsafe_code)]

use rdkafka::ClientContext;
use rdkafka::bindings as rd;
use rdkafka::client::Client;
use rdkafka::config::ClientConfig;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ffi::CString;
use std::sync::atomic::{AtomicBool, Ordering};

/// How often a client tells how it stands, in milliseconds: how long it stays silent at most.
const TOLD_EVERY: &str = "3000";
/// Stands for a broker that others tell of, such as a group's coordinator: it goes with them.
const LOGICAL: &str = "logical";

/// Has a client tell whether it still knows a broker; whoever made it must poll it.
pub(crate) fn watched(config: &mut ClientConfig) {
    config.set("statistics.interval.ms", TOLD_EVERY);
}

/// What a client's statistics said last.
#[derive(Debug, Default)]
pub(crate) struct Orphanhood(AtomicBool);

impl Orphanhood {
    /// Statistics have come.
    pub(crate) fn on_statistics(&self, json: &[u8]) {
        match serde_json::from_slice::<Statistics>(json) {
            Ok(Statistics { brokers }) => {
                let alone = brokers.values().all(|broker| broker.source == LOGICAL);
                self.0.store(alone, Ordering::Relaxed);
            }
            Err(error) => tracing::warn!(target: "kafka", %error, "the client's statistics cannot be read"),
        }
    }

    /// Gives the client its first brokers back if it has none.
    pub(crate) fn mend<C: ClientContext>(&self, client: &Client<C>, brokers: &str) {
        if !self.0.swap(false, Ordering::Relaxed) {
            return;
        }
        tracing::warn!(target: "kafka", brokers, "the client was told that the cluster has no brokers; it begins anew with these");
        let Ok(list) = CString::new(brokers) else { return };
        // SAFETY: the client lives as long as the reference; the text ends in a zero and is copied.
        let added = unsafe { rd::rd_kafka_brokers_add(client.native_ptr(), list.as_ptr()) };
        if added == 0 {
            tracing::error!(target: "kafka", brokers, "none of the brokers could be added");
        }
    }
}

#[derive(Deserialize)]
struct Statistics {
    brokers: BTreeMap<String, Broker>,
}

#[derive(Deserialize)]
struct Broker {
    source: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coordinator_alone_is_nobody() {
        let said = |json: &str| {
            let orphanhood = Orphanhood::default();
            orphanhood.on_statistics(json.as_bytes());
            orphanhood.0.load(Ordering::Relaxed)
        };
        assert!(said(r#"{"ts": 1, "brokers": {}}"#));
        assert!(said(r#"{"brokers": {"GroupCoordinator": {"name": "GroupCoordinator", "source": "logical"}}}"#));
        assert!(!said(r#"{"brokers": {"a:9092/bootstrap": {"source": "configured"}, "GroupCoordinator": {"source": "logical"}}}"#));
        assert!(!said(r#"{"brokers": {"a:9092/1": {"source": "learned"}}}"#));
        assert!(!said("no statistics"));
    }
}
