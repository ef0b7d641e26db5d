//! What a lane's worker tells, as metrics and spans. Names stand in `telemetry`; nothing is decided here.

mod execution;
mod overdue;

use crate::worker::backlog::{Backlog, Standing};
use crate::worker::observer::Observer;
use crate::worker::ports::{Polled, Saved};
use domain::reason::DeadLetterCode;
use domain::{Output, Timestamp, Topic};
use engine::waiting::Waiter;
use engine::{RecordRef, Role, Stats, Step};
use overdue::Overdue;
use rebalancer::Rebalancer;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use telemetry::metrics::Gauge;
use telemetry::{ExecutionMetrics, LaneMetrics, Metrics, RoleMetrics, StepFacts, Traceparent, step_span};

/// Between two looks at how a role's state stands.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Between two tellings of how far a lane stands behind its logs.
const TELL_EVERY: Duration = Duration::from_millis(50);
/// Spans kept open for steps that are not yet confirmed.
const OPEN_SPANS: usize = 64;

/// Begins with 0 what dashboards and alerts look at: a series that begins with its first event shows no rise. Repeats are
/// told of these topics.
pub fn begin(metrics: &RoleMetrics, topics: impl Iterator<Item = &'static str>) {
    DeadLetterCode::SYMBOLS.iter().filter(|code| **code != "UNKNOWN").for_each(|code| metrics.dead_letters(code).add(0));
    topics.for_each(|topic| metrics.duplicates(topic).add(0));
}

/// Listens to one lane.
pub struct LaneObserver {
    name: &'static str,
    lane: u32,
    role: RoleMetrics,
    metrics: LaneMetrics,
    execution: ExecutionMetrics,
    recovery: Duration,
    looked: Cell<Option<Instant>>,
    /// Orders of others that were last told of.
    strangers: Cell<usize>,
    /// Whether the lane stood at the ends of its logs when that was last told.
    at_end: Cell<bool>,
    /// When it was last told how far the lane stands behind.
    told: Cell<Option<Instant>>,
    overdue: RefCell<Overdue>,
    spans: RefCell<BTreeMap<i64, tracing::Span>>,
}

impl LaneObserver {
    /// A listener for a lane whose recovery took so long, and whose records may wait for so many seconds before
    /// the log names them.
    pub fn new<R: Role>(metrics: &Metrics, lane: u32, recovery: Duration, waiting_warn_seconds: u64) -> Self {
        let role = R::NAME;
        let (of_role, of_lane) = (metrics.role(role), metrics.lane(role, lane));
        let (looked, strangers, at_end, told, spans) =
            (Cell::new(None), Cell::new(0), Cell::new(false), Cell::new(None), RefCell::default());
        let overdue = RefCell::new(Overdue::after(waiting_warn_seconds));
        let execution = metrics.execution();
        if role == Rebalancer::NAME {
            execution::begin(&execution);
        }
        begin(&of_role, R::INPUTS.iter().map(|topic| topic.name()));
        Self { name: role, lane, role: of_role, metrics: of_lane, execution, recovery, looked, strangers, at_end, told, overdue, spans }
    }

    fn tell(&self, waiter: &Waiter, now: Timestamp) {
        let (topic, partition, offset) = waiter.place;
        let (seconds, behind) = (now.since(waiter.since) / 1_000_000, waiter.behind);
        tracing::warn!(
            role = self.name, lane = self.lane, topic = topic.name(), partition, offset, portfolio = waiter.portfolio.as_str(),
            seconds, behind, need = %waiter.need, "a record waits for what has not come: send that, or DISCARD the record"
        );
    }

    /// Once for each time that there are more of them.
    fn tell_of_strangers(&self, orders: usize) {
        if orders > self.strangers.replace(orders) {
            tracing::warn!(
                role = self.name,
                lane = self.lane,
                orders,
                "fills name orders that no known rebalance made: they are booked all the same; look who sends them"
            );
        }
    }
}

/// A lane that has left must not show an age that grows for ever.
impl Drop for LaneObserver {
    fn drop(&mut self) {
        self.metrics.retire();
    }
}

