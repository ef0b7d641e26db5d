//! The ground that a demo stands on: topics made, tables there, and nothing in them from before.

use crate::config::Config;
use crate::topic_layout::specs;
use anyhow::bail;
use kafka_log::{Pace, Reader, Topics};
use postgres_store::Store;
use std::time::Duration;

/// How long the broker may take for one answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Makes topics and tables. Refuses a deployment with records in it: topics have fixed names, and what
/// lies in them would become part of the story.
pub(super) fn prepare(config: &Config) -> anyhow::Result<()> {
    let specs = specs(config);
    let differences = Topics::open(&config.kafka)?.ensure(&specs)?;
    if let Some(first) = differences.first() {
        bail!("the topics do not fit: {first}: type `make demo`, which starts servers of its own");
    }
    let reader = Reader::open(&config.kafka, Pace::Recovery, "demo-ground")?;
    for spec in &specs {
        for partition in 0..spec.partitions {
            if reader.bounds(&spec.name, partition, PATIENCE)?.stable_end > 0 {
                bail!("{} has records in it already: the demo needs an empty deployment; type `make demo`, which starts one of its own", spec.name);
            }
        }
    }
    migrate(config)
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
