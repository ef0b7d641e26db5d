//! What a seed plays: how many processes and lanes, by which settings and at which pace, for how long, and all that
//! comes from outside.

use crate::chance::Chance;
use crate::faults::Mix;
use crate::inputs::{Timed, inputs};
use ballast::worker::pacing::Pacing;
use engine::Settings;
use std::collections::BTreeSet;
use std::time::Duration;

/// What is played.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Processes, each of which may have any lane of any role.
    pub processes: usize,
    /// Lanes, and partitions of every topic.
    pub lanes: i32,
    /// Whether the paper router fills orders; else somebody outside does.
    pub with_router: bool,
    /// Whether faults stop in the end, so that all must come to rest.
    pub calms_down: bool,
    /// Settings of the core.
    pub core: Settings,
    /// The pace of lanes.
    pub pacing: Pacing,
    /// How long things come from outside.
    pub active: Duration,
    /// What comes, in the order of its moments.
    pub inputs: Vec<Timed>,
}

impl Scenario {
    /// The scenario of a seed, without some of its inputs.
    pub fn of(chance: &Chance, mix: &Mix, left_out: &BTreeSet<usize>) -> Self {
        let lanes = if chance.below("lanes", 3) == 0 { 2 } else { 1 };
        let active = Duration::from_secs(chance.between("active", 6, 30));
        let inputs = inputs(chance, mix, active, lanes);
        let inputs = inputs.into_iter().enumerate().filter(|(number, _)| !left_out.contains(number)).map(|(_, timed)| timed).collect();
        Self {
            processes: usize::try_from(chance.between("processes", 1, 3)).expect("a few"),
            lanes,
            with_router: chance.below("with-router", 2) == 0,
            calms_down: chance.below("calms-down", 3) > 0,
            core: core(chance),
            pacing: pacing(chance),
            active,
            inputs,
        }
    }
}

fn core(chance: &Chance) -> Settings {
    let often = |name, of| chance.below(name, of) == 0;
    Settings {
        snapshot_interval_ms: *chance.pick("core.snapshots", &[0, 200, 1000]),
        dedup_trade_dates: *chance.pick("core.dates", &[1, 2, 10]),
        waiting_limit: if often("core.waiting.small", 4) { 5 } else { 10_000 },
        waiting_portfolio_limit: if often("core.waiting.portfolio.small", 4) { 3 } else { 2_500 },
        cancel_seconds: i64::try_from(chance.between("core.cancel", 5, 20)).expect("a few"),
        ledger_bytes: if often("core.ledger.small", 6) { 2_000 } else { engine::settings::MAX_LEDGER_BYTES },
        paper_delay_ms: *chance.pick("core.paper.delay", &[0, 500, 4_000]),
        paper_reject_bp: *chance.pick("core.paper.reject", &[0, 0, 3_000]),
        paper_partial_bp: *chance.pick("core.paper.partial", &[0, 5_000]),
        paper_fee_bp: *chance.pick("core.paper.fee", &[0, 10]),
        paper_seed: chance.roll("core.paper.seed"),
        ..Settings::default()
    }
}

fn pacing(chance: &Chance) -> Pacing {
    let commit_ms = *chance.pick("pacing.commit", &[0, 25, 200]);
    Pacing {
        window_ms: *chance.pick("pacing.window", &[20, 50, 200]),
        window_records: *chance.pick("pacing.records", &[1, 3, 20, 20_000]),
        commit_ms,
        busy_commit_ms: commit_ms * 4,
        idle_commit_ms: *chance.pick("pacing.idle", &[50, 1_000]),
        step_windows: *chance.pick("pacing.windows", &[1, 4, 500]),
        checkpoint_ms: *chance.pick("pacing.checkpoint", &[100, 1_000, 5_000, 1_000_000]),
        max_replay_steps: *chance.pick("pacing.replay", &[20, 200_000]),
        ..Pacing::default()
    }
}
