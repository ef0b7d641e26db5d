//! A lane with a JSON codec, and short ways to feed it.

use domain::drift::Drift;
use domain::enums::DriftKind;
use domain::fill::{Fill, FillRef};
use domain::frame::{Frame, FramePrice, FrameSource};
use domain::ledger::{ClosedTrades, Ledger};
use domain::reason::DeadLetterCode;
use domain::snapshot::Snapshot;
use domain::{Date, Input, Output, PortfolioId, Timestamp, Topic};
use engine::lane::Slice;
use engine::{Codec, Image, Lane, RawRecord, Refusal, Role, Settings};
use position_keeper::PositionKeeper;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Fills are viewed, as with the codec of the service.
pub struct Json;

/// The same without views: every record is decoded.
pub struct Decoding;

fn read<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<Box<T>, Refusal> {
    serde_json::from_slice(bytes).map(Box::new).map_err(|error| Refusal::new(DeadLetterCode::Undecodable, error.to_string()))
}

impl Codec for Json {
    fn decode(&mut self, topic: Topic, key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Input, Refusal> {
        let Some(value) = value else {
            return Ok(Input::PolicyClosed(PortfolioId::new(std::str::from_utf8(key.unwrap()).unwrap()).unwrap()));
        };
        Ok(match topic {
            Topic::Fills => Input::Fill(read(value)?),
            Topic::Cash => Input::Cash(read(value)?),
            Topic::Policies => Input::Policy(read(value)?),
            Topic::Commands => Input::Command(read(value)?),
            Topic::Refresh => Input::Refresh(read(value)?),
            Topic::Frames => Input::Frame(read(value)?),
            Topic::Risk => Input::Risk(read(value)?),
            _ => return Err(Refusal::new(DeadLetterCode::Undecodable, "no input")),
        })
    }
    fn view_fill<'a>(&mut self, value: &'a [u8]) -> Option<FillRef<'a>> {
        // A text of JSON may be written otherwise than it reads: what is viewed lies in a fill that outlives the test.
        read::<Fill>(value).ok().map(|fill| Box::leak(fill).view())
    }
    fn encode(&mut self, output: &Output, into: &mut Vec<u8>) -> Result<(), Refusal> {
        serde_json::to_writer(into, output).map_err(|error| Refusal::new(DeadLetterCode::Undecodable, error.to_string()))
    }
}

