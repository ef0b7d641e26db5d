//! Making and checking topics on a real broker.

use crate::cluster::{map, settings, spec, unique};
use kafka_log::{KafkaSettings, TopicName, Topics, TopicsError};
use std::time::{Duration, Instant};

const CONFIGS: &[(&str, &str)] =
    &[("cleanup.policy", "delete"), ("retention.ms", "-1"), ("max.message.bytes", "8388608"), ("message.timestamp.type", "LogAppendTime")];

#[test]
fn missing_topics_are_made_and_found_as_they_should_be() {
    let topics = Topics::open(&settings()).unwrap();
    let specs =
        [spec(&TopicName::from(unique("made")), 4, CONFIGS), spec(&TopicName::from(unique("made")), 1, &[("cleanup.policy", "compact")])];
    assert_eq!(topics.check(&specs).unwrap().len(), 2, "both are missing");
    assert_eq!(topics.ensure(&specs).unwrap(), []);
    assert_eq!(topics.ensure(&specs).unwrap(), [], "the second time there is nothing to do");
    let described = topics.describe(&[specs[0].name.clone(), TopicName::from("nowhere")]).unwrap();
    assert_eq!(described.len(), 1);
    assert_eq!((described[0].partitions, described[0].replication), (4, 1));
    assert_eq!(described[0].configs["max.message.bytes"], "8388608");
    topics.delete(&[specs[0].name.clone(), specs[1].name.clone()]).unwrap();
}

#[test]
fn differences_are_told_and_nothing_is_changed() {
    let topics = Topics::open(&settings()).unwrap();
    let made = spec(&TopicName::from(unique("other")), 2, &[("retention.ms", "1000000"), ("max.message.bytes", "1048588")]);
    topics.ensure(std::slice::from_ref(&made)).unwrap();
    let mut wanted = spec(&made.name, 4, CONFIGS);
    wanted.configs.extend(map(&[("no.such.setting", "1")]));
    let told: Vec<String> = topics.ensure(&[wanted]).unwrap().iter().map(ToString::to_string).collect();
    let name = &made.name;
    assert_eq!(
        told,
        [
            format!("{name}: partitions should be 4 and is 2"),
            format!("{name}: max.message.bytes should be 8388608 and is 1048588"),
            format!("{name}: message.timestamp.type should be LogAppendTime and is CreateTime"),
            format!("{name}: no.such.setting should be 1 and is not set"),
            format!("{name}: retention.ms should be -1 and is 1000000"),
        ]
    );
    assert_eq!(topics.check(&[made]).unwrap(), []);
}

#[test]
fn a_topic_that_cannot_be_made_is_refused_with_its_name() {
    let topics = Topics::open(&settings()).unwrap();
    let bad = spec(&TopicName::from("no spaces allowed"), 1, &[]);
    let error = topics.ensure(&[bad]).unwrap_err();
    assert!(matches!(error, TopicsError::Refused { .. }), "{error}");
    assert!(error.to_string().contains("no spaces allowed"), "{error}");
}

#[test]
fn nobody_there_is_said_in_time() {
    let nobody = KafkaSettings { brokers: "127.0.0.1:1".into(), ..KafkaSettings::default() };
    let topics = Topics::open(&nobody).unwrap().answering_within(Duration::from_secs(1));
    let asked = Instant::now();
    let error = topics.ensure(&[]).unwrap_err().to_string();
    assert!(asked.elapsed() < Duration::from_secs(5));
    assert!(error.starts_with("no broker answered at 127.0.0.1:1 within 1s: is it running?"), "{error}");
}
