//! From columns to series: sorted by date, returns of one day compounded, with a benchmark and risk-free rates beside
//! them, of the same file or of files of their own.

mod beside;

use super::UnusableInput;
use super::columns::{Columns, Role};
use super::day::Moment;
use super::plausible::{doubt, look_like_levels, rates_are_fractions};
use super::table::{Row, Table, read};
use crate::cli::metrics::MetricsArgs;
use crate::print::counted;
use beside::joined;
use domain::Date;
use performance_tracker::returns::joined::Dated;
use performance_tracker::sample::per_period;
use std::path::Path;

/// Series of one length.
#[derive(Debug, Clone, Default)]
pub struct Periods {
    /// Last days of the periods.
    pub dates: Option<Vec<Date>>,
    /// Day of the first value.
    pub opening: Option<Date>,
    /// Returns, as fractions.
    pub returns: Vec<f64>,
    /// The benchmark's.
    pub benchmark: Option<Vec<f64>>,
    /// Risk-free returns.
    pub risk_free: Option<Vec<f64>>,
    /// The rows, from 0, of the portfolio's own returns with which the periods end.
    pub ends: Vec<usize>,
}

/// The portfolio's returns, and what it has in common with others. Nothing that others lack is taken from the first.
#[derive(Debug, Clone, Default)]
pub struct Series {
    /// All returns of the portfolio, without a benchmark; with risk-free returns where these are of every period.
    pub own: Periods,
    /// The periods that risk-free returns have too, where they lack some.
    pub rated: Option<Periods>,
    /// The periods that the benchmark has too, and the risk-free returns.
    pub relative: Option<Periods>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// How levels are read as such: the portfolio's, and a benchmark's.
const OF_VALUES: &str = "levels, name the kind, as in ballast metrics values FILE";
const OF_BENCHMARK: &str = "levels, name the column benchmark_level, or say --column benchmark_level=HEADER";

/// Roles of a benchmark's column, and of risk-free rates.
const BENCHMARKS: [Role; 3] = [Role::Benchmark, Role::BenchmarkLevel, Role::BenchmarkReturn];
const RATES: [Role; 2] = [Role::RiskFree, Role::RiskFreeAnnual];

/// Whether `--column` means the main file by a role, where others have files of their own.
pub fn is_of_the_main_file(role: Role, args: &MetricsArgs) -> bool {
    !(args.benchmark.is_some() && BENCHMARKS.contains(&role) || args.risk_free_file.is_some() && RATES.contains(&role))
}

/// Rows of a table with their moments, in time.
pub struct Timed<'a> {
    /// Moment and row.
    pub rows: Vec<(Moment, &'a Row)>,
    /// Whether rows had to be put in order.
    pub sorted: bool,
}

/// Rows in time; two of one moment are refused.
pub fn timed<'a>(columns: &Columns<'a>) -> Result<Timed<'a>, UnusableInput> {
    let table = columns.table();
    let moments: Result<Vec<_>, _> = table.rows.iter().map(|row| Ok((columns.moment(row)?, row))).collect();
    let mut rows: Vec<(Moment, &Row)> = moments?;
    let sorted = !rows.is_sorted_by(|one, other| one.0 <= other.0);
    rows.sort_by(|one, other| one.0.cmp(&other.0));
    if let Some(pair) = rows.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        let column = columns.need(&[Role::Date, Role::Period])?;
        let why = format!("the same moment stands in line {}; leave one row of each", pair[0].1.line);
        return Err(table.wrong(pair[1].1, column, why));
    }
    Ok(Timed { rows, sorted })
}

/// Returns of moments as one return a day.
pub fn daily(rows: impl IntoIterator<Item = (Date, f64)>) -> Vec<(Date, f64)> {
    let mut days: Vec<(Date, f64)> = Vec::new();
    for (day, value) in rows {
        match days.last_mut().filter(|last| last.0 == day) {
            Some(last) => last.1 = (1.0 + last.1) * (1.0 + value) - 1.0,
            None => days.push((day, value)),
        }
    }
    days
}

