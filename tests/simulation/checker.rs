//! Whether a play came out right: the model of `ballast verify`, which shares no code with the engine, on what is
//! committed; the replay of every step; and, after a calm, whether everything has come to rest.

use crate::coverage::Coverage;
use crate::store::last_done;
use crate::world::World;
use ballast::commands::verify::replayed::{Replayed, replayed};
use ballast::memory::MemoryPast;
use ballast::verify::{Checkpoint, Given, Report, SeenRecord, verify};
use ballast::worker::Target;
use domain::enums::RebalanceStatus;
use domain::order::Order;
use domain::progress::Progress;
use domain::rebalance_event::RebalanceEvent;
use domain::{Output, PortfolioId, SmolStr, Topic};
use engine::Role;
use engine::repeats::{INDEX, SOURCE, STEP};
use paper_router::PaperRouter;
use performance_tracker::PerformanceTracker;
use position_keeper::PositionKeeper;
use rebalancer::Rebalancer;
use rebalancer::cycle::opening::FAULT_OF_THE_PLANNER;
use std::collections::{BTreeMap, BTreeSet};

/// Seconds within which a cycle must move on: until its orders must have ended, been asked back and given up.
const OPEN_FOR: i64 = 50;

/// Judges a play that has ended.
pub fn check(world: &World) {
    if !world.wrongs.borrow().is_empty() || world.taken_back.get() {
        return;
    }
    let report = judged(world);
    // What a marker hides that was lost, the next owner of its lane brings to light: where there is none, nothing
    // can be said of what is seen.
    let hidden = !world.scenario.calms_down && hides(world);
    for check in report.checks.iter().filter(|check| !check.passed() && !hidden) {
        world.wrong(format!("{} {}: {}", check.id, check.what, check.first.clone().unwrap_or_default()));
    }
    lane::<PositionKeeper>(world);
    lane::<Rebalancer>(world);
    lane::<PerformanceTracker>(world);
    if world.scenario.with_router {
        lane::<PaperRouter>(world);
    }
    let events = events(world);
    for text in events.iter().filter_map(|event| event.text.as_deref()).filter(|text| text.starts_with(FAULT_OF_THE_PLANNER)) {
        world.wrong(format!("a plan fell at its second opinion: {text}"));
    }
    cover(world, &report, &events);
    if world.scenario.calms_down {
        at_rest(world, &report, &events);
    }
}

/// Whether a transaction that was decided lacks a marker for ever.
fn hides(world: &World) -> bool {
    world.log.places().iter().any(|(topic, partition)| world.log.stable_end(topic, *partition) < world.log.end(topic, *partition))
}

fn judged(world: &World) -> Report {
    let places = world.log.places();
    let records = places.iter().flat_map(|(topic, partition)| {
        world.judged(topic, *partition).into_iter().map(move |record| SeenRecord::of(topic, *partition, record))
    });
    let newest = world.shelves.borrow().newest();
    let checkpoints = newest.into_iter().map(|(role, lane, step)| Checkpoint { role: role.to_owned(), lane, step }).collect();
    let start = |topic: &str, partition| if world.as_kept { world.log.start(topic, partition) } else { 0 };
    let starts = places.iter().map(|(topic, partition)| ((topic.to_string(), *partition), start(topic, *partition))).collect();
    verify(records, &Given { checkpoints: Some(checkpoints), starts, ..Given::default() })
}

