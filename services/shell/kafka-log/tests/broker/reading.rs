//! Reading against a real broker: ends, open and aborted transactions, offsets that are not there.

use crate::cluster::{LONG, eventually, message, settings, start, topic, unique, visible};
use kafka_log::{KafkaSettings, LogBounds, Pace, Producer, ReadError, Reader, TopicName};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_millis(200);

/// A foreign transactional producer.
fn foreign(settings: &KafkaSettings) -> BaseProducer {
    let producer: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", &settings.brokers).set("transactional.id", unique("foreign")).create().unwrap();
    producer.init_transactions(LONG).unwrap();
    producer
}

fn write(producer: &BaseProducer, topic: &TopicName, text: &str) {
    producer.send(BaseRecord::<(), str>::to(topic.as_str()).partition(0).payload(text)).unwrap();
    producer.flush(LONG).unwrap();
}

fn publish(settings: &KafkaSettings, topic: &TopicName, partition: i32, texts: &[&str]) {
    let producer = Producer::open(settings, "publisher").unwrap();
    for text in texts {
        producer.send(message(topic, partition, text)).unwrap();
    }
    producer.flush(LONG).unwrap();
}

/// Polls until an end is reported; what was read on the way, and the end's offset.
fn to_an_end(reader: &mut Reader) -> (Vec<(i64, String)>, i64) {
    let mut seen = Vec::new();
    let deadline = Instant::now() + LONG;
    while Instant::now() < deadline {
        let batch = reader.poll_batch(100, SOON).unwrap();
        for record in batch.records() {
            seen.push((record.offset(), String::from_utf8(record.value().unwrap().to_vec()).unwrap()));
        }
        if let Some(end) = batch.ends().last() {
            return (seen, end.offset);
        }
    }
    panic!("no end was reported; read {seen:?}");
}

#[test]
fn ends_count_markers_and_stop_at_open_transactions() {
    let settings = settings();
    let topic = topic(&settings, 1);
    let producer = foreign(&settings);
    producer.begin_transaction().unwrap();
    write(&producer, &topic, "committed 0");
    write(&producer, &topic, "committed 1");
    producer.commit_transaction(LONG).unwrap(); // marker at 2
    producer.begin_transaction().unwrap();
    write(&producer, &topic, "aborted 3");
    producer.abort_transaction(LONG).unwrap(); // marker at 4

    let mut reader = Reader::open(&settings, Pace::Recovery, "ends").unwrap();
    reader.assign(&[start(&topic, 0, 0)]).unwrap();
    let (seen, end) = to_an_end(&mut reader);
    assert_eq!(seen, [(0, "committed 0".to_owned()), (1, "committed 1".to_owned())]);
    assert_eq!(end, 5);
    assert_eq!(reader.position(&topic, 0), Some(5));
    let bounds = || reader.bounds(&topic, 0, LONG).unwrap();
    assert_eq!(bounds(), LogBounds { start: 0, stable_end: 5 });

    producer.begin_transaction().unwrap();
    write(&producer, &topic, "open 5");
    publish(&settings, &topic, 0, &["behind the open one 6"]);
    assert_eq!(bounds(), LogBounds { start: 0, stable_end: 5 }, "nothing behind it is decided");
    assert!(reader.poll_batch(10, SOON).unwrap().is_empty());

    producer.commit_transaction(LONG).unwrap(); // marker at 7
    let (seen, end) = to_an_end(&mut reader);
    assert_eq!(seen, [(5, "open 5".to_owned()), (6, "behind the open one 6".to_owned())]);
    assert_eq!(end, 8);
}

#[test]
fn an_offset_that_is_not_in_the_log_is_an_error_for_ever() {
    let settings = settings();
    let topic = topic(&settings, 1);
    publish(&settings, &topic, 0, &["a", "b", "c"]);
    let mut reader = Reader::open(&settings, Pace::Live, "beyond").unwrap();
    reader.assign(&[start(&topic, 0, 7)]).unwrap();
    let mut told = || eventually("the error", || reader.poll_batch(10, SOON).err());
    let expected = ReadError::OutOfRange { topic: topic.clone(), partition: 0, offset: 7, log_start: 0, log_end: 3 };
    assert_eq!(told(), expected);
    assert!(!expected.retry());
    for _ in 0..3 {
        assert_eq!(reader.poll_batch(10, SOON).err(), Some(expected.clone()), "never silent");
    }
    reader.assign(&[start(&topic, 0, 1)]).unwrap();
    let (seen, _) = to_an_end(&mut reader);
    assert_eq!(seen.len(), 2, "a new assignment lifts the halt");
    assert_eq!(reader.read_to_end(&topic, 0, 7, LONG, |_| {}), Err(expected));
}

#[test]
fn a_topic_that_is_not_there_is_told() {
    let settings = settings();
    let reader = Reader::open(&settings, Pace::Recovery, "nowhere").unwrap();
    let nowhere = TopicName::from(unique("nowhere"));
    let error = reader.bounds(&nowhere, 0, LONG).unwrap_err();
    assert!(matches!(error, ReadError::Refused { ref topic, retry: false, .. } if *topic == nowhere), "{error:?}");
}

