//! A router outside the service, such as they are: slow, silent, refusing, filling too much, saying things twice.
//! It executes each order id at most once, and reads what is committed.

use crate::faults::Fault;
use crate::stage::Hand;
use ballast::messages::input_message;
use domain::enums::WaveKind;
use domain::order::{Order, OrderWave};
use domain::{Input, Output, Timestamp, Topic};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(150);

/// The router's task.
pub fn route(hand: &Hand<'_>) {
    let mut desk = Desk::default();
    while !hand.world.closing.get() {
        hand.pass(LOOK);
        for partition in 0..hand.world.scenario.lanes {
            desk.look(hand, partition);
        }
    }
}

/// What the router knows of an order.
#[derive(Default)]
struct Desk {
    read: BTreeMap<i32, i64>,
    /// Every id that was taken, and whether its orders ended.
    taken: BTreeMap<String, bool>,
    silent: BTreeSet<String>,
    serial: u64,
}

impl Desk {
    fn look(&mut self, hand: &Hand<'_>, partition: i32) {
        let from = self.read.entry(partition).or_default();
        let records = hand.world.log.read(Topic::Orders.name(), partition, *from);
        *from = records.last().map_or(*from, |record| record.offset + 1);
        for record in records {
            let value = record.value.as_deref().unwrap_or_default();
            if let Ok(Output::OrderWave(wave)) = avro_codec::decode_output(&hand.world.schemas(), Topic::Orders, value) {
                self.take(hand, &wave);
            }
        }
    }

    fn take(&mut self, hand: &Hand<'_>, wave: &OrderWave) {
        for order in &wave.orders {
            let id = order.order_id.to_string();
            match wave.kind {
                WaveKind::New if !self.taken.contains_key(&id) => self.execute(hand, order, &id),
                WaveKind::Cancel if !self.silent.contains(&id) && self.taken.get(&id) == Some(&false) => {
                    self.taken.insert(id, true);
                    self.status(hand, order, "CANCELLED", "0", Duration::from_millis(50));
                }
                _ => {}
            }
        }
    }

    fn execute(&mut self, hand: &Hand<'_>, order: &Order, id: &str) {
        let world = hand.world;
        self.taken.insert(id.to_owned(), false);
        if world.time() > order.valid_until {
            self.taken.insert(id.to_owned(), true);
            return self.status(hand, order, "EXPIRED", "0", Duration::ZERO);
        }
        if world.strikes(Fault::RouterSilent) {
            self.silent.insert(id.to_owned());
            return;
        }
        if world.strikes(Fault::RouterRejects) {
            self.taken.insert(id.to_owned(), true);
            return self.status(hand, order, "REJECTED", "0", Duration::from_millis(30));
        }
        self.status(hand, order, "ACKNOWLEDGED", "0", Duration::from_millis(20));
        let soon = Duration::from_millis(world.chance.between("router.fill", 30, 2_000));
        if world.strikes(Fault::RouterParts) {
            // A part, and nothing more until somebody asks for the end of it.
            self.fill(hand, order, "1", soon);
            self.status(hand, order, "PART_FILLED", "1", soon);
            self.taken.insert(id.to_owned(), true);
            return self.status(hand, order, "CANCELLED", "1", soon + Duration::from_secs(5));
        }
        self.taken.insert(id.to_owned(), true);
        let whole = order.quantity.to_string();
        self.fill(hand, order, &whole, soon);
        if world.strikes(Fault::RouterOverfills) {
            self.fill(hand, order, "3", soon);
        }
        self.status(hand, order, "FILLED", &whole, soon);
    }

    fn fill(&mut self, hand: &Hand<'_>, order: &Order, quantity: &str, after: Duration) {
        self.serial += 1;
        let exec = format!("venue-{}", self.serial);
        let time = self.moment(hand, after);
        let fill = json!({
            "source": "venue", "exec_id": exec, "trade_date": time.date_utc().to_string(), "exec_type": "TRADE",
            "portfolio_id": order.portfolio_id, "instrument_id": order.instrument_id, "side": order.side, "quantity": quantity,
            "price": order.reference_price, "currency": "USD", "order_id": order.order_id, "transact_time": time.to_string()
        });
        self.send(hand, Input::Fill(record(fill)), time, after);
    }

    fn status(&mut self, hand: &Hand<'_>, order: &Order, status: &str, done: &str, after: Duration) {
        let time = self.moment(hand, after);
        let report = json!({
            "order_id": order.order_id, "rebalance_id": order.rebalance_id, "portfolio_id": order.portfolio_id, "status": status,
            "cum_qty": done, "leaves_qty": "0", "event_time": time.to_string()
        });
        self.send(hand, Input::OrderStatus(record(report)), time, after);
    }

    fn moment(&self, hand: &Hand<'_>, after: Duration) -> Timestamp {
        hand.world.time().plus_micros(crate::world::micros(after))
    }

    fn send(&self, hand: &Hand<'_>, input: Input, time: Timestamp, after: Duration) {
        let message =
            input_message(&input, time, "/venue", &self.serial.to_string(), hand.world.scenario.lanes).expect("it can be encoded");
        let twice = hand.world.strikes(Fault::RouterTwice);
        for _ in 0..=usize::from(twice) {
            let message = message.clone();
            hand.world.agenda.borrow_mut().after(after, move |world| {
                world.append(message);
            });
        }
    }
}

fn record<T: serde::de::DeserializeOwned>(value: Value) -> Box<T> {
    Box::new(serde_json::from_value(value).expect("a record of a play has the shape of its schema"))
}
