//! The settings as librdkafka's properties: one function a kind of client.
//!
//! Every value that differs from librdkafka's default has its reason next to it. Promises that the
//! operator's overrides come last. Connects to nobody.

use crate::errors::SettingsError;
use crate::orphans::watched;
use crate::reader::Pace;
use crate::settings::KafkaSettings;
use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::KafkaError;
use rdkafka::producer::BaseProducer;

/// Milliseconds of silence after which a member's lanes go to others, as they were measured.
pub(crate) const SESSION_MS: u32 = 6_000;
/// Milliseconds between two signs of life of a member.
pub(crate) const HEARTBEAT_MS: u32 = 500;

/// What every client has in common.
pub(crate) fn common(settings: &KafkaSettings, name: &str) -> Result<ClientConfig, SettingsError> {
    settings.validate()?;
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &settings.brokers)
        .set("client.id", format!("{}-{name}", settings.client_id))
        // A lost answer to EndTxn otherwise hangs a commit for the default of 60 s.
        .set("socket.timeout.ms", "3000")
        // The default of 10 s outlasts a broker's restart and fails the open transaction.
        .set("reconnect.backoff.ms", "50")
        .set("reconnect.backoff.max.ms", "200")
        // Small requests wait on the peer's delayed acknowledgements otherwise.
        .set("socket.nagle.disable", "true")
        .set_log_level(RDKafkaLogLevel::Info);
    secure(&mut config, settings);
    Ok(config)
}

/// A reader by `assign`.
pub(crate) fn reader(settings: &KafkaSettings, pace: Pace, name: &str) -> Result<ClientConfig, SettingsError> {
    let wait = match pace {
        Pace::Live => settings.live_fetch_wait_ms,
        // End-of-partition comes only with an empty fetch: 22 ms to the last record against 513.
        Pace::Recovery | Pace::Undecided => 10,
    };
    let isolation = if pace == Pace::Undecided { "read_uncommitted" } else { "read_committed" };
    let mut config = common(settings, name)?;
    config
        // `assign` needs a group's name; nothing is ever joined or committed under it.
        .set("group.id", format!("{}.reader", settings.deployment))
        .set("isolation.level", isolation)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        // Never jump: an offset that is not in the log halts the lane.
        .set("auto.offset.reset", "error")
        .set("enable.partition.eof", "true")
        .set("fetch.wait.max.ms", wait.to_string())
        // After a full queue the default waits 1 s before it fetches again.
        .set("fetch.queue.backoff.ms", "10")
        .set("queued.min.messages", "20000")
        .set("queued.max.messages.kbytes", settings.fetch_ahead_kib.to_string())
        .set("check.crcs", "true");
    if pace == Pace::Live {
        watched(&mut config);
    }
    Ok(overridden(config, settings))
}

/// What both producers have in common.
fn writer(settings: &KafkaSettings, name: &str) -> Result<ClientConfig, SettingsError> {
    let mut config = common(settings, name)?;
    config
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("max.in.flight", "5")
        .set("linger.ms", "0.2")
        .set("compression.codec", "lz4")
        .set("partitioner", "murmur2_random")
        .set("message.max.bytes", settings.max_message_bytes.to_string())
        .set("queue.buffering.max.kbytes", "131072")
        .set("message.timeout.ms", settings.transaction_timeout_ms.to_string());
    watched(&mut config);
    Ok(config)
}

/// The plain idempotent producer.
pub(crate) fn producer(settings: &KafkaSettings, name: &str) -> Result<ClientConfig, SettingsError> {
    Ok(overridden(writer(settings, name)?, settings))
}

/// A lane's transactional producer.
pub(crate) fn transactional(settings: &KafkaSettings, transactional_id: &str) -> Result<ClientConfig, SettingsError> {
    let mut config = writer(settings, transactional_id)?;
    config
        .set("transactional.id", transactional_id)
        // Messages leave when they are told to, by `hurry.rs`.
        .set("linger.ms", "1000")
        // librdkafka wants message.timeout.ms <= transaction.timeout.ms; a message must outlive a
        // broker's restart, so both are above it.
        .set("transaction.timeout.ms", settings.transaction_timeout_ms.to_string());
    Ok(overridden(config, settings))
}

/// A member of a group that hints who owns which lane.
pub(crate) fn member(
    settings: &KafkaSettings,
    group: &str,
    instance: &str,
    session_ms: u32,
    heartbeat_ms: u32,
) -> Result<ClientConfig, SettingsError> {
    let mut config = common(settings, instance)?;
    config
        .set("group.id", group)
        // Back in 66 ms after a kill under the same name, instead of a session's 6 s.
        .set("group.instance.id", instance)
        // KIP-848 takes 41 s by default and refuses a restarted static member for good.
        .set("group.protocol", "classic")
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("session.timeout.ms", session_ms.to_string())
        .set("heartbeat.interval.ms", heartbeat_ms.to_string())
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        // Its partitions are paused: the position is never used, and never an error.
        .set("auto.offset.reset", "latest")
        .set("queued.max.messages.kbytes", "1024");
    watched(&mut config);
    Ok(overridden(config, settings))
}

/// Administration.
pub(crate) fn admin(settings: &KafkaSettings) -> Result<ClientConfig, SettingsError> {
    Ok(overridden(common(settings, "topics")?, settings))
}

