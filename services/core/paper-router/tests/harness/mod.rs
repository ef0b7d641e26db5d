//! A paper router in its lane, and what is sent to it.
#![allow(clippy::unwrap_used, reason = "what cannot go on in a test fails it")]
#![allow(missing_docs, reason = "the names say it")]

use domain::enums::{OrderType, Side, TimeInForce, WaveKind};
use domain::frame::{Frame, FramePrice, FrameSource};
use domain::ids::uuid_of;
use domain::instrument::Instrument;
use domain::order::{Order, OrderWave};
use domain::reason::{DeadLetterCode, ReasonCode};
use domain::{Input, InstrumentId, Money, OrderId, Output, PortfolioId, RebalanceId, Timestamp, Topic};
use engine::lane::Slice;
use engine::{Codec, Image, Lane, RawRecord, Refusal, Settings};
use paper_router::PaperRouter;

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

pub const DAY: i64 = 86_400;

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_700_000_000_000_000).plus_seconds(seconds)
}

pub fn order_id(n: u32) -> OrderId {
    OrderId(uuid_of(&[b"order", &n.to_be_bytes()]))
}

pub fn order(n: u32, side: Side, quantity: &str) -> Order {
    Order {
        order_id: order_id(n),
        rebalance_id: RebalanceId(uuid_of(&[b"rebalance"])),
        portfolio_id: PortfolioId::new("growth").unwrap(),
        instrument_id: InstrumentId::new("AAA").unwrap(),
        side,
        quantity: quantity.parse().unwrap(),
        order_type: OrderType::Market,
        limit_price: None,
        time_in_force: TimeInForce::Day,
        currency: "USD".parse().unwrap(),
        reference_price: "10".parse().unwrap(),
        reference_time: at(0),
        expected_value: Money::ZERO,
        reason: ReasonCode::DriftBuy,
        numbers: Vec::new(),
        policy_version: 1,
        snapshot_version: 1,
        valid_until: at(300),
        block_key: "b".into(),
        expected_fees: None,
        expected_spread: None,
        expected_impact: None,
        venue: None,
        urgency: domain::enums::Urgency::Normal,
    }
}

pub fn buy(n: u32) -> Order {
    order(n, Side::Buy, "100")
}

pub fn limit(n: u32, side: Side, price: &str) -> Order {
    Order { order_type: OrderType::Limit, limit_price: price.parse().ok(), ..order(n, side, "100") }
}

pub fn wave(kind: WaveKind, orders: &[Order]) -> OrderWave {
    OrderWave {
        wave_id: uuid_of(&[b"wave", kind.symbol().as_bytes()]),
        rebalance_id: orders[0].rebalance_id,
        portfolio_id: orders[0].portfolio_id.clone(),
        wave_number: 1,
        kind,
        orders: orders.to_vec(),
        funding_note: None,
        policy_version: 1,
        drift_episode: 1,
        valid_until: orders[0].valid_until,
    }
}

pub fn price(instrument: &str) -> FramePrice {
    FramePrice { venue: Some("XNYS".into()), ..FramePrice::empty(InstrumentId::new(instrument).unwrap(), at(0)) }
}

pub fn last(text: &str) -> FramePrice {
    FramePrice { last: text.parse().ok(), ..price("AAA") }
}

/// One lane and the logs that it reads.
pub struct House {
    pub lane: Lane<PaperRouter>,
    pub frames: i64,
    pub waves: i64,
    /// Facts that stand in its next frame.
    pub facts: Vec<Instrument>,
}

impl House {
    pub fn new(settings: Settings) -> Self {
        let mut lane = Lane::new(PaperRouter::default(), 0, 1);
        lane.configure(&settings);
        Self { lane, frames: 0, waves: 0, facts: Vec::new() }
    }

    pub fn plain() -> Self {
        Self::new(Settings::default())
    }

    /// One window and its step: what came out.
    pub fn window(&mut self, seconds: i64, behind: bool, prices: &[FramePrice], waves: &[OrderWave]) -> Vec<Output> {
        let raw = |topic, offset, key: &str, input: Input| RawRecord {
            topic,
            partition: 0,
            offset,
            timestamp: at(seconds),
            key: Some(key.as_bytes().to_vec()),
            headers: Vec::new(),
            value: Some(serde_json::to_vec(&input).unwrap()),
        };
        let mut frames = Vec::new();
        if !prices.is_empty() {
            let sources = vec![FrameSource { topic: Topic::Ticks, partition: 0, from: self.frames, to: self.frames + 1 }];
            let frame =
                Frame { sources, anchor: -1, prices: prices.to_vec(), instruments: std::mem::take(&mut self.facts), ..Frame::default() };
            frames.push(raw(Topic::Frames, self.frames, "", Input::Frame(Box::new(frame))));
            self.frames += 1;
        }
        let waves: Vec<_> = waves
            .iter()
            .zip(self.waves..)
            .map(|(wave, offset)| raw(Topic::Orders, offset, wave.portfolio_id.as_str(), Input::OrderWave(Box::new(wave.clone()))))
            .collect();
        self.waves += i64::try_from(waves.len()).unwrap();
        let slices = [
            Slice { topic: Topic::Frames, partition: 0, to: self.frames, records: &frames },
            Slice { topic: Topic::Orders, partition: 0, to: self.waves, records: &waves },
        ];
        self.lane.window(at(seconds), behind, &slices, &mut Json).unwrap();
        let mut outputs = Vec::new();
        self.lane.close_and_show(&mut Json, |output| outputs.push(output)).unwrap().unwrap();
        outputs
    }

    pub fn orders(&mut self, seconds: i64, orders: &[Order]) -> Vec<String> {
        told(&self.window(seconds, false, &[], &[wave(WaveKind::New, orders)]))
    }
    pub fn cancel(&mut self, seconds: i64, orders: &[Order]) -> Vec<String> {
        told(&self.window(seconds, false, &[], &[wave(WaveKind::Cancel, orders)]))
    }
    pub fn price(&mut self, seconds: i64, price: FramePrice) -> Vec<String> {
        told(&self.window(seconds, false, &[price], &[]))
    }
    pub fn idle(&mut self, seconds: i64) -> Vec<String> {
        told(&self.window(seconds, false, &[], &[]))
    }

    /// The same lane as a checkpoint would bring it back.
    pub fn restored(mut self, settings: &Settings) -> Self {
        let shared = self.lane.shared_image();
        let mut lane = Lane::restore(PaperRouter::default(), 0, &shared).unwrap();
        for key in self.lane.image().entity_keys() {
            let bytes = self.lane.image().entity(&key).unwrap();
            lane.image().restore_entity(&key, &bytes).unwrap();
        }
        lane.image().restored().unwrap();
        lane.configure(settings);
        Self { lane, ..self }
    }
}

/// Outputs in short: what a reader of the topics would see.
pub fn told(outputs: &[Output]) -> Vec<String> {
    outputs
        .iter()
        .map(|output| match output {
            Output::Fill(fill) => format!("fill {} @ {} of {}", fill.quantity, fill.price, fill.cum_qty.unwrap()),
            Output::OrderStatus(status) => {
                let code = status.reason_code.as_deref().map(|code| format!(" {code}")).unwrap_or_default();
                format!("{} {}+{}{code}", status.status, status.cum_qty, status.leaves_qty)
            }
            Output::DeadLetter(letter) => format!("dead letter {}", letter.code),
            other => panic!("{other:?}"),
        })
        .collect()
}
