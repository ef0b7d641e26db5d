//! The conflator from outside: what readers of its frames see, who may write them, and what it refuses.
#![allow(clippy::unwrap_used, reason = "what cannot go on in a test fails it")]

mod refusals;

use conflator::{AnchorGone, Conflator, Counters, Ended, Limits, Observed, SOURCES, Tail, tail_start};
use domain::command::Header;
use domain::corporate_action::CorporateAction;
use domain::enums::{ActionKind, ActionStatus, InstrumentType, MarketState, PriceSource};
use domain::frame::{Frame, FramePrice};
use domain::instrument::Instrument;
use domain::market_status::MarketStatus;
use domain::reason::DeadLetterCode;
use domain::tick::Tick;
use domain::{Date, Input, InstrumentId, Quantity, SmolStr, Timestamp, Topic};
use engine::frames::FrameChain;
use engine::{Origin, RawRecord, Refusal};
use proptest::prelude::*;
use std::collections::BTreeMap;

const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

fn at(seconds: i64) -> Timestamp {
    NOW.plus_seconds(seconds)
}

fn tick(id: &str, bid: Option<&str>, ask: Option<&str>, seconds: i64) -> Tick {
    let price = |text: Option<&str>| text.map(|t| t.parse().unwrap());
    Tick {
        instrument_id: InstrumentId::new(id).unwrap(),
        bid: price(bid),
        ask: price(ask),
        last: None,
        mark: None,
        accrued: None,
        volume: None,
        venue: None,
        event_time: at(seconds),
        sequence: None,
    }
}

fn instrument(id: &str) -> Instrument {
    Instrument {
        instrument_id: InstrumentId::new(id).unwrap(),
        symbol: None,
        name: None,
        sector: None,
        kind: InstrumentType::Equity,
        currency: "USD".parse().unwrap(),
        base_asset: None,
        multiplier: Quantity::ONE,
        lot_size: Quantity::ONE,
        tick_size: None,
        venue: None,
        calendar: None,
        average_daily_volume: None,
        price_source: PriceSource::Auto,
        max_price_age_seconds: None,
        max_jump_bp: None,
        valid_from: None,
    }
}

fn split(id: &str) -> CorporateAction {
    CorporateAction {
        action_id: id.into(),
        instrument_id: InstrumentId::new("AAA").unwrap(),
        status: ActionStatus::New,
        kind: ActionKind::Split,
        new_symbol: None,
        ratio_new: Some("2".parse().unwrap()),
        ratio_old: Some(Quantity::ONE),
        cash_in_lieu_price: None,
        amount_per_share: None,
        currency: None,
        ex_date: Date::from_days(20_000),
        pay_date: None,
    }
}

fn record(topic: Topic, partition: i32, offset: i64, key: &str, value: &[u8]) -> RawRecord {
    let headers = vec![Header { name: "ce_id".into(), value: b"7".to_vec() }];
    let (key, value) = (Some(key.as_bytes().to_vec()), Some(value.to_vec()));
    RawRecord { topic, partition, offset, timestamp: at(offset), key, headers, value }
}

fn fold(conflator: &mut Conflator, raw: &RawRecord, decoded: Result<Input, Refusal>) -> Option<Frame> {
    let origin = Origin { topic: raw.topic, partition: raw.partition, record: raw };
    conflator.fold(NOW, &origin, decoded)
}

fn fold_tick(conflator: &mut Conflator, partition: i32, offset: i64, tick: &Tick) -> Option<Frame> {
    let raw = record(Topic::Ticks, partition, offset, tick.instrument_id.as_str(), b"");
    fold(conflator, &raw, Ok(Input::Tick(Box::new(tick.clone()))))
}

fn started(limits: Limits) -> Conflator {
    let mut conflator = Conflator::resume(Tail::default(), limits);
    for topic in SOURCES {
        assert_eq!(conflator.start(topic, 0, 0), 0);
    }
    conflator
}

fn fresh() -> Conflator {
    started(Limits::default())
}

/// What a reader holds: by instrument, without what only the conflator uses.
type Table = BTreeMap<InstrumentId, FramePrice>;

fn merge(table: &mut Table, price: &FramePrice) {
    match table.get_mut(&price.instrument_id) {
        Some(held) => _ = held.merge(price),
        None => _ = table.insert(price.instrument_id.clone(), price.clone()),
    }
}

