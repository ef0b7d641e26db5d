//! A command of a person on its way: sent to its lane, and the answer waited for. The answer is an event of
//! `rebalance.events.v1` or a dead letter that names the command; one that was given before is found in the tables.
//! It decides nothing and asks for nothing twice: a command acts once by its id.

mod hearing;

pub(crate) use hearing::Hearing;

use crate::config::Config;
use crate::kafka::stored;
use crate::messages::cloud_event;
use crate::stored::StoredRecord;
use crate::tables::Tables;
use crate::topic_layout::partitions;
use anyhow::Context as _;
use avro_codec::SchemaStore;
use domain::command::Command;
use domain::enums::RebalanceStatus;
use domain::rebalance_event::RebalanceEvent;
use domain::{Input, Output, Timestamp, Topic, Uuid, ids::uuid_of};
use engine::partition::lane_of;
use kafka_log::{Message, Pace, Partition, Producer, Reader, Start, TopicName, Topics};
use postgres_store::queries::AnswerView;
use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the brokers may take to say which topics there are and where they end.
const ANSWER: Duration = Duration::from_secs(10);
/// How long the broker may take to take the command.
const DELIVERY: Duration = Duration::from_secs(30);
/// One look at the topics while waiting.
const LOOK: Duration = Duration::from_millis(100);
/// Between two looks into the tables while waiting.
const TABLES_EVERY: Duration = Duration::from_secs(1);

/// What a command was answered with.
#[derive(Debug)]
pub enum Answer {
    /// An event of its rebalance, or a refusal with an id of its own.
    Event(Box<RebalanceEvent>),
    /// It was answered before; the rebalance stands in the tables.
    Before(AnswerView),
    /// It could not be understood.
    Letter {
        /// Code.
        code: &'static str,
        /// What to do.
        text: String,
    },
    /// Nobody waited for it.
    Unasked,
    /// Nothing came in time.
    Silence,
}

/// A fresh id for a command, which no other has.
pub fn fresh_id() -> Uuid {
    let chance = || RandomState::new().build_hasher().finish().to_be_bytes();
    let now = crate::clock::now().micros().to_be_bytes();
    uuid_of(&[b"command", &now, &std::process::id().to_be_bytes(), &chance(), &chance()])
}

/// Sends a command and waits so long for its answer; `None` waits for none.
///
/// # Errors
/// When it cannot be sent, or the topics cannot be read.
pub fn run(config: &Config, tables: &Tables, command: Command, wait: Option<Duration>) -> anyhow::Result<Answer> {
    let portfolio = command.portfolio_id.clone().context("a command on a portfolio names it")?;
    let before = || tables.ask(|store| store.answer(portfolio.as_str(), &command.command_id));
    let lane = lane_of(portfolio.as_str().as_bytes(), partitions(Topic::Commands, config));
    check_lanes(config)?;
    if let Some(earlier) = before()? {
        return repeat(config, &command, lane, earlier, wait);
    }
    let topics = [Topic::RebalanceEvents.name(), Topic::Commands.dead_letters()].map(TopicName::from);
    check_topics(config, &topics)?;
    let mut ears = Ears::open(config, topics, lane)?;
    send(config, &command, lane)?;
    let Some(wait) = wait else { return Ok(Answer::Unasked) };
    let end = Instant::now() + wait;
    let mut looked = Instant::now();
    while Instant::now() < end {
        if let Some(answer) = ears.listen(&command)? {
            return Ok(answer);
        }
        // A command that was sent before and answered is passed over in silence: its answer is in the tables, or will be.
        if looked.elapsed() >= TABLES_EVERY {
            looked = Instant::now();
            if let Some(earlier) = before()? {
                return repeat(config, &command, lane, earlier, Some(end.saturating_duration_since(looked)));
            }
        }
    }
    Ok(Answer::Silence)
}

