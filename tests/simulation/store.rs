//! The store of checkpoints: two generations a lane, compare-and-set on the parent, and all that may go wrong on the
//! way there and back. What is kept is kept whole, as in one transaction; what fails its check says so.

use crate::faults::Fault;
use crate::planted::Planted;
use crate::stage::Hand;
use crate::world::World;
use ballast::memory::MemoryCheckpoints;
use ballast::messages::{DONE, done_of};
use ballast::worker::ports::{CheckpointImage, Checkpoints, LoadError, LoadedImage, PortError, Saved};
use domain::{SmolStr, Topic};
use engine::Role;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Buckets of entities, written whole in turn.
const BUCKETS: u16 = 16;

/// One lane's checkpoints, newest first.
#[derive(Default)]
pub struct Shelf {
    images: VecDeque<LoadedImage>,
    saves: u16,
}

/// The store.
#[derive(Default)]
pub struct Shelves(BTreeMap<(&'static str, i32), Shelf>);

impl Shelves {
    /// The newest step kept of each lane.
    pub fn newest(&self) -> Vec<(&'static str, i32, i64)> {
        self.0.iter().filter_map(|((role, lane), shelf)| Some((*role, *lane, shelf.images.front()?.step))).collect()
    }
    /// The step of the older of a lane's two checkpoints, and the offset in its progress behind which it stands.
    pub fn older(&self, role: &'static str, lane: i32) -> Option<(i64, i64)> {
        self.0.get(&(role, lane))?.images.get(1).map(|image| (image.step, image.progress_from))
    }
    /// The newest step kept of a lane, 0 without any.
    pub fn newest_of(&self, role: &'static str, lane: i32) -> i64 {
        self.0.get(&(role, lane)).and_then(|shelf| shelf.images.front()).map_or(0, |image| image.step)
    }
    /// What a replay may begin from.
    pub fn kept<R: Role>(&self, lane: i32) -> MemoryCheckpoints {
        MemoryCheckpoints::of(self.0.get(&(R::NAME, lane)).into_iter().flat_map(|shelf| shelf.images.iter().cloned()))
    }
    fn of(&mut self, role: &'static str, lane: i32) -> &mut Shelf {
        self.0.entry((role, lane)).or_default()
    }
}

impl Shelf {
    /// Keeps an image whose parent is the newest.
    fn keep(&mut self, image: CheckpointImage) -> Saved {
        let newest = self.images.front();
        if newest.is_some_and(|kept| kept.step == image.step) && self.images.get(1).map(|kept| kept.step) == image.parent {
            return Saved::Kept { step: image.step, bytes: 0, took: Duration::ZERO };
        }
        let newest_step = newest.map(|kept| kept.step);
        if newest_step != image.parent {
            return Saved::Overtaken { newest: newest_step };
        }
        let mut entities: BTreeMap<SmolStr, Vec<u8>> = newest.map(|kept| kept.entities.clone()).unwrap_or_default().into_iter().collect();
        for (key, bytes) in image.changed {
            match bytes {
                Some(bytes) => entities.insert(key, bytes),
                None => entities.remove(&key),
            };
        }
        // What is written whole stands for all that was known of its bucket.
        if let Some((bucket, whole)) = image.full_bucket {
            entities.retain(|key, _| bucket_of(key) != bucket);
            entities.extend(whole);
        }
        let (step, bytes) = (image.step, image.shared.len());
        let entities = entities.into_iter().collect();
        self.images.push_front(LoadedImage { step, progress_from: image.progress_from, shared: image.shared, entities });
        self.images.truncate(2);
        self.saves = self.saves.wrapping_add(1);
        Saved::Kept { step, bytes, took: Duration::ZERO }
    }
}

fn bucket_of(key: &str) -> u16 {
    key.bytes().fold(0_u16, |hash, byte| hash.wrapping_mul(31).wrapping_add(u16::from(byte))) % BUCKETS
}

/// A lane's way to the store.
pub struct SimCheckpoints<'a> {
    hand: &'a Hand<'a>,
    role: &'static str,
    progress: Topic,
    lane: i32,
    answer: Option<(Duration, Saved)>,
}

impl<'a> SimCheckpoints<'a> {
    /// The checkpoints of a role's lane.
    pub fn new<R: Role>(hand: &'a Hand<'a>, lane: i32) -> Self {
        Self { hand, role: R::NAME, progress: R::PROGRESS, lane, answer: None }
    }
    fn world(&self) -> &World {
        self.hand.world
    }
    fn keep(&self, image: CheckpointImage) -> Saved {
        keep(self.world(), self.role, self.progress, self.lane, image)
    }
}

fn keep(world: &World, role: &'static str, progress: Topic, lane: i32, image: CheckpointImage) -> Saved {
    let step = image.step;
    let saved = world.shelves.borrow_mut().of(role, lane).keep(image);
    if matches!(saved, Saved::Kept { .. }) {
        let done = last_done(world, progress, lane);
        if done < step {
            world.wrong(format!("I6: the checkpoint of {role} lane {lane} stands at step {step}, the last visible one is {done}"));
        }
    }
    world.note("saved", saved_name(&saved), || format!("{role} lane {lane} step {step}: {saved:?}"));
    saved
}

fn saved_name(saved: &Saved) -> &'static str {
    match saved {
        Saved::Kept { .. } => "kept",
        Saved::Overtaken { .. } => "overtaken",
        Saved::Failed(_) => "failed",
    }
}

