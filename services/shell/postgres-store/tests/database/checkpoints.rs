//! Checkpoints on a real Postgres.

use std::collections::BTreeMap;

use crate::scratch::Scratch;
use postgres_store::checkpoints::{CheckpointWrite, Entity, FullBucket, LaneKey, LoadedCheckpoint, SaveOutcome, Saved, bucket_of};
use postgres_store::{Retry, Store, StoreError};

const BUCKETS: u16 = 4;

fn lane() -> LaneKey {
    LaneKey::new("demo", "position-keeper", 2)
}

/// What the state must be, kept by other means than the store's.
#[derive(Default, Clone)]
struct Model {
    entities: BTreeMap<Vec<u8>, Vec<u8>>,
    dirty: Vec<Entity>,
}

impl Model {
    fn put(&mut self, key: &str, value: &str) {
        self.entities.insert(key.into(), value.into());
        self.dirty.push(Entity { key: key.into(), value: Some(value.into()) });
    }

    fn remove(&mut self, key: &str) {
        self.entities.remove(key.as_bytes());
        self.dirty.push(Entity { key: key.into(), value: None });
    }

    fn write(&mut self, step: u64, parent_step: Option<u64>, full: Option<u16>) -> CheckpointWrite {
        CheckpointWrite {
            lane: lane(),
            step,
            parent_step,
            lane_count: 4,
            state_hash: hash(step),
            shared: format!("shared at {step}").into_bytes(),
            buckets: BUCKETS,
            dirty: std::mem::take(&mut self.dirty),
            full_bucket: full.map(|bucket| self.full(bucket)),
        }
    }

    fn full(&self, bucket: u16) -> FullBucket {
        let living = self.entities.iter();
        FullBucket {
            bucket,
            entities: living
                .filter(|(key, _)| bucket_of(key, BUCKETS) == bucket)
                .map(|(key, value)| Entity { key: key.clone(), value: Some(value.clone()) })
                .collect(),
        }
    }

    fn assert_is(&self, loaded: &LoadedCheckpoint) {
        let found: BTreeMap<_, _> = loaded.entities.iter().cloned().collect();
        assert_eq!(found.len(), loaded.entities.len(), "no entity twice");
        assert!(found == self.entities, "step {}", loaded.step);
        assert_eq!(loaded.state_hash, hash(loaded.step));
        assert_eq!(loaded.shared, format!("shared at {}", loaded.step).into_bytes());
    }
}

fn hash(step: u64) -> [u8; 16] {
    u128::from(step).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes()
}

fn saved(outcome: SaveOutcome) -> Saved {
    match outcome {
        SaveOutcome::Saved(saved) => saved,
        SaveOutcome::LostRace { newest } => panic!("lost the race to {newest:?}"),
    }
}

async fn load(store: &Store, generation: u32) -> LoadedCheckpoint {
    store.load_newest(&lane(), generation).await.unwrap().unwrap()
}

/// `rounds` checkpoints with changes and removals, buckets in rotation; the models of each.
async fn history(store: &Store, rounds: u64) -> Vec<Model> {
    let mut model = Model::default();
    let mut models = Vec::new();
    let mut parent = None;
    let mut next_full = 0;
    for round in 1..=rounds {
        for i in 0..40 {
            if (i * 7 + round) % 3 == 0 {
                model.put(&format!("key {i}"), &format!("value {i} of {round}"));
            } else if (i + round) % 11 == 0 {
                model.remove(&format!("key {i}"));
            }
        }
        let write = model.write(round * 10, parent, Some(next_full));
        next_full = saved(store.save(&write).await.unwrap()).next_full_bucket;
        parent = Some(round * 10);
        models.push(model.clone());
    }
    models
}

#[tokio::test]
async fn what_is_saved_is_loaded_in_two_generations() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    assert!(store.load_newest(&lane(), 0).await.unwrap().is_none());
    let models = history(&store, 13).await;
    let newest = load(&store, 0).await;
    assert_eq!((newest.step, newest.parent_step, newest.lane_count), (130, Some(120), 4));
    models[12].assert_is(&newest);
    let older = load(&store, 1).await;
    assert_eq!(older.step, 120);
    models[11].assert_is(&older);
    assert!(store.load_newest(&lane(), 2).await.unwrap().is_none());
    let list = store.list("demo").await.unwrap();
    assert_eq!(list.iter().map(|i| i.step).collect::<Vec<_>>(), [130, 120]);
    assert!(list[0].created_at > list[1].created_at);
}

