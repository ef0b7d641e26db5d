//! The metrics that roles hold: typed, cheap to clone, an atomic each.
//!
//! Promises: recording never blocks on a reader and never fails; look-ups by label happen once, when
//! a role or a lane starts. When a lane leaves, [`LaneMetrics::retire`] takes its series away, so
//! that no dead lane shows a lag for ever. Does not define names: [`crate::names`] does.

mod bridge;
mod cell;
mod exposition;
mod family;
mod memory;

use std::sync::Arc;

use opentelemetry::metrics::Meter;

pub use cell::{Age, Counter, Gauge, Timer};

use crate::names;
use family::{Family, Source};

/// Every metric of this process.
#[derive(Debug, Clone)]
pub struct Metrics {
    families: Arc<Families>,
}

#[derive(Debug)]
struct Families {
    steps: Family<Counter, 2>,
    commit_latency: Family<Timer, 2>,
    producer_recycles: Family<Counter, 2>,
    records_in: Family<Counter, 2>,
    outputs: Family<Counter, 2>,
    duplicates: Family<Counter, 2>,
    dead_letters: Family<Counter, 2>,
    waiting_records: Family<Gauge, 2>,
    oldest_waiting: Family<Gauge, 2>,
    lag_seconds: Family<Gauge, 3>,
    checkpoint_age: Family<Age, 2>,
    checkpoint_bytes: Family<Gauge, 2>,
    checkpoint_duration: Family<Timer, 2>,
    recovery_duration: Family<Timer, 2>,
    replayed_steps: Family<Counter, 2>,
    open_cycles: Family<Gauge, 2>,
    stuck_orders: Family<Gauge, 2>,
    strange_orders: Family<Gauge, 2>,
    latched_portfolios: Family<Gauge, 2>,
    halts: Family<Gauge, 2>,
    stale_prices: Family<Gauge, 2>,
    unfinished_days: Family<Gauge, 2>,
    quarantined_portfolios: Family<Gauge, 2>,
    frames: Family<Counter, 1>,
    ticks_conflated: Family<Counter, 1>,
    ticks_held_back: Family<Counter, 1>,
    tick_frame_ratio: Family<Gauge, 1>,
    projector_lag_records: Family<Gauge, 2>,
    projector_lag_seconds: Family<Gauge, 2>,
    memory_rss: memory::Memory,
}

/// The metrics of one lane of a role. Clones share the numbers.
#[derive(Debug, Clone)]
pub struct LaneMetrics {
    families: Arc<Families>,
    role: String,
    lane: String,
    /// Steps committed.
    pub steps: Arc<Counter>,
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
    /// From assigned to live.
    pub recovery_duration: Arc<Timer>,
    /// Steps recomputed.
    pub replayed_steps: Arc<Counter>,
}

/// The metrics of a role that are not of one lane.
#[derive(Debug, Clone)]
pub struct RoleMetrics {
    families: Arc<Families>,
    role: String,
}

/// What a conflator tells of its frames.
#[derive(Debug, Clone)]
pub struct FrameMetrics {
    /// Frames written.
    pub frames: Arc<Counter>,
    /// Ticks folded into frames.
    pub ticks_conflated: Arc<Counter>,
    /// Ticks with a price that is not above zero.
    pub ticks_held_back: Arc<Counter>,
    /// Ticks for each changed price of the last frame.
    pub tick_frame_ratio: Arc<Gauge>,
}

impl Metrics {
    /// Metrics that are shown at `/metrics` alone.
    #[must_use]
    pub fn new() -> Self {
        Self::with_meter(None)
    }

    /// Metrics that an OpenTelemetry meter observes as well.
    pub(crate) fn with_meter(meter: Option<&Meter>) -> Self {
        let families = Arc::new(Families::new(meter));
        if let Some(meter) = meter {
            bridge::observe(meter, &families.sources());
        }
        Metrics { families }
    }