impl Observer for LaneObserver {
    fn turn(&self, now: Timestamp, look: &dyn Fn() -> (Stats, Vec<Waiter>)) {
        if self.looked.get().is_some_and(|looked| looked.elapsed() < LOOK_EVERY) {
            return;
        }
        self.looked.set(Some(Instant::now()));
        let ((stats, waiters), metrics) = (look(), &self.metrics);
        self.overdue.borrow_mut().news(waiters, now).iter().for_each(|waiter| self.tell(waiter, now));
        let show = |count: Option<usize>, gauge: fn(&LaneMetrics) -> Arc<Gauge>| {
            if let Some(count) = count {
                gauge(metrics).set_count(count as u64);
            }
        };
        show(stats.waiting_records, LaneMetrics::waiting_records);
        show(stats.oldest_waiting_seconds, LaneMetrics::oldest_waiting);
        show(stats.breached_portfolios, LaneMetrics::breached_portfolios);
        show(stats.open_cycles, LaneMetrics::open_cycles);
        show(stats.stuck_orders, LaneMetrics::stuck_orders);
        show(stats.strange_orders, LaneMetrics::strange_orders);
        self.tell_of_strangers(stats.strange_orders.unwrap_or_default());
        show(stats.latched_portfolios, LaneMetrics::latched_portfolios);
        show(stats.halts, LaneMetrics::halts);
        show(stats.stale_prices, LaneMetrics::stale_prices);
        show(stats.unfinished_days, LaneMetrics::unfinished_days);
        show(stats.quarantined_portfolios, LaneMetrics::quarantined_portfolios);
    }

