//! Older and newer writers of every record, derived from the schema files: one without the fields that have a
//! default, one with fields that this build does not know and its own in another order. What both know keeps its
//! value; what only this build knows has the schema's default.

use crate::generator::{Chance, names_of, value};
use crate::json::json;
use crate::oracle::framed_as;
use crate::subject::{again, topics};
use apache_avro::Schema;
use apache_avro::writer::datum::GenericDatumWriter;
use avro_codec::{SchemaStore, schema_text};
use domain::Topic;
use serde_json::Value as Json;

fn with_fields(topic: Topic, change: impl FnOnce(&mut Vec<Json>)) -> String {
    let mut schema: Json = serde_json::from_str(schema_text(topic)).unwrap();
    change(schema["fields"].as_array_mut().unwrap());
    schema.to_string()
}

/// Whether a field's type defines no name that another field may refer to.
fn is_nameless(field: &Json) -> bool {
    let text = field["type"].to_string();
    !["\"record\"", "\"enum\"", "\"fixed\"", "ballast."].iter().any(|named| text.contains(named))
}

fn older(topic: Topic) -> String {
    with_fields(topic, |fields| fields.retain(|field| field.get("default").is_none() || !is_nameless(field)))
}

fn newer(topic: Topic) -> String {
    with_fields(topic, |fields| {
        let (moved, mut rest): (Vec<_>, Vec<_>) = std::mem::take(fields).into_iter().partition(is_nameless);
        let note = |name: &str, kind: &str| serde_json::json!({"name": name, "doc": "Of a later release. [text]", "type": kind});
        let tags = serde_json::json!({"type": "array", "items": {"type": "record", "name": "LaterTag", "fields": [note("tag", "string")]}});
        rest.insert(0, note("later_first", "string"));
        rest.extend(moved.into_iter().rev());
        rest.push(serde_json::json!({"name": "later_tags", "doc": "Of a later release.", "type": tags}));
        *fields = rest;
    })
}

fn check(topic: Topic, text: &str) -> usize {
    let mut store = SchemaStore::compiled();
    store.add(text).unwrap_or_else(|error| panic!("{topic}: {error}\n{text}"));
    let schema = Schema::parse_str(text).unwrap();
    let defaults: Json = serde_json::from_str(schema_text(topic)).unwrap();
    let default_of =
        |name: &str| defaults["fields"].as_array().unwrap().iter().find(|field| field["name"] == name).unwrap()["default"].clone();
    let mut absent = 0;
    for seed in 0..32 {
        let made = value(&schema, &names_of(&schema), "", &mut Chance(seed));
        let body = GenericDatumWriter::builder(&schema).build().unwrap().write_value_to_vec(made.clone()).unwrap();
        let (ours, _) = again(&store, topic, &framed_as(text, &body)).unwrap_or_else(|error| panic!("{topic} {seed}: {error}"));
        let theirs = json(&made, &schema, &names_of(&schema));
        for (name, value) in ours.as_object().unwrap() {
            match theirs.get(name) {
                Some(theirs) => assert_eq!(value, theirs, "{topic} {seed}: {name}"),
                None => {
                    assert_eq!(*value, default_of(name), "{topic} {seed}: {name}");
                    absent += 1;
                }
            }
        }
    }
    absent
}

#[test]
fn records_of_newer_writers_keep_what_is_known() {
    for topic in topics() {
        assert_eq!(check(topic, &newer(topic)), 0, "{topic}: nothing that this build knows is missing");
    }
}

#[test]
fn records_of_older_writers_take_the_defaults() {
    let mut absent = 0;
    for topic in topics() {
        absent += check(topic, &older(topic));
    }
    assert!(absent > 1000, "{absent}");
}
