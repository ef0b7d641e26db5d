//! A log, a store of checkpoints that can be made to fail, and the lives of one lane on them.

use crate::role::{Words, at, portfolio};
use avro_codec::{SchemaStore, encode_frame};
use ballast::avro::AvroCodec;
use ballast::memory::{MemoryCheckpoints, MemoryLog, MemoryPast, MemoryPublisher, MemoryReader};
use ballast::messages::{OutMessage, input_message};
use ballast::worker::observer::{Observer, Silent};
use ballast::worker::pacing::Pacing;
use ballast::worker::ports::{CheckpointImage, Checkpoints, LoadError, LoadedImage, PortError, Saved};
use ballast::worker::steady::MachineTime;
use ballast::worker::{LaneHalt, LaneWorker, Ports, Target, Turn, recover};
use domain::frame::{Frame, FrameSource};
use domain::refresh::Refresh;
use domain::{Input, SmolStr, Timestamp, Topic, Uuid};
use engine::Settings;
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

/// What happens to a save.
pub enum Trick {
    /// It is stored, and the answer gets lost.
    AnswerLost,
    /// It fails.
    Fails,
    /// It is kept back, to be stored later by [`Store::deliver`], and counts as failed.
    Delayed,
    /// It never ends.
    Hangs,
}

#[derive(Default)]
struct Script {
    tricks: VecDeque<Trick>,
    always_fails: bool,
    delayed: Vec<CheckpointImage>,
    unreadable: BTreeMap<u8, LoadError>,
    answer: Option<Saved>,
    saves: usize,
    asked: usize,
}

/// Checkpoints in memory that fail as told; clones share them.
#[derive(Clone, Default)]
pub struct Store {
    inner: MemoryCheckpoints,
    script: Rc<RefCell<Script>>,
}

impl Store {
    pub fn trick(&self, trick: Trick) {
        self.script.borrow_mut().tricks.push_back(trick);
    }
    pub fn fail(&self, fails: bool) {
        self.script.borrow_mut().always_fails = fails;
    }
    pub fn unreadable(&self, generation: u8, why: LoadError) {
        self.script.borrow_mut().unreadable.insert(generation, why);
    }
    pub fn readable(&self) {
        self.script.borrow_mut().unreadable.clear();
    }
    /// Stores what was delayed, as the connection of an earlier life would.
    pub fn deliver(&self) {
        let delayed = std::mem::take(&mut self.script.borrow_mut().delayed);
        delayed.into_iter().for_each(|image| self.inner.clone().save(image));
    }
    /// Steps of what is stored, newest first.
    pub fn steps(&self) -> Vec<i64> {
        (0..2).filter_map(|generation| self.inner.clone().load(generation).unwrap()).map(|image| image.step).collect()
    }
    /// How often something was saved, and how often the outcome was asked for.
    pub fn calls(&self) -> (usize, usize) {
        let script = self.script.borrow();
        (script.saves, script.asked)
    }
}

impl Checkpoints for Store {
    fn load(&mut self, generation: u8) -> Result<Option<LoadedImage>, LoadError> {
        match self.script.borrow().unreadable.get(&generation) {
            Some(error) => Err(error.clone()),
            None => self.inner.load(generation),
        }
    }
    fn save(&mut self, image: CheckpointImage) {
        let trick = self.script.borrow_mut().tricks.pop_front();
        let failed = || Some(Saved::Failed(PortError::later("Postgres is away")));
        self.script.borrow_mut().saves += 1;
        let answer = match trick {
            _ if self.script.borrow().always_fails => failed(),
            Some(Trick::Fails) => failed(),
            Some(Trick::Hangs) => None,
            Some(Trick::Delayed) => {
                self.script.borrow_mut().delayed.push(image);
                failed()
            }
            Some(Trick::AnswerLost) => {
                self.inner.save(image);
                self.inner.saved(Duration::ZERO).and_then(|_| failed())
            }
            None => {
                self.inner.save(image);
                self.inner.saved(Duration::ZERO)
            }
        };
        self.script.borrow_mut().answer = answer;
    }
    fn saved(&mut self, wait: Duration) -> Option<Saved> {
        let mut script = self.script.borrow_mut();
        script.asked += 1;
        if script.answer.is_none() {
            std::thread::sleep(wait);
        }
        script.answer.take()
    }
    fn discard_newer(&mut self, step: i64) -> Result<(), PortError> {
        self.inner.discard_newer(step)
    }
    fn bucket_in_turn(&self) -> u16 {
        self.inner.bucket_in_turn()
    }
    fn bucket_of(&self, key: &str) -> u16 {
        self.inner.bucket_of(key)
    }
}

/// Everything that outlives a lane's life.
pub struct World {
    pub log: MemoryLog,
    pub store: Store,
    pub pacing: Pacing,
    pub core: Settings,
    pub schemas: SchemaStore,
    pub lanes: i32,
    pub genesis: bool,
    pub clock: Timestamp,
    pub steady: MachineTime,
}

impl Default for World {
    fn default() -> Self {
        // Every window is a step.
        let pacing = Pacing { window_ms: 0, commit_ms: 0, busy_commit_ms: 0, idle_commit_ms: 0, checkpoint_ms: 0, ..Pacing::default() };
        let (core, schemas) = (Settings::default(), SchemaStore::compiled());
        let log = MemoryLog::new();
        log.set_clock(at(0));
        Self { log, store: Store::default(), pacing, core, schemas, lanes: 1, genesis: false, clock: at(0), steady: MachineTime::default() }
    }
}

