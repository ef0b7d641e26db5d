//! `ballast verify`: reads every topic from its beginning, as far as it is kept, and checks the invariants. I7 is
//! checked by the engine, which replays the steps; all others by a model that shares no code with it.

pub mod replayed;

use crate::avro::AvroCodec;
use crate::checkpoints::PostgresCheckpoints;
use crate::cli::VerifyArgs;
use crate::config::Config;
use crate::kafka::stored;
use crate::print;
use crate::stored::StoredRecord;
use crate::topic_layout::specs;
use crate::verify::{Check, Checkpoint, Given, Report, SeenRecord, verify};
use crate::worker::ports::{Checkpoints, Past, PortError};
use crate::worker::recovery::{LaneHalt, Target};
use anyhow::Context as _;
use avro_codec::{SchemaStore, decode_frame, decode_progress};
use conflator::tail_start;
use domain::Topic;
use domain::progress::Progress;
use engine::{RecordRef, Role};
use kafka_log::{Pace, Reader, TopicName, Topics};
use paper_router::PaperRouter;
use performance_tracker::PerformanceTracker;
use position_keeper::PositionKeeper;
use postgres_store::Store;
use rebalancer::Rebalancer;
use replayed::{Replayed, replayed};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

/// How long one partition may take to be read.
const PATIENCE: Duration = Duration::from_secs(600);

/// Prints the table; exit status 1 when a check failed.
pub fn run(config: &Config, args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let report = report(config, args)?;
    print::last(report.to_string().trim_end())?;
    Ok(ExitCode::from(report.exit_status()))
}

/// Reads everything and checks it.
pub fn report(config: &Config, args: &VerifyArgs) -> anyhow::Result<Report> {
    // Checkpoints first: what they hold is in the topics by then.
    let kept = if args.without_postgres { None } else { Some(Kept::open(config)?) };
    let checkpoints = kept.as_ref().map_or_else(|| Ok(Vec::new()), Kept::list)?;
    let everything = Everything::read(config)?;
    let schemas = config.schemas.load()?;
    let given = Given { checkpoints, compacted: args.compacted, schemas: schemas.clone(), starts: everything.starts() };
    let mut report = verify(everything.seen(), &given);
    let mut replay = Replay { everything: &everything, kept: kept.as_ref(), schemas, lanes: config.lanes, report: &mut report };
    replay.run();
    Ok(report)
}

/// The checkpoints of the deployment.
struct Kept {
    store: Store,
    runtime: tokio::runtime::Runtime,
    deployment: String,
}

impl Kept {
    fn open(config: &Config) -> anyhow::Result<Self> {
        // With a thread of its own: checkpoints are loaded through its handle.
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let store = runtime.block_on(async { Store::new(&config.postgres) })?;
        Ok(Self { store, runtime, deployment: config.kafka.deployment.clone() })
    }
    fn list(&self) -> anyhow::Result<Vec<Checkpoint>> {
        let listed = self.runtime.block_on(self.store.list(&self.deployment));
        let listed = listed.context("--without-postgres leaves the checkpoints out")?;
        let checkpoint = |info: &postgres_store::checkpoints::CheckpointInfo| {
            let (lane, step) = (i32::try_from(info.lane.lane)?, i64::try_from(info.step)?);
            anyhow::Ok(Checkpoint { role: info.lane.role.clone(), lane, step })
        };
        listed.iter().map(checkpoint).collect()
    }
    fn of(&self, role: &str, lane: i32, lanes: i32) -> PostgresCheckpoints {
        let handle = self.runtime.handle().clone();
        PostgresCheckpoints::new(self.store.clone(), handle, &self.deployment, role, lane.unsigned_abs(), lanes.unsigned_abs())
    }
}

/// Every committed record of every topic.
struct Everything {
    records: BTreeMap<(String, i32), Vec<StoredRecord>>,
    bounds: BTreeMap<(String, i32), (i64, i64)>,
}

