//! How to reach the cluster, as the operator writes it down.
//!
//! Promises that a secret is never printed and that contradictions are refused before anything is
//! sent. The client properties made of it live in `client_config`.

use crate::client_config;
use crate::errors::SettingsError;
use rdkafka::error::KafkaError;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// What [`KafkaSettings::live_fetch_wait_ms`] may be.
pub const LIVE_FETCH_WAIT_MS: RangeInclusive<u32> = 100..=500;
/// What [`KafkaSettings::fetch_ahead_kib`] may be: up to the most that librdkafka takes.
pub const FETCH_AHEAD_KIB: RangeInclusive<u32> = 1024..=2_097_151;
/// What [`KafkaSettings::transaction_timeout_ms`] may be.
pub const TRANSACTION_TIMEOUT_MS: RangeInclusive<u32> = 5_000..=3_600_000;

/// A text that is never printed.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself; for handing to a client, never for logs.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// How a connection is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Protocol {
    /// Nothing: for a trusted network only.
    #[default]
    Plaintext,
    /// TLS.
    Ssl,
    /// SASL without TLS.
    SaslPlaintext,
    /// SASL over TLS.
    SaslSsl,
}

impl Protocol {
    /// The name that Kafka uses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plaintext => "PLAINTEXT",
            Self::Ssl => "SSL",
            Self::SaslPlaintext => "SASL_PLAINTEXT",
            Self::SaslSsl => "SASL_SSL",
        }
    }

    pub(crate) fn is_tls(self) -> bool {
        matches!(self, Self::Ssl | Self::SaslSsl)
    }

    pub(crate) fn is_sasl(self) -> bool {
        matches!(self, Self::SaslPlaintext | Self::SaslSsl)
    }
}

/// TLS and SASL.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Security {
    /// How connections are protected.
    pub protocol: Protocol,
    /// The authorities to trust (PEM); absent: the system's.
    pub ca_file: Option<PathBuf>,
    /// Our certificate (PEM), for mutual TLS.
    pub cert_file: Option<PathBuf>,
    /// The certificate's private key (PEM).
    pub key_file: Option<PathBuf>,
    /// The private key's password.
    pub key_password: Option<Secret>,
    /// PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.
    pub sasl_mechanism: Option<String>,
    /// The SASL user.
    pub user: Option<String>,
    /// The SASL password.
    pub password: Option<Secret>,
    /// A file with the SASL password; see [`KafkaSettings::read_secrets`].
    pub password_file: Option<PathBuf>,
    /// A file with the private key's password; see [`KafkaSettings::read_secrets`].
    pub key_password_file: Option<PathBuf>,
}

/// Everything about the cluster that is the operator's to say.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KafkaSettings {
    /// `host:port`, comma-separated; without a port, 9092.
    pub brokers: String,
    /// Names this process in the brokers' logs and quotas.
    pub client_id: String,
    /// Names this deployment; every group id starts with it.
    pub deployment: String,
    /// TLS and SASL.
    pub security: Security,
    /// The longest that a broker may hold an empty fetch of a live reader (ms, 100–500): less
    /// costs the broker a third of a core for nothing, more delays the end-of-partition report.
    pub live_fetch_wait_ms: u32,
    /// The most that a reader may hold fetched ahead (KiB).
    pub fetch_ahead_kib: u32,
    /// The largest record that may be written (bytes): 8 MiB of output and room for a dead
    /// letter's headers.
    pub max_message_bytes: u32,
    /// How long a transaction, and each message in it, may stay open (ms). Above the broker's
    /// restart time, so that a restart passes unseen inside an open transaction.
    pub transaction_timeout_ms: u32,
    /// librdkafka properties that override ours, for what is not foreseen here; but for those on which exactly-once
    /// rests. Any of them may hold a secret, so that none is ever printed.
    pub client: BTreeMap<String, Secret>,
}

