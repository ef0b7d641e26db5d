//! The rules that every file in `schemas/` keeps, and the promise to what was released.

use apache_avro::Schema;
use avro_codec::schemas::{COMPILED, EARLIER};
use avro_codec::{fingerprint_of_text, fully_compatible, schema_text};
use domain::Topic;
use serde_json::Value as Json;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../schemas");

fn files(folder: &str) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let schemas = entries.filter(|path| path.extension().is_some_and(|ending| ending == "avsc"));
    let mut files: Vec<_> =
        schemas.map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(&path).unwrap())).collect();
    files.sort();
    files
}

#[test]
fn every_topic_has_a_file_and_every_file_a_topic() {
    let names: Vec<_> = files(FOLDER).into_iter().map(|(name, _)| name).collect();
    let mut compiled: Vec<_> = COMPILED.iter().map(|schema| schema.name.to_owned()).collect();
    compiled.sort();
    assert_eq!(names, compiled);
    for topic in Topic::ALL {
        let name = avro_codec::schemas::compiled(*topic).name;
        assert!(name == topic.name() || topic.name().ends_with(".progress.v1"), "{topic} has the schema {name}");
    }
}

/// The list that other languages read; a changed line is a changed wire format.
#[test]
fn fingerprints_are_those_of_the_golden_list() {
    let golden = std::fs::read_to_string(format!("{FOLDER}/fingerprints.txt")).unwrap();
    let now: String = files(FOLDER).iter().map(|(name, text)| format!("{name} {}\n", fingerprint_of_text(text).unwrap())).collect();
    assert_eq!(golden, now, "schemas/fingerprints.txt against the files");
    for schema in COMPILED {
        assert_eq!(schema.fingerprint, fingerprint_of_text(schema.text).unwrap(), "the constant of {}", schema.name);
        let parsed = Schema::parse_str(schema.text).unwrap();
        assert_eq!(parsed.name().unwrap().to_string(), format!("ballast.{}", schema.record));
    }
}

#[test]
fn every_file_keeps_the_rules_of_the_contract() {
    for (name, text) in files(FOLDER) {
        let json: Json = serde_json::from_str(&text).unwrap();
        let mut fixed = Vec::new();
        walk(&name, &json, &mut fixed);
        let count = fixed.len();
        fixed.sort();
        fixed.dedup();
        assert_eq!(fixed.len(), count, "{name}: two decimals share a type");
    }
}

fn walk(place: &str, node: &Json, fixed: &mut Vec<String>) {
    match node {
        Json::Object(map) => {
            match map.get("type").and_then(Json::as_str) {
                Some("record") => map["fields"].as_array().unwrap().iter().for_each(|field| check_field(place, field)),
                Some("enum") => check_enum(place, node),
                Some("fixed") => {
                    check_decimal(place, node);
                    fixed.push(node["name"].to_string());
                }
                Some("bytes") => assert_ne!(node["logicalType"], "decimal", "{place}: a decimal of bytes"),
                _ => {}
            }
            map.values().for_each(|value| walk(place, value, fixed));
        }
        Json::Array(items) => items.iter().for_each(|item| walk(place, item, fixed)),
        _ => {}
    }
}

fn check_field(place: &str, field: &Json) {
    let name = field["name"].as_str().unwrap();
    let doc = field["doc"].as_str().unwrap_or_else(|| panic!("{place}: {name} has no doc"));
    assert!(doc.ends_with(']') && doc.contains(" ["), "{place}: the doc of {name} names no unit");
    match &field["type"] {
        Json::Array(branches) if branches[0] == "null" => {
            assert_eq!(branches.len(), 2, "{place}: {name}");
            assert_eq!(field.get("default"), Some(&Json::Null), "{place}: {name} has no default null");
        }
        Json::Object(kind) if kind.get("type").is_some_and(|kind| kind == "array") => {
            assert_eq!(field.get("default"), Some(&Json::Array(vec![])), "{place}: {name} has no default []");
        }
        _ => {}
    }
}

fn check_enum(place: &str, node: &Json) {
    assert_eq!(node["symbols"][0], "UNKNOWN", "{place}: {}", node["name"]);
    assert_eq!(node["default"], "UNKNOWN", "{place}: {}", node["name"]);
}

fn check_decimal(place: &str, node: &Json) {
    assert_eq!((&node["size"], &node["precision"]), (&12.into(), &28.into()), "{place}");
    let ending = format!("_{}", node["scale"]);
    assert!(node["name"].as_str().unwrap().ends_with(&ending), "{place}: {} has the scale {}", node["name"], node["scale"]);
}

/// FULL_TRANSITIVE: what was released and what is there now read each other, and the bytes stay readable.
#[test]
fn released_schemas_read_and_are_read_by_the_present_ones() {
    let released = files(&format!("{FOLDER}/released"));
    assert!(released.len() >= COMPILED.len());
    for (name, text) in released {
        let (topic, _) = name.split_once('@').expect("a released file is named topic@release");
        let ours = COMPILED.iter().find(|schema| schema.name == topic).unwrap();
        fully_compatible(&text, ours.text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let fingerprint = fingerprint_of_text(&text).unwrap();
        let kept = EARLIER.iter().any(|earlier| fingerprint_of_text(earlier).unwrap() == fingerprint);
        assert!(fingerprint == ours.fingerprint || kept, "{name} is neither the present schema nor kept in EARLIER");
    }
}

#[test]
fn a_change_that_breaks_the_rule_is_found() {
    let fill = schema_text(Topic::Fills);
    let change = |from: &str, to: &str| {
        let changed = fill.replacen(from, to, 1);
        assert_ne!(changed, fill, "{from}");
        fully_compatible(fill, &changed)
    };
    assert!(change("\"fields\": [", "\"fields\": [{\"name\": \"desk\", \"type\": \"string\"},").is_err(), "a field without a default");
    assert!(change("\"scale\": 10", "\"scale\": 9").is_err(), "another scale");
    assert!(change("\"name\": \"currency\"", "\"name\": \"ccy\"").is_err(), "a renamed field");
    assert!(change("\"fields\": [", "\"fields\": [{\"name\": \"desk\", \"type\": [\"null\", \"string\"], \"default\": null},").is_ok());
    assert!(change("\"SELL_SHORT\"", "\"SELL_SHORT\", \"BORROW\"").is_ok(), "a new symbol");
}