#[tokio::test]
async fn every_checkpoint_on_the_way_can_be_loaded() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    let mut model = Model::default();
    let mut parent = None;
    for step in 1..=9 {
        model.put(&format!("k{}", step % 4), &format!("v{step}"));
        model.remove(&format!("k{}", (step + 1) % 4));
        // Sometimes no full image at all.
        let full = (step % 3 != 0).then_some(u16::try_from(step % 4).unwrap());
        let write = model.write(step, parent, full);
        saved(store.save(&write).await.unwrap());
        model.assert_is(&load(&store, 0).await);
        parent = Some(step);
    }
}

#[tokio::test]
async fn garbage_is_removed_and_nothing_needed_is() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    history(&store, 40).await;
    assert_eq!(scratch.number("SELECT count(*) FROM checkpoints").await, 2);
    // At most: each bucket's full image and the deltas since, for two generations.
    let bound = i64::from(BUCKETS) * i64::from(BUCKETS + 2);
    let segments = scratch.number("SELECT count(*) FROM checkpoint_segments").await;
    assert!(segments <= bound, "{segments} segments, at most {bound}");
    // The oldest segment needed is the older generation's oldest full image.
    let stray = "SELECT count(*) FROM checkpoint_segments s WHERE s.step <
                 (SELECT max(f.step) FROM checkpoint_segments f
                  WHERE f.bucket = s.bucket AND f.kind = 'full' AND f.step <= 390)";
    assert_eq!(scratch.number(stray).await, 0);
}

#[tokio::test]
async fn a_lost_race_writes_nothing() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    let mut model = Model::default();
    model.put("a", "1");
    let first = model.write(10, None, None);
    saved(store.save(&first).await.unwrap());
    model.put("a", "2");
    let mine = model.write(20, Some(10), None);
    saved(store.save(&mine).await.unwrap());
    let before = scratch.number("SELECT count(*) FROM checkpoint_segments").await;

    let mut zombie = model.clone();
    zombie.put("a", "zombie");
    for (step, parent) in [(25, Some(10)), (20, Some(10)), (30, None), (30, Some(19))] {
        let write = CheckpointWrite { state_hash: [9; 16], ..zombie.clone().write(step, parent, Some(0)) };
        let outcome = store.save(&write).await.unwrap();
        assert_eq!(outcome, SaveOutcome::LostRace { newest: Some(20) }, "{step} on {parent:?}");
    }
    assert_eq!(scratch.number("SELECT count(*) FROM checkpoint_segments").await, before);
    model.assert_is(&load(&store, 0).await);
    // The answer to a save got lost: the same save again is no race.
    assert_eq!(saved(store.save(&mine).await.unwrap()).segments, 1);
}

#[tokio::test]
async fn after_a_lost_answer_the_next_save_builds_upon_what_was_stored() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    let mut model = Model::default();
    model.put("a", "1");
    model.put("b", "1");
    saved(store.save(&model.write(10, None, Some(0))).await.unwrap());
    model.put("a", "2");
    model.remove("b");
    let unsaved = model.dirty.clone();
    saved(store.save(&model.write(20, Some(10), Some(1))).await.unwrap());

    // Its writer believes that it failed: the next one names the same changes again, and some more.
    model.dirty = unsaved;
    model.put("c", "1");
    let next = model.clone().write(30, Some(10), Some(1));
    assert_eq!(store.save(&next).await.unwrap(), SaveOutcome::LostRace { newest: Some(20) });
    saved(store.save(&model.write(30, Some(20), Some(1))).await.unwrap());
    model.assert_is(&load(&store, 0).await);

    forget(&scratch).await;
    assert_eq!(store.save(&model.clone().write(40, Some(30), None)).await.unwrap(), SaveOutcome::LostRace { newest: None });
    model.dirty = model.entities.iter().map(|(key, value)| Entity { key: key.clone(), value: Some(value.clone()) }).collect();
    saved(store.save(&model.write(40, None, Some(2))).await.unwrap());
    model.assert_is(&load(&store, 0).await);
}

