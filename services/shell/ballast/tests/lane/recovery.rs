//! The exits of a recovery: what halts it, what it falls back to, and how a lane begins anew.

use crate::role::{Words, at};
use crate::world::{World, halted};
use avro_codec::{SchemaStore, decode_progress};
use ballast::avro::AvroCodec;
use ballast::memory::{MemoryPast, MemoryPublisher};
use ballast::messages::OutMessage;
use ballast::worker::ports::{LoadError, Past, PortError};
use ballast::worker::{LaneHalt, Target, recover};
use domain::Topic;
use domain::progress::Progress;
use engine::{RecordRef, Settings};

/// A world in which a lane said some words and was killed; its checkpoints are gone.
fn spoken() -> World {
    let world = World::default();
    let mut life = world.live().unwrap();
    for word in ["a", "b", "c", "d", "e"] {
        world.say(word);
        life.digest(&world).unwrap();
    }
    World { log: world.log.clone(), ..World::default() }
}

fn refresh_start(world: &World, below: i64) {
    world.log.trim(Topic::Refresh.name(), 0, below);
}

#[test]
fn progress_that_was_cut_halts_a_lane_without_a_checkpoint() {
    let world = spoken();
    world.trim_progress(4);
    let text = halted(world.live());
    assert!(text.starts_with("LOST_PROGRESS: there is no checkpoint, and progress begins at step 3"), "{text}");
}

/// The same world without the progress of a step; its inputs are whole, and its outputs stand.
fn with_a_hole(world: &World, step: i64) -> World {
    let holed = World::default();
    let schemas = SchemaStore::compiled();
    for topic in [Topic::Refresh, Topic::Snapshots, Topic::RebalancerProgress] {
        for record in world.log.read(topic.name(), 0, 0) {
            let of_step = match decode_progress(&schemas, record.value.as_deref().unwrap_or_default()) {
                Ok(Progress::Begin(begin)) => topic == Topic::RebalancerProgress && begin.step == step,
                Ok(Progress::Done(done)) => topic == Topic::RebalancerProgress && done.step == step,
                Err(_) => false,
            };
            if !of_step {
                let headers = record.headers.into_iter().map(|header| (header.name, header.value)).collect();
                holed.log.append(OutMessage { topic: topic.name(), partition: 0, key: record.key, value: record.value, headers });
            }
        }
    }
    holed
}

#[test]
fn the_operator_may_let_a_lane_begin_anew_whose_progress_has_a_hole_though_its_inputs_are_whole() {
    let spoken = spoken();
    let world = with_a_hole(&spoken, 3);
    let text = halted(world.live());
    assert!(text.starts_with("LOST_PROGRESS: there is no checkpoint, and progress has a hole between steps 2 and 4"), "{text}");
    let steps = spoken.live().unwrap().step();
    let world = World { genesis: true, ..world };
    world.store.fail(true);
    let life = world.run().unwrap();
    let (step, state) = (life.step(), life.state());
    assert_eq!((life.replayed, life.count("a"), life.count("e")), (0, 1, 1));
    assert!(step > steps, "its numbers go on above those that were used");
    drop(life);
    for genesis in [true, false] {
        let world = World { genesis, log: world.log.clone(), clock: at(1), ..World::default() };
        world.store.fail(true);
        let life = world.run().unwrap();
        assert_eq!((life.step(), life.state()), (step, state.clone()), "the leave is used up: nothing is published again");
        assert!(life.replayed > 0);
    }
}

#[test]
fn progress_behind_the_checkpoint_halts_the_lane() {
    let world = World::default();
    world.say("a");
    drop(world.run().unwrap());
    let store = world.store.clone();
    assert!(store.steps()[0] > 0);
    let emptied = World { store: store.clone(), ..World::default() };
    let text = halted(emptied.live());
    assert!(text.starts_with("LOST_PROGRESS"), "{text}");
    world.trim_progress(i64::MAX);
    let text = halted(World { log: world.log.clone(), store, ..World::default() }.live());
    assert!(text.starts_with("LOST_PROGRESS"), "emptied below an end that nobody recorded: {text}");
}

/// A past in which somebody else writes between two looks at progress.
struct Overtaken {
    past: MemoryPast,
    looked: u32,
}

impl Past for Overtaken {
    fn bounds(&mut self, topic: Topic, partition: i32) -> Result<(i64, i64), PortError> {
        self.past.bounds(topic, partition)
    }
    fn range(&mut self, topic: Topic, partition: i32, from: i64, to: i64, take: &mut dyn FnMut(&dyn RecordRef)) -> Result<(), PortError> {
        self.past.range(topic, partition, from, to, take)
    }
    fn frames_start(&mut self) -> Result<i64, PortError> {
        self.past.frames_start()
    }
    fn progress(&mut self, from: i64) -> Result<Vec<Progress>, PortError> {
        self.looked += 1;
        if self.looked == 1 { Ok(Vec::new()) } else { self.past.progress(from) }
    }
}

#[test]
fn a_lane_that_was_stopped_while_another_began_it_does_not_take_its_outputs_for_an_earlier_lifes() {
    let world = World::default();
    world.say("a");
    drop(world.run().unwrap());
    world.put(Topic::Snapshots, b"what the other owner wrote");
    let mut past = Overtaken { past: MemoryPast::new::<Words>(world.log.clone(), 0), looked: 0 };
    let mut publisher = MemoryPublisher::new::<Words>(world.log.clone(), 0);
    let target = Target { lane: 0, lanes: 1, genesis: false };
    let fresh = &Words::default;
    let halt = recover(target, fresh, &mut AvroCodec::default(), &mut past, &mut World::default().store, &mut publisher, &|| false);
    let halt = halt.err().unwrap();
    assert!(halt.passes(), "{halt}");
    assert!(halt.to_string().contains("another owner"), "{halt}");
}

