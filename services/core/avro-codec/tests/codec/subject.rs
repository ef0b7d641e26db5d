//! The codec under test as one function for every topic: bytes in, JSON of the record and the bytes
//! that the record becomes again.

use avro_codec::{CodecError, SchemaStore};
use domain::Topic;
use serde_json::Value as Json;

/// A topic for each schema.
pub fn topics() -> Vec<Topic> {
    let named = |topic: &Topic| avro_codec::schemas::compiled(*topic).topic == *topic;
    Topic::ALL.iter().copied().filter(named).collect()
}

/// Reads and writes one record as its role would.
pub fn again(schemas: &SchemaStore, topic: Topic, bytes: &[u8]) -> Result<(Json, Vec<u8>), CodecError> {
    let mut out = Vec::new();
    let json = match topic {
        Topic::PositionKeeperProgress => {
            let progress = avro_codec::decode_progress(schemas, bytes)?;
            avro_codec::encode_progress(&progress, &mut out)?;
            serde_json::json!({ "event": inner(serde_json::to_value(progress).unwrap()) })
        }
        Topic::Ledger | Topic::Snapshots | Topic::PortfolioCloses | Topic::RebalanceEvents | Topic::Performance | Topic::Risk => {
            let output = avro_codec::decode_output(schemas, topic, bytes)?;
            avro_codec::encode(&output, &mut out)?;
            whole(inner(serde_json::to_value(output).unwrap()))
        }
        _ => {
            let input = avro_codec::decode(schemas, topic, Some(b"key"), Some(bytes))?;
            avro_codec::encode_input(&input, &mut out)?;
            if let Ok(output) = avro_codec::decode_output(schemas, topic, bytes) {
                let mut same = Vec::new();
                avro_codec::encode(&output, &mut same)?;
                assert_eq!(same, out, "{topic} as an output");
            }
            inner(serde_json::to_value(input).unwrap())
        }
    };
    Ok((json, out))
}

/// With the lists that texts leave out where they are empty: in Avro they stand.
fn whole(mut json: Json) -> Json {
    let empty = || Json::Array(Vec::new());
    if let Some(entries) = json.get_mut("entries").and_then(Json::as_array_mut) {
        for entry in entries.iter_mut().filter_map(Json::as_object_mut) {
            ["by_strategy", "closed_trades"].into_iter().for_each(|list| _ = entry.entry(list).or_insert_with(empty));
            entry.entry("in_base").or_insert(Json::Null);
        }
    }
    if json.get("allocations").is_some() || json.get("net_external_flow").is_some() {
        json.as_object_mut().unwrap().entry("strategies").or_insert_with(empty);
    }
    json
}

/// The record inside `{"Fill": {…}}`.
fn inner(json: Json) -> Json {
    match json {
        Json::Object(map) => map.into_iter().next().unwrap().1,
        other => panic!("{other} is no variant with a record"),
    }
}
