//! `ballast halt` and `ballast resume`: the emergency stop. A halt goes to every lane that can be reached: one that stands
//! still is no reason to let the others trade. A resume goes to every lane that it concerns, or to none. The progress of the
//! rebalancer says which have read it. It needs no database: a stop must work without one. Where there is one, it is asked
//! afterwards whether there is such a portfolio.

use super::rebalance::asked::command_of;
use crate::cli::halts::HaltArgs;
use crate::config::Config;
use crate::errand::{self, Hearing};
use crate::outcome::Outcome;
use crate::print;
use crate::sheet::{self, Report, Sheet};
use crate::tables::Tables;
use crate::topic_layout::partitions;
use anyhow::Context as _;
use domain::command::{Command, validity};
use domain::enums::{CommandKind, HaltScope};
use domain::{PortfolioId, SmolStr, Topic};
use engine::partition::lane_of;
use kafka_log::{DeliveryFailure, FlushError, KafkaSettings, Message, Partition, Producer, publish_together};
use serde::Serialize;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Milliseconds that the brokers may take to take a halt.
const DELIVERY_MS: u32 = 10_000;
/// Milliseconds that the database may take to answer behind a stop, which needs none.
const TABLES_MS: u64 = 2_000;
/// How much longer the client may take to say that they have not.
const SPARE: Duration = Duration::from_secs(10);

/// Sends, waits and prints.
///
/// # Errors
/// When the command cannot be sent, or the topics not be read.
pub fn run(config: &Config, kind: CommandKind, args: &HaltArgs) -> anyhow::Result<ExitCode> {
    let command = match command(kind, args) {
        Ok(command) => command,
        Err(error) => {
            print::aside(format_args!("ballast: {error:#}"));
            return Ok(ExitCode::from(2));
        }
    };
    if let Some((code, text)) = validity::problem(&command) {
        print::aside(format_args!("ballast: {code}: {text}"));
        return Ok(ExitCode::from(2));
    }
    let all = partitions(Topic::Commands, config);
    let lanes: Vec<i32> = match &command.portfolio_id {
        Some(portfolio) => vec![lane_of(portfolio.as_str().as_bytes(), all)],
        None => (0..all).collect(),
    };
    errand::check_lanes(config)?;
    let (messages, schemas) = (errand::messages(&command, &lanes)?, config.schemas.load()?);
    if let Some(message) = messages.first() {
        // What the service could not read would hold nowhere, and nobody would say so.
        avro_codec::decode(&schemas, Topic::Commands, message.key.as_deref(), message.value.as_deref())
            .context("the command, as the service would read it")?;
    }
    let hearing = (!args.asking.no_wait).then(|| Hearing::open(config, schemas, &command, &lanes));
    let unreached = send(config, &command, messages).with_context(|| errand::unsent(config, &command))?;
    for (lane, reason) in &unreached {
        print::aside(format_args!("ballast: lane {lane} was not reached ({reason}): {}", errand::unsent(config, &command)));
    }
    let Some(hearing) = hearing else {
        print::last(format_args!("command {} was sent; whether it was read, nobody has waited for", command.command_id))?;
        return Ok(if unreached.is_empty() { Outcome::Done } else { Outcome::TimedOut }.into());
    };
    let wait = Duration::from_secs(args.asking.wait);
    let hearing = match hearing.and_then(|mut hearing| hearing.wait(wait, &unreached).map(|()| hearing)) {
        Ok(hearing) => hearing,
        Err(error) => {
            print::aside(format_args!("ballast: command {} was sent; who has read it cannot be told: {error:#}", command.command_id));
            return Ok(Outcome::TimedOut.into());
        }
    };
    let report = HaltReport::of(&command, &lanes, &hearing, &unreached);
    sheet::print(&report, args.asking.format)?;
    let outcome = report.outcome(args.asking.wait);
    let nobody = outcome == Outcome::Done && command.portfolio_id.as_ref().is_some_and(|portfolio| is_nobody(config, portfolio.as_str()));
    Ok(if nobody { Outcome::NothingThere } else { outcome }.into())
}

/// Whether the tables, where they can be asked soon, know no portfolio of that id, with words about it: a halt of a misspelt
/// one stops nothing.
fn is_nobody(config: &Config, portfolio: &str) -> bool {
    let mut config = config.clone();
    config.postgres.acquire_timeout_ms = config.postgres.acquire_timeout_ms.min(TABLES_MS);
    let Ok(found) = Tables::open(&config).and_then(|tables| Ok(tables.portfolio_of(portfolio)?)) else { return false };
    let advice = match found {
        Some(known) if known == portfolio => return false,
        Some(known) => format!("that is the session of portfolio {known}: send it for that one"),
        None => "look at the spelling; it holds should one of that id come".to_owned(),
    };
    print::aside(format_args!("ballast: the tables know no portfolio {portfolio:?}, for which this was sent: {advice}"));
    true
}

