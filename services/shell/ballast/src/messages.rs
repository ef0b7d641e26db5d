//! A step as messages: BEGIN, outputs, DONE, with their headers. Every byte is a function of the step,
//! so that a step sent twice is the same twice. It sends nothing.

use avro_codec::{dead_letter_headers, encode_progress};
use domain::progress::Progress;
use domain::{Input, SmolStr, Timestamp, Topic};
use engine::dedup::Parts;
use engine::repeats::{INDEX, SOURCE, STEP};
use engine::{Encoded, Step, lane::TRACEPARENT};

/// Header on DONE with its step and mark, for whoever looks for the newest one without reading values.
pub const DONE: &str = "done";

/// Header on BEGIN with the deployment that wrote it: who is fenced by another finds it there.
pub const DEPLOYMENT: &str = "deployment";

/// The step and the mark in the header of a DONE.
pub fn done_of(header: &[u8]) -> Option<(u64, u64)> {
    let (step, mark) = std::str::from_utf8(header).ok()?.split_once(' ')?;
    Some((step.parse().ok()?, u64::from_str_radix(mark, 16).ok()?))
}

/// A message for any log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutMessage {
    /// Topic name.
    pub topic: &'static str,
    /// Partition.
    pub partition: i32,
    /// Key.
    pub key: Option<Vec<u8>>,
    /// Value.
    pub value: Option<Vec<u8>>,
    /// Headers, in order.
    pub headers: Vec<(SmolStr, Vec<u8>)>,
}

/// A step as it is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepMessages {
    /// Its number.
    pub step: i64,
    /// A digest of BEGIN and DONE: two owners of a lane may each close a step of one number.
    pub mark: u64,
    /// Sent and acknowledged first.
    pub begin: OutMessage,
    /// Sent and acknowledged next.
    pub outputs: Vec<OutMessage>,
    /// Sent and acknowledged last.
    pub done: OutMessage,
}

/// The messages of a step of a role's lane.
pub fn step_messages(role: &str, progress: Topic, lane: i32, step: Step) -> StepMessages {
    let Step { begin, outputs, done, .. } = step;
    let source = SmolStr::new(format!("/ballast/{role}/{lane}"));
    let number = begin.step;
    let time = begin.windows.last().map_or(Timestamp::MIN, |window| window.now);
    let encoded = |record: Progress| {
        let mut value = Vec::new();
        encode_progress(&record, &mut value).expect("BEGIN and DONE are bounded by the step");
        value
    };
    let begin = encoded(Progress::Begin(begin));
    let done = encoded(Progress::Done(done));
    let mark = Parts::default().part(&begin).part(&done).content();
    let message = |value: Vec<u8>, name: &str| {
        let headers = cloud_event(&source, progress, &format!("{role}.{lane}.{number}.{name}"), time);
        OutMessage { topic: progress.name(), partition: lane, key: Some(lane.to_string().into_bytes()), value: Some(value), headers }
    };
    let mut done = message(done, DONE);
    done.headers.push((SmolStr::new_static(DONE), format!("{number} {mark:016x}").into_bytes()));
    let mut shared = Shared {
        source: &source,
        id: format!("{role}.{lane}.{number}."),
        lane: lane.to_string(),
        step: number.to_string(),
        time: (Timestamp::MIN, None),
    };
    let outputs = outputs.into_iter().map(|output| shared.message(output)).collect();
    StepMessages { step: number, mark, begin: message(begin, "begin"), outputs, done }
}

/// What the headers of a step's outputs have in common, as texts.
struct Shared<'a> {
    source: &'a str,
    /// What stands before the index.
    id: String,
    lane: String,
    step: String,
    /// The moment of the last output, and its text.
    time: (Timestamp, Option<String>),
}

impl Shared<'_> {
    fn message(&mut self, output: Encoded) -> OutMessage {
        let index = output.index.to_string();
        let mut headers = match &output.dead_letter {
            Some(letter) => dead_letter_headers(letter),
            None => self.attributes(&output, &index),
        };
        let mut put = |name: &'static str, value: &str| headers.push((SmolStr::new_static(name), value.as_bytes().to_vec()));
        if output.dead_letter.is_some() {
            put("dlq_source", self.source);
        }
        put("lane", &self.lane);
        put(STEP, &self.step);
        put(INDEX, &index);
        if let Some(trace) = &output.traceparent {
            put(TRACEPARENT, trace);
        }
        let topic = output.name();
        OutMessage { topic, partition: output.partition, key: output.key, value: output.value, headers }
    }

    fn attributes(&mut self, output: &Encoded, index: &str) -> Vec<(SmolStr, Vec<u8>)> {
        if self.time.0 != output.time {
            self.time = (output.time, time_text(output.time));
        }
        attributes(self.source, output.topic, &[&self.id, index].concat(), self.time.1.as_deref())
    }
}

/// Headers of an output, a trace among them.
const HEADERS: usize = 9;

/// CloudEvents attributes in binary mode.
pub fn cloud_event(source: &str, topic: Topic, id: &str, time: Timestamp) -> Vec<(SmolStr, Vec<u8>)> {
    attributes(source, topic, id, time_text(time).as_deref())
}

/// The same; `time` as [`time_text`] gives it.
fn attributes(source: &str, topic: Topic, id: &str, time: Option<&str>) -> Vec<(SmolStr, Vec<u8>)> {
    let mut headers = Vec::with_capacity(HEADERS);
    let mut put = |name: &'static str, value: &str| headers.push((SmolStr::new_static(name), value.as_bytes().to_vec()));
    put("ce_specversion", "1.0");
    put("ce_id", id);
    put("ce_type", topic.name());
    put(SOURCE, source);
    if let Some(time) = time {
        put("ce_time", time);
    }
    headers
}

/// A moment as a header tells it; `None` of one that is not known.
fn time_text(time: Timestamp) -> Option<String> {
    (time != Timestamp::MIN).then(|| time.to_string())
}

/// An input as its sender publishes it: in Avro, keyed, on its key's partition of so many, with its event time.
pub fn input_message(
    input: &Input,
    time: Timestamp,
    source: &str,
    id: &str,
    partitions: i32,
) -> Result<OutMessage, avro_codec::CodecError> {
    let topic = input_topic(input);
    let key = avro_codec::input_key(input).map(|key| key.as_bytes().to_vec());
    let partition = key.as_deref().map_or(0, |key| engine::partition::lane_of(key, partitions));
    let value = crate::avro::encode_input_value(input)?;
    Ok(OutMessage { topic: topic.name(), partition, key, value, headers: cloud_event(source, topic, id, time) })
}

/// The topic of an input.
pub fn input_topic(input: &Input) -> Topic {
    match input {
        Input::Fill(_) => Topic::Fills,
        Input::Cash(_) => Topic::Cash,
        Input::Policy(_) | Input::PolicyClosed(_) => Topic::Policies,
        Input::Tick(_) => Topic::Ticks,
        Input::Instrument(_) => Topic::Instruments,
        Input::CorporateAction(_) => Topic::CorporateActions,
        Input::MarketStatus(_) => Topic::MarketStatus,
        Input::Close(_) => Topic::Closes,
        Input::OrderStatus(_) => Topic::OrderStatus,
        Input::Command(_) => Topic::Commands,
        Input::Refresh(_) => Topic::Refresh,
        Input::Drift(_) => Topic::Drift,
        Input::OrderWave(_) => Topic::Orders,
        Input::Frame(_) => Topic::Frames,
        Input::Ledger(_) => Topic::Ledger,
        Input::PortfolioClose(_) => Topic::PortfolioCloses,
        Input::Risk(_) => Topic::Risk,
    }
}