fn as_price(tick: &Tick) -> FramePrice {
    FramePrice {
        bid: tick.bid,
        ask: tick.ask,
        last: tick.last,
        mark: tick.mark,
        accrued: tick.accrued,
        volume: tick.volume,
        venue: tick.venue.clone(),
        sequence: tick.sequence,
        ..FramePrice::empty(tick.instrument_id.clone(), tick.event_time)
    }
}

fn any_tick() -> impl Strategy<Value = Tick> {
    let id = prop::sample::select(vec!["AAA", "BBB", "EUR/USD"]);
    let price = || prop::option::of((1_i64..50).prop_map(|n| n.to_string().parse().unwrap()));
    let venue = prop::option::of(prop::sample::select(vec!["XNYS", "XNAS"]).prop_map(SmolStr::new));
    (id, (price(), price()), prop::option::of(0_i64..20), venue, 0_i64..50, 1_i64..9).prop_map(
        |(id, prices, sequence, venue, seconds, last)| {
            let last = Some(last.to_string().parse().unwrap());
            Tick { bid: prices.0, mark: prices.1, last, sequence, venue, ..tick(id, None, None, seconds) }
        },
    )
}

proptest! {
    #[test]
    fn readers_of_frames_and_readers_of_every_tick_hold_the_same(ticks in prop::collection::vec((any_tick(), 0_u8..4), 1..120)) {
        let (mut conflator, mut chain) = (fresh(), FrameChain::default());
        let (mut by_tick, mut by_frame) = (Table::new(), Table::new());
        let (mut offset, mut published) = (0, 0_u64);
        let mut read = |conflator: &mut Conflator, frame: Option<Frame>, by_frame: &mut Table| {
            let Some(frame) = frame else { return };
            assert!(chain.admit(offset, &frame));
            assert_eq!(conflator.observed(offset, &frame), Ok(Observed::Counted));
            offset += 1;
            published += frame.prices.len() as u64;
            frame.prices.iter().for_each(|price| merge(by_frame, price));
        };
        for ((tick, cut), at) in ticks.iter().zip(0..) {
            merge(&mut by_tick, &as_price(tick));
            let frame = fold_tick(&mut conflator, 0, at, tick);
            read(&mut conflator, frame, &mut by_frame);
            if *cut == 0 {
                let frame = conflator.frame();
                read(&mut conflator, frame, &mut by_frame);
            }
        }
        let last = conflator.frame();
        read(&mut conflator, last, &mut by_frame);
        prop_assert_eq!(by_tick, by_frame);
        let Counters { ticks: read, conflated, late, rejected, .. } = conflator.counters();
        prop_assert_eq!((read, rejected), (ticks.len() as u64, 0));
        prop_assert_eq!(read, published + conflated + late);
    }

    /// Two conflators that may run at once, stop, lag and resume as chance has it: the counted frames
    /// hold every record once, in order.
    #[test]
    fn every_record_counts_once_whoever_writes(events in prop::collection::vec((0_usize..2, 0_u8..5), 1..80)) {
        let ticks: Vec<_> = (0..40_i64).map(|n| Tick { sequence: Some(n), ..tick("AAA", Some(&(n + 1).to_string()), None, n) }).collect();
        let mut log: Vec<Frame> = Vec::new();
        let mut writers = [(fresh(), 0), (fresh(), 0)];
        let step = |(writer, read): &mut (Conflator, usize), log: &mut Vec<Frame>, choice: u8| match choice {
            0 | 1 => {
                let next = writer.position(Topic::Ticks, 0).unwrap();
                let tick = ticks.get(usize::try_from(next).unwrap());
                log.extend(tick.and_then(|tick| fold_tick(writer, 0, next, tick)));
            }
            2 => log.extend(writer.frame()),
            3 => {
                let Some(frame) = log.get(*read) else { return };
                *read += 1;
                if writer.observed(i64::try_from(*read).unwrap() - 1, frame).is_err() { (*writer, *read) = resumed(log) }
            }
            _ => (*writer, *read) = resumed(log),
        };
        for (who, choice) in events { step(&mut writers[who], &mut log, choice) }
        // Whoever is left brings it to an end.
        writers[0] = resumed(&log);
        for choice in [0].repeat(40).into_iter().chain([2]) { step(&mut writers[0], &mut log, choice) }
        let mut chain = FrameChain::default();
        let counted: Vec<_> = log.iter().zip(0..).filter(|(frame, at)| chain.admit(*at, frame)).collect();
        prop_assert_eq!(chain.end(Topic::Ticks, 0), Some(40));
        let mut end = 0;
        for (frame, _) in counted {
            let source = &frame.sources[0];
            prop_assert_eq!(source.from, end);
            end = source.to;
            // The price of a frame is its last tick's: the one before the end of its range.
            prop_assert!(frame.prices.iter().all(|price| price.sequence == Some(end - 1)));
        }
    }
}

