//! A topic as a foreign reader sees it: committed records, from the beginning.

use crate::stack::Stack;
use avro_codec::SchemaStore;
use domain::{Input, Output, Topic};
use kafka_log::{KafkaSettings, Pace, Reader, TopicName, Topics};
use std::time::Duration;

/// How long the broker may take for one partition.
const PATIENCE: Duration = Duration::from_secs(60);

/// A committed record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
    /// Key.
    pub key: Option<Vec<u8>>,
    /// Value.
    pub value: Option<Vec<u8>>,
    /// Source, step and index: the mark that our own outputs carry, equal when a step is published twice.
    pub mark: Option<(String, String, String)>,
}

/// The client's settings for these servers.
pub fn kafka(stack: &Stack) -> KafkaSettings {
    KafkaSettings { brokers: stack.brokers().to_owned(), client_id: "system-tests".to_owned(), ..KafkaSettings::default() }
}

/// Every committed record, by partition and offset. What was published twice stands here twice.
///
/// # Panics
/// When the topic cannot be read.
pub fn records(stack: &Stack, topic: &str) -> Vec<Seen> {
    let settings = kafka(stack);
    let name = TopicName::from(topic);
    let described = Topics::open(&settings).expect("settings").describe(std::slice::from_ref(&name)).expect("a broker");
    let mut reader = Reader::open(&settings, Pace::Recovery, "seen").expect("settings");
    let mut seen = Vec::new();
    for partition in 0..described.first().expect("the topic is there").partitions {
        let text = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let visit = |record: &kafka_log::Record<'_>| {
            let mark = || Some((text(record.header("ce_source"))?, text(record.header("step"))?, text(record.header("index"))?));
            let (key, value) = (record.key().map(<[u8]>::to_vec), record.value().map(<[u8]>::to_vec));
            seen.push(Seen { partition, offset: record.offset(), key, value, mark: mark() });
        };
        reader.read_to_end(&name, partition, 0, PATIENCE, visit).expect("a readable topic");
    }
    seen
}

/// The records of an output, decoded, each once: a step that was published twice is dropped as any
/// reader must, and must then be the same twice.
///
/// # Panics
/// When a record cannot be decoded, or two records with one mark differ.
pub fn outputs(stack: &Stack, topic: Topic) -> Vec<Output> {
    let schemas = SchemaStore::compiled();
    let mut marks = std::collections::BTreeMap::new();
    let mut outputs = Vec::new();
    for record in records(stack, topic.name()) {
        let bytes = record.value.expect("outputs have values");
        let mark = record.mark.expect("outputs carry their step");
        if let Some(first) = marks.insert((record.partition, mark.clone()), bytes.clone()) {
            assert_eq!(first, bytes, "{topic} has two different records of {mark:?}");
            continue;
        }
        outputs.push(avro_codec::decode_output(&schemas, topic, &bytes).expect("outputs can be read"));
    }
    outputs
}

/// The records of an input, decoded, with their places.
///
/// # Panics
/// When a record cannot be decoded.
pub fn inputs(stack: &Stack, topic: Topic) -> Vec<(Seen, Input)> {
    let schemas = SchemaStore::compiled();
    let decoded = |seen: Seen| {
        let input = avro_codec::decode(&schemas, topic, seen.key.as_deref(), seen.value.as_deref()).expect("inputs can be read");
        (seen, input)
    };
    records(stack, topic.name()).into_iter().map(decoded).collect()
}