/// Sends it; tells which lanes were not reached, and why, where others were.
fn send(config: &Config, command: &Command, messages: Vec<Message>) -> anyhow::Result<BTreeMap<i32, String>> {
    if command.kind != CommandKind::Halt {
        publish_together(&config.kafka, &command.command_id, messages)?;
        return Ok(BTreeMap::new());
    }
    let all = messages.len();
    let settings = KafkaSettings { transaction_timeout_ms: DELIVERY_MS, ..config.kafka.clone() };
    let producer = Producer::open(&settings, "command-line")?;
    let mut unreached = BTreeMap::new();
    for message in messages {
        let partition = message.partition;
        if let Err(error) = producer.send(message) {
            unreached.extend(lane_of_partition(&partition).map(|lane| (lane, error.to_string())));
        }
    }
    // Each message is given up on its own before this is over; what then has no answer is told with all the others.
    let end = Instant::now() + Duration::from_millis(u64::from(DELIVERY_MS)) + SPARE;
    loop {
        match producer.flush(end.saturating_duration_since(Instant::now())) {
            Ok(()) => break,
            Err(FlushError::Undelivered { failures }) => unreached.extend(failures.iter().filter_map(lane_and_reason)),
            Err(error @ FlushError::TimedOut { .. }) => return Err(error.into()),
        }
    }
    match unreached.values().next() {
        Some(reason) if unreached.len() == all => anyhow::bail!("no lane was reached: {reason}"),
        _ => Ok(unreached),
    }
}

fn lane_of_partition(partition: &Partition) -> Option<i32> {
    match partition {
        Partition::Exactly(lane) => Some(*lane),
        Partition::ByKey => None,
    }
}

fn lane_and_reason(failure: &DeliveryFailure) -> Option<(i32, String)> {
    lane_of_partition(&failure.message.partition).map(|lane| (lane, failure.reason.clone()))
}

fn command(kind: CommandKind, args: &HaltArgs) -> anyhow::Result<Command> {
    let (scope, target) = match (&args.instrument, &args.strategy) {
        (Some(instrument), _) => (HaltScope::Instrument, Some(instrument)),
        (None, Some(strategy)) => (HaltScope::Strategy, Some(strategy)),
        (None, None) if args.firm => (HaltScope::Firm, None),
        (None, None) => (HaltScope::Portfolio, None),
    };
    let portfolio = args.portfolio.as_deref().map(PortfolioId::new).transpose().context("the portfolio")?;
    let reason = args.reason.as_ref().map(SmolStr::new);
    Ok(Command { scope: Some(scope), target: target.map(SmolStr::new), reason, ..command_of(kind, portfolio, &args.asking) })
}

/// A lane that has read it.
#[derive(Debug, Serialize)]
struct ReadBy {
    lane: i32,
    step: i64,
}

/// A lane that has refused it.
#[derive(Debug, Serialize)]
struct RefusedBy {
    lane: i32,
    code: String,
    text: String,
}

/// A lane to which it could not be sent.
#[derive(Debug, Serialize)]
struct NotReached {
    lane: i32,
    reason: String,
}

/// What is told.
#[derive(Debug, Serialize)]
struct HaltReport {
    command_id: String,
    kind: String,
    scope: String,
    target: Option<String>,
    portfolio_id: Option<String>,
    read_by: Vec<ReadBy>,
    refused_by: Vec<RefusedBy>,
    not_read_by: Vec<i32>,
    /// Whether these have read it cannot be told: a partition of theirs has no leader.
    not_heard: Vec<i32>,
    not_reached: Vec<NotReached>,
}

impl HaltReport {
    fn of(command: &Command, lanes: &[i32], hearing: &Hearing, unreached: &BTreeMap<i32, String>) -> Self {
        let mut report = Self {
            command_id: command.command_id.to_string(),
            kind: command.kind.symbol().to_owned(),
            scope: command.scope.map(|scope| scope.symbol().to_owned()).unwrap_or_default(),
            target: command.target.as_ref().map(ToString::to_string),
            portfolio_id: command.portfolio_id.as_ref().map(ToString::to_string),
            read_by: Vec::new(),
            refused_by: Vec::new(),
            not_read_by: Vec::new(),
            not_heard: Vec::new(),
            not_reached: Vec::new(),
        };
        for lane in lanes.iter().copied() {
            if let Some((code, text)) = hearing.refused(lane) {
                report.refused_by.push(RefusedBy { lane, code: (*code).to_owned(), text: text.clone() });
            } else if let Some(step) = hearing.step(lane) {
                report.read_by.push(ReadBy { lane, step });
            } else if let Some(reason) = unreached.get(&lane) {
                report.not_reached.push(NotReached { lane, reason: reason.clone() });
            } else if hearing.is_deaf(lane) {
                report.not_heard.push(lane);
            } else {
                report.not_read_by.push(lane);
            }
        }
        report
    }