/// Sends a command whose id was answered before. The tables know that answer by the id alone: whether this is that command
/// the lane says, which refuses another one.
fn repeat(config: &Config, command: &Command, lane: i32, earlier: AnswerView, wait: Option<Duration>) -> anyhow::Result<Answer> {
    let mut hearing = Hearing::open(config, config.schemas.load()?, command, &[lane])?;
    send(config, command, lane)?;
    let Some(wait) = wait else { return Ok(Answer::Unasked) };
    hearing.wait(wait, &BTreeMap::new())?;
    Ok(match (hearing.refused(lane), hearing.step(lane)) {
        (Some((code, text)), _) => Answer::Letter { code, text: text.clone() },
        (None, Some(_)) => Answer::Before(earlier),
        (None, None) => Answer::Silence,
    })
}

/// That these topics and the commands are there.
pub(crate) fn check_topics(config: &Config, needed: &[TopicName]) -> anyhow::Result<()> {
    let there = Topics::open(&config.kafka)?.answering_within(ANSWER).names()?;
    let commands = TopicName::from(Topic::Commands.name());
    match needed.iter().chain([&commands]).find(|topic| !there.contains(topic)) {
        Some(topic) => Err(missing(config, topic)),
        None => Ok(()),
    }
}

/// That the commands have as many lanes as the configuration says: what goes to some alone would hold in some alone.
pub(crate) fn check_lanes(config: &Config) -> anyhow::Result<()> {
    let commands = TopicName::from(Topic::Commands.name());
    let found = Topics::open(&config.kafka)?.answering_within(ANSWER).partitions(&commands)?;
    let (found, said) = (found.ok_or_else(|| missing(config, &commands))?, partitions(Topic::Commands, config));
    anyhow::ensure!(
        i32::try_from(found) == Ok(said),
        "{commands} has {found} partitions at {}, and `lanes` of this configuration is {said}: set it to what the service \
         runs with",
        config.kafka.brokers
    );
    Ok(())
}

fn missing(config: &Config, topic: &TopicName) -> anyhow::Error {
    anyhow::anyhow!(
        "there is no topic {topic} at {}, or no right to see it: run `ballast topics create`, or ask for the right \
         (deploy/runbooks/access.md)",
        config.kafka.brokers
    )
}

fn send(config: &Config, command: &Command, lane: i32) -> anyhow::Result<()> {
    let producer = Producer::open(&config.kafka, "command-line")?;
    messages(command, &[lane])?.into_iter().try_for_each(|message| producer.send(message))?;
    producer.flush(DELIVERY).with_context(|| unsent(config, command))
}

/// What to do where it is not known whether a command was sent.
pub(crate) fn unsent(config: &Config, command: &Command) -> String {
    format!("sending command {} to {}: send it again under the same --command-id, it acts once", command.command_id, config.kafka.brokers)
}

/// A command as it is sent to each of these lanes.
pub(crate) fn messages(command: &Command, lanes: &[i32]) -> anyhow::Result<Vec<Message>> {
    let input = Input::Command(Box::new(command.clone()));
    let mut value = Vec::new();
    avro_codec::encode_input(&input, &mut value)?;
    let key = command.portfolio_id.as_ref().map(|portfolio| portfolio.as_str().as_bytes().to_vec());
    let id = uuid_of(&[Topic::Commands.name().as_bytes(), command.command_id.as_bytes(), &value]);
    let mut message = Message {
        topic: TopicName::from(Topic::Commands.name()),
        partition: Partition::ByKey,
        key,
        value: Some(value),
        headers: Vec::new(),
        timestamp: None,
    };
    for (name, value) in cloud_event("/ballast/command-line", Topic::Commands, &id.to_string(), Timestamp::MIN) {
        message = message.header(Arc::<str>::from(name.as_str()), value);
    }
    Ok(lanes.iter().map(|lane| Message { partition: Partition::Exactly(*lane), ..message.clone() }).collect())
}

/// The topics in which an answer comes, read from where they ended before the command was sent.
struct Ears {
    reader: Reader,
    schemas: SchemaStore,
    letters: TopicName,
}

impl Ears {
    fn open(config: &Config, topics: [TopicName; 2], lane: i32) -> anyhow::Result<Self> {
        let mut reader = Reader::open(&config.kafka, Pace::Recovery, "command-line")?;
        let mut starts = Vec::new();
        for topic in &topics {
            starts.push(Start { topic: topic.clone(), partition: lane, offset: reader.bounds(topic, lane, ANSWER)?.stable_end });
        }
        reader.assign(&starts)?;
        let [_, letters] = topics;
        Ok(Self { reader, schemas: config.schemas.load()?, letters })
    }

