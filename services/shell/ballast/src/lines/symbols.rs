//! Symbols of a line that its topic's schema does not have. The codec would send them as UNKNOWN, and who wrote the
//! line would hear of it only from a dead letter. Looks at the schema and the line; knows no record by name.

use domain::Topic;
use serde_json::{Map, Value};

/// Words about the first mistyped symbol of a record, with its field and the symbols that the field takes.
pub fn mistyped(topic: Topic, json: &str) -> Option<String> {
    let schema: Value = serde_json::from_str(avro_codec::schemas::compiled(topic).text).ok()?;
    let value: Value = serde_json::from_str(json).ok()?;
    let mut names = Map::new();
    learn(&schema, &mut names);
    look(&schema, &value, "value", &names)
}

/// Types are named once and meant by that name afterwards.
fn learn(schema: &Value, names: &mut Map<String, Value>) {
    match schema {
        Value::Array(parts) => parts.iter().for_each(|part| learn(part, names)),
        Value::Object(parts) => {
            let is_type = parts.get("type").and_then(Value::as_str).is_some_and(|kind| matches!(kind, "enum" | "record"));
            if let (Some(name), true) = (parts.get("name").and_then(Value::as_str), is_type) {
                names.insert(name.to_owned(), schema.clone());
            }
            parts.values().for_each(|part| learn(part, names));
        }
        _ => {}
    }
}

fn look(schema: &Value, value: &Value, field: &str, names: &Map<String, Value>) -> Option<String> {
    match schema {
        Value::Array(choices) => choices.iter().find_map(|choice| look(choice, value, field, names)),
        Value::String(name) => look(names.get(name)?, value, field, names),
        Value::Object(parts) => match parts.get("type")? {
            Value::String(kind) if kind == "enum" => refused(parts.get("symbols")?.as_array()?, value, field),
            Value::String(kind) if kind == "record" => parts.get("fields")?.as_array()?.iter().find_map(|of| {
                let name = of.get("name")?.as_str()?;
                look(of.get("type")?, value.get(name)?, name, names)
            }),
            Value::String(kind) if kind == "array" => {
                value.as_array()?.iter().find_map(|item| look(parts.get("items")?, item, field, names))
            }
            nested @ (Value::Object(_) | Value::Array(_)) => look(nested, value, field, names),
            _ => None,
        },
        _ => None,
    }
}

fn refused(symbols: &[Value], value: &Value, field: &str) -> Option<String> {
    let word = value.as_str()?;
    let known: Vec<&str> = symbols.iter().filter_map(Value::as_str).filter(|symbol| *symbol != "UNKNOWN").collect();
    (!known.contains(&word)).then(|| format!("{field}: {word:?} is none of {}", known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_symbol_is_named_with_the_ones_that_there_are() {
        let told = mistyped(Topic::Fills, r#"{"exec_type":"TRAD","side":"BUY"}"#).unwrap();
        assert_eq!(told, r#"exec_type: "TRAD" is none of TRADE, CORRECT, CANCEL"#);
        assert_eq!(mistyped(Topic::Fills, r#"{"exec_type":"TRADE","side":"BUY","venue":null}"#), None);
        let told = mistyped(Topic::Policies, r#"{"trigger":{"mode":"AUTOMATC"}}"#).unwrap();
        assert!(told.starts_with(r#"mode: "AUTOMATC" is none of AUTOMATIC"#), "{told}");
        assert!(mistyped(Topic::Commands, r#"{"kind":"APROVE"}"#).is_some());
        assert!(mistyped(Topic::Commands, r#"{"kind":"UNKNOWN"}"#).is_some(), "nobody means it");
    }
}
