//! Writers' schemas that come and go between two lives: a replay knows what its steps knew.

use crate::world::World;
use avro_codec::{SchemaStore, fingerprint_of_text, schema_text};
use domain::refresh::Refresh;
use domain::{Input, Topic, Uuid};

/// A writer's own schema of refreshes, with one field more than ours.
fn foreign() -> String {
    let ours = schema_text(Topic::Refresh);
    let last = ours.rfind(']').unwrap();
    format!(r#"{}, {{"name": "note", "type": "int"}}{}"#, &ours[..last], &ours[last..])
}

/// The same in a store.
fn known() -> SchemaStore {
    let mut store = SchemaStore::compiled();
    store.add(&foreign()).unwrap();
    store
}

/// A refresh as that writer sends it.
fn send(world: &World, word: &str) {
    let refresh = Refresh { request_id: Uuid::nil(), portfolio_id: crate::role::portfolio(), why: word.into() };
    let mut ours = Vec::new();
    avro_codec::encode_input(&Input::Refresh(Box::new(refresh)), &mut ours).unwrap();
    let header = [&[0xc3, 0x01][..], &fingerprint_of_text(&foreign()).unwrap().to_wire()].concat();
    world.put(Topic::Refresh, &[&header, &ours[10..], &[2][..]].concat());
}

#[test]
fn a_schema_that_is_added_after_a_crash_leaves_the_steps_before_as_they_were() {
    let mut world = World::default();
    world.store.fail(true);
    send(&world, "a");
    let life = world.run().unwrap();
    assert_eq!((life.count("refused"), life.count("a")), (1, 0), "nobody knows that schema");
    drop(life);
    world.schemas = known();
    let mut life = world.run().unwrap();
    assert!(life.replayed > 0);
    send(&world, "b");
    life.digest(&world).unwrap();
    assert_eq!((life.count("refused"), life.count("a"), life.count("b")), (1, 0, 1), "it is known from here on");
    let state = life.state();
    drop(life);
    let again = world.live().unwrap();
    assert_eq!(again.state(), state, "the step that recorded the schema replays with it");
}

#[test]
fn a_schema_that_is_taken_away_stays_known_to_a_lane_that_has_read_with_it() {
    let mut world = World { schemas: known(), ..World::default() };
    send(&world, "a");
    let life = world.run().unwrap();
    assert_eq!(life.count("a"), 1);
    assert_eq!(world.store.steps()[0], life.step(), "its checkpoint holds the schema");
    // Steps after the checkpoint name it no more, and the file is gone.
    world.store.fail(true);
    let mut life = life;
    send(&world, "b");
    life.digest(&world).unwrap();
    let state = life.state();
    drop(life);
    world.schemas = SchemaStore::compiled();
    let life = world.live().unwrap();
    assert!(life.replayed > 0);
    assert_eq!((life.state(), life.count("b")), (state, 1));
}
