//! Symbols of a line that its topic's schema does not have. The codec would send them as UNKNOWN, and who wrote the
//! line would hear of it only from a dead letter, which has lost the word. Looks at the schema and the line; knows no
//! record by name.

use domain::Topic;
use domain::dead_letter::DeadLetter;
use serde_json::{Map, Value};

/// What the core says of a symbol that it does not know.
const SAID: &str = "is UNKNOWN, as any symbol is read that this build does not know";
/// Characters of a mistyped word that are repeated.
const SHOWN: usize = 64;

/// A word where the schema wants a symbol, in the order of the schema's fields.
struct Mistyped {
    field: String,
    word: String,
    choices: Vec<String>,
}

/// Words about the first mistyped symbol of a record, with its field and the symbols that the field takes.
pub fn mistyped(topic: Topic, json: &str) -> Option<String> {
    let first = all_mistyped(topic, json).into_iter().next()?;
    Some(format!("{}: {:?} is none of {}", first.field, first.word, first.choices.join(", ")))
}

/// Puts the words that were typed into what a letter says of symbols that this build does not know.
pub fn name_mistyped(letter: &mut DeadLetter) {
    let Some(json) = letter.value.as_deref().filter(|_| letter.text.contains(SAID)).and_then(|value| std::str::from_utf8(value).ok())
    else {
        return;
    };
    let mut text = letter.text.to_string();
    for Mistyped { field, word, .. } in all_mistyped(letter.topic, json).into_iter().filter(|mistyped| mistyped.word != "UNKNOWN") {
        text = text.replacen(&format!("{field} {SAID}"), &format!("{field} is {word:?}, which this build does not know"), 1);
    }
    letter.text = text.into();
}

fn all_mistyped(topic: Topic, json: &str) -> Vec<Mistyped> {
    let schema = serde_json::from_str::<Value>(avro_codec::schemas::compiled(topic).text).ok();
    let (Some(schema), Ok(value)) = (schema, serde_json::from_str::<Value>(json)) else { return Vec::new() };
    let (mut names, mut found) = (Map::new(), Vec::new());
    learn(&schema, &mut names);
    look(&schema, &value, "value", &names, &mut found);
    found
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

fn look(schema: &Value, value: &Value, field: &str, names: &Map<String, Value>, found: &mut Vec<Mistyped>) {
    match schema {
        Value::Array(choices) => choices.iter().for_each(|choice| look(choice, value, field, names, found)),
        Value::String(name) => names.get(name).into_iter().for_each(|named| look(named, value, field, names, found)),
        Value::Object(parts) => match parts.get("type") {
            Some(Value::String(kind)) if kind == "enum" => found.extend(refused(parts, value, field)),
            Some(Value::String(kind)) if kind == "record" => {
                for of in parts.get("fields").and_then(Value::as_array).into_iter().flatten() {
                    let name = of.get("name").and_then(Value::as_str).unwrap_or_default();
                    if let (Some(kind), Some(value)) = (of.get("type"), value.get(name)) {
                        look(kind, value, name, names, found);
                    }
                }
            }
            Some(Value::String(kind)) if kind == "array" => {
                if let (Some(items), Some(values)) = (parts.get("items"), value.as_array()) {
                    values.iter().for_each(|item| look(items, item, field, names, found));
                }
            }
            Some(nested @ (Value::Object(_) | Value::Array(_))) => look(nested, value, field, names, found),
            _ => {}
        },
        _ => {}
    }
}

fn refused(symbols: &Map<String, Value>, value: &Value, field: &str) -> Option<Mistyped> {
    let word = value.as_str()?;
    let symbols = symbols.get("symbols")?.as_array()?.iter().filter_map(Value::as_str);
    let choices: Vec<_> = symbols.filter(|symbol| *symbol != "UNKNOWN").map(str::to_owned).collect();
    let is_known = choices.iter().any(|symbol| symbol == word);
    (!is_known).then(|| Mistyped { field: field.to_owned(), word: word.chars().take(SHOWN).collect(), choices })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;
    use domain::enums::{BandKind, PolicyMode, Side};
    use domain::reason::DeadLetterCode;

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

    #[test]
    fn a_letter_names_the_words_that_were_typed() {
        let letter = |topic, text: String, value: &str| DeadLetter {
            topic,
            partition: 0,
            offset: 0,
            code: DeadLetterCode::UnknownEnum,
            text: text.into(),
            portfolio_id: None,
            timestamp: Timestamp::default(),
            key: None,
            headers: Vec::new(),
            value: Some(value.into()),
        };
        let mut of_side = letter(Topic::Fills, Side::unknown("side"), r#"{"exec_type":"TRADE","side":"BYU"}"#);
        name_mistyped(&mut of_side);
        assert_eq!(
            of_side.text,
            r#"side is "BYU", which this build does not know: it must be one of BUY, SELL, SELL_SHORT; correct it, or upgrade first"#
        );
        let two = format!("{}; {}", BandKind::unknown("band.kind"), PolicyMode::unknown("trigger.mode"));
        let mut of_two = letter(Topic::Policies, two, r#"{"band":{"kind":"WIDE"},"trigger":{"mode":"UNKNOWN"}}"#);
        name_mistyped(&mut of_two);
        assert!(of_two.text.starts_with(r#"band.kind is "WIDE", which"#), "{}", of_two.text);
        assert!(of_two.text.contains("trigger.mode is UNKNOWN, as"), "nothing else was typed: {}", of_two.text);
        let mut of_avro = DeadLetter { value: Some(vec![0xC3, 0x01]), ..letter(Topic::Fills, Side::unknown("side"), "") };
        name_mistyped(&mut of_avro);
        assert_eq!(of_avro.text, Side::unknown("side"));
    }
}