impl Default for KafkaSettings {
    fn default() -> Self {
        Self {
            brokers: "localhost:9092".to_owned(),
            client_id: "ballast".to_owned(),
            deployment: "ballast".to_owned(),
            security: Security::default(),
            live_fetch_wait_ms: 200,
            fetch_ahead_kib: 16 * 1024,
            max_message_bytes: 9 * 1024 * 1024,
            transaction_timeout_ms: 30_000,
            client: BTreeMap::new(),
        }
    }
}

impl KafkaSettings {
    /// The id that fences a lane: `ballast.<role>.<lane>`. It does not name the deployment: topics have fixed names, so
    /// that two deployments on one cluster would write to the same lane, and must fence each other.
    #[must_use]
    pub fn transactional_id(&self, role: &str, lane: i32) -> String {
        format!("ballast.{role}.{lane}")
    }

    /// The group in which a role's processes share its lanes: `<deployment>.<role>`.
    #[must_use]
    pub fn group_id(&self, role: &str) -> String {
        format!("{}.{role}", self.deployment)
    }

    /// Refuses contradictions, without contacting anybody.
    ///
    /// # Errors
    /// [`SettingsError::Invalid`] names the first setting that cannot be.
    pub fn validate(&self) -> Result<(), SettingsError> {
        let mut named = self.brokers.split(',').map(str::trim).filter(|broker| !broker.is_empty()).peekable();
        require("brokers", named.peek().is_some(), "name at least one host:port")?;
        if let Some(broker) = named.find(|broker| !is_address(broker)) {
            require("brokers", false, &format!("{broker:?} is no host:port with a port of 1 to 65535"))?;
        }
        require("deployment", is_name(&self.deployment), "has 1 to 128 bytes and no control characters")?;
        require("client_id", is_name(&self.client_id), "has 1 to 128 bytes and no control characters")?;
        within("live_fetch_wait_ms", self.live_fetch_wait_ms, &LIVE_FETCH_WAIT_MS)?;
        within("fetch_ahead_kib", self.fetch_ahead_kib, &FETCH_AHEAD_KIB)?;
        within("transaction_timeout_ms", self.transaction_timeout_ms, &TRANSACTION_TIMEOUT_MS)?;
        for property in KEPT {
            let free = !self.client.contains_key(property);
            require("client", free, &format!("{property} is not the operator's to set: exactly-once, or who owns a lane, rests on it"))?;
        }
        self.security.validate()
    }
}

/// Properties of the client on which exactly-once and the ownership of lanes rest, other names of theirs among them.
const KEPT: [&str; 27] = [
    "message.timeout.ms",
    "message.max.bytes",
    "session.timeout.ms",
    "heartbeat.interval.ms",
    "test.mock.num.brokers",
    "bootstrap.servers",
    "metadata.broker.list",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "partition.assignment.strategy",
    "transactional.id",
    "transaction.timeout.ms",
    "enable.idempotence",
    "enable.gapless.guarantee",
    "acks",
    "request.required.acks",
    "retries",
    "message.send.max.retries",
    "max.in.flight",
    "max.in.flight.requests.per.connection",
    "partitioner",
    "isolation.level",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "auto.offset.reset",
    "enable.partition.eof",
];

impl KafkaSettings {
    /// Refuses properties of `client` that the library does not know, values that it does not take, alone or beside those
    /// that the service sets, and certificates that it cannot read. Contacts nobody.
    ///
    /// # Errors
    /// [`SettingsError::Invalid`] with the library's words, which name the property.
    pub fn validate_client(&self) -> Result<(), SettingsError> {
        let refused = |setting| move |error: KafkaError| SettingsError::Invalid { setting, problem: words_of(&error) };
        client_config::admin(self)?.create_native_config().map_err(refused("client"))?;
        // Without the operator's properties and files there is nothing that the library could refuse.
        let setting = match (self.client.is_empty(), self.security.protocol.is_tls()) {
            (true, false) => return Ok(()),
            (true, true) => "security",
            (false, _) => "client",
        };
        client_config::try_each(self)?.map_err(refused(setting))
    }

