//! `ballast performance`: a portfolio over a span of days, from the closed days and the records of performance that the
//! tables hold. Returns of days are those of their records; statistics of the span are the core's over these returns, and the
//! stored sets stand beside them.

mod against;
mod attribution;
mod chosen;
mod report;
mod returns;
mod span;

use crate::cli::portfolios::{GroupingName, PerformanceArgs};
use crate::config::Config;
use crate::outcome::Outcome;
use crate::tables::Tables;
use crate::{print, sheet};
use against::{Against, Book};
use attribution::Attribution;
use postgres_store::Micros;
use postgres_store::queries::DayValue;
use report::{Parts, PerformanceReport};
use returns::{Running, Series};
use span::Terms;
use std::process::ExitCode;

/// The earliest and the latest day that the tables can hold.
const EVER: (&str, &str) = ("1900-01-01", "2899-12-31");

/// Reads and prints.
///
/// # Errors
/// When the database cannot be asked.
pub fn run(config: &Config, args: &PerformanceArgs) -> anyhow::Result<ExitCode> {
    if let (Some(from), Some(to)) = (args.from, args.to)
        && from > to
    {
        print::aside(format_args!("ballast: --from {from} lies after --to {to}"));
        return Ok(ExitCode::from(2));
    }
    if let (Some(_), Some(by @ (GroupingName::Strategy | GroupingName::TimeOfDay))) = (&args.against, args.by) {
        print::aside(format_args!("ballast: --against compares sectors or types: a benchmark has no {} of yours", words(by)));
        return Ok(ExitCode::from(2));
    }
    let tables = Tables::open(config)?;
    let Some(id) = tables.portfolio_of(&args.id)? else { return Ok(super::portfolio::absent(&args.id)) };
    let Some(head) = tables.ask(|store| store.portfolio(&id))?.map(|view| view.head) else {
        return Ok(super::portfolio::absent(&args.id));
    };
    let from = args.from.map_or_else(|| EVER.0.to_owned(), |day| day.to_string());
    let to = args.to.map_or_else(|| EVER.1.to_owned(), |day| day.to_string());
    let days = tables.ask(|store| store.days(&id, &from, &to))?;
    let series = Series::of(&days, &from);
    if series.days.is_empty() {
        print::aside(format_args!(
            "ballast: portfolio {id} has no closed day in this span: days are closed at the cut of its policy (time_zone, day_cut)"
        ));
        return Ok(Outcome::NothingThere.into());
    }
    let (after, until) = moments(&days, &series);
    let running = match args.to {
        Some(_) => None,
        None => tables.ask(|store| store.running_day(&id))?.and_then(|running| Running::of(running, &series)),
    };
    let mut figures = tables.ask(|store| store.performance_as_of(&id, until))?;
    let terms = Terms::of(&head.policy, &head.base_currency);
    figures.insert(0, span::figures(&series, &terms, days.last().and_then(|day| day.cut_at))?);
    if let Err(why) = chosen::choose(&mut figures, &args.metrics) {
        print::aside(format_args!("ballast: {why}"));
        return Ok(ExitCode::from(2));
    }
    let attribution = match args.by {
        Some(by) => Some(Attribution::of(&tables.ask(|store| store.attribution(&id, after, until))?, symbol(by), series.days.len())),
        None => None,
    };
    let against = match &args.against {
        Some(other) => {
            let Some(other) = tables.portfolio_of(other)? else { return Ok(super::portfolio::absent(other)) };
            let grouping = args.by.map_or("SECTOR", symbol);
            let [own, other] = [book(&tables, &id, &from, &to)?, book(&tables, &other, &from, &to)?];
            match Against::of(&own, &other, grouping, &from) {
                Ok(against) => Some(against),
                Err(why) => {
                    print::aside(format_args!("ballast: {why}"));
                    return Ok(Outcome::NothingThere.into());
                }
            }
        }
        None => None,
    };
    sheet::print(&PerformanceReport::of(&id, &figures, Parts { series, running, attribution, against }), args.format)?;
    Ok(ExitCode::SUCCESS)
}

/// What an attribution needs of a portfolio; the sectors are those of now.
fn book(tables: &Tables, id: &str, from: &str, to: &str) -> anyhow::Result<Book> {
    let days = tables.ask(|store| store.closed_days(id, from, to))?;
    // The first of them is what the second is measured from: its own profit is not asked for.
    let before = days.first().and_then(|day| day.cut_at).unwrap_or(Micros(i64::MIN));
    let last = days.iter().filter_map(|day| day.cut_at).max().unwrap_or(Micros(i64::MAX));
    let records = tables.ask(|store| store.attribution(id, before, last))?;
    let sectors = tables.ask(|store| store.sectors(id))?;
    let sectors = sectors.into_iter().filter_map(|row| Some((row.instrument_id, row.sector?))).collect();
    Ok(Book { id: id.to_owned(), days, records, sectors })
}

fn words(by: GroupingName) -> &'static str {
    if by == GroupingName::Strategy { "strategies" } else { "hours" }
}

/// The moments between which the days of a series end.
fn moments(days: &[DayValue], series: &Series) -> (Micros, Micros) {
    let first = series.days.first().map(|day| day.date.as_str()).unwrap_or_default();
    let before = days.iter().rev().find(|day| day.date.as_str() < first).and_then(|day| day.cut_at);
    let last = days.last().and_then(|day| day.cut_at);
    (before.unwrap_or(Micros(i64::MIN)), last.unwrap_or(Micros(i64::MAX)))
}

fn symbol(by: GroupingName) -> &'static str {
    match by {
        GroupingName::Strategy => "STRATEGY",
        GroupingName::Sector => "SECTOR",
        GroupingName::Type => "INSTRUMENT_TYPE",
        GroupingName::TimeOfDay => "TIME_OF_DAY",
    }
}
