//! `ballast approve`, `reject` and `cancel`: a decision about a rebalance that is open. What is decided about is read
//! from the tables and shown; whether it still stands so is the service's to say.

use super::rebalance::asked::Asked;
use super::rebalance::report::RebalanceReport;
use crate::cli::portfolios::DecideArgs;
use crate::config::Config;
use crate::outcome::Outcome;
use crate::print;
use crate::sheet::{Format, text};
use crate::tables::Tables;
use domain::SmolStr;
use domain::enums::CommandKind;
use postgres_store::queries::RebalanceView;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How long what is decided about may be on its way into the tables.
const PROJECTED_WITHIN: Duration = Duration::from_secs(3);
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Finds, shows, asks and prints.
///
/// # Errors
/// When the command cannot be sent or the answer not be read.
pub fn run(config: &Config, kind: CommandKind, args: &DecideArgs) -> anyhow::Result<ExitCode> {
    let tables = Tables::open(config)?;
    let answered = answered(&tables, args)?;
    let again = answered.is_some();
    let found = match answered.map_or_else(|| awaited(&tables, &args.id), |found| Ok(Ok(found)))? {
        Ok(found) => found,
        Err(words) => {
            print::aside(format_args!("ballast: {words}"));
            return Ok(Outcome::NothingThere.into());
        }
    };
    if let Err(words) = decidable(kind, &found)
        && !again
    {
        print::aside(format_args!("ballast: {words}"));
        return Ok(Outcome::NothingThere.into());
    }
    if args.asking.format == Format::Table && !again {
        print::line(text(&RebalanceReport::of_stored(&found), Format::Table))?;
    }
    let mut asked = Asked::new(kind, &found.portfolio_id, &args.asking)?;
    asked.command.rebalance_id = Some(found.rebalance_id.parse()?);
    asked.command.proposal_hash = args.proposal_hash.as_ref().or(found.proposal_hash.as_ref()).map(SmolStr::new);
    asked.command.reason = args.reason.as_ref().map(SmolStr::new);
    asked.run(config, &tables, &args.asking)
}

/// The rebalance that a command of the same id was answered with.
fn answered(tables: &Tables, args: &DecideArgs) -> anyhow::Result<Option<RebalanceView>> {
    let Some(command) = &args.asking.command_id else { return Ok(None) };
    let named = tables.ask(|store| store.rebalance(&args.id))?.map(|row| row.portfolio_id);
    let Some(portfolio) = named.map_or_else(|| tables.portfolio_of(&args.id), |id| Ok(Some(id)))? else { return Ok(None) };
    let Some(answer) = tables.ask(|store| store.answer(&portfolio, command))? else { return Ok(None) };
    Ok(tables.ask(|store| store.rebalance(&answer.rebalance_id))?)
}

/// The same, for a moment: what was proposed just now may be on its way into the tables.
fn awaited(tables: &Tables, id: &str) -> anyhow::Result<Result<RebalanceView, String>> {
    let until = Instant::now() + PROJECTED_WITHIN;
    loop {
        let found = find(tables, id)?;
        if found.is_ok() || Instant::now() >= until {
            return Ok(found.map_err(|words| format!("{words} (or the projector has not read it yet)")));
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

/// The rebalance of an id: its own, or the one that is open of a portfolio; else why there is none.
fn find(tables: &Tables, id: &str) -> anyhow::Result<Result<RebalanceView, String>> {
    if let Some(found) = tables.ask(|store| store.rebalance(id))? {
        return Ok(Ok(found));
    }
    let Some(portfolio) = tables.portfolio_of(id)? else {
        return Ok(Err(format!("there is no rebalance and no portfolio {id:?} in the tables")));
    };
    let mut open = tables.ask(|store| store.open_rebalances(&portfolio))?;
    Ok(match open.len() {
        0 => Err(format!("no rebalance of portfolio {portfolio} is open: nothing is to be decided")),
        1 => Ok(open.remove(0)),
        _ => {
            let ids: Vec<_> = open.iter().map(|row| format!("{} ({})", row.rebalance_id, row.status)).collect();
            Err(format!("portfolio {portfolio} has several open rebalances, name one: {}", ids.join(", ")))
        }
    })
}

/// Whether anything is to be decided about it.
fn decidable(kind: CommandKind, found: &RebalanceView) -> Result<(), String> {
    let open = match kind {
        CommandKind::Cancel => &["PENDING_APPROVAL", "APPROVED", "RELEASED", "STUCK"][..],
        _ => &["PENDING_APPROVAL"],
    };
    if open.contains(&found.status.as_str()) {
        return Ok(());
    }
    Err(format!("rebalance {} is {}: nothing is to be decided", found.rebalance_id, found.status))
}
