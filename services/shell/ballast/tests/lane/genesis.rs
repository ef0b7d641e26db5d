//! A lane at its genesis reads frames and policies first, however lively they are and however often it dies.

use crate::world::World;
use ballast::memory::MemoryLog;
use domain::Topic;

#[test]
fn instruments_and_policies_come_before_what_needs_them() {
    let world = World::default();
    world.say("a");
    world.close_policy();
    world.frame(0, 5, -1);
    let life = world.run().unwrap();
    let order = &life.worker.lane().role().order;
    assert_eq!(order.as_slice(), [Topic::Frames, Topic::Policies, Topic::Refresh]);
}

#[test]
fn a_lane_that_dies_in_its_genesis_is_in_it_again() {
    let mut world = World::default();
    world.pacing.window_records = 1;
    world.frame(0, 5, -1);
    world.frame(5, 9, 0);
    world.close_policy();
    world.say("a");
    world.say("b");
    let mut life = world.live().unwrap();
    life.turn(&world).unwrap();
    assert_eq!((life.count("frame"), life.count("policy")), (1, 0));
    life.turn(&world).unwrap();
    let steps = life.step();
    assert!(steps >= 1);
    drop(life);
    let life = world.run().unwrap();
    assert!(life.replayed > 0 || world.store.steps()[0] >= steps);
    let order = &life.worker.lane().role().order;
    let words = order.iter().position(|topic| *topic == Topic::Refresh).unwrap();
    assert!(order[words..].iter().all(|topic| *topic == Topic::Refresh), "{order:?}");
    assert_eq!((life.count("frame"), life.count("policy"), life.count("a"), life.count("b")), (2, 1, 1, 1));
}

#[test]
fn a_lane_that_has_begun_to_work_reads_everything_at_once() {
    let world = World::default();
    world.say("a");
    drop(world.run().unwrap());
    world.say("b");
    world.frame(0, 5, -1);
    let mut life = world.live().unwrap();
    life.turn(&world).unwrap();
    life.turn(&world).unwrap();
    assert_eq!((life.count("b"), life.count("frame")), (1, 1), "in one window");
}

#[test]
fn a_frame_of_an_unknown_format_halts_the_lane_before_anything_goes_by() {
    let world = World::default();
    world.frame(0, 5, -1);
    let mut life = world.run().unwrap();
    let before = life.step();
    let foreign = [&[0xc3, 0x01][..], &[7; 8], b"whatever"].concat();
    world.put(Topic::Frames, &foreign);
    let halt = life.digest(&world).unwrap_err().to_string();
    assert!(halt.contains("FRAMES: the frame at 1 cannot be read") && halt.contains("upgrade this role"), "{halt}");
    drop(life);
    assert_eq!(world.live().unwrap().step(), before, "it waits before that frame");
}

#[test]
fn garbage_among_the_frames_is_dead_lettered_and_the_chain_goes_on() {
    let world = World::default();
    world.frame(0, 5, -1);
    world.put(Topic::Frames, b"garbage");
    world.frame(5, 9, 0);
    let life = world.run().unwrap();
    assert_eq!((life.count("frame"), life.count("refused")), (2, 1));
}

#[test]
fn a_conflator_that_began_anew_on_an_emptied_topic_halts_the_lanes() {
    let world = World::default();
    world.frame(0, 50, -1);
    let mut life = world.run().unwrap();
    world.log.trim(Topic::Frames.name(), 0, i64::MAX);
    let first = world.frame(30, 60, -1);
    life.digest(&world).unwrap();
    assert_eq!(life.count("frame"), 1, "it does not count, and might be a straggler's");
    world.frame(60, 70, first);
    let halt = life.digest(&world).unwrap_err().to_string();
    assert!(halt.contains("FRAMES: the frame at 2 goes on from 1, which did not count here"), "{halt}");
}

#[test]
fn a_log_that_is_shared_is_one() {
    let log = MemoryLog::new();
    log.clone().trim("t", 0, 5);
    assert_eq!((log.start("t", 0), log.end("t", 0)), (0, 0), "no more is taken away than there is");
}
