//! Values of an account, prices or levels: time-weighted and money-weighted returns, then the catalogue over the
//! periods between the values. Also cash flows alone.

mod moved;

use super::columns::{Columns, Role};
use super::report::{Cell, Grid, Mark, Report};
use super::series::{Periods, Series, Timed, beside_values, daily, main_column, timed};
use super::table::Row;
use super::{UnusableInput, performance};
use crate::cli::metrics::{MetricsArgs, Timing};
use crate::print::counted;
use domain::Date;
use moved::Moved;
use performance_tracker::metrics::{Unit, catalogue};
use performance_tracker::returns::account::{FlowTiming, Valuation, owner_flows, period_returns};
use performance_tracker::returns::joined::Dated;
use performance_tracker::returns::money_weighted::{CashFlow, InternalRate, irr, present_value, xirr};
use performance_tracker::undefined::Undefined;

const fn timing(asked: Timing) -> FlowTiming {
    match asked {
        Timing::Daily => FlowTiming::Daily,
        Timing::Start => FlowTiming::Start,
        Timing::Middle => FlowTiming::Middle,
        Timing::End => FlowTiming::End,
        Timing::AfterValue => FlowTiming::AfterValue,
    }
}

/// The figures that need a value at every flow.
const TIME_WEIGHTED: [&str; 2] = ["time_weighted_return", "time_weighted_return_annualised"];

/// An account: what it was worth, and what came and went.
#[derive(Debug, Default)]
struct Account {
    /// The values, each with the flows since the one before.
    valued: Vec<Valuation>,
    /// The same, and between them each flow on a day of its own, where nothing but the flow counts: it bears the value
    /// before it.
    dated: Vec<Valuation>,
    /// Flows that `valued` has at a later day than theirs.
    carried: u64,
    /// Flows before the first value, or after the last: no part of what the account did between them.
    outside: u64,
}

/// Values, with flows or without.
pub fn values(columns: &Columns<'_>, args: &MetricsArgs) -> Result<Report, UnusableInput> {
    let column = columns.level()?.map_or_else(|| main_column(columns, &[Role::Value]), Ok)?;
    let mut report = Report::new("values");
    if !columns.is_dated() {
        return undated(columns, column, args, report);
    }
    let timed = timed(columns)?;
    let account = account(columns, column, &timed, args)?;
    let rows = &account.valued;
    if rows.len() < 2 {
        return Err(columns.table().unusable(format!("it has {} values, and a return needs two", rows.len())));
    }
    let when = timing(args.flow_timing);
    let has_flows = rows.iter().any(|row| row.flow != 0.0);
    let time_weighted = catalogue::of_account(rows, when);
    let by_day = catalogue::of_account(&account.dated, when).into_iter().zip(time_weighted);
    report.figures.extend(by_day.map(|(by_day, valued)| if TIME_WEIGHTED.contains(&valued.id) { valued } else { by_day }));
    mark(&mut report, "money_weighted_return", xirr(&owner_flows(&account.dated, when)).ok());
    let series = linked(rows, when, &mut report);
    report.fact("flows", Cell::count(account.dated.iter().filter(|row| row.flow != 0.0).count()));
    of_flows(&mut report, &account, args.flow_timing);
    let own = Dated { opening: Some(rows[0].date), rows: series };
    let mut series = beside_values(own, columns, &timed, args)?;
    if timed.sorted {
        series.notes.push("rows were put in the order of their dates".to_owned());
    }
    if has_flows && args.by.is_some() {
        report.grids.push(periods(rows, when));
    }
    performance::add(&mut report, &series, args)?;
    Ok(report)
}

/// Reads an account. Only the daily rule and its kin allow a flow on a day without a value.
fn account(columns: &Columns<'_>, column: usize, timed: &Timed<'_>, args: &MetricsArgs) -> Result<Account, UnusableInput> {
    let mut account = Account::default();
    let mut waiting: Vec<Valuation> = Vec::new();
    let moved = Moved::of(columns)?;
    for (moment, row) in &timed.rows {
        let flow = moved.at(columns, row)?.unwrap_or(0.0);
        let date = moment.day;
        match (columns.number(row, column)?, account.valued.last()) {
            (Some(value), _) => {
                account.carried += waiting.iter().filter(|one| one.date != date).count() as u64;
                let since: f64 = waiting.iter().map(|one| one.flow).sum();
                account.valued.push(Valuation { date, value, flow: flow + since });
                account.dated.append(&mut waiting);
                account.dated.push(Valuation { date, value, flow });
            }
            (None, _) if flow == 0.0 => {}
            (None, _) if args.flow_timing == Timing::AfterValue => return Err(unvalued(columns, row, column)),
            (None, None) => account.outside += 1,
            (None, Some(last)) => waiting.push(Valuation { date, value: last.value, flow }),
        }
    }
    account.outside += waiting.len() as u64;
    Ok(account)
}

