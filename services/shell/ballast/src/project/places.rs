//! Where the projector reads: every partition of the topics that have rows. No look at the broker.

use crate::config::Config;
use crate::topic_layout::partitions;
use domain::Topic;

/// Topics whose records have rows. Policies are taken from the drift event that answers each: it
/// carries the policy in force, which a refused one never is.
const LIVE: [Topic; 9] = [
    Topic::Drift,
    Topic::Snapshots,
    Topic::Ledger,
    Topic::PortfolioCloses,
    Topic::Performance,
    Topic::Risk,
    Topic::Orders,
    Topic::RebalanceEvents,
    Topic::OrderStatus,
];

/// What a partition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// Records of a topic.
    Live(Topic),
    /// Dead letters of a topic.
    Dead(Topic),
}

/// A partition that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// What it holds.
    pub(super) source: Source,
    /// Its number.
    pub(super) partition: i32,
}

impl Source {
    /// The topic's name on the broker.
    pub(super) fn name(self) -> &'static str {
        match self {
            Source::Live(topic) => topic.name(),
            Source::Dead(topic) => topic.dead_letters(),
        }
    }
}

/// Every topic that is read.
pub(super) fn sources() -> impl Iterator<Item = Source> {
    let dead = Topic::ALL.iter().filter(|topic| !topic.dead_letters().is_empty()).map(|topic| Source::Dead(*topic));
    LIVE.into_iter().map(Source::Live).chain(dead)
}

/// Every partition that is read, topic by topic.
pub(super) fn places(config: &Config) -> Vec<Place> {
    let of = |source: Source| {
        let (Source::Live(topic) | Source::Dead(topic)) = source;
        (0..partitions(topic, config)).map(move |partition| Place { source, partition })
    };
    sources().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dead_letter_topic_is_read_with_as_many_partitions_as_it_has() {
        let config = Config { lanes: 3, ..Config::default() };
        let places = places(&config);
        let count = |name: &str| places.iter().filter(|place| place.source.name() == name).count();
        assert_eq!(count("portfolio.snapshots.v1"), 3);
        assert_eq!(count("execution.fills.v1.dlq"), 3);
        assert_eq!(count("ballast.frames.v1.dlq"), 1);
        assert_eq!(count("marketdata.ticks.v1.dlq"), usize::try_from(config.topics.market_partitions).unwrap());
        assert!(places.iter().all(|place| !place.source.name().is_empty()));
    }
}
