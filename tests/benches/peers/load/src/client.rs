//! The Kafka client of the load and of the verifier: a producer, readers of committed records, topics.

use anyhow::{Context, Result, bail};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::time::{Duration, Instant};

/// How long a server may take for one answer.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Sends records, each to the partition of its key.
pub struct Sender(ThreadedProducer<DefaultProducerContext>);

impl Sender {
    /// A sender that waits so long for a batch to fill.
    pub fn open(brokers: &str, linger_ms: u32) -> Result<Self> {
        Ok(Self(sending(brokers, linger_ms).create()?))
    }

    /// A sender within a transaction, which hides what it sends until it is committed.
    pub fn open_transaction(brokers: &str) -> Result<Self> {
        let mut settings = sending(brokers, 5);
        let producer: ThreadedProducer<_> =
            settings.set("transactional.id", "bench-peers").set("transaction.timeout.ms", "600000").create()?;
        producer.init_transactions(PATIENCE)?;
        producer.begin_transaction()?;
        Ok(Self(producer))
    }

    /// Shows everything that was sent.
    pub fn commit(&self) -> Result<()> {
        Ok(self.0.commit_transaction(PATIENCE)?)
    }

    /// Sends one, and waits for room where there is none.
    pub fn send(&self, topic: &str, key: &str, value: &[u8]) -> Result<()> {
        let mut record = BaseRecord::to(topic).key(key).payload(value);
        loop {
            match self.0.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    record = back;
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err((error, _)) => return Err(error.into()),
            }
        }
    }

    /// Waits until everything is acknowledged.
    pub fn flush(&self) -> Result<()> {
        Ok(self.0.flush(PATIENCE)?)
    }
}

fn sending(brokers: &str, linger_ms: u32) -> ClientConfig {
    let mut settings = ClientConfig::new();
    settings
        .set("bootstrap.servers", brokers)
        .set("partitioner", "murmur2_random")
        .set("enable.idempotence", "true")
        .set("compression.codec", "lz4")
        .set("linger.ms", linger_ms.to_string())
        .set("queue.buffering.max.messages", "500000");
    settings
}

/// A reader of committed records from where its topic begins, or from its end on.
pub fn reader(brokers: &str, topic: &str, from: Offset) -> Result<BaseConsumer> {
    let consumer = any_reader(brokers)?;
    let mut all = TopicPartitionList::new();
    for partition in 0..partitions(&consumer, topic)? {
        all.add_partition_offset(topic, partition, from)?;
    }
    consumer.assign(&all)?;
    Ok(consumer)
}

/// A reader that is assigned nothing.
pub fn any_reader(brokers: &str) -> Result<BaseConsumer> {
    let consumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "bench-peers")
        .set("isolation.level", "read_committed")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("fetch.queue.backoff.ms", "10")
        .set("queued.max.messages.kbytes", "65536")
        .create()?;
    Ok(consumer)
}

/// Partitions of a topic.
pub fn partitions(consumer: &BaseConsumer, topic: &str) -> Result<i32> {
    let metadata = consumer.fetch_metadata(Some(topic), PATIENCE)?;
    let found = metadata.topics().first().map_or(0, |topic| topic.partitions().len());
    if found == 0 {
        bail!("there is no topic {topic}");
    }
    Ok(i32::try_from(found)?)
}

/// Where each partition's committed records end, added up.
pub fn stable_ends(consumer: &BaseConsumer, topic: &str, partitions: i32) -> Result<i64> {
    (0..partitions).map(|partition| Ok(consumer.fetch_watermarks(topic, partition, PATIENCE)?.1)).sum()
}

/// Removes every topic but the broker's own, and waits until they are gone.
pub fn delete_topics(brokers: &str) -> Result<()> {
    let (admin, consumer) = (admin(brokers)?, any_reader(brokers)?);
    let start = Instant::now();
    loop {
        let metadata = consumer.fetch_metadata(None, PATIENCE)?;
        let names: Vec<&str> = metadata.topics().iter().map(|topic| topic.name()).filter(|name| !name.starts_with("__")).collect();
        if names.is_empty() {
            return Ok(());
        }
        if start.elapsed() > PATIENCE {
            bail!("these topics are still there: {names:?}");
        }
        // Those that are on their way out already answer with an error, which changes nothing.
        let _ = futures::executor::block_on(admin.delete_topics(&names, &AdminOptions::new()))?;
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Makes a topic, and waits until its partitions answer.
pub fn create_topic(brokers: &str, name: &str, partitions: i32) -> Result<()> {
    let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1)).set("message.timestamp.type", "LogAppendTime");
    let made = futures::executor::block_on(admin(brokers)?.create_topics([&topic], &AdminOptions::new()))?;
    made.into_iter().next().context("an answer for the topic")?.map_err(|(name, code)| anyhow::anyhow!("{name}: {code}"))?;
    let (consumer, start) = (any_reader(brokers)?, Instant::now());
    while stable_ends(&consumer, name, partitions).is_err() {
        if start.elapsed() > PATIENCE {
            bail!("the partitions of {name} do not answer");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn admin(brokers: &str) -> Result<AdminClient<DefaultClientContext>> {
    Ok(ClientConfig::new().set("bootstrap.servers", brokers).create()?)
}
