//! Where a configuration is set: the file, the environment and flags as layers, and the words that say which
//! of them a value came from. What values mean is not looked at.

use super::ConfigError;
use super::secrets::is_secret;
use super::variables::{configures, example_keys, key_of, known_variables};
use crate::nearest::nearest;
use figment::error::Kind;
use figment::providers::{Format, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider, Source};
use std::path::Path;

/// Names and values of the environment's variables.
pub(super) type Variables = Vec<(String, String)>;

/// The variables of this process, as far as they are text.
pub(super) fn environment() -> Variables {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect()
}

/// All that is set, later sources over earlier ones; defaults are none of it.
pub(super) fn layers(file: Option<&Path>, variables: &Variables, overrides: &[String]) -> Result<Figment, ConfigError> {
    let mut set = Figment::new();
    if let Some(file) = file {
        if file.is_dir() {
            return Err(ConfigError::Folder(file.display().to_string()));
        }
        if !file.exists() {
            return Err(ConfigError::NoFile(file.display().to_string()));
        }
        set = set.merge(Toml::file(file));
    }
    known_variables(variables.iter().map(|(name, _)| name.as_str()))?;
    for (name, value) in variables {
        if let Some(key) = name.strip_prefix("BALLAST_").filter(|key| configures(key)) {
            set = set.merge(Given::Variable { key: &key_of(key), value });
        }
    }
    for pair in overrides {
        let (key, value) =
            pair.split_once('=').ok_or_else(|| ConfigError::Wrong(format!("--set takes section.key=value, got {pair:?}")))?;
        set = set.merge(Given::Flag { key, value });
    }
    Ok(set)
}

/// One key that is set outside the file, with its value as it was written.
enum Given<'a> {
    /// By a variable of the environment.
    Variable { key: &'a str, value: &'a str },
    /// By `--set`.
    Flag { key: &'a str, value: &'a str },
}

impl Provider for Given<'_> {
    /// Without the value, which may be a secret.
    fn metadata(&self) -> Metadata {
        match self {
            Self::Variable { .. } => Metadata::named("a variable"),
            Self::Flag { key, .. } => Metadata::named(format!("--set {key}")),
        }
    }
    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let (profile, key, value) = match self {
            Self::Variable { key, value } => (Profile::Default, key, value),
            Self::Flag { key, value } => (Profile::Global, key, value),
        };
        let nested = figment::util::nest(key, read(key, value));
        let dict = nested.into_dict().ok_or_else(|| figment::Error::from(format!("--set takes section.key=value, got {key:?}")))?;
        Ok(profile.collect(dict))
    }
}

/// A value by its form: a number, a flag, a list, else a text. A secret is a text to the letter, whatever it looks
/// like: read as a number, `007` would be another one.
fn read(key: &str, value: &str) -> Value {
    if is_secret(key) {
        return Value::from(value);
    }
    value.parse().unwrap_or_else(|never| match never {})
}

/// The keys of a section that are set, with the section before them.
pub(super) fn keys(set: &Figment, section: &str) -> Vec<String> {
    let value = set.find_value(section).ok();
    let Some(dict) = value.as_ref().and_then(Value::as_dict) else { return Vec::new() };
    let inner = dict.iter().map(|(name, value)| (format!("{section}.{name}"), value.as_dict().is_some()));
    inner.flat_map(|(key, is_section)| if is_section { keys(set, &key) } else { vec![key] }).collect()
}

/// Where a key was set, as the end of a sentence; `None` for a default.
pub(super) fn place(set: &Figment, key: &str) -> Option<String> {
    set.find_metadata(key).map(|metadata| named(metadata, key))
}

fn named(metadata: &Metadata, key: &str) -> String {
    match &metadata.source {
        Some(Source::File(path)) => format!("in {}", path.display()),
        _ if metadata.name.starts_with("--set") => format!("by {}", metadata.name),
        _ => format!("by the variable BALLAST_{}", key.replace('.', "_").to_ascii_uppercase()),
    }
}

