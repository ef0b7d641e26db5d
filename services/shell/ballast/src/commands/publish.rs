//! `ballast publish`: JSON lines to their topics. A wrong line is named and sends nothing; the others go on.

use crate::avro::encode_input_value;
use crate::cli::PublishArgs;
use crate::config::Config;
use crate::lines::{self, input_of};
use crate::messages::cloud_event;
use anyhow::Context as _;
use domain::{Input, Timestamp};
use kafka_log::{Message, Partition, Producer, TopicName};
use std::fs::File;
use std::io::{BufRead, BufReader, stdin};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// How long undelivered lines are waited for at the end.
const FLUSH: Duration = Duration::from_secs(60);

/// File or standard input to Kafka.
pub fn run(config: &Config, args: &PublishArgs) -> anyhow::Result<ExitCode> {
    match &args.file {
        Some(path) => {
            let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
            publish(config, BufReader::new(file))
        }
        None => publish(config, stdin().lock()),
    }
}

fn publish(config: &Config, input: impl BufRead) -> anyhow::Result<ExitCode> {
    let producer = Producer::open(&config.kafka, "publish")?;
    let (mut sent, mut wrong) = (0_u64, 0_u64);
    for (index, text) in input.lines().enumerate() {
        let text = text?;
        if text.trim().is_empty() {
            continue;
        }
        match messages_of(&text, index + 1, config.lanes) {
            Ok(messages) => {
                messages.into_iter().try_for_each(|message| producer.send(message))?;
                sent += 1;
            }
            Err(error) => {
                eprintln!("line {}: {error}", index + 1);
                wrong += 1;
            }
        }
    }
    producer.flush(FLUSH)?;
    println!("{sent} records published, {wrong} lines refused");
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

/// One message; a command without a portfolio becomes one for every lane.
fn messages_of(text: &str, number: usize, lanes: i32) -> anyhow::Result<Vec<Message>> {
    let line = lines::read_line(text).map_err(|refusal| anyhow::anyhow!("{}: {}", refusal.code, refusal.text))?;
    let input = input_of(line.topic, line.key.as_deref(), line.value.as_deref())
        .map_err(|refusal| anyhow::anyhow!("{}: {}", refusal.code, refusal.text))?;
    let key = line.key.map(String::into_bytes).or_else(|| avro_codec::input_key(&input).map(|key| key.as_bytes().to_vec()));
    let time = line.timestamp.unwrap_or(Timestamp::MIN);
    let wide = matches!(&input, Input::Command(command) if command.portfolio_id.is_none());
    let mut message = Message {
        topic: TopicName::from(line.topic.name()),
        partition: Partition::ByKey,
        key,
        value: encode_input_value(&input)?,
        headers: Vec::new(),
        timestamp: None,
    };
    for (name, value) in cloud_event("/ballast/publish", line.topic, &number.to_string(), time) {
        message = message.header(Arc::<str>::from(name.as_str()), value);
    }
    if !wide {
        return Ok(vec![message]);
    }
    Ok((0..lanes).map(|lane| Message { partition: Partition::Exactly(lane), ..message.clone() }).collect())
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
        let places = |text: &str| messages_of(text, 1, 3).unwrap().into_iter().map(|message| message.partition).collect::<Vec<_>>();
        assert_eq!(places(&line("")), [0, 1, 2].map(Partition::Exactly));
        assert_eq!(places(&line(r#","portfolio_id":"growth""#)), [Partition::ByKey]);
    }
}
