//! A real cluster for the tests of this room: settings, topics of unique names, a faulty wire.
//!
//! Takes the brokers from `BALLAST_KAFKA_BROKERS`, and starts the development stack when that is
//! not set. Topics are left behind: they are small, and the stack is for throwing away.

pub mod wire;

use wire::Wire;

use kafka_log::{KafkaSettings, Message, Pace, Reader, Start, TopicName, TopicSpec, Topics};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Generous: the machine may be busy with other tests.
pub const LONG: Duration = Duration::from_secs(40);

pub fn settings() -> KafkaSettings {
    KafkaSettings { brokers: brokers().to_owned(), deployment: unique("test"), ..KafkaSettings::default() }
}

/// Settings, a wire to their broker, and settings that lead through it.
pub fn behind_a_wire() -> (KafkaSettings, Wire, KafkaSettings) {
    let direct = settings();
    let wire = Wire::to(&direct.brokers);
    let through = KafkaSettings { brokers: wire.address.clone(), ..direct.clone() };
    (direct, wire, through)
}

fn brokers() -> &'static str {
    static BROKERS: OnceLock<String> = OnceLock::new();
    BROKERS.get_or_init(|| std::env::var("BALLAST_KAFKA_BROKERS").unwrap_or_else(|_| from_the_stack()))
}

fn from_the_stack() -> String {
    let stack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../deploy/local/stack");
    let up = Command::new(&stack).arg("up").output().expect("deploy/local/stack can be run");
    assert!(up.status.success(), "stack up: {}", String::from_utf8_lossy(&up.stderr));
    let env = Command::new(&stack).arg("env").output().expect("deploy/local/stack can be run");
    let env = String::from_utf8(env.stdout).expect("text");
    let line = env.lines().find_map(|line| line.strip_prefix("BALLAST_KAFKA_BROKERS="));
    line.expect("the stack names its brokers").to_owned()
}

pub fn unique(what: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos();
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{what}.{}-{nanos}-{next}", std::process::id())
}

pub fn spec(name: &TopicName, partitions: i32, configs: &[(&str, &str)]) -> TopicSpec {
    let configs = configs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    TopicSpec { name: name.clone(), partitions, replication: 1, configs: configs.collect() }
}

/// A new topic of a unique name.
pub fn topic(settings: &KafkaSettings, partitions: i32) -> TopicName {
    let name = TopicName::from(unique("kafka-log-test"));
    let topics = Topics::open(settings).expect("settings");
    let limit = [("max.message.bytes", "1048576")];
    let differences = topics.ensure(&[spec(&name, partitions, &limit)]).expect("a cluster");
    assert_eq!(differences, []);
    name
}

pub fn message(topic: &TopicName, partition: i32, text: &str) -> Message {
    Message::to(topic.clone(), partition, text.as_bytes().to_vec())
}

/// What a foreign reader sees at read_committed.
pub fn visible(settings: &KafkaSettings, topic: &TopicName, partition: i32) -> Vec<String> {
    let mut reader = Reader::open(settings, Pace::Recovery, "visible").expect("settings");
    let mut texts = Vec::new();
    reader
        .read_to_end(topic, partition, 0, LONG, |record| {
            texts.push(String::from_utf8_lossy(record.value().unwrap_or(b"-")).into_owned());
        })
        .expect("a readable topic");
    texts
}

pub fn start(topic: &TopicName, partition: i32, offset: i64) -> Start {
    Start { topic: topic.clone(), partition, offset }
}

/// Asks again until there is an answer.
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LONG;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub fn map<T: From<String>>(pairs: &[(&str, &str)]) -> BTreeMap<String, T> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned().into())).collect()
}

/// Bytes that do not compress.
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}
