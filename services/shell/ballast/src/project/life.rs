//! One life of the projector: from the stored offsets on, batch by batch, until something outside
//! fails in a way that needs the offsets again.
//!
//! Promises bounded batches, and that a batch is written before the next is read.

use super::cursors::{Cursor, stored_of};
use super::places::{Source, places, sources};
use super::repeats::Repeats;
use super::retention::Retention;
use super::rows::{RowError, Rows, Spot, take};
use super::standing::{Ended, Standing};
use super::trouble::Trouble;
use super::{Signs, closings};
use crate::clock;
use crate::kafka::KafkaRecord;
use crate::lanes::World;
use crate::observe;
use crate::stop::Stop;
use avro_codec::SchemaStore;
use engine::RecordRef;
use kafka_log::{Batch, Pace, Reader, Start, TopicName};
use postgres_store::projections::ProjectionBatch;
use postgres_store::{Retry, StoreError};
use std::sync::Arc;
use std::time::{Duration, Instant};
use telemetry::RoleMetrics;

/// Most records of a batch.
const BATCH_RECORDS: usize = 2_000;
/// Most bytes of a batch, one poll's over.
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// Longest time of gathering a batch.
const BATCH_TIME: Duration = Duration::from_millis(200);
/// Records of one poll.
const POLL_RECORDS: usize = 250;
/// Time-outs of one batch before it is written in pieces.
const TIMEOUTS: u32 = 3;
/// Between two tries to write a batch: the first, and the longest.
const AGAIN: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// How long the broker may take to say where a log starts and ends.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two measurements of the lag.
const MEASURE_EVERY: Duration = Duration::from_secs(5);

/// Records that are still to be written one at a time, because a batch with one of them was refused.
#[derive(Debug, Default)]
pub(super) struct Caution(usize);

/// One life.
pub(super) struct Life<'a> {
    world: &'a World,
    signs: Signs<'a>,
    schemas: SchemaStore,
    metrics: RoleMetrics,
    reader: Reader,
    cursors: Vec<Cursor>,
    repeats: Repeats,
    measured: Instant,
    retention: Retention,
    standing: Standing,
}

/// What was gathered for one transaction.
#[derive(Default)]
struct Gathered {
    rows: Rows,
    records: usize,
    bytes: usize,
}

impl<'a> Life<'a> {
    /// Reads the stored offsets and goes on from them, or from a log's start where none is stored.
    pub(super) fn start(world: &'a Arc<World>, signs: Signs<'a>) -> Result<Self, Trouble> {
        let topics: Vec<&str> = sources().map(Source::name).collect();
        let stored = world.runtime.block_on(world.store.offsets(&topics))?;
        let mut reader = Reader::open(&world.config.kafka, Pace::Live, "projector")?;
        let mut cursors = Vec::new();
        let mut starts = Vec::new();
        for place in places(&world.config) {
            let topic = TopicName::from(place.source.name());
            let stored = stored_of(place, &stored);
            let offset = match stored {
                Some(offset) => offset,
                None => reader.bounds(&topic, place.partition, PATIENCE)?.start,
            };
            cursors.push(Cursor::new(place, stored, offset, &world.metrics));
            starts.push(Start { topic, partition: place.partition, offset });
        }
        let metrics = world.metrics.role("projector");
        observe::begin(&metrics, sources().filter(|source| matches!(source, Source::Dead(_))).map(Source::name));
        reader.assign(&starts)?;
        signs.condition.set_ready();
        tracing::info!(partitions = starts.len(), stored = stored.len(), "the projector reads");
        Ok(Self {
            world,
            signs,
            schemas: world.schemas.clone(),
            metrics,
            reader,
            cursors,
            repeats: Repeats::default(),
            measured: Instant::now(),
            retention: Retention::default(),
            standing: Standing::new(world),
        })
    }

