//! A whole cluster in one thread, on the in-memory log: the conflator and every lane of every stateful
//! role, run in turns until nothing moves. Members can be killed at any point of their work; they come
//! back as a process would, from a checkpoint and the recorded steps.
//!
//! Every window is a step of its own, and a lane that dies is recovered before anybody else moves, so
//! that the same inputs give the same bytes on every topic, whoever died when. (A torn commit is the
//! exception: it leaves records twice, which readers drop by their headers.) It starts no threads and
//! measures time only to say how long recoveries took.

mod death;
mod market;
mod station;

pub use death::Death;
pub use station::Recovery;

use super::MemoryLog;
use crate::messages::input_message;
use crate::stored::StoredRecord;
use crate::worker::LaneHalt;
use crate::worker::pacing::{Clock, Pacing};
use avro_codec::CodecError;
use domain::{Input, SmolStr, Timestamp};
use engine::{Role, Settings};
use market::Market;
use paper_router::PaperRouter;
use performance_tracker::PerformanceTracker;
use position_keeper::PositionKeeper;
use rebalancer::Rebalancer;
use station::Station;
use std::collections::BTreeMap;

/// Rounds after which members that still answer each other are an error.
const MOST_ROUNDS: usize = 100_000;
/// Rounds without any movement after which the cluster is quiet: a lane at its genesis takes its first
/// turn to learn that there is nothing to learn.
const QUIET_ROUNDS: usize = 2;

/// A member of the cluster; the stateful ones are killed a lane at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Member {
    /// The conflator; its lane is not looked at.
    Conflator,
    /// The position-keeper.
    PositionKeeper,
    /// The rebalancer.
    Rebalancer,
    /// The paper router.
    PaperRouter,
    /// The performance-tracker.
    PerformanceTracker,
}

/// What a cluster is made of.
#[derive(Debug, Clone)]
pub struct ClusterSettings {
    /// Lanes.
    pub lanes: i32,
    /// Partitions of the topics keyed by instrument.
    pub market_partitions: i32,
    /// Settings of the core.
    pub core: Settings,
    /// Clock of the lanes: event time, or what [`Cluster::set_clock`] says.
    pub clock: Clock,
    /// Milliseconds between checkpoints.
    pub checkpoint_ms: u64,
}

impl Default for ClusterSettings {
    fn default() -> Self {
        Self { lanes: 4, market_partitions: 4, core: Settings::default(), clock: Clock::Event, checkpoint_ms: 5 }
    }
}

/// The cluster cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// A lane halted.
    #[error("{member:?} halts on lane {lane}: {halt}")]
    Halt {
        /// Who.
        member: Member,
        /// Which lane.
        lane: i32,
        /// Why.
        halt: LaneHalt,
    },
    /// An input cannot be written in Avro: its sender's fault.
    #[error("the input cannot be written: {0}")]
    Input(#[from] CodecError),
    /// The conflator cannot go on.
    #[error("the conflator cannot go on: {0}")]
    Market(String),
    /// The members answer each other for ever.
    #[error("after {MOST_ROUNDS} rounds the members still answer each other: a fault of this service")]
    Restless,
}

/// A cluster.
pub struct Cluster {
    log: MemoryLog,
    settings: ClusterSettings,
    clock: Timestamp,
    market: Market,
    keepers: Vec<Station<PositionKeeper>>,
    rebalancers: Vec<Station<Rebalancer>>,
    routers: Vec<Station<PaperRouter>>,
    trackers: Vec<Station<PerformanceTracker>>,
    heard: BTreeMap<(SmolStr, i32), i64>,
    sent: u64,
}

impl Cluster {
    /// A cluster on an empty log.
    pub fn new(settings: ClusterSettings) -> Self {
        let log = MemoryLog::new();
        let pacing = Pacing {
            clock: settings.clock,
            window_ms: 0,
            window_records: usize::MAX,
            commit_ms: 0,
            busy_commit_ms: 0,
            idle_commit_ms: 0,
            checkpoint_ms: settings.checkpoint_ms,
            ..Pacing::default()
        };
        let lanes = settings.lanes;
        Self {
            clock: Timestamp::MIN,
            market: Market::new(log.clone(), &settings),
            keepers: (0..lanes).map(|lane| Station::new(&log, lane, lanes, &settings.core, &pacing, PositionKeeper::default)).collect(),
            rebalancers: (0..lanes).map(|lane| Station::new(&log, lane, lanes, &settings.core, &pacing, Rebalancer::default)).collect(),
            routers: (0..lanes).map(|lane| Station::new(&log, lane, lanes, &settings.core, &pacing, PaperRouter::default)).collect(),
            trackers: (0..lanes)
                .map(|lane| Station::new(&log, lane, lanes, &settings.core, &pacing, PerformanceTracker::default))
                .collect(),
            heard: BTreeMap::new(),
            sent: 0,
            log,
            settings,
        }
    }

