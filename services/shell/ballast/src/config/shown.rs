//! The configuration that holds, as the file would say it: sections and keys with their values, secrets left
//! out (of an address its password), and beside a value that was set the place where. It checks nothing.

use super::secrets::is_secret;
use super::sources::place;
use super::variables::EXAMPLE;
use figment::Figment;
use figment::providers::{Format, Toml};
use figment::value::{Dict, Num, Value};
use std::fmt::Write as _;

/// The one secret that is worth to be seen but for its password.
const URL: &str = "postgres.url";

/// The text of all that holds.
pub(super) fn text(set: &Figment) -> String {
    // The example has every default.
    let all = Figment::from(Toml::string(EXAMPLE)).merge(set.clone());
    let values: Dict = all.extract().unwrap_or_default();
    let mut text = String::new();
    section(&mut text, set, "", &values);
    text
}

fn section(text: &mut String, set: &Figment, name: &str, values: &Dict) {
    let (inner, own): (Vec<_>, Vec<_>) = values.iter().partition(|(_, value)| matches!(value, Value::Dict(..)));
    if !name.is_empty() && !own.is_empty() {
        _ = writeln!(text, "\n[{name}]");
    }
    for (key, value) in own {
        let path = path_of(name, key);
        let shown = match value.as_str().filter(|_| path == URL).and_then(masked) {
            Some(address) => basic(&address),
            None if is_secret(&path) => "\"***\"".to_owned(),
            None => toml(value),
        };
        let place = place(set, &path).map(|place| format!("  # set {place}")).unwrap_or_default();
        _ = writeln!(text, "{} = {shown}{place}", quoted(key));
    }
    for (key, value) in inner {
        if let Value::Dict(_, values) = value {
            section(text, set, &path_of(name, key), values);
        }
    }
}

/// An address with its password as `***`; `None` where it is not certain which part that is.
fn masked(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
    if rest.contains('#') || query.is_some_and(|query| query.to_ascii_lowercase().contains("pass")) {
        return None;
    }
    let (place, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let place = match place.rsplit_once('@') {
        Some((login, host)) => {
            let user = login.split_once(':').map_or_else(|| login.to_owned(), |(user, _)| format!("{user}:***"));
            format!("{user}@{host}")
        }
        None => place.to_owned(),
    };
    let certain = !path.contains('@') && !path.contains(':') && query.is_none_or(|query| !query.contains('@'));
    certain.then(|| format!("{scheme}://{place}{path}{}", query.map(|query| format!("?{query}")).unwrap_or_default()))
}

fn path_of(section: &str, key: &str) -> String {
    if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") }
}

/// A key of letters stands as it is.
fn quoted(key: &str) -> String {
    let bare = key.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'_' || letter == b'-');
    if bare { key.to_owned() } else { basic(key) }
}

/// A basic string: it escapes as one of JSON does, and DEL as well.
fn basic(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

fn toml(value: &Value) -> String {
    match value {
        Value::String(_, text) => basic(text),
        Value::Char(_, letter) => basic(&letter.to_string()),
        Value::Bool(_, flag) => flag.to_string(),
        Value::Num(_, Num::F64(number)) => format!("{number:?}"),
        Value::Num(_, Num::F32(number)) => format!("{number:?}"),
        Value::Num(_, number) => {
            number.to_u128().map(|n| n.to_string()).or_else(|| number.to_i128().map(|n| n.to_string())).unwrap_or_default()
        }
        Value::Array(_, items) => format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Value::Empty(..) | Value::Dict(..) => "\"\"".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::load;
    use super::super::{ConfigError, shown_from};
    use std::path::Path;

    fn shown(file: Option<&Path>, overrides: &[String]) -> Result<String, ConfigError> {
        shown_from(file, &Vec::new(), overrides)
    }

    #[test]
    fn it_can_be_read_back_and_says_what_was_set() {
        let overrides = ["pacing.commit_ms=50", "core.paper_seed=7", "postgres.url=postgres://a:hunter2@b/c", "instance=a\"b"];
        let overrides: Vec<String> = overrides.iter().map(|pair| (*pair).to_owned()).collect();
        let told = shown(None, &overrides).unwrap();
        assert!(told.contains("commit_ms = 50  # set by --set pacing.commit_ms\n"), "{told}");
        assert!(told.contains("[kafka.security]\nprotocol = \"PLAINTEXT\"\n") && !told.contains("hunter2"), "{told}");
        assert!(told.contains("url = \"postgres://a:***@b/c\""), "{told}");
        let file = std::env::temp_dir().join(format!("ballast-shown-{}.toml", std::process::id()));
        std::fs::write(&file, &told).unwrap();
        let (read, meant) = (load(Some(&file), &[]).unwrap(), load(None, &overrides).unwrap());
        std::fs::remove_file(&file).unwrap();
        assert_eq!((read.instance, read.pacing, read.core), (meant.instance, meant.pacing, meant.core));
    }

    #[test]
    fn letters_of_every_kind_are_read_back() {
        for text in ["a\u{6da}b", "\u{7f}\u{1}\t\n\r\u{8}", "\"\\'''", "\u{1f600} \u{200b}\u{feff}"] {
            let told = format!("text = {}", super::basic(text));
            let read: toml::Table = told.parse().unwrap_or_else(|error| panic!("{error}: {told}"));
            assert_eq!(read["text"].as_str(), Some(text), "{told}");
        }
    }

    #[test]
    fn of_an_address_only_the_password_is_left_out() {
        for (url, told) in [
            ("postgres://ann:hunter2@db:5432/book?sslmode=require", Some("postgres://ann:***@db:5432/book?sslmode=require")),
            ("postgres://ann:hunter@2@db/book", Some("postgres://ann:***@db/book")),
            ("postgres://ann@db/book", Some("postgres://ann@db/book")),
            ("postgres://ann:hun/ter2@db/book", None),
            ("postgres://ann:hunter?2@db/book", None),
            ("postgres://db/book?password=hunter2", None),
            ("hunter2", None),
        ] {
            assert_eq!(super::masked(url).as_deref(), told, "{url}");
        }
    }

    #[test]
    fn secrets_among_the_properties_of_the_client_are_left_out() {
        let file = std::env::temp_dir().join(format!("ballast-properties-{}.toml", std::process::id()));
        let properties = "\"sasl.password\" = \"hunter2\"\n\"ssl.key.password\" = \"hunter2\"\n\"ssl.key.pem\" = \"hunter2\"\n";
        std::fs::write(&file, format!("[kafka.client]\n{properties}\"linger.ms\" = \"7\"\n")).unwrap();
        let told = shown(Some(&file), &[]).unwrap();
        std::fs::remove_file(&file).unwrap();
        assert!(told.contains("\"ssl.key.pem\" = \"***\"") && told.contains("\"linger.ms\" = \"7\""), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}