/// I7: every step of a role's lanes replays to its digest.
fn lane<R: Role + Default>(world: &World) {
    for lane in 0..world.scenario.lanes {
        let target = Target { lane, lanes: world.scenario.lanes, genesis: false };
        let mut past = MemoryPast::new::<R>(world.log.clone(), lane);
        let mut kept = world.shelves.borrow().kept::<R>(lane);
        match replayed::<R>(target, &mut world.codec(), &mut past, Some(&mut kept)) {
            Ok(Replayed { steps, left: Some(left) }) => {
                // Behind what was deleted steps are replayed from a checkpoint on.
                let deleted = world.log.start(R::PROGRESS.name(), lane) > 0 || world.log.start(Topic::Frames.name(), 0) > 0;
                let newest = world.shelves.borrow().newest_of(R::NAME, lane);
                if !deleted || steps == 0 && last_done(world, R::PROGRESS, lane) > newest {
                    world.wrong(format!("I7: {} lane {lane}: {left}", R::NAME));
                }
                world.coverage.borrow_mut().saw("retention", "replayed from a checkpoint");
            }
            Ok(Replayed { left: None, .. }) => {}
            Err(halt) => world.wrong(format!("I7: {} lane {lane}: {halt}", R::NAME)),
        }
        if world.scenario.calms_down {
            whole::<R>(world, lane);
        }
    }
}

/// No step is left open.
fn whole<R: Role>(world: &World, lane: i32) {
    let (topic, log) = (R::PROGRESS, &world.log);
    if log.stable_end(topic.name(), lane) != log.end(topic.name(), lane) {
        world.wrong(format!("liveness: a transaction of {} lane {lane} is open", R::NAME));
    }
    let schemas = world.schemas();
    let records = world.judged(topic.name(), lane);
    let begun = records.iter().filter_map(|record| match avro_codec::decode_progress(&schemas, record.value.as_deref()?).ok()? {
        Progress::Begin(begin) => Some(begin.step),
        Progress::Done(_) => None,
    });
    let (begun, done) = (begun.max().unwrap_or(0), last_done(world, topic, lane));
    if begun != done {
        world.wrong(format!("liveness: {} lane {lane} has begun step {begun}, and {done} is the last one done", R::NAME));
    }
}

fn events(world: &World) -> Vec<RebalanceEvent> {
    let schemas = world.schemas();
    let mut events = Vec::new();
    for partition in 0..world.scenario.lanes {
        for record in world.judged(Topic::RebalanceEvents.name(), partition) {
            let value = record.value.as_deref().unwrap_or_default();
            if let Ok(Output::RebalanceEvent(event)) = avro_codec::decode_output(&schemas, Topic::RebalanceEvents, value) {
                events.push(*event);
            }
        }
    }
    events
}

/// What the records of the play have shown.
fn cover(world: &World, report: &Report, events: &[RebalanceEvent]) {
    let mut coverage = world.coverage.borrow_mut();
    for check in report.checks.iter().filter(|check| check.checked > 0) {
        coverage.saw("invariant", check.id);
    }
    for note in &report.notes {
        coverage.saw("note", note.split(':').next().unwrap_or_default());
    }
    let mut last: BTreeMap<SmolStr, RebalanceStatus> = BTreeMap::new();
    for event in events {
        let id = SmolStr::new(event.rebalance_id.to_string());
        let before = last.insert(id, event.status);
        coverage.saw("cycle", &format!("{} → {}", before.map_or("", RebalanceStatus::symbol), event.status));
        if let Some(code) = event.code {
            coverage.saw("reason", code.symbol());
        }
        event.explanation.iter().for_each(|line| coverage.saw("reason", line.reason.symbol()));
        cover_slices(&mut coverage, event);
    }
    for (topic, partition) in world.log.places() {
        let count = world.judged(&topic, partition).len();
        if count > 0 {
            coverage.saw("topic", &topic);
        }
        cover_repeats(world, &mut coverage, &topic, partition);
        if topic.ends_with(".dlq") {
            for record in world.judged(&topic, partition) {
                let headers = record.headers.iter().map(|header| (header.name.as_str(), header.value.as_slice()));
                if let Ok(letter) = avro_codec::dead_letter_from(record.key.as_deref(), record.value.as_deref(), headers) {
                    coverage.saw("dead-letter", letter.code.symbol());
                }
            }
        }
    }
}

