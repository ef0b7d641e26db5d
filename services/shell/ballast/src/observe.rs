//! What a lane's worker tells, as metrics and spans. Names stand in `telemetry`; nothing is decided here.

use crate::worker::backlog::Standing;
use crate::worker::observer::Observer;
use crate::worker::ports::{Polled, Saved};
use domain::Output;
use engine::Step;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;
use telemetry::{LaneMetrics, Metrics, RoleMetrics, StepFacts, Traceparent, step_span};

/// Spans kept open for steps that are not yet confirmed.
const OPEN_SPANS: usize = 64;

/// Listens to one lane.
pub struct LaneObserver {
    name: &'static str,
    lane: u32,
    role: RoleMetrics,
    metrics: LaneMetrics,
    recovery: Duration,
    spans: RefCell<BTreeMap<i64, tracing::Span>>,
}

impl LaneObserver {
    /// A listener for a lane whose recovery took so long.
    pub fn new(metrics: &Metrics, role: &'static str, lane: u32, recovery: Duration) -> Self {
        let (of_role, of_lane) = (metrics.role(role), metrics.lane(role, lane));
        Self { name: role, lane, role: of_role, metrics: of_lane, recovery, spans: RefCell::default() }
    }
}

impl Observer for LaneObserver {
    fn recovered(&self, step: i64, replayed: u64) {
        self.metrics.recovery_duration.observe(self.recovery);
        self.metrics.replayed_steps.add(replayed);
        let took_ms = u64::try_from(self.recovery.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(role = self.name, lane = self.lane, step, replayed, took_ms, "recovered");
    }

    fn window(&self, polled: &Polled<'_>, behind: bool) {
        for slice in polled.slices {
            self.role.records_in(slice.topic.name()).add(slice.records.len() as u64);
        }
        for (topic, standing) in polled.backlog.by_topic() {
            let lag = match standing {
                Standing::AtEnd => Duration::ZERO,
                Standing::ReadTo(append) => Duration::from_micros(u64::try_from(crate::clock::now().since(append)).unwrap_or(0)),
                Standing::Unread => continue,
            };
            self.metrics.lag_seconds(topic.name()).set(lag.as_secs_f64());
        }
        if behind {
            tracing::debug!(role = self.name, lane = self.lane, "behind its inputs: nothing that leaves the house is decided");
        }
    }

    fn step(&self, step: &Step) {
        self.metrics.steps.add(1);
        for record in &step.records {
            match record {
                Output::DeadLetter(letter) => {
                    self.role.dead_letters(letter.code.symbol()).add(1);
                    tracing::warn!(
                        topic = letter.topic.name(), partition = letter.partition, offset = letter.offset,
                        code = letter.code.symbol(), text = %letter.text, "dead letter"
                    );
                }
                other => self.role.outputs(other.topic().name()).add(1),
            }
        }
        if step.counts.duplicates > 0 {
            self.role.duplicates("all").add(step.counts.duplicates.unsigned_abs());
        }
        let traces: Vec<_> =
            step.outputs.iter().filter_map(|output| Traceparent::parse(output.traceparent.as_ref()?.as_bytes())).take(32).collect();
        let facts = StepFacts {
            role: self.name,
            lane: self.lane,
            step: step.begin.step.unsigned_abs(),
            windows: step.begin.windows.len(),
            records: step.counts.inputs.unsigned_abs(),
            replay: false,
        };
        let span = step_span(facts, &traces);
        span.record("outputs", step.outputs.len());
        let mut spans = self.spans.borrow_mut();
        if spans.len() < OPEN_SPANS {
            spans.insert(step.begin.step, span);
        }
    }

    fn confirmed(&self, step: i64, took: Duration) {
        self.metrics.commit_latency.observe(took);
        self.spans.borrow_mut().remove(&step);
    }

    fn saved(&self, saved: &Saved) {
        match saved {
            Saved::Kept { step, bytes } => {
                self.metrics.checkpoint_age.mark();
                self.metrics.checkpoint_bytes.set_count(*bytes as u64);
                tracing::debug!(role = self.name, lane = self.lane, step, bytes, "checkpoint kept");
            }
            Saved::Overtaken { newest } => {
                tracing::warn!(role = self.name, lane = self.lane, newest, "another checkpoint than the one expected is the newest");
            }
            Saved::Failed(error) => {
                tracing::warn!(role = self.name, lane = self.lane, %error, "the checkpoint was not kept; the next one holds all that it held");
            }
        }
    }
}
