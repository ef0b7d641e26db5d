//! `ballast metrics`: the catalogue of performance and risk figures over a file, without a server. It reads, asks
//! the core, and prints; no figure is computed here.

mod account;
mod assets;
mod brinson;
mod columns;
mod day;
mod holdings;
pub(in crate::commands) mod list;
pub(crate) mod number;
mod performance;
mod plausible;
mod report;
mod series;
mod table;
mod trades;

use crate::cli::metrics::{Kind, MetricsArgs, Print};
use crate::print;
use clap::ValueEnum as _;
use columns::{Columns, Role};
use report::Report;
use std::path::Path;
use std::process::ExitCode;
use table::Table;

/// Input or arguments are of no use: what, where, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UnusableInput(pub String);

/// Reads, computes, prints.
pub fn run(args: &MetricsArgs) -> anyhow::Result<ExitCode> {
    if args.list {
        let grid = Report { kind: "catalogue", grids: vec![list::grid()], ..Report::default() };
        print::last(if args.output == Print::Json { grid.json() } else { grid.table() }.trim_end())?;
        return Ok(ExitCode::SUCCESS);
    }
    let (kind, file) = asked(args)?;
    let table = table::read(Path::new(file), args.format)?;
    let report = computed(&table, kind, args)?;
    print::last(if args.output == Print::Json { report.json() } else { report.table() }.trim_end())?;
    Ok(ExitCode::SUCCESS)
}

/// The kind, where it was named, and the file.
fn asked(args: &MetricsArgs) -> Result<(Option<Kind>, &str), UnusableInput> {
    let named = |text: &str| Kind::from_str(text, true).ok();
    match args.input.as_slice() {
        [file] if named(file).is_some() && !Path::new(file).exists() => {
            Err(UnusableInput(format!("{file} is a kind of input: name the file after it, or - for standard input")))
        }
        [file] => Ok((args.kind, file)),
        [kind, file] => match named(kind) {
            Some(kind) => Ok((Some(kind), file)),
            None => {
                let kinds: Vec<String> =
                    Kind::value_variants().iter().filter_map(|one| one.to_possible_value()).map(|one| one.get_name().to_owned()).collect();
                Err(UnusableInput(format!("{kind:?} is no kind of input: they are {}", kinds.join(", "))))
            }
        },
        _ => Err(UnusableInput("name a file, or - for standard input".to_owned())),
    }
}

fn computed(table: &Table, kind: Option<Kind>, args: &MetricsArgs) -> Result<Report, UnusableInput> {
    let mut columns = Columns::of(table, args, |role| series::is_of_the_main_file(role, args))?;
    let kind = kind.map_or_else(|| detected(&columns), Ok)?;
    if !table.headed {
        columns = columns.by_place(places(kind, table), args.dates);
    }
    let args = &asked_by_method(args, kind);
    let mut report = match kind {
        Kind::Returns => {
            let series = series::of_returns(&columns, args)?;
            let mut report = Report::new("returns");
            performance::add(&mut report, &series, args)?;
            report
        }
        Kind::Values => account::values(&columns, args)?,
        Kind::Flows => account::flows(&columns, args)?,
        Kind::Trades => trades::trades(&columns, args)?,
        Kind::Brinson => brinson::attribution(&columns, args)?,
        Kind::Assets => assets::assets(&columns, args)?,
        Kind::Holdings => holdings::holdings(&columns, args)?,
    };
    report.notes.extend(columns.notes());
    report.notes.extend(unread(args, kind));
    report.select(&args.metrics)?;
    Ok(report)
}

/// The arguments, with names of value at risk that say no method in that of `--method`. Of assets there is one such figure,
/// by whatever method.
fn asked_by_method(args: &MetricsArgs, kind: Kind) -> MetricsArgs {
    let mut args = args.clone();
    if let Some(method) = args.method.filter(|_| kind != Kind::Assets) {
        let method = performance::method(method).name();
        args.metrics.iter_mut().for_each(|id| *id = list::by_method(id, method));
    }
    args
}