/// What cannot be read, and where it was set; of secrets without their values, and of a file without its lines.
pub(super) fn words(error: figment::Error) -> String {
    let one = |error: figment::Error| {
        let key = error.path.join(".");
        let place = error.metadata.as_ref().map(|metadata| format!(", set {}", named(metadata, &key))).unwrap_or_default();
        let of = if key.is_empty() { String::new() } else { format!(" for {key}") };
        match &error.kind {
            _ if is_secret(&key) => format!("a secret is a text: write it in quotes{of}{place}"),
            Kind::UnknownField(_, known) => format!("there is no key {key}{place}: {}", meant(&key, known)),
            kind => format!("{}{of}{place}", told(kind)),
        }
    };
    error.into_iter().map(one).collect::<Vec<_>>().join("; ")
}

/// The key that was meant, of the same section or of another, and the section's keys.
fn meant(key: &str, known: &'static [&'static str]) -> String {
    let (section, name) = key.rsplit_once('.').unwrap_or(("", key));
    let here =
        nearest(name, known.iter().copied()).map(|near| if section.is_empty() { near.to_owned() } else { format!("{section}.{near}") });
    let same = |(_, other): &(String, String)| other.eq_ignore_ascii_case(name);
    let elsewhere = || example_keys().into_iter().find(same).map(|(section, name)| key_of(&format!("{section}_{name}")));
    let meant = here.or_else(elsewhere).map(|near| format!("did you mean {near}? ")).unwrap_or_default();
    let of = if section.is_empty() { "outermost keys and sections".to_owned() } else { format!("keys of {section}") };
    format!("{meant}The {of} are {}", known.join(", "))
}

/// What is wrong, in the library's words but for the lists that it quotes twice.
fn told(kind: &Kind) -> String {
    match kind {
        Kind::UnknownVariant(found, known) => {
            let meant = nearest(found, known.iter().copied()).map(|name| format!("did you mean `{name}`? ")).unwrap_or_default();
            format!("unknown value `{found}`: {meant}There are {}", known.join(", "))
        }
        Kind::InvalidType(found, expected) => format!("{found} was found where {} is expected", in_words(expected)),
        Kind::Message(words) if words.contains("invalid socket address") => {
            "an address with its port is expected, such as 127.0.0.1:9464".to_owned()
        }
        other => unquoted(&other.to_string()),
    }
}

/// A type of the library's, for whoever writes configurations.
fn in_words(expected: &str) -> String {
    let whole = expected.len() > 1 && expected.starts_with(['i', 'u']) && expected[1..].bytes().all(|digit| digit.is_ascii_digit());
    match expected {
        _ if whole || expected == "usize" => "a whole number".to_owned(),
        "f64" | "f32" => "a number".to_owned(),
        "a boolean" | "bool" => "true or false".to_owned(),
        other => other.to_owned(),
    }
}

