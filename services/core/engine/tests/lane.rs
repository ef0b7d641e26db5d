//! The lane with a toy role that notes everything it is shown: order within a window, refusals,
//! repeats, replay from the recorded windows, and going on from an image.

#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use domain::dead_letter::DeadLetter;
use domain::progress::Begin;
use domain::reason::DeadLetterCode;
use domain::refresh::Refresh;
use domain::{Input, Output, PortfolioId, SmolStr, Timestamp, Topic, Uuid};
use engine::lane::Slice;
use engine::{Codec, Context, Image, ImageError, Lane, LaneError, Origin, RawRecord, Refusal, Role, Settings, Step, Timer, image};
use proptest::prelude::*;

/// Notes what happens, publishes each note, and sets a timer for every record.
#[derive(Debug, Default)]
struct Notes {
    seen: Vec<String>,
    dirty: bool,
}

impl Notes {
    fn note(&mut self, text: String, cx: &mut Context<'_>) {
        self.dirty = true;
        let why = SmolStr::new(&text);
        self.seen.push(text);
        cx.emit(Output::Refresh(Box::new(Refresh {
            request_id: Uuid::from_u128(self.seen.len() as u128),
            portfolio_id: portfolio("p"),
            why,
        })));
    }
}

impl Image for Notes {
    fn shared(&self) -> Vec<u8> {
        Vec::new()
    }
    fn restore_shared(&mut self, _bytes: &[u8]) -> Result<(), ImageError> {
        Ok(())
    }
    fn entity_keys(&self) -> Vec<SmolStr> {
        vec!["notes".into()]
    }
    fn entity(&self, _key: &str) -> Option<Vec<u8>> {
        Some(image::to_bytes(&self.seen))
    }
    fn restore_entity(&mut self, key: &str, bytes: &[u8]) -> Result<(), ImageError> {
        self.seen = image::from_bytes(key, bytes)?;
        Ok(())
    }
    fn take_dirty(&mut self) -> Vec<SmolStr> {
        if std::mem::take(&mut self.dirty) { vec!["notes".into()] } else { Vec::new() }
    }
}

impl Role for Notes {
    type Ahead = ();
    const NAME: &'static str = "notes";
    const INPUTS: &'static [Topic] = &[Topic::Policies, Topic::Refresh];
    const PROGRESS: Topic = Topic::RebalancerProgress;

    fn configure(&mut self, _settings: &Settings) {}
    fn fold(&mut self, input: Input, _ahead: (), origin: &Origin<'_>, cx: &mut Context<'_>) {
        let Input::Refresh(refresh) = input else { return self.note(format!("closed@{}", origin.offset()), cx) };
        cx.timers.set(cx.now.plus_micros(refresh.why.len() as i64), 1, &refresh.why);
        self.note(format!("{}@{}", refresh.why, origin.offset()), cx);
    }
    fn refused(&mut self, origin: &Origin<'_>, portfolio: Option<&PortfolioId>, cx: &mut Context<'_>) {
        self.note(format!("refused@{} {portfolio:?}", origin.offset()), cx);
    }
    fn fire(&mut self, timer: Timer, cx: &mut Context<'_>) {
        self.note(format!("due {}", timer.id), cx);
    }
    fn decide(&mut self, cx: &mut Context<'_>) {
        self.note(format!("decide {} {}", cx.now.micros(), cx.behind), cx);
    }
}

/// A refresh's `why` as bytes; `!` is no record.
struct Plain;

impl Codec for Plain {
    fn decode(&mut self, topic: Topic, key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Input, Refusal> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| Refusal::new(DeadLetterCode::Undecodable, "no text"));
        let named = portfolio(&text(key.unwrap_or(b"p"))?);
        match value {
            None if topic == Topic::Policies => Ok(Input::PolicyClosed(named)),
            Some(b"!") | None => Err(Refusal::new(DeadLetterCode::Undecodable, "not a record")),
            Some(bytes) => Ok(Input::Refresh(Box::new(Refresh {
                request_id: Uuid::nil(),
                portfolio_id: portfolio("p"),
                why: SmolStr::new(text(bytes)?),
            }))),
        }
    }
    fn encode(&mut self, output: &Output, into: &mut Vec<u8>) -> Result<(), Refusal> {
        into.extend_from_slice(format!("{output:?}").as_bytes());
        Ok(())
    }
}

fn portfolio(text: &str) -> PortfolioId {
    PortfolioId::new(text).unwrap()
}

fn record(topic: Topic, offset: i64, key: &str, value: Option<&str>) -> RawRecord {
    RawRecord {
        topic,
        partition: 0,
        offset,
        timestamp: Timestamp::from_micros(offset),
        key: Some(key.as_bytes().to_vec()),
        headers: Vec::new(),
        value: value.map(|text| text.as_bytes().to_vec()),
    }
}