fn resumed(log: &[Frame]) -> (Conflator, usize) {
    let start = log.last().map_or(0, |newest| usize::try_from(tail_start(newest, 0).unwrap()).unwrap());
    let mut tail = Tail::default();
    for (at, frame) in log.iter().enumerate().skip(start) {
        tail.read(i64::try_from(at).unwrap(), frame);
    }
    let mut conflator = Conflator::resume(tail, Limits::default());
    for topic in SOURCES {
        conflator.start(topic, 0, 0);
    }
    (conflator, log.len())
}

#[test]
fn a_frame_names_every_source_and_goes_on_where_the_last_one_ended() {
    let mut conflator = fresh();
    assert_eq!(conflator.frame(), None);
    fold_tick(&mut conflator, 0, 0, &tick("AAA", Some("1"), Some("2"), 0));
    fold_tick(&mut conflator, 0, 7, &tick("AAA", None, Some("3"), 1));
    let first = conflator.frame().unwrap();
    assert_eq!(first.sources.iter().map(|s| (s.topic, s.from, s.to)).collect::<Vec<_>>(), {
        let mut all = vec![(Topic::Ticks, 0, 8)];
        all.extend(SOURCES[1..].iter().map(|topic| (*topic, 0, 0)));
        all
    });
    assert_eq!((first.anchor, first.event_time), (-1, at(7)));
    assert_eq!((first.prices.len(), first.prices[0].bid, first.prices[0].ask), (1, "1".parse().ok(), "3".parse().ok()));

    fold_tick(&mut conflator, 0, 7, &tick("AAA", Some("9"), None, 2));
    assert_eq!(conflator.frame(), None, "an offset read before");
    assert_eq!(conflator.start(Topic::Ticks, 1, 500), 500, "a new partition");
    fold_tick(&mut conflator, 1, 500, &tick("BBB", Some("5"), None, 2));
    assert_eq!(conflator.observed(0, &first), Ok(Observed::Counted));
    let second = conflator.frame().unwrap();
    assert_eq!((second.sources[0].from, second.sources[0].to), (8, 8));
    assert_eq!((second.sources[1].partition, second.sources[1].from, second.sources[1].to), (1, 500, 501));
    assert_eq!((second.anchor, conflator.in_flight()), (0, 1));
    let mut chain = FrameChain::default();
    assert!(chain.admit(0, &first) && chain.admit(1, &second));
}

#[test]
fn the_newest_reference_record_of_a_key_stands() {
    let mut conflator = fresh();
    let named = |name: &str| Instrument { name: Some(name.into()), ..instrument("AAA") };
    for (offset, name) in [(0, "old"), (1, "new")] {
        fold(&mut conflator, &record(Topic::Instruments, 0, offset, "AAA", b""), Ok(Input::Instrument(Box::new(named(name)))));
    }
    let withdrawn = CorporateAction { status: ActionStatus::Cancelled, ratio_new: None, ..split("S1") };
    for (offset, action) in [(0, split("S1")), (1, split("S2")), (2, withdrawn)] {
        let raw = record(Topic::CorporateActions, 0, offset, &action.action_id, b"");
        fold(&mut conflator, &raw, Ok(Input::CorporateAction(Box::new(action))));
    }
    let status = MarketStatus { venue: Some("XNYS".into()), instrument_id: None, status: MarketState::Unknown, effective_at: NOW };
    fold(&mut conflator, &record(Topic::MarketStatus, 0, 0, "XNYS", b""), Ok(Input::MarketStatus(Box::new(status.clone()))));
    let frame = conflator.frame().unwrap();
    assert_eq!(frame.instruments, [named("new")]);
    assert_eq!(
        frame.actions.iter().map(|a| (a.action_id.as_str(), a.status)).collect::<Vec<_>>(),
        [("S2", ActionStatus::New), ("S1", ActionStatus::Cancelled)]
    );
    assert_eq!(frame.statuses, [status]);
    assert!(frame.rejected.is_empty(), "{:?}", frame.rejected);
}

