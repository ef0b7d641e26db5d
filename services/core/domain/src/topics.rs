//! Every topic: its name, and how large a record of it may be. Partitions and retention are the shell's.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

macro_rules! topics {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $dlq:literal);+ $(;)?) => {
        /// A topic of the service; the order is that of the wire index and never changes.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum Topic { $($(#[$doc])* $variant),+ }

        impl Topic {
            /// Every topic.
            pub const ALL: &'static [Topic] = &[$(Topic::$variant),+];
            /// Its name on the broker.
            pub const fn name(self) -> &'static str { match self { $(Topic::$variant => $name),+ } }
            /// The name of its dead-letter topic; empty where it has none.
            pub const fn dead_letters(self) -> &'static str { match self { $(Topic::$variant => $dlq),+ } }
            /// The topic of a name.
            pub fn from_name(name: &str) -> Option<Topic> { match name { $($name => Some(Topic::$variant),)+ _ => None } }
        }
    };
}

topics! {
    /// Executions.
    Fills = "execution.fills.v1", "execution.fills.v1.dlq";
    /// Cash entries.
    Cash = "treasury.cash.v1", "treasury.cash.v1.dlq";
    /// Policies.
    Policies = "portfolio.policies.v1", "portfolio.policies.v1.dlq";
    /// Ticks.
    Ticks = "marketdata.ticks.v1", "marketdata.ticks.v1.dlq";
    /// Instruments.
    Instruments = "reference.instruments.v1", "reference.instruments.v1.dlq";
    /// Corporate actions.
    CorporateActions = "reference.corporate-actions.v1", "reference.corporate-actions.v1.dlq";
    /// Market status.
    MarketStatus = "marketdata.status.v1", "marketdata.status.v1.dlq";
    /// Official closes.
    Closes = "marketdata.closes.v1", "marketdata.closes.v1.dlq";
    /// Order status.
    OrderStatus = "orders.status.v1", "orders.status.v1.dlq";
    /// Commands.
    Commands = "portfolio.commands.v1", "portfolio.commands.v1.dlq";
    /// Ledger.
    Ledger = "portfolio.ledger.v1", "portfolio.ledger.v1.dlq";
    /// Snapshots.
    Snapshots = "portfolio.snapshots.v1", "";
    /// Drift.
    Drift = "portfolio.drift.v1", "portfolio.drift.v1.dlq";
    /// A portfolio's days.
    PortfolioCloses = "portfolio.closes.v1", "portfolio.closes.v1.dlq";
    /// Order waves.
    Orders = "rebalance.orders.v1", "rebalance.orders.v1.dlq";
    /// Rebalance events.
    RebalanceEvents = "rebalance.events.v1", "";
    /// Performance.
    Performance = "portfolio.performance.v1", "";
    /// Risk.
    Risk = "portfolio.risk.v1", "portfolio.risk.v1.dlq";
    /// Requests for a drift event.
    Refresh = "ballast.refresh.v1", "ballast.refresh.v1.dlq";
    /// Frames.
    Frames = "ballast.frames.v1", "ballast.frames.v1.dlq";
    /// Progress of the position-keeper.
    PositionKeeperProgress = "ballast.position-keeper.progress.v1", "";
    /// Progress of the rebalancer.
    RebalancerProgress = "ballast.rebalancer.progress.v1", "";
    /// Progress of the paper router.
    PaperRouterProgress = "ballast.paper-router.progress.v1", "";
    /// Progress of the performance-tracker.
    PerformanceTrackerProgress = "ballast.performance-tracker.progress.v1", "";
}

/// The most bytes of what others send: a broker refuses more, so that no lane has to.
const INPUT_BYTES: usize = 1024 * 1024;
/// The most bytes of what we make.
const OUTPUT_BYTES: usize = 8 * 1024 * 1024;

impl Topic {
    /// Whether systems and people outside write it.
    pub const fn is_from_outside(self) -> bool {
        match self {
            Topic::Fills
            | Topic::Cash
            | Topic::Policies
            | Topic::Ticks
            | Topic::Instruments
            | Topic::CorporateActions
            | Topic::MarketStatus
            | Topic::Closes
            | Topic::OrderStatus
            | Topic::Commands => true,
            Topic::Refresh
            | Topic::Ledger
            | Topic::Snapshots
            | Topic::Drift
            | Topic::PortfolioCloses
            | Topic::Orders
            | Topic::RebalanceEvents
            | Topic::Performance
            | Topic::Risk
            | Topic::Frames
            | Topic::PositionKeeperProgress
            | Topic::RebalancerProgress
            | Topic::PaperRouterProgress
            | Topic::PerformanceTrackerProgress => false,
        }
    }
    /// The most bytes that the value of a record may have, its framing included.
    pub const fn record_bytes(self) -> usize {
        match self {
            // An ADMIT carries a fill or cash entry whole, with its headers.
            Topic::Commands => 2 * INPUT_BYTES,
            // A step ends at an estimated 512 KiB; the ids of its entries may be longer than usual, and the last
            // one of them as large as an input.
            Topic::Ledger => 4 * INPUT_BYTES,
            Topic::Refresh => INPUT_BYTES,
            _ if self.is_from_outside() => INPUT_BYTES,
            _ => OUTPUT_BYTES,
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
impl Serialize for Topic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
impl<'de> Deserialize<'de> for Topic {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = smol_str::SmolStr::deserialize(deserializer)?;
        Topic::from_name(&name).ok_or_else(|| serde::de::Error::custom(format!("{name:?} is no topic of this service")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rule_and_round_trip() {
        for topic in Topic::ALL {
            assert_eq!(Topic::from_name(topic.name()), Some(*topic));
            assert!(topic.name().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-'));
            assert!(topic.dead_letters().is_empty() || topic.dead_letters() == format!("{}.dlq", topic.name()));
        }
    }
}