fn run(lane: &mut Lane<Notes>, now: i64, records: &[RawRecord]) -> Result<(), LaneError> {
    let mut slices = Vec::new();
    for topic in [Topic::Refresh, Topic::Policies] {
        let own: Vec<_> = records.iter().filter(|r| r.topic == topic).cloned().collect();
        slices.push((topic, own));
    }
    let slices: Vec<_> = slices
        .iter()
        .filter(|(_, own)| !own.is_empty())
        .map(|(topic, own)| Slice { topic: *topic, partition: 0, to: own.last().unwrap().offset + 1, records: own.as_slice() })
        .collect();
    lane.window(Timestamp::from_micros(now), false, &slices, &mut Plain).map(|_| ())
}

fn close(lane: &mut Lane<Notes>) -> Step {
    lane.close(&mut Plain).unwrap().unwrap()
}

fn letter(output: Output) -> Option<DeadLetter> {
    if let Output::DeadLetter(letter) = output { Some(*letter) } else { None }
}

fn fresh() -> Lane<Notes> {
    let mut lane = Lane::new(Notes::default(), 0, 1);
    lane.configure(&Settings::default());
    lane
}

#[test]
fn timers_come_first_then_topics_in_the_roles_order_then_the_decision() {
    let mut lane = fresh();
    run(&mut lane, 10, &[record(Topic::Refresh, 0, "p", Some("abc"))]).unwrap();
    run(&mut lane, 13, &[record(Topic::Refresh, 1, "p", Some("x")), record(Topic::Policies, 0, "p", None)]).unwrap();
    let expected = ["abc@0", "decide 10 false", "due abc", "closed@0", "x@1", "decide 13 false"];
    assert_eq!(lane.role().seen, expected);
}

#[test]
fn the_clock_never_goes_back() {
    let mut lane = fresh();
    run(&mut lane, 10, &[]).unwrap();
    run(&mut lane, 5, &[]).unwrap();
    assert_eq!(lane.role().seen, ["decide 10 false", "decide 10 false"]);
}

#[test]
fn what_cannot_be_read_or_stands_elsewhere_is_dead_lettered_whole() {
    let mut lane = fresh();
    let lost =
        [record(Topic::Refresh, 0, "p", Some("!")), record(Topic::Refresh, 1, "q", Some("x")), record(Topic::Refresh, 5, "p", Some("ok"))];
    run(&mut lane, 1, &lost).unwrap();
    let mut letters = Vec::new();
    let step = lane.close_and_show(&mut Plain, |output| letters.extend(letter(output))).unwrap().unwrap();
    assert_eq!(
        letters.iter().map(|l| (l.offset, l.code)).collect::<Vec<_>>(),
        [(0, DeadLetterCode::Undecodable), (1, DeadLetterCode::WrongLane)]
    );
    assert_eq!(letters[0].value.as_deref(), Some(b"!".as_slice()));
    assert_eq!((step.counts.inputs, step.counts.dead_letters), (3, 2));
    assert_eq!(lane.position(Topic::Refresh, 0), 6, "offsets may have gaps");
}

#[test]
fn what_is_larger_than_its_topic_admits_leaves_its_place_its_length_and_a_hash() {
    let mut lane = fresh();
    let limit = Topic::Refresh.record_bytes();
    let whole = RawRecord { value: Some(vec![b'!'; limit]), key: None, ..record(Topic::Refresh, 0, "p", None) };
    let mut first = whole.clone();
    first.value.as_mut().unwrap()[0] = 0xff;
    let beyond = RawRecord { offset: 1, value: Some(vec![0; 20 * limit]), ..whole.clone() };
    let header = |name: &str, bytes: usize| domain::command::Header { name: name.into(), value: vec![1; bytes] };
    let headed = RawRecord { offset: 2, value: Some(b"!".to_vec()), headers: vec![header("h", limit + 64 * 1024)], ..whole.clone() };
    let many = RawRecord { offset: 3, value: Some(b"!".to_vec()), headers: vec![header("", 0); limit / 8], ..whole.clone() };
    let named = RawRecord { offset: 4, value: Some(b"!".to_vec()), headers: vec![header(&"n".repeat(2000), 0), header("h", 1)], ..whole };
    run(&mut lane, 1, &[first, beyond, headed, many, named]).unwrap();
    let mut letters = Vec::new();
    lane.close_and_show(&mut Plain, |output| letters.extend(letter(output))).unwrap().unwrap();
    assert_eq!(letters[0].value.as_ref().map(Vec::len), Some(limit), "what its topic admits is carried whole");
    assert_eq!((letters[4].value.as_deref(), letters[4].headers.len()), (Some(b"!".as_slice()), 1), "an endless name alone is left out");
    assert!(letters[4].text.contains("(1 of its headers left out: their names have more than 1024 bytes)"), "{}", letters[4].text);
    for letter in &letters[1..4] {
        assert_eq!((&letter.key, letter.headers.len(), &letter.value), (&None, 0, &None), "{}", letter.text);
        assert!(letter.text.contains("read it at its place") && letter.text.contains("xxh3-128"), "{}", letter.text);
    }
    assert!(letters[1].text.contains(&(20 * limit).to_string()), "{}", letters[1].text);
    assert_eq!((letters[1].topic, letters[1].partition, letters[1].offset), (Topic::Refresh, 0, 1));
}

