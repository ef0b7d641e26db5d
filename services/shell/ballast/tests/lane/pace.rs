//! Clocks: a machine's clock that steps back, a lane that is quiet for days, a step that grows too large.

use crate::role::at;
use crate::world::World;
use ballast::worker::Turn;
use ballast::worker::observer::Observer;
use ballast::worker::pacing::Clock;
use domain::{Timestamp, Topic};
use engine::Stats;
use engine::waiting::Waiter;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

const DAY: i64 = 86_400;

#[test]
fn a_timer_that_is_due_by_the_lanes_clock_fires_although_the_machines_stepped_back() {
    let mut world = World { clock: at(100), ..World::default() };
    world.say("later");
    let mut life = world.run().unwrap();
    world.clock = at(110);
    life.digest(&world).unwrap();
    assert_eq!(life.count("due"), 1);
    world.say("soon");
    life.turn(&world).unwrap();
    assert_eq!((life.count("soon"), life.count("due")), (1, 1));
    world.clock = at(-3600);
    life.digest(&world).unwrap();
    assert_eq!(life.count("due"), 2, "it was due at the lane's clock");
}

#[test]
fn a_quiet_lane_makes_a_step_a_day_so_that_retention_never_empties_its_progress() {
    let mut world = World::default();
    world.say("a");
    let mut life = world.run().unwrap();
    let steps = life.step();
    for day in 1..=40 {
        world.clock = at(day * DAY - 60);
        life.digest(&world).unwrap();
        let before = world.progress_end();
        world.clock = at(day * DAY);
        life.digest(&world).unwrap();
        assert!(world.progress_end() > before, "day {day}");
        world.trim_progress(before);
    }
    assert_eq!(life.step(), steps + 40);
    drop(life);
    let life = world.run().unwrap();
    assert_eq!((life.step(), life.count("a")), (steps + 40, 1));
}

#[test]
fn a_lane_that_has_caught_up_decides_once_more_though_nothing_comes() {
    let mut world = World { clock: at(60), ..World::default() };
    world.pacing.window_records = 1;
    world.say("a");
    let life = world.run().unwrap();
    assert_eq!((life.step(), life.count("a")), (2, 1));
    assert_eq!(life.worker.lane().role().behind, [true, false], "it was a minute old, and another one could have followed");
}

/// Remembers by which clock it was last told how the state stands.
#[derive(Default, Clone)]
struct Listener(Arc<AtomicI64>);

impl Observer for Listener {
    fn turn(&self, now: Timestamp, _look: &dyn Fn() -> (Stats, Vec<Waiter>)) {
        self.0.store(now.micros(), Ordering::Relaxed);
    }
}

#[test]
fn what_waits_in_a_quiet_lane_grows_old_by_the_clock_that_its_next_window_would_have() {
    for clock in [Clock::Wall, Clock::Event] {
        let mut world = World { clock: at(10), ..World::default() };
        world.pacing.clock = clock;
        world.say("a");
        let heard = Listener::default();
        let mut life = world.live_before(Box::new(heard.clone())).unwrap();
        life.digest(&world).unwrap();
        let stands = life.worker.lane().now();
        let mut told_at = |machine: Timestamp| {
            world.clock = machine;
            life.turn(&world).unwrap();
            Timestamp::from_micros(heard.0.load(Ordering::Relaxed))
        };
        // Nothing comes any more, and then the machine's clock steps back.
        let later = if clock == Clock::Wall { at(110) } else { stands };
        assert_eq!([told_at(at(110)), told_at(at(5))], [later, stands], "{clock:?}");
    }
}

#[test]
fn restarts_do_not_put_the_sign_of_life_off() {
    let mut world = World::default();
    world.say("a");
    let steps = world.run().unwrap().step();
    for hours in (0..48).step_by(7) {
        world.clock = at(hours * 3600);
        drop(world.run().unwrap());
    }
    assert_eq!(world.live().unwrap().step(), steps + 1);
}

#[test]
fn a_lane_that_never_made_a_step_needs_no_sign_of_life() {
    let mut world = World::default();
    let mut life = world.run().unwrap();
    world.clock = at(90 * DAY);
    life.digest(&world).unwrap();
    assert_eq!((life.step(), world.progress_end()), (0, 0));
}

#[test]
fn a_step_ends_when_its_dead_letters_grow_too_large() {
    let mut world = World::default();
    (world.pacing.commit_ms, world.pacing.idle_commit_ms, world.pacing.window_records) = (3_600_000, 3_600_000, 4);
    let mut life = world.run().unwrap();
    let megabyte = vec![b'x'; 1 << 20];
    for _ in 0..40 {
        world.put(Topic::Refresh, &megabyte);
    }
    for _ in 0..40 {
        assert_eq!(life.turn(&world).unwrap(), Turn::Running);
    }
    assert_eq!((life.step(), life.count("refused")), (2, 40), "two steps of 16 MiB; the rest is open");
}