/// Takes away every checkpoint of the lane.
async fn forget(scratch: &Scratch) {
    let mine = "deployment = 'demo' AND role = 'position-keeper' AND lane = 2";
    scratch.run(format!("UPDATE checkpoint_lanes SET newest_step = NULL WHERE {mine}")).await;
    scratch.run(format!("DELETE FROM checkpoints WHERE lane_id = (SELECT id FROM checkpoint_lanes WHERE {mine})")).await;
}

#[tokio::test]
async fn of_many_writers_one_wins() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    let mut parent = None;
    for round in 1..=4_u64 {
        let writers: Vec<_> = (0..6_u8)
            .map(|writer| {
                let store = store.clone();
                let mut model = Model::default();
                model.put("who", &writer.to_string());
                // Half of them contend for one step, half have steps of their own.
                let step = round * 100 + u64::from(writer % 2 * writer);
                let write = CheckpointWrite { state_hash: [writer; 16], ..model.write(step, parent, None) };
                tokio::spawn(async move { (step, writer, store.save(&write).await) })
            })
            .collect();
        let mut winners = Vec::new();
        for task in writers {
            let (step, writer, outcome) = task.await.unwrap();
            if let SaveOutcome::Saved(_) = outcome.unwrap() {
                winners.push((step, writer));
            }
        }
        let [(step, writer)] = winners.as_slice() else {
            panic!("round {round}: {winners:?} won");
        };
        let loaded = load(&store, 0).await;
        assert_eq!((loaded.step, loaded.state_hash), (*step, [*writer; 16]));
        assert_eq!(loaded.entities, [(b"who".to_vec(), writer.to_string().into_bytes())]);
        parent = Some(*step);
    }
}

#[tokio::test]
async fn a_corrupt_segment_names_its_generation_and_the_older_one_holds() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    let models = history(&store, 6).await;
    // The newest checkpoint's own segments.
    scratch.run("UPDATE checkpoint_segments SET body = set_byte(body, 5, get_byte(body, 5) # 1) WHERE step = 60").await;
    let error = store.load_newest(&lane(), 0).await.unwrap_err();
    assert_eq!(error.retry(), Retry::OlderGeneration);
    let message = error.to_string();
    assert!(message.contains("checkpoint 60 of demo/position-keeper/2"), "{message}");
    assert!(message.contains("checksum"), "{message}");
    let older = load(&store, 1).await;
    models[4].assert_is(&older);

    // Back to it, and on: the corrupt one is gone, the next save builds upon the good one.
    let mut model = models[4].clone();
    model.put("after", "the fall");
    let write = model.write(65, Some(50), Some(older.next_full_bucket));
    let lost = store.save(&write).await.unwrap();
    assert_eq!(lost, SaveOutcome::LostRace { newest: Some(60) });
    assert_eq!(store.discard_newer(&lane(), 50, 61).await.unwrap(), 0, "another head");
    assert_eq!(store.discard_newer(&lane(), 50, 60).await.unwrap(), 1);
    saved(store.save(&write).await.unwrap());
    model.assert_is(&load(&store, 0).await);
    models[4].assert_is(&load(&store, 1).await);
}

#[tokio::test]
async fn every_kind_of_damage_is_noticed() {
    for damage in [
        "UPDATE checkpoints SET shared = substr(shared, 1, 3)",
        "UPDATE checkpoints SET shared_crc32 = shared_crc32 + 1",
        "UPDATE checkpoint_segments SET raw_bytes = raw_bytes + 1",
        "UPDATE checkpoint_segments SET raw_bytes = 9000000000000",
        "UPDATE checkpoint_segments SET body = ''",
        "UPDATE checkpoint_segments SET bucket = (bucket + 1) % 4 WHERE kind = 'full'",
        "UPDATE checkpoint_segments SET kind = 'delta', part = 77 WHERE kind = 'full'",
        "DELETE FROM checkpoint_manifest WHERE segment_id = (SELECT min(id) FROM checkpoint_segments)",
    ] {
        let scratch = Scratch::new().await;
        let store = scratch.migrated().await;
        history(&store, 2).await;
        assert!(scratch.run(damage).await > 0, "{damage}");
        for generation in 0..2 {
            let loaded = store.load_newest(&lane(), generation).await;
            let both = matches!(loaded, Err(StoreError::CorruptCheckpoint { .. }));
            // A full image belongs to the generation that wrote it, and to later ones.
            let spared = generation == 1 && damage.contains("DELETE") && loaded.is_ok();
            assert!(both || spared, "{damage}, generation {generation}");
        }
    }
}

