//! Every metric: name, unit, meaning, labels. The only place where a metric's name is written, with its two files.
//!
//! Promises: the same name at `/metrics` and over OTLP (Prometheus adds `_total` to counters). A name
//! ends in its unit where it has one.

mod execution;
mod portfolios;

pub use execution::*;
pub use portfolios::*;

/// What kind of number a metric is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Only rises.
    Counter,
    /// Goes up and down.
    Gauge,
    /// By bucket; the bounds are in millionths of the unit.
    Histogram(&'static [u64]),
}

/// One metric.
#[derive(Debug, PartialEq)]
pub struct Definition {
    /// Name.
    pub name: &'static str,
    /// Unit, as OpenTelemetry writes it (UCUM).
    pub unit: &'static str,
    /// What it means, and what to do when it is bad.
    pub help: &'static str,
    /// Kind.
    pub kind: Kind,
    /// Labels, in order.
    pub labels: &'static [&'static str],
}

const fn counter(name: &'static str, unit: &'static str, labels: &'static [&'static str], help: &'static str) -> Definition {
    Definition { name, unit, help, kind: Kind::Counter, labels }
}

const fn gauge(name: &'static str, unit: &'static str, labels: &'static [&'static str], help: &'static str) -> Definition {
    Definition { name, unit, help, kind: Kind::Gauge, labels }
}

const fn histogram(
    name: &'static str,
    unit: &'static str,
    bounds: &'static [u64],
    labels: &'static [&'static str],
    help: &'static str,
) -> Definition {
    Definition { name, unit, help, kind: Kind::Histogram(bounds), labels }
}

/// Kafka transactions: 1 ms to 10 s, fine around the 4–30 ms of a healthy one.
const COMMIT_MICROS: &[u64] = &[
    1_000, 2_000, 4_000, 6_000, 8_000, 10_000, 15_000, 20_000, 30_000, 50_000, 75_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    10_000_000,
];
/// Checkpoints and recoveries: 10 ms to 10 minutes.
const SLOW_MICROS: &[u64] = &[
    10_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    1_500_000,
    2_500_000,
    5_000_000,
    10_000_000,
    30_000_000,
    60_000_000,
    300_000_000,
    600_000_000,
];

/// What the machine computes by itself: 10 µs to 1 s.
const FAST_MICROS: &[u64] = &[10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000];

/// Steps committed.
pub const STEPS: Definition = counter("ballast_steps", "{step}", &["role", "lane"], "Steps committed");
/// Time from begin to committed.
pub const COMMIT_LATENCY: Definition = histogram(
    "ballast_commit_latency_seconds",
    "s",
    COMMIT_MICROS,
    &["role", "lane"],
    "Time of one Kafka transaction, from begin to committed",
);
/// Producers thrown away and made anew.
pub const PRODUCER_RECYCLES: Definition = counter(
    "ballast_producer_recycles",
    "{producer}",
    &["role", "lane"],
    "Transactional producers thrown away after a failed or slow commit; steady growth means a sick broker or network",
);
/// Records read.
pub const RECORDS_IN: Definition = counter("ballast_records_in", "{record}", &["role", "topic"], "Records read, repeats included");
/// Records written.
pub const OUTPUTS: Definition = counter("ballast_outputs", "{record}", &["role", "topic"], "Records written in committed transactions");
/// Records recognised as repeats.
pub const DUPLICATES: Definition =
    counter("ballast_duplicates", "{record}", &["role", "topic"], "Records recognised as repeats and left without effect");
/// Records refused, by code.
pub const DEAD_LETTERS: Definition = counter(
    "ballast_dead_letters",
    "{record}",
    &["role", "code"],
    "Records sent to a dead-letter topic, by code; each code has a runbook page",
);
/// Records that wait for their instrument, policy, rate or execution.
pub const WAITING_RECORDS: Definition =
    gauge("ballast_waiting_records", "{record}", &["role", "lane"], "Records that wait for their instrument, policy, rate or execution");
/// Age of the oldest of them.
pub const OLDEST_WAITING: Definition = gauge(
    "ballast_oldest_waiting_seconds",
    "s",
    &["role", "lane"],
    "Time since the oldest record that waits came, else 0; the log names it and what it waits for: send that, or DISCARD it",
);
/// Age of the last record folded while others wait.
pub const LAG_SECONDS: Definition =
    gauge("ballast_lag_seconds", "s", &["role", "topic", "lane"], "Age of the last record folded while others wait, else 0");
/// Age of the newest checkpoint.
pub const CHECKPOINT_AGE: Definition = gauge(
    "ballast_checkpoint_age_seconds",
    "s",
    &["role", "lane"],
    "Time since the newest checkpoint was saved; it grows while Postgres is away",
);
/// Size of the last checkpoint.
pub const CHECKPOINT_BYTES: Definition =
    gauge("ballast_checkpoint_bytes", "By", &["role", "lane"], "Compressed bytes that the last checkpoint wrote");