    /// The metrics of a role.
    #[must_use]
    pub fn role(&self, role: &str) -> RoleMetrics {
        RoleMetrics { role: role.to_owned(), families: Arc::clone(&self.families) }
    }

    /// The metrics of a role that makes frames.
    #[must_use]
    pub fn frames(&self, role: &str) -> FrameMetrics {
        let f = &self.families;
        FrameMetrics {
            frames: f.frames.with([role]),
            ticks_conflated: f.ticks_conflated.with([role]),
            ticks_held_back: f.ticks_held_back.with([role]),
            tick_frame_ratio: f.tick_frame_ratio.with([role]),
        }
    }

    /// The metrics of a role's lane; its series appear now, and go with [`LaneMetrics::retire`].
    #[must_use]
    pub fn lane(&self, role: &str, lane: u32) -> LaneMetrics {
        let f = &self.families;
        let lane = lane.to_string();
        let at = [role, lane.as_str()];
        LaneMetrics {
            steps: f.steps.with(at),
            commit_latency: f.commit_latency.with(at),
            producer_recycles: f.producer_recycles.with(at),
            checkpoint_age: f.checkpoint_age.with(at),
            checkpoint_bytes: f.checkpoint_bytes.with(at),
            checkpoint_duration: f.checkpoint_duration.with(at),
            recovery_duration: f.recovery_duration.with(at),
            replayed_steps: f.replayed_steps.with(at),
            families: Arc::clone(f),
            role: role.to_owned(),
            lane,
        }
    }

    /// Records of a topic's partition that are not in SQL yet.
    #[must_use]
    pub fn projector_lag_records(&self, topic: &str, partition: i32) -> Arc<Gauge> {
        let partition = partition.to_string();
        self.families.projector_lag_records.with([topic, &partition])
    }

    /// Age, in seconds, of what SQL shows of a topic's partition while others wait.
    #[must_use]
    pub fn projector_lag_seconds(&self, topic: &str, partition: i32) -> Arc<Gauge> {
        let partition = partition.to_string();
        self.families.projector_lag_seconds.with([topic, &partition])
    }

    /// Takes the projector's lag away: another process projects now, or none.
    pub fn forget_projector_lag(&self) {
        self.families.projector_lag_records.forget_where(|_| true);
        self.families.projector_lag_seconds.forget_where(|_| true);
    }

