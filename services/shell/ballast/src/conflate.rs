//! Runs the conflator on Kafka: reads every source, publishes frames, reads them back.
//! Which frames count is decided in the core; nothing here is exactly-once by itself. Of several
//! processes one makes frames and the others stand by; should two do so for a moment, the frames of
//! one of them do not count.

use crate::avro::AvroCodec;
use crate::kafka::{KafkaRecord, newest_frame, stored};
use crate::lanes::{SILENCE, World};
use crate::messages::cloud_event;
use crate::post::Post;
use crate::stop::Stop;
use crate::stored::StoredRecord;
use crate::topic_layout::partitions;
use crate::worker::pacing::Clock;
use anyhow::{Context as _, bail};
use avro_codec::{SchemaStore, decode_frame, encode_frame};
use conflator::{Conflator, Limits, SOURCES, Tail, tail_start};
use domain::Topic;
use domain::frame::Frame;
use engine::{Codec, Origin};
use kafka_log::{Batch, Message, Pace, Producer, Reader, Start, TopicName};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use telemetry::{FrameMetrics, Heartbeat};

/// The role's name.
const NAME: &str = "conflator";
/// Longest wait between two frames while something changes.
const FRAME_EVERY: Duration = Duration::from_millis(10);
/// How long after some records others may come that belong into the same frame.
const TOGETHER: Duration = Duration::from_millis(3);
/// Between two frames when nothing changes.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(3600);
/// How long one answer of the broker may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Records of one poll.
const BATCH: usize = 10_000;
/// Frames on their way, at most, unless one batch of records fills several: more are not sent at once, and the client would
/// look after them without a pause.
const MOST_FRAMES: usize = 5;
/// Between two looks for room.
const ROOM_POLL: Duration = Duration::from_millis(1);
/// How long the last frames may take to be delivered when the process stops; what they held is read again.
const FLUSH: Duration = Duration::from_secs(1);
/// Between two lines of the log about fields that are not above zero.
const TELL_EVERY: Duration = Duration::from_secs(10);
/// Between two tries.
const AGAIN: Duration = Duration::from_millis(500);

/// Runs until told to stop. A conflator that is overtaken or loses a frame begins again by itself.
pub fn run(world: &Arc<World>, stop: &Stop) -> anyhow::Result<()> {
    let condition = world.health.condition(NAME);
    let heartbeat = Arc::new(world.health.heartbeat(NAME, SILENCE));
    let mut post =
        Post::queue_for(&world.config, NAME, [Topic::Frames, Topic::Ticks].map(|topic| TopicName::from(topic.name())), &heartbeat)?;
    let held = world.metrics.role(NAME).post_held();
    while !stop.asked() {
        heartbeat.beat();
        held.set_count(0);
        if !post.stand_by(&condition)? {
            continue;
        }
        condition.set_not_ready("finding the last frame that counted");
        // Looking for it may take as long as the broker is away.
        heartbeat.rest();
        let ended = Running::start(world).and_then(|mut running| {
            condition.set_ready();
            held.set_count(1);
            running.until_stopped(&mut post, &heartbeat, stop)
        });
        if let Err(error) = ended {
            let error = format!("{error:#}");
            condition.set_not_ready(error.clone());
            tracing::warn!(error, "the conflator begins again at the last frame that counted");
            stop.wait(AGAIN);
        }
    }
    Ok(())
}

struct Running {
    conflator: Conflator,
    reader: Reader,
    topics: Vec<Topic>,
    producer: Producer,
    codec: AvroCodec,
    schemas: SchemaStore,
    frames: TopicName,
    framed: Instant,
    clock: Clock,
    /// Seconds by which an event time may lie ahead of the machine's clock.
    ahead: i64,
    metrics: FrameMetrics,
    /// Ticks that the metrics know of.
    ticks: u64,
    /// Of these, with a field that is not above zero, and when the log last told of some.
    not_above_zero: u64,
    told: Option<Instant>,
}

impl Running {
    fn start(world: &World) -> anyhow::Result<Self> {
        let config = &world.config;
        let frames = TopicName::from(Topic::Frames.name());
        let mut past = Reader::open(&config.kafka, Pace::Recovery, "conflator-past")?;
        let schemas = world.schemas.clone();
        let (tail, end) = read_tail(&mut past, &frames, &schemas)?;
        let limits = Limits { future_tick_seconds: config.core.future_tick_seconds, ..Limits::default() };
        let mut conflator = Conflator::resume(tail, limits);
        let mut starts = vec![Start { topic: frames.clone(), partition: 0, offset: end }];
        for topic in SOURCES {
            let name = TopicName::from(topic.name());
            for partition in 0..partitions(topic, config) {
                let log_start = past.bounds(&name, partition, PATIENCE)?.start;
                let offset = conflator.start(topic, partition, log_start);
                starts.push(Start { topic: name.clone(), partition, offset });
            }
        }
        let mut reader = Reader::open(&config.kafka, Pace::Live, "conflator")?;
        reader.assign(&starts)?;
        let topics = std::iter::once(Topic::Frames).chain(SOURCES).collect();
        let producer = Producer::open(&config.kafka, "conflator")?;
        tracing::info!(frames = end, "conflator runs");
        Ok(Self {
            conflator,
            reader,
            topics,
            producer,
            codec: AvroCodec::new(schemas.clone()),
            schemas,
            frames,
            framed: Instant::now(),
            clock: config.pacing.clock,
            ahead: config.core.future_tick_seconds,
            metrics: world.metrics.frames(NAME),
            ticks: 0,
            not_above_zero: 0,
            told: None,
        })
    }