    fn listen(&mut self, command: &Command) -> anyhow::Result<Option<Answer>> {
        let batch = self.reader.poll_patiently(1_000, LOOK, ANSWER)?;
        for record in batch.records() {
            let is_letter = batch.topics()[record.topic()] == self.letters;
            let record = stored(&record);
            let answer = if is_letter {
                letter(&self.schemas, &record, command).map(|(code, text)| Answer::Letter { code, text })
            } else {
                event(&self.schemas, &record, command)
            };
            if answer.is_some() {
                return Ok(answer);
            }
        }
        Ok(None)
    }
}

/// The event that answers a command. APPROVED is followed by what became of it, in the same step.
fn event(schemas: &SchemaStore, record: &StoredRecord, command: &Command) -> Option<Answer> {
    let Ok(Output::RebalanceEvent(event)) = avro_codec::decode_output(schemas, Topic::RebalanceEvents, record.value.as_deref()?) else {
        return None;
    };
    let ours = Some(&event.portfolio_id) == command.portfolio_id.as_ref() && event.command_id.as_ref() == Some(&command.command_id);
    (ours && event.status != RebalanceStatus::Approved).then_some(Answer::Event(event))
}

/// Code and words of the dead letter of a command.
pub(crate) fn letter(schemas: &SchemaStore, record: &StoredRecord, command: &Command) -> Option<(&'static str, String)> {
    let headers = record.headers.iter().map(|header| (header.name.as_str(), header.value.as_slice()));
    let letter = avro_codec::dead_letter_from(record.key.as_deref(), record.value.as_deref(), headers).ok()?;
    let Ok(Input::Command(refused)) = avro_codec::decode(schemas, Topic::Commands, letter.key.as_deref(), letter.value.as_deref()) else {
        return None;
    };
    is_same(&refused, command).then(|| (letter.code.symbol(), letter.text.to_string()))
}

/// Whether two records are one command.
pub(crate) fn is_same(read: &Command, sent: &Command) -> bool {
    (&read.portfolio_id, &read.command_id) == (&sent.portfolio_id, &sent.command_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(id: &str) -> Command {
        let json =
            format!(r#"{{"command_id":"{id}","kind":"REBALANCE","portfolio_id":"p1","actor":"ann","issued_at":"2026-01-05T14:30:00Z"}}"#);
        serde_json::from_str(&json).unwrap()
    }

    fn said(status: &str, command_id: &str) -> StoredRecord {
        let json = format!(
            r#"{{"rebalance_id":"6f1c1b0e-0000-5000-8000-000000000002","portfolio_id":"p1","trigger":"MANUAL","status":"{status}",
            "code":null,"text":null,"shadow":false,"proposal_hash":null,"as_of":"2026-01-05T14:30:00Z","old_allocations":[],
            "new_allocations":[],"orders":[],"explanation":[],"expected_fees":null,"turnover":null,
            "drift_before":null,"drift_after":null,"policy_version":3,"drift_episode":1,"actor":null,"command_id":"{command_id}"}}"#
        );
        let mut value = Vec::new();
        avro_codec::encode(&Output::RebalanceEvent(serde_json::from_str(&json).unwrap()), &mut value).unwrap();
        StoredRecord { offset: 0, appended: Timestamp::MIN, key: None, value: Some(value), headers: Vec::new() }
    }

    #[test]
    fn the_answer_is_the_event_that_names_the_command_and_ends_it() {
        let schemas = SchemaStore::compiled();
        let heard = |status, id| event(&schemas, &said(status, id), &command("k1")).is_some();
        assert!(heard("RELEASED", "k1") && heard("REFUSED", "k1") && heard("PENDING_APPROVAL", "k1"));
        assert!(!heard("APPROVED", "k1"), "what becomes of it is said next");
        assert!(!heard("RELEASED", "k2"));
    }

    #[test]
    fn fresh_ids_differ() {
        assert_ne!(fresh_id(), fresh_id());
    }
}
