//! Tests: histories that the real roles made, on two lanes, from random inputs. They pass whole; with
//! any one record of ours or of a kept input gone, they do not.

use super::lane_by_lane::concerns;
use super::seen::SeenRecord;
use super::story::{instrument, moment, v};
use super::{Given, Report, verify};
use crate::avro::AvroCodec;
use crate::messages::{OutMessage, step_messages};
use avro_codec::{encode_frame, encode_input, input_key};
use domain::cash::CashEntry;
use domain::corporate_action::CorporateAction;
use domain::enums::InstrumentType;
use domain::fill::Fill;
use domain::frame::{Frame, FramePrice, FrameSource};
use domain::instrument::Instrument;
use domain::tick::Tick;
use domain::{Input, SmolStr, Timestamp, Topic};
use engine::lane::Slice;
use engine::partition::lane_of;
use engine::{Lane, RawRecord, Role, Settings};
use paper_router::PaperRouter;
use position_keeper::PositionKeeper;
use rebalancer::Rebalancer;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const LANES: i32 = 2;
const NAMES: [&str; 4] = ["AAA", "BBB", "CCC", "DDD"];

/// A log of one process, with the offsets that commits take.
#[derive(Default)]
pub(super) struct Log {
    records: BTreeMap<(&'static str, i32), Vec<RawRecord>>,
    ends: BTreeMap<(&'static str, i32), i64>,
    pub(super) now: Timestamp,
    ticks: i64,
    instruments: i64,
    actions: i64,
}

impl Log {
    fn append(&mut self, message: OutMessage) -> (&'static str, i32) {
        let place = (message.topic, message.partition);
        let end = self.ends.entry(place).or_default();
        let offset = *end;
        *end += 1;
        let topic = Topic::from_name(message.topic.strip_suffix(".dlq").unwrap_or(message.topic)).unwrap();
        let headers = message.headers.into_iter().map(|(name, value)| domain::command::Header { name, value }).collect();
        let (key, value, timestamp) = (message.key, message.value, self.now);
        let record = RawRecord { topic, partition: place.1, offset, timestamp, key, headers, value };
        self.records.entry(place).or_default().push(record);
        place
    }
    fn bytes(&mut self, topic: Topic, partition: i32, key: Option<Vec<u8>>, value: Vec<u8>) {
        self.append(OutMessage { topic: topic.name(), partition, key, value: Some(value), headers: Vec::new() });
    }
    pub(super) fn input(&mut self, topic: Topic, input: &Input) {
        let mut value = Vec::new();
        encode_input(input, &mut value).unwrap();
        let key = input_key(input).map(|key| key.as_bytes().to_vec());
        let broadcast = matches!(topic, Topic::Ticks | Topic::Instruments | Topic::CorporateActions);
        let partition = if broadcast { 0 } else { lane_of(key.as_deref().unwrap_or_default(), LANES) };
        self.bytes(topic, partition, key, value);
    }
    fn end(&self, topic: Topic, partition: i32) -> i64 {
        self.ends.get(&(topic.name(), partition)).copied().unwrap_or(0)
    }
    /// Publishes market data and the frame that tells of it.
    fn market(&mut self, ticks: Vec<Tick>, instruments: Vec<Instrument>) {
        self.frame(ticks, instruments, Vec::new());
    }
    /// The same with corporate actions.
    pub(super) fn frame(&mut self, ticks: Vec<Tick>, instruments: Vec<Instrument>, actions: Vec<CorporateAction>) {
        actions.iter().for_each(|a| self.input(Topic::CorporateActions, &Input::CorporateAction(Box::new(a.clone()))));
        instruments.iter().for_each(|i| self.input(Topic::Instruments, &Input::Instrument(Box::new(i.clone()))));
        ticks.iter().for_each(|t| self.input(Topic::Ticks, &Input::Tick(Box::new(t.clone()))));
        let source = |topic, from, to| FrameSource { topic, partition: 0, from, to };
        let [t, i, a] = [Topic::Ticks, Topic::Instruments, Topic::CorporateActions].map(|topic| self.end(topic, 0));
        let mut sources = vec![
            source(Topic::Ticks, self.ticks, t),
            source(Topic::Instruments, self.instruments, i),
            source(Topic::CorporateActions, self.actions, a),
        ];
        sources.sort_by_key(|s| s.topic);
        (self.ticks, self.instruments, self.actions) = (t, i, a);
        let prices = ticks.into_iter().map(priced).collect();
        let frame = Frame { sources, anchor: -1, event_time: self.now, prices, instruments, actions, ..Frame::default() };
        let mut value = Vec::new();
        encode_frame(&frame, &mut value).unwrap();
        self.bytes(Topic::Frames, 0, None, value);
    }
    pub(super) fn seen(&self) -> Vec<SeenRecord<'static>> {
        let header = |h: &domain::command::Header| (h.name.to_string(), h.value.clone());
        let all = self.records.iter().flat_map(|((topic, _), records)| records.iter().map(move |record| (*topic, record)));
        all.map(|(topic, r)| SeenRecord {
            topic,
            partition: r.partition,
            offset: r.offset,
            appended: r.timestamp,
            key: r.key.clone(),
            value: r.value.clone(),
            headers: r.headers.iter().map(header).collect(),
        })
        .collect()
    }
}

fn priced(tick: Tick) -> FramePrice {
    FramePrice {
        bid: tick.bid,
        ask: tick.ask,
        last: tick.last,
        mark: tick.mark,
        accrued: tick.accrued,
        volume: tick.volume,
        venue: tick.venue,
        sequence: tick.sequence,
        ..FramePrice::empty(tick.instrument_id, tick.event_time)
    }
}

/// One step of a lane on all that it has not read; whether there was one.
fn run<R: Role>(lane: &mut Lane<R>, log: &mut Log) -> bool {
    read(lane, log) && close(lane, log)
}

/// One window of a lane on all that it has not read; whether there was one.
pub(super) fn read<R: Role>(lane: &mut Lane<R>, log: &Log) -> bool {
    let mut codec = AvroCodec::default();
    let mut slices = Vec::new();
    for topic in R::INPUTS {
        let partition = if *topic == Topic::Frames { 0 } else { lane.lane() };
        let (from, to) = (lane.position(*topic, partition), log.end(*topic, partition));
        if from < to {
            let all = log.records.get(&(topic.name(), partition)).map_or(&[][..], Vec::as_slice);
            slices.push(Slice { topic: *topic, partition, to, records: &all[all.partition_point(|r| r.offset < from)..] });
        }
    }
    if slices.is_empty() && lane.next_due().is_none_or(|due| due > log.now) {
        return false;
    }
    lane.window(log.now, false, &slices, &mut codec).unwrap();
    true
}

/// Ends the step of a lane; whether there was one.
pub(super) fn close<R: Role>(lane: &mut Lane<R>, log: &mut Log) -> bool {
    let mut codec = AvroCodec::default();
    let Some(step) = lane.close(&mut codec).unwrap() else { return false };
    let messages = step_messages(R::NAME, R::PROGRESS, lane.lane(), step);
    let all = std::iter::once(messages.begin).chain(messages.outputs).chain(std::iter::once(messages.done));
    let touched: BTreeSet<_> = all.map(|message| log.append(message)).collect();
    touched.into_iter().for_each(|place| *log.ends.entry(place).or_default() += 1);
    true
}

pub(super) struct Rng(u64);

impl Rng {
    pub(super) fn of(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }
    pub(super) fn below(&mut self, n: u64) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 11) % n).unwrap()
    }
    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64)]
    }
}

