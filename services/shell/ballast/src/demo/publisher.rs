//! Publishes the journeys' records as any producer would: in Avro, keyed, with their event time.

use super::digestion::{Digestion, OWN};
use crate::config::Config;
use crate::journeys::Dated;
use crate::messages::{input_message, input_topic};
use crate::topic_layout::partitions;
use kafka_log::{Message, Partition, Producer, TopicName};
use std::sync::Arc;

/// A producer of inputs.
pub(super) struct InputPublisher {
    producer: Producer,
    count: u64,
}

impl InputPublisher {
    pub(super) fn open(config: &Config) -> anyhow::Result<Self> {
        Ok(Self { producer: Producer::open(&config.kafka, "demo")?, count: 0 })
    }

    /// Sends a day's records; those that could not be delivered are told by the next call.
    pub(super) fn send(&mut self, inputs: &[Dated], config: &Config, digestion: &mut Digestion) -> anyhow::Result<()> {
        for dated in inputs {
            self.count += 1;
            let spread = partitions(input_topic(&dated.input), config);
            let made = input_message(&dated.input, dated.time, OWN, &self.count.to_string(), spread)?;
            digestion.sent(made.topic);
            let headers = made.headers.into_iter().map(|(name, value)| (Arc::<str>::from(name.as_str()), value)).collect();
            self.producer.send(Message {
                topic: TopicName::from(made.topic),
                partition: Partition::Exactly(made.partition),
                key: made.key,
                value: made.value,
                headers,
                timestamp: None,
            })?;
        }
        match self.producer.take_failures().first() {
            Some(lost) => anyhow::bail!("a record could not be delivered: {lost:?}"),
            None => Ok(()),
        }
    }
}
