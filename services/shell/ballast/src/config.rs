//! Configuration: defaults, then a TOML file, then the environment, then flags; later ones win.
//! An unknown key, and a number out of its range, is an error that names where it was set. Secrets come from files and are never printed.

mod bounds;
mod secrets;
mod shown;
mod sources;
mod variables;

use crate::worker::pacing::Pacing;
use avro_codec::SchemaStore;
use figment::Figment;
use kafka_log::KafkaSettings;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The whole configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Name of this process among others of its role: under it, it has its lanes back after a restart.
    #[serde(deserialize_with = "text")]
    pub instance: String,
    /// Number of lanes: partitions of every portfolio-keyed topic. Fixed once topics exist.
    pub lanes: i32,
    /// Kafka.
    pub kafka: KafkaSettings,
    /// Postgres.
    pub postgres: postgres_store::Settings,
    /// Logs, metrics, traces, health.
    pub telemetry: telemetry::Settings,
    /// Pace of the lanes.
    pub pacing: Pacing,
    /// Settings of the core: what may change its outputs.
    pub core: engine::Settings,
    /// How topics are made.
    pub topics: TopicSettings,
    /// Writers' schemas besides this build's own.
    pub schemas: SchemaSettings,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            instance: "1".to_owned(),
            lanes: 4,
            kafka: KafkaSettings::default(),
            postgres: postgres_store::Settings::default(),
            telemetry: telemetry::Settings::default(),
            pacing: Pacing::default(),
            core: engine::Settings::default(),
            topics: TopicSettings::default(),
            schemas: SchemaSettings::default(),
        }
    }
}

/// A text that may look like a number: the environment and `--set` do not tell them apart.
fn text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let written = <figment::value::Value as Deserialize>::deserialize(deserializer)?;
    let natural = written.to_u128().map(|number| number.to_string());
    let number = || natural.or_else(|| written.to_i128().map(|n| n.to_string())).or_else(|| written.to_f64().map(|n| n.to_string()));
    let words = || written.to_bool().map(|flag| flag.to_string());
    let text = written.as_str().map(str::to_owned).or_else(number).or_else(words);
    text.ok_or_else(|| serde::de::Error::custom("expected a text"))
}

/// How topics are made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TopicSettings {
    /// Replicas of each partition; -1 takes the cluster's default.
    pub replication: i32,
    /// Partitions of the topics keyed by instrument.
    pub market_partitions: i32,
    /// Days that ticks are kept.
    pub ticks_days: i64,
    /// Days that frames are kept.
    pub frames_days: i64,
    /// Days that progress, refreshes and dead letters are kept.
    pub internal_days: i64,
    /// Days that orders and rebalance events are kept.
    pub orders_days: i64,
    /// Days that the inputs keyed by portfolio, the ledger and drift are kept; -1 for ever.
    pub books_days: i64,
}

impl Default for TopicSettings {
    fn default() -> Self {
        Self { replication: -1, market_partitions: 4, ticks_days: 1, frames_days: 7, internal_days: 30, orders_days: 90, books_days: -1 }
    }
}

/// Writers' schemas besides this build's own.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SchemaSettings {
    /// Folder of `.avsc` files: older or newer versions of our records that some producer writes.
    pub dir: Option<PathBuf>,
}

impl SchemaSettings {
    /// This build's schemas and those of the folder, in the order of their file names.
    pub fn load(&self) -> Result<SchemaStore, ConfigError> {
        let mut store = SchemaStore::compiled();
        let Some(dir) = &self.dir else { return Ok(store) };
        let wrong = |path: &Path, why: String| ConfigError::Wrong(format!("schemas.dir: {}: {why}", path.display()));
        let listed = std::fs::read_dir(dir).map_err(|error| wrong(dir, error.to_string()))?;
        let mut files: Vec<_> =
            listed.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.extension() == Some("avsc".as_ref())).collect();
        files.sort();
        for path in files {
            let text = std::fs::read_to_string(&path).map_err(|error| wrong(&path, error.to_string()))?;
            store.add(&text).map_err(|error| wrong(&path, error.to_string()))?;
        }
        Ok(store)
    }
}

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file was named and is not there.
    #[error("the configuration file {0} does not exist: give another with --config, or leave the flag out")]
    NoFile(String),
    /// A folder was named in place of a file.
    #[error("the configuration file {0} is a directory: name a file in it with --config, such as {0}/ballast.toml")]
    Folder(String),
    /// A key or value is wrong.
    #[error("the configuration cannot be read: {0}")]
    Unreadable(String),
    /// A value contradicts another, or its range.
    #[error("the configuration is wrong: {0}")]
    Wrong(String),
}

/// Reads the configuration: defaults < `file` < environment < `overrides` (`section.key=value`).
pub fn load(file: Option<&Path>, overrides: &[String]) -> Result<Config, ConfigError> {
    load_from(file, &sources::environment(), overrides)
}

