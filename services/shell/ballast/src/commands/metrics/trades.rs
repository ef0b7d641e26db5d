//! Closed trades: win rate and its kin, and their profit by strategy, sector, type, instrument and time of day in exact
//! money.

use super::UnusableInput;
use super::columns::{Columns, Role, name_of};
use super::report::{Cell, Grid, Report};
use super::series::{main_column, timed};
use super::table::Row;
use crate::cli::metrics::MetricsArgs;
use domain::{Money, SmolStr};
use performance_tracker::attribution::grouping::Grouping;
use performance_tracker::metrics::catalogue;

/// What profit is grouped by, where there is a column of it.
const GROUPED: [(Role, &str); 5] = [
    (Role::Strategy, "by_strategy"),
    (Role::Sector, "by_sector"),
    (Role::InstrumentType, "by_instrument_type"),
    (Role::Instrument, "by_instrument"),
    (Role::TimeOfDay, "by_time_of_day"),
];

/// Figures of trades, in the order in which they closed.
pub fn trades(columns: &Columns<'_>, _args: &MetricsArgs) -> Result<Report, UnusableInput> {
    let column = main_column(columns, &[Role::Pnl, Role::Flow])?;
    let table = columns.table();
    let mut report = Report::new("trades");
    let rows: Vec<&Row> = if columns.has(Role::Date) { in_time(columns)? } else { table.rows.iter().collect() };
    let mut closed = Vec::new();
    for row in &rows {
        closed.extend(columns.number(row, column)?);
    }
    report.fact("trades", Cell::count(closed.len()));
    if closed.len() < rows.len() {
        report.notes.push(format!("{} rows without a profit or loss left out", rows.len() - closed.len()));
    }
    report.figures = catalogue::of_trades(&closed);
    for (role, name) in GROUPED {
        if let Some(by) = columns.get(role) {
            report.grids.push(grouped(columns, &rows, column, by, name, role)?);
        }
    }
    Ok(report)
}

/// Rows by their dates; trades of one moment keep the order of the file.
fn in_time<'a>(columns: &Columns<'a>) -> Result<Vec<&'a Row>, UnusableInput> {
    if let Ok(timed) = timed(columns) {
        return Ok(timed.rows.into_iter().map(|(_, row)| row).collect());
    }
    let moments: Result<Vec<_>, UnusableInput> = columns.table().rows.iter().map(|row| Ok((columns.moment(row)?, row))).collect();
    let mut rows = moments?;
    rows.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

/// Profit by the texts of a column; rows that name none make the residual.
fn grouped(columns: &Columns<'_>, rows: &[&Row], profit: usize, by: usize, name: &'static str, role: Role) -> Result<Grid, UnusableInput> {
    let table = columns.table();
    let mut total = Money::ZERO;
    let mut parts: Vec<(SmolStr, Money)> = Vec::new();
    for row in rows {
        let Some(amount) = exact(columns, row, profit)? else { continue };
        total = total.checked_add(amount).map_err(|error| table.wrong(row, profit, error))?;
        let group = columns.text(row, by);
        if !group.is_empty() {
            parts.push((SmolStr::new(group), amount));
        }
    }
    let grouping = Grouping::new(parts, total).map_err(|error| table.unusable(error))?;
    let mut grid = Grid::new(name, &[name_of(role), "profit", "rank"]);
    let last = grouping.groups.len();
    for (place, (group, amount)) in grouping.ranked().into_iter().enumerate() {
        let rank = if place == 0 {
            "best"
        } else if place + 1 == last {
            "worst"
        } else {
            ""
        };
        grid.rows.push([group.to_string(), amount.to_string(), rank.to_owned()].map(Cell::Text).to_vec());
    }
    grid.rows.push(["(residual)".to_owned(), grouping.residual.to_string(), String::new()].map(Cell::Text).to_vec());
    grid.rows.push(["(total)".to_owned(), grouping.total.to_string(), String::new()].map(Cell::Text).to_vec());
    Ok(grid)
}

/// The amount as money: no digit of the text is lost.
fn exact(columns: &Columns<'_>, row: &Row, column: usize) -> Result<Option<Money>, UnusableInput> {
    if columns.number(row, column)?.is_none() {
        return Ok(None);
    }
    let plain = columns.digits(row, column).unwrap_or_default();
    plain.trim_start_matches('+').parse().map(Some).map_err(|error| columns.table().wrong(row, column, error))
}
