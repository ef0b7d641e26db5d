//! Every topic as it must be: partitions, retention, sizes. What a topic means is the contracts'.

use crate::config::Config;
use domain::Topic;
use kafka_log::{TopicName, TopicSpec};

/// How a topic is kept.
enum Kept {
    Days(i64),
    Compacted,
    /// Compacted once a record is older than so many days.
    CompactedAfter(i64),
}

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// Room of our own records for key, headers and the broker's framing, and of a dead letter for its headers.
const BESIDE: usize = 64 * 1024;

/// The most bytes that a broker takes of one record of a topic. What others send has no room beside its limit:
/// a record that a lane would refuse for its size is refused where it is sent. The broker looks at compressed
/// bytes, so that larger ones may still arrive; their dead letters carry no more than their place.
pub const fn message_bytes(topic: Topic) -> usize {
    // Refreshes are our own, and small.
    if topic.is_from_outside() || matches!(topic, Topic::Refresh) { topic.record_bytes() } else { topic.record_bytes() + BESIDE }
}

/// The most bytes that a broker takes of one dead letter of a topic.
pub const fn letter_bytes(topic: Topic) -> usize {
    message_bytes(topic) + BESIDE
}

/// The largest of all these: what the clients must be able to write.
pub fn largest_bytes() -> usize {
    Topic::ALL.iter().map(|topic| letter_bytes(*topic)).max().unwrap_or(0)
}

/// Every topic of a deployment, dead-letter topics included.
pub fn specs(config: &Config) -> Vec<TopicSpec> {
    let live =
        Topic::ALL.iter().map(|topic| spec(topic.name(), partitions(*topic, config), &kept(*topic, config), message_bytes(*topic), config));
    let dead = Topic::ALL.iter().filter(|topic| !topic.dead_letters().is_empty()).map(|topic| {
        let kept = Kept::Days(config.topics.internal_days);
        spec(topic.dead_letters(), partitions(*topic, config), &kept, letter_bytes(*topic), config)
    });
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
        Topic::Instruments | Topic::CorporateActions | Topic::MarketStatus | Topic::Closes | Topic::Snapshots | Topic::Performance => {
            Kept::Compacted
        }
        // Lanes read it: what a window has read must be there for as long as its step may be computed again.
        Topic::Risk => Kept::CompactedAfter(settings.internal_days.saturating_mul(2)),
        Topic::Orders | Topic::RebalanceEvents => Kept::Days(settings.orders_days),
        Topic::Frames => Kept::Days(settings.frames_days),
        Topic::Refresh
        | Topic::PositionKeeperProgress
        | Topic::RebalancerProgress
        | Topic::PaperRouterProgress
        | Topic::PerformanceTrackerProgress => Kept::Days(settings.internal_days),
    }
}

fn spec(name: &str, partitions: i32, kept: &Kept, bytes: usize, config: &Config) -> TopicSpec {
    let (policy, retention) = match kept {
        Kept::Compacted | Kept::CompactedAfter(_) => ("compact", -1),
        Kept::Days(-1) => ("delete", -1),
        Kept::Days(days) => ("delete", days.saturating_mul(DAY_MS)),
    };
    let configs = [
        ("cleanup.policy", policy.to_owned()),
        ("retention.ms", retention.to_string()),
        ("max.message.bytes", bytes.to_string()),
        ("message.timestamp.type", "LogAppendTime".to_owned()),
    ];
    let lag = match kept {
        Kept::CompactedAfter(days) => Some(days.saturating_mul(DAY_MS)),
        _ => None,
    };
    let lag = lag.map(|lag| ("min.compaction.lag.ms", lag.to_string()));
    TopicSpec {
        name: TopicName::from(name),
        partitions,
        replication: config.topics.replication,
        configs: configs.into_iter().chain(lag).map(|(name, value)| (name.to_owned(), value)).collect(),
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
        assert!(names.contains(Topic::RebalancerProgress.name()) && names.contains(Topic::PerformanceTrackerProgress.name()));
        let frames = specs.iter().find(|spec| spec.name.as_str() == "ballast.frames.v1").unwrap();
        assert_eq!(frames.partitions, 1);
    }

    #[test]
    fn what_a_lane_would_refuse_for_its_size_is_refused_by_the_broker() {
        let specs = specs(&Config::default());
        let limit = |name: &str| {
            let spec = specs.iter().find(|spec| spec.name.as_str() == name).unwrap();
            spec.configs["max.message.bytes"].parse::<usize>().unwrap()
        };
        assert_eq!(limit("execution.fills.v1"), 1024 * 1024);
        assert_eq!(limit("execution.fills.v1.dlq"), (1024 + 64) * 1024);
        assert_eq!(limit("portfolio.commands.v1"), 2 * 1024 * 1024);
        assert_eq!(limit("portfolio.drift.v1"), (8 * 1024 + 64) * 1024);
        let client = usize::try_from(Config::default().kafka.max_message_bytes).unwrap();
        assert!(specs.iter().all(|spec| limit(spec.name.as_str()) <= client), "the clients can write the largest of them");
    }

    #[test]
    fn what_lanes_have_read_is_not_compacted_while_their_steps_are_kept() {
        let specs = specs(&Config::default());
        let config = |name: &str, key: &str| {
            let spec = specs.iter().find(|spec| spec.name.as_str() == name).unwrap();
            spec.configs.get(key).and_then(|value| value.parse::<i64>().ok())
        };
        let lag = config("portfolio.risk.v1", "min.compaction.lag.ms").unwrap();
        assert!(lag > config("ballast.position-keeper.progress.v1", "retention.ms").unwrap());
        assert_eq!(config("portfolio.snapshots.v1", "min.compaction.lag.ms"), None);
    }

    /// (who, may, topic) of every line of the list that operators apply.
    fn rights() -> Vec<(&'static str, &'static str, &'static str)> {
        let list = include_str!("../../../../deploy/acls.txt");
        let lines = list.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let fields = lines.map(|line| line.split_whitespace().collect::<Vec<_>>());
        fields.filter(|fields| fields[2] == "topic").map(|fields| (fields[0], fields[1], fields[3])).collect()
    }

    fn may(action: &str, topic: &str) -> Vec<&'static str> {
        let covers = |pattern: &str| pattern.strip_suffix('*').map_or(pattern == topic, |prefix| topic.starts_with(prefix));
        rights().into_iter().filter(|(_, may, pattern)| *may == action && covers(pattern)).map(|(who, ..)| who).collect()
    }

    #[test]
    fn the_list_of_rights_has_a_writer_for_every_topic_and_commands_have_two() {
        assert_eq!(may("Write", "portfolio.commands.v1"), ["operator", "gateway"]);
        for spec in specs(&Config::default()) {
            let writers = may("Write", spec.name.as_str());
            assert!(!writers.is_empty(), "nobody may write {}", spec.name);
            assert!(may("Read", spec.name.as_str()).contains(&"service"));
        }
        for output in [Topic::Ledger, Topic::Drift, Topic::Orders, Topic::RebalanceEvents, Topic::Frames, Topic::PositionKeeperProgress] {
            assert_eq!(may("Write", output.name()), ["service"], "{output}");
        }
        assert_eq!(may("Write", "execution.fills.v1"), ["upstream", "router"]);
    }
}
