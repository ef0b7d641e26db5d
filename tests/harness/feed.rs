//! An upstream system: publishes inputs, at least once, through anything that happens to the broker.

use crate::service::now;
use crate::stack::Stack;
use crate::topic::kafka;
use domain::{Input, Topic};
use kafka_log::{FlushError, Message, Producer, TopicName};
use std::time::{Duration, Instant};

/// How long the broker may be away.
const PATIENCE: Duration = Duration::from_secs(120);

/// A producer that sends again what was not delivered.
pub struct Feed {
    producer: Producer,
    again: u64,
}

impl Feed {
    /// A feed into these servers.
    ///
    /// # Panics
    /// Never with a running test's settings.
    pub fn open(stack: &Stack) -> Self {
        Self { producer: Producer::open(&kafka(stack), "feed").expect("settings"), again: 0 }
    }

    /// Sends one record, without waiting for it.
    ///
    /// # Panics
    /// When the record cannot be encoded or the client's queue stays full.
    pub fn send(&self, input: &Input) {
        let mut value = Vec::new();
        avro_codec::encode_input(input, &mut value).expect("a test's record can be encoded");
        let key = avro_codec::input_key(input).expect("a test's record has a key").as_bytes().to_vec();
        let topic = TopicName::from(topic_of(input).name());
        let time = now().to_string().into_bytes();
        self.producer.send(Message::by_key(topic, key, value).header("ce_time", time)).expect("there is room in the queue");
    }

    /// Sends these.
    pub fn send_all(&self, inputs: &[Input]) {
        inputs.iter().for_each(|input| self.send(input));
    }

    /// Waits until all of it is in the log; sends again what was given up.
    ///
    /// # Panics
    /// When the broker stays away.
    pub fn flush(&mut self) {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.producer.flush(Duration::from_secs(10)) {
                Ok(()) => return,
                Err(FlushError::Undelivered { failures }) => {
                    self.again += failures.len() as u64;
                    failures.into_iter().for_each(|failure| self.producer.send(failure.message).expect("there is room in the queue"));
                }
                Err(error) => assert!(Instant::now() < end, "{error}"),
            }
        }
    }

    /// Records that the client gave up once and that were sent again.
    pub fn sent_again(&self) -> u64 {
        self.again
    }
}

fn topic_of(input: &Input) -> Topic {
    match input {
        Input::Fill(_) => Topic::Fills,
        Input::Cash(_) => Topic::Cash,
        Input::Policy(_) | Input::PolicyClosed(_) => Topic::Policies,
        Input::Tick(_) => Topic::Ticks,
        Input::Instrument(_) => Topic::Instruments,
        Input::Command(_) => Topic::Commands,
        Input::OrderStatus(_) => Topic::OrderStatus,
        other => panic!("no test sends {other:?}"),
    }
}
