//! What brokers delete by their retention: the oldest records of the service's own topics (progress, frames), as far as
//! no lane can need them any more, whichever of its two checkpoints it begins from. Days of a deployment are a moment of a
//! play: it waits for one in which nobody is on the way back, as nobody is for days.

use crate::membership::{CONFLATOR, ROLES};
use crate::world::World;
use domain::Topic;
use domain::frame::Frame;
use domain::progress::{Begin, Progress, Range};
use engine::Role;
use paper_router::PaperRouter;
use performance_tracker::PerformanceTracker;
use position_keeper::PositionKeeper;
use rebalancer::Rebalancer;

/// Deletes what has grown old, where everybody runs.
pub fn passes(world: &World) {
    if !everybody_runs(world) {
        return;
    }
    let mut frames = read_back_to(world);
    for lane in 0..world.scenario.lanes {
        frames = frames.min(cut_progress::<PositionKeeper>(world, lane));
        frames = frames.min(cut_progress::<PerformanceTracker>(world, lane));
        // It reads no frames.
        cut_progress::<Rebalancer>(world, lane);
        if world.scenario.with_router {
            frames = frames.min(cut_progress::<PaperRouter>(world, lane));
        }
    }
    cut(world, Topic::Frames, 0, frames);
}

fn everybody_runs(world: &World) -> bool {
    let here = world.machines.borrow().iter().all(|machine| machine.alive && machine.frozen <= world.now());
    let groups = world.groups.borrow();
    here && groups.idle().is_empty() && groups.all_run()
}

/// Deletes the progress of a lane that its older checkpoint stands behind; from where on its frames must stay.
fn cut_progress<R: Role>(world: &World, lane: i32) -> i64 {
    let Some((step, from)) = world.shelves.borrow().older(R::NAME, lane) else { return 0 };
    // An owner that does not know yet that it is none may be behind.
    if world.groups.borrow().least_step(R::NAME, lane).is_none_or(|least| least < step) {
        return 0;
    }
    let begun = begun(world, R::PROGRESS, lane);
    let (before, later): (Vec<_>, Vec<_>) = begun.iter().flat_map(of_frames).partition(|(of, _)| *of <= step);
    let read_from = later.iter().map(|(_, range)| range.from).min();
    cut(world, R::PROGRESS, lane, from);
    read_from.or_else(|| before.iter().map(|(_, range)| range.to).max()).unwrap_or(0)
}

/// The frames that a step reads, each range with its number.
fn of_frames(begin: &Begin) -> impl Iterator<Item = (i64, &Range)> {
    let ranges = begin.windows.iter().flat_map(|window| &window.ranges);
    ranges.filter(|range| range.topic == Topic::Frames).map(|range| (begin.step, range))
}

fn begun(world: &World, progress: Topic, lane: i32) -> Vec<Begin> {
    let schemas = world.schemas();
    let records = world.log.read(progress.name(), lane, 0);
    let decoded = records.iter().filter_map(|record| avro_codec::decode_progress(&schemas, record.value.as_deref()?).ok());
    decoded.filter_map(|progress| if let Progress::Begin(begin) = progress { Some(begin) } else { None }).collect()
}

/// From where on conflators need frames: the newest one says it.
fn read_back_to(world: &World) -> i64 {
    let (schemas, name) = (world.schemas(), Topic::Frames.name());
    let decoded = |value: Option<&[u8]>| -> Option<Frame> { avro_codec::decode_frame(&schemas, value?).ok() };
    let newest = world.log.read(name, 0, 0).iter().rev().find_map(|record| decoded(record.value.as_deref()));
    let tail = newest.and_then(|frame| conflator::tail_start(&frame, world.log.start(name, 0)).ok()).unwrap_or(0);
    tail.min(world.groups.borrow().least_step(ROLES[CONFLATOR], 0).unwrap_or(0))
}

fn cut(world: &World, topic: Topic, partition: i32, below: i64) {
    let name = topic.name();
    if below <= world.log.start(name, partition) {
        return;
    }
    world.note("retention", name, || format!("{name}/{partition} begins at {below} now"));
    world.trim(name, partition, below);
}