/// Time to save a checkpoint.
pub const CHECKPOINT_DURATION: Definition = histogram(
    "ballast_checkpoint_duration_seconds",
    "s",
    SLOW_MICROS,
    &["role", "lane"],
    "Time from handing a checkpoint over until Postgres has it",
);
/// Time from assigned to live.
pub const RECOVERY_DURATION: Definition =
    histogram("ballast_recovery_duration_seconds", "s", SLOW_MICROS, &["role", "lane"], "Time of a lane from assigned to live");
/// Steps recomputed in recovery.
pub const REPLAYED_STEPS: Definition =
    counter("ballast_replayed_steps", "{step}", &["role", "lane"], "Steps recomputed and compared in recovery");
/// Rebalance cycles that are open.
pub const OPEN_CYCLES: Definition = gauge("ballast_open_cycles", "{cycle}", &["role", "lane"], "Rebalance cycles that are open");
/// Orders without a terminal state past their deadline.
pub const STUCK_ORDERS: Definition = gauge(
    "ballast_stuck_orders",
    "{order}",
    &["role", "lane"],
    "Orders without a terminal state past their deadline; above 0 an operator has to reconcile",
);
/// Orders that fills name and that are none of ours.
pub const STRANGE_ORDERS: Definition = gauge(
    "ballast_strange_orders",
    "{order}",
    &["role", "lane"],
    "Orders that booked fills of late name, and that no known rebalance made: look who sends them",
);
/// Portfolios whose releases are off since a limit was met.
pub const LATCHED_PORTFOLIOS: Definition = gauge(
    "ballast_latched_portfolios",
    "{portfolio}",
    &["role", "lane"],
    "Portfolios whose releases are off because they met a limit of a day or a minute; above 0 a person has to RESUME them",
);
/// Halts in force.
pub const HALTS: Definition = gauge(
    "ballast_halts",
    "{halt}",
    &["role", "lane"],
    "Halts in force in the lane, each of a scope and its target: one of the firm counts in every lane; a RESUME of the same scope and target ends it",
);
/// Held or targeted instruments without a fresh price.
pub const STALE_PRICES: Definition = gauge(
    "ballast_stale_prices",
    "{instrument}",
    &["role", "lane"],
    "Held or targeted instruments whose price is older than it may be, or missing",
);
/// Days that are not closed finally.
pub const UNFINISHED_DAYS: Definition = gauge(
    "ballast_unfinished_days",
    "{day}",
    &["role", "lane"],
    "Days of portfolios that were cut and are not closed yet, or are closed provisionally; of each portfolio the newest ten",
);
/// Portfolios that make no orders until released.
pub const QUARANTINED_PORTFOLIOS: Definition = gauge(
    "ballast_quarantined_portfolios",
    "{portfolio}",
    &["role", "lane"],
    "Portfolios that make no orders until an operator releases them",
);
/// Frames written.
pub const FRAMES: Definition = counter("ballast_frames", "{frame}", &["role"], "Frames written");
/// Ticks folded into frames.
pub const TICKS_CONFLATED: Definition = counter("ballast_ticks_conflated", "{tick}", &["role"], "Ticks read and folded into frames");
/// Ticks with a field that is not above zero.
pub const TICKS_HELD_BACK: Definition = counter(
    "ballast_ticks_held_back",
    "{tick}",
    &["role"],
    "Ticks with a field that is not above zero; where it is the chosen price it is flagged HELD until another comes",
);
/// Ticks per changed price of the last frame.
pub const TICK_FRAME_RATIO: Definition =
    gauge("ballast_tick_frame_ratio", "1", &["role"], "Ticks folded for each changed price of the last frame; how much conflation saves");
/// Records not projected yet.
pub const PROJECTOR_LAG_RECORDS: Definition =
    gauge("ballast_projector_lag_records", "{record}", &["topic", "partition"], "Committed records that are not in SQL yet");
/// Age of what SQL shows.
pub const PROJECTOR_LAG_SECONDS: Definition =
    gauge("ballast_projector_lag_seconds", "s", &["topic", "partition"], "Age of the last record in SQL while others wait, else 0");