    /// The log.
    pub fn log(&self) -> &MemoryLog {
        &self.log
    }
    /// The lane of a portfolio.
    pub fn lane_of(&self, portfolio: &str) -> i32 {
        engine::partition::lane_of(portfolio.as_bytes(), self.settings.lanes)
    }
    /// Sets the machine's time: that of later appends, and of the lanes where they do not run by event time.
    pub fn set_clock(&mut self, now: Timestamp) {
        self.clock = now;
        self.log.set_clock(now);
    }

    /// Publishes an input as its sender would, with its event time.
    pub fn publish(&mut self, input: &Input, time: Timestamp) -> Result<(), ClusterError> {
        let partitions = if market::is_market(input) { self.settings.market_partitions } else { self.settings.lanes };
        self.sent += 1;
        self.log.append(input_message(input, time, "/ballast/inputs", &self.sent.to_string(), partitions)?);
        Ok(())
    }

    /// Gives every member its turn until nothing moves any more.
    pub fn run_until_quiet(&mut self) -> Result<(), ClusterError> {
        let mut quiet = 0;
        for _ in 0..MOST_ROUNDS {
            quiet = if self.round()? { 0 } else { quiet + 1 };
            if quiet == QUIET_ROUNDS {
                return Ok(());
            }
        }
        Err(ClusterError::Restless)
    }

    fn round(&mut self) -> Result<bool, ClusterError> {
        let clock = self.clock;
        let mut moved = self.market.turn()?;
        moved |= turns(&mut self.keepers, Member::PositionKeeper, clock)?;
        moved |= turns(&mut self.rebalancers, Member::Rebalancer, clock)?;
        moved |= turns(&mut self.routers, Member::PaperRouter, clock)?;
        moved |= turns(&mut self.trackers, Member::PerformanceTracker, clock)?;
        Ok(moved)
    }

    /// Kills a member at once, between two of its turns; it is recovered at its next one.
    pub fn kill(&mut self, member: Member, lane: i32) {
        match member {
            Member::Conflator => self.market.kill(),
            Member::PositionKeeper => station(&mut self.keepers, lane).kill(),
            Member::Rebalancer => station(&mut self.rebalancers, lane).kill(),
            Member::PaperRouter => station(&mut self.routers, lane).kill(),
            Member::PerformanceTracker => station(&mut self.trackers, lane).kill(),
        }
    }

    /// Lets a lane die at a later commit: `commits` of them still succeed. The conflator has none and dies at once.
    pub fn doom(&mut self, member: Member, lane: i32, commits: u32, death: Death) {
        match member {
            Member::Conflator => self.market.kill(),
            Member::PositionKeeper => station(&mut self.keepers, lane).doom(commits, death),
            Member::Rebalancer => station(&mut self.rebalancers, lane).doom(commits, death),
            Member::PaperRouter => station(&mut self.routers, lane).doom(commits, death),
            Member::PerformanceTracker => station(&mut self.trackers, lane).doom(commits, death),
        }
    }

    /// Every recovery after a kill so far, by member and lane.
    pub fn recoveries(&self) -> Vec<(Member, i32, Recovery)> {
        fn of<R: Role>(member: Member, stations: &[Station<R>]) -> impl Iterator<Item = (Member, i32, Recovery)> {
            stations.iter().flat_map(move |one| one.recoveries().iter().map(move |recovery| (member, one.lane(), *recovery)))
        }
        of(Member::PositionKeeper, &self.keepers)
            .chain(of(Member::Rebalancer, &self.rebalancers))
            .chain(of(Member::PaperRouter, &self.routers))
            .chain(of(Member::PerformanceTracker, &self.trackers))
            .collect()
    }

    /// Records that were appended since this was last asked, by the names of topics (those of dead letters too) and partition.
    pub fn news(&mut self) -> Vec<(SmolStr, i32, StoredRecord)> {
        let mut news = Vec::new();
        for (name, partition) in self.log.places() {
            let from = self.heard.entry((name.clone(), partition)).or_default();
            let records = self.log.read(&name, partition, *from);
            *from = records.last().map_or(*from, |record| record.offset + 1);
            news.extend(records.into_iter().map(|record| (name.clone(), partition, record)));
        }
        news
    }
}

fn turns<R: Role>(stations: &mut [Station<R>], member: Member, clock: Timestamp) -> Result<bool, ClusterError> {
    let mut moved = false;
    for station in stations {
        moved |= station.turn(clock).map_err(|halt| ClusterError::Halt { member, lane: station.lane(), halt })?;
    }
    Ok(moved)
}

fn station<R: Role>(stations: &mut [Station<R>], lane: i32) -> &mut Station<R> {
    let index = usize::try_from(lane).expect("lanes count from zero");
    stations.get_mut(index).expect("the lane is one of the cluster's")
}
