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
    if let Some(default) = decimal_default(field) {
        assert!(doc.contains(&format!(" Default {default}. [")), "{place}: the doc of {name} does not say: Default {default}.");
    }
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

/// The default of a decimal in plain figures: a schema holds its bytes, which nobody can read.
fn decimal_default(field: &Json) -> Option<String> {
    let kind = field["type"].as_object().filter(|kind| kind.get("logicalType").is_some_and(|logical| logical == "decimal"))?;
    // Avro writes bytes as a text of the characters U+0000 to U+00FF.
    let bytes = field.get("default")?.as_str()?.chars().map(|byte| u8::try_from(u32::from(byte)).unwrap());
    let units = bytes.fold(0_i128, |units, byte| units << 8 | i128::from(byte));
    assert!(units >= 0, "no default is below zero");
    let scale = u32::try_from(kind["scale"].as_u64().unwrap()).unwrap();
    Some(rust_decimal::Decimal::from_i128_with_scale(units, scale).normalize().to_string())
}

/// The defaults of a record's fields, and of the records in it.
fn defaults(fields: &Json, before: &str, told: &mut Vec<String>) {
    for field in fields.as_array().unwrap() {
        let (name, kind) = (format!("{before}{}", field["name"].as_str().unwrap()), &field["type"]);
        if kind["type"] == "record" {
            defaults(&kind["fields"], &format!("{name}."), told);
        } else if let Some(decimal) = decimal_default(field) {
            told.push(format!("`{name}` {decimal}"));
        } else if let Some(default) = field.get("default").filter(|default| !default.is_null() && !default.is_array()) {
            told.push(format!("`{name}` {}", default.to_string().trim_matches('"')));
        }
    }
}

/// One row for each group of a policy, as `schemas/README.md` has them.
#[test]
fn the_defaults_of_a_policy_are_told_as_they_are() {
    let policy: Json = serde_json::from_str(schema_text(Topic::Policies)).unwrap();
    let (groups, own): (Vec<Json>, Vec<Json>) =
        policy["fields"].as_array().unwrap().iter().cloned().partition(|field| field["type"]["type"] == "record");
    let readme = std::fs::read_to_string(format!("{FOLDER}/README.md")).unwrap();
    let row = |name: &str, fields: &Json| {
        let mut told = Vec::new();
        defaults(fields, "", &mut told);
        let row = format!("| {name} | {} |\n", told.join(", "));
        assert!(told.is_empty() || readme.contains(&row), "schemas/README.md lacks the row\n{row}");
    };
    row("the policy itself", &Json::Array(own));
    groups.iter().for_each(|group| row(&format!("`{}`", group["name"].as_str().unwrap()), &group["type"]["fields"]));
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
