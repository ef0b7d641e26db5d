//! `ballast publish`: JSON lines to their topics. A wrong line is named and sends nothing; the others go on.

use crate::avro::encode_input_value;
use crate::cli::PublishArgs;
use crate::config::Config;
use crate::lines::{self, input_of};
use crate::messages::cloud_event;
use anyhow::Context as _;
use domain::Timestamp;
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
        match message_of(&text, index + 1) {
            Ok(message) => {
                producer.send(message)?;
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

fn message_of(text: &str, number: usize) -> anyhow::Result<Message> {
    let line = lines::read_line(text).map_err(|refusal| anyhow::anyhow!("{}: {}", refusal.code, refusal.text))?;
    let input =
        input_of(line.topic, line.key.as_deref(), line.value.as_deref()).map_err(|refusal| anyhow::anyhow!("{}: {}", refusal.code, refusal.text))?;
    let key = line.key.map(String::into_bytes).or_else(|| avro_codec::input_key(&input).map(|key| key.as_bytes().to_vec()));
    let time = line.timestamp.unwrap_or(Timestamp::MIN);
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
    Ok(message)
}
