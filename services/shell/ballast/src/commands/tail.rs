//! `ballast topics tail`: the records of a topic as JSON lines.

use crate::avro::json_of;
use crate::cli::TailArgs;
use crate::config::Config;
use crate::kafka::stored;
use crate::lines::print_line;
use crate::nearest::topic_words;
use crate::print;
use crate::topic_layout::specs;
use engine::RecordRef;
use kafka_log::{Pace, Reader, Start, TopicName, Topics};
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Duration;

/// How long the broker may take for one answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Prints until the end, or until interrupted.
pub fn run(config: &Config, args: &TailArgs) -> anyhow::Result<ExitCode> {
    let name = TopicName::from(args.topic.as_str());
    let topics = Topics::open(&config.kafka)?;
    let described = topics.describe(std::slice::from_ref(&name))?;
    let Some(topic) = described.first() else { anyhow::bail!("{}", absent(config, &args.topic)) };
    let mut reader = Reader::open(&config.kafka, Pace::Live, "tail")?;
    let schemas = config.schemas.load()?;
    let mut starts = Vec::new();
    for partition in 0..topic.partitions {
        let bounds = reader.bounds(&name, partition, PATIENCE)?;
        starts.push(Start { topic: name.clone(), partition, offset: if args.from_start { bounds.start } else { bounds.stable_end } });
    }
    let mut open: BTreeSet<i32> = starts.iter().map(|start| start.partition).collect();
    reader.assign(&starts)?;
    while !(args.until_end && open.is_empty()) {
        let batch = reader.poll_patiently(1000, Duration::from_millis(200), PATIENCE)?;
        for record in batch.records() {
            let record = stored(&record);
            print::line(print_line(&args.topic, Some(record.timestamp()), &json_of(&schemas, &args.topic, &record)))?;
        }
        batch.ends().iter().for_each(|end| {
            open.remove(&end.partition);
        });
    }
    Ok(ExitCode::SUCCESS)
}

/// A topic of the service that was not made, or a name that is none of its topics.
fn absent(config: &Config, name: &str) -> String {
    let specs = specs(config);
    let names = || specs.iter().map(|spec| spec.name.as_str());
    if names().any(|known| known == name) {
        return format!("there is no topic {name} at {}: run `ballast topics create`", config.kafka.brokers);
    }
    format!("there is no topic {name} at {}: {}", config.kafka.brokers, topic_words(name, names()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_topic_is_told_from_a_misspelt_one() {
        let config = Config::default();
        assert!(absent(&config, "portfolio.drift.v1").ends_with("run `ballast topics create`"));
        let told = absent(&config, "portfolio.drift");
        assert!(told.contains("did you mean portfolio.drift.v1? The topics are execution.fills.v1, "), "{told}");
    }
}