    fn recovered(&self, step: i64, replayed: u64) {
        self.metrics.recovery_duration.observe(self.recovery);
        self.metrics.replayed_steps.add(replayed);
        let took_ms = u64::try_from(self.recovery.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(role = self.name, lane = self.lane, step, replayed, took_ms, "recovered");
    }

    fn reads(&self, backlog: &Backlog) {
        // A busy lane reads thousands of times a second; a quiet one does so often enough to tell soon.
        if self.told.get().is_some_and(|told| told.elapsed() < TELL_EVERY) {
            return;
        }
        self.told.set(Some(Instant::now()));
        for (topic, left) in backlog.left_by_topic() {
            self.metrics.lag_records(topic.name()).set_count(left.unsigned_abs());
        }
        // A lane that stays at the ends of its logs has said so.
        let at_end = backlog.standing() == Standing::AtEnd;
        if self.at_end.replace(at_end) && at_end {
            return;
        }
        for (topic, standing) in backlog.by_topic() {
            let lag = match standing {
                Standing::AtEnd => Duration::ZERO,
                Standing::ReadTo(append) => Duration::from_micros(u64::try_from(crate::clock::now().since(append)).unwrap_or(0)),
                Standing::Unread => continue,
            };
            self.metrics.lag_seconds(topic.name()).set(lag.as_secs_f64());
        }
    }

    fn window(&self, polled: &Polled<'_>, took: Duration, behind: bool, next: &dyn Fn(Topic, i32) -> i64) {
        self.metrics.window_duration.observe(took);
        for slice in polled.slices {
            // What was left over comes again, and counts then.
            let next = next(slice.topic, slice.partition);
            let folded = slice.records.partition_point(|record| record.offset() < next);
            self.role.records_in(slice.topic.name()).add(folded as u64);
        }
        if behind {
            tracing::debug!(role = self.name, lane = self.lane, "behind its inputs: nothing that leaves the house is decided");
        }
    }

    fn output(&self, output: &Output) {
        match output {
            Output::DeadLetter(letter) => {
                self.role.dead_letters(letter.code.symbol()).add(1);
                tracing::warn!(
                    topic = letter.topic.name(), partition = letter.partition, offset = letter.offset,
                    code = letter.code.symbol(), text = %letter.text, "dead letter"
                );
            }
            other => execution::count(&self.execution, other),
        }
    }

    fn step(&self, step: &Step, took: Duration) {
        self.metrics.steps.add(1);
        self.metrics.step_duration.observe(took);
        let mut outputs: BTreeMap<Topic, u64> = BTreeMap::new();
        for output in step.outputs.iter().filter(|output| output.dead_letter.is_none()) {
            *outputs.entry(output.topic).or_default() += 1;
        }
        outputs.into_iter().for_each(|(topic, count)| self.role.outputs(topic.name()).add(count));
        step.known.iter().for_each(|(topic, count)| self.role.duplicates(topic.name()).add(count.unsigned_abs()));
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

    fn confirmed(&self, step: i64, took: Duration, recycled: bool) {
        self.metrics.commit_latency.observe(took);
        self.metrics.producer_recycles.add(u64::from(recycled));
        self.spans.borrow_mut().remove(&step);
    }

    fn unsaved(&self, steps: i64) {
        self.metrics.unsaved_steps.set_count(u64::try_from(steps).unwrap_or(0));
    }

    fn saved(&self, saved: &Saved) {
        match saved {
            Saved::Kept { step, bytes, took } => {
                self.metrics.checkpoint_age.mark();
                self.metrics.checkpoint_duration.observe(*took);
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

#[cfg(test)]
mod tests {
    use super::*;
    use position_keeper::PositionKeeper;

    fn observed(metrics: &Metrics) -> LaneObserver {
        LaneObserver::new::<PositionKeeper>(metrics, 2, Duration::from_millis(10), 60)
    }

    fn shows(metrics: &Metrics, line: &str) -> bool {
        metrics.text().lines().any(|shown| shown == line)
    }

    #[test]
    fn what_may_be_counted_is_shown_before_it_is() {
        let metrics = Metrics::new();
        let observer = observed(&metrics);
        assert!(shows(&metrics, "ballast_duplicates_total{role=\"position-keeper\",topic=\"execution.fills.v1\"} 0"), "{}", metrics.text());
        assert!(shows(&metrics, "ballast_dead_letters_total{role=\"position-keeper\",code=\"UNDECODABLE\"} 0"), "{}", metrics.text());
        drop(observer);
    }

    #[test]
    fn how_the_state_stands_is_asked_for_once_a_second_and_shown_where_it_has_such_a_thing() {
        let metrics = Metrics::new();
        let observer = observed(&metrics);
        let asked = Cell::new(0);
        for _ in 0..100 {
            observer.turn(Timestamp::default(), &|| {
                asked.set(asked.get() + 1);
                let of_waiting = Stats { waiting_records: Some(3), oldest_waiting_seconds: Some(75), ..Stats::default() };
                let stats = Stats { quarantined_portfolios: Some(1), stale_prices: Some(0), strange_orders: Some(3), ..of_waiting };
                (stats, Vec::new())
            });
        }
        assert_eq!(asked.get(), 1);
        assert!(shows(&metrics, "ballast_quarantined_portfolios{role=\"position-keeper\",lane=\"2\"} 1.0"), "{}", metrics.text());
        assert!(shows(&metrics, "ballast_stale_prices{role=\"position-keeper\",lane=\"2\"} 0.0"), "{}", metrics.text());
        assert!(shows(&metrics, "ballast_oldest_waiting_seconds{role=\"position-keeper\",lane=\"2\"} 75.0"), "{}", metrics.text());
        assert!(shows(&metrics, "ballast_strange_orders{role=\"position-keeper\",lane=\"2\"} 3.0"), "{}", metrics.text());
        assert!(!metrics.text().contains("ballast_open_cycles{"), "a position-keeper has no cycles");
    }

    #[test]
    fn lost_producers_and_the_time_of_checkpoints_are_counted() {
        let metrics = Metrics::new();
        let observer = observed(&metrics);
        observer.confirmed(1, Duration::from_millis(5), false);
        observer.confirmed(2, Duration::from_secs(3), true);
        observer.saved(&Saved::Kept { step: 2, bytes: 100, took: Duration::from_millis(40) });
        assert!(shows(&metrics, "ballast_producer_recycles_total{role=\"position-keeper\",lane=\"2\"} 1"), "{}", metrics.text());
        assert!(shows(&metrics, "ballast_checkpoint_duration_seconds_count{role=\"position-keeper\",lane=\"2\"} 1"), "{}", metrics.text());
    }

    #[test]
    fn a_lane_that_has_left_shows_nothing() {
        let metrics = Metrics::new();
        let observer = observed(&metrics);
        assert!(metrics.text().contains("ballast_checkpoint_age_seconds{"));
        drop(observer);
        assert!(!metrics.text().contains("lane=\"2\""), "{}", metrics.text());
    }
}
