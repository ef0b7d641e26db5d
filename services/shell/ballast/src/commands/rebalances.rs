//! `ballast rebalances`: the rebalances of a portfolio from the tables, how each came off and what its execution cost,
//! and all of them together. Figures are those of their last events; nothing is computed anew.

mod report;

use crate::cli::portfolios::RebalancesArgs;
use crate::config::Config;
use crate::outcome::Outcome;
use crate::tables::Tables;
use crate::{print, sheet};
use std::process::ExitCode;

/// Reads and prints.
///
/// # Errors
/// When the database cannot be asked.
pub fn run(config: &Config, args: &RebalancesArgs) -> anyhow::Result<ExitCode> {
    let tables = Tables::open(config)?;
    let Some(id) = tables.portfolio_of(&args.id)? else { return Ok(super::portfolio::absent(&args.id)) };
    let newest = tables.ask(|store| store.rebalances(&id, i64::from(args.limit)))?;
    if newest.is_empty() {
        print::aside(format_args!("ballast: portfolio {id} has no rebalance in the tables: checks and plans without orders are none"));
        return Ok(Outcome::NothingThere.into());
    }
    let quality = tables.ask(|store| store.rebalance_quality(&id))?;
    sheet::print(&report::RebalancesReport::of(&id, &newest, quality.as_ref()), args.format)?;
    Ok(ExitCode::SUCCESS)
}
