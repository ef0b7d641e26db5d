//! Clients that a broker told that the cluster has no brokers: they find it again once it is there.

use crate::cluster::wire::Wire;
use crate::cluster::{self, LONG, behind_a_wire, eventually, message, start, topic, unique};
use kafka_log::{KafkaSettings, Membership, MembershipEvent, MembershipSettings, Pace, Producer, Reader, TopicName};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// Long enough for a client to connect anew and to be told.
const TOLD: Duration = Duration::from_secs(2);

fn publish(settings: &KafkaSettings, topic: &TopicName, text: &str) {
    let producer = Producer::open(settings, "publisher").unwrap();
    producer.send(message(topic, 0, text)).unwrap();
    producer.flush(LONG).unwrap();
}

/// The broker goes away, comes back and knows of none, as one that is fenced; later it knows itself again.
fn fenced(wire: &Wire, away: Duration) {
    wire.close();
    std::thread::sleep(away);
    wire.hide_brokers(true);
    wire.open();
    std::thread::sleep(TOLD);
    wire.hide_brokers(false);
}

/// What makes librdkafka forget every broker is a race: of eight readers about three meet it in these rounds.
#[test]
fn readers_go_on() {
    let (direct, wire, through) = behind_a_wire();
    let topic = topic(&direct, 1);
    let reading = |_| {
        let mut reader = Reader::open(&through, Pace::Live, "orphan").unwrap();
        reader.assign(&[start(&topic, 0, 0)]).unwrap();
        reader
    };
    let mut readers: Vec<Reader> = (0..8).map(reading).collect();
    for round in 0..8 {
        publish(&direct, &topic, &format!("round {round}"));
        for reader in &mut readers {
            assert_eq!(eventually("a record", || read(reader)), format!("round {round}"));
        }
        wire.close();
        std::thread::sleep(Duration::from_secs(round % 4));
        wire.hide_brokers(true);
        wire.open();
        let end = Instant::now() + Duration::from_millis(500 * (round % 5));
        while Instant::now() < end {
            assert!(readers.iter_mut().all(|reader| read(reader).is_none()));
        }
        wire.hide_brokers(false);
    }
}

/// The next record, if one is there.
fn read(reader: &mut Reader) -> Option<String> {
    match reader.poll_batch(10, Duration::from_millis(5)) {
        Ok(batch) => batch.records().next().map(|record| String::from_utf8(record.value().unwrap().to_vec()).unwrap()),
        Err(error) if error.retry() => None,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_producer_goes_on() {
    let (direct, wire, through) = behind_a_wire();
    let topic = topic(&direct, 1);
    let producer = Producer::open(&through, "orphan").unwrap();
    for text in ["before", "after"] {
        producer.send(message(&topic, 0, text)).unwrap();
        eventually("the delivery", || producer.flush(Duration::from_millis(500)).ok());
        fenced(&wire, Duration::ZERO);
    }
    assert_eq!(cluster::visible(&direct, &topic, 0), ["before", "after"]);
}

#[test]
fn a_member_joins_again() {
    let (direct, wire, through) = behind_a_wire();
    let (lanes, beside) = (topic(&direct, 2), topic(&direct, 1));
    let membership = MembershipSettings::new(through.group_id("orphans"), unique("orphan"), lanes, beside);
    let session = membership.session;
    let (tell, heard) = channel();
    let _membership = Membership::join(&through, membership, move |event| {
        let _ = tell.send(event);
    });
    let assigned = || match heard.recv_timeout(Duration::from_millis(100)).ok()? {
        MembershipEvent::Assigned(lanes) if lanes.is_empty() => None,
        MembershipEvent::Assigned(lanes) => Some(lanes),
        MembershipEvent::Lost(_) => None,
        event => panic!("{event:?}"),
    };
    assert_eq!(eventually("lanes", assigned), [0, 1]);
    fenced(&wire, session + TOLD);
    assert_eq!(eventually("lanes", assigned), [0, 1]);
}
