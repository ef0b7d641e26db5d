//! What the topics hold of one lane, bytes and all. Lanes follow each other, so that memory is bounded by the largest.
//!
//! Where every partition ends is asked before anything is read, of progress first: what a step has read and written is
//! then there, also while the service goes on.

use crate::config::Config;
use crate::kafka::stored;
use crate::stored::StoredRecord;
use crate::topic_layout::specs;
use crate::verify::{SeenRecord, lane_by_lane};
use crate::worker::ports::{Past, PortError};
use avro_codec::{SchemaStore, decode_frame, decode_progress};
use conflator::tail_start;
use domain::Topic;
use domain::progress::Progress;
use engine::RecordRef;
use kafka_log::{Pace, Reader, TopicName, Topics};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long one partition may take to be read.
const PATIENCE: Duration = Duration::from_secs(600);

/// A partition's topic and number.
type Place = (String, i32);

/// One lane's share of the log, and where all of it begins and ends.
pub(super) struct Share {
    reader: Reader,
    lanes: i32,
    /// The lane whose records are held.
    lane: i32,
    bounds: BTreeMap<Place, (i64, i64)>,
    records: BTreeMap<Place, Vec<StoredRecord>>,
    /// Records read so far, by topic.
    pub(super) counts: BTreeMap<String, u64>,
}

impl Share {
    /// Finds where every partition begins and ends; holds nothing yet.
    pub(super) fn open(config: &Config) -> anyhow::Result<Self> {
        let topics = Topics::open(&config.kafka)?;
        let mut names: Vec<_> = specs(config).into_iter().map(|spec| spec.name).collect();
        names.sort_by_key(|name| !name.as_str().contains(".progress."));
        let reader = Reader::open(&config.kafka, Pace::Recovery, "verify")?;
        let mut share =
            Self { reader, lanes: config.lanes, lane: -1, bounds: BTreeMap::new(), records: BTreeMap::new(), counts: BTreeMap::new() };
        for topic in topics.describe(&names)? {
            if topic.name.as_str() == Topic::Fills.name() && topic.partitions != config.lanes {
                anyhow::bail!(
                    "{} has {} partitions, and lanes is {}: verify with the lanes that the service runs with",
                    topic.name,
                    topic.partitions,
                    config.lanes
                );
            }
            for partition in 0..topic.partitions {
                let bounds = share.reader.bounds(&topic.name, partition, PATIENCE)?;
                share.bounds.insert((topic.name.as_str().to_owned(), partition), (bounds.start, bounds.stable_end));
            }
        }
        Ok(share)
    }

    /// Holds the records of a lane instead of those of the one before; the first is 0.
    pub(super) fn turn_to(&mut self, lane: i32) -> anyhow::Result<()> {
        self.lane = lane;
        self.records.retain(|(topic, _), _| lane_by_lane::is_for_all(topic));
        let concerns = |(topic, partition): &&Place| lane_by_lane::may_concern(topic, *partition, lane, self.lanes);
        let wanted: Vec<Place> = self.bounds.keys().filter(concerns).cloned().collect();
        for place in wanted {
            if !self.records.contains_key(&place) {
                let records = self.read(&place)?;
                *self.counts.entry(place.0.clone()).or_default() += records.len() as u64;
                self.records.insert(place, records);
            }
        }
        Ok(())
    }

    fn read(&mut self, place: &Place) -> anyhow::Result<Vec<StoredRecord>> {
        let (bounds, mut records) = (self.bounds[place], Vec::new());
        if bounds.0 < bounds.1 {
            let topic = TopicName::from(place.0.as_str());
            self.reader.read_range(&topic, place.1, bounds, PATIENCE, |record| records.push(stored(record)))?;
        }
        Ok(records)
    }

    /// The records that concern the lane.
    pub(super) fn seen(&self) -> impl Iterator<Item = SeenRecord<'_>> {
        let all = self
            .records
            .iter()
            .flat_map(|((topic, partition), records)| records.iter().map(move |record| SeenRecord::of(topic, *partition, record.clone())));
        all.filter(|record| lane_by_lane::concerns(record, self.lane, self.lanes))
    }

    /// Keys of the records that the lane's books stand in.
    pub(super) fn keys(&self) -> impl Iterator<Item = &[u8]> {
        [Topic::Ledger, Topic::Snapshots].into_iter().flat_map(|topic| self.of(topic, self.lane)).filter_map(|record| record.key.as_deref())
    }

    /// First offset that each of the lane's partitions still holds.
    pub(super) fn starts(&self) -> BTreeMap<Place, i64> {
        self.records.keys().map(|place| (place.clone(), self.bounds[place].0)).collect()
    }

    /// The past of the lane for a role with this progress topic.
    pub(super) fn past(&self, progress: Topic) -> SharePast<'_> {
        SharePast { share: self, progress }
    }

    fn of(&self, topic: Topic, partition: i32) -> &[StoredRecord] {
        self.records.get(&(topic.name().to_owned(), partition)).map_or(&[], Vec::as_slice)
    }
}

/// The past of one lane, out of what was read.
pub(super) struct SharePast<'a> {
    share: &'a Share,
    progress: Topic,
}

impl Past for SharePast<'_> {
    fn bounds(&mut self, topic: Topic, partition: i32) -> Result<(i64, i64), PortError> {
        Ok(self.share.bounds.get(&(topic.name().to_owned(), partition)).copied().unwrap_or((0, 0)))
    }
    fn range(&mut self, topic: Topic, partition: i32, from: i64, to: i64, take: &mut dyn FnMut(&dyn RecordRef)) -> Result<(), PortError> {
        let records = self.share.of(topic, partition);
        let start = records.partition_point(|record| record.offset < from);
        records[start..].iter().take_while(|record| record.offset < to).for_each(|record| take(record));
        Ok(())
    }
    fn frames_start(&mut self) -> Result<i64, PortError> {
        let (first, _) = self.bounds(Topic::Frames, 0)?;
        let schemas = SchemaStore::compiled();
        let newest = self.share.of(Topic::Frames, 0).iter().rev().find_map(|r| decode_frame(&schemas, r.value.as_deref()?).ok());
        newest.map_or(Ok(first), |frame| tail_start(&frame, first).map_err(PortError::of))
    }
    fn progress(&mut self, from: i64) -> Result<Vec<Progress>, PortError> {
        let schemas = SchemaStore::compiled();
        let records = self.share.of(self.progress, self.share.lane).iter().filter(|record| record.offset >= from);
        records.filter_map(|r| r.value.as_deref()).map(|value| decode_progress(&schemas, value).map_err(PortError::of)).collect()
    }
}
