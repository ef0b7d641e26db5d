//! A step as messages: BEGIN, outputs, DONE, with their headers. Every byte is a function of the step,
//! so that a step sent twice is the same twice. It sends nothing.

use avro_codec::{dead_letter_headers, encode_progress};
use domain::progress::{Begin, Done, Progress};
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
pub fn step_messages(role: &str, progress: Topic, lane: i32, step: &Step) -> StepMessages {
    let source = SmolStr::new(format!("/ballast/{role}/{lane}"));
    let number = step.begin.step;
    let time = step.begin.windows.last().map_or(Timestamp::MIN, |window| window.now);
    let encoded = |record: Progress| {
        let mut value = Vec::new();
        encode_progress(&record, &mut value).expect("BEGIN and DONE are bounded by the step");
        value
    };
    let begin = encoded(Progress::Begin(Begin::clone(&step.begin)));
    let done = encoded(Progress::Done(Done::clone(&step.done)));
    let mark = Parts::default().part(&begin).part(&done).content();
    let message = |value: Vec<u8>, name: &str| {
        let headers = cloud_event(&source, progress, &format!("{role}.{lane}.{number}.{name}"), time);
        OutMessage { topic: progress.name(), partition: lane, key: Some(lane.to_string().into_bytes()), value: Some(value), headers }
    };
    let mut done = message(done, DONE);
    done.headers.push((SmolStr::new_static(DONE), format!("{number} {mark:016x}").into_bytes()));
    StepMessages {
        step: number,
        mark,
        begin: message(begin, "begin"),
        outputs: step.outputs.iter().map(|output| output_message(&source, role, lane, number, output)).collect(),
        done,
    }
}

fn output_message(source: &SmolStr, role: &str, lane: i32, step: i64, output: &Encoded) -> OutMessage {
    let id = format!("{role}.{lane}.{step}.{}", output.index);
    let mut headers = match &output.dead_letter {
        Some(letter) => dead_letter_headers(letter),
        None => cloud_event(source, output.topic, &id, output.time),
    };
    if output.dead_letter.is_some() {
        headers.push((SmolStr::new_static("dlq_source"), source.as_bytes().to_vec()));
    }
    headers.push((SmolStr::new_static("lane"), lane.to_string().into_bytes()));
    headers.push((SmolStr::new_static(STEP), step.to_string().into_bytes()));
    headers.push((SmolStr::new_static(INDEX), output.index.to_string().into_bytes()));
    if let Some(trace) = &output.traceparent {
        headers.push((SmolStr::new_static(TRACEPARENT), trace.as_bytes().to_vec()));
    }
    let topic = if output.dead_letter.is_some() { output.topic.dead_letters() } else { output.topic.name() };
    OutMessage { topic, partition: output.partition, key: output.key.clone(), value: output.value.clone(), headers }
}

/// CloudEvents attributes in binary mode.
pub fn cloud_event(source: &str, topic: Topic, id: &str, time: Timestamp) -> Vec<(SmolStr, Vec<u8>)> {
    let mut headers = vec![
        (SmolStr::new_static("ce_specversion"), b"1.0".to_vec()),
        (SmolStr::new_static("ce_id"), id.as_bytes().to_vec()),
        (SmolStr::new_static("ce_type"), topic.name().as_bytes().to_vec()),
        (SmolStr::new_static(SOURCE), source.as_bytes().to_vec()),
    ];
    if time != Timestamp::MIN {
        headers.push((SmolStr::new_static("ce_time"), time.to_string().into_bytes()));
    }
    headers
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
