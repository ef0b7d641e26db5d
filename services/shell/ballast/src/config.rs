//! Configuration: defaults, then a TOML file, then the environment, then flags; later ones win.
//! An unknown key is an error that names where it stands. Secrets come from files and are never printed.

use crate::worker::pacing::Pacing;
use avro_codec::SchemaStore;
use engine::settings::{MAX_LEDGER_BYTES, MAX_LINES, MAX_LOTS};
use figment::Figment;
use figment::providers::{Env, Format, Toml};
use kafka_log::KafkaSettings;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Sections of the file, inner ones first; `BALLAST_<SECTION>_<KEY>` sets a key from the environment.
const SECTIONS: [&str; 9] = ["kafka.security", "kafka.client", "kafka", "postgres", "telemetry", "pacing", "core", "topics", "schemas"];

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
    /// A key or value is wrong.
    #[error("the configuration cannot be read: {0}")]
    Unreadable(String),
    /// A value contradicts another, or its range.
    #[error("the configuration is wrong: {0}")]
    Wrong(String),
}

/// Reads the configuration: defaults < `file` < environment < `overrides` (`section.key=value`).
pub fn load(file: Option<&Path>, overrides: &[String]) -> Result<Config, ConfigError> {
    let mut figment = Figment::new();
    if let Some(file) = file {
        if !file.is_file() {
            return Err(ConfigError::NoFile(file.display().to_string()));
        }
        figment = figment.merge(Toml::file(file));
    }
    known_variables(std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()))?;
    figment = figment.merge(Env::prefixed("BALLAST_").filter(|key| configures(key.as_str())).map(|key| key_of(key.as_str()).into()));
    for pair in overrides {
        let (key, value) =
            pair.split_once('=').ok_or_else(|| ConfigError::Wrong(format!("--set takes section.key=value, got {pair:?}")))?;
        let value: figment::value::Value = value.parse().unwrap_or_else(|never| match never {});
        figment = figment.merge(figment::providers::Serialized::global(key, value));
    }
    let mut config: Config = figment.extract().map_err(|error| ConfigError::Unreadable(error.to_string()))?;
    config.kafka.read_secrets().map_err(|error| ConfigError::Wrong(error.to_string()))?;
    check(&config)?;
    Ok(config)
}

/// The example shows every key with its default.
const EXAMPLE: &str = include_str!("../../../../deploy/ballast.toml");

/// Variables of our prefix that configure nothing of the service: the command line's, the development stack's and
/// the tests'.
const OTHERS: [&str; 9] =
    ["CONFIG", "BIN", "CACHE_DIR", "BENCH_FILLS", "BENCH_RATE", "BLESS_RELEASE", "KILL_SECONDS", "LOAD_FILLS", "SEED"];

/// Refuses variables of our prefix that nobody reads: a mistyped one would otherwise leave the default in force.
fn known_variables(names: impl Iterator<Item = String>) -> Result<(), ConfigError> {
    let unknown = |name: &str| !configures(name) && !OTHERS.contains(&name) && !is_link(name);
    let found = names.filter_map(|name| name.strip_prefix("BALLAST_").map(str::to_owned)).find(|name| unknown(name));
    let Some(name) = found else { return Ok(()) };
    Err(ConfigError::Wrong(format!("the variable BALLAST_{name} sets no key; the nearest name is BALLAST_{}", nearest(&name))))
}

/// What Kubernetes sets by itself beside a service that is called like us.
fn is_link(name: &str) -> bool {
    name.ends_with("SERVICE_HOST") || name.contains("SERVICE_PORT") || name == "PORT" || name.ends_with("_PORT") || name.contains("PORT_")
}

/// The known name that takes the fewest changes, as a whole or in its key.
fn nearest(name: &str) -> String {
    let far = |section: &str, key: &str| match section {
        "" => distance(name, key),
        _ => distance(name, &format!("{section}_{key}")).min(distance(name, key) + 1),
    };
    let known = example_keys().into_iter().min_by_key(|(section, key)| far(section, key));
    known.map(|(section, key)| if section.is_empty() { key } else { format!("{section}_{key}") }).unwrap_or_default()
}

/// Every key that the example shows, switched off or not, as variables name sections and keys.
fn example_keys() -> Vec<(String, String)> {
    let (mut section, mut keys) = (String::new(), Vec::new());
    for line in EXAMPLE.lines().map(|line| line.trim_start_matches(['#', ' '])) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.split(']').next()) {
            section = name.replace('.', "_").to_ascii_uppercase();
        } else if let Some((key, _)) = line.split_once(" = ")
            && key.bytes().all(|letter| letter.is_ascii_lowercase() || letter == b'_')
        {
            keys.push((section.clone(), key.to_ascii_uppercase()));
        }
    }
    keys
}

/// Letters to change, add or take away to make one text of another.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (at, letter) in from.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (column, other) in to.bytes().enumerate() {
            let changed = diagonal + usize::from(letter != other);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

/// Whether a variable is the configuration's.
fn configures(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    matches!(key.as_str(), "instance" | "lanes") || section_of(&key).is_some()
}

fn section_of(key: &str) -> Option<&'static str> {
    SECTIONS.into_iter().find(|section| key.starts_with(&format!("{}_", section.replace('.', "_"))))
}

