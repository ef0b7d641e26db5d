//! A broker that names no leader in its refusal: the client must not take memory that was never written
//! for a partition and its leader. What it would make of it, it says under METADATAUPDATE.
#![allow(unsafe_code, reason = "the mock's answers are set by librdkafka's own functions")]
use kafka_log as _;
use rdkafka::bindings as rd;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::producer::{BaseProducer, Producer};
use rdkafka::{ClientContext, Offset, TopicPartitionList};
use std::ffi::CStr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

const TOPIC: &CStr = c"hints";
const PARTITIONS: i32 = 4;

#[derive(Default)]
struct Said(Mutex<Vec<String>>);

impl ClientContext for Said {
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.0.lock().unwrap().push(format!("{facility} {line}"));
    }
}

impl ConsumerContext for Said {}

fn poll(consumer: &BaseConsumer<Said>, span: Duration) {
    let end = Instant::now() + span;
    while Instant::now() < end {
        let _ = consumer.poll(Duration::from_millis(50));
    }
}

#[test]
fn a_refusal_that_names_no_leader_is_not_taken_for_one() {
    let holder: BaseProducer = ClientConfig::new().set("test.mock.num.brokers", "2").create().unwrap();
    // SAFETY: the client made a mock cluster and outlives its use.
    let cluster = unsafe { rd::rd_kafka_handle_mock_cluster(holder.client().native_ptr()) };
    // SAFETY: the cluster lives; the text is its own.
    let brokers = unsafe { CStr::from_ptr(rd::rd_kafka_mock_cluster_bootstraps(cluster)) }.to_str().unwrap().to_owned();
    // SAFETY: the cluster lives, the name ends in a zero.
    unsafe { rd::rd_kafka_mock_topic_create(cluster, TOPIC.as_ptr(), PARTITIONS, 1) };

    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &brokers).set("group.id", "hints").set("fetch.wait.max.ms", "10");
    let consumer: BaseConsumer<Said> = config.set_log_level(RDKafkaLogLevel::Info).create_with_context(Said::default()).unwrap();
    let mut list = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        list.add_partition_offset(TOPIC.to_str().unwrap(), partition, Offset::Beginning).unwrap();
    }
    consumer.assign(&list).unwrap();
    poll(&consumer, Duration::from_secs(2));
    for round in 0..6 {
        for partition in 0..PARTITIONS {
            // SAFETY: as above.
            unsafe {
                rd::rd_kafka_mock_partition_push_leader_response(cluster, TOPIC.as_ptr(), partition, -1, 7);
                rd::rd_kafka_mock_partition_set_leader(cluster, TOPIC.as_ptr(), partition, 1 + round % 2);
            }
        }
        poll(&consumer, Duration::from_millis(700));
    }
    let said = consumer.context().0.lock().unwrap();
    let taken: Vec<_> = said.iter().filter(|line| line.starts_with("METADATAUPDATE")).collect();
    assert!(taken.is_empty(), "{taken:#?}");
}