pub(super) fn tick(name: &str, price: &str, now: Timestamp) -> Tick {
    serde_json::from_value(json!({"instrument_id": name, "last": price, "event_time": now.to_string()})).unwrap()
}

/// P4 keeps its book by another method from seed to seed.
fn policy(portfolio: usize, seed: u64) -> Input {
    let method = ["AVERAGE", "FIFO", "HIFO", "LIFO"][if portfolio == 4 { usize::try_from(seed % 4).unwrap() } else { portfolio }];
    let target = |id: &str, weight: &str| json!({"instrument_id": id, "target_weight": weight});
    let targets = if portfolio == 4 { json!([]) } else { json!([target("AAA", "0.3"), target("BBB", "0.2"), target("CCC", "0.1")]) };
    let mode = if portfolio == 1 { "APPROVAL" } else { "AUTOMATIC" };
    let funding = if portfolio == 2 { "TOGETHER" } else { "WAIT_FOR_SELLS" };
    let policy = json!({"portfolio_id": format!("P{portfolio}"), "policy_version": 1, "base_currency": "USD", "targets": targets,
        "book": {"cost_method": method}, "trigger": {"mode": mode}, "orders": {"funding": funding, "allow_short": portfolio == 4},
        "limits": {"max_order_notional": "1000000", "max_daily_notional": "100000000", "price_collar_bp": "5000"}});
    Input::Policy(serde_json::from_value(policy).unwrap())
}