/// Words without the lines of a file that they quote, which may hold a secret: ` 3 | password = …`.
fn unquoted(words: &str) -> String {
    let quotes = |line: &&str| !line.trim_start().trim_start_matches(|c: char| c.is_ascii_digit()).trim_start().starts_with('|');
    words.lines().filter(quotes).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::super::tests::load;
    use super::*;

    fn refused(overrides: &[&str]) -> String {
        let overrides: Vec<String> = overrides.iter().map(|pair| (*pair).to_owned()).collect();
        load(None, &overrides).unwrap_err().to_string()
    }

    #[test]
    fn a_flag_is_named_and_no_source_code() {
        let told = refused(&["pacing.commit_ms=soon"]);
        assert!(told.contains("for pacing.commit_ms, set by --set pacing.commit_ms") && !told.contains(".rs"), "{told}");
        let told = refused(&["pacing.comit_ms=5"]);
        assert!(told.contains("did you mean pacing.commit_ms? The keys of pacing are ") && !told.contains("``"), "{told}");
        assert!(
            told.contains("there is no key pacing.comit_ms, set by") && told.contains("--set pacing.comit_ms") && !told.contains(".rs"),
            "{told}"
        );
        let told = refused(&["http_bind=nonsense"]);
        assert!(
            told.contains("there is no key http_bind, set by --set http_bind: did you mean telemetry.http_bind? The outermost keys"),
            "{told}"
        );
        let told = refused(&["lanes=abc"]);
        assert!(told.ends_with("string \"abc\" was found where a whole number is expected for lanes, set by --set lanes"), "{told}");
        assert!(refused(&["=5"]).contains("section.key=value"));
    }

    fn refused_file(name: &str, text: &str) -> (String, std::path::PathBuf) {
        let file = std::env::temp_dir().join(format!("ballast-{name}-{}.toml", std::process::id()));
        std::fs::write(&file, text).unwrap();
        let told = load(Some(&file), &[]).unwrap_err().to_string();
        std::fs::remove_file(&file).unwrap();
        (told, file)
    }

    #[test]
    fn a_secret_is_read_to_the_letter_whatever_it_looks_like() {
        for secret in ["12345678", "007", "1e5", "true", "[1]", "{a=1}", "\"a\"", " a ", "-0.50"] {
            let given = Given::Variable { key: "kafka.security.password", value: secret };
            let set = Figment::from(given);
            assert_eq!(set.find_value("kafka.security.password").unwrap().as_str(), Some(secret));
            assert_eq!(place(&set, "kafka.security.password").unwrap(), "by the variable BALLAST_KAFKA_SECURITY_PASSWORD");
            let overrides = ["protocol=SASL_SSL".to_owned(), "user=ann".to_owned(), format!("password={secret}")];
            let overrides: Vec<_> = overrides.iter().map(|pair| format!("kafka.security.{pair}")).collect();
            let password = load(None, &overrides).unwrap().kafka.security.password.unwrap();
            assert_eq!(password.reveal(), secret);
        }
        let given = Given::Variable { key: "lanes", value: "8" };
        assert_eq!(Figment::from(given).find_value("lanes").unwrap().to_u128(), Some(8), "what is no secret keeps its form");
    }

    #[test]
    fn the_environment_is_above_the_file_and_below_flags() {
        let file = std::env::temp_dir().join(format!("ballast-layers-{}.toml", std::process::id()));
        std::fs::write(&file, "lanes = 2\n[pacing]\ncommit_ms = 3\n[core]\nmax_lots = 4\n").unwrap();
        let given = |pairs: &[(&str, &str)]| pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let variables: Variables =
            given(&[("BALLAST_LANES", "5"), ("BALLAST_PACING_COMMIT_MS", "6"), ("PATH", "/bin"), ("BALLAST_SEED", "7")]);
        let config = super::super::load_from(Some(&file), &variables, &["lanes=8".to_owned()]).unwrap();
        std::fs::remove_file(&file).unwrap();
        assert_eq!((config.lanes, config.pacing.commit_ms, config.core.max_lots), (8, 6, 4));
    }

    #[test]
    fn what_is_wrong_is_told_without_secrets() {
        for (text, key) in [
            ("[kafka.security]\npassword = 12345678\n", "kafka.security.password"),
            ("[postgres]\nurl = 12345678\n", "postgres.url"),
            ("[kafka.client]\n\"sasl.password\" = 12345678\n", "kafka.client.sasl.password"),
        ] {
            let (told, _) = refused_file("secret", text);
            assert!(told.contains(&format!("write it in quotes for {key}, set in ")) && !told.contains("12345678"), "{told}");
        }
        let (told, _) = refused_file("unquoted", "[kafka.security]\npassword = hunter2\n");
        assert!(told.contains("line 2") && !told.contains("hunter2"), "{told}");
    }

    #[test]
    fn a_file_and_a_variable_are_named() {
        let (told, file) = refused_file("sources", "[core]\nwaiting_limit = 0\n");
        assert!(told.contains(&format!("in {}", file.display())), "{told}");
        let variable = Metadata::named("`BALLAST_` environment variable(s)");
        assert_eq!(named(&variable, "core.waiting_limit"), "by the variable BALLAST_CORE_WAITING_LIMIT");
    }
}
