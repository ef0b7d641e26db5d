//! What an ordinary run must have seen at least once: every fault, every way back, every life of a cycle that plays
//! can reach, and the reasons and refusals of an ordinary day. A rule whose plays never come to it is not tested.

use crate::coverage::Coverage;
use crate::faults::Fault;

/// Ways that lanes and their producers must have gone.
const BRANCHES: [&str; 14] = [
    "confirmed-by-progress",
    "conflator-begins-again",
    "fell-back-to-older-checkpoint",
    "lane-fenced",
    "lane-recovers-again",
    "late-end-decides",
    "late-end-does-nothing",
    "let-go-whole",
    "outputs-hang",
    "producer-fenced",
    "producer-recycled",
    "producer-troubled",
    "transaction-hangs",
    "waits-for-producer-before",
];
/// How recoveries must have gone.
const RECOVERIES: [&str; 3] = ["dangling", "nothing-to-replay", "replayed"];
/// Ends of saves.
const SAVES: [&str; 2] = ["kept", "overtaken"];
/// Edges of a cycle's life.
const CYCLES: [&str; 12] = [
    " → NO_ACTION_NEEDED",
    " → PENDING_APPROVAL",
    " → PROPOSED",
    " → REFUSED",
    " → RELEASED",
    "APPROVED → RELEASED",
    "PENDING_APPROVAL → APPROVED",
    "PENDING_APPROVAL → EXPIRED",
    "PENDING_APPROVAL → REJECTED",
    "RELEASED → COMPLETED",
    "RELEASED → FAILED",
    "RELEASED → STUCK",
];
/// Reasons of plans and refusals.
const REASONS: [&str; 26] = [
    "BACKLOG",
    "BELOW_MINIMUM_DEVIATION",
    "COOLDOWN",
    "DATA_GAP",
    "DO_NOT_BUY",
    "DO_NOT_SELL",
    "DRIFT_BUY",
    "DRIFT_SELL",
    "EDITED",
    "EXIT",
    "HALTED",
    "KILL_SWITCH",
    "MARKET_CLOSED",
    "NOTHING_TO_DO",
    "NOT_BREACHED",
    "NO_PRICE",
    "OPEN_CYCLE",
    "ORDER_FAILED",
    "ORDER_LIMIT",
    "POSITION_LIMIT",
    "PRICE_OUTLIER",
    "QUARANTINED",
    "STALE_PRICE",
    "TURNOVER_CAP",
    "UNRECONCILED",
    "WITHIN_BAND",
];
/// Why inputs are refused.
const LETTERS: [&str; 12] = [
    "DUPLICATE_CONFLICT",
    "FUTURE_TICK",
    "INVALID_ALLOCATION",
    "INVALID_COMMAND",
    "INVALID_POLICY",
    "INVALID_RECORD",
    "LATE_FILL",
    "LATE_REFERENCE",
    "OUT_OF_RANGE",
    "UNDECODABLE",
    "WAIT_EXCEEDED",
    "WRONG_LANE",
];

/// How far orders that leave in slices must have come.
const SLICES: [&str; 4] = ["first", "kept back", "next", "proposed"];
/// What must have been told of executions.
const EXECUTIONS: [&str; 2] = ["not told", "told"];
/// Whose records must have stood twice, so that whoever reads them had something to leave out.
const TWICE: [&str; 4] = ["portfolio.closes.v1", "portfolio.drift.v1", "portfolio.ledger.v1", "portfolio.snapshots.v1"];

/// What retention must have deleted, and what must have come of it.
const RETENTION: [&str; 6] = [
    "ballast.frames.v1",
    "ballast.paper-router.progress.v1",
    "ballast.performance-tracker.progress.v1",
    "ballast.position-keeper.progress.v1",
    "ballast.rebalancer.progress.v1",
    "replayed from a checkpoint",
];

/// Fails where something of it is missing.
pub fn assert_seen(coverage: &Coverage) {
    let faults = Fault::ALL.iter().map(|fault| ("fault", fault.name()));
    let lists: [(&str, &[&str]); 10] = [
        ("branch", &BRANCHES),
        ("recovery", &RECOVERIES),
        ("saved", &SAVES),
        ("cycle", &CYCLES),
        ("reason", &REASONS),
        ("dead-letter", &LETTERS),
        ("slices", &SLICES),
        ("execution", &EXECUTIONS),
        ("stands-twice", &TWICE),
        ("retention", &RETENTION),
    ];
    let rest = lists.iter().flat_map(|(kind, names)| names.iter().map(move |name| (*kind, *name)));
    let missing: Vec<_> = faults.chain(rest).filter(|(kind, name)| coverage.count(kind, name) == 0).collect();
    assert!(missing.is_empty(), "never seen: {missing:?}");
}
