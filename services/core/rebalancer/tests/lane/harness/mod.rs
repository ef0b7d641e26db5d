//! A house to try the rebalancer in: a lane that runs it, a book that answers as the position-keeper
//! would, and outputs told as one line each. It knows no rule of the rebalancer.

mod book;
mod tell;

pub use book::Book;
pub use tell::{explained, tell, words};

use domain::command::Command;
use domain::drift::Drift;
use domain::enums::{CommandKind, DriftCause, DriftKind, OrderState};
use domain::order::Order;
use domain::order_status::OrderStatus;
use domain::reason::DeadLetterCode;
use domain::{Input, InstrumentId, OrderId, Output, PortfolioId, Quantity, Timestamp, Topic};
use engine::lane::Slice;
use engine::{Codec, Image, Lane, RawRecord, Refusal};
use rebalancer::Rebalancer;
use std::collections::BTreeMap;

/// The portfolio of every test that needs only one.
pub const PORTFOLIO: &str = "growth";

/// A quantity from its digits.
pub fn units(text: &str) -> Quantity {
    text.parse().unwrap()
}

/// Records as JSON.
pub struct Json;

impl Codec for Json {
    fn decode(&mut self, topic: Topic, _key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Input, Refusal> {
        let value = value.unwrap_or_default();
        let read = match topic {
            Topic::Commands => serde_json::from_slice(value).map(Input::Command),
            Topic::Drift => serde_json::from_slice(value).map(Input::Drift),
            _ => serde_json::from_slice(value).map(Input::OrderStatus),
        };
        read.map_err(|error| Refusal::new(DeadLetterCode::Undecodable, error.to_string()))
    }
    fn encode(&mut self, output: &Output, into: &mut Vec<u8>) -> Result<(), Refusal> {
        serde_json::to_writer(into, output).map_err(|error| Refusal::new(DeadLetterCode::Undecodable, error.to_string()))
    }
}

/// The house.
pub struct House {
    /// The lane.
    pub lane: Lane<Rebalancer>,
    /// A second lane that sees the same, and is put together from its image now and then.
    pub twin: Option<Lane<Rebalancer>>,
    /// The book.
    pub book: Book,
    /// The clock.
    pub now: Timestamp,
    /// Whether the lane is behind.
    pub behind: bool,
    /// Orders that left, by id, as the router sees them.
    pub market: BTreeMap<OrderId, Order>,
    /// Orders in the order in which they left.
    pub left: Vec<Order>,
    offsets: BTreeMap<Topic, i64>,
    commands: u32,
}

impl House {
    /// A house whose policy has these fields beside the targets of AAA and BBB, one half each.
    pub fn new(policy: &str) -> Self {
        Self {
            lane: Lane::new(Rebalancer::default(), 0, 1),
            twin: None,
            book: Book::new(policy),
            now: "2026-01-05T14:30:00Z".parse().unwrap(),
            behind: false,
            market: BTreeMap::new(),
            left: Vec::new(),
            offsets: BTreeMap::new(),
            commands: 0,
        }
    }
    /// A house whose policy releases orders by itself.
    pub fn automatic() -> Self {
        Self::new(
            r#""trigger":{"mode":"AUTOMATIC"},"limits":{"max_order_notional":"1000000","max_daily_notional":"10000000","price_collar_bp":"1000"}"#,
        )
    }
    /// The same with 20,000 of cash to buy BBB with; AAA stands at its target.
    pub fn with_cash() -> Self {
        let mut house = Self::automatic();
        house.book.hold(&[("AAA", "500"), ("BBB", "300")], "20000");
        house
    }
    /// The automatic house, whose policy lets large orders leave in slices: more than a tenth of the 1,000 units that are
    /// traded a day of AAA, and of BBB.
    pub fn sliced(parts: &str) -> Self {
        let mut house = Self::automatic();
        house.slice(parts);
        house
    }
    /// Lets large orders leave in slices, 60 s apart.
    pub fn slice(&mut self, parts: &str) {
        let text = format!(r#"{{"above_volume":"0.1",{parts},"interval_seconds":60}}"#);
        self.book.policy.as_mut().unwrap().orders.slicing = Some(serde_json::from_str(&text).unwrap());
        self.book.volume("AAA", "1000");
        self.book.volume("BBB", "1000");
    }
    /// A house whose policy asks one person.
    pub fn approval() -> Self {
        Self::new(r#""trigger":{"mode":"APPROVAL"}"#)
    }

    /// Lets time pass.
    pub fn pass(&mut self, seconds: i64) -> &mut Self {
        self.now = self.now.plus_seconds(seconds);
        self
    }
    /// Runs one window over these inputs and closes its step; what came out, in order.
    pub fn window(&mut self, inputs: Vec<Input>) -> Vec<Output> {
        let outputs = self.run(inputs);
        for output in &outputs {
            if let Output::OrderWave(wave) = output {
                self.note_wave(wave);
            }
        }
        outputs
    }
    fn run(&mut self, inputs: Vec<Input>) -> Vec<Output> {
        let mut by_topic: BTreeMap<Topic, Vec<RawRecord>> = BTreeMap::new();
        for input in inputs {
            let record = self.record(input);
            by_topic.entry(record.topic).or_default().push(record);
        }
        let slices: Vec<_> = by_topic
            .iter()
            .map(|(topic, records)| Slice { topic: *topic, partition: 0, to: self.offsets[topic], records: records.as_slice() })
            .collect();
        self.lane.window(self.now, self.behind, &slices, &mut Json).unwrap();
        let mut outputs = Vec::new();
        let step = self.lane.close_and_show(&mut Json, |output| outputs.push(output)).unwrap().unwrap();
        if let Some(twin) = &mut self.twin {
            twin.window(self.now, self.behind, &slices, &mut Json).unwrap();
            let other = twin.close(&mut Json).unwrap().unwrap();
            assert_eq!(step.outputs, other.outputs, "a restored lane says the same");
            assert_eq!(step.done, other.done);
            assert_eq!(image(&mut self.lane), image(twin), "and has the same image");
        }
        outputs
    }
    /// The same, told.
    pub fn told(&mut self, inputs: Vec<Input>) -> String {
        let outputs = self.window(inputs);
        tell(&outputs)
    }
    /// A window without inputs, told.
    pub fn idle(&mut self) -> String {
        self.told(Vec::new())
    }

    /// A drift event of the book as it stands.
    pub fn drift(&self, event: DriftKind) -> Input {
        Input::Drift(Box::new(self.book.drift(event, None, self.now)))
    }
    /// The drift event that answers a command.
    pub fn answer(&self, command: &Input) -> Input {
        let Input::Command(command) = command else { panic!("not a command") };
        Input::Drift(Box::new(self.book.drift(DriftKind::Requested, Some((DriftCause::Command, &command.command_id)), self.now)))
    }
    /// The drift event that answers the refresh among these outputs.
    pub fn refreshed(&self, outputs: &[Output]) -> Input {
        let id = outputs.iter().find_map(|output| match output {
            Output::Refresh(refresh) => Some(refresh.request_id.to_string()),
            _ => None,
        });
        let id = id.expect("no refresh was asked for");
        Input::Drift(Box::new(self.book.drift(DriftKind::Requested, Some((DriftCause::Refresh, &id)), self.now)))
    }
    /// The drift event of a booked fill.
    pub fn filled(&self) -> Input {
        Input::Drift(Box::new(self.book.drift(DriftKind::Requested, Some((DriftCause::Fill, "x")), self.now)))
    }
    /// The drift event of a corporate action of an instrument.
    pub fn action(&self, id: &str, instrument: &str) -> Input {
        let mut drift = self.book.drift(DriftKind::Requested, Some((DriftCause::Action, id)), self.now);
        drift.cause_instrument_id = InstrumentId::new(instrument).ok();
        Input::Drift(Box::new(drift))
    }
    /// A command of the portfolio with these further fields: ann's, and approvals eve's.
    pub fn command(&mut self, kind: CommandKind, fields: &str) -> Input {
        self.commands += 1;
        let actor = if kind == CommandKind::Approve { "eve" } else { "ann" };
        let comma = if fields.is_empty() { "" } else { "," };
        let text = format!(
            r#"{{"command_id":"c{}","portfolio_id":"{PORTFOLIO}","kind":"{kind}","actor":"{actor}","issued_at":"2026-01-05T14:30:00Z"{comma}{fields}}}"#,
            self.commands
        );
        Input::Command(Box::new(serde_json::from_str::<Command>(&text).unwrap()))
    }
    /// A report of an order that left.
    pub fn report(&self, order: &Order, status: OrderState, cum: &str) -> Input {
        Input::OrderStatus(Box::new(OrderStatus {
            order_id: order.order_id,
            rebalance_id: order.rebalance_id,
            portfolio_id: order.portfolio_id.clone(),
            status,
            cum_qty: cum.parse().unwrap(),
            leaves_qty: Quantity::ZERO,
            reason_code: None,
            reason: None,
            event_time: self.now,
        }))
    }
    /// Opens the usual cycle: the sell of AAA has left, the buy of BBB waits.
    pub fn opened(mut self) -> Self {
        let told = self.opening();
        assert!(told.contains("RELEASED"), "{told}");
        self
    }
    /// The same, told.
    pub fn opening(&mut self) -> String {
        let open = self.drift(DriftKind::Open);
        self.told(vec![open])
    }
    /// The order that left as number `n`, from 0.
    pub fn order(&self, n: usize) -> Order {
        self.left[n].clone()
    }
    /// The router fills an order whole, the book applies it; told.
    pub fn fill(&mut self, n: usize) -> Vec<Output> {
        let order = self.order(n);
        self.book.apply(&order, order.quantity);
        let inputs = vec![self.report(&order, OrderState::Filled, &order.quantity.to_string()), self.filled()];
        self.window(inputs)
    }
    /// The usual cycle to its end: both orders are filled.
    pub fn completed(self) -> Self {
        let mut house = self.opened();
        let asked = house.fill(0);
        let answer = house.refreshed(&asked);
        house.window(vec![answer]);
        assert!(tell(&house.fill(1)).contains("COMPLETED"));
        house
    }
    /// A person's final quantity of an order.
    pub fn reconcile(&mut self, order: &Order, quantity: &str) -> Input {
        self.command(CommandKind::Reconcile, &format!(r#""orders":[{{"order_id":"{}","quantity":"{quantity}"}}]"#, order.order_id))
    }
    /// A person asks for a rebalance, and the book answers; told.
    pub fn rebalanced(&mut self) -> String {
        let rebalance = self.command(CommandKind::Rebalance, "");
        let answer = self.answer(&rebalance);
        self.told(vec![rebalance, answer])
    }
    /// Takes the lane's image, puts it back into a new lane, and goes on with that.
    pub fn restore(&mut self) {
        self.lane = restored(&mut self.lane);
    }
    /// The same of the twin.
    pub fn restore_twin(&mut self) {
        self.twin = Some(restored(self.twin.as_mut().unwrap_or(&mut self.lane)));
    }

    fn note_wave(&mut self, wave: &domain::order::OrderWave) {
        if wave.kind != domain::enums::WaveKind::New {
            return;
        }
        for order in &wave.orders {
            let before = self.market.insert(order.order_id, order.clone());
            assert!(before.is_none(), "order {} left twice", order.order_id);
            self.left.push(order.clone());
        }
    }

    fn record(&mut self, input: Input) -> RawRecord {
        let (topic, portfolio, value) = match &input {
            Input::Command(command) => (Topic::Commands, command.portfolio_id.clone(), serde_json::to_vec(command)),
            Input::Drift(drift) => (Topic::Drift, Some(drift.portfolio_id.clone()), serde_json::to_vec(drift)),
            Input::OrderStatus(report) => (Topic::OrderStatus, Some(report.portfolio_id.clone()), serde_json::to_vec(report)),
            other => panic!("no input of the rebalancer: {other:?}"),
        };
        let next = self.offsets.entry(topic).or_default();
        let offset = *next;
        *next += 1;
        RawRecord {
            topic,
            partition: 0,
            offset,
            timestamp: self.now,
            key: portfolio.map(|portfolio| portfolio.as_str().as_bytes().to_vec()),
            headers: Vec::new(),
            value: Some(value.unwrap()),
        }
    }
}

type Parts = (Vec<u8>, Vec<(domain::SmolStr, Vec<u8>)>);

fn image(lane: &mut Lane<Rebalancer>) -> Parts {
    let keys = lane.image().entity_keys();
    let entities = keys.into_iter().map(|key| (key.clone(), lane.image().entity(&key).unwrap())).collect();
    (lane.shared_image(), entities)
}

fn restored(lane: &mut Lane<Rebalancer>) -> Lane<Rebalancer> {
    let (shared, entities) = image(lane);
    let mut lane = Lane::restore(Rebalancer::default(), 0, &shared).unwrap();
    for (key, bytes) in entities {
        lane.image().restore_entity(&key, &bytes).unwrap();
    }
    lane.image().restored().unwrap();
    lane
}

/// A command, as somebody else's.
pub fn by(mut command: Input, actor: &str) -> Input {
    let Input::Command(inner) = &mut command else { panic!("not a command") };
    inner.actor = actor.into();
    command
}

/// The drift event within an input, to change it.
pub fn drift_mut(input: &mut Input) -> &mut Drift {
    let Input::Drift(drift) = input else { panic!("no drift event") };
    drift
}

/// The proposal hash that an event among these outputs names, and its rebalance.
pub fn proposal(outputs: &[Output]) -> String {
    let named = outputs.iter().rev().find_map(|output| match output {
        Output::RebalanceEvent(event) => event.proposal_hash.as_ref().map(|hash| (event.rebalance_id, hash.clone())),
        _ => None,
    });
    let (id, hash) = named.expect("no proposal was put up");
    format!(r#""rebalance_id":"{id}","proposal_hash":"{hash}""#)
}

/// The portfolio's id.
pub fn portfolio() -> PortfolioId {
    PortfolioId::new(PORTFOLIO).unwrap()
}
