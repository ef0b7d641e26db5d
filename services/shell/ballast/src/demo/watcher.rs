//! Reads every topic of the deployment, committed records only, and keeps what the demo wants to know.

use super::digestion::Digestion;
use crate::config::Config;
use crate::journeys::Observed;
use crate::kafka::stored;
use crate::topic_layout::specs;
use kafka_log::{Pace, Reader, Start};
use std::time::Duration;

/// Most records of one poll.
const BATCH: usize = 10_000;
/// How long an error is waited out that passes.
const PATIENCE: Duration = Duration::from_secs(10);

/// A subscriber to everything.
pub(super) struct Watcher {
    reader: Reader,
    names: Vec<String>,
    pub(super) digestion: Digestion,
    pub(super) observed: Observed,
}

impl Watcher {
    /// Reads from the beginning of every topic.
    pub(super) fn open(config: &Config) -> anyhow::Result<Self> {
        let mut reader = Reader::open(&config.kafka, Pace::Live, "demo")?;
        let (mut starts, mut names) = (Vec::new(), Vec::new());
        for spec in specs(config) {
            names.push(spec.name.as_str().to_owned());
            starts.extend((0..spec.partitions).map(|partition| Start { topic: spec.name.clone(), partition, offset: 0 }));
        }
        reader.assign(&starts)?;
        Ok(Self { reader, names, digestion: Digestion::default(), observed: Observed::new() })
    }

    /// Takes what there is, waiting up to `wait` for it.
    pub(super) fn look(&mut self, wait: Duration) -> anyhow::Result<()> {
        let batch = self.reader.poll_patiently(BATCH, wait, PATIENCE)?;
        for record in batch.records() {
            let (name, partition, record) = (&self.names[record.topic()], record.partition(), stored(&record));
            self.digestion.take(name, partition, &record)?;
            self.observed.take(name, partition, &record);
        }
        Ok(())
    }
}