    /// Everything in the OpenMetrics text format.
    #[must_use]
    pub fn text(&self) -> String {
        exposition::text(self.families.sources())
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl RoleMetrics {
    /// Records read from a topic. Keep the handle on hot paths.
    #[must_use]
    pub fn records_in(&self, topic: &str) -> Arc<Counter> {
        self.families.records_in.with([&self.role, topic])
    }

    /// Records written to a topic.
    #[must_use]
    pub fn outputs(&self, topic: &str) -> Arc<Counter> {
        self.families.outputs.with([&self.role, topic])
    }

    /// Repeats in a topic.
    #[must_use]
    pub fn duplicates(&self, topic: &str) -> Arc<Counter> {
        self.families.duplicates.with([&self.role, topic])
    }

    /// Dead letters of a code. Give codes of the closed list only: each makes a series.
    #[must_use]
    pub fn dead_letters(&self, code: &str) -> Arc<Counter> {
        self.families.dead_letters.with([&self.role, code])
    }
}

impl LaneMetrics {
    /// Age, in seconds, of the last record folded while others wait, else 0.
    #[must_use]
    pub fn lag_seconds(&self, topic: &str) -> Arc<Gauge> {
        self.families.lag_seconds.with([&self.role, topic, &self.lane])
    }

    /// Records that wait; shown from the first call on, since not every role lets records wait.
    #[must_use]
    pub fn waiting_records(&self) -> Arc<Gauge> {
        self.families.waiting_records.with(self.at())
    }

    /// Seconds that the oldest of them has waited; shown from the first call on.
    #[must_use]
    pub fn oldest_waiting(&self) -> Arc<Gauge> {
        self.families.oldest_waiting.with(self.at())
    }

    /// Rebalance cycles that are open; shown from the first call on.
    #[must_use]
    pub fn open_cycles(&self) -> Arc<Gauge> {
        self.families.open_cycles.with(self.at())
    }

    /// Orders past their deadline; shown from the first call on.
    #[must_use]
    pub fn stuck_orders(&self) -> Arc<Gauge> {
        self.families.stuck_orders.with(self.at())
    }

    /// Orders that fills name and that are none of ours; shown from the first call on.
    #[must_use]
    pub fn strange_orders(&self) -> Arc<Gauge> {
        self.families.strange_orders.with(self.at())
    }
    /// Portfolios whose releases are off since a limit was met.
    pub fn latched_portfolios(&self) -> Arc<Gauge> {
        self.families.latched_portfolios.with(self.at())
    }

    /// Halts in force; shown from the first call on.
    #[must_use]
    pub fn halts(&self) -> Arc<Gauge> {
        self.families.halts.with(self.at())
    }

    /// Instruments without a fresh price; shown from the first call on.
    #[must_use]
    pub fn stale_prices(&self) -> Arc<Gauge> {
        self.families.stale_prices.with(self.at())
    }

    /// Days that are not closed finally; shown from the first call on.
    #[must_use]
    pub fn unfinished_days(&self) -> Arc<Gauge> {
        self.families.unfinished_days.with(self.at())
    }

    /// Portfolios that make no orders; shown from the first call on.
    #[must_use]
    pub fn quarantined_portfolios(&self) -> Arc<Gauge> {
        self.families.quarantined_portfolios.with(self.at())
    }

    fn at(&self) -> [&str; 2] {
        [&self.role, &self.lane]
    }

    /// Takes the lane's series away: it lives elsewhere now.
    pub fn retire(&self) {
        let f = &self.families;
        let at = self.at();
        f.steps.forget(at);
        f.commit_latency.forget(at);
        f.producer_recycles.forget(at);
        f.waiting_records.forget(at);
        f.oldest_waiting.forget(at);
        f.checkpoint_age.forget(at);
        f.checkpoint_bytes.forget(at);
        f.checkpoint_duration.forget(at);
        f.recovery_duration.forget(at);
        f.replayed_steps.forget(at);
        f.open_cycles.forget(at);
        f.stuck_orders.forget(at);
        f.strange_orders.forget(at);
        f.latched_portfolios.forget(at);
        f.halts.forget(at);
        f.stale_prices.forget(at);
        f.unfinished_days.forget(at);
        f.quarantined_portfolios.forget(at);
        let mine = |l: &[String; 3]| l[0] == self.role && l[2] == self.lane;
        f.lag_seconds.forget_where(mine);
    }
}

impl Families {
    fn new(meter: Option<&Meter>) -> Self {
        Families {
            steps: Family::new(&names::STEPS, meter),
            commit_latency: Family::new(&names::COMMIT_LATENCY, meter),
            producer_recycles: Family::new(&names::PRODUCER_RECYCLES, meter),
            records_in: Family::new(&names::RECORDS_IN, meter),
            outputs: Family::new(&names::OUTPUTS, meter),
            duplicates: Family::new(&names::DUPLICATES, meter),
            dead_letters: Family::new(&names::DEAD_LETTERS, meter),
            waiting_records: Family::new(&names::WAITING_RECORDS, meter),
            oldest_waiting: Family::new(&names::OLDEST_WAITING, meter),
            lag_seconds: Family::new(&names::LAG_SECONDS, meter),
            checkpoint_age: Family::new(&names::CHECKPOINT_AGE, meter),
            checkpoint_bytes: Family::new(&names::CHECKPOINT_BYTES, meter),
            checkpoint_duration: Family::new(&names::CHECKPOINT_DURATION, meter),
            recovery_duration: Family::new(&names::RECOVERY_DURATION, meter),
            replayed_steps: Family::new(&names::REPLAYED_STEPS, meter),
            open_cycles: Family::new(&names::OPEN_CYCLES, meter),
            stuck_orders: Family::new(&names::STUCK_ORDERS, meter),
            strange_orders: Family::new(&names::STRANGE_ORDERS, meter),
            latched_portfolios: Family::new(&names::LATCHED_PORTFOLIOS, meter),
            halts: Family::new(&names::HALTS, meter),
            stale_prices: Family::new(&names::STALE_PRICES, meter),
            unfinished_days: Family::new(&names::UNFINISHED_DAYS, meter),
            quarantined_portfolios: Family::new(&names::QUARANTINED_PORTFOLIOS, meter),
            frames: Family::new(&names::FRAMES, meter),
            ticks_conflated: Family::new(&names::TICKS_CONFLATED, meter),
            ticks_held_back: Family::new(&names::TICKS_HELD_BACK, meter),
            tick_frame_ratio: Family::new(&names::TICK_FRAME_RATIO, meter),
            projector_lag_records: Family::new(&names::PROJECTOR_LAG_RECORDS, meter),
            projector_lag_seconds: Family::new(&names::PROJECTOR_LAG_SECONDS, meter),
            memory_rss: memory::Memory,
        }
    }

    /// In the order of [`names::ALL`].
    fn sources(&self) -> Vec<Arc<dyn Source>> {
        vec![
            self.steps.source(),
            self.commit_latency.source(),
            self.producer_recycles.source(),
            self.records_in.source(),
            self.outputs.source(),
            self.duplicates.source(),
            self.dead_letters.source(),
            self.waiting_records.source(),
            self.oldest_waiting.source(),
            self.lag_seconds.source(),
            self.checkpoint_age.source(),
            self.checkpoint_bytes.source(),
            self.checkpoint_duration.source(),
            self.recovery_duration.source(),
            self.replayed_steps.source(),
            self.open_cycles.source(),
            self.stuck_orders.source(),
            self.strange_orders.source(),
            self.latched_portfolios.source(),
            self.halts.source(),
            self.stale_prices.source(),
            self.unfinished_days.source(),
            self.quarantined_portfolios.source(),
            self.frames.source(),
            self.ticks_conflated.source(),
            self.ticks_held_back.source(),
            self.tick_frame_ratio.source(),
            self.projector_lag_records.source(),
            self.projector_lag_seconds.source(),
            Arc::new(self.memory_rss),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_defined_metric_is_held_and_no_other() {
        let held: Vec<&str> = Families::new(None).sources().iter().map(|s| s.definition().name).collect();
        let defined: Vec<&str> = names::ALL.iter().map(|d| d.name).collect();
        assert_eq!(held, defined);
        let mut unique = defined.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), defined.len());
    }

    #[test]
    fn a_retired_lane_shows_nothing() {
        let metrics = Metrics::new();
        let lane = metrics.lane("position-keeper", 3);
        lane.lag_seconds("execution.fills.v1").set(9.5);
        lane.steps.add(2);
        assert!(!metrics.text().contains("ballast_stuck_orders{"), "a gauge that nobody has written shows no 0");
        lane.stuck_orders().set_count(4);
        let shown = metrics.text();
        assert!(shown.contains("ballast_steps_total{role=\"position-keeper\",lane=\"3\"} 2"));
        assert!(shown.contains("ballast_lag_seconds{role=\"position-keeper\",topic=\"execution.fills.v1\",lane=\"3\"} 9.5"));
        assert!(shown.contains("ballast_stuck_orders{role=\"position-keeper\",lane=\"3\"} 4"));
        lane.retire();
        assert!(!metrics.text().contains("lane=\"3\""));
    }
}