impl Everything {
    fn read(config: &Config) -> anyhow::Result<Self> {
        let topics = Topics::open(&config.kafka)?;
        let names: Vec<_> = specs(config).into_iter().map(|spec| spec.name).collect();
        let mut reader = Reader::open(&config.kafka, Pace::Recovery, "verify")?;
        let mut all = Self { records: BTreeMap::new(), bounds: BTreeMap::new() };
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
                all.read_partition(&mut reader, &topic.name, partition)?;
            }
        }
        Ok(all)
    }

    fn read_partition(&mut self, reader: &mut Reader, topic: &TopicName, partition: i32) -> anyhow::Result<()> {
        let bounds = reader.bounds(topic, partition, PATIENCE)?;
        let mut records = Vec::new();
        if bounds.start < bounds.stable_end {
            reader.read_range(topic, partition, (bounds.start, bounds.stable_end), PATIENCE, |record| records.push(stored(record)))?;
        }
        let place = (topic.as_str().to_owned(), partition);
        self.bounds.insert(place.clone(), (bounds.start, bounds.stable_end));
        self.records.insert(place, records);
        Ok(())
    }

    fn seen(&self) -> impl Iterator<Item = SeenRecord<'_>> {
        self.records.iter().flat_map(|((topic, partition), records)| {
            records.iter().map(move |record| SeenRecord {
                topic,
                partition: *partition,
                offset: record.offset,
                appended: record.appended,
                key: record.key.clone(),
                value: record.value.clone(),
                headers: record.headers.iter().map(|header| (header.name.to_string(), header.value.clone())).collect(),
            })
        })
    }

    fn starts(&self) -> BTreeMap<(String, i32), i64> {
        self.bounds.iter().map(|(place, (start, _))| (place.clone(), *start)).collect()
    }

    fn of(&self, topic: Topic, partition: i32) -> &[StoredRecord] {
        self.records.get(&(topic.name().to_owned(), partition)).map_or(&[], Vec::as_slice)
    }
}

/// The past of one lane, out of what was read.
struct ReadPast<'a> {
    everything: &'a Everything,
    progress: Topic,
    lane: i32,
}

impl Past for ReadPast<'_> {
    fn bounds(&mut self, topic: Topic, partition: i32) -> Result<(i64, i64), PortError> {
        Ok(self.everything.bounds.get(&(topic.name().to_owned(), partition)).copied().unwrap_or((0, 0)))
    }
    fn range(&mut self, topic: Topic, partition: i32, from: i64, to: i64, take: &mut dyn FnMut(&dyn RecordRef)) -> Result<(), PortError> {
        let records = self.everything.of(topic, partition);
        let start = records.partition_point(|record| record.offset < from);
        records[start..].iter().take_while(|record| record.offset < to).for_each(|record| take(record));
        Ok(())
    }
    fn frames_start(&mut self) -> Result<i64, PortError> {
        let (first, _) = self.bounds(Topic::Frames, 0)?;
        let schemas = SchemaStore::compiled();
        let newest = self.everything.of(Topic::Frames, 0).iter().rev().find_map(|r| decode_frame(&schemas, r.value.as_deref()?).ok());
        newest.map_or(Ok(first), |frame| tail_start(&frame, first).map_err(PortError::of))
    }
    fn progress(&mut self, from: i64) -> Result<Vec<Progress>, PortError> {
        let schemas = SchemaStore::compiled();
        let records = self.everything.of(self.progress, self.lane).iter().filter(|record| record.offset >= from);
        records.filter_map(|r| r.value.as_deref()).map(|value| decode_progress(&schemas, value).map_err(PortError::of)).collect()
    }
}

/// The replay of every lane, for I7.
struct Replay<'a> {
    everything: &'a Everything,
    kept: Option<&'a Kept>,
    schemas: SchemaStore,
    lanes: i32,
    report: &'a mut Report,
}

impl Replay<'_> {
    fn run(&mut self) {
        let mut check = Check::new("I7", "every step replays to the digest in its DONE");
        for lane in 0..self.lanes {
            self.lane::<PositionKeeper>(lane, &mut check);
            self.lane::<Rebalancer>(lane, &mut check);
            self.lane::<PaperRouter>(lane, &mut check);
            self.lane::<PerformanceTracker>(lane, &mut check);
        }
        self.report.add(check);
    }
    fn lane<R: Role + Default>(&mut self, lane: i32, check: &mut Check) {
        let outcome = self.outcome::<R>(lane);
        match outcome {
            Ok(Replayed { steps, left }) => {
                check.checked += steps;
                self.report.notes.extend(left.map(|left| format!("I7: {} lane {lane}: {left}", R::NAME)));
            }
            Err(halt) => check.that(false, || format!("{} lane {lane}: {halt}", R::NAME)),
        }
    }
    fn outcome<R: Role + Default>(&self, lane: i32) -> Result<Replayed, LaneHalt> {
        let target = Target { lane, lanes: self.lanes, genesis: false };
        let mut past = ReadPast { everything: self.everything, progress: R::PROGRESS, lane };
        let mut kept = self.kept.map(|kept| kept.of(R::NAME, lane, self.lanes));
        let kept = kept.as_mut().map(|kept| kept as &mut dyn Checkpoints);
        replayed::<R>(target, &mut AvroCodec::replaying(self.schemas.clone()), &mut past, kept)
    }
}