/// The main file's returns with what stands beside them. A row without a return counts for nothing.
pub fn of_returns(columns: &Columns<'_>, args: &MetricsArgs) -> Result<Series, UnusableInput> {
    let column = main_column(columns, &[Role::Return, Role::PortfolioReturn])?;
    let benchmark = columns.any(&[Role::Benchmark, Role::BenchmarkReturn]).filter(|_| args.benchmark.is_none());
    if !columns.is_dated() {
        return undated(columns, column, benchmark, args);
    }
    let timed = timed(columns)?;
    let mut missing = 0;
    for (_, row) in &timed.rows {
        missing += u64::from(columns.fraction(row, column)?.is_none());
    }
    let mut notes = Vec::new();
    let own = plausible_returns(columns, &timed, column, OF_VALUES, &mut notes)?;
    if own.rows.is_empty() {
        return Err(columns.table().unusable("there is no return in it"));
    }
    let level = columns.get(Role::BenchmarkLevel).filter(|_| args.benchmark.is_none());
    let benchmark = match (benchmark, level) {
        (Some(column), _) => Some(plausible_returns(columns, &timed, column, OF_BENCHMARK, &mut notes)?),
        (None, Some(column)) => Some(levels_of(columns, &timed, column)?),
        (None, None) => None,
    };
    let mut series = joined(own, benchmark, rates_of(columns, &timed, args)?, args)?;
    series.notes.splice(0..0, notes);
    note(&mut series.notes, timed.sorted, "rows were put in the order of their dates".to_owned());
    note(&mut series.notes, missing > 0, format!("{} without a return left out", counted(missing, "row")));
    Ok(series)
}

/// Benchmark levels and risk-free rates that stand beside the values of the main file.
pub fn beside_values(own: Dated, columns: &Columns<'_>, timed: &Timed<'_>, args: &MetricsArgs) -> Result<Series, UnusableInput> {
    let levels = columns.any(&[Role::BenchmarkLevel, Role::Benchmark]);
    let benchmark = match (levels, columns.get(Role::BenchmarkReturn)) {
        _ if args.benchmark.is_some() => None,
        (Some(column), _) => Some(levels_of(columns, timed, column)?),
        (None, Some(column)) => Some(returns_of(columns, timed, column)?),
        (None, None) => None,
    };
    joined(own, benchmark, rates_of(columns, timed, args)?, args)
}

/// Risk-free returns of the main file, unless they have one of their own.
fn rates_of(columns: &Columns<'_>, timed: &Timed<'_>, args: &MetricsArgs) -> Result<Option<Dated>, UnusableInput> {
    let column = columns.any(&RATES).filter(|_| args.risk_free_file.is_none());
    column.map(|column| rates(columns, timed, column, args)).transpose()
}

/// The rates of a column a period: from rates a year, where it holds such.
fn rates(columns: &Columns<'_>, timed: &Timed<'_>, column: usize, args: &MetricsArgs) -> Result<Dated, UnusableInput> {
    let mut found = returns_of(columns, timed, column)?;
    rates_are_fractions(columns, column, found.rows.iter().map(|(_, rate)| *rate))?;
    if columns.get(Role::RiskFreeAnnual) == Some(column) {
        found.rows.iter_mut().for_each(|(_, rate)| *rate = per_period(*rate, args.periods_per_year));
    }
    Ok(found)
}

fn note(notes: &mut Vec<String>, holds: bool, text: String) {
    notes.extend(holds.then_some(text));
}

/// The main column of a kind, or the only one that nobody knows.
pub fn main_column(columns: &Columns<'_>, roles: &[Role]) -> Result<usize, UnusableInput> {
    match (columns.any(roles), columns.unknown().as_slice()) {
        (None, [only]) => Ok(*only),
        _ => columns.need(roles),
    }
}

/// Returns of a column, and what a reader should know of them.
fn plausible_returns(
    columns: &Columns<'_>,
    timed: &Timed<'_>,
    column: usize,
    levels: &str,
    notes: &mut Vec<String>,
) -> Result<Dated, UnusableInput> {
    let found = returns_of(columns, timed, column)?;
    notes.extend(doubt(columns, column, &values_of(&found), levels)?);
    Ok(found)
}

fn values_of(series: &Dated) -> Vec<f64> {
    series.rows.iter().map(|(_, value)| *value).collect()
}

fn returns_of(columns: &Columns<'_>, timed: &Timed<'_>, column: usize) -> Result<Dated, UnusableInput> {
    let mut found = Vec::new();
    for (moment, row) in &timed.rows {
        found.extend(columns.fraction(row, column)?.map(|value| (moment.day, value)));
    }
    Ok(Dated { opening: None, rows: daily(found) })
}

/// The last level of each day.
fn levels_of(columns: &Columns<'_>, timed: &Timed<'_>, column: usize) -> Result<Dated, UnusableInput> {
    let mut found: Vec<(Date, f64)> = Vec::new();
    for (moment, row) in &timed.rows {
        let Some(value) = columns.number(row, column)? else { continue };
        if value <= 0.0 {
            return Err(columns.table().wrong(row, column, format_args!("{value} is no level: levels are positive")));
        }
        found.pop_if(|last| last.0 == moment.day);
        found.push((moment.day, value));
    }
    Dated::from_levels(&found).map_err(|reason| columns.table().unusable(reason))
}

