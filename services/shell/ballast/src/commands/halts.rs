//! `ballast halts`: which halts are in force. It hands every command that stands in the topic to a rebalancer of its own
//! that publishes nothing, as every lane of the service does, so that the two cannot judge otherwise. It asks no database,
//! and does not tell how far the service has read.

use crate::avro::AvroCodec;
use crate::cli::halts::HaltsArgs;
use crate::config::Config;
use crate::errand;
use crate::kafka::stored;
use crate::print;
use crate::sheet::{self, Report, Sheet};
use crate::stored::StoredRecord;
use crate::topic_layout::partitions;
use anyhow::Context as _;
use avro_codec::SchemaStore;
use domain::command::Command;
use domain::enums::CommandKind;
use domain::{Input, Timestamp, Topic};
use engine::lane::Slice;
use engine::{Codec as _, Lane, RecordRef as _};
use kafka_log::{Pace, Reader, TopicName};
use rebalancer::Rebalancer;
use rebalancer::commands::halt::Halt;
use serde::Serialize;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

/// How long the brokers may take to say where a partition begins.
const ANSWER: Duration = Duration::from_secs(10);
/// How long the commands of a lane may take to be read.
const LANE: Duration = Duration::from_secs(600);
/// Lanes that are asked at once, each by a client of its own.
const AT_ONCE: usize = 16;
/// Commands of one window.
const WINDOW: usize = 500;

