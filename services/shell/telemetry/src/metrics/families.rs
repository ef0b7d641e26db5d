//! Every metric that roles write, one family each, in the order in which they are shown.
//!
//! Promises: a metric is named once here; what concerns a lane is found by its labels when the lane leaves. Does not
//! define names, and holds no numbers.

use std::sync::Arc;

use opentelemetry::metrics::Meter;

use super::cell::{Age, Counter, Gauge, Spread, Timer};
use super::family::{Family, Source};
use super::process::{BuildInfo, OpenFiles, Processor, ResidentMemory};
use crate::names;

macro_rules! families {
    ($($field:ident: $cell:ident, $labels:literal = $name:ident;)+) => {
        /// One family for each metric.
        #[derive(Debug)]
        pub(super) struct Families {
            $(pub(super) $field: Family<$cell, $labels>,)+
            pub(super) build: BuildInfo,
        }

        impl Families {
            /// Empty ones, which a meter observes as well.
            pub(super) fn new(meter: Option<&Meter>) -> Self {
                Families { $($field: Family::new(&names::$name, meter),)+ build: BuildInfo::default() }
            }

            /// In the order of [`names::ALL`].
            pub(super) fn sources(&self) -> Vec<Arc<dyn Source>> {
                let mut all: Vec<Arc<dyn Source>> = vec![$(self.$field.source(),)+];
                all.extend([Arc::new(ResidentMemory) as Arc<dyn Source>, Arc::new(Processor), Arc::new(OpenFiles)]);
                all.push(Arc::new(self.build.clone()));
                all
            }

            /// Takes away whatever is labelled with a role's lane.
            pub(super) fn forget_lane(&self, role: &str, lane: &str) {
                $(self.$field.forget_lane(role, lane);)+
            }
        }
    };
}

families! {
    steps: Counter, 2 = STEPS;
    commit_latency: Timer, 2 = COMMIT_LATENCY;
    producer_recycles: Counter, 2 = PRODUCER_RECYCLES;
    records_in: Counter, 2 = RECORDS_IN;
    outputs: Counter, 2 = OUTPUTS;
    duplicates: Counter, 2 = DUPLICATES;
    dead_letters: Counter, 2 = DEAD_LETTERS;
    waiting_records: Gauge, 2 = WAITING_RECORDS;
    oldest_waiting: Gauge, 2 = OLDEST_WAITING;
    lag_seconds: Gauge, 3 = LAG_SECONDS;
    checkpoint_age: Age, 2 = CHECKPOINT_AGE;
    checkpoint_bytes: Gauge, 2 = CHECKPOINT_BYTES;
    checkpoint_duration: Timer, 2 = CHECKPOINT_DURATION;
    recovery_duration: Timer, 2 = RECOVERY_DURATION;
    replayed_steps: Counter, 2 = REPLAYED_STEPS;
    open_cycles: Gauge, 2 = OPEN_CYCLES;
    stuck_orders: Gauge, 2 = STUCK_ORDERS;
    strange_orders: Gauge, 2 = STRANGE_ORDERS;
    latched_portfolios: Gauge, 2 = LATCHED_PORTFOLIOS;
    halts: Gauge, 2 = HALTS;
    stale_prices: Gauge, 2 = STALE_PRICES;
    unfinished_days: Gauge, 2 = UNFINISHED_DAYS;
    quarantined_portfolios: Gauge, 2 = QUARANTINED_PORTFOLIOS;
    frames: Counter, 1 = FRAMES;
    ticks_conflated: Counter, 1 = TICKS_CONFLATED;
    ticks_held_back: Counter, 1 = TICKS_HELD_BACK;
    tick_frame_ratio: Gauge, 1 = TICK_FRAME_RATIO;
    projector_lag_records: Gauge, 2 = PROJECTOR_LAG_RECORDS;
    projector_lag_seconds: Gauge, 2 = PROJECTOR_LAG_SECONDS;
    window_duration: Timer, 2 = WINDOW_DURATION;
    step_duration: Timer, 2 = STEP_DURATION;
    lag_records: Gauge, 3 = LAG_RECORDS;
    unsaved_steps: Gauge, 2 = UNSAVED_STEPS;
    lane_state: Gauge, 4 = LANE_STATE;
    lane_halts: Counter, 2 = LANE_HALTS;
    lanes: Gauge, 1 = LANES;
    group_changes: Counter, 2 = GROUP_CHANGES;
    post_held: Gauge, 1 = POST_HELD;
    breached_portfolios: Gauge, 2 = BREACHED_PORTFOLIOS;
    orders_released: Counter, 1 = ORDERS_RELEASED;
    cancels_requested: Counter, 0 = CANCELS_REQUESTED;
    rebalance_events: Counter, 2 = REBALANCE_EVENTS;
    rebalance_turnover: Spread, 0 = REBALANCE_TURNOVER;
    rebalance_cost: Spread, 0 = REBALANCE_COST;
    rebalance_slippage: Spread, 2 = REBALANCE_SLIPPAGE;
    orders_ended: Counter, 1 = ORDERS_ENDED;
    order_fill_duration: Timer, 0 = ORDER_FILL_DURATION;
    portfolios: Gauge, 0 = PORTFOLIOS;
    portfolio_conditions: Gauge, 1 = PORTFOLIO_CONDITIONS;
    outside_breaks: Gauge, 1 = OUTSIDE_BREAKS;
    pending_approvals: Gauge, 0 = PENDING_APPROVALS;
    oldest_approval: Gauge, 0 = OLDEST_APPROVAL;
    drift: Gauge, 1 = PORTFOLIO_DRIFT;
    gross: Gauge, 1 = PORTFOLIO_GROSS;
    net: Gauge, 1 = PORTFOLIO_NET;
    value_at_risk: Gauge, 1 = PORTFOLIO_VAR;
    day_return: Gauge, 1 = PORTFOLIO_DAY_RETURN;
    drawdown: Gauge, 1 = PORTFOLIO_DRAWDOWN;
    listed_value: Gauge, 2 = LISTED_VALUE;
    listed_ratio: Gauge, 2 = LISTED_RATIO;
    figures_age: Age, 0 = FIGURES_AGE;
}