#[test]
fn a_frame_tells_every_status_in_order() {
    let mut conflator = fresh();
    let report = |status, seconds| MarketStatus { venue: Some("XNYS".into()), instrument_id: None, status, effective_at: at(seconds) };
    let told = [report(MarketState::Halted, 1), report(MarketState::Closed, 3600), report(MarketState::Halted, 1)];
    for (offset, status) in (0..).zip(&told) {
        fold(&mut conflator, &record(Topic::MarketStatus, 0, offset, "XNYS", b""), Ok(Input::MarketStatus(Box::new(status.clone()))));
    }
    assert_eq!(conflator.frame().unwrap().statuses, told);
}

#[test]
fn an_overtaken_conflator_hears_of_it() {
    let (mut old, mut new) = (fresh(), fresh());
    for conflator in [&mut old, &mut new] {
        fold_tick(conflator, 0, 0, &tick("AAA", Some("1"), None, 0));
    }
    fold_tick(&mut new, 0, 1, &tick("AAA", Some("2"), None, 1));
    let (theirs, ours) = (new.frame().unwrap(), old.frame().unwrap());
    assert_eq!(old.observed(0, &theirs), Err(Ended::Overtaken { offset: 0 }));
    assert_eq!(new.observed(0, &theirs), Ok(Observed::Counted));
    assert_eq!(new.observed(1, &ours), Ok(Observed::Stray));
}

#[test]
fn a_frame_that_was_never_delivered_ends_its_writer() {
    let mut conflator = fresh();
    fold_tick(&mut conflator, 0, 0, &tick("AAA", Some("1"), None, 0));
    let first = conflator.frame().unwrap();
    assert_eq!(conflator.observed(0, &first), Ok(Observed::Counted));
    fold_tick(&mut conflator, 0, 1, &tick("AAA", Some("2"), None, 1));
    let _lost = conflator.frame().unwrap();
    fold_tick(&mut conflator, 0, 2, &tick("AAA", Some("3"), None, 2));
    let third = conflator.frame().unwrap();
    assert_eq!(conflator.observed(1, &third), Err(Ended::Undelivered { offset: 1 }));
}

#[test]
fn signs_of_life_of_two_conflators_do_not_disturb_each_other() {
    let (mut one, mut two) = (fresh(), fresh());
    let beats = [one.heartbeat(), two.heartbeat()];
    for (beat, offset) in beats.iter().zip(0..) {
        assert_eq!(one.observed(offset, beat), Ok(Observed::Counted));
        assert_eq!(two.observed(offset, beat), Ok(Observed::Counted));
    }
    fold_tick(&mut one, 0, 0, &tick("AAA", Some("1"), None, 0));
    let frame = one.frame().unwrap();
    assert_eq!((frame.anchor, one.observed(2, &frame)), (1, Ok(Observed::Counted)));
}

#[test]
fn after_a_restart_late_ticks_are_still_late() {
    let mut first = fresh();
    fold_tick(&mut first, 0, 0, &Tick { sequence: Some(9), ..tick("AAA", Some("5"), None, 9) });
    let frame = first.frame().unwrap();
    let (mut second, _) = resumed(&[frame]);
    assert_eq!(second.start(Topic::Ticks, 0, 0), 1);
    fold_tick(&mut second, 0, 1, &Tick { sequence: Some(8), ..tick("AAA", Some("4"), None, 10) });
    assert_eq!((second.frame(), second.counters().late), (None, 1));
}

#[test]
fn the_tail_starts_at_the_anchor_or_says_why_not() {
    let frame = |anchor| Frame { anchor, ..Frame::default() };
    assert_eq!(tail_start(&frame(12), 3), Ok(12));
    assert_eq!(tail_start(&frame(-1), 0), Ok(0));
    assert_eq!(tail_start(&frame(-1), 3), Err(AnchorGone { anchor: -1, log_start: 3 }));
    assert_eq!(tail_start(&frame(2), 3), Err(AnchorGone { anchor: 2, log_start: 3 }));
    let told = AnchorGone { anchor: 2, log_start: 3 }.to_string();
    assert!(told.contains("goes on from frame 2, and their topic starts at 3") && told.contains("make it anew"), "{told}");
}

