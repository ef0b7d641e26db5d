//! Values of an account, prices or levels: time-weighted and money-weighted returns, then the catalogue over the
//! periods between the values. Also cash flows alone.

use super::columns::{Columns, Role};
use super::report::{Cell, Grid, Report};
use super::series::{Series, beside_values, daily, main_column, timed};
use super::{UnusableInput, performance};
use crate::cli::metrics::{MetricsArgs, Timing};
use domain::Date;
use performance_tracker::metrics::{Unit, catalogue};
use performance_tracker::returns::account::{FlowTiming, Valuation, owner_flows, period_returns};
use performance_tracker::returns::joined::Dated;
use performance_tracker::returns::money_weighted::{CashFlow, InternalRate, irr, present_value, xirr};

const fn timing(asked: Timing) -> FlowTiming {
    match asked {
        Timing::Daily => FlowTiming::Daily,
        Timing::Start => FlowTiming::Start,
        Timing::Middle => FlowTiming::Middle,
        Timing::End => FlowTiming::End,
        Timing::AfterValue => FlowTiming::AfterValue,
    }
}

/// Values, with flows or without.
pub fn values(columns: &Columns<'_>, args: &MetricsArgs) -> Result<Report, UnusableInput> {
    let column = main_column(columns, &[Role::Value])?;
    let mut report = Report::new("values");
    if !columns.is_dated() {
        return undated(columns, column, args, report);
    }
    let timed = timed(columns)?;
    let mut rows: Vec<Valuation> = Vec::new();
    let mut waiting = 0.0;
    for (moment, row) in &timed.rows {
        let flow = match columns.get(Role::Flow) {
            Some(column) => columns.number(row, column)?.unwrap_or(0.0),
            None => 0.0,
        };
        let Some(value) = columns.number(row, column)? else {
            waiting += unvalued(columns, row, flow, args)?;
            continue;
        };
        rows.push(Valuation { date: moment.day, value, flow: flow + waiting });
        waiting = 0.0;
    }
    if rows.len() < 2 {
        return Err(columns.table().unusable(format!("it has {} values, and a return needs two", rows.len())));
    }
    let when = timing(args.flow_timing);
    let has_flows = rows.iter().any(|row| row.flow != 0.0);
    report.figures.extend(catalogue::of_account(&rows, when));
    mark(&mut report, "money_weighted_return", xirr(&owner_flows(&rows, when)).ok());
    let series = linked(&rows, when, &mut report);
    report.fact("flows", Cell::count(rows.iter().filter(|row| row.flow != 0.0).count()));
    let own = Dated { opening: Some(rows[0].date), rows: series };
    let mut series = beside_values(own, columns, &timed, args)?;
    if timed.sorted {
        series.notes.push("rows were put in the order of their dates".to_owned());
    }
    if has_flows && args.by.is_some() {
        report.grids.push(periods(&rows, when));
    }
    performance::add(&mut report, &series, args)?;
    Ok(report)
}

/// A flow on a day without a value is carried to the next value, which only the daily rule and its kin allow.
fn unvalued(columns: &Columns<'_>, row: &super::table::Row, flow: f64, args: &MetricsArgs) -> Result<f64, UnusableInput> {
    if flow != 0.0 && args.flow_timing == Timing::AfterValue {
        let column = columns.need(&[Role::Value])?;
        return Err(columns.table().wrong(row, column, "with --flow-timing after-value each flow needs the value just before it"));
    }
    Ok(flow)
}

/// Daily returns, as far as they can be linked; what ends them is said.
fn linked(rows: &[Valuation], when: FlowTiming, report: &mut Report) -> Vec<(Date, f64)> {
    let found = period_returns(rows, when);
    let linked = found.iter().zip(&rows[1..]).map_while(|(one, row)| one.ok().map(|value| (row.date, value)));
    let series = daily(linked);
    if let Some(row) = rows.iter().find(|row| row.value <= 0.0) {
        report.notes.push(format!("the value of {} is not positive: nothing can be linked over that day", row.date));
    }
    if let Some(at) = found.iter().position(Result::is_err) {
        let date = rows[at + 1].date;
        report.notes.push(format!("linking stops before {date}: the capital at the beginning of that period is not positive"));
    }
    series
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
    let (flows, benchmark) = (columns.get(Role::Flow), columns.any(&[Role::BenchmarkLevel, Role::Benchmark]));
    let mut rows = Vec::new();
    let mut levels = Vec::new();
    for row in &columns.table().rows {
        let flow = flows.map(|column| columns.number(row, column)).transpose()?.flatten().unwrap_or(0.0);
        rows.push(Valuation { date: Date::from_days(0), value: columns.some_number(row, column)?, flow });
        levels.extend(benchmark.map(|column| columns.some_number(row, column)).transpose()?);
    }
    if rows.len() < 2 {
        return Err(columns.table().unusable(format!("it has {} values, and a return needs two", rows.len())));
    }
    let when = timing(args.flow_timing);
    let dated = ["money_weighted_return", "money_weighted_return_period", "modified_dietz", "modified_dietz_start"];
    let of_dates = |id: &str| dated.contains(&id) || id == "time_weighted_return_annualised";
    report.figures.extend(catalogue::of_account(&rows, when).into_iter().filter(|figure| !of_dates(figure.id)));
    let found = period_returns(&rows, when);
    if let Some(at) = found.iter().position(Result::is_err) {
        report.notes.push(format!("linking stops before value {}: the capital before it is not positive", at + 2));
    }
    let all: Vec<f64> = found.into_iter().map_while(Result::ok).collect();
    let benchmark = match benchmark {
        Some(_) => Some(performance_tracker::returns::between(&levels).map_err(|reason| columns.table().unusable(reason))?),
        None => None,
    };
    let benchmark = benchmark.map(|series| series.into_iter().take(all.len()).collect());
    performance::add(&mut report, &Series { returns: all, benchmark, ..Series::default() }, args)?;
    Ok(report)
}

/// Cash flows alone: the rate that brings them to zero.
pub fn flows(columns: &Columns<'_>, args: &MetricsArgs) -> Result<Report, UnusableInput> {
    let column = main_column(columns, &[Role::Flow, Role::Value])?;
    let mut report = Report::new("flows");
    if !columns.is_dated() {
        let amounts: Result<Vec<f64>, UnusableInput> = columns.table().rows.iter().map(|row| columns.some_number(row, column)).collect();
        let amounts = amounts?;
        report.fact("flows", Cell::count(amounts.len()));
        report.notes.push("there are no dates: flows count as one period apart".to_owned());
        let found = irr(&amounts);
        report.figure("irr", Unit::Fraction, found.as_ref().map(|found| found.rate).map_err(|reason| *reason), amounts.len());
        mark(&mut report, "irr", found.ok());
        return Ok(report);
    }
    let mut flows = Vec::new();
    for row in &columns.table().rows {
        flows.push(CashFlow { date: columns.moment(row)?.day, amount: columns.some_number(row, column)? });
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

/// Says so where a rate is one of several.
fn mark(report: &mut Report, id: &'static str, found: Option<InternalRate>) {
    let Some(found) = found.filter(InternalRate::is_ambiguous) else { return };
    report.ambiguous.push(id);
    report.notes.push(format!("{} rates bring the flows to zero; {id} is the one nearest to zero", found.roots.len()));
    let mut grid = Grid::new("roots", &["rate"]);
    grid.rows.extend(found.roots.iter().map(|rate| vec![Cell::Number(*rate, Unit::Fraction)]));
    report.grids.push(grid);
}
