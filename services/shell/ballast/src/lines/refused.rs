//! What is printed of a line that was refused. A line may have any length and hold anything; what is said of it is
//! bounded, and can be read by whoever reads JSON. It decides nothing about records.

use engine::Refusal;
use serde_json::value::RawValue;

/// The longest line that its dead letter repeats: what the largest record of an input takes, and its frame.
const CARRIED: usize = 2 * 1024 * 1024 + 64 * 1024;
/// The longest words of others that a refusal repeats, in bytes: from either end.
const WORDS: usize = 1024;

/// The dead letter of a line that no role has seen, as it is printed.
pub struct RefusedLine {
    /// The dead-letter topic, as far as the line names one.
    pub topic: String,
    /// The printed line.
    pub text: String,
}

/// The dead letter of line `number` (from 1), which could not be read.
pub fn refused_line(number: i64, text: &str, refusal: &Refusal) -> RefusedLine {
    let named = named_topic(text).unwrap_or_else(|| "lines".to_owned());
    let topic = format!("{named}.dlq");
    let quoted = |text: &str| serde_json::to_string(text).expect("text is JSON");
    let (left_out, original) = match text.len() {
        0..=CARRIED => (String::new(), format!(r#","original":{}"#, quoted(text))),
        length => (format!(" (too large to be carried: it has {length} bytes)"), String::new()),
    };
    let words = quoted(&format!("line {number}: {}{left_out}", refusal.text));
    let value = format!(r#"{{"code":"{}","text":{words},"line":{number}{original}}}"#, refusal.code);
    RefusedLine { text: format!(r#"{{"topic":{},"value":{value}}}"#, quoted(&topic)), topic }
}

fn named_topic(text: &str) -> Option<String> {
    let line: serde_json::Value = serde_json::from_str(text).ok()?;
    let named = line.get("topic")?.as_str()?;
    (!named.is_empty() && named.len() <= WORDS).then(|| named.to_owned())
}

/// A value as JSON, unless it is none, or nested deeper than readers go.
pub fn shallow(bytes: &[u8]) -> Option<&RawValue> {
    let raw: &RawValue = serde_json::from_slice(bytes).ok()?;
    // The library itself reads 128 levels and no more.
    serde_json::from_slice::<serde_json::Value>(bytes).is_ok().then_some(raw)
}

/// The text, without its middle where it is long: that repeats what stands in the record anyway.
pub fn shortened(text: &str) -> String {
    if text.len() <= 2 * WORDS {
        return text.to_owned();
    }
    let end = text.ceil_char_boundary(text.len() - WORDS);
    format!("{} … {}", &text[..text.floor_char_boundary(WORDS)], &text[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(text: &str) -> serde_json::Value {
        let refusal = super::super::read_line(text).unwrap_err();
        serde_json::from_str(&refused_line(7, text, &refusal).text).unwrap()
    }

    #[test]
    fn a_line_of_any_length_makes_a_letter_of_bounded_length() {
        let told = letter(&format!("\"{}\"", "ü".repeat(3_000_000)));
        assert_eq!((&told["value"]["code"], &told["value"]["original"]), (&"UNDECODABLE".into(), &serde_json::Value::Null));
        let text = told["value"]["text"].as_str().unwrap();
        assert!(text.len() < 4096 && text.contains("it has 6000002 bytes"), "{text}");
        assert!(text.starts_with("line 7: ") && text.contains(" … ") && text.contains("expected"), "{text}");
    }

    #[test]
    fn a_line_without_the_name_of_a_topic_has_a_topic_of_its_own() {
        assert_eq!(letter("junk")["topic"], "lines.dlq");
        assert_eq!(letter(r#"{"topic":"","value":{}}"#)["topic"], "lines.dlq");
        assert_eq!(letter(r#"{"topic":"fills","value":{}}"#)["topic"], "fills.dlq");
        assert_eq!(letter("junk")["value"]["original"], "junk");
    }

    #[test]
    fn what_is_nested_beyond_reading_is_no_json_for_others() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(shallow(nested(100).as_bytes()).is_some());
        assert!(shallow(nested(100_000).as_bytes()).is_none());
        assert!(shallow(b"junk").is_none());
    }

    #[test]
    fn short_words_stay_whole() {
        assert_eq!(shortened("missing field"), "missing field");
        assert_eq!(shortened(&"x".repeat(2048)).len(), 2048);
    }
}
