//! Every topic as it must be: partitions, retention, sizes. What a topic means is the contracts'.

use crate::config::Config;
use domain::Topic;
use kafka_log::{TopicName, TopicSpec};

/// How a topic is kept.
enum Kept {
    Days(i64),
    Compacted,
}

/// Every topic of a deployment, dead-letter topics included.
pub fn specs(config: &Config) -> Vec<TopicSpec> {
    let live = Topic::ALL.iter().map(|topic| spec(topic.name(), partitions(*topic, config), &kept(*topic, config), config));
    let dead = Topic::ALL
        .iter()
        .filter(|topic| !topic.dead_letters().is_empty())
        .map(|topic| spec(topic.dead_letters(), partitions(*topic, config), &Kept::Days(config.topics.internal_days), config));
    live.chain(dead).collect()
}

/// Partitions of a topic: lanes where it is keyed by portfolio, one for the frames.
pub fn partitions(topic: Topic, config: &Config) -> i32 {
    match topic {
        Topic::Frames => 1,
        Topic::Ticks | Topic::Instruments | Topic::CorporateActions | Topic::MarketStatus | Topic::Closes => {
            config.topics.market_partitions
        }
        _ => config.lanes,
    }
}

fn kept(topic: Topic, config: &Config) -> Kept {
    let settings = &config.topics;
    match topic {
        Topic::Fills
        | Topic::Cash
        | Topic::Policies
        | Topic::OrderStatus
        | Topic::Commands
        | Topic::Ledger
        | Topic::Drift
        | Topic::PortfolioCloses => Kept::Days(settings.books_days),
        Topic::Ticks => Kept::Days(settings.ticks_days),
        Topic::Instruments
        | Topic::CorporateActions
        | Topic::MarketStatus
        | Topic::Closes
        | Topic::Snapshots
        | Topic::Performance
        | Topic::Risk => Kept::Compacted,
        Topic::Orders | Topic::RebalanceEvents => Kept::Days(settings.orders_days),
        Topic::Frames => Kept::Days(settings.frames_days),
        Topic::Refresh
        | Topic::PositionKeeperProgress
        | Topic::RebalancerProgress
        | Topic::PaperRouterProgress
        | Topic::PerformanceTrackerProgress => Kept::Days(settings.internal_days),
    }
}

fn spec(name: &str, partitions: i32, kept: &Kept, config: &Config) -> TopicSpec {
    let (policy, retention) = match kept {
        Kept::Compacted => ("compact", -1),
        Kept::Days(-1) => ("delete", -1),
        Kept::Days(days) => ("delete", days.saturating_mul(86_400_000)),
    };
    let configs = [
        ("cleanup.policy", policy.to_owned()),
        ("retention.ms", retention.to_string()),
        ("max.message.bytes", config.kafka.max_message_bytes.to_string()),
        ("message.timestamp.type", "LogAppendTime".to_owned()),
    ];
    TopicSpec {
        name: TopicName::from(name),
        partitions,
        replication: config.topics.replication,
        configs: configs.map(|(name, value)| (name.to_owned(), value)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_and_every_dead_letter_topic_is_there_once() {
        let specs = specs(&Config::default());
        let names: std::collections::BTreeSet<_> = specs.iter().map(|spec| spec.name.as_str().to_owned()).collect();
        assert_eq!(names.len(), specs.len());
        assert!(names.contains("execution.fills.v1") && names.contains("execution.fills.v1.dlq"));
        let frames = specs.iter().find(|spec| spec.name.as_str() == "ballast.frames.v1").unwrap();
        assert_eq!(frames.partitions, 1);
    }
}
