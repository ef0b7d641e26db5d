//! The conflator of a process: reads every source, appends frames, reads them back, and begins again when it is
//! overtaken or loses a frame. Frames may arrive late, also those of a conflator that has died.

use crate::brokers::Reached;
use crate::faults::Fault;
use crate::lane::{Seat, Wish};
use crate::stage::Hand;
use ballast::messages::{OutMessage, cloud_event};
use conflator::{Conflator, Limits, SOURCES, Tail, tail_start};
use domain::Topic;
use domain::frame::Frame;
use engine::{Codec, Origin};
use std::rc::Rc;
use std::time::Duration;

/// Between two looks.
const FRAME_EVERY: Duration = Duration::from_millis(20);
/// After something failed.
const AGAIN: Duration = Duration::from_millis(500);
/// How long brokers may be away.
const PATIENCE: Duration = Duration::from_secs(30);

/// The conflator's task.
pub fn conflate(hand: &Hand<'_>, seat: &Rc<Seat>) {
    while seat.wish.get() == Wish::GoOn {
        if let Err(why) = run(hand, seat) {
            hand.world.note("branch", "conflator-begins-again", || why);
        }
        seat.running_at.set(None);
        hand.pass(AGAIN);
    }
    seat.ended.set(true);
}

/// Who reads what, and up to where.
struct Reading {
    conflator: Conflator,
    /// Frames that were read back.
    back: i64,
}

fn run(hand: &Hand<'_>, seat: &Seat) -> Result<(), String> {
    let mut codec = hand.world.codec();
    let mut reading = resume(hand)?;
    while seat.wish.get() == Wish::GoOn {
        seat.running_at.set(Some(reading.back));
        hand.effect();
        let moved = hand.world.now() >= hand.world.down_until.get() && read(hand, &mut reading, &mut codec)?;
        read_back(hand, &mut reading)?;
        let lost = hand.world.lost_frames.borrow_mut().remove(&hand.task);
        if lost {
            return Err("a frame could not be delivered".to_owned());
        }
        let idle = hand.world.scenario.pacing.window_ms.max(20);
        hand.pass(if moved { FRAME_EVERY } else { Duration::from_millis(idle) });
    }
    Ok(())
}

fn resume(hand: &Hand<'_>) -> Result<Reading, String> {
    hand.effect();
    if hand.reach(PATIENCE) == Reached::Never {
        return Err("the brokers are away".to_owned());
    }
    let (log, schemas) = (&hand.world.log, hand.world.schemas());
    let frames = log.read(Topic::Frames.name(), 0, 0);
    let decoded = |bytes: &Option<Vec<u8>>| bytes.as_deref().and_then(|bytes| avro_codec::decode_frame(&schemas, bytes).ok());
    let mut tail = Tail::default();
    if let Some(newest) = frames.iter().rev().find_map(|record| decoded(&record.value)) {
        let from = tail_start(&newest, log.start(Topic::Frames.name(), 0)).map_err(|gone| gone.to_string())?;
        for record in frames.iter().filter(|record| record.offset >= from) {
            if let Some(frame) = decoded(&record.value) {
                tail.read(record.offset, &frame);
            }
        }
    }
    let limits = Limits { future_tick_seconds: hand.world.scenario.core.future_tick_seconds, ..Limits::default() };
    let mut conflator = Conflator::resume(tail, limits);
    for (topic, partition) in sources(hand.world.scenario.lanes) {
        conflator.start(topic, partition, log.start(topic.name(), partition));
    }
    Ok(Reading { conflator, back: frames.last().map_or(0, |record| record.offset + 1) })
}

/// Reads every source once; whether a frame left.
fn read(hand: &Hand<'_>, reading: &mut Reading, codec: &mut dyn Codec) -> Result<bool, String> {
    let mut moved = false;
    for (topic, partition) in sources(hand.world.scenario.lanes) {
        let from = reading.conflator.position(topic, partition).unwrap_or(0);
        let (records, _) = hand.world.log.some(topic.name(), partition, from, 200);
        for record in &records {
            let decoded = codec.decode(topic, record.key.as_deref(), record.value.as_deref());
            let origin = Origin { topic, partition, record };
            if let Some(frame) = reading.conflator.fold(hand.world.clock(hand.process), &origin, decoded) {
                publish(hand, &frame)?;
                moved = true;
            }
        }
    }
    while reading.conflator.changed() {
        let Some(frame) = reading.conflator.frame() else { break };
        publish(hand, &frame)?;
        moved = true;
    }
    Ok(moved)
}

/// Sends a frame; it may arrive later, or never.
fn publish(hand: &Hand<'_>, frame: &Frame) -> Result<(), String> {
    hand.effect();
    let mut value = Vec::new();
    avro_codec::encode_frame(frame, &mut value).map_err(|error| error.to_string())?;
    let headers = cloud_event("/ballast/conflator", Topic::Frames, "frame", frame.event_time);
    let message = OutMessage { topic: Topic::Frames.name(), partition: 0, key: None, value: Some(value), headers };
    let world = hand.world;
    if world.strikes(Fault::FrameLost) {
        world.lost_frames.borrow_mut().insert(hand.task);
        return Ok(());
    }
    if world.strikes(Fault::FrameLate) {
        // What an idempotent producer sends later stands behind it: it waits too.
        let span = Duration::from_millis(world.chance.between("frame.late", 1, 3_000));
        world.agenda.borrow_mut().after(span, move |world| {
            world.append(message);
        });
        hand.pass(span);
        return Ok(());
    }
    if hand.reach(PATIENCE) == Reached::Never {
        return Err("a frame could not be delivered".to_owned());
    }
    world.append(message);
    Ok(())
}

/// Reads the frames' own topic along.
fn read_back(hand: &Hand<'_>, reading: &mut Reading) -> Result<(), String> {
    let schemas = hand.world.schemas();
    for record in hand.world.log.read(Topic::Frames.name(), 0, reading.back) {
        reading.back = record.offset + 1;
        if let Some(frame) = record.value.as_deref().and_then(|value| avro_codec::decode_frame(&schemas, value).ok()) {
            reading.conflator.observed(record.offset, &frame).map_err(|ended| format!("{ended:?}"))?;
        }
    }
    Ok(())
}

fn sources(partitions: i32) -> impl Iterator<Item = (Topic, i32)> {
    SOURCES.into_iter().flat_map(move |topic| (0..partitions).map(move |partition| (topic, partition)))
}
