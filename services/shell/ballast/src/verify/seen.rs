//! A record as the log holds it, and where it stands: its place in the log, and its place in the work
//! of the role that wrote it. It reads headers only, never values.

use crate::stored::StoredRecord;
use domain::{PortfolioId, Timestamp, Topic};
use std::collections::BTreeMap;
use std::fmt;

/// A record of a topic, dead-letter topics included, as a committed reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRecord<'a> {
    /// Topic name.
    pub topic: &'a str,
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
    /// When the broker appended it.
    pub appended: Timestamp,
    /// Key.
    pub key: Option<Vec<u8>>,
    /// Value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Headers, in order.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl<'a> SeenRecord<'a> {
    /// A stored record at its place.
    pub fn of(topic: &'a str, partition: i32, record: StoredRecord) -> Self {
        Self {
            topic,
            partition,
            offset: record.offset,
            appended: record.appended,
            key: record.key,
            value: record.value,
            headers: record.headers.into_iter().map(|header| (header.name.to_string(), header.value)).collect(),
        }
    }
    /// The newest header of a name, as text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().rev().find(|(header, _)| header == name);
        found.and_then(|(_, value)| std::str::from_utf8(value).ok())
    }
    /// Who wrote it, where one of our lanes did.
    pub(super) fn stamp(&self) -> Option<Stamp> {
        let source = self.header("dlq_source").or_else(|| self.header("ce_source"))?;
        let (role, lane) = source.strip_prefix("/ballast/")?.split_once('/')?;
        let (role, _) = ROLES.iter().find(|(name, _)| *name == role)?;
        let number = |name| self.header(name)?.parse().ok();
        Some(Stamp { role, lane: lane.parse().ok()?, step: number("step")?, index: number("index")? })
    }
}

/// Records by portfolio, in their order.
pub(super) fn by_portfolio<'a, T: 'a>(
    records: impl Iterator<Item = &'a Seen<T>>,
    of: fn(&T) -> &PortfolioId,
) -> BTreeMap<&'a PortfolioId, Vec<&'a Seen<T>>> {
    let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
    records.for_each(|seen| found.entry(of(&seen.record)).or_default().push(seen));
    found
}

/// Roles that work in steps, with their progress topics.
pub(super) const ROLES: [(&str, Topic); 4] = [
    (KEEPER, Topic::PositionKeeperProgress),
    (REBALANCER, Topic::RebalancerProgress),
    (ROUTER, Topic::PaperRouterProgress),
    (TRACKER, Topic::PerformanceTrackerProgress),
];
/// The role that books.
pub(super) const KEEPER: &str = "position-keeper";
/// The role that plans.
pub(super) const REBALANCER: &str = "rebalancer";
/// The role that fills orders in demos.
pub(super) const ROUTER: &str = "paper-router";

/// The role that measures.
pub(super) const TRACKER: &str = "performance-tracker";

/// A place in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    pub(super) topic: Topic,
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) dead: bool,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dead = if self.dead { ".dlq" } else { "" };
        write!(f, "{}{dead}/{}@{}", self.topic, self.partition, self.offset)
    }
}

/// A place in the work of a lane: the output `index` of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Stamp {
    pub(super) role: &'static str,
    pub(super) lane: i32,
    pub(super) step: i64,
    pub(super) index: i64,
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} lane {} step {} output {}", self.role, self.lane, self.step, self.index)
    }
}

/// A decoded record and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Seen<T> {
    pub(super) place: Place,
    pub(super) stamp: Option<Stamp>,
    /// An earlier record has the same stamp.
    pub(super) repeat: bool,
    /// The key is not the record's portfolio.
    pub(super) misfiled: bool,
    pub(super) record: T,
}
