//! The metrics that roles hold: typed, cheap to clone, an atomic each.
//!
//! Promises: recording never blocks on a reader and never fails; look-ups by label happen once, when
//! a role or a lane starts. When a lane leaves, [`LaneMetrics::retire`] takes its series away, so
//! that no dead lane shows a lag for ever. Does not define names: [`crate::names`] does.

mod bridge;
mod cell;
mod execution;
mod exposition;
mod families;
mod family;
mod lane;
mod portfolios;
mod process;
mod role;

use std::sync::Arc;

use opentelemetry::metrics::Meter;

pub use cell::{Age, Counter, Gauge, Spread, Timer};
pub use execution::ExecutionMetrics;
pub use lane::{LaneMetrics, LaneState};
pub use portfolios::{Figure, PortfolioMetrics, QUANTILES};
pub use role::{FrameMetrics, RoleMetrics};

use families::Families;

/// Every metric of this process.
#[derive(Debug, Clone)]
pub struct Metrics {
    families: Arc<Families>,
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

    /// Names the build that runs: its version, and the version of its rules.
    pub fn name_build(&self, version: &str, rules: i32) {
        self.families.build.name(version, rules);
    }

    /// The metrics of a role.
    #[must_use]
    pub fn role(&self, role: &str) -> RoleMetrics {
        RoleMetrics::new(&self.families, role)
    }

    /// The metrics of a role that makes frames.
    #[must_use]
    pub fn frames(&self, role: &str) -> FrameMetrics {
        FrameMetrics::new(&self.families, role)
    }

    /// The metrics of a role's lane; its series appear now, and go with [`LaneMetrics::retire`].
    #[must_use]
    pub fn lane(&self, role: &str, lane: u32) -> LaneMetrics {
        LaneMetrics::new(&self.families, role, lane)
    }

    /// What shows how a role's lane stands in this process; gone when it is dropped.
    #[must_use]
    pub fn lane_state(&self, role: &str, lane: i32) -> LaneState {
        LaneState::new(&self.families, role, lane)
    }

    /// What is told of orders and rebalances.
    #[must_use]
    pub fn execution(&self) -> ExecutionMetrics {
        ExecutionMetrics::new(&self.families)
    }

    /// What is told of portfolios as SQL shows them.
    #[must_use]
    pub fn portfolios(&self) -> PortfolioMetrics {
        PortfolioMetrics::new(&self.families)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names;

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
        lane.lag_records("execution.fills.v1").set_count(7);
        let shown = metrics.text();
        assert!(shown.contains("ballast_steps_total{role=\"position-keeper\",lane=\"3\"} 2"));
        assert!(shown.contains("ballast_lag_seconds{role=\"position-keeper\",topic=\"execution.fills.v1\",lane=\"3\"} 9.5"));
        assert!(shown.contains("ballast_stuck_orders{role=\"position-keeper\",lane=\"3\"} 4"));
        let state = metrics.lane_state("position-keeper", 4);
        state.begin(&["GENESIS"]);
        assert!(metrics.text().contains("ballast_lane_halts_total{role=\"position-keeper\",code=\"GENESIS\"} 0"), "{}", metrics.text());
        state.set("recovering");
        state.halt("GENESIS");
        assert!(metrics.text().contains("lane=\"4\",state=\"halted\",code=\"GENESIS\"} 1"), "{}", metrics.text());
        assert!(!metrics.text().contains("state=\"recovering\""), "one state at a time");
        drop(state);
        assert!(!metrics.text().contains("lane=\"4\""));
        assert!(metrics.text().contains("ballast_lane_halts_total{role=\"position-keeper\",code=\"GENESIS\"} 1"), "a count stays");
        lane.retire();
        assert!(!metrics.text().contains("lane=\"3\""));
    }
}