/// Reads, folds and prints.
///
/// # Errors
/// When the topic cannot be read.
pub fn run(config: &Config, args: &HaltsArgs) -> anyhow::Result<ExitCode> {
    errand::check_lanes(config)?;
    let lanes = partitions(Topic::Commands, config);
    let mut found: BTreeMap<Halt, (Vec<i32>, Option<Command>)> = BTreeMap::new();
    let (mut unread, mut cut) = (Vec::new(), Vec::new());
    for (number, lane) in read_all(config, lanes) {
        let lane = match lane {
            Ok(lane) => lane,
            Err(error) => {
                print::aside(format_args!("ballast: the commands of lane {number} cannot be read: {error:#}"));
                unread.push(number);
                continue;
            }
        };
        cut.extend((lane.start > 0).then_some(number));
        for halt in lane.lane.role().halts().in_force() {
            let (standing, command) = found.entry(halt.clone()).or_default();
            standing.push(number);
            *command = command.take().or_else(|| lane.asked.get(halt).cloned());
        }
    }
    let rows = found.iter().map(|(halt, (standing, command))| Row::of(halt, standing.clone(), command.as_ref()));
    let report = HaltsReport { lanes, halts: rows.collect(), unread, cut };
    sheet::print(&report, args.format)?;
    if !report.cut.is_empty() {
        print::aside(format_args!(
            "ballast: the first commands of {} lanes are gone (topics.books_days): a halt that was set by one of them is not listed",
            report.cut.len()
        ));
    }
    Ok(if report.unread.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Every lane's, by number. Several are asked at once: one that no broker answers for keeps none of the others waiting.
fn read_all(config: &Config, lanes: i32) -> Vec<(i32, anyhow::Result<Folded>)> {
    let numbers: Vec<i32> = (0..lanes).collect();
    let together = |numbers: &[i32]| {
        thread::scope(|scope| {
            let asked: Vec<_> = numbers.iter().map(|number| (*number, scope.spawn(|| read(config, *number, lanes)))).collect();
            let answer = |thread: thread::ScopedJoinHandle<'_, _>| thread.join().unwrap_or_else(|cause| std::panic::resume_unwind(cause));
            asked.into_iter().map(|(number, thread)| (number, answer(thread))).collect::<Vec<_>>()
        })
    };
    numbers.chunks(AT_ONCE).flat_map(together).collect()
}

fn read(config: &Config, number: i32, lanes: i32) -> anyhow::Result<Folded> {
    let topic = TopicName::from(Topic::Commands.name());
    let mut reader = Reader::open(&config.kafka, Pace::Recovery, "command-line")?;
    let start = reader.bounds(&topic, number, ANSWER)?.start;
    let mut folded = Folded::new(config.schemas.load()?, number, lanes, start);
    let (mut waiting, mut broken) = (Vec::new(), None);
    let end = reader.read_to_end(&topic, number, start, LANE, |record| {
        waiting.push(stored(record));
        if broken.is_some() {
            waiting.clear();
        } else if waiting.len() >= WINDOW {
            let records = std::mem::take(&mut waiting);
            broken = folded.fold(&records, record.offset() + 1).err();
        }
    })?;
    broken.map_or(Ok(()), Err).and_then(|()| folded.fold(&waiting, end))?;
    Ok(folded)
}

/// The commands of one lane, as far as they are read.
struct Folded {
    lane: Lane<Rebalancer>,
    /// The first offset that the log still has.
    start: i64,
    codec: AvroCodec,
    /// The HALT by which each halt in force came to be.
    asked: BTreeMap<Halt, Command>,
}

impl Folded {
    fn new(schemas: SchemaStore, number: i32, lanes: i32, start: i64) -> Self {
        let mut lane = Lane::new(Rebalancer::default(), number, lanes);
        lane.begin_at(Topic::Commands, number, start);
        Self { lane, start, codec: AvroCodec::new(schemas), asked: BTreeMap::new() }
    }

    /// Takes in what stands before `to`; each HALT and RESUME by itself, to see what it changes.
    fn fold(&mut self, records: &[StoredRecord], to: i64) -> anyhow::Result<()> {
        let mut rest = records;
        while let Some((at, command)) = rest.iter().enumerate().find_map(|(at, record)| Some((at, stop(&mut self.codec, record)?))) {
            let (before, from) = rest.split_at(at);
            let (record, behind) = from.split_first().expect("it was found there");
            self.window(before, record.offset)?;
            let halt = Halt::of(&command);
            let stood = self.lane.role().halts().contains(&halt);
            self.window(std::slice::from_ref(record), record.offset + 1)?;
            match (stood, self.lane.role().halts().contains(&halt)) {
                (false, true) => _ = self.asked.insert(halt, command),
                (true, false) => _ = self.asked.remove(&halt),
                _ => {}
            }
            rest = behind;
        }
        self.window(rest, to)
    }

    fn window(&mut self, records: &[StoredRecord], to: i64) -> anyhow::Result<()> {
        let number = self.lane.lane();
        loop {
            let from = self.lane.position(Topic::Commands, number);
            let rest = &records[records.partition_point(|record| record.offset < from)..];
            let now = rest.last().map_or(self.lane.now(), |record| record.appended);
            let slice = Slice { topic: Topic::Commands, partition: number, to, records: rest };
            let whole = self.lane.window(now, true, &[slice], &mut self.codec).with_context(|| format!("the commands of lane {number}"))?;
            // What it says to them is the service's to say.
            self.lane.close(&mut self.codec)?;
            if whole {
                return Ok(());
            }
        }
    }
}

/// The HALT or RESUME that a record holds.
fn stop(codec: &mut AvroCodec, record: &StoredRecord) -> Option<Command> {
    match codec.decode(Topic::Commands, record.key(), record.value()) {
        Ok(Input::Command(command)) if matches!(command.kind, CommandKind::Halt | CommandKind::Resume) => Some(*command),
        _ => None,
    }
}

/// A halt in force.
#[derive(Debug, Serialize)]
struct Row {
    scope: String,
    target: Option<String>,
    portfolio_id: Option<String>,
    lanes: Vec<i32>,
    command_id: Option<String>,
    actor: Option<String>,
    issued_at: Option<Timestamp>,
    reason: Option<String>,
}

impl Row {
    fn of(halt: &Halt, lanes: Vec<i32>, command: Option<&Command>) -> Self {
        Self {
            scope: halt.scope().to_string(),
            target: Some(halt.target().to_owned()).filter(|target| !target.is_empty()),
            portfolio_id: halt.portfolio().map(ToString::to_string),
            lanes,
            command_id: command.map(|command| command.command_id.to_string()),
            actor: command.map(|command| command.actor.to_string()),
            issued_at: command.map(|command| command.issued_at),
            reason: command.and_then(|command| command.reason.as_ref().map(ToString::to_string)),
        }
    }
}

/// What is told.
#[derive(Debug, Serialize)]
struct HaltsReport {
    /// Lanes that the service has.
    lanes: i32,
    halts: Vec<Row>,
    /// Lanes whose commands cannot be read.
    unread: Vec<i32>,
    /// Lanes whose first commands are gone.
    cut: Vec<i32>,
}

impl Report for HaltsReport {
    fn sheets(&self) -> Vec<Sheet> {
        let head = match self.halts.len() {
            0 if self.unread.is_empty() => "no halt is in force".to_owned(),
            0 => "no halt is in force in the lanes that can be read".to_owned(),
            1 => "1 halt is in force".to_owned(),
            many => format!("{many} halts are in force"),
        };
        vec![self.rows().under(head)]
    }
    fn exact(&self) -> Vec<Sheet> {
        vec![self.rows()]
    }
}

impl HaltsReport {
    fn rows(&self) -> Sheet {
        let columns = ["scope", "target", "portfolio", "lanes", "command_id", "actor", "issued_at", "reason"];
        let lanes = |row: &Row| {
            let all = i32::try_from(row.lanes.len()) == Ok(self.lanes);
            if all { "all".to_owned() } else { row.lanes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ") }
        };
        let cells = |row: &Row| {
            let text = |cell: &Option<String>| cell.clone().unwrap_or_default();
            let issued = row.issued_at.map(|at| at.to_string()).unwrap_or_default();
            let (command, actor, reason) = (text(&row.command_id), text(&row.actor), text(&row.reason));
            vec![row.scope.clone(), text(&row.target), text(&row.portfolio_id), lanes(row), command, actor, issued, reason]
        };
        Sheet::new("halts", &columns).with(self.halts.iter().map(cells))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn command(id: &str, kind: &str, rest: &str) -> String {
        format!(r#"{{"command_id":"{id}","kind":"{kind}","actor":"ann","issued_at":"2026-01-05T14:30:00Z",{rest}}}"#)
    }

    fn folded(commands: &[String], step: usize) -> Folded {
        let mut folded = Folded::new(SchemaStore::compiled(), 0, 1, 0);
        let records: Vec<StoredRecord> = (0..)
            .zip(commands)
            .map(|(offset, json)| {
                let command: Command = serde_json::from_str(json).unwrap();
                let key = command.portfolio_id.as_ref().map(|id| id.as_str().as_bytes().to_vec());
                let mut value = Vec::new();
                avro_codec::encode_input(&Input::Command(Box::new(command)), &mut value).unwrap();
                StoredRecord { offset, appended: Timestamp::from_micros(offset), key, value: Some(value), headers: Vec::new() }
            })
            .collect();
        for chunk in records.chunks(step) {
            folded.fold(chunk, chunk.last().unwrap().offset + 1).unwrap();
        }
        folded
    }

    #[test]
    fn those_that_no_resume_has_ended_are_told_with_the_command_that_set_them() {
        let firm = r#""scope":"FIRM""#;
        let bolt = r#""scope":"INSTRUMENT","target":"BOLT""#;
        let commands = [
            command("firm-1", "HALT", firm),
            command("bolt-1", "HALT", bolt),
            command("firm-2", "RESUME", firm),
            command("firm-1", "HALT", firm),
            command("bolt-2", "HALT", bolt),
            command("firm-3", "HALT", firm),
            command("own", "HALT", r#""scope":"PORTFOLIO","portfolio_id":"growth","reason":"prices""#),
            command("wrong", "HALT", r#""scope":"INSTRUMENT""#),
        ];
        for step in [1, 2, commands.len()] {
            let folded = folded(&commands, step);
            let told = |halt: &Halt| (halt.scope().to_string(), halt.target().to_owned(), folded.asked[halt].command_id.to_string());
            let found: Vec<_> = folded.lane.role().halts().in_force().map(told).collect();
            let expected = [("FIRM", "", "firm-3"), ("PORTFOLIO", "growth", "own"), ("INSTRUMENT", "BOLT", "bolt-1")];
            assert_eq!(found, expected.map(|(scope, target, id)| (scope.to_owned(), target.to_owned(), id.to_owned())), "{step}");
        }
    }
}
