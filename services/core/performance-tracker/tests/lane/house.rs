//! A tracker in its lane, and a toy world that tells it what a position-keeper would: one instrument, cash, flows.

use domain::enums::{EntryKind, InstrumentType};
use domain::frame::{Frame, FramePrice, FrameSource};
use domain::ledger::{Cause, ClosedTrades, CurrencyAmount, Ledger, LedgerEntry, PositionState};
use domain::performance::Performance;
use domain::policy::Policy;
use domain::portfolio_close::{ClosedCurrency, ClosedPosition, PortfolioClose};
use domain::reason::DeadLetterCode;
use domain::risk::Risk;
use domain::{Currency, Date, FxRate, Input, InstrumentId, Money, Output, PortfolioId, Price, Quantity, Timestamp, Topic};
use engine::lane::Slice;
use engine::{Codec, Image, Lane, RawRecord, Refusal, Settings};
use performance_tracker::PerformanceTracker;
use smallvec::smallvec;
use std::collections::BTreeMap;

/// Records as JSON: what matters here is not their bytes.
pub struct Json;

impl Codec for Json {
    fn decode(&mut self, _topic: Topic, _key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Input, Refusal> {
        serde_json::from_slice(value.unwrap_or_default()).map_err(|why| Refusal::new(DeadLetterCode::Undecodable, why.to_string()))
    }
    fn encode(&mut self, output: &Output, into: &mut Vec<u8>) -> Result<(), Refusal> {
        into.extend(serde_json::to_vec(output).unwrap());
        Ok(())
    }
}

pub fn day(text: &str) -> Date {
    text.parse().unwrap()
}
pub fn money(text: &str) -> Money {
    text.parse().unwrap()
}
pub fn whole(amount: i64) -> Money {
    Money::from_whole(i128::from(amount)).unwrap()
}
pub fn usd() -> Currency {
    "USD".parse().unwrap()
}
pub fn portfolio() -> PortfolioId {
    PortfolioId::new("P").unwrap()
}
fn stock() -> InstrumentId {
    InstrumentId::new("AAA").unwrap()
}

/// One lane and the logs that it reads.
pub struct House {
    pub lane: Lane<PerformanceTracker>,
    sent: BTreeMap<Topic, i64>,
    pub settings: Settings,
}

impl House {
    pub fn new(settings: Settings) -> Self {
        let mut lane = Lane::new(PerformanceTracker::default(), 0, 1);
        lane.configure(&settings);
        Self { lane, sent: BTreeMap::new(), settings }
    }

    /// One window of records that were made at a moment, and its step.
    pub fn window(&mut self, now: Timestamp, inputs: &[(Topic, Input)]) -> Vec<Output> {
        let mut records: BTreeMap<Topic, Vec<RawRecord>> = BTreeMap::new();
        for (topic, input) in inputs {
            let offset = self.sent.entry(*topic).or_default();
            records.entry(*topic).or_default().push(RawRecord {
                topic: *topic,
                partition: 0,
                offset: *offset,
                timestamp: now,
                key: input.portfolio_id().map(|id| id.as_str().as_bytes().to_vec()),
                headers: Vec::new(),
                value: Some(serde_json::to_vec(input).unwrap()),
            });
            *offset += 1;
        }
        let slices: Vec<_> =
            records.iter().map(|(topic, records)| Slice { topic: *topic, partition: 0, to: self.sent[topic], records }).collect();
        self.lane.window(now, false, &slices, &mut Json).unwrap();
        let mut outputs = Vec::new();
        self.lane.close_and_show(&mut Json, |output| outputs.push(output)).unwrap().unwrap();
        outputs
    }

    /// The same lane as a checkpoint would bring it back.
    pub fn restored(mut self) -> Self {
        let shared = self.lane.shared_image();
        let mut lane = Lane::restore(PerformanceTracker::default(), 0, &shared).unwrap();
        for key in self.lane.image().entity_keys() {
            let bytes = self.lane.image().entity(&key).unwrap();
            lane.image().restore_entity(&key, &bytes).unwrap();
        }
        lane.image().restored().unwrap();
        lane.configure(&self.settings);
        Self { lane, ..self }
    }