    /// Reads the secrets that stand in files of their own; a line end at the end is not part of one.
    ///
    /// # Errors
    /// [`SettingsError::Invalid`] for a file that cannot be read, or where the secret is set as well.
    pub fn read_secrets(&mut self) -> Result<(), SettingsError> {
        let security = &mut self.security;
        read_secret("security.password_file", security.password_file.as_deref(), &mut security.password)?;
        read_secret("security.key_password_file", security.key_password_file.as_deref(), &mut security.key_password)
    }
}

/// Without the value, which may be a secret.
fn words_of(error: &KafkaError) -> String {
    match error {
        KafkaError::ClientConfig(_, words, property, value) if value.is_empty() || !words.contains(value.as_str()) => {
            format!("{property}: {words}")
        }
        KafkaError::ClientConfig(_, _, property, _) => format!("{property}: the library does not take this value"),
        other => other.to_string(),
    }
}

/// A host, or a numerical address, with a port or for the library's own; a protocol before it is the library's too.
fn is_address(broker: &str) -> bool {
    let address = broker.split_once("://").map_or(broker, |(_, address)| address);
    let (host, port) = match address.rsplit_once(':') {
        // Colons of a numerical address are none of a port.
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (address, None),
    };
    let is_host = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/');
    is_host && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

fn is_name(text: &str) -> bool {
    (1..=128).contains(&text.len()) && !text.chars().any(char::is_control)
}

fn read_secret(setting: &'static str, file: Option<&Path>, secret: &mut Option<Secret>) -> Result<(), SettingsError> {
    let Some(file) = file else { return Ok(()) };
    require(setting, secret.is_none(), "the secret is set as well: keep one of both")?;
    let read = std::fs::read_to_string(file);
    let text = read.map_err(|error| SettingsError::Invalid { setting, problem: format!("{}: {error}", file.display()) })?;
    *secret = Some(text.trim_end_matches(['\r', '\n']).to_owned().into());
    Ok(())
}

impl Security {
    fn validate(&self) -> Result<(), SettingsError> {
        let credentials = self.user.is_some() && self.password.is_some();
        let files = self.ca_file.is_some() || self.cert_file.is_some() || self.key_file.is_some();
        require("security.user", !self.protocol.is_sasl() || credentials, "this protocol needs user and password")?;
        require(
            "security.protocol",
            self.protocol.is_sasl() || !credentials,
            "user and password are set, but the protocol would not use them",
        )?;
        require("security.protocol", self.protocol.is_tls() || !files, "certificates are set, but the protocol would not use them")?;
        require("security.key_file", self.cert_file.is_some() == self.key_file.is_some(), "cert_file and key_file go together")
    }
}

fn within(setting: &'static str, value: u32, range: &RangeInclusive<u32>) -> Result<(), SettingsError> {
    require(setting, range.contains(&value), &format!("must be between {} and {}", range.start(), range.end()))
}

fn require(setting: &'static str, holds: bool, problem: &str) -> Result<(), SettingsError> {
    if holds {
        return Ok(());
    }
    Err(SettingsError::Invalid { setting, problem: problem.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let security = Security { password: Some("hunter2".to_owned().into()), ..Security::default() };
        let printed = format!("{security:?}");
        assert!(printed.contains("***") && !printed.contains("hunter2"), "{printed}");
        let mut settings = KafkaSettings { security, ..KafkaSettings::default() };
        for property in ["sasl.password", "ssl.key.password", "ssl.key.pem", "sasl.jaas.config", "sasl.oauthbearer.config"] {
            settings.client.insert(property.to_owned(), "hunter2".to_owned().into());
        }
        let printed = format!("{settings:?} {settings:#?}");
        assert!(printed.contains("sasl.jaas.config") && !printed.contains("hunter2"), "{printed}");
    }

    #[test]
    fn what_exactly_once_rests_on_is_not_overridden() {
        for property in KEPT {
            let mut settings = KafkaSettings::default();
            settings.client.insert(property.to_owned(), "x".to_owned().into());
            let told = settings.validate().unwrap_err().to_string();
            assert!(told.contains(property) && told.contains("exactly-once"), "{told}");
        }
        let mut settings = KafkaSettings::default();
        settings.client.insert("linger.ms".to_owned(), "7".to_owned().into());
        assert!(settings.validate().is_ok());
    }

    #[test]
    fn secrets_stand_in_files() {
        let file = std::env::temp_dir().join(format!("kafka-log-secret-{}", std::process::id()));
        std::fs::write(&file, "hunter2\n").unwrap();
        let mut settings = KafkaSettings::default();
        settings.security.password_file = Some(file.clone());
        settings.read_secrets().unwrap();
        assert_eq!(settings.security.password.as_ref().map(Secret::reveal), Some("hunter2"));
        assert!(settings.read_secrets().is_err(), "both are set now");
        std::fs::remove_file(&file).unwrap();
        settings.security.password = None;
        assert!(settings.read_secrets().unwrap_err().to_string().contains("password_file"));
    }

    #[test]
    fn the_defaults_are_valid() {
        assert_eq!(KafkaSettings::default().validate(), Ok(()));
    }

    #[test]
    fn properties_that_the_library_does_not_know_are_refused_without_their_values() {
        let with = |property: &str, value: &str| {
            let mut settings = KafkaSettings::default();
            settings.client.insert(property.to_owned(), value.to_owned().into());
            settings.validate_client().map_err(|error| error.to_string())
        };
        assert_eq!(with("socket.keepalive.enable", "true"), Ok(()));
        assert_eq!(with("linger.ms", "5"), Ok(()), "what only producers use is known too");
        let unknown = with("sokket.keepalive.enable", "hunter2").unwrap_err();
        assert!(unknown.contains("sokket.keepalive.enable") && !unknown.contains("hunter2"), "{unknown}");
        let wrong = with("linger.ms", "hunter2").unwrap_err();
        assert!(wrong.contains("linger.ms") && !wrong.contains("hunter2"), "{wrong}");
        // Right by itself, and refused beside what the service sets: by a reader, a member, a producer of a lane.
        for (property, value) in [("fetch.max.bytes", "20000"), ("max.poll.interval.ms", "5000"), ("queue.buffering.max.kbytes", "0")] {
            let wrong = with(property, value).unwrap_err();
            assert!(wrong.contains(property), "{wrong}");
        }
    }

    #[test]
    fn a_certificate_that_is_not_there_is_found_before_the_broker_is() {
        let mut settings = KafkaSettings::default();
        settings.security.protocol = Protocol::Ssl;
        settings.security.ca_file = Some("/nowhere/ca.pem".into());
        let told = settings.validate_client().unwrap_err().to_string();
        assert!(told.contains("security") && told.contains("ca.location"), "{told}");
    }

    #[test]
    fn contradictions_are_refused() {
        let refused = |change: fn(&mut KafkaSettings)| {
            let mut settings = KafkaSettings::default();
            change(&mut settings);
            match settings.validate() {
                Err(SettingsError::Invalid { setting, .. }) => setting,
                other => panic!("expected a refusal, got {other:?}"),
            }
        };
        assert_eq!(refused(|s| s.brokers = " ".into()), "brokers");
        assert_eq!(refused(|s| s.live_fetch_wait_ms = 10), "live_fetch_wait_ms");
        assert_eq!(refused(|s| s.fetch_ahead_kib = 2_097_152), "fetch_ahead_kib");
        assert_eq!(refused(|s| s.transaction_timeout_ms = 3_600_001), "transaction_timeout_ms");
        assert_eq!(refused(|s| s.deployment = "a\nb".into()), "deployment");
        assert_eq!(refused(|s| s.client_id = String::new()), "client_id");
        assert_eq!(refused(|s| s.security.protocol = Protocol::SaslSsl), "security.user");
        assert_eq!(refused(|s| s.security.ca_file = Some("ca.pem".into())), "security.protocol");
        assert_eq!(
            refused(|s| {
                s.security.protocol = Protocol::Ssl;
                s.security.cert_file = Some("me.pem".into());
            }),
            "security.key_file"
        );
    }
}
