//! The ground that a demo stands on: topics made, tables there, and nothing in them from before.

use crate::config::Config;
use crate::topic_layout::specs;
use anyhow::bail;
use kafka_log::{LogBounds, Pace, ReadError, Reader, TopicName, Topics};
use postgres_store::Store;
use std::time::{Duration, Instant};

/// How long the broker may take for one answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long new partitions may take until somebody leads them.
const LED: Duration = Duration::from_secs(20);

/// Makes topics and tables. Refuses a deployment with records in it: topics have fixed names, and what
/// lies in them would become part of the story.
pub(super) fn prepare(config: &Config) -> anyhow::Result<()> {
    let specs = specs(config);
    let differences = Topics::open(&config.kafka)?.ensure(&specs)?;
    if let Some(first) = differences.first() {
        bail!("the topics do not fit: {first}: type `make demo`, which starts servers of its own");
    }
    let reader = Reader::open(&config.kafka, Pace::Recovery, "demo-ground")?;
    let end = Instant::now() + LED;
    for spec in &specs {
        for partition in 0..spec.partitions {
            if bounds(&reader, &spec.name, partition, end)?.stable_end > 0 {
                bail!(
                    "{} has records in it already: the demo needs an empty deployment; type `make demo`, which starts one of its own",
                    spec.name
                );
            }
        }
    }
    migrate(config)
}

/// A topic that was made a moment ago may not be led yet.
fn bounds(reader: &Reader, topic: &TopicName, partition: i32, end: Instant) -> Result<LogBounds, ReadError> {
    loop {
        match reader.bounds(topic, partition, PATIENCE) {
            Err(_) if Instant::now() < end => std::thread::sleep(Duration::from_millis(50)),
            answered => return answered,
        }
    }
}

fn migrate(config: &Config) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = Store::new(&config.postgres)?;
        store.migrate().await?;
        store.check().await?;
        store.close().await;
        Ok(())
    })
}
