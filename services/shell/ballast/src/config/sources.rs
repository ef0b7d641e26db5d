//! Where a configuration is set: the file, the environment and flags as layers, and the words that say which
//! of them a value came from. What values mean is not looked at.

use super::ConfigError;
use super::variables::{configures, key_of, known_variables};
use figment::providers::{Env, Format, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider, Source};
use std::path::Path;

/// All that is set, later sources over earlier ones; defaults are none of it.
pub(super) fn layers(file: Option<&Path>, overrides: &[String]) -> Result<Figment, ConfigError> {
    let mut set = Figment::new();
    if let Some(file) = file {
        if !file.is_file() {
            return Err(ConfigError::NoFile(file.display().to_string()));
        }
        set = set.merge(Toml::file(file));
    }
    known_variables(std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()))?;
    set = set.merge(Env::prefixed("BALLAST_").filter(|key| configures(key.as_str())).map(|key| key_of(key.as_str()).into()));
    for pair in overrides {
        let (key, value) =
            pair.split_once('=').ok_or_else(|| ConfigError::Wrong(format!("--set takes section.key=value, got {pair:?}")))?;
        set = set.merge(Flag { key, value });
    }
    Ok(set)
}

/// One `--set`.
struct Flag<'a> {
    key: &'a str,
    value: &'a str,
}

impl Provider for Flag<'_> {
    /// Without the value, which may be a secret.
    fn metadata(&self) -> Metadata {
        Metadata::named(format!("--set {}", self.key))
    }
    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let value: Value = self.value.parse().unwrap_or_else(|never| match never {});
        let nested = figment::util::nest(self.key, value);
        let dict = nested.into_dict().ok_or_else(|| figment::Error::from(format!("--set takes section.key=value, got {:?}", self.key)))?;
        Ok(Profile::Global.collect(dict))
    }
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

/// What cannot be read, and where it was set.
pub(super) fn words(error: figment::Error) -> String {
    let one = |error: figment::Error| {
        let key = error.path.join(".");
        let place = error.metadata.as_ref().map(|metadata| format!(", set {}", named(metadata, &key))).unwrap_or_default();
        let of = if key.is_empty() { String::new() } else { format!(" for {key}") };
        format!("{}{of}{place}", error.kind)
    };
    error.into_iter().map(one).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::super::load;
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
        assert!(told.contains("unknown field") && told.contains("--set pacing.comit_ms") && !told.contains(".rs"), "{told}");
        assert!(refused(&["=5"]).contains("section.key=value"));
    }

    #[test]
    fn a_file_and_a_variable_are_named() {
        let file = std::env::temp_dir().join(format!("ballast-sources-{}.toml", std::process::id()));
        std::fs::write(&file, "[core]\nwaiting_limit = 0\n").unwrap();
        let told = load(Some(&file), &[]).unwrap_err().to_string();
        std::fs::remove_file(&file).unwrap();
        assert!(told.contains(&format!("in {}", file.display())), "{told}");
        let variable = Metadata::named("`BALLAST_` environment variable(s)");
        assert_eq!(named(&variable, "core.waiting_limit"), "by the variable BALLAST_CORE_WAITING_LIMIT");
    }
}