fn unvalued(columns: &Columns<'_>, row: &Row, column: usize) -> UnusableInput {
    columns.table().wrong(row, column, "with --flow-timing after-value each flow needs the value just before it")
}

/// What a reader should know of flows that stand where no value does.
fn of_flows(report: &mut Report, account: &Account, when: Timing) {
    if account.outside > 0 {
        let flows = counted(account.outside, "flow");
        report.notes.push(format!("{flows} before the first value or after the last left out: they are no part of the time between"));
    }
    if account.carried == 0 {
        return;
    }
    let place = match when {
        Timing::Daily => "what comes in at its start, what goes out at its end",
        Timing::Start => "at its start",
        Timing::Middle => "in its middle",
        Timing::End | Timing::AfterValue => "at its end",
    };
    let flows = counted(account.carried, "flow");
    report.notes.push(format!(
        "{flows} on days without a value: money-weighted and Dietz returns count each on its own day; the time-weighted return, and all \
         figures of returns, in the period that ends with the next value, {place} (--flow-timing), which is not exact"
    ));
    report.marks.extend(TIME_WEIGHTED.map(|id| (id, Mark::Approximate)));
}

/// Daily returns, as far as they can be linked; what ends them is said.
fn linked(rows: &[Valuation], when: FlowTiming, report: &mut Report) -> Vec<(Date, f64)> {
    let found = period_returns(rows, when);
    let linked = found.iter().zip(&rows[1..]).map_while(|(one, row)| one.ok().map(|value| (row.date, value)));
    let series = daily(linked);
    if let Some(row) = rows.iter().find(|row| row.value <= 0.0) {
        let flows = if rows[0].value < 0.0 { "; if these are cash flows, say ballast metrics flows FILE" } else { "" };
        report.notes.push(format!("the value of {} is not positive: nothing can be linked over that day{flows}", row.date));
    }
    if let Some((at, reason)) = first_undefined(&found) {
        report.notes.push(format!("linking stops before {}: {reason}", rows[at + 1].date));
    }
    series
}

/// The first period that has no return, and why.
fn first_undefined(returns: &[Result<f64, Undefined>]) -> Option<(usize, Undefined)> {
    returns.iter().enumerate().find_map(|(at, one)| one.err().map(|reason| (at, reason)))
}

/// Each period with its flow and return.
fn periods(rows: &[Valuation], when: FlowTiming) -> Grid {
    let mut grid = Grid::new("periods", &["from", "to", "return"]);
    for (pair, one) in rows.windows(2).zip(period_returns(rows, when)) {
        let dates = [pair[0].date, pair[1].date].map(|date| Cell::Text(date.to_string()));
        grid.rows.push(dates.into_iter().chain([Cell::of(one, Unit::Fraction)]).collect());
    }
    grid
}

