//! Bytes that a release wrote, and what they said: they must say the same for ever.
//! `tests/fixtures/released/<release>/<topic>.jsonl` holds lines of `{"bytes": hex, "record": …}`.
//! When a release is made, `BALLAST_BLESS_RELEASE=<release>` has this test write its files first; files that are
//! there are never written again.

use crate::generator::{Chance, names_of, value};
use crate::oracle::framed;
use crate::subject::{again, topics};
use apache_avro::Schema;
use apache_avro::writer::datum::GenericDatumWriter;
use avro_codec::{SchemaStore, schema_text};
use domain::Topic;
use domain::dead_letter::hex;
use serde_json::Value as Json;
use std::io::Write;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/released");

#[test]
#[allow(clippy::disallowed_methods, reason = "a person asks for new files through the environment")]
fn released_bytes_still_say_what_they_said() {
    if let Ok(release) = std::env::var("BALLAST_BLESS_RELEASE") {
        write_fixtures(&release);
    }
    let mut seen = 0;
    for release in std::fs::read_dir(FOLDER).unwrap() {
        for file in std::fs::read_dir(release.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let topic = topics().into_iter().find(|topic| avro_codec::schemas::compiled(*topic).name == name).unwrap();
            std::fs::read_to_string(&path).unwrap().lines().for_each(|line| check(topic, line));
            seen += 1;
        }
    }
    // No release has written a record of performance or risk yet.
    assert!(seen >= topics().len() - 2);
}

fn check(topic: Topic, line: &str) {
    let line: Json = serde_json::from_str(line).unwrap();
    let bytes = hex::decode(line["bytes"].as_str().unwrap()).unwrap();
    let (read, _) = again(&SchemaStore::compiled(), topic, &bytes).unwrap();
    said(topic.name(), &line["record"], &read);
}

/// Every field of `then` stands in `now` with the same value; later releases may have added others.
fn said(place: &str, then: &Json, now: &Json) {
    match (then, now) {
        (Json::Object(then), Json::Object(now)) => {
            then.iter().for_each(|(name, value)| said(&format!("{place}.{name}"), value, &now[name]))
        }
        (Json::Array(then), Json::Array(now)) => {
            assert_eq!(then.len(), now.len(), "{place}");
            then.iter().zip(now).for_each(|(then, now)| said(place, then, now));
        }
        _ => assert_eq!(then, now, "{place}"),
    }
}

fn write_fixtures(release: &str) {
    std::fs::create_dir_all(format!("{FOLDER}/{release}")).unwrap();
    for topic in topics() {
        let name = avro_codec::schemas::compiled(topic).name;
        let mut file = std::fs::File::create_new(format!("{FOLDER}/{release}/{name}.jsonl")).unwrap();
        let schema = Schema::parse_str(schema_text(topic)).unwrap();
        for seed in 1..=4 {
            let made = value(&schema, &names_of(&schema), "", &mut Chance(seed));
            let body = GenericDatumWriter::builder(&schema).build().unwrap().write_value_to_vec(made).unwrap();
            let bytes = framed(topic, &body);
            let (record, _) = again(&SchemaStore::compiled(), topic, &bytes).unwrap();
            writeln!(file, "{}", serde_json::json!({ "bytes": hex::encode(&bytes), "record": record })).unwrap();
        }
    }
}
