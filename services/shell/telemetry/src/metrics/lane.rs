//! What one lane of a role tells.
//!
//! Promises: a gauge is shown from the first call on, since not every role has what it counts; a lane that leaves takes
//! its series along.

use std::sync::Arc;

use super::cell::{Age, Counter, Gauge, Timer};
use super::families::Families;

/// The metrics of one lane of a role. Clones share the numbers.
#[derive(Debug, Clone)]
pub struct LaneMetrics {
    families: Arc<Families>,
    role: String,
    lane: String,
    /// Steps committed.
    pub steps: Arc<Counter>,
    /// Time to fold one window.
    pub window_duration: Arc<Timer>,
    /// Time to close one step.
    pub step_duration: Arc<Timer>,
    /// Time of one Kafka transaction.
    pub commit_latency: Arc<Timer>,
    /// Producers thrown away.
    pub producer_recycles: Arc<Counter>,
    /// Since the newest checkpoint.
    pub checkpoint_age: Arc<Age>,
    /// Bytes that the last checkpoint wrote.
    pub checkpoint_bytes: Arc<Gauge>,
    /// Time to save a checkpoint.
    pub checkpoint_duration: Arc<Timer>,
    /// Steps that no checkpoint holds.
    pub unsaved_steps: Arc<Gauge>,
    /// From assigned to live.
    pub recovery_duration: Arc<Timer>,
    /// Steps recomputed.
    pub replayed_steps: Arc<Counter>,
}

macro_rules! gauges {
    ($($(#[$doc:meta])+ $name:ident;)+) => {
        impl LaneMetrics {
            $($(#[$doc])+
            #[must_use]
            pub fn $name(&self) -> Arc<Gauge> {
                self.families.$name.with([&self.role, &self.lane])
            })+
        }
    };
}

gauges! {
    /// Records that wait.
    waiting_records;
    /// Seconds that the oldest of them has waited.
    oldest_waiting;
    /// Portfolios outside their bands.
    breached_portfolios;
    /// Rebalance cycles that are open.
    open_cycles;
    /// Orders past their deadline.
    stuck_orders;
    /// Orders that fills name and that are none of ours.
    strange_orders;
    /// Portfolios whose releases are off since a limit was met.
    latched_portfolios;
    /// Halts in force.
    halts;
    /// Instruments without a fresh price.
    stale_prices;
    /// Days that are not closed finally.
    unfinished_days;
    /// Portfolios that make no orders.
    quarantined_portfolios;
}

impl LaneMetrics {
    pub(super) fn new(families: &Arc<Families>, role: &str, lane: u32) -> Self {
        let f = families;
        let lane = lane.to_string();
        let at = [role, lane.as_str()];
        LaneMetrics {
            steps: f.steps.with(at),
            window_duration: f.window_duration.with(at),
            step_duration: f.step_duration.with(at),
            commit_latency: f.commit_latency.with(at),
            producer_recycles: f.producer_recycles.with(at),
            checkpoint_age: f.checkpoint_age.with(at),
            checkpoint_bytes: f.checkpoint_bytes.with(at),
            checkpoint_duration: f.checkpoint_duration.with(at),
            unsaved_steps: f.unsaved_steps.with(at),
            recovery_duration: f.recovery_duration.with(at),
            replayed_steps: f.replayed_steps.with(at),
            families: Arc::clone(f),
            role: role.to_owned(),
            lane,
        }
    }

    /// Age, in seconds, of the last record folded while others wait, else 0.
    #[must_use]
    pub fn lag_seconds(&self, topic: &str) -> Arc<Gauge> {
        self.families.lag_seconds.with([&self.role, topic, &self.lane])
    }

    /// Offsets between what was read of a topic and its end.
    #[must_use]
    pub fn lag_records(&self, topic: &str) -> Arc<Gauge> {
        self.families.lag_records.with([&self.role, topic, &self.lane])
    }

    /// Takes the lane's series away: it lives elsewhere now.
    pub fn retire(&self) {
        self.families.forget_lane(&self.role, &self.lane);
    }
}

/// How a lane stands in this process: one state at a time, until this is dropped.
#[derive(Debug)]
pub struct LaneState {
    families: Arc<Families>,
    role: String,
    lane: String,
}

impl LaneState {
    pub(super) fn new(families: &Arc<Families>, role: &str, lane: i32) -> Self {
        LaneState { families: Arc::clone(families), role: role.to_owned(), lane: lane.to_string() }
    }

    /// Begins to count the halts of each code with 0: a series that begins with its first event shows no rise.
    pub fn begin(&self, codes: &[&str]) {
        codes.iter().for_each(|code| self.families.lane_halts.with([&self.role, code]).add(0));
    }

    /// It recovers, is live, or waits.
    pub fn set(&self, state: &str) {
        self.show(state, "");
    }

    /// It is halted, for the reason of a code of the closed list.
    pub fn halt(&self, code: &str) {
        self.families.lane_halts.with([&self.role, code]).add(1);
        self.show("halted", code);
    }

    fn show(&self, state: &str, code: &str) {
        self.families.lane_state.forget_lane(&self.role, &self.lane);
        self.families.lane_state.with([&self.role, &self.lane, state, code]).set_count(1);
    }
}

impl Drop for LaneState {
    fn drop(&mut self) {
        self.families.lane_state.forget_lane(&self.role, &self.lane);
    }
}
