//! JSON lines: the same records as on the topics, one a line, for people, scripts and tests.
//! Reading and printing of single lines; which topic means what to whom is the caller's.

mod refused;
pub mod symbols;

use crate::nearest::{inputs, topic_words};
use domain::cash::CashEntry;
use domain::close::Close;
use domain::command::Command;
use domain::corporate_action::CorporateAction;
use domain::dead_letter::DeadLetter;
use domain::drift::Drift;
use domain::fill::Fill;
use domain::instrument::Instrument;
use domain::market_status::MarketStatus;
use domain::order::OrderWave;
use domain::order_status::OrderStatus;
use domain::policy::Policy;
use domain::reason::DeadLetterCode;
use domain::refresh::Refresh;
use domain::tick::Tick;
use domain::{Input, Output, PortfolioId, Timestamp, Topic};
use engine::{Codec, Refusal};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use refused::{RefusedLine, refused_line};

/// A line as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenLine<'a> {
    topic: String,
    #[serde(default)]
    timestamp: Option<Timestamp>,
    #[serde(default)]
    key: Option<String>,
    #[serde(borrow)]
    value: &'a RawValue,
}

/// A line that names a topic of the service; its value is not yet read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Topic.
    pub topic: Topic,
    /// Its moment; `None` lets the clock stand still.
    pub timestamp: Option<Timestamp>,
    /// Key; `None` where the value names it.
    pub key: Option<String>,
    /// The value's JSON text; `None` is a tombstone.
    pub value: Option<String>,
}

impl Line {
    /// Its timestamp, else the moment that its value names.
    pub fn moment(&self) -> Option<Timestamp> {
        const NAMES: [&str; 4] = ["transact_time", "effective_at", "event_time", "issued_at"];
        let own = || {
            let value: serde_json::Value = serde_json::from_str(self.value.as_deref()?).ok()?;
            NAMES.iter().find_map(|name| value.get(name)?.as_str()?.parse().ok())
        };
        self.timestamp.or_else(own)
    }
}

/// Reads one line. Some editors put a mark before the first line of a file; it means nothing.
pub fn read_line(text: &str) -> Result<Line, Refusal> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let written: WrittenLine = serde_json::from_str(text).map_err(|error| refusal(text, &error))?;
    let topic = Topic::from_name(&written.topic).ok_or_else(|| Refusal::new(DeadLetterCode::Undecodable, no_topic(&written.topic)))?;
    let value = written.value.get();
    Ok(Line { topic, timestamp: written.timestamp, key: written.key, value: (value != "null").then(|| value.to_owned()) })
}

fn no_topic(name: &str) -> String {
    let shown: String = name.chars().take(64).collect();
    format!("{shown:?} is no topic of this service: {}", topic_words(name, inputs()))
}

/// The same line, if its topic is one that people and systems outside write to.
pub fn from_outside(line: Line) -> Result<Line, Refusal> {
    if line.topic.is_from_outside() {
        return Ok(line);
    }
    let text = format!("{} is written by the service, it is no input: leave the line out", line.topic.name());
    Err(Refusal::new(DeadLetterCode::Undecodable, text))
}

fn refusal(json: &str, error: &serde_json::Error) -> Refusal {
    let text = error.to_string();
    let code = if text.contains("OUT_OF_RANGE: ") { DeadLetterCode::OutOfRange } else { DeadLetterCode::Undecodable };
    let text = plain(&text.replace("OUT_OF_RANGE: ", ""));
    if error.is_syntax() || error.is_eof() {
        let text = format!("this is no JSON: {}", text.replace(" at line 1 column ", " at column "));
        return Refusal::new(code, refused::shortened(&text));
    }
    // Words about a value say which; words about a field name it themselves.
    let named = error.is_data() && !["unknown field", "missing field", "duplicate field"].iter().any(|words| text.starts_with(words));
    let text = match field_before(json, error.column()).filter(|_| named) {
        Some(field) => format!("{field}: {}", text.split(" at line ").next().unwrap_or_default()),
        None => text.replace(" at line 1 column ", " at column "),
    };
    Refusal::new(code, refused::shortened(&text))
}

/// What the library calls whole numbers.
const WHOLE: [(&str, &str); 4] = [
    ("expected i32", "expected a whole number from -2147483648 to 2147483647"),
    ("expected i64", "expected a whole number from -9223372036854775808 to 9223372036854775807"),
    ("expected u32", "expected a whole number from 0 to 4294967295"),
    ("expected u64", "expected a whole number from 0 to 18446744073709551615"),
];