    /// Every entity of the image, by key.
    pub fn image(&mut self) -> BTreeMap<String, Vec<u8>> {
        let keys = self.lane.image().entity_keys();
        keys.iter().map(|key| (key.to_string(), self.lane.image().entity(key).unwrap())).collect()
    }
}

/// Performance among outputs.
pub fn performances(outputs: &[Output]) -> Vec<&Performance> {
    outputs.iter().filter_map(|output| if let Output::Performance(record) = output { Some(record.as_ref()) } else { None }).collect()
}
/// Risk among outputs.
pub fn risks(outputs: &[Output]) -> Vec<&Risk> {
    outputs.iter().filter_map(|output| if let Output::Risk(record) = output { Some(record.as_ref()) } else { None }).collect()
}
/// A figure of a record.
pub fn figure(record: &Performance, id: &str) -> Option<f64> {
    let metric = record.metrics.iter().find(|metric| metric.id == id).unwrap_or_else(|| panic!("no {id}"));
    assert!(metric.value.is_some() || metric.reason.is_some(), "{id} says neither a value nor why there is none");
    metric.value.map(|value| value.units() as f64 / 1e12)
}

/// A policy with a benchmark.
pub fn policy(version: i64, benchmark: Option<&str>) -> Policy {
    let text = serde_json::json!({
        "portfolio_id": "P", "policy_version": version, "base_currency": "USD", "benchmark": benchmark, "risk_free_rate": "0.02",
        "target_risk": "0.1",
    });
    serde_json::from_value(text).unwrap()
}

/// The policy of a portfolio that has no weekends.
pub fn every_day() -> (Topic, Input) {
    let policy = Policy { calendar: Some("24/7".into()), ..policy(1, None) };
    (Topic::Policies, Input::Policy(Box::new(policy)))
}

/// A frame with prices of a moment.
pub fn frame(number: i64, at: Timestamp, prices: &[(&str, f64)]) -> Input {
    let one = |(id, price): &(&str, f64)| FramePrice {
        last: Some(Price::from_units((price * 1e10).round() as i128)),
        ..FramePrice::empty(InstrumentId::new(id).unwrap(), at)
    };
    let sources = vec![FrameSource { topic: Topic::Ticks, partition: 0, from: number, to: number + 1 }];
    Input::Frame(Box::new(Frame { sources, anchor: -1, event_time: at, prices: prices.iter().map(one).collect(), ..Frame::default() }))
}

/// The book of a toy position-keeper: whole units of one stock, whole dollars.
#[derive(Debug, Clone, Default)]
pub struct Toy {
    pub units: i64,
    pub cash: i64,
    pub net_flows: i64,
    ledger: i64,
    told: BTreeMap<Date, (i64, i64)>,
}

impl Toy {
    pub fn equity(&self, price: i64) -> i64 {
        self.cash + self.units * price
    }
    /// A deposit, or with a negative amount a withdrawal.
    pub fn flow(&mut self, date: Date, amount: i64, price: Option<i64>) -> Input {
        let before = price.map(|price| whole(self.equity(price)));
        self.cash += amount;
        self.net_flows += amount;
        let kind = if amount < 0 { EntryKind::CashWithdrawal } else { EntryKind::CashDeposit };
        let mut entry = self.entry(kind, Topic::Cash, date, amount);
        (entry.external_flow, entry.equity_before, entry.trade_date, entry.instrument_id) = (whole(amount), before, None, None);
        self.record(entry)
    }
    /// A trade with its fee.
    pub fn trade(&mut self, date: Date, units: i64, price: i64, fee: i64) -> Input {
        let closes = self.units * units < 0;
        self.units += units;
        let cash = -units * price - fee;
        self.cash += cash;
        let mut entry = self.entry(EntryKind::Trade, Topic::Fills, date, cash);
        entry.quantity_change = Quantity::from_whole(i128::from(units)).unwrap();
        entry.transact_time = Some(date.start_utc().plus_seconds(15 * 3600));
        entry.fees = smallvec![CurrencyAmount { currency: usd(), amount: whole(fee) }];
        // Nobody asks here what it cost: a closed trade comes to its fee.
        entry.closed_trades.extend(closes.then(|| ClosedTrades::one(date, whole(-fee))));
        self.record(entry)
    }

