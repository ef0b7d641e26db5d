//! `ballast portfolio`: a portfolio whole, from the tables: now, or as of a moment as it was known at another.

mod book;
mod past;
pub(super) mod report;

use crate::cli::portfolios::PortfolioArgs;
use crate::config::Config;
use crate::outcome::Outcome;
use crate::tables::Tables;
use crate::{clock, print, sheet};
use postgres_store::Micros;
use postgres_store::projections::Monthly;
use std::process::ExitCode;

/// Reads and prints.
///
/// # Errors
/// When the database cannot be asked.
pub fn run(config: &Config, args: &PortfolioArgs) -> anyhow::Result<ExitCode> {
    let tables = Tables::open(config)?;
    let Some(id) = tables.portfolio_of(&args.id)? else { return Ok(absent(&args.id)) };
    let asked = (args.as_of.is_some() || args.known_at.is_some()).then(|| {
        let now = clock::now();
        if let Some(ahead) = args.as_of.into_iter().chain(args.known_at).find(|moment| *moment > now) {
            print::aside(format_args!("ballast: {ahead} is still to come; what is shown is what is stored now, at {now}"));
        }
        (args.as_of.unwrap_or(now), args.known_at.unwrap_or(now))
    });
    let moments = asked.map(|(moment, known_at)| (Micros(moment.micros()), Micros(known_at.micros())));
    let view = match moments {
        None => tables.ask(|store| store.portfolio(&id))?,
        Some((moment, known_at)) => tables.ask(|store| store.portfolio_as_of(&id, moment, known_at))?,
    };
    let Some(view) = view else { return Ok(absent(&args.id)) };
    if let (Some((moment, _)), Some(past)) = (asked, &view.past)
        && let Some(kept_from) = config.postgres.kept_from(Monthly::Ledger, Micros(clock::now().micros()))
        && let Some(kept) = past::kept_too_late(past, view.head.created_at, kept_from)
    {
        print::aside(format_args!(
            "ballast: what {id:?} held at {moment} cannot be told: bookings before {kept} are not kept (postgres.keep_ledger_days), and no \
             day that was closed after them stands before that moment; ask for a later one"
        ));
        return Ok(Outcome::NothingThere.into());
    }
    sheet::print(&report::PortfolioReport::of(&view, asked), args.format)?;
    Ok(ExitCode::SUCCESS)
}

/// Says that there is no such portfolio.
pub(super) fn absent(id: &str) -> ExitCode {
    print::aside(format_args!(
        "ballast: there is no portfolio {id:?} in the tables, nor one of that session: publish its policy, or wait for the projector to read it"
    ));
    Outcome::NothingThere.into()
}