fn cash(rng: &mut Rng, portfolio: usize, round: i64, now: Timestamp) -> Input {
    let (kind, amount) =
        rng.pick(&[("FEE", "1.5"), ("INTEREST", "2.25"), ("WITHDRAWAL", "10"), ("DEPOSIT", "5000"), ("DEPOSIT", "7000.01")]);
    let entry: CashEntry = serde_json::from_value(json!({"source": "bank", "entry_id": format!("{portfolio}-{round}"),
        "portfolio_id": format!("P{portfolio}"), "kind": kind, "currency": rng.pick(&["USD", "USD", "USD", "EUR"]), "amount": amount,
        "effective_at": now.to_string()}))
    .unwrap();
    Input::Cash(Box::new(entry))
}

/// P4 trades everything, a future too, and flips; the others buy some of what they target.
fn fill(rng: &mut Rng, id: usize, price: [i64; 4], now: Timestamp) -> Input {
    let portfolio = if rng.below(3) == 0 { rng.below(4) } else { 4 };
    let which = if portfolio == 4 { rng.below(4) } else { rng.below(3) };
    let side = if portfolio == 4 { rng.pick(&["BUY", "SELL", "SELL_SHORT"]) } else { "BUY" };
    let quantity = format!("{}.{:03}", rng.below(9), 1 + rng.below(999));
    let fee = |currency: &str| json!([{"type": "commission", "amount": "0.37", "currency": currency}]);
    let fees: [Value; 3] = [json!([]), fee("USD"), fee("EUR")];
    let fill: Fill = serde_json::from_value(json!({"source": "oms", "exec_id": format!("e{id}"), "trade_date": now.date_utc().to_string(),
        "exec_type": "TRADE", "portfolio_id": format!("P{portfolio}"), "instrument_id": NAMES[which], "side": side, "quantity": quantity,
        "price": format!("{}.{:02}", price[which], rng.below(100)), "currency": if which == 1 { "EUR" } else { "USD" },
        "fees": fees[rng.below(3)], "transact_time": now.to_string()}))
    .unwrap();
    Input::Fill(Box::new(fill))
}

/// Every role, on every lane.
struct House {
    keepers: Vec<Lane<PositionKeeper>>,
    rebalancers: Vec<Lane<Rebalancer>>,
    routers: Vec<Lane<PaperRouter>>,
}

impl House {
    fn new() -> Self {
        fn lanes<R: Role + Default>() -> Vec<Lane<R>> {
            let settings =
                Settings { paper_partial_bp: 3000, paper_reject_bp: 500, paper_fee_bp: 5, paper_delay_ms: 200, ..Settings::default() };
            let lane = |number| {
                let mut lane = Lane::new(R::default(), number, LANES);
                lane.configure(&settings);
                lane
            };
            (0..LANES).map(lane).collect()
        }
        Self { keepers: lanes(), rebalancers: lanes(), routers: lanes() }
    }
    fn settle(&mut self, log: &mut Log) {
        for _ in 0..40 {
            let mut moved = false;
            self.keepers.iter_mut().for_each(|lane| moved |= run(lane, log));
            self.rebalancers.iter_mut().for_each(|lane| moved |= run(lane, log));
            self.routers.iter_mut().for_each(|lane| moved |= run(lane, log));
            if !moved {
                return;
            }
        }
    }
}

/// A minute of five portfolios: CCC comes late, so that its fills wait; some fills come twice.
fn history(seed: u64) -> Log {
    let mut rng = Rng::of(seed);
    let mut log = Log { now: moment(0), ..Log::default() };
    let mut house = House::new();
    let kind = |name: &str, kind, currency: &str| Instrument { kind, currency: v(currency), multiplier: v("1"), ..instrument(name) };
    let future = Instrument { multiplier: v("50"), ..kind("DDD", InstrumentType::Future, "USD") };
    let known = vec![kind("AAA", InstrumentType::Equity, "USD"), kind("BBB", InstrumentType::Equity, "EUR"), future];
    log.market(vec![tick("EUR/USD", "1.1", log.now)], known);
    let (mut price, mut copies, mut id) = ([100_i64, 50, 200, 4000], Vec::new(), 0);
    for round in 0..40_i64 {
        log.now = log.now.plus_micros(1_500_000);
        let now = log.now;
        match round {
            2 => (0..5).for_each(|portfolio| log.input(Topic::Policies, &policy(portfolio, seed))),
            20 => log.market(vec![tick("CCC", "200", now)], vec![kind("CCC", InstrumentType::Etf, "USD")]),
            30 => log.bytes(Topic::Fills, 0, Some(b"P1".to_vec()), b"junk".to_vec()),
            _ => {}
        }
        for portfolio in 0..5 {
            if round < 2 || rng.below(4) == 0 {
                let entry = cash(&mut rng, portfolio, round, now);
                log.input(Topic::Cash, &entry);
            }
        }
        for _ in 0..rng.below(6) {
            id += 1;
            let fill = fill(&mut rng, id, price, now);
            log.input(Topic::Fills, &fill);
            copies.push(fill);
        }
        if rng.below(3) == 0
            && let Some(copy) = copies.pop()
        {
            log.input(Topic::Fills, &copy);
        }
        let mut ticks = vec![tick("EUR/USD", &format!("1.1{}", rng.below(100_000)), now)];
        for (n, name) in NAMES.iter().enumerate().filter(|(n, _)| *n != 2 || round > 20) {
            price[n] = (price[n] + i64::try_from(rng.below(11)).unwrap() - 5).max(10);
            ticks.push(tick(name, &format!("{}.{:04}", price[n], rng.below(10_000)), now));
        }
        log.market(ticks, Vec::new());
        house.settle(&mut log);
    }
    log
}

