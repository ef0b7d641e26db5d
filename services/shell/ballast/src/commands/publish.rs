//! `ballast publish`: JSON lines to their topics. A wrong line is named and sends nothing; the others go on.
//! A command of a wider scope reaches every lane or none, by one transaction.

use super::replay::opened;
use crate::avro::encode_input_value;
use crate::cli::PublishArgs;
use crate::config::Config;
use crate::lines::symbols::mistyped;
use crate::lines::{self, input_of};
use crate::messages::cloud_event;
use crate::print::{self, counted};
use anyhow::Context as _;
use domain::reason::DeadLetterCode;
use domain::{Input, Timestamp, Topic, Uuid, ids::uuid_of};
use kafka_log::{Message, Partition, Producer, TopicName, Topics, publish_together};
use std::io::{BufRead, stdin};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// How long undelivered lines are waited for at the end.
const FLUSH: Duration = Duration::from_secs(60);

/// How long the brokers may take to say which topics there are.
const ANSWER: Duration = Duration::from_secs(8);

/// File or standard input to Kafka.
pub fn run(config: &Config, args: &PublishArgs) -> anyhow::Result<ExitCode> {
    match &args.file {
        Some(path) => publish(config, opened(path)?),
        None => publish(config, stdin().lock()),
    }
}

fn publish(config: &Config, input: impl BufRead) -> anyhow::Result<ExitCode> {
    let producer = Producer::open(&config.kafka, "publish")?;
    let (mut sent, mut wrong) = (0_u64, 0_u64);
    let mut there = None;
    for (index, text) in input.lines().enumerate() {
        let text = text?;
        if text.trim().is_empty() {
            continue;
        }
        let parcel = parcel_of(&text, config.lanes);
        if let Ok(parcel) = &parcel
            && let Some(missing) = missing(config, &mut there, parcel)?
        {
            producer.flush(FLUSH)?;
            anyhow::bail!(
                "line {}: there is no topic {missing} at {}, or no right to see it: run `ballast topics create`, or ask for the right \
                 (deploy/runbooks/access.md); {} published before it",
                index + 1,
                config.kafka.brokers,
                counted(sent, "record")
            );
        }
        match parcel {
            Ok(Parcel { messages, to_all: false, .. }) => {
                messages.into_iter().try_for_each(|message| producer.send(message))?;
                sent += 1;
            }
            // Of one lane, too: whether the service has as few must be asked.
            Ok(Parcel { id, messages, to_all: true }) => {
                crate::errand::check_lanes(config)?;
                // What stands before it arrives before it.
                producer.flush(FLUSH)?;
                publish_together(&config.kafka, &id.to_string(), messages)
                    .with_context(|| format!("line {}: send it again, a command_id acts once", index + 1))?;
                sent += 1;
            }
            Err(error) => {
                print::aside(format_args!("line {}: {error}", index + 1));
                wrong += 1;
            }
        }
    }
    producer.flush(FLUSH).with_context(|| format!("publishing to {}", config.kafka.brokers))?;
    print::last(format_args!("{} published, {} refused", counted(sent, "record"), counted(wrong, "line")))?;
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

/// The topic of a parcel, where it does not exist. Asked once, and before anything is sent: the client itself would
/// try for its time-out and then name neither.
fn missing<'a>(config: &Config, there: &mut Option<Vec<TopicName>>, parcel: &'a Parcel) -> anyhow::Result<Option<&'a TopicName>> {
    let there = match there {
        Some(there) => there,
        None => there.insert(Topics::open(&config.kafka)?.answering_within(ANSWER).names()?),
    };
    Ok(parcel.messages.first().map(|message| &message.topic).filter(|topic| !there.contains(topic)))
}

/// What one line sends.
struct Parcel {
    /// Name of the record for ever: the same line has it again.
    id: Uuid,
    /// One message; of what goes to all lanes, one for each.
    messages: Vec<Message>,
    /// Whether it goes to all lanes: a command without a portfolio.
    to_all: bool,
}

