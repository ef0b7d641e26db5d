//! People beside the service: they approve, reject and change proposals, release what was quarantined, take dead
//! letters back in or close them, and settle orders of which nothing is heard. They read what is committed.

use crate::stage::Hand;
use ballast::messages::input_message;
use ballast::stored::StoredRecord;
use domain::command::Command;
use domain::dead_letter::DeadLetter;
use domain::enums::RebalanceStatus;
use domain::rebalance_event::RebalanceEvent;
use domain::{Input, Output, Topic};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(700);

/// Between two rounds of those who put things right.
const PUT_RIGHT: Duration = Duration::from_secs(12);

/// The task of those who watch. They leave before the processes do: nobody would read what they say.
pub fn watch(hand: &Hand<'_>) {
    let mut people = People { read: BTreeMap::new(), said: 0, put_right: Duration::ZERO };
    while !hand.world.closing.get() {
        hand.pass(LOOK);
        if hand.world.finishing.get() {
            return;
        }
        people.look(hand);
        people.put_right(hand);
    }
}

struct People {
    read: BTreeMap<(&'static str, i32), i64>,
    said: u64,
    /// When everything is put right next.
    put_right: Duration,
}

impl People {
    fn look(&mut self, hand: &Hand<'_>) {
        for partition in 0..hand.world.scenario.lanes {
            for record in self.news(hand, Topic::RebalanceEvents.name(), partition) {
                let Some(value) = record.value.as_deref() else { continue };
                let output = avro_codec::decode_output(&hand.world.schemas(), Topic::RebalanceEvents, value);
                if let Ok(Output::RebalanceEvent(event)) = output {
                    self.answer(hand, &event);
                }
            }
            for topic in [Topic::Fills, Topic::Cash] {
                for record in self.news(hand, topic.dead_letters(), partition) {
                    self.settle(hand, &record);
                }
            }
        }
    }

    /// In a calm, whatever waits for a person gets one.
    fn put_right(&mut self, hand: &Hand<'_>) {
        let over = hand.world.now() > hand.world.scenario.active + crate::play::QUOTED;
        if !hand.world.chance.is_calm() || over || hand.world.now() < self.put_right {
            return;
        }
        self.put_right = hand.world.now() + PUT_RIGHT;
        for portfolio in crate::inputs::PORTFOLIOS {
            self.say(hand, json!({"kind": "RELEASE", "portfolio_id": portfolio}));
            self.say(hand, json!({"kind": "RESUME", "portfolio_id": portfolio, "scope": "PORTFOLIO", "target": portfolio}));
        }
    }

    fn news(&mut self, hand: &Hand<'_>, topic: &'static str, partition: i32) -> Vec<StoredRecord> {
        let read = self.read.entry((topic, partition)).or_default();
        let records = hand.world.log.read(topic, partition, *read);
        *read = records.last().map_or(*read, |record| record.offset + 1);
        records
    }

    fn answer(&mut self, hand: &Hand<'_>, event: &RebalanceEvent) {
        let chance = &hand.world.chance;
        let about = |kind: &str| json!({"kind": kind, "rebalance_id": event.rebalance_id, "portfolio_id": event.portfolio_id});
        let command = match event.status {
            RebalanceStatus::PendingApproval => {
                let kind = *chance.pick("people.proposal", &["APPROVE", "APPROVE", "REJECT", "EDIT", "CANCEL", ""]);
                let mut command = about(kind);
                command["proposal_hash"] = json!(event.proposal_hash);
                if kind == "EDIT" {
                    let Some(order) = event.orders.first() else { return };
                    command["orders"] = json!([{"instrument_id": order.instrument_id, "quantity": "10"}]);
                }
                if kind.is_empty() { return } else { command }
            }
            RebalanceStatus::Stuck => {
                if chance.below("people.stuck", 2) == 0 {
                    return;
                }
                let mut command = about("RECONCILE");
                let orders = event.orders.iter().map(|order| json!({"order_id": order.order_id, "quantity": "0"}));
                command["orders"] = Value::Array(orders.collect());
                command
            }
            _ => return,
        };
        self.say(hand, command);
    }