#[test]
fn several_topics_keep_their_own_order_and_index() {
    let settings = settings();
    let (first, second) = (topic(&settings, 2), topic(&settings, 1));
    publish(&settings, &first, 1, &["f0", "f1"]);
    publish(&settings, &second, 0, &["s0"]);
    let mut reader = Reader::open(&settings, Pace::Recovery, "several").unwrap();
    reader.assign(&[start(&first, 0, 0), start(&first, 1, 1), start(&second, 0, 0)]).unwrap();
    let mut seen = Vec::new();
    let mut ends = 0;
    while ends < 3 {
        let batch = reader.poll_batch(10, SOON).unwrap();
        assert_eq!(batch.topics(), [first.clone(), second.clone()]);
        for record in batch.records() {
            seen.push((record.topic(), record.partition(), record.value().unwrap().to_vec()));
        }
        ends += batch.ends().len();
    }
    seen.sort();
    assert_eq!(seen, [(0, 1, b"f1".to_vec()), (1, 0, b"s0".to_vec())]);
}

#[test]
fn a_record_has_its_key_headers_and_time() {
    let settings = settings();
    let topic = topic(&settings, 1);
    let producer = Producer::open(&settings, "publisher").unwrap();
    let mut sent = message(&topic, 0, "v").key(b"k".to_vec()).header("a", b"1".to_vec()).header("a", b"2".to_vec());
    sent.timestamp = Some(1_234_567_890_123);
    producer.send(sent).unwrap();
    let mut bare = message(&topic, 0, "");
    bare.value = None;
    producer.send(bare).unwrap();
    producer.flush(LONG).unwrap();
    let mut reader = Reader::open(&settings, Pace::Recovery, "headers").unwrap();
    let mut seen = 0;
    let visit = |record: &kafka_log::Record<'_>| {
        if seen == 0 {
            assert_eq!((record.key(), record.value()), (Some(&b"k"[..]), Some(&b"v"[..])));
            let headers: Vec<_> = record.headers().map(|h| (h.name, h.value.unwrap())).collect();
            assert_eq!(headers, [(&b"a"[..], &b"1"[..]), (b"a", b"2")]);
            assert_eq!(record.header("a"), Some(&b"2"[..]));
            assert_eq!(record.header("b"), None);
            assert_eq!(record.timestamp(), Some(1_234_567_890_123));
        } else {
            assert_eq!((record.key(), record.value(), record.headers().count()), (None, None, 0));
        }
        seen += 1;
    };
    assert_eq!(reader.read_to_end(&topic, 0, 0, LONG, visit), Ok(2));
    assert_eq!(seen, 2);
}

#[test]
fn a_batch_outlives_its_reader_and_moves_to_another_thread() {
    let settings = settings();
    let topic = topic(&settings, 1);
    publish(&settings, &topic, 0, &["kept"]);
    let mut reader = Reader::open(&settings, Pace::Recovery, "outlived").unwrap();
    reader.assign(&[start(&topic, 0, 0)]).unwrap();
    let batch = eventually("a record", || reader.poll_batch(10, SOON).ok().filter(|batch| !batch.is_empty()));
    drop(reader);
    let read = move || batch.records().map(|r| r.value().unwrap().to_vec()).collect::<Vec<_>>();
    assert_eq!(std::thread::spawn(read).join().unwrap(), [b"kept".to_vec()]);
}

/// Barriers and records that nobody read must not keep the client's threads.
#[test]
fn a_reader_with_unread_records_ends_at_once() {
    let settings = settings();
    let topic = topic(&settings, 3);
    let texts = vec!["unread"; 200];
    for partition in 0..3 {
        publish(&settings, &topic, partition, &texts);
    }
    for _ in 0..10 {
        let mut reader = Reader::open(&settings, Pace::Recovery, "unread").unwrap();
        for offset in 0..3 {
            let starts = [0, 1, 2].map(|partition| start(&topic, partition, offset));
            reader.assign(&starts).unwrap();
            reader.poll_batch(1, SOON).unwrap();
        }
        let ended = Instant::now();
        drop(reader);
        assert!(ended.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn ranges_and_tails_are_exact() {
    let settings = settings();
    let topic = topic(&settings, 1);
    let texts: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    publish(&settings, &topic, 0, &texts.iter().map(String::as_str).collect::<Vec<_>>());
    let mut reader = Reader::open(&settings, Pace::Recovery, "ranges").unwrap();
    let mut offsets = Vec::new();
    reader.read_range(&topic, 0, (10, 20), LONG, |record| offsets.push(record.offset())).unwrap();
    assert_eq!(offsets, (10..20).collect::<Vec<_>>());
    offsets.clear();
    let from = reader.tail(&topic, 0, 64, LONG, |record| offsets.push(record.offset())).unwrap();
    assert_eq!(from, LogBounds { start: 36, stable_end: 100 });
    assert_eq!(offsets, (36..100).collect::<Vec<_>>());
    let short = reader.read_range(&topic, 0, (0, 101), Duration::from_millis(300), |_| {});
    assert!(matches!(short, Err(ReadError::TimedOut { .. })), "{short:?}");
    assert_eq!(visible(&settings, &topic, 0), texts);
}
