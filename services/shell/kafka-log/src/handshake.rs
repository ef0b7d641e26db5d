//! Why a connection could not be secured, from the client library's words, and what to change.
//!
//! The library reports every such failure as "transport failure"; only its log lines say which it was, and the
//! client of administration, whose queue nobody can poll, gives none. Knows no secret.

use crate::callbacks::Callbacks;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use std::time::{Duration, Instant};

/// How long a connection may take to fail once more.
const PATIENCE: Duration = Duration::from_secs(3);

/// What keeps a connection from being secured, in the library's words, and what to change: asked of a consumer,
/// whose log lines can be read. `None` where it is something else.
pub(crate) fn diagnosis(config: &ClientConfig) -> Option<(String, &'static str)> {
    let consumer: BaseConsumer<Callbacks> = config.create_with_context(Callbacks::default()).ok()?;
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        // Log lines are handed over within; there is no record to come.
        let _ = consumer.poll(Duration::from_millis(50));
        if let Some(problem) = consumer.context().insecure() {
            let advice = advice(&problem)?;
            return Some((problem, advice));
        }
    }
    None
}

/// What a line that reports a lost connection means for the operator; `None` where it has nothing to do with
/// TLS or SASL.
pub(crate) fn advice(line: &str) -> Option<&'static str> {
    let known = |(words, _): &&(&str, &str)| line.contains(words);
    ADVICE.iter().find(known).map(|(_, advice)| *advice)
}

/// Words of librdkafka and OpenSSL, the more telling ones first.
const ADVICE: [(&str, &str); 9] = [
    ("SASL authentication error", "check user, password and sasl_mechanism in kafka.security, and that the brokers know this user"),
    ("mechanism handshake failed", "the brokers do not offer the sasl_mechanism of kafka.security"),
    (
        "certificate verify failed",
        "ca_file in kafka.security must hold the authority of the brokers' certificate, which must be valid today and name the host in kafka.brokers",
    ),
    ("PLAINTEXT broker listener", "the listener does not speak TLS: check protocol in kafka.security, and the port in kafka.brokers"),
    ("wrong version number", "the listener does not speak TLS: check protocol in kafka.security, and the port in kafka.brokers"),
    (
        "security.protocol",
        "the listener wants another protocol, likely TLS: check protocol in kafka.security, and the port in kafka.brokers",
    ),
    ("SASL_SSL listener", "the listener wants TLS: check protocol in kafka.security, and the port in kafka.brokers"),
    (
        " alert ",
        "the brokers refused our certificate: check cert_file and key_file in kafka.security, which mutual TLS needs, and that the brokers trust their authority",
    ),
    ("SSL handshake failed", "check protocol and ca_file in kafka.security, and that the port in kafka.brokers speaks TLS"),
];

/// A line without the thread and the broker in front.
pub(crate) fn words(line: &str) -> &str {
    line.split_once("]: ").map_or(line, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_says_what_to_change() {
        for (line, told) in [
            ("x: SASL authentication error: Authentication failed during authentication due to invalid credentials", "password"),
            ("x: SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: broker certificate", "ca_file"),
            (
                "x: SSL handshake failed: error:0A00010B:SSL routines::wrong version number: connecting to a PLAINTEXT broker listener?",
                "TLS",
            ),
            ("x: Disconnected while requesting ApiVersion: might be caused by incorrect security.protocol configuration", "protocol"),
        ] {
            assert!(advice(line).is_some_and(|advice| advice.contains(told)), "{line}");
        }
        assert_eq!(advice("localhost:9092: Connect failed: Connection refused"), None);
        assert_eq!(words("[thrd:ssl://a:1/bootstrap]: ssl://a:1/bootstrap: SSL"), "ssl://a:1/bootstrap: SSL");
    }
}