/// Outputs that stand twice, since their step was published in part and then whole.
fn cover_repeats(world: &World, coverage: &mut Coverage, topic: &str, partition: i32) {
    let mut seen = BTreeSet::new();
    for record in world.judged(topic, partition) {
        let header = |name| record.headers.iter().find(|header| header.name == name).map(|header| header.value.clone());
        if let Some(stamp) = header(SOURCE).zip(header(STEP)).zip(header(INDEX))
            && !seen.insert(stamp)
        {
            coverage.saw("stands-twice", topic);
        }
    }
}

/// How far orders that leave in slices have come, and what was told of executions.
fn cover_slices(coverage: &mut Coverage, event: &RebalanceEvent) {
    let sliced = |order: &Order| order.numbers.iter().any(|number| number.name == "slices");
    let text = event.text.as_deref().unwrap_or_default();
    let seen = [
        ("first", event.status == RebalanceStatus::Released && event.orders.iter().any(sliced)),
        ("next", event.status == RebalanceStatus::Released && text.contains("slices: no larger than planned") && !event.orders.is_empty()),
        ("proposed", event.status == RebalanceStatus::PendingApproval && event.orders.iter().any(sliced)),
        ("kept back", text.contains("slices were kept back")),
    ];
    seen.iter().filter(|(_, seen)| *seen).for_each(|(name, _)| coverage.saw("slices", name));
    if let Some(execution) = &event.execution {
        coverage.saw("execution", if execution.cost.is_some() { "told" } else { "not told" });
    }
}

/// Portfolios whose books lack something, so that later waves of an open cycle wait for a person.
fn doubtful(world: &World) -> BTreeSet<PortfolioId> {
    let schemas = world.schemas();
    let mut last: BTreeMap<PortfolioId, bool> = BTreeMap::new();
    for partition in 0..world.scenario.lanes {
        for record in world.judged(Topic::Drift.name(), partition) {
            let value = record.value.as_deref().unwrap_or_default();
            if let Ok(Output::Drift(drift)) = avro_codec::decode_output(&schemas, Topic::Drift, value) {
                let health = &drift.health;
                let sound = health.complete && !health.quarantined && !health.unreconciled && health.waiting == 0;
                last.insert(drift.portfolio_id.clone(), !sound);
            }
        }
    }
    last.into_iter().filter(|(_, doubtful)| *doubtful).map(|(portfolio, _)| portfolio).collect()
}

/// After a calm: every input is read, every cycle has ended or waits for people, every lane runs.
fn at_rest(world: &World, report: &Report, events: &[RebalanceEvent]) {
    for (topic, balance) in &report.balances {
        // What lanes go on to say to each other is read a moment later; nobody of ours may read orders.
        let outside = Topic::from_name(topic).is_some_and(Topic::is_from_outside);
        // What steps read whose progress was deleted, nothing tells.
        if outside && !world.as_kept && balance.unread > 0 || balance.lost > 0 {
            world.wrong(format!("liveness: of {topic}, {} records are unread and {} lost", balance.unread, balance.lost));
        }
    }
    let mut last: BTreeMap<SmolStr, &RebalanceEvent> = BTreeMap::new();
    for event in events.iter().filter(|event| !event.shadow) {
        last.insert(SmolStr::new(event.rebalance_id.to_string()), event);
    }
    let long_ago = world.time().plus_seconds(-OPEN_FOR);
    let waits = doubtful(world);
    for event in last.values().filter(|event| event.as_of < long_ago && !waits.contains(&event.portfolio_id)) {
        if matches!(event.status, RebalanceStatus::Approved | RebalanceStatus::Released) {
            world.wrong(format!("liveness: rebalance {} of {} stays {}", event.rebalance_id, event.portfolio_id, event.status));
        }
    }
    if !world.finishing.get() {
        world.groups.borrow().idle().into_iter().for_each(|idle| world.wrong(format!("liveness: {idle}")));
    }
}
