//! A topic as a foreign reader sees it: committed records, from the beginning.

use crate::stack::Stack;
use avro_codec::SchemaStore;
use domain::{Input, Output, Topic};
use kafka_log::{KafkaSettings, Pace, Reader, TopicName, Topics};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// How long the broker may take for one partition.
const PATIENCE: Duration = Duration::from_secs(600);

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
    let mut seen = Vec::new();
    each_record(stack, topic, |record| seen.push(record));
    seen
}

/// The same one by one, for topics that are longer than memory.
///
/// # Panics
/// When the topic cannot be read.
pub fn each_record(stack: &Stack, topic: &str, mut take: impl FnMut(Seen)) {
    let settings = kafka(stack);
    let name = TopicName::from(topic);
    let described = Topics::open(&settings).expect("settings").describe(std::slice::from_ref(&name)).expect("a broker");
    let mut reader = Reader::open(&settings, Pace::Recovery, "seen").expect("settings");
    for partition in 0..described.first().expect("the topic is there").partitions {
        let text = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let visit = |record: &kafka_log::Record<'_>| {
            let mark = || Some((text(record.header("ce_source"))?, text(record.header("step"))?, text(record.header("index"))?));
            let (key, value) = (record.key().map(<[u8]>::to_vec), record.value().map(<[u8]>::to_vec));
            take(Seen { partition, offset: record.offset(), key, value, mark: mark() });
        };
        reader.read_to_end(&name, partition, 0, PATIENCE, visit).expect("a readable topic");
    }
}

/// The records of an output, decoded, each once: a step that was published twice is dropped as any
/// reader must, and must then be the same twice.
///
/// # Panics
/// When a record cannot be decoded, or two records with one mark differ.
pub fn outputs(stack: &Stack, topic: Topic) -> Vec<Output> {
    let mut outputs = Vec::new();
    each_output(stack, topic, |output| outputs.push(output));
    outputs
}

/// The same one by one.
///
/// # Panics
/// As [`outputs`].
pub fn each_output(stack: &Stack, topic: Topic, mut take: impl FnMut(Output)) {
    let schemas = SchemaStore::compiled();
    let mut marks = BTreeMap::new();
    each_record(stack, topic.name(), |record| {
        let bytes = record.value.expect("outputs have values");
        let mark = record.mark.expect("outputs carry their step");
        let mut print = DefaultHasher::new();
        bytes.hash(&mut print);
        if let Some(first) = marks.insert((record.partition, mark.clone()), print.finish()) {
            assert_eq!(first, print.finish(), "{topic} has two different records of {mark:?}");
            return;
        }
        take(avro_codec::decode_output(&schemas, topic, &bytes).expect("outputs can be read"));
    });
}

/// The records of an input, decoded, one by one.
///
/// # Panics
/// When a record cannot be decoded.
pub fn each_input(stack: &Stack, topic: Topic, mut take: impl FnMut(Input)) {
    let schemas = SchemaStore::compiled();
    each_record(stack, topic.name(), |seen| {
        take(avro_codec::decode(&schemas, topic, seen.key.as_deref(), seen.value.as_deref()).expect("inputs can be read"));
    });
}