    fn settle(&mut self, hand: &Hand<'_>, record: &StoredRecord) {
        let headers = record.headers.iter().map(|header| (header.name.as_str(), header.value.as_slice()));
        let Ok(letter) = avro_codec::dead_letter_from(record.key.as_deref(), record.value.as_deref(), headers) else { return };
        let Some(portfolio) = &letter.portfolio_id else { return };
        let mut kind = *hand.world.chance.pick("people.letter", &["ADMIT", "DISCARD", "RELEASE", "RELEASE", ""]);
        // Whoever admits a late record has looked whether it was booked before.
        if kind == "ADMIT" && was_sent_before(hand, &letter) {
            kind = "DISCARD";
        }
        let hex = |bytes: &Vec<u8>| domain::dead_letter::hex::encode(bytes);
        let mut command = json!({"kind": kind, "portfolio_id": portfolio});
        match kind {
            "" => return,
            "RELEASE" => {}
            _ => {
                let headers: Vec<_> =
                    letter.headers.iter().map(|header| json!({"name": header.name, "value": hex(&header.value)})).collect();
                command["dead_letter"] = json!({
                    "topic": letter.topic.name(), "partition": letter.partition, "offset": letter.offset,
                    "key": letter.key.as_ref().map(hex), "headers": headers, "bytes": letter.value.as_ref().map(hex).unwrap_or_default()
                });
                if kind == "DISCARD" {
                    command["dead_letter"]["bytes"] = json!("");
                }
            }
        }
        self.say(hand, command);
    }

    fn say(&mut self, hand: &Hand<'_>, mut command: Value) {
        self.said += 1;
        command["command_id"] = json!(format!("people-{}", self.said));
        command["actor"] = json!(if self.said.is_multiple_of(2) { "ada" } else { "bob" });
        command["issued_at"] = json!(hand.world.time().to_string());
        let command: Command = serde_json::from_value(command).expect("a command has the shape of its schema");
        hand.world.tell(|| format!("people say {} for {:?}", command.kind, command.portfolio_id));
        let input = Input::Command(Box::new(command));
        let id = format!("people-{}", self.said);
        let message = input_message(&input, hand.world.time(), "/people", &id, hand.world.scenario.lanes).expect("it can be encoded");
        hand.world.append(message);
    }
}

/// Whether a record of the same ids stands before the one that was refused.
fn was_sent_before(hand: &Hand<'_>, letter: &DeadLetter) -> bool {
    let schemas = hand.world.schemas();
    let id = |key: Option<&[u8]>, value: Option<&[u8]>| match avro_codec::decode(&schemas, letter.topic, key, value) {
        Ok(Input::Fill(fill)) => Some(fill.exec_id.clone()),
        Ok(Input::Cash(entry)) => Some(entry.entry_id.clone()),
        _ => None,
    };
    let own = id(letter.key.as_deref(), letter.value.as_deref());
    let before = hand.world.log.range(letter.topic.name(), letter.partition, 0, letter.offset);
    own.is_some() && before.iter().any(|record| id(record.key.as_deref(), record.value.as_deref()) == own)
}

/// Keeps prices fresh, so that plans can be made to the end.
pub fn quote(hand: &Hand<'_>) {
    while !hand.world.closing.get() {
        hand.pass(Duration::from_secs(4));
        if !hand.world.chance.is_calm() || hand.world.now() > hand.world.scenario.active + crate::play::QUOTED {
            continue;
        }
        for (number, instrument) in crate::inputs::INSTRUMENTS.into_iter().enumerate() {
            let cents = [10_000, 4_200, 25_050, 777][number];
            let time = hand.world.time();
            let message = input_message(&crate::inputs::tick(instrument, cents, time), time, "/feed", "calm", hand.world.scenario.lanes);
            hand.world.append(message.expect("it can be encoded"));
        }
    }
}