fn load_from(file: Option<&Path>, variables: &sources::Variables, overrides: &[String]) -> Result<Config, ConfigError> {
    let set = sources::layers(file, variables, overrides)?;
    bounds::check(&set)?;
    let mut config: Config = set.extract().map_err(|error| ConfigError::Unreadable(sources::words(error)))?;
    config.kafka.read_secrets().map_err(|error| wrong(&set, "kafka", &error))?;
    check(&config, &set)?;
    Ok(config)
}

/// What holds, as the configuration file would say it, each line that was set with the place where; secrets are
/// not shown.
pub fn shown(file: Option<&Path>, overrides: &[String]) -> Result<String, ConfigError> {
    shown_from(file, &sources::environment(), overrides)
}

fn shown_from(file: Option<&Path>, variables: &sources::Variables, overrides: &[String]) -> Result<String, ConfigError> {
    load_from(file, variables, overrides)?;
    Ok(shown::text(&sources::layers(file, variables, overrides)?))
}

/// What a part of the configuration says of itself, with the places of the keys that it names.
fn wrong(set: &Figment, section: &str, error: &dyn std::fmt::Display) -> ConfigError {
    let text = error.to_string();
    let keys = sources::keys(set, section).into_iter().filter(|key| names(&text, key.trim_start_matches(section).trim_start_matches('.')));
    let places: Vec<_> = keys.filter_map(|key| Some(format!("{key} is set {}", sources::place(set, &key)?))).collect();
    if places.is_empty() { ConfigError::Wrong(text) } else { ConfigError::Wrong(format!("{text} ({})", places.join("; "))) }
}

/// Whether a text names a key, as a word of its own.
fn names(text: &str, key: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(key).any(|(at, _)| !text[..at].ends_with(is_inner) && !text[at + key.len()..].starts_with(is_inner))
}

fn check(config: &Config, set: &Figment) -> Result<(), ConfigError> {
    config.check_instance()?;
    check_share(&config.core)?;
    config.kafka.validate().and_then(|()| config.kafka.validate_client()).map_err(|error| wrong(set, "kafka", &error))?;
    config.postgres.validate().map_err(|error| wrong(set, "postgres", &error))?;
    config.telemetry.validate().map_err(|error| wrong(set, "telemetry", &error))?;
    config.schemas.load().map(|_| ()).map_err(|error| match error {
        ConfigError::Wrong(text) => wrong(set, "schemas", &text),
        other => other,
    })
}

/// A portfolio that could fill the room of its lane would turn the early records of all others away.
fn check_share(core: &engine::Settings) -> Result<(), ConfigError> {
    let (all, one) = (core.waiting_limit, core.waiting_portfolio_limit);
    if one < all || (one, all) == (1, 1) {
        return Ok(());
    }
    Err(ConfigError::Wrong(format!(
        "core.waiting_portfolio_limit is {one} and core.waiting_limit {all}: one portfolio would take the room of all others; set the first \
         below the second"
    )))
}