impl World {
    pub fn say(&self, word: &str) -> i64 {
        let refresh = Refresh { request_id: Uuid::nil(), portfolio_id: portfolio(), why: word.into() };
        let input = Input::Refresh(Box::new(refresh));
        self.log.append(input_message(&input, at(0), "/test", word, 1).unwrap())
    }
    pub fn close_policy(&self) {
        let closed = Input::PolicyClosed(portfolio());
        self.log.append(input_message(&closed, at(0), "/test", "policy", 1).unwrap());
    }
    /// A record of a topic as it is.
    pub fn put(&self, topic: Topic, value: &[u8]) -> i64 {
        let value = Some(value.to_vec());
        self.log.append(OutMessage { topic: topic.name(), partition: 0, key: Some(b"p".to_vec()), value, headers: Vec::new() })
    }
    /// A frame of ticks.
    pub fn frame(&self, from: i64, to: i64, anchor: i64) -> i64 {
        let sources = vec![FrameSource { topic: Topic::Ticks, partition: 0, from, to }];
        let mut value = Vec::new();
        encode_frame(&Frame { sources, anchor, ..Frame::default() }, &mut value).unwrap();
        self.put(Topic::Frames, &value)
    }
    pub fn progress_end(&self) -> i64 {
        self.log.end(Topic::RebalancerProgress.name(), 0)
    }
    pub fn trim_progress(&self, below: i64) {
        self.log.trim(Topic::RebalancerProgress.name(), 0, below);
    }

    /// Begins a life of the lane.
    pub fn live(&self) -> Result<Life, LaneHalt> {
        self.live_before(Box::new(Silent))
    }
    /// The same, before somebody who listens.
    pub fn live_before(&self, observer: Box<dyn Observer>) -> Result<Life, LaneHalt> {
        let mut publisher = MemoryPublisher::new::<Words>(self.log.clone(), 0);
        let mut past = MemoryPast::new::<Words>(self.log.clone(), 0);
        let mut reader = MemoryReader::new(self.log.clone());
        let mut codec = AvroCodec::replaying(self.schemas.clone());
        let mut store = self.store.clone();
        let target = Target { lane: 0, lanes: self.lanes, genesis: self.genesis };
        let recovered = recover(target, &Words::default, &mut codec, &mut past, &mut store, &mut publisher, &|| false)?;
        let replayed = recovered.replayed;
        let mut ports =
            Ports { reader: &mut reader, publisher: &mut publisher, checkpoints: &mut store, codec: &mut codec, steady: &self.steady };
        let worker = LaneWorker::start(recovered, &self.core, self.pacing.clone(), observer, &mut ports)?;
        Ok(Life { worker, reader, publisher, codec, store, steady: self.steady, replayed })
    }
    /// The same, and lets it digest what is there.
    pub fn run(&self) -> Result<Life, LaneHalt> {
        let mut life = self.live()?;
        life.digest(self)?;
        Ok(life)
    }
}

/// One life of the lane.
pub struct Life {
    pub worker: LaneWorker<Words>,
    pub replayed: u64,
    reader: MemoryReader,
    publisher: MemoryPublisher,
    codec: AvroCodec,
    store: Store,
    steady: MachineTime,
}

impl Life {
    pub fn turn(&mut self, world: &World) -> Result<Turn, LaneHalt> {
        let checkpoints = &mut self.store;
        let mut ports =
            Ports { reader: &mut self.reader, publisher: &mut self.publisher, checkpoints, codec: &mut self.codec, steady: &self.steady };
        self.worker.turn(world.clock, &mut ports)
    }
    pub fn finish(&mut self, budget: Duration) -> Result<bool, LaneHalt> {
        let checkpoints = &mut self.store;
        let mut ports =
            Ports { reader: &mut self.reader, publisher: &mut self.publisher, checkpoints, codec: &mut self.codec, steady: &self.steady };
        self.worker.finish(budget, &mut ports)
    }
    /// Turns until nothing moves.
    pub fn digest(&mut self, world: &World) -> Result<(), LaneHalt> {
        let mut quiet = 0;
        while quiet < 4 {
            let before = (self.step(), world.store.steps());
            assert_eq!(self.turn(world)?, Turn::Running);
            quiet = if (self.step(), world.store.steps()) == before { quiet + 1 } else { 0 };
        }
        Ok(())
    }
    pub fn step(&self) -> i64 {
        self.worker.confirmed()
    }
    pub fn count(&self, word: &str) -> u64 {
        self.worker.lane().role().count(word)
    }
    /// The whole state: the shared part and every entity.
    pub fn state(&self) -> (Vec<u8>, Vec<(SmolStr, Vec<u8>)>) {
        use engine::Image;
        let role = self.worker.lane().role();
        (self.worker.lane().shared_image(), role.entity_keys().into_iter().map(|key| (key.clone(), role.entity(&key).unwrap())).collect())
    }
}

/// The text of a halt.
pub fn halted(result: Result<Life, LaneHalt>) -> String {
    match result {
        Ok(life) => panic!("the lane runs at step {}", life.step()),
        Err(halt) => halt.to_string(),
    }
}
