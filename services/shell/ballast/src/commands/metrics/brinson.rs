//! Brinson attribution of sectors, of one period or of many that are linked.

use super::UnusableInput;
use super::columns::{Columns, Role};
use super::report::{Cell, Grid, Report};
use super::table::Row;
use crate::cli::metrics::{BrinsonModel, MetricsArgs};
use performance_tracker::attribution::brinson::{Effects, Holding, Model, Period, Side, brinson, unallocated};
use performance_tracker::attribution::carino::{Linked, linked};
use performance_tracker::metrics::Unit::Fraction;

/// How far weights may be from 1 before they are taken for something else.
const FAR: f64 = 0.5;

/// The attribution of all periods of a file.
pub fn attribution(columns: &Columns<'_>, args: &MetricsArgs) -> Result<Report, UnusableInput> {
    let model = match args.model {
        BrinsonModel::Fachler => Model::Fachler,
        BrinsonModel::HoodBeebower => Model::HoodBeebower,
    };
    let mut report = Report::new("brinson");
    let table = columns.table();
    let mut periods: Vec<(String, Period)> = Vec::new();
    for (name, rows) in by_period(columns) {
        let holdings: Result<Vec<Holding>, UnusableInput> = rows.iter().map(|row| holding(columns, row)).collect();
        let period = brinson(&holdings?, model).map_err(|reason| table.unusable(format!("period {name:?}: {reason}")))?;
        plausible(columns, &name, &period, &mut report)?;
        periods.push((name, period));
    }
    report.fact("periods", Cell::count(periods.len()));
    report.fact("model", Cell::Text(if model == Model::Fachler { "brinson-fachler" } else { "brinson-hood-beebower" }.to_owned()));
    let all: Vec<Period> = periods.iter().map(|(_, period)| period.clone()).collect();
    let whole = linked(&all).map_err(|reason| table.unusable(format!("linking the periods: {reason}")))?;
    figures(&mut report, &whole, table.rows.len());
    report.grids.push(of_sectors(&periods));
    report.grids.push(of_periods(&periods, &whole));
    report.grids.push(of_linked(&whole));
    Ok(report)
}

/// Rows of each period, in the order in which periods first appear.
fn by_period<'a>(columns: &Columns<'a>) -> Vec<(String, Vec<&'a Row>)> {
    let column = columns.any(&[Role::Period, Role::Date]);
    let mut periods: Vec<(String, Vec<&Row>)> = Vec::new();
    for row in &columns.table().rows {
        let name = column.map_or("1", |column| columns.text(row, column));
        match periods.iter_mut().find(|(known, _)| known == name) {
            Some((_, rows)) => rows.push(row),
            None => periods.push((name.to_owned(), vec![row])),
        }
    }
    periods
}

fn holding(columns: &Columns<'_>, row: &Row) -> Result<Holding, UnusableInput> {
    let sector = columns.any(&[Role::Sector, Role::Instrument]).or_else(|| columns.unknown().first().copied());
    let sector = sector.map_or_else(|| columns.need(&[Role::Sector]), Ok)?;
    let side = |weight: &[Role], of: &[Role]| -> Result<Side, UnusableInput> {
        let weight = columns.need(weight)?;
        let value = columns.fraction(row, columns.need(of)?)?;
        let weight = columns.fraction(row, weight)?.unwrap_or(0.0);
        if value.is_none() && weight != 0.0 {
            return Err(columns.table().wrong(row, columns.need(of)?, "a return is missing here, and its weight is not zero"));
        }
        Ok(Side { weight, value })
    };
    Ok(Holding {
        sector: columns.text(row, sector).to_owned(),
        portfolio: side(&[Role::PortfolioWeight, Role::Weight], &[Role::PortfolioReturn, Role::Return])?,
        benchmark: side(&[Role::BenchmarkWeight], &[Role::BenchmarkReturn, Role::Benchmark])?,
    })
}

/// Weights that come to 100 are per cent; those that leave something of 1 make a row of their own.
fn plausible(columns: &Columns<'_>, name: &str, period: &Period, report: &mut Report) -> Result<(), UnusableInput> {
    let Some((own, other)) = unallocated(period) else { return Ok(()) };
    if own.abs().max(other.abs()) > FAR {
        let (own, other) = (1.0 - own, 1.0 - other);
        let why = format!("period {name:?}: weights add up to {own:.6} and {other:.6}, not to 1; if they are per cent, say --percent");
        return Err(columns.table().unusable(why));
    }
    report.notes.push(format!("period {name:?}: weights leave {own:.6} and {other:.6} of 1, which count as a sector that returns nothing"));
    Ok(())
}

fn figures(report: &mut Report, whole: &Linked, rows: usize) {
    for (id, value) in [
        ("portfolio_return", whole.portfolio_return),
        ("benchmark_return", whole.benchmark_return),
        ("active_return", whole.active_return()),
        ("allocation", whole.total.allocation),
        ("selection", whole.total.selection),
        ("interaction", whole.total.interaction),
        ("total_effect", whole.total.total()),
        ("residual", whole.residual()),
    ] {
        report.figure(id, Fraction, Ok(value), rows);
    }
}

fn effects(of: Effects) -> [Cell; 4] {
    [of.allocation, of.selection, of.interaction, of.total()].map(|value| Cell::Number(value, Fraction))
}

fn of_sectors(periods: &[(String, Period)]) -> Grid {
    let headers = [
        "period",
        "sector",
        "portfolio_weight",
        "portfolio_return",
        "benchmark_weight",
        "benchmark_return",
        "allocation",
        "selection",
        "interaction",
        "total",
    ];
    let mut grid = Grid::new("sectors", &headers);
    for (name, period) in periods {
        for sector in &period.sectors {
            let texts = [name, &sector.sector].map(|text| Cell::Text(text.clone()));
            let ((own, own_return), (other, other_return)) = (sector.portfolio, sector.benchmark);
            let sides = [own, own_return, other, other_return].map(|value| Cell::Number(value, Fraction));
            grid.rows.push(texts.into_iter().chain(sides).chain(effects(sector.effects)).collect());
        }
    }
    grid
}

fn of_periods(periods: &[(String, Period)], whole: &Linked) -> Grid {
    let headers = [
        "period",
        "portfolio_return",
        "benchmark_return",
        "active_return",
        "allocation",
        "selection",
        "interaction",
        "total",
        "linking_factor",
    ];
    let mut grid = Grid::new("periods", &headers);
    for ((name, period), factor) in periods.iter().zip(&whole.factors) {
        let returns = [period.portfolio_return, period.benchmark_return, period.active_return()];
        let returns = returns.map(|value| Cell::Number(value, Fraction));
        let factor = Cell::Number(*factor, performance_tracker::metrics::Unit::Ratio);
        let cells = [Cell::Text(name.clone())].into_iter().chain(returns).chain(effects(period.total));
        grid.rows.push(cells.chain([factor]).collect());
    }
    grid
}

fn of_linked(whole: &Linked) -> Grid {
    let mut grid = Grid::new("linked", &["sector", "allocation", "selection", "interaction", "total"]);
    let rows = whole.sectors.iter().map(|(sector, of)| (sector.clone(), *of)).chain([("(total)".to_owned(), whole.total)]);
    for (sector, of) in rows {
        grid.rows.push([Cell::Text(sector)].into_iter().chain(effects(of)).collect());
    }
    grid
}
