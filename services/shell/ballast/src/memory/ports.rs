//! The worker's ports on memory.

use super::{MemoryLog, ProducerEpoch, Refused};
use crate::messages::step_messages;
use crate::stored::StoredRecord;
use crate::worker::backlog::Backlog;
use crate::worker::ports::{
    CheckpointImage, Checkpoints, LaneReader, LoadError, LoadedImage, Outcome, Past, Polled, PortError, Publisher, Saved,
};
use avro_codec::{SchemaStore, decode_frame, decode_progress};
use conflator::tail_start;
use domain::progress::Progress;
use domain::{SmolStr, Topic};
use engine::lane::Slice;
use engine::{RecordRef, Role, Step};
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

/// Live reading.
pub struct MemoryReader {
    log: MemoryLog,
    positions: Vec<(Topic, i32, i64)>,
    backlog: Backlog,
}

impl MemoryReader {
    /// A reader with nothing assigned.
    pub fn new(log: MemoryLog) -> Self {
        Self { log, positions: Vec::new(), backlog: Backlog::default() }
    }
    /// Whether a poll would bring something.
    pub fn has_news(&self) -> bool {
        self.positions.iter().any(|(topic, partition, position)| self.log.stable_end(topic.name(), *partition) > *position)
    }
    /// Hands over what is there, at most `max` records, and of each partition at most what `allow` says: a broker need
    /// not answer for all of them at once.
    ///
    /// # Errors
    /// When what is to be read next is not in the log.
    pub fn poll_within(
        &mut self,
        max: usize,
        allow: &mut dyn FnMut(Topic, i32) -> usize,
        take: &mut dyn FnMut(Polled<'_>),
    ) -> Result<(), PortError> {
        let mut read: Vec<(Topic, i32, Vec<StoredRecord>)> = Vec::new();
        let mut room = max;
        for (topic, partition, position) in &mut self.positions {
            let (start, end) = (self.log.start(topic.name(), *partition), self.log.end(topic.name(), *partition));
            if *position < start || *position > end {
                return Err(PortError::of(format!(
                    "offset {position} is not in the log of {topic}/{partition}, which spans {start}..{end}"
                )));
            }
            let most = allow(*topic, *partition).min(room);
            let (records, next) = self.log.some(topic.name(), *partition, *position, most);
            // An end is seen by whoever had room for more, as on a broker.
            let whole = records.len() < most;
            room -= records.len();
            *position = next;
            if let Some(last) = records.last() {
                self.backlog.read(*topic, *partition, last.appended);
                read.push((*topic, *partition, records));
            }
            if whole {
                self.backlog.end(*topic, *partition);
            }
        }
        hand_over(&read, &self.backlog, take);
        Ok(())
    }
}

impl LaneReader for MemoryReader {
    fn assign(&mut self, starts: &[(Topic, i32, i64)]) -> Result<(), PortError> {
        self.positions = starts.to_vec();
        self.backlog.assign(starts.iter().map(|(topic, partition, _)| (*topic, *partition)));
        Ok(())
    }
    fn poll(&mut self, max: usize, _wait: Duration, take: &mut dyn FnMut(Polled<'_>)) -> Result<(), PortError> {
        self.poll_within(max, &mut |_, _| usize::MAX, take)
    }
    fn reached_end(&mut self) -> bool {
        self.backlog.all_ended()
    }
}

fn hand_over(read: &[(Topic, i32, Vec<StoredRecord>)], backlog: &Backlog, take: &mut dyn FnMut(Polled<'_>)) {
    let views: Vec<Vec<&dyn RecordRef>> = read.iter().map(|(.., records)| records.iter().map(|r| r as &dyn RecordRef).collect()).collect();
    let slices: Vec<_> = read
        .iter()
        .zip(&views)
        .map(|((topic, partition, records), view)| Slice {
            topic: *topic,
            partition: *partition,
            to: records.last().map_or(0, |r| r.offset + 1),
            records: view.as_slice(),
        })
        .collect();
    let all = || read.iter().flat_map(|(.., records)| records);
    take(Polled { slices: &slices, backlog, newest_event: all().map(RecordRef::timestamp).max() });
}

/// Reading of what was.
pub struct MemoryPast {
    log: MemoryLog,
    progress: Topic,
    lane: i32,
}

impl MemoryPast {
    /// The past of a role's lane.
    pub fn new<R: Role>(log: MemoryLog, lane: i32) -> Self {
        Self { log, progress: R::PROGRESS, lane }
    }
}

impl Past for MemoryPast {
    fn bounds(&mut self, topic: Topic, partition: i32) -> Result<(i64, i64), PortError> {
        Ok((self.log.start(topic.name(), partition), self.log.stable_end(topic.name(), partition)))
    }
    fn range(&mut self, topic: Topic, partition: i32, from: i64, to: i64, take: &mut dyn FnMut(&dyn RecordRef)) -> Result<(), PortError> {
        self.log.range(topic.name(), partition, from, to).iter().for_each(|record| take(record));
        Ok(())
    }
    fn frames_start(&mut self) -> Result<i64, PortError> {
        let start = self.log.start(Topic::Frames.name(), 0);
        let schemas = SchemaStore::compiled();
        let frames = self.log.read(Topic::Frames.name(), 0, start);
        let newest = frames.iter().rev().find_map(|record| decode_frame(&schemas, record.value.as_deref()?).ok());
        newest.map_or(Ok(start), |frame| tail_start(&frame, start).map_err(PortError::of))
    }
    fn progress(&mut self, from: i64) -> Result<Vec<Progress>, PortError> {
        let schemas = SchemaStore::compiled();
        let records = self.log.read(self.progress.name(), self.lane, from);
        let values = records.iter().filter_map(|record| record.value.as_deref());
        values.map(|value| decode_progress(&schemas, value).map_err(PortError::of)).collect()
    }
}

/// Publishing of steps.
pub struct MemoryPublisher {
    log: MemoryLog,
    role: &'static str,
    progress: Topic,
    lane: i32,
    epoch: Option<ProducerEpoch>,
    outcomes: VecDeque<Outcome>,
}

impl MemoryPublisher {
    /// A publisher that has not taken the lane over yet.
    pub fn new<R: Role>(log: MemoryLog, lane: i32) -> Self {
        Self { log, role: R::NAME, progress: R::PROGRESS, lane, epoch: None, outcomes: VecDeque::new() }
    }
    fn id(&self) -> String {
        format!("{}.{}", self.role, self.lane)
    }
}

impl Publisher for MemoryPublisher {
    fn take_over(&mut self, _let_go: &dyn Fn() -> bool) -> Result<(), PortError> {
        let id = self.id();
        loop {
            match self.log.take_over(&id) {
                Ok(epoch) => {
                    self.epoch = Some(epoch);
                    return Ok(());
                }
                Err(Refused::Concurrent) => while self.log.write_marker(&id, false) {},
                Err(refused) => return Err(PortError::later(refused)),
            }
        }
    }
    fn submit(&mut self, step: Step) -> Result<(), PortError> {
        if !self.epoch.is_some_and(|epoch| self.log.holds(&self.id(), epoch)) {
            self.outcomes.push_back(Outcome::Fenced);
            return Ok(());
        }
        let messages = step_messages(self.role, self.progress, self.lane, step);
        self.log.commit(std::iter::once(messages.begin).chain(messages.outputs).chain([messages.done]));
        self.outcomes.push_back(Outcome::Confirmed { step: messages.step, took: Duration::ZERO, recycled: false });
        Ok(())
    }
    fn outcome(&mut self, _wait: Duration) -> Option<Outcome> {
        self.outcomes.pop_front()
    }
    fn progress_end(&mut self) -> Result<i64, PortError> {
        Ok(self.log.stable_end(self.progress.name(), self.lane))
    }
}

/// Buckets of entities, written whole in turn.
const BUCKETS: u16 = 16;

#[derive(Debug, Default)]
struct Kept {
    images: VecDeque<LoadedImage>,
    saves: u16,
}

/// Checkpoints; clones share them.
#[derive(Debug, Clone, Default)]
pub struct MemoryCheckpoints {
    kept: Rc<RefCell<Kept>>,
    last: Option<Saved>,
}

impl MemoryCheckpoints {
    /// Some that are there already, the newest first.
    pub fn of(images: impl IntoIterator<Item = LoadedImage>) -> Self {
        let kept = Kept { images: images.into_iter().collect(), saves: 0 };
        Self { kept: Rc::new(RefCell::new(kept)), last: None }
    }
}

impl Checkpoints for MemoryCheckpoints {
    fn load(&mut self, generation: u8) -> Result<Option<LoadedImage>, LoadError> {
        Ok(self.kept.borrow().images.get(usize::from(generation)).cloned())
    }
    fn save(&mut self, image: CheckpointImage) {
        let mut kept = self.kept.borrow_mut();
        let newest = kept.images.front();
        let newest_step = newest.map(|n| n.step);
        if newest_step != image.parent {
            self.last = Some(Saved::Overtaken { newest: newest_step });
            return;
        }
        let before = newest.map(|n| n.entities.clone()).unwrap_or_default();
        let mut entities: BTreeMap<SmolStr, Vec<u8>> = before.into_iter().collect();
        for (key, bytes) in image.changed {
            match bytes {
                Some(bytes) => entities.insert(key, bytes),
                None => entities.remove(&key),
            };
        }
        let bytes = image.shared.len();
        kept.images.push_front(LoadedImage {
            step: image.step,
            progress_from: image.progress_from,
            shared: image.shared,
            entities: entities.into_iter().collect(),
        });
        kept.images.truncate(2);
        kept.saves = kept.saves.wrapping_add(1);
        self.last = Some(Saved::Kept { step: image.step, bytes, took: Duration::ZERO });
    }
    fn saved(&mut self, _wait: Duration) -> Option<Saved> {
        self.last.take()
    }
    fn discard_newer(&mut self, step: i64) -> Result<(), PortError> {
        self.kept.borrow_mut().images.retain(|image| image.step <= step);
        Ok(())
    }
    fn bucket_in_turn(&self) -> u16 {
        self.kept.borrow().saves % BUCKETS
    }
    fn bucket_of(&self, key: &str) -> u16 {
        key.bytes().fold(0_u16, |hash, byte| hash.wrapping_mul(31).wrapping_add(u16::from(byte))) % BUCKETS
    }
}
