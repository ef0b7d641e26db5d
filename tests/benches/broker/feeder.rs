//! Publishes the book of the benches and its fills as fast as one thread can, or at a steady pace.

#![allow(dead_code, reason = "each bench uses a part of it")]

use crate::fixture::fills::{INSTRUMENTS, Shape, Stream, instrument, portfolio};
use domain::{Input, Timestamp, Topic};
use kafka_log::{KafkaSettings, Message, Producer, TopicName};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use system_tests::books::{quiet_policy, share, tick};
use system_tests::service::now;
use system_tests::stack::Stack;

const PATIENCE: Duration = Duration::from_secs(120);

/// A producer and where its stream of fills stands.
pub struct Feeder {
    producer: Producer,
    fills: TopicName,
    shape: Shape,
    stream: Stream,
}

/// The client's settings.
pub fn kafka(stack: &Stack) -> KafkaSettings {
    KafkaSettings { brokers: stack.brokers().to_owned(), client_id: "bench".to_owned(), ..KafkaSettings::default() }
}

/// An input as its sender publishes it.
pub fn message(topic: TopicName, input: &Input) -> Message {
    let mut value = Vec::new();
    avro_codec::encode_input(input, &mut value).expect("a bench's record can be encoded");
    let key = avro_codec::input_key(input).expect("a bench's record has a key").as_bytes().to_vec();
    Message::by_key(topic, key, value)
}

impl Feeder {
    pub fn open(stack: &Stack, shape: Shape) -> Self {
        let producer = Producer::open(&kafka(stack), "feeder").expect("settings");
        Self { producer, fills: TopicName::from(Topic::Fills.name()), shape, stream: Stream::at(now(), shape) }
    }

    /// Instruments with a price, and policies.
    pub fn furnish(&mut self) {
        for n in 0..INSTRUMENTS {
            self.send(Topic::Instruments, &share(&instrument(n)));
            self.send(Topic::Ticks, &tick(&instrument(n), 1_050 + n));
        }
        (0..self.shape.portfolios).for_each(|n| self.send(Topic::Policies, &quiet_policy(&portfolio(n))));
        self.flush();
    }

    pub fn send(&self, topic: Topic, input: &Input) {
        self.producer.send(message(TopicName::from(topic.name()), input)).expect("there is room in the queue");
    }

    /// One fill for each position.
    pub fn publish_positions(&mut self) {
        self.publish(self.shape.positions());
    }

    /// The fills that follow are of another moment.
    pub fn move_to(&mut self, time: Timestamp) {
        self.stream.move_to(time);
    }

    /// The next fills of the stream, all acknowledged.
    pub fn publish(&mut self, fills: u64) {
        (0..fills).for_each(|_| self.publish_one());
        self.flush();
    }

    fn publish_one(&mut self) {
        let fill = self.stream.next().expect("the stream has no end");
        self.producer.send(message(self.fills.clone(), &fill)).expect("there is room in the queue");
    }

    fn flush(&self) {
        self.producer.flush(PATIENCE).expect("everything is delivered");
    }
}

/// A steady load on a thread of its own.
pub struct Load {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Load {
    /// So many fills a second.
    pub fn start(mut feeder: Feeder, rate: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let (start, mut sent) = (Instant::now(), 0);
            while !stopped.load(Ordering::Relaxed) {
                let due = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX) * rate / 1000;
                (sent..due).for_each(|_| feeder.publish_one());
                sent = due;
                std::thread::sleep(Duration::from_millis(5));
            }
            feeder.flush();
        });
        Self { stop, thread }
    }

    pub fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the load has not failed");
    }
}