impl Config {
    /// Takes another name of the process over, from the command line.
    pub fn rename(&mut self, instance: &str) -> Result<(), ConfigError> {
        instance.clone_into(&mut self.instance);
        self.check_instance()
    }
    fn check_instance(&self) -> Result<(), ConfigError> {
        if domain::ids::is_id(&self.instance) {
            return Ok(());
        }
        let shown: String = self.instance.chars().take(64).collect();
        Err(ConfigError::Wrong(format!(
            "instance is {shown:?} (of --instance, BALLAST_INSTANCE or the file): it has 1 to 128 bytes and no control characters; \
             give each process of a role a name of its own"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As [`super::load`], whatever the environment of the tests sets.
    pub(super) fn load(file: Option<&Path>, overrides: &[String]) -> Result<Config, ConfigError> {
        load_from(file, &sources::Variables::new(), overrides)
    }

    #[test]
    fn a_name_may_be_a_number() {
        let named = |text: &str| load(None, &[format!("instance={text}")]).unwrap().instance;
        assert_eq!([named("2"), named("-2"), named("2.5"), named("true"), named("a-1")], ["2", "-2", "2.5", "true", "a-1"]);
    }

    #[test]
    fn a_portfolio_may_not_take_the_room_of_its_lane() {
        let set = |all: &str, one: &str| load(None, &[format!("core.waiting_limit={all}"), format!("core.waiting_portfolio_limit={one}")]);
        assert!(set("2000", "1999").is_ok() && set("1", "1").is_ok());
        for (all, one) in [("2000", "2000"), ("2", "2"), ("1", "2")] {
            let told = set(all, one).unwrap_err().to_string();
            assert!(told.contains(&format!("core.waiting_portfolio_limit is {one} and core.waiting_limit {all}")), "{told}");
        }
        let told = load(None, &["core.waiting_limit=2000".to_owned()]).unwrap_err().to_string();
        assert!(told.contains("core.waiting_portfolio_limit is 2500 and core.waiting_limit 2000"), "{told}");
    }

    #[test]
    fn what_could_not_start_is_refused_when_it_is_read() {
        for (pairs, text) in [
            (&["postgres.url=postgres://a@b/c", "postgres.host=d"][..], "keep one form"),
            (&["postgres.url=mysql://a:hunter2@b/c"], "`url` is not of the form postgres://"),
            (&["postgres.password_file=/nonexistent/password"], "`password_file` /nonexistent/password cannot be read"),
            (&["postgres.password_file=/nonexistent/password"], "(postgres.password_file is set by --set postgres.password_file)"),
            (&["schemas.dir=/nonexistent"], "schemas.dir: /nonexistent"),
            (&["telemetry.otlp_endpoint=collector:4317"], "`otlp_endpoint`"),
            (&["telemetry.otlp_endpoint=http://a:hunter2@collector:4317"], "`otlp_endpoint` \"***@collector:4317\""),
            (&["telemetry.otlp_endpoint=a:hunter2@collector:4317"], "`otlp_endpoint` \"***@collector:4317\""),
            (&["telemetry.log_filter=info,=,x=loud"], "`log_filter`"),
            (
                &["kafka.brokers=localhost:99999"],
                "\"localhost:99999\" is no host:port with a port of 1 to 65535; correct it and start again (kafka.brokers is set by --set kafka.brokers)",
            ),
            (&["kafka.brokers=a:9092,b:x"], "\"b:x\" is no host:port"),
            (&["kafka.brokers=a 9092"], "\"a 9092\" is no host:port"),
            (&["kafka.brokers= , "], "brokers: name at least one host:port"),
            (&["kafka.client={\"sokket.timeout.ms\"=\"5\"}"], "sokket.timeout.ms"),
        ] {
            let pairs: Vec<String> = pairs.iter().map(|pair| (*pair).to_owned()).collect();
            let told = load(None, &pairs).expect_err(text).to_string();
            assert!(told.starts_with("the configuration is wrong: ") && told.contains(text), "{told}");
            assert!(!told.contains("hunter2"), "{told}");
        }
        let folder = load(Some(&std::env::temp_dir()), &[]).unwrap_err().to_string();
        assert!(folder.contains("is a directory"), "{folder}");
        for brokers in ["localhost", "a:9092, b:9093", "[::1]:9092", "SASL_SSL://a:9092"] {
            assert!(load(None, &[format!("kafka.brokers={brokers}")]).is_ok(), "{brokers}: the library's port is 9092");
        }
    }

    #[test]
    fn a_wrong_schema_of_the_folder_is_named() {
        let dir = std::env::temp_dir().join(format!("ballast-schemas-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("wrong.avsc"), "{").unwrap();
        let told = load(None, &[format!("schemas.dir={}", dir.display())]).unwrap_err().to_string();
        std::fs::remove_dir_all(&dir).unwrap();
        assert!(told.contains("wrong.avsc"), "{told}");
    }

    #[test]
    fn limits_of_records_are_not_raised() {
        for (key, text) in [
            ("core.max_lines=1501", "max_lines"),
            ("core.max_lots=24001", "max_lots"),
            ("core.max_lots=0", "max_lots"),
            ("core.ledger_bytes=600000", "ledger_bytes"),
            ("kafka.max_message_bytes=1000000", "max_message_bytes"),
        ] {
            let error = load(None, &[key.to_owned()]).unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        }
    }

    #[test]
    fn the_example_shows_the_defaults() {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../deploy/ballast.toml");
        let shown = |file: Option<&Path>| format!("{:#?}", load(file, &[]).unwrap());
        assert_eq!(shown(Some(&example)), shown(None));
    }

    #[test]
    fn a_folder_adds_writers_schemas_or_says_what_is_wrong() {
        let released = SchemaSettings { dir: Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../schemas")) };
        assert!(released.load().is_ok());
        let missing = SchemaSettings { dir: Some("/nonexistent".into()) };
        assert!(missing.load().unwrap_err().to_string().contains("schemas.dir: /nonexistent"));
    }

    #[test]
    fn later_sources_win_and_unknown_keys_are_errors() {
        let config = load(None, &["lanes=8".to_owned(), "pacing.commit_ms=50".to_owned()]).unwrap();
        assert_eq!((config.lanes, config.pacing.commit_ms), (8, 50));
        let error = load(None, &["pacing.comit_ms=50".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("comit_ms"), "{error}");
        assert!(load(None, &["lanes=0".to_owned()]).is_err());
        assert!(load(Some(Path::new("/nonexistent/ballast.toml")), &[]).is_err());
    }
}