#[test]
fn a_window_that_goes_back_is_an_error_and_changes_nothing() {
    let mut lane = fresh();
    run(&mut lane, 1, &[record(Topic::Refresh, 3, "p", Some("a"))]).unwrap();
    let error = run(&mut lane, 2, &[record(Topic::Refresh, 3, "p", Some("a"))]).unwrap_err();
    assert!(matches!(error, LaneError::Gap { from: 3, at: 4, .. }), "{error}");
    assert_eq!(lane.role().seen.len(), 2);
}

#[test]
fn a_recorded_step_of_other_rules_or_out_of_order_is_not_replayed() {
    let mut lane = fresh();
    let begin = |step, rules_version| Begin { step, rules_version, lanes: 1, settings: vec![], schemas: vec![], windows: vec![] };
    assert!(matches!(lane.expect(&begin(2, engine::RULES_VERSION)), Err(LaneError::StepOrder { found: 2, at: 0 })));
    assert!(matches!(lane.expect(&begin(1, engine::RULES_VERSION + 1)), Err(LaneError::Rules { .. })));
}

#[test]
fn an_image_of_another_form_is_refused_by_its_version() {
    let lane = fresh();
    let mut image = lane.shared_image();
    assert!(Lane::restore(Notes::default(), 0, &image).is_ok());
    image[0] += 2;
    let error = Lane::restore(Notes::default(), 0, &image).err().map(|error| error.to_string()).unwrap_or_default();
    let (found, ours) = (image::IMAGE_VERSION + 1, image::IMAGE_VERSION);
    assert!(error.contains(&format!("of image version {found}, this build has {ours}")), "{error}");
}

type Window = (i64, Vec<u8>);

fn windows() -> impl Strategy<Value = Vec<Window>> {
    prop::collection::vec((0_i64..8, prop::collection::vec(any::<u8>(), 0..4)), 1..20)
}

/// The records of window `index`: refreshes of several lengths, unreadable ones among them.
fn records_of(index: usize, window: &Window) -> Vec<RawRecord> {
    let text = |byte: u8| if byte.is_multiple_of(7) { "!".to_owned() } else { "r".repeat(usize::from(byte % 5) + 1) };
    let offset = |place: usize| i64::try_from(index * 10 + place).unwrap();
    window.1.iter().enumerate().map(|(place, byte)| record(Topic::Refresh, offset(place), "p", Some(&text(*byte)))).collect()
}

fn live(windows: &[Window], close_every: usize) -> (Lane<Notes>, Vec<Step>) {
    let (mut lane, mut steps, mut now) = (fresh(), Vec::new(), 0);
    for (index, window) in windows.iter().enumerate() {
        now += window.0;
        run(&mut lane, now, &records_of(index, window)).unwrap();
        if index % close_every == 0 {
            steps.push(close(&mut lane));
        }
    }
    steps.extend(lane.close(&mut Plain).unwrap());
    (lane, steps)
}

fn replay(lane: &mut Lane<Notes>, begin: &Begin, windows: &[Window]) -> Step {
    let all: Vec<_> = windows.iter().enumerate().flat_map(|(index, window)| records_of(index, window)).collect();
    lane.expect(begin).unwrap();
    for window in &begin.windows {
        let within = |r: &&RawRecord| window.ranges.iter().any(|range| (range.from..range.to).contains(&r.offset));
        let records: Vec<_> = all.iter().filter(within).cloned().collect();
        run(lane, window.now.micros(), &records).unwrap();
    }
    close(lane)
}

proptest! {
    #[test]
    fn recorded_windows_replay_to_the_same_steps_from_any_image(windows in windows(), close_every in 1_usize..4, cut in 0_usize..20) {
        let (lane, steps) = live(&windows, close_every);
        let cut = cut % steps.len();
        let mut first = fresh();
        for step in &steps[..cut] {
            prop_assert_eq!(&replay(&mut first, &step.begin, &windows), step);
        }
        let shared = first.shared_image();
        let notes = first.image().entity("notes").unwrap();
        let mut second = Lane::restore(Notes::default(), 0, &shared).unwrap();
        second.image().restore_entity("notes", &notes).unwrap();
        for step in &steps[cut..] {
            prop_assert_eq!(&replay(&mut second, &step.begin, &windows), step);
        }
        prop_assert_eq!(&second.role().seen, &lane.role().seen);
        prop_assert_eq!(second.shared_image(), lane.shared_image());
    }
}