    fn until_stopped(&mut self, post: &mut Post, heartbeat: &Heartbeat, stop: &Stop) -> anyhow::Result<()> {
        let mut quiet_since = Instant::now();
        while !stop.asked() && post.is_held(Duration::ZERO)? {
            heartbeat.beat();
            self.read()?;
            if self.conflator.changed() && self.has_room() && (self.conflator.full() || self.framed.elapsed() >= FRAME_EVERY) {
                if let Some(frame) = self.conflator.frame() {
                    self.publish(&frame)?;
                    quiet_since = Instant::now();
                }
            } else if quiet_since.elapsed() >= HEARTBEAT_EVERY {
                let frame = self.conflator.heartbeat();
                self.publish(&frame)?;
                quiet_since = Instant::now();
            }
            if let Some(lost) = self.producer.take_failures().into_iter().next() {
                bail!("a frame could not be delivered: {lost:?}");
            }
        }
        if let Err(error) = self.producer.flush(FLUSH) {
            tracing::warn!(%error, "the last frames may not have arrived; whoever makes the next ones reads again what they held");
        }
        Ok(())
    }

    /// Waits for records and takes all that belong into one frame with them.
    fn read(&mut self) -> anyhow::Result<()> {
        // What a slow broker leaves no room for is gathered further, while it fits into a frame.
        if !self.has_room() {
            thread::sleep(ROOM_POLL);
            if self.conflator.full() {
                return Ok(());
            }
        }
        // What is known already leaves as soon as the next frame may.
        let wait = if self.conflator.changed() { FRAME_EVERY.saturating_sub(self.framed.elapsed()) } else { FRAME_EVERY };
        gather(wait, (TOGETHER, FRAME_EVERY), |wait| {
            let batch = self.reader.poll_batch(BATCH, wait)?;
            self.take(&batch)?;
            Ok(if self.conflator.full() { Polled::Full } else { Polled::of(&batch) })
        })
    }

    /// Whether brokers keep up with the frames.
    fn has_room(&self) -> bool {
        self.producer.on_their_way() < MOST_FRAMES
    }

    fn take(&mut self, batch: &Batch) -> anyhow::Result<()> {
        let now = crate::clock::now();
        for record in batch.records() {
            let topic = self.topics[record.topic()];
            if topic == Topic::Frames {
                self.read_back(&stored(&record))?;
                continue;
            }
            let record = KafkaRecord(record);
            let decoded = self.codec.decode(topic, record.0.key(), record.0.value());
            // In event time the record's own moment is the clock. By the machine's, a sender's claim is none: a tick
            // of a clock that runs ahead must not pass for a present one.
            let clock = match self.clock {
                Clock::Wall => now,
                Clock::Event => now.max(engine::RecordRef::timestamp(&record).min(now.plus_seconds(self.ahead))),
            };
            let origin = Origin { topic, partition: record.0.partition(), record: &record };
            if let Some(frame) = self.conflator.fold(clock, &origin, decoded) {
                self.publish(&frame)?;
            }
        }
        for end in batch.ends() {
            let topic = self.topics[end.topic];
            if topic != Topic::Frames {
                self.conflator.advance(topic, end.partition, end.offset);
            }
        }
        Ok(())
    }

    fn read_back(&mut self, record: &StoredRecord) -> anyhow::Result<()> {
        let Some(frame) = record.value.as_deref().and_then(|value| decode_frame(&self.schemas, value).ok()) else { return Ok(()) };
        self.conflator.observed(record.offset, &frame)?;
        Ok(())
    }

    fn publish(&mut self, frame: &Frame) -> anyhow::Result<()> {
        let mut value = Vec::new();
        encode_frame(frame, &mut value)?;
        let mut message = Message::to(self.frames.clone(), 0, value);
        for (name, value) in cloud_event("/ballast/conflator", Topic::Frames, "frame", frame.event_time) {
            message = message.header(Arc::<str>::from(name.as_str()), value);
        }
        self.producer.send(message)?;
        self.framed = Instant::now();
        self.count(frame);
        Ok(())
    }