fn checked(records: Vec<SeenRecord<'static>>) -> Report {
    verify(records, &Given::default())
}

#[test]
fn what_the_roles_write_passes() {
    for seed in 1..=8 {
        let report = checked(history(seed).seen());
        assert!(report.passed(), "seed {seed}\n{report}");
        let waves = report.checks.iter().find(|check| check.what.contains("drift event: complete")).map(|check| check.checked);
        assert!(waves.is_some_and(|waves| waves > 0), "seed {seed} ordered nothing: it shows too little\n{report}");
    }
}

#[test]
fn any_record_that_is_gone_is_missed() {
    let all = history(2).seen();
    // Broadcast inputs live on in the frames, and the first frames may go by retention; a last DONE that
    // is gone looks like a step under way.
    let first_frame = |r: &SeenRecord<'_>| r.topic == "ballast.frames.v1" && r.offset == 0;
    let kept = |r: &SeenRecord<'_>| !matches!(r.topic, "marketdata.ticks.v1" | "reference.instruments.v1") && !first_frame(r);
    let last: BTreeMap<(SmolStr, i32), i64> = all.iter().map(|r| ((SmolStr::new(r.topic), r.partition), r.offset)).collect();
    let ends = |r: &SeenRecord<'_>| r.topic.contains(".progress.") && last[&(SmolStr::new(r.topic), r.partition)] == r.offset;
    let places: Vec<usize> = (0..all.len()).filter(|at| kept(&all[*at]) && !ends(&all[*at])).step_by(11).collect();
    assert!(places.len() > 50);
    for at in places {
        let mut rest = all.clone();
        let gone = rest.remove(at);
        assert!(!checked_apart(&rest).passed(), "lane by lane nobody misses {}/{}@{}", gone.topic, gone.partition, gone.offset);
        assert!(!checked(rest).passed(), "nobody misses {}/{}@{}", gone.topic, gone.partition, gone.offset);
    }
}

/// The report of lanes that are checked one after another.
fn checked_apart(records: &[SeenRecord<'static>]) -> Report {
    let mut report = Report::default();
    for lane in 0..LANES {
        report.join(checked(records.iter().filter(|record| concerns(record, lane, LANES)).cloned().collect::<Vec<_>>()));
    }
    report
}

#[test]
fn lanes_apart_say_what_lanes_together_say() {
    let rows = |report: &Report| report.checks.iter().map(|c| (c.what.clone(), c.checked, c.violations)).collect::<Vec<_>>();
    for seed in 1..=8 {
        let all = history(seed).seen();
        let (whole, apart) = (checked(all.clone()), checked_apart(&all));
        assert_eq!(rows(&whole), rows(&apart), "seed {seed}");
        assert_eq!(whole.balances, apart.balances, "seed {seed}");
    }
}

#[test]
fn a_deployment_older_than_its_retention_passes() {
    for seed in 1..=4 {
        let all = history(seed).seen();
        for part in [3, 2] {
            let mut given = Given::default();
            let ends: BTreeMap<(&str, i32), i64> = all.iter().map(|r| ((r.topic, r.partition), r.offset)).collect();
            let short = |topic: &str| {
                topic.contains(".progress.") || topic.ends_with(".dlq") || topic.starts_with("ballast.") || topic.starts_with("marketdata.")
            };
            for ((topic, partition), end) in ends.iter().filter(|((topic, _), _)| short(topic)) {
                given.starts.insert(((*topic).to_owned(), *partition), end / part + 1);
            }
            let start = |r: &SeenRecord<'_>| given.starts.get(&(r.topic.to_owned(), r.partition)).copied().unwrap_or(0);
            let kept: Vec<_> = all.iter().filter(|r| r.offset >= start(r)).cloned().collect();
            let report = verify(kept, &given);
            assert!(report.passed(), "seed {seed}\n{report}");
            assert!(report.notes.iter().any(|note| note.contains("has progress from step")), "{report}");
        }
    }
}
