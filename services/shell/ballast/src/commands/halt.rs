//! `ballast halt` and `ballast resume`: the emergency stop. A halt goes to every lane that can be reached: one that stands
//! still is no reason to let the others trade. A resume goes to every lane that it concerns, or to none. The progress of the
//! rebalancer says which have read it. It asks no database: a stop must work without one.

mod hearing;

use super::rebalance::asked::command_of;
use crate::cli::halts::HaltArgs;
use crate::config::Config;
use crate::errand;
use crate::outcome::Outcome;
use crate::print;
use crate::sheet::{self, Report, Sheet};
use crate::topic_layout::partitions;
use anyhow::Context as _;
use domain::command::{Command, validity};
use domain::enums::{CommandKind, HaltScope};
use domain::{PortfolioId, SmolStr, Topic};
use engine::partition::lane_of;
use hearing::{Heard, Hearing};
use kafka_log::{DeliveryFailure, FlushError, Message, Partition, Producer, publish_together};
use serde::Serialize;
use std::process::ExitCode;
use std::time::Duration;

/// How long the brokers may take to take a halt.
const DELIVERY: Duration = Duration::from_secs(30);

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
    if let Some(unreached) = &unreached {
        print::aside(format_args!("ballast: {unreached}; the others have it: {}", errand::unsent(config, &command)));
    }
    let Some(hearing) = hearing else {
        print::last(format_args!("command {} was sent; whether it was read, nobody has waited for", command.command_id))?;
        return Ok(if unreached.is_some() { Outcome::TimedOut } else { Outcome::Done }.into());
    };
    let wait = Duration::from_secs(args.asking.wait);
    let (hearing, heard) = match hearing.and_then(|mut hearing| hearing.wait(wait).map(|heard| (hearing, heard))) {
        Ok(heard) => heard,
        Err(error) => {
            print::aside(format_args!("ballast: command {} was sent; who has read it cannot be told: {error:#}", command.command_id));
            return Ok(Outcome::TimedOut.into());
        }
    };
    if let Heard::Refused { code, text } = heard {
        print::aside(format_args!("ballast: command {} was refused: {code}: {text}", command.command_id));
        return Ok(Outcome::Refused.into());
    }
    let report = HaltReport::of(&command, &lanes, &hearing);
    sheet::print(&report, args.asking.format)?;
    if report.not_read_by.is_empty() && unreached.is_none() {
        return Ok(Outcome::Done.into());
    }
    print::aside(format_args!(
        "ballast: {} lanes have not read it within {} s: it holds there as soon as they do; does the rebalancer run, and is it not behind?",
        report.not_read_by.len(),
        args.asking.wait
    ));
    Ok(Outcome::TimedOut.into())
}

/// Sends it; tells which lanes were not reached where others were.
fn send(config: &Config, command: &Command, messages: Vec<Message>) -> anyhow::Result<Option<String>> {
    if command.kind != CommandKind::Halt {
        publish_together(&config.kafka, &command.command_id, messages)?;
        return Ok(None);
    }
    let all = messages.len();
    let producer = Producer::open(&config.kafka, "command-line")?;
    messages.into_iter().try_for_each(|message| producer.send(message))?;
    match producer.flush(DELIVERY) {
        Ok(()) => Ok(None),
        Err(FlushError::Undelivered { failures }) if failures.len() < all => Ok(Some(unreached(&failures))),
        Err(FlushError::TimedOut { waiting, .. }) if waiting < all => {
            Ok(Some(format!("{waiting} lanes have not answered in {DELIVERY:?}")))
        }
        Err(error) => Err(error.into()),
    }
}

fn unreached(failures: &[DeliveryFailure]) -> String {
    let lane = |failure: &DeliveryFailure| match failure.message.partition {
        Partition::Exactly(lane) => format!("lane {lane} was not reached ({})", failure.reason),
        Partition::ByKey => format!("one lane was not reached ({})", failure.reason),
    };
    failures.iter().map(lane).collect::<Vec<_>>().join(", ")
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

/// What is told.
#[derive(Debug, Serialize)]
struct HaltReport {
    command_id: String,
    kind: String,
    scope: String,
    target: Option<String>,
    portfolio_id: Option<String>,
    read_by: Vec<ReadBy>,
    not_read_by: Vec<i32>,
}

impl HaltReport {
    fn of(command: &Command, lanes: &[i32], hearing: &Hearing) -> Self {
        let step = |lane: &i32| hearing.step(*lane).map(|step| ReadBy { lane: *lane, step });
        Self {
            command_id: command.command_id.to_string(),
            kind: command.kind.symbol().to_owned(),
            scope: command.scope.map(|scope| scope.symbol().to_owned()).unwrap_or_default(),
            target: command.target.as_ref().map(ToString::to_string),
            portfolio_id: command.portfolio_id.as_ref().map(ToString::to_string),
            read_by: lanes.iter().filter_map(step).collect(),
            not_read_by: lanes.iter().copied().filter(|lane| hearing.step(*lane).is_none()).collect(),
        }
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
        let read = self.read_by.iter().map(|read| vec![read.lane.to_string(), "yes".to_owned(), read.step.to_string()]);
        let unread = self.not_read_by.iter().map(|lane| vec![lane.to_string(), "not yet".to_owned(), String::new()]);
        Sheet::new("lanes", &["lane", "read", "step"]).with(read.chain(unread))
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
