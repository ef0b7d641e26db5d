//! `ballast rebalance`: asks for a plan, or for a rebalance, and tells what the service answered: what deviates, what is
//! ordered, and why each other instrument is left alone. It plans nothing itself.

pub(super) mod asked;
mod bands;
pub(super) mod report;

use crate::cli::portfolios::{ModeName, RebalanceArgs};
use crate::config::Config;
use crate::tables::Tables;
use asked::Asked;
use domain::enums::{CommandKind, CommandMode};
use std::process::ExitCode;

/// Asks and prints.
///
/// # Errors
/// When the command cannot be sent or the answer not be read.
pub fn run(config: &Config, args: &RebalanceArgs) -> anyhow::Result<ExitCode> {
    let tables = Tables::open(config)?;
    let Some(portfolio) = tables.portfolio_of(&args.id)? else { return Ok(super::portfolio::absent(&args.id)) };
    let mode = match args.mode {
        None => CommandMode::Check,
        Some(ModeName::Automatic) => CommandMode::Automatic,
        Some(ModeName::Manual) => CommandMode::Approval,
    };
    let mut asked = Asked::new(CommandKind::Rebalance, &portfolio, &args.asking)?;
    asked.command.mode = Some(mode);
    asked.run(config, &tables, &args.asking)
}