/// Words of the library about types, in words for whoever wrote the line.
fn plain(text: &str) -> String {
    let text = text.replace("expected a sequence", "expected a list").replace("invalid type: map", "invalid type: object");
    if text.starts_with("UUID parsing failed") {
        let place = text.find(" at line ").map_or("", |at| &text[at..]);
        return format!("this is no UUID, as in \"0190f8b0-3c5e-7a2b-9d41-6f0c2e8a1b73\"{place}");
    }
    let text = WHOLE.iter().fold(text, |text, (name, words)| text.replace(name, words));
    let Some((before, after)) = text.split_once("expected struct ") else { return text };
    let rest = after.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
    format!("{before}expected an object of named fields, as in {{\"field\": …}}{rest}")
}

/// The field whose value ends at that column of a line.
fn field_before(json: &str, column: usize) -> Option<&str> {
    let (before, _) = json.get(..column)?.rsplit_once("\":")?;
    before.rsplit_once('"').map(|(_, name)| name).filter(|name| !name.is_empty())
}

fn parse<'a, T: Deserialize<'a>>(json: &'a str) -> Result<Box<T>, Refusal> {
    serde_json::from_str(json).map(Box::new).map_err(|error| refusal(json, &error))
}

/// The record of a topic that a JSON text holds; a tombstone closes a policy and is refused elsewhere.
pub fn input_of(topic: Topic, key: Option<&str>, json: Option<&str>) -> Result<Input, Refusal> {
    let Some(json) = json else { return tombstone(topic, key) };
    Ok(match topic {
        Topic::Fills => Input::Fill(parse::<Fill>(json)?),
        Topic::Cash => Input::Cash(parse::<CashEntry>(json)?),
        Topic::Policies => Input::Policy(parse::<Policy>(json)?),
        Topic::Ticks => Input::Tick(parse::<Tick>(json)?),
        Topic::Instruments => Input::Instrument(parse::<Instrument>(json)?),
        Topic::CorporateActions => Input::CorporateAction(parse::<CorporateAction>(json)?),
        Topic::MarketStatus => Input::MarketStatus(parse::<MarketStatus>(json)?),
        Topic::Closes => Input::Close(parse::<Close>(json)?),
        Topic::OrderStatus => Input::OrderStatus(parse::<OrderStatus>(json)?),
        Topic::Commands => Input::Command(parse::<Command>(json)?),
        Topic::Refresh => Input::Refresh(parse::<Refresh>(json)?),
        Topic::Drift => Input::Drift(parse::<Drift>(json)?),
        Topic::Orders => Input::OrderWave(parse::<OrderWave>(json)?),
        Topic::Frames => Input::Frame(parse(json)?),
        Topic::Ledger => Input::Ledger(parse(json)?),
        Topic::PortfolioCloses => Input::PortfolioClose(parse(json)?),
        Topic::Risk => Input::Risk(parse(json)?),
        other => return Err(Refusal::new(DeadLetterCode::Undecodable, format!("{other} is written by the service, it is no input"))),
    })
}

fn tombstone(topic: Topic, key: Option<&str>) -> Result<Input, Refusal> {
    match (topic, key.map(PortfolioId::new)) {
        (Topic::Policies, Some(Ok(portfolio))) => Ok(Input::PolicyClosed(portfolio)),
        (Topic::Policies, _) => Err(Refusal::new(DeadLetterCode::Undecodable, "a null policy needs the portfolio as the line's key")),
        _ => Err(Refusal::new(DeadLetterCode::Undecodable, format!("{topic} takes no null value"))),
    }
}

/// A dead letter as it is printed: the original as JSON where it is JSON that readers can read, else as hexadecimal digits.
#[derive(Serialize)]
struct PrintedLetter<'a> {
    code: DeadLetterCode,
    text: &'a str,
    topic: Topic,
    partition: i32,
    offset: i64,
    /// The line of a file that it came from, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<i64>,
    portfolio_id: Option<&'a PortfolioId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    original: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    original_hex: Option<String>,
}