    fn count(&mut self, frame: &Frame) {
        let ticks = self.conflator.counters().ticks;
        let folded = ticks - self.ticks;
        self.ticks = ticks;
        self.metrics.frames.add(1);
        self.metrics.ticks_conflated.add(folded);
        if let Some(ratio) = ratio(folded, frame.prices.len()) {
            self.metrics.tick_frame_ratio.set(ratio);
        }
        self.tell_not_above_zero();
    }

    /// A feed may send many of them: the log tells of one now and then, the metric counts all.
    fn tell_not_above_zero(&mut self) {
        let all = self.conflator.counters().not_above_zero;
        let ticks = all - std::mem::replace(&mut self.not_above_zero, all);
        self.metrics.ticks_held_back.add(ticks);
        if ticks == 0 || self.told.is_some_and(|told| told.elapsed() < TELL_EVERY) {
            return;
        }
        self.told = Some(Instant::now());
        let instrument = self.conflator.last_not_above_zero().map(|id| id.as_str());
        tracing::warn!(
            instrument,
            ticks,
            "a tick gave a field that is not above zero; where it is the chosen price it is held until another comes: look at the feed"
        );
    }
}

/// What a poll has brought.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Polled {
    Records,
    /// Nothing, or that a partition ends here.
    Nothing,
    /// As much as one frame may hold.
    Full,
}

impl Polled {
    fn of(batch: &Batch) -> Self {
        if batch.is_empty() { Self::Nothing } else { Self::Records }
    }
}

/// Polls once for so long; then on until nothing has come for the first limit, for no longer than the second.
/// The records of several partitions come one after the other, with the ends of others between them.
fn gather(
    wait: Duration,
    (together, most): (Duration, Duration),
    mut poll: impl FnMut(Duration) -> anyhow::Result<Polled>,
) -> anyhow::Result<()> {
    let mut polled = poll(wait)?;
    let began = Instant::now();
    let mut newest = began;
    if polled == Polled::Nothing {
        return Ok(());
    }
    while polled != Polled::Full && began.elapsed() < most {
        let Some(left) = together.checked_sub(newest.elapsed()) else { break };
        polled = poll(left)?;
        if polled == Polled::Records {
            newest = Instant::now();
        }
    }
    Ok(())
}

/// Ticks for each price that a frame changes; `None` for a frame without prices.
#[allow(clippy::float_arithmetic, reason = "a gauge for people")]
fn ratio(ticks: u64, prices: usize) -> Option<f64> {
    let (ticks, prices) = (u32::try_from(ticks).unwrap_or(u32::MAX), u32::try_from(prices).unwrap_or(u32::MAX));
    (prices > 0).then(|| f64::from(ticks) / f64::from(prices))
}

/// Reads the frames from the anchor of the newest one to the end.
fn read_tail(past: &mut Reader, frames: &TopicName, schemas: &SchemaStore) -> anyhow::Result<(Tail, i64)> {
    let (bounds, newest) = newest_frame(past, frames, schemas)?;
    let mut tail = Tail::default();
    let Some(newest) = newest else { return Ok((tail, bounds.stable_end)) };
    let from = tail_start(&newest, bounds.start).context("finding the last frame that counted")?;
    let mut read = BTreeMap::new();
    past.read_range(frames, 0, (from, bounds.stable_end), PATIENCE, |record| {
        if let Some(frame) = record.value().and_then(|value| decode_frame(schemas, value).ok()) {
            read.insert(record.offset(), frame);
        }
    })?;
    read.iter().for_each(|(offset, frame)| {
        tail.read(*offset, frame);
    });
    Ok((tail, bounds.stable_end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_one_partition_does_not_part_the_records_of_others() {
        let (long, longer) = (Duration::from_secs(60), Duration::from_secs(120));
        let polls = |brought: &[Polled]| {
            let (mut brought, mut count) = (brought.iter(), 0);
            gather(Duration::ZERO, (long, longer), |_| {
                count += 1;
                Ok(*brought.next().expect("no further poll"))
            })
            .expect("it polls");
            count
        };
        assert_eq!(polls(&[Polled::Records, Polled::Nothing, Polled::Records, Polled::Nothing, Polled::Full]), 5);
        assert_eq!(polls(&[Polled::Nothing]), 1, "nothing came at all");
        assert_eq!(polls(&[Polled::Full]), 1);
    }

    #[test]
    fn what_keeps_coming_is_not_waited_for_for_ever() {
        let quick = |together, most| {
            let mut polls = 0;
            gather(Duration::ZERO, (together, most), |_| {
                polls += 1;
                assert!(polls < 1_000, "it goes on and on");
                thread::sleep(Duration::from_millis(1));
                Ok(Polled::Records)
            })
        };
        quick(Duration::from_secs(60), Duration::from_millis(5)).expect("it ends");
        quick(Duration::ZERO, Duration::from_secs(60)).expect("nothing new within no time");
    }

    #[test]
    fn the_ratio_is_of_frames_that_change_prices() {
        assert_eq!(ratio(30, 4), Some(7.5));
        assert_eq!(ratio(3, 0), None);
    }
}