fn parcel_of(text: &str, lanes: i32) -> anyhow::Result<Parcel> {
    let line =
        lines::read_line(text).and_then(lines::from_outside).map_err(|refusal| anyhow::anyhow!("{}: {}", refusal.code, refusal.text))?;
    let input = input_of(line.topic, line.key.as_deref(), line.value.as_deref())
        .map_err(|refusal| anyhow::anyhow!("{}: {}", refusal.code, refusal.text))?;
    if let Some(words) = line.value.as_deref().and_then(|json| mistyped(line.topic, json)) {
        anyhow::bail!("{}: {words}", DeadLetterCode::UnknownEnum);
    }
    let key = line.key.map(String::into_bytes).or_else(|| avro_codec::input_key(&input).map(|key| key.as_bytes().to_vec()));
    let time = line.timestamp.unwrap_or(Timestamp::MIN);
    let to_all = matches!(&input, Input::Command(command) if command.portfolio_id.is_none());
    let value = encode_input_value(&input)?;
    let id = event_id(line.topic, key.as_deref(), value.as_deref(), line.timestamp);
    let mut message = Message {
        topic: TopicName::from(line.topic.name()),
        partition: Partition::ByKey,
        key,
        value,
        headers: Vec::new(),
        timestamp: None,
    };
    for (name, value) in cloud_event("/ballast/publish", line.topic, &id.to_string(), time) {
        message = message.header(Arc::<str>::from(name.as_str()), value);
    }
    if !to_all {
        return Ok(Parcel { id, messages: vec![message], to_all });
    }
    let messages = (0..lanes).map(|lane| Message { partition: Partition::Exactly(lane), ..message.clone() }).collect();
    Ok(Parcel { id, messages, to_all })
}

/// The id of an event (`ce_id`): UUIDv5 of topic, key, bytes and moment, so that a line that is sent again keeps it.
fn event_id(topic: Topic, key: Option<&[u8]>, value: Option<&[u8]>, time: Option<Timestamp>) -> Uuid {
    let time = time.map(|time| time.micros().to_be_bytes());
    let given = [u8::from(key.is_some()), u8::from(value.is_some()), u8::from(time.is_some())];
    let time = time.as_ref().map_or(&[][..], |time| time.as_slice());
    uuid_of(&[topic.name().as_bytes(), &given, key.unwrap_or_default(), value.unwrap_or_default(), time])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_halt_of_the_firm_goes_to_every_lane() {
        let line = |portfolio: &str| {
            format!(
                r#"{{"topic":"portfolio.commands.v1","value":{{"command_id":"h","kind":"HALT","scope":"FIRM"{portfolio},"actor":"ann","issued_at":"2026-01-05T14:30:00Z"}}}}"#
            )
        };
        let places = |text: &str| parcel_of(text, 3).unwrap().messages.into_iter().map(|message| message.partition).collect::<Vec<_>>();
        assert_eq!(places(&line("")), [0, 1, 2].map(Partition::Exactly));
        assert_eq!(places(&line(r#","portfolio_id":"growth""#)), [Partition::ByKey]);
        assert!(parcel_of(&line(""), 1).unwrap().to_all, "with one lane, too: the service may have more");
    }

    #[test]
    fn what_the_service_writes_is_published_by_nobody_else() {
        for topic in Topic::ALL.iter().filter(|topic| !topic.is_from_outside()) {
            let told = parcel_of(&format!(r#"{{"topic":"{topic}","value":{{}}}}"#), 3).err().unwrap().to_string();
            assert!(told.contains("is written by the service"), "{topic}: {told}");
        }
    }

    #[test]
    fn a_mistyped_symbol_is_refused_on_the_spot() {
        let line = r#"{"topic":"portfolio.commands.v1","value":{"command_id":"h","kind":"HOLT","scope":"FIRM","actor":"ann","issued_at":"2026-01-05T14:30:00Z"}}"#;
        let told = parcel_of(line, 3).err().unwrap().to_string();
        assert!(told.starts_with(r#"UNKNOWN_ENUM: kind: "HOLT" is none of "#) && told.contains("HALT"), "{told}");
    }

    #[test]
    fn an_event_has_one_id_for_ever_and_no_other_has_it() {
        let line = |price: &str, time: &str| {
            format!(
                r#"{{"topic":"marketdata.ticks.v1",{time}"value":{{"instrument_id":"ACME","last":"{price}","event_time":"2026-01-05T14:30:00Z"}}}}"#
            )
        };
        let stamped = r#""timestamp":"2026-01-05T14:30:00Z","#;
        let lines = [line("1", ""), line("2", ""), line("1", stamped)];
        let ids: std::collections::BTreeSet<Uuid> = lines.iter().map(|line| parcel_of(line, 4).unwrap().id).collect();
        assert_eq!(ids.len(), 3);
        let again = parcel_of(&line("1", ""), 4).unwrap();
        assert!(ids.contains(&again.id), "whatever stands before it in a file");
        let told = again.messages[0].headers.iter().find(|(name, _)| &**name == "ce_id").unwrap();
        assert_eq!(told.1, again.id.to_string().into_bytes());
    }
}