/// Any record of an output, written as its own fields.
pub fn output_json(output: &Output) -> String {
    let json = match output {
        Output::Ledger(r) => serde_json::to_string(r),
        Output::Snapshot(r) => serde_json::to_string(r),
        Output::Drift(r) => serde_json::to_string(r),
        Output::PortfolioClose(r) => serde_json::to_string(r),
        Output::Performance(r) => serde_json::to_string(r),
        Output::Risk(r) => serde_json::to_string(r),
        Output::OrderWave(r) => serde_json::to_string(r),
        Output::RebalanceEvent(r) => serde_json::to_string(r),
        Output::Refresh(r) => serde_json::to_string(r),
        Output::Fill(r) => serde_json::to_string(r),
        Output::OrderStatus(r) => serde_json::to_string(r),
        Output::DeadLetter(r) => return letter_json(r, None),
    };
    json.expect("records hold no map with keys that JSON cannot write")
}

/// A dead letter, with the line of a file that it came from, where that is known.
pub fn letter_json(letter: &DeadLetter, line: Option<i64>) -> String {
    serde_json::to_string(&printed(letter, line)).expect("a letter holds no map with keys that JSON cannot write")
}

/// Any record of an input, written as its own fields.
pub fn input_json(input: &Input) -> String {
    let json = match input {
        Input::Fill(r) => serde_json::to_string(r),
        Input::Cash(r) => serde_json::to_string(r),
        Input::Policy(r) => serde_json::to_string(r),
        Input::PolicyClosed(_) => Ok("null".to_owned()),
        Input::Tick(r) => serde_json::to_string(r),
        Input::Instrument(r) => serde_json::to_string(r),
        Input::CorporateAction(r) => serde_json::to_string(r),
        Input::MarketStatus(r) => serde_json::to_string(r),
        Input::Close(r) => serde_json::to_string(r),
        Input::OrderStatus(r) => serde_json::to_string(r),
        Input::Command(r) => serde_json::to_string(r),
        Input::Refresh(r) => serde_json::to_string(r),
        Input::Drift(r) => serde_json::to_string(r),
        Input::OrderWave(r) => serde_json::to_string(r),
        Input::Frame(r) => serde_json::to_string(r),
        Input::Ledger(r) => serde_json::to_string(r),
        Input::PortfolioClose(r) => serde_json::to_string(r),
        Input::Risk(r) => serde_json::to_string(r),
    };
    json.expect("records hold no map with keys that JSON cannot write")
}

fn printed(letter: &DeadLetter, line: Option<i64>) -> PrintedLetter<'_> {
    let original = letter.value.as_deref().and_then(refused::shallow);
    let original_hex = match original {
        Some(_) => None,
        None => letter.value.as_deref().map(domain::dead_letter::hex::encode),
    };
    PrintedLetter {
        code: letter.code,
        text: &letter.text,
        topic: letter.topic,
        partition: letter.partition,
        offset: letter.offset,
        line,
        portfolio_id: letter.portfolio_id.as_ref(),
        original,
        original_hex,
    }
}

/// The name of the topic that an output goes to.
pub fn topic_name(output: &Output) -> &'static str {
    match output {
        Output::DeadLetter(letter) => letter.topic.dead_letters(),
        other => other.topic().name(),
    }
}

/// One printed line: topic, moment, value.
pub fn print_line(topic: &str, timestamp: Option<Timestamp>, value: &str) -> String {
    match timestamp.filter(|time| *time != Timestamp::MIN) {
        Some(time) => format!(r#"{{"topic":"{topic}","timestamp":"{time}","value":{value}}}"#),
        None => format!(r#"{{"topic":"{topic}","value":{value}}}"#),
    }
}

/// Records as JSON text in place of Avro: what `replay` runs the engine with.
#[derive(Debug, Default)]
pub struct JsonCodec;

impl Codec for JsonCodec {
    fn decode(&mut self, topic: Topic, key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Input, Refusal> {
        let utf8 = |bytes| std::str::from_utf8(bytes).map_err(|_| Refusal::new(DeadLetterCode::Undecodable, "the record is not UTF-8"));
        input_of(topic, key.map(utf8).transpose()?, value.map(utf8).transpose()?)
    }
    fn encode(&mut self, output: &Output, into: &mut Vec<u8>) -> Result<(), Refusal> {
        match output {
            Output::DeadLetter(letter) => into.extend_from_slice(letter.value.as_deref().unwrap_or_default()),
            other => into.extend_from_slice(output_json(other).as_bytes()),
        }
        Ok(())
    }
}