/// Makes one client of each kind, which knows no broker: some properties the library refuses only beside each other, and
/// files only when it opens them.
pub(crate) fn try_each(settings: &KafkaSettings) -> Result<Result<(), KafkaError>, SettingsError> {
    let alone = |mut config: ClientConfig| {
        config.remove("bootstrap.servers");
        config.remove("debug");
        config.set_log_level(RDKafkaLogLevel::Emerg);
        config
    };
    let readers = [reader(settings, Pace::Live, "check")?, member(settings, "check", "check", SESSION_MS, HEARTBEAT_MS)?];
    let writers = [producer(settings, "check")?, transactional(settings, "check")?];
    let read = readers.into_iter().try_for_each(|config| alone(config).create::<BaseConsumer>().map(drop));
    Ok(read.and_then(|()| writers.into_iter().try_for_each(|config| alone(config).create::<BaseProducer>().map(drop))))
}

fn secure(config: &mut ClientConfig, settings: &KafkaSettings) {
    let security = &settings.security;
    config.set("security.protocol", security.protocol.name());
    let files = [
        ("ssl.ca.location", &security.ca_file),
        ("ssl.certificate.location", &security.cert_file),
        ("ssl.key.location", &security.key_file),
    ];
    for (property, file) in files {
        if let Some(file) = file {
            config.set(property, file.to_string_lossy());
        }
    }
    if let Some(password) = &security.key_password {
        config.set("ssl.key.password", password.reveal());
    }
    if let (Some(user), Some(password)) = (&security.user, &security.password) {
        let mechanism = security.sasl_mechanism.as_deref().unwrap_or("SCRAM-SHA-512");
        config.set("sasl.mechanism", mechanism).set("sasl.username", user).set("sasl.password", password.reveal());
    }
}

fn overridden(mut config: ClientConfig, settings: &KafkaSettings) -> ClientConfig {
    for (property, value) in &settings.client {
        config.set(property, value.reveal());
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Protocol, Security};
    use rdkafka::consumer::BaseConsumer;

    fn secured() -> KafkaSettings {
        KafkaSettings {
            security: Security {
                protocol: Protocol::SaslSsl,
                ca_file: Some("/etc/ballast/ca.pem".into()),
                cert_file: Some("/etc/ballast/me.pem".into()),
                key_file: Some("/etc/ballast/me.key".into()),
                key_password: Some("k".to_owned().into()),
                sasl_mechanism: Some("SCRAM-SHA-256".into()),
                user: Some("ballast".into()),
                password: Some("p".to_owned().into()),
                ..Security::default()
            },
            ..KafkaSettings::default()
        }
    }

    #[test]
    fn tls_and_sasl_reach_every_kind_of_client() {
        let settings = secured();
        let configs = [
            reader(&settings, Pace::Live, "r").unwrap(),
            producer(&settings, "p").unwrap(),
            transactional(&settings, "t").unwrap(),
            member(&settings, "g", "i", 6000, 500).unwrap(),
            admin(&settings).unwrap(),
        ];
        for config in configs {
            assert_eq!(config.get("security.protocol"), Some("SASL_SSL"));
            assert_eq!(config.get("ssl.ca.location"), Some("/etc/ballast/ca.pem"));
            assert_eq!(config.get("ssl.certificate.location"), Some("/etc/ballast/me.pem"));
            assert_eq!(config.get("ssl.key.location"), Some("/etc/ballast/me.key"));
            assert_eq!(config.get("ssl.key.password"), Some("k"));
            assert_eq!(config.get("sasl.mechanism"), Some("SCRAM-SHA-256"));
            assert_eq!(config.get("sasl.username"), Some("ballast"));
            assert_eq!(config.get("sasl.password"), Some("p"));
        }
    }

    /// The library must have been built with TLS and SCRAM, not only accept their names.
    #[test]
    fn the_library_knows_tls_and_scram() {
        let mut settings = secured();
        settings.security.ca_file = None;
        settings.security.cert_file = None;
        settings.security.key_file = None;
        settings.security.key_password = None;
        let made: Result<BaseConsumer, _> = reader(&settings, Pace::Live, "r").unwrap().create();
        assert!(made.is_ok(), "{:?}", made.err());
    }

    #[test]
    fn a_missing_authority_file_is_refused_at_once() {
        let made: Result<BaseConsumer, _> = reader(&secured(), Pace::Live, "r").unwrap().create();
        assert!(made.is_err());
    }

    #[test]
    fn live_and_recovery_differ_in_their_wait_and_in_what_they_tell() {
        let settings = KafkaSettings::default();
        let live = reader(&settings, Pace::Live, "r").unwrap();
        let recovery = reader(&settings, Pace::Recovery, "r").unwrap();
        assert_eq!(live.get("fetch.wait.max.ms"), Some("200"));
        assert_eq!(recovery.get("fetch.wait.max.ms"), Some("10"));
        assert_eq!(recovery.get("isolation.level"), Some("read_committed"));
        assert_eq!(reader(&settings, Pace::Undecided, "r").unwrap().get("isolation.level"), Some("read_uncommitted"));
        assert_eq!(recovery.get("auto.offset.reset"), Some("error"));
    }

    #[test]
    fn the_operator_has_the_last_word() {
        let mut settings = KafkaSettings::default();
        settings.client.insert("linger.ms".into(), "7".to_owned().into());
        assert_eq!(producer(&settings, "p").unwrap().get("linger.ms"), Some("7"));
    }
}
