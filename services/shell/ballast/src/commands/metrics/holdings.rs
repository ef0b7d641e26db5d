//! What a book holds: concentration, and exposure over its equity, the whole and by sector.

use super::UnusableInput;
use super::columns::{Columns, Role};
use super::report::{Cell, Grid, Report};
use crate::cli::metrics::MetricsArgs;
use performance_tracker::metrics::Unit::{Amount, Fraction, Ratio};
use performance_tracker::numeric::sum;
use performance_tracker::risk::concentration::concentration;
use performance_tracker::risk::exposure::{Exposure, by_group, exposure};

/// Exposure and concentration by values or weights.
pub fn holdings(columns: &Columns<'_>, args: &MetricsArgs) -> Result<Report, UnusableInput> {
    let table = columns.table();
    let column = columns.need(&[Role::Value, Role::Weight, Role::PortfolioWeight])?;
    let is_weight = !columns.has(Role::Value);
    let mut values = Vec::new();
    for row in &table.rows {
        let value = if is_weight { columns.fraction(row, column)? } else { columns.number(row, column)? };
        values.push(value.ok_or_else(|| table.wrong(row, column, "a number is missing here"))?);
    }
    // Weights are parts of the equity already.
    let equity = args.equity.unwrap_or(if is_weight { 1.0 } else { sum(values.iter().copied()) });
    let mut report = Report::new("holdings");
    report.fact("holdings", Cell::count(values.len()));
    report.fact("equity", Cell::Number(equity, if is_weight { Ratio } else { Amount }));
    let found = exposure(&values, equity);
    for (id, of) in [
        ("net_exposure", (|one| one.net) as fn(Exposure) -> f64),
        ("gross_exposure", |one| one.gross),
        ("long_exposure", |one| one.long),
        ("short_exposure", |one| one.short),
    ] {
        report.figure(id, Fraction, found.map(of), values.len());
    }
    let shares = concentration(&values);
    report.figure("hhi", Ratio, shares.map(|one| one.hhi), values.len());
    report.figure("effective_number", Ratio, shares.map(|one| one.effective_number), values.len());
    report.figure("largest_share", Fraction, shares.map(|one| one.largest), values.len());
    if let Some(sector) = columns.get(Role::Sector) {
        let rows = table.rows.iter().map(|row| row.cells[sector].trim()).zip(values.iter().copied());
        let groups = by_group(rows, equity).map_err(|reason| table.unusable(format!("equity {equity}: {reason}")))?;
        let mut grid = Grid::new("sector_exposure", &["sector", "net", "gross", "long", "short"]);
        for (name, one) in groups {
            let cells = [one.net, one.gross, one.long, one.short].map(|value| Cell::Number(value, Fraction));
            let name = if name.is_empty() { "(none)" } else { name };
            grid.rows.push([Cell::Text(name.to_owned())].into_iter().chain(cells).collect());
        }
        report.grids.push(grid);
    }
    Ok(report)
}