#[test]
fn inputs_that_were_cut_halt_a_lane_without_a_checkpoint() {
    let world = spoken();
    refresh_start(&world, 2);
    let text = halted(world.live());
    assert!(text.starts_with("GENESIS: there is no checkpoint, and ballast.refresh.v1/0 no longer"), "{text}");
}

#[test]
fn another_number_of_lanes_halts_the_lane() {
    let with_progress = World { lanes: 2, ..spoken() };
    assert_eq!(
        halted(with_progress.live()),
        "LANE_COUNT: the state was made for 1 lanes, the topics have 2: recreate the topics with 1 partitions"
    );
    let world = World::default();
    world.say("a");
    drop(world.run().unwrap());
    let with_checkpoint = World { lanes: 2, log: world.log.clone(), store: world.store.clone(), ..World::default() };
    assert!(halted(with_checkpoint.live()).starts_with("LANE_COUNT"));
}

#[test]
fn a_life_that_the_operator_let_begin_anew_does_so_once() {
    let spoken = spoken();
    refresh_start(&spoken, 3);
    let world = World { genesis: true, ..spoken };
    world.store.fail(true);
    let mut life = world.run().unwrap();
    let first = life.step();
    assert_eq!((life.replayed, life.count("c"), life.count("d"), life.count("e")), (0, 0, 1, 1));
    world.say("f");
    life.digest(&world).unwrap();
    let (step, state) = (life.step(), life.state());
    assert!(step > first);
    drop(life);
    for genesis in [true, false] {
        let world = World { genesis, log: world.log.clone(), clock: at(1), ..World::default() };
        world.store.fail(true);
        let life = world.run().unwrap();
        assert_eq!((life.step(), life.state()), (step, state.clone()), "nothing is published again");
        assert!(life.replayed > 0);
    }
    refresh_start(&world, 4);
    let halt = halted(World { log: world.log.clone(), ..World::default() }.live());
    assert!(halt.starts_with("GENESIS"), "what that life has read is gone: {halt}");
}

#[test]
fn a_life_that_began_anew_on_an_input_without_news_is_replayed_too() {
    let spoken = spoken();
    refresh_start(&spoken, i64::MAX);
    let world = World { genesis: true, ..spoken };
    world.store.fail(true);
    world.close_policy();
    let life = world.run().unwrap();
    let (step, state) = (life.step(), life.state());
    assert_eq!(life.count("policy"), 1);
    drop(life);
    let life = World { genesis: false, ..world }.run().unwrap();
    assert_eq!((life.step(), life.state()), (step, state));
}

/// A world with two checkpoints and some steps after them.
fn two_generations() -> (World, i64, i64) {
    let world = World::default();
    let mut life = world.live().unwrap();
    for word in ["a", "b", "c"] {
        world.say(word);
        life.digest(&world).unwrap();
    }
    let steps = world.store.steps();
    (world, steps[0], steps[1])
}

#[test]
fn a_corrupt_checkpoint_gives_way_to_the_one_before() {
    let (world, newest, older) = two_generations();
    let state = World { log: world.log.clone(), ..World::default() }.live().unwrap().state();
    world.store.unreadable(0, LoadError::Corrupt("its checksum".to_owned()));
    let mut life = world.live().unwrap();
    assert_eq!((life.replayed, life.state()), (u64::try_from(newest - older).unwrap(), state));
    assert_eq!(world.store.steps(), [older], "what cannot be read is not in the way of the next one");
    world.store.readable();
    world.say("d");
    life.digest(&world).unwrap();
    assert_eq!(world.store.steps()[0], life.step());
}

#[test]
fn two_corrupt_checkpoints_halt_the_lane_and_stay() {
    let (world, newest, older) = two_generations();
    world.store.unreadable(0, LoadError::Corrupt("its checksum".to_owned()));
    world.store.unreadable(1, LoadError::Corrupt("its hash".to_owned()));
    assert_eq!(halted(world.live()), "no checkpoint can be read: its checksum; and the one before: its hash");
    world.store.readable();
    assert_eq!(world.store.steps(), [newest, older]);
}

#[test]
fn a_store_that_does_not_answer_is_waited_for() {
    let (world, newest, older) = two_generations();
    for generation in [0, 1] {
        if generation == 1 {
            world.store.unreadable(0, LoadError::Corrupt("its checksum".to_owned()));
        }
        world.store.unreadable(generation, LoadError::Store(PortError::later("out of memory (53200)")));
        match world.live().err() {
            Some(LaneHalt::Port(error)) => assert!(error.retry, "{error}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(world.store.steps(), [newest, older], "nothing is taken away meanwhile");
    }
}

#[test]
fn settings_changed_between_two_lives_hold_from_the_next_step_on() {
    let mut world = World::default();
    world.store.fail(true);
    world.say("a");
    drop(world.run().unwrap());
    world.core = Settings { waiting_limit: 7, ..Settings::default() };
    world.say("b");
    let mut life = world.run().unwrap();
    world.say("c");
    life.digest(&world).unwrap();
    let state = life.state();
    drop(life);
    world.core = Settings { waiting_limit: 9, ..Settings::default() };
    let life = world.live().unwrap();
    assert!(life.replayed >= 3, "each step is replayed by the settings that it recorded");
    assert_eq!(life.state(), state);
}