/// A benchmark or risk-free rates of a file of their own, and what a reader should know of it.
fn of_file(path: &Path, args: &MetricsArgs, role: Role) -> Result<(Dated, Vec<String>), UnusableInput> {
    let table: Table = read(path, None)?;
    let is_rates = role == Role::RiskFree;
    let columns = Columns::of(&table, args, |named| if is_rates { RATES.contains(&named) } else { BENCHMARKS.contains(&named) })?;
    if !table.headed {
        return Err(table.unusable("it needs a header: date and return, or date and value"));
    }
    if !columns.is_dated() {
        return Err(table.unusable("it needs dates to be joined with the portfolio's; or put it into a column beside the returns"));
    }
    let timed = timed(&columns)?;
    let mut notes = Vec::new();
    let found = if is_rates { rates_in(&columns, &timed, args)? } else { benchmark_in(&columns, &timed, &mut notes)? };
    notes.extend(columns.notes());
    Ok((found, notes.into_iter().map(|note| format!("{}: {note}", table.name)).collect()))
}

/// A benchmark by the headers of its file; of one column that nobody knows its numbers tell what it holds.
fn benchmark_in(columns: &Columns<'_>, timed: &Timed<'_>, notes: &mut Vec<String>) -> Result<Dated, UnusableInput> {
    let level = columns.get(Role::BenchmarkLevel).map_or_else(|| columns.level(), |column| Ok(Some(column)))?;
    if let Some(column) = columns.any(&[Role::Benchmark, Role::Return, Role::BenchmarkReturn]) {
        return plausible_returns(columns, timed, column, OF_BENCHMARK, notes);
    }
    if let Some(column) = level {
        return levels_of(columns, timed, column);
    }
    let [column] = columns.unknown()[..] else {
        let why = "it needs a column named return, or one named value (of levels); or --column benchmark=HEADER";
        return Err(columns.table().unusable(why));
    };
    let numbers = returns_of(columns, timed, column)?;
    let are_levels = look_like_levels(&values_of(&numbers));
    notes.push(format!("{:?} is read as {}", columns.table().headers[column], if are_levels { "levels" } else { "returns" }));
    if are_levels { levels_of(columns, timed, column) } else { Ok(numbers) }
}

/// Risk-free rates by the headers of their file: whether a rate is one of a period or of a year, no number tells.
fn rates_in(columns: &Columns<'_>, timed: &Timed<'_>, args: &MetricsArgs) -> Result<Dated, UnusableInput> {
    let annual = columns.get(Role::RiskFreeAnnual);
    let Some(column) = annual.or_else(|| columns.any(&[Role::RiskFree, Role::Return])) else {
        let why = "it needs a column named risk_free (a rate a period) or risk_free_annual (a rate a year); or --column risk_free=HEADER";
        return Err(columns.table().unusable(why));
    };
    rates(columns, timed, column, args)
}

/// Rows without dates. What is missing in one column takes nothing from the others.
fn undated(columns: &Columns<'_>, column: usize, benchmark: Option<usize>, args: &MetricsArgs) -> Result<Series, UnusableInput> {
    if args.benchmark.is_some() || args.risk_free_file.is_some() {
        return Err(columns.table().unusable("it needs dates to be joined with another file; or put all series into one file"));
    }
    let rates = columns.any(&RATES);
    let of = |row: &Row, column: Option<usize>| column.map(|column| columns.fraction(row, column)).transpose().map(Option::flatten);
    let (ordered, told) = columns.in_order();
    let mut rows: Vec<[Option<f64>; 3]> = Vec::new();
    for row in ordered {
        rows.push([columns.fraction(row, column)?, of(row, benchmark)?, of(row, rates)?]);
    }
    if rows.iter().all(|row| row[0].is_none()) {
        return Err(columns.table().unusable("there is no return in it"));
    }
    if let Some(column) = rates {
        rates_are_fractions(columns, column, rows.iter().filter_map(|row| row[2]))?;
        if columns.get(Role::RiskFreeAnnual) == Some(column) {
            rows.iter_mut().filter_map(|row| row[2].as_mut()).for_each(|rate| *rate = per_period(*rate, args.periods_per_year));
        }
    }
    let all = rows.len();
    rows.retain(|row| row[0].is_some());
    let values = |at: usize| rows.iter().filter_map(|row| row[at]).collect::<Vec<f64>>();
    let mut notes = Vec::from_iter(doubt(columns, column, &values(0), OF_VALUES)?);
    if let Some(column) = benchmark {
        notes.extend(doubt(columns, column, &values(1), OF_BENCHMARK)?);
    }
    let mut series = beside::by_row(&rows, benchmark.is_some(), rates.is_some())?;
    series.notes.splice(0..0, notes.into_iter().chain(told));
    let missing = (all - rows.len()) as u64;
    note(&mut series.notes, missing > 0, format!("{} without a return left out", counted(missing, "row")));
    Ok(series)
}