/// The last step of a lane that every reader sees.
pub fn last_done(world: &World, progress: Topic, lane: i32) -> i64 {
    let from = (world.log.stable_end(progress.name(), lane) - 400).max(0);
    let records = world.log.read(progress.name(), lane, from).into_iter().rev();
    let steps = records.filter_map(|record| {
        let header = record.headers.iter().rev().find(|header| header.name == DONE)?;
        done_of(&header.value).and_then(|(step, _)| i64::try_from(step).ok())
    });
    steps.max().unwrap_or(0)
}

impl Checkpoints for SimCheckpoints<'_> {
    fn load(&mut self, generation: u8) -> Result<Option<LoadedImage>, LoadError> {
        self.hand.effect();
        self.hand.latency(500, 5_000);
        if self.world().strikes(Fault::LoadFails) {
            return Err(PortError::later("the store gave no answer").into());
        }
        let image = self.world().shelves.borrow_mut().of(self.role, self.lane).images.get(usize::from(generation)).cloned();
        let older = self.world().shelves.borrow_mut().of(self.role, self.lane).images.len() > 1;
        if generation == 0 && older && self.world().strikes(Fault::Corrupt) {
            return Err(LoadError::Corrupt("the checksum of a segment".to_owned()));
        }
        let name = if image.is_none() {
            "nothing"
        } else if generation == 0 {
            "newest"
        } else {
            "older"
        };
        self.world().note("loaded", name, || format!("{} lane {}", self.role, self.lane));
        Ok(image)
    }
    fn save(&mut self, mut image: CheckpointImage) {
        self.hand.effect();
        if self.world().errs(Planted::CheckpointForgets) {
            image.changed.pop();
            image.full_bucket = None;
        }
        let (world, role, lane, progress) = (self.hand.world, self.role, self.lane, self.progress);
        let slow = world.strikes(Fault::SaveSlow);
        let took = Duration::from_millis(world.chance.between("save", 1, if slow { 8_000 } else { 40 }));
        let failed = || Saved::Failed(PortError::later("the store did not say that it was kept"));
        let saved = if world.strikes(Fault::SaveFails) {
            failed()
        } else if world.strikes(Fault::SaveLate) {
            let late = Duration::from_millis(world.chance.between("save.late", 10, 15_000));
            world.agenda.borrow_mut().after(late, move |world| drop(keep(world, role, progress, lane, image)));
            failed()
        } else {
            let saved = self.keep(image);
            if world.strikes(Fault::SaveAnswerLost) { failed() } else { saved }
        };
        if world.strikes(Fault::PutBack) {
            let mut shelves = world.shelves.borrow_mut();
            let shelf = shelves.of(role, lane);
            if shelf.images.len() > 1 {
                shelf.images.pop_front();
            }
        }
        self.answer = Some((world.now() + took, saved));
        self.hand.effect();
    }
    fn saved(&mut self, wait: Duration) -> Option<Saved> {
        let (at, _) = self.answer.as_ref()?;
        if *at > self.hand.world.now() {
            if wait.is_zero() {
                return None;
            }
            self.hand.pass(wait.min(*at - self.hand.world.now()));
        }
        self.answer.take_if(|(at, _)| *at <= self.hand.world.now()).map(|(_, saved)| saved)
    }
    fn discard_newer(&mut self, step: i64) -> Result<(), PortError> {
        self.hand.effect();
        self.world().note("branch", "fell-back-to-older-checkpoint", || format!("{} lane {}", self.role, self.lane));
        self.world().shelves.borrow_mut().of(self.role, self.lane).images.retain(|image| image.step <= step);
        Ok(())
    }
    fn bucket_in_turn(&self) -> u16 {
        self.hand.world.shelves.borrow_mut().of(self.role, self.lane).saves % BUCKETS
    }
    fn bucket_of(&self, key: &str) -> u16 {
        bucket_of(key)
    }
}
