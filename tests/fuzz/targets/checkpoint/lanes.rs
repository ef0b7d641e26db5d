//! Lanes that have lived: each is fed with the lines of golden cases and their outputs, as its role reads them.

use ballast::lines::{JsonCodec, Line, read_line};
use conflator::{Conflator, Limits, SOURCES, Tail};
use domain::{SmolStr, Topic};
use engine::lane::Slice;
use engine::{Codec, Image, Lane, Origin, RawRecord, Role, Settings};
use performance_tracker::PerformanceTracker;
use position_keeper::PositionKeeper;
use rebalancer::Rebalancer;
use std::collections::BTreeMap;
use std::path::Path;

/// Cases that fill many parts of the images: books with lots and strategies, cycles under way, years of days.
const CASES: [&str; 9] = [
    "lots_correct_in_the_middle",
    "lots_of_a_future_pay_what_they_realize",
    "cycle_ends_and_a_breach_of_meanwhile_is_planned",
    "cycle_stuck_reconciled",
    "approval_by_two",
    "slices_limits_and_fees",
    "entries_of_an_instrument",
    "performance_instrument_abroad",
    "performance_long_and_short",
];

/// An image as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub role: &'static str,
    pub shared: Vec<u8>,
    pub entities: Vec<(SmolStr, Vec<u8>)>,
}

/// The image of a lane.
pub fn taken<R: Role>(lane: &mut Lane<R>) -> Kept {
    let shared = lane.shared_image();
    let keys = lane.image().entity_keys();
    let entities = keys.into_iter().map(|key| (key.clone(), lane.image().entity(&key).expect("each key has its entity"))).collect();
    Kept { role: R::NAME, shared, entities }
}

/// Images of every role for every case.
pub fn images() -> Vec<Kept> {
    CASES.iter().flat_map(|case| of(case)).collect()
}

fn of(case: &str) -> [Kept; 3] {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().find(|folder| folder.join("Makefile").exists()).expect("the root");
    let text = |end: &str| std::fs::read_to_string(folder.join(format!("tests/golden/cases/{case}.{end}.jsonl"))).expect("a golden case");
    let (input, output) = (text("in"), text("out"));
    let lines: Vec<_> = input.lines().chain(output.lines()).filter_map(|line| read_line(line).ok()).collect();
    let records = posted(&lines);
    [fed::<PositionKeeper>(&records), fed::<Rebalancer>(&records), fed::<PerformanceTracker>(&records)]
}

/// The lines as records, sources as the frames that they become.
fn posted(lines: &[Line]) -> Vec<RawRecord> {
    let mut conflator = Conflator::resume(Tail::default(), Limits::default());
    for topic in SOURCES {
        conflator.start(topic, 0, 0);
    }
    let mut offsets = BTreeMap::<Topic, i64>::new();
    let mut records = Vec::new();
    for line in lines {
        let mut next = |topic: Topic| {
            let offset = offsets.entry(topic).or_default();
            *offset += 1;
            *offset - 1
        };
        let moment = line.moment().unwrap_or_default();
        let value = line.value.clone().map(String::into_bytes);
        let decoded = JsonCodec.decode(line.topic, line.key.as_deref().map(str::as_bytes), value.as_deref());
        let key = decoded.as_ref().ok().and_then(|input| Some(avro_codec::input_key(input)?.as_bytes().to_vec()));
        let raw = |topic, offset, key, value| RawRecord { topic, partition: 0, offset, timestamp: moment, key, headers: Vec::new(), value };
        let record = raw(line.topic, next(line.topic), key, value);
        if !SOURCES.contains(&line.topic) {
            records.push(record);
            continue;
        }
        let origin = Origin { topic: record.topic, partition: 0, record: &record };
        let full = conflator.fold(moment, &origin, decoded);
        for frame in full.into_iter().chain(std::iter::from_fn(|| conflator.frame())).collect::<Vec<_>>() {
            let offset = next(Topic::Frames);
            conflator.observed(offset, &frame).expect("one conflator alone always counts");
            records.push(raw(Topic::Frames, offset, None, Some(serde_json::to_vec(&frame).expect("plain data"))));
        }
    }
    records
}

fn fed<R: Role + Default>(records: &[RawRecord]) -> Kept {
    let mut lane = Lane::new(R::default(), 0, 1);
    lane.configure(&Settings::default());
    for record in records.iter().filter(|record| R::INPUTS.contains(&record.topic)) {
        let slices = [Slice { topic: record.topic, partition: 0, to: record.offset + 1, records: std::slice::from_ref(record) }];
        while !lane.window(record.timestamp.max(lane.now()), false, &slices, &mut JsonCodec).expect("windows follow each other") {
            lane.close(&mut JsonCodec).expect("outputs can be encoded");
        }
        lane.close(&mut JsonCodec).expect("outputs can be encoded");
    }
    taken(&mut lane)
}