/// Levels one after the other, without dates.
fn undated(columns: &Columns<'_>, column: usize, args: &MetricsArgs, mut report: Report) -> Result<Report, UnusableInput> {
    let (moved, benchmark) = (Moved::of(columns)?, columns.any(&[Role::BenchmarkLevel, Role::Benchmark]));
    let mut rows = Vec::new();
    let mut levels = Vec::new();
    let (ordered, told) = columns.in_order();
    report.notes.extend(told);
    for row in ordered {
        let flow = moved.at(columns, row)?.unwrap_or(0.0);
        rows.push(Valuation { date: Date::from_days(0), value: columns.some_number(row, column)?, flow });
        levels.extend(benchmark.map(|column| columns.some_number(row, column)).transpose()?);
    }
    if rows.len() < 2 {
        return Err(columns.table().unusable(format!("it has {} values, and a return needs two", rows.len())));
    }
    let when = timing(args.flow_timing);
    let dated = ["money_weighted_return", "money_weighted_return_period", "modified_dietz", "modified_dietz_end"];
    let of_dates = |id: &str| dated.contains(&id) || id == "time_weighted_return_annualised";
    report.figures.extend(catalogue::of_account(&rows, when).into_iter().filter(|figure| !of_dates(figure.id)));
    let found = period_returns(&rows, when);
    if let Some((at, reason)) = first_undefined(&found) {
        report.notes.push(format!("linking stops before value {}: {reason}", at + 2));
    }
    let all: Vec<f64> = found.into_iter().map_while(Result::ok).collect();
    let benchmark = match benchmark {
        Some(_) => Some(performance_tracker::returns::between(&levels).map_err(|reason| columns.table().unusable(reason))?),
        None => None,
    };
    let benchmark = benchmark.map(|series| series.into_iter().take(all.len()).collect());
    let ends: Vec<usize> = (0..all.len()).collect();
    let own = Periods { returns: all, ends, ..Periods::default() };
    let relative = benchmark.map(|benchmark| Periods { benchmark: Some(benchmark), ..own.clone() });
    performance::add(&mut report, &Series { own, relative, ..Series::default() }, args)?;
    Ok(report)
}

/// Cash flows alone: the rate that brings them to zero.
pub fn flows(columns: &Columns<'_>, args: &MetricsArgs) -> Result<Report, UnusableInput> {
    let moved = Moved::of(columns)?;
    let amounts = match columns.level()? {
        _ if !moved.is_none() => None,
        Some(column) => Some(column),
        None => Some(main_column(columns, &[Role::Flow])?),
    };
    let amount = |row: &Row| match amounts {
        Some(column) => columns.some_number(row, column),
        None => moved.paid_out(columns, row),
    };
    let mut report = Report::new("flows");
    report.notes.extend(moved.of_the_owner());
    if !columns.is_dated() {
        let amounts = by_period(columns, amount, &mut report)?;
        let found = irr(&amounts);
        report.figure("irr", Unit::Fraction, found.as_ref().map(|found| found.rate).map_err(|reason| *reason), columns.table().rows.len());
        mark(&mut report, "irr", found.ok());
        return Ok(report);
    }
    let mut flows = Vec::new();
    for row in &columns.table().rows {
        flows.push(CashFlow { date: columns.moment(row)?.day, amount: amount(row)? });
    }
    report.fact("flows", Cell::count(flows.len()));
    report.fact("from", Cell::maybe(flows.iter().map(|flow| flow.date).min()));
    report.fact("to", Cell::maybe(flows.iter().map(|flow| flow.date).max()));
    report.figures.extend(catalogue::of_flows(&flows));
    mark(&mut report, "xirr", xirr(&flows).ok());
    if args.risk_free != 0.0 {
        report.figure("present_value", Unit::Amount, present_value(&flows, args.risk_free), flows.len());
    }
    Ok(report)
}

/// Flows without dates: one a period, where their counts tell of which; else one after the other.
fn by_period(
    columns: &Columns<'_>,
    amount: impl Fn(&Row) -> Result<f64, UnusableInput>,
    report: &mut Report,
) -> Result<Vec<f64>, UnusableInput> {
    let rows = &columns.table().rows;
    report.fact("flows", Cell::count(rows.len()));
    let Some(numbered) = columns.numbered() else {
        report.notes.push("there are no dates: flows count as one period apart".to_owned());
        return rows.iter().map(amount).collect();
    };
    report.notes.push("there are no dates: flows count as many periods apart as their numbers are".to_owned());
    let (first, last) = (numbered.first().map_or(0, |(count, _)| *count), numbered.last().map_or(0, |(count, _)| *count));
    let mut amounts = vec![0.0; last - first + 1];
    for (count, row) in numbered {
        amounts[count - first] += amount(row)?;
    }
    Ok(amounts)
}

/// Says so where a rate is one of several.
fn mark(report: &mut Report, id: &'static str, found: Option<InternalRate>) {
    let Some(found) = found.filter(InternalRate::is_ambiguous) else { return };
    report.marks.push((id, Mark::Ambiguous));
    report.notes.push(format!("{} rates bring the flows to zero; {id} is the one nearest to zero", found.roots.len()));
    let mut grid = Grid::new("roots", &["rate"]);
    grid.rows.extend(found.roots.iter().map(|rate| vec![Cell::Number(*rate, Unit::Fraction)]));
    report.grids.push(grid);
}