/// Time to fold one window.
pub const WINDOW_DURATION: Definition = histogram(
    "ballast_window_duration_seconds",
    "s",
    FAST_MICROS,
    &["role", "lane"],
    "Time to fold one window of records into the state and decide on it",
);
/// Time to close one step.
pub const STEP_DURATION: Definition = histogram(
    "ballast_step_duration_seconds",
    "s",
    FAST_MICROS,
    &["role", "lane"],
    "Time to close one step: its outputs are made, written as bytes, digested and counted",
);
/// Records of an input that were not read yet.
pub const LAG_RECORDS: Definition = gauge(
    "ballast_lag_records",
    "{record}",
    &["role", "topic", "lane"],
    "Offsets between what the lane has read of an input and its end as the broker said it last, transaction markers counted; 0 at the end",
);
/// Steps that no checkpoint holds.
pub const UNSAVED_STEPS: Definition = gauge(
    "ballast_unsaved_steps",
    "{step}",
    &["role", "lane"],
    "Committed steps that no checkpoint holds: what a recovery would compute again; at pacing.max_replay_steps the lane stops reading",
);
/// How a lane of this process stands.
pub const LANE_STATE: Definition = gauge(
    "ballast_lane_state",
    "{lane}",
    &["role", "lane", "state", "code"],
    "1 for the state in which a lane of this process is: recovering, live, waiting, or halted with the code of its halt",
);
/// Lanes that halted, by code.
pub const LANE_HALTS: Definition = counter(
    "ballast_lane_halts",
    "{halt}",
    &["role", "code"],
    "Times that a lane of this process came to a halt that does not pass, by code; each code has a runbook page",
);
/// Lanes that the role has.
pub const LANES: Definition = gauge(
    "ballast_lanes",
    "{lane}",
    &["role"],
    "Lanes that the role has in the whole deployment, as configured: each must be live in some process",
);
/// Lanes that the group gave or took.
pub const GROUP_CHANGES: Definition = counter(
    "ballast_group_changes",
    "{lane}",
    &["role", "change"],
    "Lanes that the consumer group has assigned to this process, revoked from it, or that it lost",
);
/// Whether this process does the work of a role that one does.
pub const POST_HELD: Definition = gauge(
    "ballast_post_held",
    "1",
    &["role"],
    "1 while this process does the work of a role that one process does (conflator, projector), 0 while it stands by",
);
/// Portfolios outside their bands.
pub const BREACHED_PORTFOLIOS: Definition = gauge(
    "ballast_breached_portfolios",
    "{portfolio}",
    &["role", "lane"],
    "Portfolios with an open breach: a line, a group or cash has left its band and not all are back",
);
/// Memory of this process.
pub const MEMORY_RSS: Definition = gauge("process_resident_memory_bytes", "By", &[], "Resident memory of this process");

/// Processor time of this process.
pub const CPU: Definition = counter("process_cpu_seconds", "s", &[], "Processor time of this process, of users and system");
/// Open files of this process.
pub const OPEN_FDS: Definition = gauge("process_open_fds", "{file}", &[], "Files and sockets that this process has open");
/// Which build this is.
pub const BUILD_INFO: Definition =
    gauge("ballast_build_info", "1", &["version", "rules"], "1 for the build that runs: its version, and the version of its rules");

/// Every metric, in the order in which they are shown.
pub const ALL: &[&Definition] = &[
    &STEPS,
    &COMMIT_LATENCY,
    &PRODUCER_RECYCLES,
    &RECORDS_IN,
    &OUTPUTS,
    &DUPLICATES,
    &DEAD_LETTERS,
    &WAITING_RECORDS,
    &OLDEST_WAITING,
    &LAG_SECONDS,
    &CHECKPOINT_AGE,
    &CHECKPOINT_BYTES,
    &CHECKPOINT_DURATION,
    &RECOVERY_DURATION,
    &REPLAYED_STEPS,
    &OPEN_CYCLES,
    &STUCK_ORDERS,
    &STRANGE_ORDERS,
    &LATCHED_PORTFOLIOS,
    &HALTS,
    &STALE_PRICES,
    &UNFINISHED_DAYS,
    &QUARANTINED_PORTFOLIOS,
    &FRAMES,
    &TICKS_CONFLATED,
    &TICKS_HELD_BACK,
    &TICK_FRAME_RATIO,
    &PROJECTOR_LAG_RECORDS,
    &PROJECTOR_LAG_SECONDS,
    &WINDOW_DURATION,
    &STEP_DURATION,
    &LAG_RECORDS,
    &UNSAVED_STEPS,
    &LANE_STATE,
    &LANE_HALTS,
    &LANES,
    &GROUP_CHANGES,
    &POST_HELD,
    &BREACHED_PORTFOLIOS,
    &ORDERS_RELEASED,
    &CANCELS_REQUESTED,
    &REBALANCE_EVENTS,
    &REBALANCE_TURNOVER,
    &REBALANCE_COST,
    &REBALANCE_SLIPPAGE,
    &ORDERS_ENDED,
    &ORDER_FILL_DURATION,
    &PORTFOLIOS,
    &PORTFOLIO_CONDITIONS,
    &OUTSIDE_BREAKS,
    &PENDING_APPROVALS,
    &OLDEST_APPROVAL,
    &PORTFOLIO_DRIFT,
    &PORTFOLIO_GROSS,
    &PORTFOLIO_NET,
    &PORTFOLIO_VAR,
    &PORTFOLIO_DAY_RETURN,
    &PORTFOLIO_DRAWDOWN,
    &LISTED_VALUE,
    &LISTED_RATIO,
    &FIGURES_AGE,
    &MEMORY_RSS,
    &CPU,
    &OPEN_FDS,
    &BUILD_INFO,
];