    /// Gathers a batch and writes it.
    pub(super) fn turn(&mut self, caution: &mut Caution, stop: &Stop) -> Result<(), Trouble> {
        self.signs.heartbeat.beat();
        let mut gathered = self.gather(if caution.0 > 0 { 1 } else { BATCH_RECORDS }, stop)?;
        // A closing may need a whole partition of policies, which takes as long as it takes.
        self.signs.heartbeat.rest();
        closings::settle(&mut gathered.rows, &self.world.config.kafka, &self.schemas)?;
        gathered.rows.batch.offsets = self.cursors.iter().filter_map(Cursor::advance).collect();
        let ended = Ended::among(&gathered.rows.batch.order_statuses);
        let written = self.write(gathered.rows.batch, gathered.records, stop);
        match &written {
            Err(Trouble::Piecemeal { records, .. }) => caution.0 = *records,
            _ => caution.0 = caution.0.saturating_sub(gathered.records),
        }
        self.measure(|cursor| !cursor.ended());
        if written.is_ok() {
            self.standing.ended(self.world, &ended);
            self.retention.tend(self.world);
            self.standing.tend(self.world);
        }
        written
    }

    fn gather(&mut self, most: usize, stop: &Stop) -> Result<Gathered, Trouble> {
        let end = Instant::now() + BATCH_TIME;
        let mut gathered = Gathered::default();
        while gathered.records < most && gathered.bytes < BATCH_BYTES && !stop.asked() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            match self.reader.poll_batch(POLL_RECORDS.min(most - gathered.records), left) {
                Ok(batch) => self.take_batch(&batch, &mut gathered),
                Err(error) if error.retry() => {
                    tracing::warn!(%error, "reading outputs; trying again");
                    break;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(gathered)
    }

    fn take_batch(&mut self, batch: &Batch, gathered: &mut Gathered) {
        for record in batch.records() {
            let Some(at) = self.index_of(batch.topics()[record.topic()].as_str(), record.partition()) else { continue };
            let record = KafkaRecord(record);
            gathered.records += 1;
            gathered.bytes += record.value().map_or(0, <[u8]>::len);
            self.take_record(at, &record, &mut gathered.rows);
            self.cursors[at].took(record.offset(), record.appended());
        }
        for end in batch.ends() {
            if let Some(at) = self.index_of(batch.topics()[end.topic].as_str(), end.partition) {
                self.cursors[at].reached(end.offset);
            }
        }
    }

    fn take_record(&mut self, at: usize, record: &KafkaRecord<'_>, rows: &mut Rows) {
        let place = self.cursors[at].place;
        self.metrics.records_in(place.source.name()).add(1);
        if matches!(place.source, Source::Dead(_)) && self.repeats.is_repeat(at, record) {
            self.metrics.duplicates(place.source.name()).add(1);
            return;
        }
        let spot = Spot { place, lanes: self.world.config.lanes, appended: record.appended() };
        if let Err(error) = take(&self.schemas, spot, record, rows) {
            self.pass_by(at, record.offset(), &error);
        }
    }

    fn pass_by(&self, at: usize, offset: i64, error: &RowError) {
        let place = self.cursors[at].place;
        self.metrics.dead_letters(error.code().symbol()).add(1);
        tracing::error!(topic = place.source.name(), partition = place.partition, offset, %error, "a record has no row and is passed by");
    }

    fn index_of(&self, topic: &str, partition: i32) -> Option<usize> {
        self.cursors.iter().position(|cursor| cursor.place.partition == partition && cursor.place.source.name() == topic)
    }

    /// Writes a batch, for as long as it takes; ends early only when asked to stop.
    fn write(&mut self, mut batch: ProjectionBatch, records: usize, stop: &Stop) -> Result<(), Trouble> {
        if batch.offsets.is_empty() {
            self.mark_applied();
            return Ok(());
        }
        let (mut pause, mut timeouts) = (AGAIN.0, 0);
        loop {
            self.signs.heartbeat.beat();
            let Err(error) = self.world.runtime.block_on(self.world.store.apply(&batch)) else {
                self.signs.condition.set_ready();
                self.mark_applied();
                return Ok(());
            };
            timeouts += u32::from(matches!(error, StoreError::Timeout { .. }));
            match remedy(&error, records, timeouts) {
                Remedy::Again => {
                    tracing::warn!(%error, records, "rows wait for Postgres");
                    self.signs.condition.set_not_ready(error.to_string());
                    self.measure(|_| true);
                    if stop.wait(pause) {
                        return Ok(());
                    }
                    pause = (pause * 2).min(AGAIN.1);
                }
                Remedy::Pieces => return Err(Trouble::Piecemeal { records, cause: error }),
                Remedy::PassBy => {
                    self.metrics.dead_letters("UNDECODABLE").add(1);
                    tracing::error!(%error, offsets = ?batch.offsets, "Postgres takes no row of this record; it is passed by");
                    batch = ProjectionBatch { offsets: batch.offsets, ..ProjectionBatch::default() };
                }
                Remedy::Anew => return Err(error.into()),
            }
        }
    }

    fn mark_applied(&mut self) {
        let now = clock::now();
        self.cursors.iter_mut().for_each(|cursor| cursor.applied(now));
    }

    /// Tells the lag of these partitions, as far as the broker answers.
    fn measure(&mut self, which: impl Fn(&Cursor) -> bool) {
        if self.measured.elapsed() < MEASURE_EVERY {
            return;
        }
        self.measured = Instant::now();
        for cursor in self.cursors.iter().filter(|cursor| which(cursor)) {
            let topic = TopicName::from(cursor.place.source.name());
            match self.reader.bounds(&topic, cursor.place.partition, Duration::from_secs(1)) {
                Ok(bounds) => cursor.measure(bounds.stable_end, clock::now()),
                Err(_) => return,
            }
        }
    }
}

/// What to do about a batch that was not written.
#[derive(Debug, PartialEq, Eq)]
enum Remedy {
    /// The same batch again, after a while.
    Again,
    /// Its records one at a time.
    Pieces,
    /// Move its offsets without its rows.
    PassBy,
    /// Read the stored offsets again.
    Anew,
}

fn remedy(error: &StoreError, records: usize, timeouts: u32) -> Remedy {
    match (error, records) {
        (StoreError::Timeout { .. }, 2..) if timeouts >= TIMEOUTS => Remedy::Pieces,
        (StoreError::Refused { code, .. }, 2..) if blames_data(code) => Remedy::Pieces,
        (StoreError::Refused { code, .. }, 1) if blames_data(code) => Remedy::PassBy,
        _ if error.retry() == Retry::SameCall => Remedy::Again,
        _ => Remedy::Anew,
    }
}

/// Whether a SQLSTATE blames the values: data exceptions, broken constraints, program limits. Anything
/// else is the database's or the build's, and no record may be passed by for it.
fn blames_data(code: &str) -> bool {
    matches!(code.get(..2), Some("22" | "23" | "54"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: &str) -> StoreError {
        StoreError::Refused { doing: "projecting", code: code.to_owned(), message: String::new(), advice: "" }
    }

    #[test]
    fn only_a_single_record_that_postgres_blames_is_passed_by() {
        assert_eq!(remedy(&refused("54000"), 1_500, 0), Remedy::Pieces);
        assert_eq!(remedy(&refused("54000"), 1, 0), Remedy::PassBy);
        assert_eq!(remedy(&refused("54000"), 0, 0), Remedy::Anew, "offsets alone cannot be to blame");
        assert_eq!(remedy(&refused("42P01"), 1, 0), Remedy::Anew, "a missing table is nobody's record");
    }

    #[test]
    fn what_may_pass_is_tried_again_and_a_lost_race_begins_anew() {
        let slow = StoreError::Timeout { doing: "projecting", limit: "statement_timeout" };
        assert_eq!(remedy(&slow, 2_000, 1), Remedy::Again);
        assert_eq!(remedy(&slow, 2_000, TIMEOUTS), Remedy::Pieces);
        assert_eq!(remedy(&slow, 1, TIMEOUTS + 5), Remedy::Again);
        let lost = StoreError::LostRace { topic: "t".to_owned(), partition: 0, expected: 4 };
        assert_eq!(remedy(&lost, 10, 0), Remedy::Anew);
    }
}