impl Codec for Decoding {
    fn decode(&mut self, topic: Topic, key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Input, Refusal> {
        Json.decode(topic, key, value)
    }
    fn encode(&mut self, output: &Output, into: &mut Vec<u8>) -> Result<(), Refusal> {
        Json.encode(output, into)
    }
}

/// One window's records by topic, and its clock.
#[derive(Debug, Clone, Default)]
pub struct Window {
    pub now: i64,
    pub behind: bool,
    pub records: BTreeMap<Topic, Vec<RawRecord>>,
}

pub struct Book {
    pub lane: Lane<PositionKeeper>,
    next: BTreeMap<Topic, i64>,
    ticks: i64,
    window: Window,
    /// How many windows the last run took: one whose records cost much ends early.
    pub windows: usize,
    /// Every window run so far.
    pub history: Vec<Window>,
    /// Closed trades by trade date, as a reader of the ledger alone adds them up.
    pub closed_trades: BTreeMap<Date, ClosedTrades>,
}

/// 2026-01-05T00:00:00Z in microseconds.
pub const MONDAY: i64 = 1_767_571_200_000_000;

pub fn second(n: i64) -> i64 {
    MONDAY + n * 1_000_000
}

impl Book {
    pub fn new() -> Self {
        Self::with(&Settings::default())
    }
    pub fn with(settings: &Settings) -> Self {
        let mut lane = Lane::new(PositionKeeper::default(), 0, 1);
        lane.configure(settings);
        let window = Window { now: MONDAY, ..Window::default() };
        Self { lane, next: BTreeMap::new(), ticks: 0, window, windows: 0, history: Vec::new(), closed_trades: BTreeMap::new() }
    }
    pub fn add(&mut self, topic: Topic, key: &str, value: Option<Vec<u8>>) -> i64 {
        let next = self.next.entry(topic).or_default();
        let offset = *next;
        *next += 1;
        let record = RawRecord {
            topic,
            partition: 0,
            offset,
            timestamp: Timestamp::from_micros(self.window.now),
            key: Some(key.as_bytes().to_vec()),
            headers: Vec::new(),
            value,
        };
        self.window.records.entry(topic).or_default().push(record);
        offset
    }
    fn json(&mut self, topic: Topic, value: &Value) -> &mut Self {
        let key = value["portfolio_id"].as_str().unwrap_or("").to_owned();
        self.add(topic, &key, Some(value.to_string().into_bytes()));
        self
    }
    pub fn at(&mut self, now: i64) -> &mut Self {
        self.window.now = now;
        self
    }
    /// The clock of the window being filled, in microseconds.
    pub fn now(&self) -> i64 {
        self.window.now
    }
    pub fn behind(&mut self, behind: bool) -> &mut Self {
        self.window.behind = behind;
        self
    }
    /// A policy of portfolio `p` in USD with more fields.
    pub fn policy(&mut self, version: i64, more: Value) -> &mut Self {
        self.policy_of("p", version, more)
    }
    pub fn policy_of(&mut self, portfolio: &str, version: i64, more: Value) -> &mut Self {
        let mut policy = json!({"portfolio_id": portfolio, "policy_version": version, "base_currency": "USD"});
        merge(&mut policy, more);
        self.json(Topic::Policies, &policy)
    }
    pub fn close_policy(&mut self, portfolio: &str) -> &mut Self {
        self.add(Topic::Policies, portfolio, None);
        self
    }
    pub fn fill(&mut self, exec: &str, side: &str, quantity: &str, price: &str, more: Value) -> &mut Self {
        let mut fill = json!({
            "source": "oms", "exec_id": exec, "trade_date": "2026-01-05", "exec_type": "TRADE", "portfolio_id": "p",
            "instrument_id": "A", "side": side, "quantity": quantity, "price": price, "currency": "USD",
            "transact_time": "2026-01-05T10:00:00Z"
        });
        merge(&mut fill, more);
        self.json(Topic::Fills, &fill)
    }
    pub fn cash(&mut self, id: &str, kind: &str, currency: &str, amount: &str) -> &mut Self {
        self.cash_of("p", id, kind, currency, amount)
    }
    pub fn cash_of(&mut self, portfolio: &str, id: &str, kind: &str, currency: &str, amount: &str) -> &mut Self {
        let entry = json!({
            "source": "bank", "entry_id": id, "portfolio_id": portfolio, "kind": kind, "currency": currency, "amount": amount,
            "effective_at": "2026-01-05T09:00:00Z"
        });
        self.json(Topic::Cash, &entry)
    }
    /// A cash entry of portfolio `p` with more fields.
    pub fn entry(&mut self, id: &str, kind: &str, more: Value) -> &mut Self {
        let mut entry = json!({
            "source": "bank", "entry_id": id, "portfolio_id": "p", "kind": kind, "currency": "USD", "amount": "0",
            "effective_at": "2026-01-05T09:00:00Z"
        });
        merge(&mut entry, more);
        self.json(Topic::Cash, &entry)
    }
    pub fn command(&mut self, id: &str, kind: &str, more: Value) -> &mut Self {
        let mut command = json!({"command_id": id, "portfolio_id": "p", "kind": kind, "actor": "me", "issued_at": "2026-01-05T10:00:00Z"});
        merge(&mut command, more);
        self.json(Topic::Commands, &command)
    }
    /// The risk of portfolio `p` at a close: (volatility of its own days, that of what it held), each with its observations.
    pub fn risk(
        &mut self,
        date: &str,
        version: i64,
        realised: (&str, i32),
        holdings: (&str, i32),
        coverage: &str,
        gross: &str,
    ) -> &mut Self {
        self.risk_of("p", date, version, realised, holdings, coverage, gross)
    }
    /// The same of any portfolio.
    #[allow(clippy::too_many_arguments, reason = "a record of risk has as many figures")]
    pub fn risk_of(
        &mut self,
        portfolio: &str,
        date: &str,
        version: i64,
        realised: (&str, i32),
        holdings: (&str, i32),
        coverage: &str,
        gross: &str,
    ) -> &mut Self {
        let metric = |id: &str, (value, observations): (&str, i32)| {
            let value = if value == "none" { Value::Null } else { json!(value) };
            json!({"id": id, "value": value, "unit": "FRACTION", "currency": null, "window": "500D", "observations": observations,
                "method": "test", "confidence": null, "horizon_days": null, "reason": null})
        };
        let metrics = [
            metric("realised_risk", realised),
            metric("holdings_volatility", holdings),
            metric("history_coverage", (coverage, 1)),
            metric("gross_exposure", (gross, 1)),
        ];
        self.json(
            Topic::Risk,
            &json!({"portfolio_id": portfolio, "as_of": "2026-01-05T00:00:00Z", "timeframe": "500D", "base_currency": "USD", "provisional": false,
                "metrics": metrics, "date": date, "close_version": version}),
        )
    }
    pub fn refresh(&mut self, id: &str) -> &mut Self {
        self.json(Topic::Refresh, &json!({"request_id": id, "portfolio_id": "p", "why": "test"}))
    }
    /// A frame of its own.
    pub fn frame(&mut self, fill: impl FnOnce(&mut Frame)) -> &mut Self {
        let source = FrameSource { topic: Topic::Ticks, partition: 0, from: self.ticks, to: self.ticks + 1 };
        self.ticks += 1;
        let now = Timestamp::from_micros(self.window.now);
        let mut frame = Frame { sources: vec![source], anchor: -1, event_time: now, ..Frame::default() };
        fill(&mut frame);
        self.add(Topic::Frames, "", Some(serde_json::to_vec(&frame).unwrap()));
        self
    }
    /// Instruments of type EQUITY in USD, with a price where one is given.
    pub fn instrument(&mut self, id: &str, more: Value) -> &mut Self {
        let mut facts = json!({"instrument_id": id, "type": "EQUITY", "currency": "USD", "max_price_age_seconds": 86_400 * 30});
        merge(&mut facts, more);
        let facts = serde_json::from_value(facts).unwrap();
        self.frame(|frame| frame.instruments.push(facts))
    }
    pub fn price(&mut self, id: &str, price: &str) -> &mut Self {
        let now = self.window.now;
        self.frame(|frame| frame.prices.push(last(id, price, now)))
    }
    pub fn status(&mut self, status: Value) -> &mut Self {
        let status = serde_json::from_value(status).unwrap();
        self.frame(|frame| frame.statuses.push(status))
    }
    /// The fills that were sent for a portfolio, with their offsets.
    pub fn sent_fills(&self, portfolio: &str) -> Vec<(i64, Vec<u8>)> {
        let windows = self.history.iter().chain([&self.window]);
        let records = windows.filter_map(|window| window.records.get(&Topic::Fills)).flatten();
        let own = records.filter(|record| record.key.as_deref() == Some(portfolio.as_bytes()));
        own.map(|record| (record.offset, record.value.clone().unwrap_or_default())).collect()
    }
    /// Runs the window and closes its step.
    pub fn run(&mut self) -> Vec<Output> {
        let next = Window { now: self.window.now, behind: self.window.behind, records: BTreeMap::new() };
        let window = std::mem::replace(&mut self.window, next);
        self.windows = fold(&mut self.lane, &window, &mut Json);
        let outputs = close(&mut self.lane, &mut Json);
        self.history.push(window);
        for told in ledgers(&outputs).into_iter().flat_map(|ledger| &ledger.entries).flat_map(|entry| &entry.closed_trades) {
            let known = self.closed_trades.entry(told.trade_date).or_insert(ClosedTrades::none(told.trade_date));
            known.add(told, 1).unwrap();
        }
        self.closed_trades.retain(|_, trades| !trades.is_nothing());
        outputs
    }
    /// Runs a window at that second.
    pub fn run_at(&mut self, now: i64) -> Vec<Output> {
        self.at(now).run()
    }
}

pub fn run(lane: &mut Lane<PositionKeeper>, window: &Window) -> Vec<Output> {
    run_with(lane, window, &mut Json)
}

pub fn run_with(lane: &mut Lane<PositionKeeper>, window: &Window, codec: &mut dyn Codec) -> Vec<Output> {
    fold(lane, window, codec);
    close(lane, codec)
}

/// Closes the step, which must have known whether it publishes anything: one that does not is committed late.
fn close(lane: &mut Lane<PositionKeeper>, codec: &mut dyn Codec) -> Vec<Output> {
    let expected = lane.has_outputs();
    let mut outputs = Vec::new();
    lane.close_and_show(codec, |output| outputs.push(output)).unwrap().unwrap();
    assert_eq!(expected, !outputs.is_empty(), "{outputs:?}");
    outputs
}

/// Every byte of a lane's image, by key; the shared part first.
pub fn image(lane: &mut Lane<PositionKeeper>) -> Vec<(String, Vec<u8>)> {
    let mut image = vec![(String::new(), lane.shared_image())];
    for key in lane.image().entity_keys() {
        image.push((key.to_string(), lane.image().entity(&key).unwrap()));
    }
    image
}

/// Hands the records over until all are folded; how many windows it took.
fn fold(lane: &mut Lane<PositionKeeper>, window: &Window, codec: &mut dyn Codec) -> usize {
    for windows in 1.. {
        let slices: Vec<Slice<'_, RawRecord>> = PositionKeeper::INPUTS
            .iter()
            .filter_map(|topic| window.records.get(topic).map(|records| (*topic, records)))
            .map(|(topic, records)| {
                let left = &records[records.partition_point(|record| record.offset < lane.position(topic, 0))..];
                Slice { topic, partition: 0, to: records.last().unwrap().offset + 1, records: left }
            })
            .collect();
        if lane.window(Timestamp::from_micros(window.now), window.behind, &slices, codec).unwrap() {
            return windows;
        }
    }
    unreachable!("each window folds something")
}

/// A lane put back from the image of another, every entity read.
pub fn restored(lane: &mut Lane<PositionKeeper>) -> Lane<PositionKeeper> {
    let mut back = Lane::restore(PositionKeeper::default(), 0, &lane.shared_image()).unwrap();
    for key in lane.image().entity_keys() {
        let bytes = lane.image().entity(&key).unwrap();
        back.image().restore_entity(&key, &bytes).unwrap();
    }
    back.image().restored().unwrap();
    back
}

pub fn last(id: &str, price: &str, time: i64) -> FramePrice {
    FramePrice { last: Some(price.parse().unwrap()), ..FramePrice::empty(id.parse().unwrap(), Timestamp::from_micros(time)) }
}

fn merge(into: &mut Value, more: Value) {
    if let Value::Object(fields) = more {
        for (name, value) in fields {
            into[name] = value;
        }
    }
}

pub fn ledgers(outputs: &[Output]) -> Vec<&Ledger> {
    outputs.iter().filter_map(|o| if let Output::Ledger(r) = o { Some(r.as_ref()) } else { None }).collect()
}
pub fn snapshots(outputs: &[Output]) -> Vec<&Snapshot> {
    outputs.iter().filter_map(|o| if let Output::Snapshot(r) = o { Some(r.as_ref()) } else { None }).collect()
}
pub fn drifts(outputs: &[Output]) -> Vec<&Drift> {
    outputs.iter().filter_map(|o| if let Output::Drift(r) = o { Some(r.as_ref()) } else { None }).collect()
}
/// Threshold events: everything but REQUESTED.
pub fn events(outputs: &[Output]) -> Vec<DriftKind> {
    drifts(outputs).into_iter().map(|d| d.event).filter(|event| *event != DriftKind::Requested).collect()
}
pub fn letters(outputs: &[Output]) -> Vec<(DeadLetterCode, String)> {
    let letter = |o: &Output| if let Output::DeadLetter(r) = o { Some((r.code, r.text.to_string())) } else { None };
    outputs.iter().filter_map(letter).collect()
}
pub fn only<T>(items: Vec<T>) -> T {
    assert_eq!(items.len(), 1, "exactly one is expected");
    items.into_iter().next().unwrap()
}