/// Flags that were given and that no report of this kind reads.
fn unread(args: &MetricsArgs, kind: Kind) -> Option<String> {
    let (assets, holdings) = (kind == Kind::Assets, kind == Kind::Holdings);
    let of_returns = matches!(kind, Kind::Returns | Kind::Values);
    let flags = [
        ("--weights", args.weights.is_some(), assets),
        ("--lambda", args.lambda.is_some(), assets),
        ("--prices", args.prices, assets),
        ("--equity", args.equity.is_some(), holdings),
        ("--benchmark", args.benchmark.is_some(), of_returns),
        ("--risk-free-file", args.risk_free_file.is_some(), of_returns),
        ("--risk-free-period", args.risk_free_period.is_some(), of_returns),
        ("--mar-annual", args.mar_annual.is_some(), of_returns),
        ("--target-risk", args.target_risk.is_some(), of_returns),
        ("--window", args.window.is_some(), of_returns),
        ("--by", args.by.is_some(), of_returns),
        ("--var-window", args.var_window.is_some(), of_returns),
        ("--book-value", args.book_value.is_some(), of_returns || assets),
        ("--method", args.method.is_some(), of_returns || assets),
    ];
    let unread: Vec<&str> = flags.iter().filter(|(_, given, read)| *given && !read).map(|(flag, ..)| *flag).collect();
    (!unread.is_empty()).then(|| format!("flags that say nothing to input of this kind: {}", unread.join(", ")))
}

/// What the header tells.
fn detected(columns: &Columns<'_>) -> Result<Kind, UnusableInput> {
    let table = columns.table();
    let dated = columns.any(&[Role::Date, Role::Period]).is_some();
    let of_book = columns.any(&[Role::Instrument, Role::Sector]).is_some();
    let worth = columns.any(&[Role::Value, Role::Price, Role::Weight, Role::PortfolioWeight]).is_some();
    let counted =
        columns.has(Role::Quantity) && columns.has(Role::Price) && columns.any(&[Role::Flow, Role::Inflow, Role::Outflow]).is_none();
    let kind = if !table.headed {
        None
    } else if columns.has(Role::BenchmarkWeight) && columns.any(&[Role::PortfolioWeight, Role::Weight]).is_some() {
        Some(Kind::Brinson)
    } else if columns.has(Role::Pnl) {
        Some(Kind::Trades)
    } else if of_book && (counted || !dated && worth) {
        Some(Kind::Holdings)
    } else if columns.any(&[Role::Return, Role::PortfolioReturn]).is_some() {
        Some(Kind::Returns)
    } else if columns.any(&[Role::Value, Role::Price]).is_some() {
        Some(Kind::Values)
    } else if columns.any(&[Role::Flow, Role::Inflow, Role::Outflow]).is_some() {
        Some(Kind::Flows)
    } else if columns.unknown().len() >= 2 {
        Some(Kind::Assets)
    } else {
        None
    };
    kind.ok_or_else(|| {
        let headers = if table.headed { format!("the headers are {}", table.headers.join(", ")) } else { "it has no header".to_owned() };
        table.unusable(format!("{headers}, which does not tell what it holds: name the kind, such as ballast metrics returns FILE"))
    })
}

/// Columns by their place, for a file without a header.
fn places(kind: Kind, table: &Table) -> &'static [Role] {
    let first = table.rows.first().and_then(|row| row.cells.first()).map_or("", String::as_str);
    let decimals = [number::Decimal::Point, number::Decimal::Comma];
    let is_number = decimals.into_iter().any(|decimal| number::number_in(first, decimal).is_ok()) && first.trim().len() != 8;
    match kind {
        Kind::Returns if is_number => &[Role::Return, Role::Benchmark, Role::RiskFree],
        Kind::Returns => &[Role::Date, Role::Return, Role::Benchmark, Role::RiskFree],
        Kind::Values if is_number => &[Role::Value, Role::Flow],
        Kind::Values => &[Role::Date, Role::Value, Role::Flow],
        Kind::Flows if is_number => &[Role::Flow],
        Kind::Flows => &[Role::Date, Role::Flow],
        Kind::Trades if is_number => &[Role::Pnl],
        Kind::Trades => &[Role::Date, Role::Pnl],
        Kind::Brinson => &[Role::Sector, Role::PortfolioWeight, Role::PortfolioReturn, Role::BenchmarkWeight, Role::BenchmarkReturn],
        Kind::Assets if is_number => &[],
        Kind::Assets => &[Role::Date],
        Kind::Holdings => &[Role::Instrument, Role::Value, Role::Sector],
    }
}