    /// What an amendment says of trades that were closed: what they are more than was told before.
    pub fn amended(&mut self, date: Date, closed: &[ClosedTrades]) -> Input {
        let mut entry = self.entry(EntryKind::Restate, Topic::Fills, date, 0);
        (entry.trade_date, entry.closed_trades) = (None, closed.into());
        self.record(entry)
    }

    fn entry(&mut self, kind: EntryKind, topic: Topic, date: Date, cash: i64) -> LedgerEntry {
        self.ledger += 1;
        LedgerEntry {
            kind,
            cause: Cause { topic, partition: 0, offset: self.ledger, id: "x".into() },
            instrument_id: Some(stock()),
            strategy: None,
            venue: None,
            trade_date: Some(date),
            effective_at: date.start_utc().plus_seconds(15 * 3600),
            transact_time: None,
            quantity_change: Quantity::ZERO,
            price: None,
            fx_rate: Some(FxRate::ONE),
            cash: smallvec![CurrencyAmount { currency: usd(), amount: whole(cash) }],
            realized_gross: Money::ZERO,
            fees: smallvec![],
            income: Money::ZERO,
            external_flow: Money::ZERO,
            equity_before: None,
            by_strategy: Vec::new(),
            closed_trades: smallvec![],
            in_base: None,
        }
    }

    fn record(&self, entry: LedgerEntry) -> Input {
        let position = PositionState {
            instrument_id: stock(),
            currency: usd(),
            quantity: Quantity::from_whole(i128::from(self.units)).unwrap(),
            cost: Money::ZERO,
            average_price: None,
            realized_gross: Money::ZERO,
            fees: smallvec![],
            income: Money::ZERO,
            realized_net: Money::ZERO,
            cycle_realized_gross: Money::ZERO,
            cycle_fees: Money::ZERO,
            cycle_income: Money::ZERO,
            lots: Vec::new(),
        };
        let positions = entry.instrument_id.iter().map(|_| position.clone()).collect();
        let cash = vec![CurrencyAmount { currency: usd(), amount: whole(self.cash) }];
        Input::Ledger(Box::new(Ledger { portfolio_id: portfolio(), version: self.ledger, entries: vec![entry], positions, cash }))
    }

    /// The close of a day; told again with other figures it has the next version.
    pub fn close(&mut self, date: Date, price: i64) -> Input {
        let before = self.told.range(..date).next_back().map_or(0, |(_, (flows, _))| *flows);
        let version = self.told.get(&date).map_or(1, |(_, version)| version + 1);
        self.told.insert(date, (self.net_flows, version));
        let position = ClosedPosition {
            instrument_id: stock(),
            quantity: Quantity::from_whole(i128::from(self.units)).unwrap(),
            price: Price::from_whole(i128::from(price)),
            fx_rate: Some(FxRate::ONE),
            value: whole(self.units * price),
            kind: InstrumentType::Equity,
            currency: Some(usd()),
            multiplier: None,
            accrued: None,
            cost: None,
            sector: None,
            price_time: None,
            stale: false,
        };
        Input::PortfolioClose(Box::new(PortfolioClose {
            portfolio_id: portfolio(),
            date,
            version,
            equity: whole(self.equity(price)),
            net_external_flow: whole(self.net_flows - before),
            positions: if self.units == 0 { Vec::new() } else { vec![position] },
            cash: Vec::new(),
            complete: true,
            incomplete_reason: None,
            provisional: false,
            restates: (version > 1).then_some(version - 1),
            base_currency: Some(usd()),
            cut_at: Some(date.plus_days(1).start_utc()),
            as_of: Some(date.plus_days(1).start_utc()),
            receivables: Vec::new(),
            currencies: vec![ClosedCurrency {
                currency: usd(),
                fx_rate: Some(FxRate::ONE),
                cash_value: whole(self.cash),
                receivables_value: Money::ZERO,
                stale: false,
            }],
            net_flows: Some(whole(self.net_flows)),
            policy_version: Some(1),
            input_offsets: Vec::new(),
            strategies: Some(Vec::new()),
        }))
    }
}
