//! Which lanes of the rebalancer have read a command: where it stands in each lane's commands, and how far the closed steps
//! of that lane have read them. It sends nothing.

use crate::config::Config;
use crate::kafka::stored;
use crate::stored::StoredRecord;
use avro_codec::{SchemaStore, decode_progress};
use domain::command::Command;
use domain::progress::{Begin, Progress};
use domain::{Input, Topic};
use engine::Role as _;
use kafka_log::{Pace, Reader, Start, TopicName};
use rebalancer::Rebalancer;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long the brokers may take to answer while waiting.
const ANSWER: Duration = Duration::from_secs(10);
/// How long one may take to say where a partition ends. The stop is not sent before: a lane that cannot tell is not heard.
const END: Duration = Duration::from_secs(2);
/// How many ask that at once, each for some lanes.
const ASKERS: usize = 8;
/// One look at the topics while waiting.
const LOOK: Duration = Duration::from_millis(50);
/// How long dead letters are listened for after every lane has read it: a refusal stands in the same transaction as the
/// step's end, in another partition.
const AFTERWARDS: Duration = Duration::from_millis(1500);

/// What was heard since before the command was sent.
pub(crate) struct Hearing {
    reader: Reader,
    schemas: SchemaStore,
    command: Command,
    lanes: Vec<Lane>,
}

/// One lane.
#[derive(Debug, Default)]
struct Lane {
    number: i32,
    /// Whether nobody could say where its topics end, so that nothing is heard of it.
    is_deaf: bool,
    /// Code and words with which it refused the command.
    refused: Option<(&'static str, String)>,
    /// Where the command stands.
    place: Option<i64>,
    /// Behind the last command of each step that was begun.
    begun: BTreeMap<i64, i64>,
    /// The closed steps among them.
    done: BTreeMap<i64, i64>,
}

impl Lane {
    /// The first step that was closed and has read the command.
    fn step(&self) -> Option<i64> {
        let place = self.place?;
        self.done.iter().find(|(_, end)| **end > place).map(|(step, _)| *step)
    }
    fn begin(&mut self, begin: &Begin) {
        let ranges = begin.windows.iter().flat_map(|window| &window.ranges);
        if let Some(end) = ranges.filter(|range| range.topic == Topic::Commands).map(|range| range.to).max() {
            self.begun.insert(begin.step, end);
        }
    }
    fn close(&mut self, step: i64) {
        if let Some(end) = self.begun.remove(&step) {
            self.done.insert(step, end);
        }
    }
}

impl Hearing {
    /// Listens to these lanes from now on.
    pub(crate) fn open(config: &Config, schemas: SchemaStore, command: &Command, lanes: &[i32]) -> anyhow::Result<Self> {
        let topics = [Topic::Commands.name(), Topic::Commands.dead_letters(), Rebalancer::PROGRESS.name()].map(TopicName::from);
        super::check_topics(config, &topics)?;
        let starts = ends(config, &topics, lanes);
        let mut reader = Reader::open(&config.kafka, Pace::Live, "command-line")?;
        reader.assign(&starts.values().flatten().cloned().collect::<Vec<_>>())?;
        let lane = |number: &i32| Lane { number: *number, is_deaf: !starts.contains_key(number), ..Lane::default() };
        Ok(Self { reader, schemas, command: command.clone(), lanes: lanes.iter().map(lane).collect() })
    }

    /// Waits until every lane that the command has reached, and that can be heard, has read it; at most so long.
    pub(crate) fn wait(&mut self, limit: Duration, unreached: &BTreeMap<i32, String>) -> anyhow::Result<()> {
        let (end, mut all_read) = (Instant::now() + limit, None);
        loop {
            let mut awaited = self.lanes.iter().filter(|lane| !lane.is_deaf && !unreached.contains_key(&lane.number)).peekable();
            if awaited.peek().is_none() {
                return Ok(());
            }
            if awaited.all(|lane| lane.step().is_some()) {
                all_read.get_or_insert_with(Instant::now);
            }
            if all_read.map_or(Instant::now() >= end, |since: Instant| since.elapsed() >= AFTERWARDS) {
                return Ok(());
            }
            let batch = self.reader.poll_patiently(1_000, LOOK, ANSWER)?;
            for record in batch.records() {
                let topic = batch.topics()[record.topic()].clone();
                self.take(topic.as_str(), record.partition(), &stored(&record))?;
            }
        }
    }

