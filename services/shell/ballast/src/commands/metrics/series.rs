//! From columns to series that fit each other: sorted by date, returns of one day compounded, the benchmark and the
//! risk-free rates joined on common dates.

use super::UnusableInput;
use super::columns::{Columns, Role};
use super::day::Moment;
use super::table::{Row, Table, read};
use crate::cli::metrics::MetricsArgs;
use crate::print::counted;
use domain::Date;
use performance_tracker::returns::joined::{Dated, aligned};
use performance_tracker::sample::per_period;
use std::path::Path;

/// Series of one length.
#[derive(Debug, Clone, Default)]
pub struct Series {
    /// Last days of the periods.
    pub dates: Option<Vec<Date>>,
    /// Day of the first value.
    pub opening: Option<Date>,
    /// Returns.
    pub returns: Vec<f64>,
    /// The benchmark's.
    pub benchmark: Option<Vec<f64>>,
    /// Risk-free returns.
    pub risk_free: Option<Vec<f64>>,
    /// What a reader should know.
    pub notes: Vec<String>,
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

/// The main file's returns with what stands beside them. A row counts where all of its series have a value.
pub fn of_returns(columns: &Columns<'_>, args: &MetricsArgs) -> Result<Series, UnusableInput> {
    let column = main_column(columns, &[Role::Return, Role::PortfolioReturn])?;
    if !columns.is_dated() {
        return undated(columns, column, args);
    }
    let timed = timed(columns)?;
    let benchmark = columns.any(&[Role::Benchmark, Role::BenchmarkReturn]).filter(|_| args.benchmark.is_none());
    let rates = columns.any(&[Role::RiskFree, Role::RiskFreeAnnual]).filter(|_| args.risk_free_file.is_none());
    let wanted: Vec<usize> = [Some(column), benchmark, rates].into_iter().flatten().collect();
    let mut found: Vec<Vec<(Date, f64)>> = vec![Vec::new(); wanted.len()];
    let mut missing = 0;
    for (moment, row) in &timed.rows {
        let values: Result<Vec<Option<f64>>, UnusableInput> = wanted.iter().map(|column| columns.fraction(row, *column)).collect();
        match values?.into_iter().collect::<Option<Vec<f64>>>() {
            Some(values) => found.iter_mut().zip(values).for_each(|(series, value)| series.push((moment.day, value))),
            None => missing += 1,
        }
    }
    let mut all = found.into_iter().map(|rows| Dated { opening: None, rows: daily(rows) });
    let own = all.next().unwrap_or_default();
    let benchmark = benchmark.and_then(|_| all.next());
    let rates = rates.and_then(|_| all.next()).map(|rates| a_period(rates, !columns.has(Role::RiskFree), args));
    let mut series = beside(own, benchmark, rates, args)?;
    note(&mut series.notes, timed.sorted, "rows were put in the order of their dates".to_owned());
    note(&mut series.notes, missing > 0, format!("{} without every value left out", counted(missing, "row")));
    if series.returns.is_empty() {
        return Err(columns.table().unusable("there is no return that all series have"));
    }
    Ok(series)
}

/// Rates a period, from rates a year where they are such.
fn a_period(mut rates: Dated, annual: bool, args: &MetricsArgs) -> Dated {
    if annual {
        rates.rows.iter_mut().for_each(|(_, rate)| *rate = per_period(*rate, args.periods_per_year));
    }
    rates
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
    let rates = match columns.any(&[Role::RiskFree, Role::RiskFreeAnnual]).filter(|_| args.risk_free_file.is_none()) {
        Some(column) => Some(a_period(returns_of(columns, timed, column)?, !columns.has(Role::RiskFree), args)),
        None => None,
    };
    beside(own, benchmark, rates, args)
}

/// Joins a series with its benchmark and risk-free rates, of the same file or of files of their own.
fn beside(own: Dated, benchmark: Option<Dated>, risk_free: Option<Dated>, args: &MetricsArgs) -> Result<Series, UnusableInput> {
    let benchmark = args.benchmark.as_ref().map(|path| of_file(path, args, Role::Benchmark)).transpose()?.or(benchmark);
    let risk_free = args.risk_free_file.as_ref().map(|path| of_file(path, args, Role::RiskFree)).transpose()?.or(risk_free);
    let rows = own.rows.len();
    let (with_benchmark, with_rates) = (benchmark.is_some(), risk_free.is_some());
    let all: Vec<Dated> = [Some(own), benchmark, risk_free].into_iter().flatten().collect();
    let opening = all[0].opening;
    let (opening, mut joined) = if all.len() == 1 {
        let [own] = <[Dated; 1]>::try_from(all).expect("there is one series");
        let (dates, column) = own.rows.into_iter().unzip();
        (opening, performance_tracker::returns::joined::Joined { dates, columns: vec![column], left_out: 0 })
    } else {
        aligned(&all)
    };
    let mut notes = Vec::new();
    let left = joined.left_out;
    let text =
        format!("{left} dates that not every series has were left out; returns over them compound ({rows} returns of the portfolio)");
    note(&mut notes, left > 0, text);
    let rates = with_rates.then(|| joined.columns.pop()).flatten();
    let benchmark = with_benchmark.then(|| joined.columns.pop()).flatten();
    let returns = joined.columns.pop().unwrap_or_default();
    Ok(Series { dates: Some(joined.dates), opening, returns, benchmark, risk_free: rates, notes })
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

/// A benchmark or risk-free rates of a file of their own.
fn of_file(path: &Path, args: &MetricsArgs, role: Role) -> Result<Dated, UnusableInput> {
    let table: Table = read(path, None)?;
    let columns = Columns::of(&table, &MetricsArgs { columns: Vec::new(), ..args.clone() })?;
    if !table.headed {
        return Err(table.unusable("it needs a header: date and return, or date and value"));
    }
    if !columns.is_dated() {
        return Err(table.unusable("it needs dates to be joined with the portfolio's; or put it into a column beside the returns"));
    }
    let timed = timed(&columns)?;
    let (returns, levels) = match role {
        Role::RiskFree => ([Role::RiskFree, Role::Return].as_slice(), None),
        _ => ([Role::Benchmark, Role::Return, Role::BenchmarkReturn].as_slice(), columns.any(&[Role::BenchmarkLevel, Role::Value])),
    };
    if let Some(column) = columns.get(Role::RiskFreeAnnual).filter(|_| role == Role::RiskFree) {
        return Ok(a_period(returns_of(&columns, &timed, column)?, true, args));
    }
    match (columns.any(returns), levels) {
        (Some(column), _) => returns_of(&columns, &timed, column),
        (None, Some(column)) => levels_of(&columns, &timed, column),
        (None, None) => Err(table.unusable("it needs a column named return, or one named value (of levels)")),
    }
}

/// Rows without dates: those that have every value.
fn undated(columns: &Columns<'_>, column: usize, args: &MetricsArgs) -> Result<Series, UnusableInput> {
    if args.benchmark.is_some() || args.risk_free_file.is_some() {
        return Err(columns.table().unusable("it needs dates to be joined with another file; or put all series into one file"));
    }
    let benchmark = columns.any(&[Role::Benchmark, Role::BenchmarkReturn]);
    let rates = columns.any(&[Role::RiskFree, Role::RiskFreeAnnual]);
    let is_annual = !columns.has(Role::RiskFree);
    let mut series = Series { benchmark: benchmark.map(|_| Vec::new()), risk_free: rates.map(|_| Vec::new()), ..Series::default() };
    let value = |row: &Row, column: Option<usize>| column.map(|column| columns.fraction(row, column)).transpose();
    let mut missing = 0;
    for row in &columns.table().rows {
        let (own, other, rate) = (columns.fraction(row, column)?, value(row, benchmark)?, value(row, rates)?);
        let (Some(own), false, false) = (own, other == Some(None), rate == Some(None)) else {
            missing += 1;
            continue;
        };
        series.returns.push(own);
        series.benchmark.iter_mut().for_each(|all| all.extend(other.flatten()));
        let rate = rate.flatten().map(|rate| if is_annual { per_period(rate, args.periods_per_year) } else { rate });
        series.risk_free.iter_mut().for_each(|all| all.extend(rate));
    }
    note(&mut series.notes, missing > 0, format!("{} without every value left out", counted(missing, "row")));
    Ok(series)
}