    /// How it ends, with words beside the report.
    fn outcome(&self, waited: u64) -> Outcome {
        if !self.not_read_by.is_empty() {
            print::aside(format_args!(
                "ballast: {} lanes have not read it within {waited} s: it holds there as soon as they do; does the rebalancer run, and is it not behind?",
                self.not_read_by.len()
            ));
        }
        if !self.not_heard.is_empty() {
            print::aside(format_args!(
                "ballast: of {} lanes nobody can say whether they have read it, since the brokers do not say where their topics end: \
                 it was sent to them, and holds there as soon as they read it",
                self.not_heard.len()
            ));
        }
        if let Some(refused) = self.refused_by.first() {
            let (id, lanes) = (&self.command_id, self.refused_by.len());
            print::aside(format_args!("ballast: command {id} was refused by {lanes} lanes: {}: {}", refused.code, refused.text));
            return Outcome::Refused;
        }
        let all = [self.not_read_by.len(), self.not_heard.len(), self.not_reached.len()].iter().all(|lanes| *lanes == 0);
        if all { Outcome::Done } else { Outcome::TimedOut }
    }
}

impl Report for HaltReport {
    fn sheets(&self) -> Vec<Sheet> {
        let of = self.target.iter().chain(&self.portfolio_id).map(|name| format!(" {name}")).collect::<String>();
        let head = format!("{} {}{of}, command {}", self.kind, self.scope, self.command_id);
        vec![self.lanes().under(head)]
    }
    fn exact(&self) -> Vec<Sheet> {
        vec![self.lanes()]
    }
}

impl HaltReport {
    fn lanes(&self) -> Sheet {
        let row = |lane: i32, read: &str, step: String| vec![lane.to_string(), read.to_owned(), step];
        let read = self.read_by.iter().map(|read| row(read.lane, "yes", read.step.to_string()));
        let refused = self.refused_by.iter().map(|refused| row(refused.lane, "refused", String::new()));
        let unread = self.not_read_by.iter().map(|lane| row(*lane, "not yet", String::new()));
        let unheard = self.not_heard.iter().map(|lane| row(*lane, "unknown", String::new()));
        let unreached = self.not_reached.iter().map(|lane| row(lane.lane, "not reached", String::new()));
        Sheet::new("lanes", &["lane", "read", "step"]).with(read.chain(refused).chain(unread).chain(unheard).chain(unreached))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command as Asked};
    use clap::Parser as _;

    fn asked(arguments: &[&str]) -> Result<Command, String> {
        let cli = Cli::try_parse_from([&["ballast", "halt", "--actor", "ann"], arguments].concat()).map_err(|error| error.to_string())?;
        let Asked::Halt(args) = cli.command else { panic!("a halt was asked for") };
        command(CommandKind::Halt, &args).map_err(|error| error.to_string())
    }

    #[test]
    fn each_scope_is_what_its_arguments_say() {
        for (arguments, scope, target, portfolio) in [
            (&["--firm"][..], HaltScope::Firm, None, None),
            (&["--portfolio", "growth"], HaltScope::Portfolio, None, Some("growth")),
            (&["--instrument", "ACME"], HaltScope::Instrument, Some("ACME"), None),
            (&["--strategy", "momentum", "--portfolio", "growth"], HaltScope::Strategy, Some("momentum"), Some("growth")),
        ] {
            let command = asked(arguments).unwrap();
            assert_eq!((command.scope, command.target.as_deref()), (Some(scope), target), "{arguments:?}");
            assert_eq!(command.portfolio_id.as_ref().map(PortfolioId::as_str), portfolio, "{arguments:?}");
            assert_eq!(validity::problem(&command), None, "{arguments:?}");
        }
    }

    #[test]
    fn no_scope_and_two_are_refused() {
        for arguments in [&[][..], &["--firm", "--portfolio", "growth"], &["--instrument", "A", "--strategy", "B"], &["--portfolio", ""]] {
            assert!(asked(arguments).is_err(), "{arguments:?}");
        }
    }
}
