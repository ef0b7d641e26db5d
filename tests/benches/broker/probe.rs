//! One portfolio apart from the load, whose answers are timed: a price pushes it out of its band and back,
//! a fill changes its ledger.

use crate::feeder::{Feeder, kafka, message};
use avro_codec::SchemaStore;
use domain::{Input, Output, Topic};
use engine::partition::lane_of;
use kafka_log::{Pace, Producer, Reader, Start, TopicName};
use std::time::{Duration, Instant};
use system_tests::books::{Execution, deposit, fill, share, tick};
use system_tests::service::now;
use system_tests::stack::Stack;

const PORTFOLIO: &str = "probe";
const INSTRUMENT: &str = "PROBE";
const LANES: i32 = 4;
const LIMIT: Duration = Duration::from_secs(60);

pub struct Probe {
    producer: Producer,
    drifts: Answers,
    ledgers: Answers,
    high: bool,
    fills: u64,
}

/// The committed records of the portfolio in one topic, from the end on.
struct Answers {
    reader: Reader,
    topic: Topic,
    schemas: SchemaStore,
}

impl Probe {
    /// A portfolio with half of its value in one share, and half in cash, watched within five points.
    pub fn furnish(stack: &Stack, feeder: &Feeder) -> Self {
        let policy = serde_json::json!({
            "portfolio_id": PORTFOLIO, "policy_version": 1, "base_currency": "USD", "band": {"absolute": "0.05"},
            "targets": [{"instrument_id": INSTRUMENT, "target_weight": "0.5"}]
        });
        feeder.send(Topic::Instruments, &share(INSTRUMENT));
        feeder.send(Topic::Ticks, &tick(INSTRUMENT, 10_000));
        feeder.send(Topic::Policies, &Input::Policy(Box::new(serde_json::from_value(policy).expect("a policy"))));
        feeder.send(Topic::Cash, &deposit(PORTFOLIO, "opening", 200_000));
        feeder.send(Topic::Fills, &execution(0, 1_000));
        let producer = Producer::open(&kafka(stack), "probe").expect("settings");
        let answers = |topic| Answers::from_the_end(stack, topic);
        Self { producer, drifts: answers(Topic::Drift), ledgers: answers(Topic::Ledger), high: false, fills: 0 }
    }

    /// From a price's sending to the drift event in a reader's hands.
    pub fn tick_to_drift(&mut self) -> Duration {
        self.drifts.forget();
        self.high = !self.high;
        let sent = self.send(Topic::Ticks, &tick(INSTRUMENT, if self.high { 16_000 } else { 10_000 }));
        self.drifts.first();
        sent.elapsed()
    }

    /// From a fill's sending to its ledger entry in a reader's hands.
    pub fn fill_to_ledger(&mut self) -> Duration {
        self.ledgers.forget();
        self.fills += 1;
        let sent = self.send(Topic::Fills, &execution(self.fills, 1));
        self.ledgers.first();
        sent.elapsed()
    }

    fn send(&self, topic: Topic, input: &Input) -> Instant {
        let sent = Instant::now();
        self.producer.send(message(TopicName::from(topic.name()), input)).expect("there is room in the queue");
        sent
    }
}

fn execution(number: u64, units: u64) -> Input {
    let text = |text: &str| text.to_owned();
    fill(&Execution {
        id: format!("probe-{number}"),
        portfolio: text(PORTFOLIO),
        instrument: text(INSTRUMENT),
        buy: true,
        units,
        cents: 10_000,
        fee_cents: 0,
        time: now(),
    })
}

impl Answers {
    fn from_the_end(stack: &Stack, topic: Topic) -> Self {
        let (name, partition) = (TopicName::from(topic.name()), lane_of(PORTFOLIO.as_bytes(), LANES));
        let mut reader = Reader::open(&kafka(stack), Pace::Live, "probe").expect("settings");
        let offset = reader.bounds(&name, partition, LIMIT).expect("the topic is there").stable_end;
        reader.assign(&[Start { topic: name, partition, offset }]).expect("the topic is there");
        Self { reader, topic, schemas: SchemaStore::compiled() }
    }

    /// Reads past everything that is there.
    fn forget(&mut self) {
        while !self.reader.poll_batch(10_000, Duration::ZERO).expect("a readable topic").is_empty() {}
    }

    /// Waits for the portfolio's next record.
    fn first(&mut self) {
        let end = Instant::now() + LIMIT;
        while Instant::now() < end {
            let batch = self.reader.poll_batch(10_000, Duration::from_millis(50)).expect("a readable topic");
            let mut ours = batch.records().filter(|record| record.key() == Some(PORTFOLIO.as_bytes())).filter_map(|record| record.value());
            if ours.any(|value| self.answers(value)) {
                return;
            }
        }
        panic!("nothing of {PORTFOLIO} in {} within {LIMIT:?}", self.topic);
    }

    fn answers(&self, value: &[u8]) -> bool {
        let output = avro_codec::decode_output(&self.schemas, self.topic, value).expect("outputs can be read");
        matches!(output, Output::Ledger(_) | Output::Drift(_))
    }
}
