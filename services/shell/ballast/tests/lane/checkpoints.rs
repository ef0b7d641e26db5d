//! Checkpoints whose saves go wrong: the chain of parents never breaks, and a lane that waits for one goes on.

use crate::role::at;
use crate::world::{Trick, World};
use ballast::worker::Turn;
use ballast::worker::pacing::Pacing;
use ballast::worker::ports::Checkpoints;
use std::time::{Duration, Instant};

/// Says words, one a step, and turns until a checkpoint holds them.
fn say_until_kept(world: &World, life: &mut crate::world::Life, words: &[&str]) {
    for word in words {
        world.say(word);
        life.digest(world).unwrap();
    }
    let end = Instant::now() + Duration::from_secs(10);
    while world.store.steps().first() != Some(&life.step()) {
        assert!(Instant::now() < end, "no checkpoint of step {} among {:?}", life.step(), world.store.steps());
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(life.turn(world).unwrap(), Turn::Running);
    }
}

/// A new life on the checkpoints stands where one stands that replays everything.
fn assert_true(world: &World) {
    let restored = world.live().unwrap();
    assert_eq!(restored.replayed, 0, "the newest checkpoint is at the end");
    let replayed = World { store: crate::world::Store::default(), log: world.log.clone(), ..World::default() }.live().unwrap();
    assert_eq!(restored.state(), replayed.state());
}

#[test]
fn a_save_whose_answer_was_lost_is_the_next_ones_parent() {
    let world = World::default();
    let mut life = world.live().unwrap();
    say_until_kept(&world, &mut life, &["a", "b", "c"]);
    world.store.trick(Trick::AnswerLost);
    say_until_kept(&world, &mut life, &["a", "d", "-b"]);
    say_until_kept(&world, &mut life, &["-d", "e"]);
    assert_true(&world);
}

#[test]
fn the_late_save_of_an_earlier_life_is_the_next_ones_parent() {
    let world = World::default();
    let mut life = world.live().unwrap();
    say_until_kept(&world, &mut life, &["a", "b"]);
    let first = life.step();
    world.store.trick(Trick::Delayed);
    world.say("c");
    world.say("-a");
    life.digest(&world).unwrap();
    drop(life);
    let mut life = world.live().unwrap();
    assert_eq!(world.store.steps().first(), Some(&first));
    world.store.deliver();
    assert!(world.store.steps()[0] > first);
    say_until_kept(&world, &mut life, &["a", "-b"]);
    assert_true(&world);
}

#[test]
fn a_checkpoint_of_steps_that_are_not_ours_means_another_owner() {
    let world = World::default();
    let mut life = world.live().unwrap();
    world.store.trick(Trick::Fails);
    world.say("a");
    life.digest(&world).unwrap();
    let mut other = world.live().unwrap();
    world.say("b");
    say_until_kept(&world, &mut other, &["c"]);
    assert!(world.store.steps()[0] > life.step());
    // The first owner was stopped meanwhile; all that it can still do is to save.
    assert!(!life.finish(Duration::from_secs(10)).unwrap(), "it has nothing more to say");
    assert_eq!(world.store.steps()[0], other.step());
}

#[test]
fn checkpoints_that_were_taken_away_are_written_anew_and_whole() {
    let world = World::default();
    let mut life = world.live().unwrap();
    say_until_kept(&world, &mut life, &["a", "b", "c"]);
    world.store.clone().discard_newer(-1).unwrap();
    say_until_kept(&world, &mut life, &["-a", "d"]);
    assert_true(&world);
}

#[test]
fn checkpoints_that_were_put_back_are_recovered_from() {
    let world = World::default();
    let mut life = world.live().unwrap();
    say_until_kept(&world, &mut life, &["a"]);
    say_until_kept(&world, &mut life, &["b"]);
    let older = world.store.steps()[1];
    world.store.clone().discard_newer(older).unwrap();
    world.say("c");
    let halt = (0..20).find_map(|_| life.turn(&world).err()).expect("it does not build upon it");
    assert!(halt.to_string().contains("put back"), "{halt}");
    let mut life = world.run().unwrap();
    say_until_kept(&world, &mut life, &["d"]);
    assert_true(&world);
}

#[test]
fn a_lane_that_may_not_replay_more_waits_for_a_checkpoint_and_then_goes_on() {
    let pacing = Pacing { max_replay_steps: 3, window_ms: 10, ..World::default().pacing };
    let world = World { pacing, ..World::default() };
    world.store.fail(true);
    let mut life = world.live().unwrap();
    for word in ["a", "b", "c", "d", "e"] {
        world.say(word);
        for _ in 0..3 {
            life.turn(&world).unwrap();
        }
    }
    assert_eq!(life.step(), 3, "no more than three steps are in no checkpoint");
    let (saves, began) = (world.store.calls().0, Instant::now());
    for _ in 0..10 {
        life.turn(&world).unwrap();
    }
    assert!(began.elapsed() >= Duration::from_millis(90), "it does not spin");
    assert!(world.store.calls().0 <= saves + 1, "it does not hammer the store");
    world.store.fail(false);
    let end = Instant::now() + Duration::from_secs(10);
    while life.count("e") == 0 {
        assert!(Instant::now() < end, "it stands at step {} for ever", life.step());
        life.turn(&world).unwrap();
    }
    say_until_kept(&world, &mut life, &["f"]);
    assert_eq!(life.count("d"), 1);
    assert_true(&world);
}

#[test]
fn a_life_that_began_late_is_held_by_its_own_steps_only() {
    let pacing = Pacing { max_replay_steps: 3, ..World::default().pacing };
    let mut world = World { pacing, genesis: true, ..World::default() };
    {
        let before = World { log: world.log.clone(), pacing: World::default().pacing, ..World::default() };
        let mut life = before.live().unwrap();
        say_until_kept(&before, &mut life, &["a", "b", "c", "d", "e"]);
    }
    world.trim_progress(world.progress_end() - 2);
    world.store.fail(true);
    world.clock = at(1);
    let mut life = world.live().unwrap();
    let began = life.step();
    assert!(began > 3);
    world.say("f");
    for _ in 0..4 {
        life.turn(&world).unwrap();
    }
    assert!(life.step() > began, "steps of an earlier life are not this one's to keep");
}

#[test]
fn a_lane_that_is_let_go_listens_and_does_not_spin() {
    let world = World::default();
    let mut life = world.live().unwrap();
    world.say("a");
    world.store.trick(Trick::Hangs);
    life.digest(&world).unwrap();
    let (asked, began) = (world.store.calls().1, Instant::now());
    assert!(!life.finish(Duration::from_millis(100)).unwrap(), "its checkpoint did not end");
    assert!(began.elapsed() < Duration::from_secs(2));
    let asked = world.store.calls().1 - asked;
    assert!(asked <= 50, "asked {asked} times");
}