#[test]
fn frames_in_flight_are_bounded() {
    let mut conflator = started(Limits { in_flight: 1, ..Limits::default() });
    fold_tick(&mut conflator, 0, 0, &tick("AAA", Some("1"), None, 0));
    let first = conflator.frame().unwrap();
    fold_tick(&mut conflator, 0, 1, &tick("AAA", Some("2"), None, 1));
    assert_eq!(conflator.frame(), None);
    conflator.observed(0, &first).unwrap();
    assert!(conflator.frame().is_some());
}

#[test]
fn a_frame_holds_no_price_of_an_instrument_over_the_end_of_a_minute() {
    // The clock stands twenty seconds after the minute, and frames in flight are no reason to merge two days.
    let mut conflator = started(Limits { in_flight: 0, ..Limits::default() });
    let mut frames = Vec::new();
    for (n, (id, seconds)) in (0..).zip([("AAA", -60), ("AAA", -21), ("BBB", -19), ("AAA", -20), ("BBB", 39), ("CCC", 40), ("BBB", 40)]) {
        frames.extend(fold_tick(&mut conflator, 0, n, &tick(id, Some("1"), None, seconds)));
    }
    frames.push(conflator.heartbeat());
    let told = |frame: &Frame| frame.prices.iter().map(|p| (p.instrument_id.to_string(), p.event_time.since(NOW) / 1_000_000)).collect();
    let told: Vec<Vec<(String, i64)>> = frames.iter().map(told).collect();
    let of = |id: &str, seconds| (id.to_owned(), seconds);
    let expected = [vec![of("AAA", -21), of("BBB", -19)], vec![of("AAA", -20), of("BBB", 39), of("CCC", 40)], vec![of("BBB", 40)]];
    assert_eq!(told, expected);
    let reach = |frame: &Frame| frame.sources.iter().find(|source| source.topic == Topic::Ticks).map(|source| (source.from, source.to));
    assert_eq!(frames.iter().filter_map(reach).collect::<Vec<_>>(), [(0, 3), (3, 6), (6, 7)]);
}

#[test]
fn a_full_frame_stays_far_below_its_topics_limit() {
    let limit = 64 * 1024;
    let mut conflator = started(Limits { frame_bytes: limit, ..Limits::default() });
    let name = SmolStr::new("n".repeat(1000));
    let mut offset = 0;
    while !conflator.full() {
        let id = format!("I{offset}");
        let raw = record(Topic::Instruments, 0, offset, &id, b"");
        fold(&mut conflator, &raw, Ok(Input::Instrument(Box::new(Instrument { name: Some(name.clone()), ..instrument(&id) }))));
        offset += 1;
    }
    let frame = conflator.frame().unwrap();
    assert!((limit / 1300..limit / 1000).contains(&frame.instruments.len()), "{}", frame.instruments.len());
    assert!(!conflator.full());

    let mut ticks = 0;
    while !conflator.full() {
        fold_tick(&mut conflator, 0, ticks, &tick(&format!("I{ticks}"), Some("1"), None, 0));
        ticks += 1;
    }
    assert!((limit / 190..limit / 168).contains(&conflator.frame().unwrap().prices.len()));
}

#[test]
fn what_cannot_be_read_travels_whole_unless_it_is_too_large() {
    let mut conflator = fresh();
    let refusal = || Err(Refusal::new(DeadLetterCode::Undecodable, "no record"));
    let raw = record(Topic::Ticks, 0, 0, "AAA", &[1, 2, 3]);
    fold(&mut conflator, &raw, refusal());
    fold(&mut conflator, &record(Topic::Ticks, 0, 1, "AAA", &vec![0; 4 * 1024 * 1024]), refusal());
    let frame = conflator.frame().unwrap();
    let (small, large) = (&frame.rejected[0], &frame.rejected[1]);
    assert_eq!((small.topic, small.partition, small.offset, small.code), (Topic::Ticks, 0, 0, DeadLetterCode::Undecodable));
    assert_eq!((&small.key, &small.value, &small.headers, small.timestamp), (&raw.key, &raw.value, &raw.headers, raw.timestamp));
    assert_eq!((&large.value, large.offset), (&None, 1));
    assert!(large.text.contains("too large to be carried"), "{}", large.text);
    assert_eq!(frame.event_time, Timestamp::default(), "a refused record dates nothing");
}
