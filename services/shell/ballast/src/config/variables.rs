//! Variables of the environment: which key of the configuration each sets, and which ones nobody reads.
//! It reads no environment; names are handed in.

use super::ConfigError;
use crate::nearest::{distance, is_near};

/// Sections of the file, inner ones first; `BALLAST_<SECTION>_<KEY>` sets a key from the environment.
const SECTIONS: [&str; 9] = ["kafka.security", "kafka.client", "kafka", "postgres", "telemetry", "pacing", "core", "topics", "schemas"];

/// The example shows every key with its default.
pub(super) const EXAMPLE: &str = include_str!("../../../../../deploy/ballast.toml");

/// Variables of our prefix that configure nothing of the service: the command line's, the development stack's and
/// the tests'.
const OTHERS: [&str; 9] = ["CONFIG", "BIN", "CACHE_DIR", "BENCH_FILLS", "BENCH_RATE", "BLESS_RELEASE", "CHAOS_KILLS", "LOAD_FILLS", "SEED"];

/// Refuses variables of our prefix that nobody reads: a mistyped one would otherwise leave the default in force.
pub(super) fn known_variables<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), ConfigError> {
    let unknown = |name: &&str| !configures(name) && !OTHERS.contains(name) && !is_link(name);
    let found = names.filter_map(|name| name.strip_prefix("BALLAST_")).find(unknown);
    let Some(name) = found else { return Ok(()) };
    let advice = match nearest(name) {
        Some(near) => format!("the nearest name is BALLAST_{near}"),
        None => format!(
            "unset it, or name a key: BALLAST_LANES, BALLAST_INSTANCE, or BALLAST_<SECTION>_<KEY> with a section of {}",
            SECTIONS.map(|section| section.replace('.', "_").to_ascii_uppercase()).join(", ")
        ),
    };
    Err(ConfigError::Wrong(format!("the variable BALLAST_{name} sets no key; {advice}")))
}

/// What Kubernetes sets by itself beside a service that is called like us.
fn is_link(name: &str) -> bool {
    name.ends_with("SERVICE_HOST") || name.contains("SERVICE_PORT") || name == "PORT" || name.ends_with("_PORT") || name.contains("PORT_")
}

/// The known name that takes the fewest changes, as a whole or in its key; `None` where none is near.
fn nearest(name: &str) -> Option<String> {
    let far = |section: &str, key: &str| match section {
        "" => distance(name, key),
        // The inner section and the key, without the outer one.
        _ if format!("{section}_{key}").ends_with(&format!("_{name}")) => 1,
        _ => distance(name, &format!("{section}_{key}")).min(distance(name, key) + 1),
    };
    let known = example_keys().into_iter().map(|(section, key)| (far(&section, &key), section, key));
    let (changes, section, key) = known.min_by_key(|(changes, ..)| *changes)?;
    is_near(changes, name).then(|| if section.is_empty() { key } else { format!("{section}_{key}") })
}

/// Every key that the example shows, switched off or not, as variables name sections and keys.
pub(super) fn example_keys() -> Vec<(String, String)> {
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

/// Whether a variable is the configuration's.
pub(super) fn configures(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    matches!(key.as_str(), "instance" | "lanes") || section_of(&key).is_some()
}

fn section_of(key: &str) -> Option<&'static str> {
    SECTIONS.into_iter().find(|section| key.starts_with(&format!("{}_", section.replace('.', "_"))))
}

/// The key of the file that a variable sets, prefix left out.
pub(super) fn key_of(key: &str) -> String {
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
        let check = |names: &[&str]| known_variables(names.iter().copied());
        let known =
            ["BALLAST_LANES", "BALLAST_KAFKA_BROKERS", "BALLAST_CONFIG", "BALLAST_CACHE_DIR", "BALLAST_GATEWAY_SERVICE_HOST", "PATH"];
        assert!(check(&known).is_ok());
        let error = check(&["BALLAST_LANE"]).unwrap_err().to_string();
        assert!(error.contains("BALLAST_LANE sets no key") && error.contains("BALLAST_LANES"), "{error}");
        let error = check(&["BALLAST_KAFAK_BROKERS"]).unwrap_err().to_string();
        assert!(error.ends_with("BALLAST_KAFKA_BROKERS"), "{error}");
        let error = check(&["BALLAST_FOO"]).unwrap_err().to_string();
        assert!(error.contains("BALLAST_FOO sets no key; unset it") && error.contains("KAFKA_SECURITY, "), "{error}");
        for (wrong, meant) in [
            ("BALLAST_SECURITY_USER", "BALLAST_KAFKA_SECURITY_USER"),
            ("BALLAST_LOG_FORMAT", "BALLAST_TELEMETRY_LOG_FORMAT"),
            ("BALLAST_INSTANC", "BALLAST_INSTANCE"),
        ] {
            let error = check(&[wrong]).unwrap_err().to_string();
            assert!(error.ends_with(&format!("the nearest name is {meant}")), "{error}");
        }
    }
}