    /// The step in which a lane has read it.
    pub(crate) fn step(&self, lane: i32) -> Option<i64> {
        self.lanes.iter().find(|known| known.number == lane)?.step()
    }

    /// Whether a lane could not be heard.
    pub(crate) fn is_deaf(&self, lane: i32) -> bool {
        self.lanes.iter().any(|known| known.number == lane && known.is_deaf)
    }

    /// Code and words with which a lane refused it.
    pub(crate) fn refused(&self, lane: i32) -> Option<&(&'static str, String)> {
        self.lanes.iter().find(|known| known.number == lane)?.refused.as_ref()
    }

    fn take(&mut self, topic: &str, partition: i32, record: &StoredRecord) -> anyhow::Result<()> {
        let Some(lane) = self.lanes.iter_mut().find(|lane| lane.number == partition) else { return Ok(()) };
        let value = record.value.as_deref().unwrap_or_default();
        if topic == Topic::Commands.name() {
            let read = avro_codec::decode(&self.schemas, Topic::Commands, record.key.as_deref(), record.value.as_deref());
            if let Ok(Input::Command(read)) = read
                && super::is_same(&read, &self.command)
            {
                lane.place.get_or_insert(record.offset);
            }
        } else if topic == Rebalancer::PROGRESS.name() {
            match decode_progress(&self.schemas, value)? {
                Progress::Begin(begin) => lane.begin(&begin),
                Progress::Done(done) => lane.close(done.step),
            }
        } else if let Some(refused) = super::letter(&self.schemas, record, &self.command) {
            lane.refused = Some(refused);
        }
        Ok(())
    }
}

/// Where these topics end, for each lane of which the brokers tell it.
fn ends(config: &Config, topics: &[TopicName], lanes: &[i32]) -> BTreeMap<i32, Vec<Start>> {
    let look = |lanes: &[i32]| -> Vec<(i32, Vec<Start>)> {
        let Ok(reader) = Reader::open(&config.kafka, Pace::Live, "command-line") else { return Vec::new() };
        let start = |topic: &TopicName, partition: i32| {
            let offset = reader.bounds(topic, partition, END).ok()?.stable_end;
            Some(Start { topic: topic.clone(), partition, offset })
        };
        let starts = |lane: i32| topics.iter().map(|topic| start(topic, lane)).collect::<Option<Vec<_>>>();
        lanes.iter().filter_map(|lane| Some((*lane, starts(*lane)?))).collect()
    };
    let share = lanes.len().div_ceil(ASKERS).max(1);
    std::thread::scope(|scope| {
        let looks: Vec<_> = lanes.chunks(share).map(|lanes| scope.spawn(move || look(lanes))).collect();
        looks.into_iter().flat_map(|look| look.join().expect("nothing in it panics")).collect()
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::json;

    fn begin(step: i64, to: i64) -> Begin {
        let ranges = json!([{"topic": "portfolio.drift.v1", "partition": 0, "from": 0, "to": 90},
            {"topic": "portfolio.commands.v1", "partition": 0, "from": 0, "to": to}]);
        serde_json::from_value(json!({"step": step, "rules_version": 1, "lanes": 4, "settings": [], "schemas": [],
            "windows": [{"now": "2026-01-05T14:30:00Z", "behind": false, "ranges": ranges}]}))
        .unwrap()
    }

    #[test]
    fn a_lane_has_read_it_once_the_step_is_closed() {
        let mut lane = Lane::default();
        lane.begin(&begin(7, 4));
        lane.close(7);
        lane.place = Some(4);
        assert_eq!(lane.step(), None, "it was read up to there");
        lane.begin(&begin(8, 5));
        assert_eq!(lane.step(), None, "it is begun");
        lane.close(8);
        lane.close(9);
        assert_eq!(lane.step(), Some(8));
    }
}