fn key_of(key: &str) -> String {
    let key = key.to_ascii_lowercase();
    // The keys themselves first: `kafka.client_id` is none of the section `kafka.client`.
    let shown = example_keys().into_iter().find(|(section, name)| {
        let name = name.to_ascii_lowercase();
        if section.is_empty() { key == name } else { key == format!("{}_{name}", section.to_ascii_lowercase()) }
    });
    if let Some((section, name)) = shown.filter(|(section, _)| !section.is_empty()) {
        let section = SECTIONS.into_iter().find(|known| known.replace('.', "_").eq_ignore_ascii_case(&section));
        return format!("{}.{}", section.unwrap_or_default(), name.to_ascii_lowercase());
    }
    match section_of(&key) {
        Some(section) => format!("{section}.{}", &key[section.len() + 1..]),
        None => key,
    }
}

fn check(config: &Config) -> Result<(), ConfigError> {
    let wrong = |text: String| Err(ConfigError::Wrong(text));
    if !(1..=1024).contains(&config.lanes) {
        return wrong(format!("lanes is {}, it lies between 1 and 1024", config.lanes));
    }
    let largest = crate::topic_layout::largest_bytes();
    if usize::try_from(config.kafka.max_message_bytes).is_ok_and(|bytes| bytes < largest) {
        return wrong(format!("kafka.max_message_bytes is {}, the largest record may have {largest}", config.kafka.max_message_bytes));
    }
    let core = &config.core;
    if !(1..=MAX_LINES).contains(&core.max_lines) {
        return wrong(format!(
            "core.max_lines is {}, it lies between 1 and {MAX_LINES}: the records of a larger portfolio would not fit",
            core.max_lines
        ));
    }
    if !(1..=MAX_LOTS).contains(&core.max_lots) {
        return wrong(format!(
            "core.max_lots is {}, it lies between 1 and {MAX_LOTS}: the ledger records of a portfolio of more would not fit",
            core.max_lots
        ));
    }
    if !(1..=MAX_LEDGER_BYTES).contains(&core.ledger_bytes) {
        return wrong(format!("core.ledger_bytes is {}, it lies between 1 and {MAX_LEDGER_BYTES}", core.ledger_bytes));
    }
    if config.instance.is_empty() {
        return wrong("instance is empty: give each process of a role a name of its own".to_owned());
    }
    if config.pacing.window_records == 0 || config.pacing.step_windows == 0 {
        return wrong("pacing.window_records and pacing.step_windows must be at least 1".to_owned());
    }
    config.kafka.validate().map_err(|error| ConfigError::Wrong(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_name_sections() {
        assert_eq!(key_of("KAFKA_BROKERS"), "kafka.brokers");
        assert_eq!(key_of("KAFKA_SECURITY_PASSWORD_FILE"), "kafka.security.password_file");
        assert_eq!(key_of("POSTGRES_URL"), "postgres.url");
        assert_eq!(key_of("LANES"), "lanes");
        assert_eq!(key_of("KAFKA_CLIENT_ID"), "kafka.client_id");
        for (section, key) in example_keys() {
            let variable = if section.is_empty() { key.clone() } else { format!("{section}_{key}") };
            let named = key_of(&variable);
            assert!(named.replace('.', "_").eq_ignore_ascii_case(&variable), "{variable} is {named}");
            assert_eq!(named.rsplit('.').next().unwrap(), key.to_ascii_lowercase(), "{variable}");
        }
        assert!(!configures("CACHE_DIR"));
    }

    #[test]
    fn a_variable_that_nobody_reads_is_refused_with_the_nearest_name() {
        let check = |names: &[&str]| known_variables(names.iter().map(|name| (*name).to_owned()));
        let known =
            ["BALLAST_LANES", "BALLAST_KAFKA_BROKERS", "BALLAST_CONFIG", "BALLAST_CACHE_DIR", "BALLAST_GATEWAY_SERVICE_HOST", "PATH"];
        assert!(check(&known).is_ok());
        let error = check(&["BALLAST_LANE"]).unwrap_err().to_string();
        assert!(error.contains("BALLAST_LANE sets no key") && error.contains("BALLAST_LANES"), "{error}");
        let error = check(&["BALLAST_KAFAK_BROKERS"]).unwrap_err().to_string();
        assert!(error.ends_with("BALLAST_KAFKA_BROKERS"), "{error}");
        for (wrong, meant) in [
            ("BALLAST_SECURITY_USER", "BALLAST_KAFKA_SECURITY_USER"),
            ("BALLAST_LOG_FORMAT", "BALLAST_TELEMETRY_LOG_FORMAT"),
            ("BALLAST_INSTANC", "BALLAST_INSTANCE"),
        ] {
            let error = check(&[wrong]).unwrap_err().to_string();
            assert!(error.ends_with(&format!("the nearest name is {meant}")), "{error}");
        }
    }

    #[test]
    fn a_name_may_be_a_number() {
        let named = |text: &str| load(None, &[format!("instance={text}")]).unwrap().instance;
        assert_eq!([named("2"), named("-2"), named("2.5"), named("true"), named("a-1")], ["2", "-2", "2.5", "true", "a-1"]);
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
