//! A command of the command line: made of its arguments, sent, and its answer printed. What it is about, the command's
//! own file says.

use super::bands::Bands;
use super::report::RebalanceReport;
use crate::cli::portfolios::AskingArgs;
use crate::config::Config;
use crate::errand::{self, Answer};
use crate::outcome::Outcome;
use crate::tables::Tables;
use crate::{clock, print, sheet};
use anyhow::Context as _;
use domain::command::{Command, validity};
use domain::enums::{CommandKind, RebalanceStatus};
use domain::{PortfolioId, SmolStr};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

/// A command and how it is asked.
pub(in crate::commands) struct Asked {
    /// The command.
    pub(in crate::commands) command: Command,
}

impl Asked {
    /// A command of a kind on a portfolio.
    pub(in crate::commands) fn new(kind: CommandKind, portfolio: &str, args: &AskingArgs) -> anyhow::Result<Self> {
        Ok(Self { command: command_of(kind, Some(PortfolioId::new(portfolio).context("the portfolio")?), args) })
    }

    /// Sends it, waits for its answer and prints that.
    pub(in crate::commands) fn run(self, config: &Config, tables: &Tables, args: &AskingArgs) -> anyhow::Result<ExitCode> {
        if let Some((code, text)) = validity::problem(&self.command) {
            print::aside(format_args!("ballast: {code}: {text}"));
            return Ok(ExitCode::from(2));
        }
        let wait = (!args.no_wait).then(|| Duration::from_secs(args.wait));
        let (kind, command_id) = (self.command.kind, self.command.command_id.clone());
        let portfolio = self.command.portfolio_id.clone().map(|id| id.to_string()).unwrap_or_default();
        let answer = errand::run(config, tables, self.command, wait)?;
        let report = match answer {
            Answer::Event(event) => {
                let report = RebalanceReport::of_event(kind, &command_id, &event);
                let id = event.rebalance_id.to_string();
                let stored = if report.lacks_its_proposal() { tables.ask(|store| store.rebalance(&id))? } else { None };
                report.with_proposal(stored.as_ref())
            }
            Answer::Before(before) => {
                let stored = tables.ask(|store| store.rebalance(&before.rebalance_id))?;
                RebalanceReport::of_before(kind, &command_id, &portfolio, &before, stored.as_ref())
            }
            Answer::Letter { code, text } => {
                print::aside(format_args!("ballast: command {command_id} was refused: {code}: {text}"));
                return Ok(Outcome::Refused.into());
            }
            Answer::Unasked => {
                print::last(format_args!("command {command_id} was sent; the same line with --command-id {command_id} tells its answer"))?;
                return Ok(ExitCode::SUCCESS);
            }
            Answer::Silence => {
                print::aside(format_args!(
                    "ballast: command {command_id} had no answer within {} s: does the service run, and is it not behind? It acts once: ask \
                     again with --command-id {command_id}",
                    args.wait
                ));
                return Ok(Outcome::TimedOut.into());
            }
        };
        let (symbols, bands) = names(tables, &portfolio)?;
        let report = report.named(symbols, bands);
        sheet::print(&report, args.format)?;
        Ok(outcome(kind, report.status()).into())
    }
}

/// A command that asks for nothing more than its kind says.
pub(in crate::commands) fn command_of(kind: CommandKind, portfolio_id: Option<PortfolioId>, args: &AskingArgs) -> Command {
    let command_id = args.command_id.as_ref().map_or_else(|| SmolStr::new(errand::fresh_id().to_string()), SmolStr::new);
    Command::new(kind, command_id, portfolio_id, SmolStr::new(&args.actor), clock::now())
}

/// The symbols of a portfolio's lines, by instrument, and what its policy says of bands.
fn names(tables: &Tables, portfolio: &str) -> anyhow::Result<(BTreeMap<String, String>, Bands)> {
    let Some(view) = tables.ask(|store| store.portfolio(portfolio))? else { return Ok((BTreeMap::new(), Bands::default())) };
    let symbols = view.allocations.into_iter().filter_map(|line| Some((line.instrument_id, line.symbol?))).collect();
    Ok((symbols, Bands::of(&view.head.policy)))
}

/// What a status means for who asked. To reject or cancel is to end a proposal as REJECTED.
fn outcome(kind: CommandKind, status: RebalanceStatus) -> Outcome {
    match (kind, status) {
        (CommandKind::Reject | CommandKind::Cancel, RebalanceStatus::Rejected) => Outcome::Done,
        (_, RebalanceStatus::Refused | RebalanceStatus::Failed | RebalanceStatus::Expired | RebalanceStatus::Rejected) => Outcome::Refused,
        _ => Outcome::Done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proposal_that_was_rejected_is_what_a_reject_asks_for() {
        assert_eq!(outcome(CommandKind::Reject, RebalanceStatus::Rejected), Outcome::Done);
        assert_eq!(outcome(CommandKind::Approve, RebalanceStatus::Rejected), Outcome::Refused);
        assert_eq!(outcome(CommandKind::Rebalance, RebalanceStatus::Refused).status(), 3);
        for done in
            [RebalanceStatus::Released, RebalanceStatus::PendingApproval, RebalanceStatus::NoActionNeeded, RebalanceStatus::Proposed]
        {
            assert_eq!(outcome(CommandKind::Rebalance, done), Outcome::Done);
        }
    }
}