#[tokio::test]
async fn the_server_refuses_to_delete_what_is_needed() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    history(&store, 3).await;
    let refused = sqlx::query("DELETE FROM checkpoint_segments").execute(&mut scratch.connection().await).await;
    assert!(refused.unwrap_err().to_string().contains("foreign key"));
}

#[tokio::test]
async fn ten_thousand_entities_in_several_segments() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    let mut model = Model::default();
    // Hard to compress, so that it is the raw size that splits.
    let mut noise = 1_u64;
    for i in 0..10_000 {
        let value: String = (0..150)
            .map(|_| {
                noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                format!("{noise:016x}")
            })
            .collect();
        model.put(&format!("position {i}"), &value);
    }
    let first = saved(store.save(&model.write(1, None, Some(0))).await.unwrap());
    assert!(first.needed_segments > u32::from(BUCKETS) / 2, "{first:?}");
    assert!(first.bytes > 8 << 20);
    model.assert_is(&load(&store, 0).await);
    for i in (0..10_000).step_by(3) {
        model.remove(&format!("position {i}"));
    }
    saved(store.save(&model.write(2, Some(1), Some(1))).await.unwrap());
    model.assert_is(&load(&store, 0).await);
    let longest = scratch.number("SELECT max(raw_bytes) FROM checkpoint_segments").await;
    assert!(longest <= 8 << 20, "{longest}");
}

#[tokio::test]
async fn contradictory_writes_are_refused() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    let mut model = Model::default();
    model.put("a", "1");
    let good = model.write(10, None, None);
    let other = (bucket_of(b"a", BUCKETS) + 1) % BUCKETS;
    let stray = FullBucket { bucket: other, entities: good.dirty.clone() };
    let dead = FullBucket { bucket: bucket_of(b"a", BUCKETS), entities: vec![Entity { key: b"a".to_vec(), value: None }] };
    let none = FullBucket { bucket: BUCKETS, entities: vec![] };
    for bad in [
        CheckpointWrite { full_bucket: Some(stray), ..good.clone() },
        CheckpointWrite { full_bucket: Some(dead), ..good.clone() },
        CheckpointWrite { full_bucket: Some(none), ..good.clone() },
        CheckpointWrite { parent_step: Some(10), ..good.clone() },
        CheckpointWrite { buckets: 0, ..good.clone() },
        CheckpointWrite { step: u64::MAX, ..good.clone() },
    ] {
        let error = store.save(&bad).await.unwrap_err();
        assert!(matches!(error, StoreError::InvalidWrite { .. }), "{error}");
    }
    saved(store.save(&good).await.unwrap());
    let other_buckets = CheckpointWrite { step: 11, parent_step: Some(10), buckets: 8, ..good };
    let error = store.save(&other_buckets).await.unwrap_err();
    assert!(error.to_string().contains("8 buckets upon a checkpoint of 4"), "{error}");
}

#[tokio::test]
async fn lanes_are_apart_and_can_begin_anew() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    let models = history(&store, 3).await;
    let mut other = Model::default();
    other.put("only", "here");
    let write = CheckpointWrite { lane: LaneKey::new("demo", "rebalancer", 2), ..other.write(5, None, None) };
    saved(store.save(&write).await.unwrap());
    models[2].assert_is(&load(&store, 0).await);
    assert_eq!(store.list("demo").await.unwrap().len(), 3);
    assert!(store.list("elsewhere").await.unwrap().is_empty());

    forget(&scratch).await;
    assert!(store.load_newest(&lane(), 0).await.unwrap().is_none());
    assert_eq!(store.list("demo").await.unwrap().len(), 1);
    saved(store.save(&Model::default().write(1, None, None)).await.unwrap());
    assert_eq!(load(&store, 0).await.entities, []);
}
