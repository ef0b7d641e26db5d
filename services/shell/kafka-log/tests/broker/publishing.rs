//! Publishing without a lane, against a real broker.

use crate::cluster::{self, LONG, message, settings, topic, visible};
use engine::partition::lane_of;
use kafka_log::{FlushError, KafkaSettings, Message, Pace, Producer, Reader, SendError, publish_together};
use std::time::Duration;

#[test]
fn a_key_lands_on_the_partition_that_murmur2_says() {
    let settings = settings();
    let topic = topic(&settings, 5);
    let producer = Producer::open(&settings, "keys").unwrap();
    for n in 0..50 {
        let key = format!("portfolio-{n}").into_bytes();
        producer.send(Message::by_key(topic.clone(), key.clone(), key)).unwrap();
    }
    producer.flush(LONG).unwrap();
    let mut reader = Reader::open(&settings, Pace::Recovery, "keys").unwrap();
    let mut seen = 0;
    for partition in 0..5 {
        let here = |record: &kafka_log::Record<'_>| {
            assert_eq!(lane_of(record.key().unwrap(), 5), partition);
            seen += 1;
        };
        reader.read_to_end(&topic, partition, 0, LONG, here).unwrap();
    }
    assert_eq!(seen, 50);
}

#[test]
fn order_is_kept_and_flush_waits() {
    let settings = settings();
    let topic = topic(&settings, 1);
    let producer = Producer::open(&settings, "order").unwrap();
    let texts: Vec<String> = (0..5_000).map(|n| n.to_string()).collect();
    for text in &texts {
        producer.send(message(&topic, 0, text)).unwrap();
    }
    producer.flush(LONG).unwrap();
    assert_eq!(visible(&settings, &topic, 0), texts);
}

#[test]
fn what_cannot_be_delivered_comes_back_with_its_reason() {
    let settings = settings();
    let topic = topic(&settings, 1);
    let producer = Producer::open(&settings, "refused").unwrap();
    // Within the client's limit, above the topic's.
    let large = Message::to(topic.clone(), 0, cluster::noise(3 << 20));
    producer.send(large.clone()).unwrap();
    match producer.flush(LONG) {
        Err(FlushError::Undelivered { failures }) => {
            assert_eq!(failures.len(), 1);
            assert!(failures[0].message == large && !failures[0].reason.is_empty());
        }
        other => panic!("{other:?}"),
    }
    producer.flush(LONG).unwrap();
    let beyond = Message::to(topic, 0, vec![0; 20 << 20]);
    assert!(matches!(producer.send(beyond), Err(SendError::Refused { .. })));
}

#[test]
fn nobody_there_is_said_by_flush() {
    let nobody = KafkaSettings { brokers: "127.0.0.1:1".into(), ..KafkaSettings::default() };
    let producer = Producer::open(&nobody, "nobody").unwrap();
    producer.send(Message::to("anything".into(), 0, b"x".to_vec())).unwrap();
    let limit = Duration::from_millis(300);
    assert_eq!(producer.flush(limit), Err(FlushError::TimedOut { waiting: 1, limit }));
}

#[test]
fn what_is_published_together_arrives_whole_or_not_at_all() {
    let settings = settings();
    let topic = topic(&settings, 3);
    let everywhere = |text: &str| (0..3).map(|partition| message(&topic, partition, text)).collect::<Vec<_>>();
    publish_together(&settings, "halt", everywhere("a")).unwrap();
    // The last of them can never be written: the others must not be seen either.
    let mut broken = everywhere("b");
    broken.push(Message::to(topic.clone(), 0, cluster::noise(3 << 20)));
    assert!(publish_together(&settings, "halt", broken).is_err());
    publish_together(&settings, "halt", everywhere("c")).unwrap();
    for partition in 0..3 {
        assert_eq!(visible(&settings, &topic, partition), ["a", "c"]);
    }
}
