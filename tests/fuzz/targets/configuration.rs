//! A configuration file: refused in words, or taken; what is shown of one that was taken says the same again.

use ballast::config;
use std::io::Write;

/// Reads bytes as a configuration file.
pub fn check(bytes: &[u8]) {
    // A search must not read devices.
    if std::str::from_utf8(bytes).is_ok_and(|text| text.contains("_file")) {
        return;
    }
    let Some(shown) = shown(bytes) else { return };
    let again = self::shown(shown.as_bytes()).expect("what is shown is a configuration");
    assert_eq!(settings(&again), settings(&shown), "what is shown says something else when it is read");
}

fn shown(text: &[u8]) -> Option<String> {
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    file.write_all(text).unwrap();
    match config::load(Some(file.path()), &[]) {
        Ok(_) => Some(config::shown(Some(file.path()), &[]).expect("what was taken can be shown")),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            None
        }
    }
}

/// Without the words that say where a line was set.
fn settings(shown: &str) -> Vec<&str> {
    shown.lines().map(|line| line.split('#').next().unwrap_or_default().trim_end()).filter(|line| !line.is_empty()).collect()
}
