//! What a book holds: concentration, and exposure over its equity, the whole and by sector.

use super::UnusableInput;
use super::columns::{Columns, Role};
use super::report::{Cell, Grid, Report};
use super::table::Row;
use crate::cli::metrics::MetricsArgs;
use performance_tracker::metrics::Unit::{Amount, Fraction, Ratio};
use performance_tracker::numeric::sum;
use performance_tracker::risk::concentration::concentration;
use performance_tracker::risk::exposure::{Exposure, by_group, exposure};
use std::collections::BTreeMap;

/// How far a value may be from quantity x price, as a part of the larger: what rounded prices make.
const ROUNDED: f64 = 1e-3;
/// The same as an amount: half of a cent.
const HALF_A_CENT: f64 = 0.005;

/// What each row of a book is worth.
struct Worth {
    /// Amounts, or parts of the equity; signed.
    values: Vec<f64>,
    /// Whether they are parts of the equity.
    is_weight: bool,
    /// Where they come from.
    from: &'static str,
}

/// Exposure and concentration by values or weights.
pub fn holdings(columns: &Columns<'_>, args: &MetricsArgs) -> Result<Report, UnusableInput> {
    let table = columns.table();
    let mut report = Report::new("holdings");
    of_one_moment(columns)?;
    if let Some(column) = columns.get(Role::Sector).filter(|_| !table.headed)
        && table.rows.iter().all(|row| columns.number(row, column).is_ok_and(|number| number.is_some()))
    {
        return Err(table.unusable("its third column holds numbers, not sectors: give it a header such as instrument,quantity,price"));
    }
    let Worth { values, is_weight, from } = worth(columns)?;
    // Weights are parts of the equity already.
    let equity = args.equity.unwrap_or(if is_weight { 1.0 } else { sum(values.iter().copied()) });
    report.fact("holdings", Cell::count(values.len()));
    report.fact("equity", Cell::Number(equity, if is_weight { Ratio } else { Amount }));
    report.fact("valued_by", Cell::Text(from.to_owned()));
    report.notes.extend(repeated(columns));
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
        let rows = table.rows.iter().map(|row| columns.text(row, sector)).zip(values.iter().copied());
        match by_group(rows, equity) {
            Ok(groups) => report.grids.push(by_sector(groups)),
            Err(reason) => report.notes.push(format!("no exposure by sector, of an equity of {equity}: {reason}")),
        }
    }
    Ok(report)
}

fn by_sector(groups: BTreeMap<&str, Exposure>) -> Grid {
    let mut grid = Grid::new("sector_exposure", &["sector", "net", "gross", "long", "short"]);
    for (name, one) in groups {
        let cells = [one.net, one.gross, one.long, one.short].map(|value| Cell::Number(value, Fraction));
        let name = if name.is_empty() { "(none)" } else { name };
        grid.rows.push([Cell::Text(name.to_owned())].into_iter().chain(cells).collect());
    }
    grid
}

/// Refuses a history of holdings: their sum is the book of no day.
fn of_one_moment(columns: &Columns<'_>) -> Result<(), UnusableInput> {
    let Some(column) = columns.any(&[Role::Date, Role::Period]) else { return Ok(()) };
    let rows = &columns.table().rows;
    let first = rows.first().map_or("", |row| columns.text(row, column));
    match rows.iter().find(|row| columns.text(row, column) != first) {
        Some(row) => {
            let why = format!("holdings are those of one moment, and line {} has {first:?}; leave one moment's rows", rows[0].line);
            Err(columns.table().wrong(row, column, why))
        }
        None => Ok(()),
    }
}

/// Values as they are given, else quantity x price x multiplier, else weights. A value that contradicts quantity x price
/// is refused, unless the caller names the column of values.
fn worth(columns: &Columns<'_>) -> Result<Worth, UnusableInput> {
    let table = columns.table();
    let (value, quantity, price) = (columns.get(Role::Value), columns.get(Role::Quantity), columns.get(Role::Price));
    let counted = quantity.zip(price).filter(|_| !columns.is_chosen(Role::Value));
    let weight = columns.any(&[Role::Weight, Role::PortfolioWeight]);
    if let (None, None, Some(weight)) = (value, counted, weight) {
        let values: Result<Vec<f64>, UnusableInput> = table
            .rows
            .iter()
            .map(|row| columns.fraction(row, weight)?.ok_or_else(|| table.wrong(row, weight, "a number is missing here")))
            .collect();
        return Ok(Worth { values: values?, is_weight: true, from: "weights" });
    }
    if value.is_none() && counted.is_none() {
        return Err(match (quantity, price) {
            (None, Some(_)) => table.unusable("a price alone is no value: it needs a column for quantity beside it, or one for value"),
            (Some(_), None) => table.unusable("a quantity alone is no value: it needs a column for price beside it, or one for value"),
            _ => columns.need(&[Role::Value]).err().unwrap_or_else(|| table.unusable("it has no values")),
        });
    }
    let values: Result<Vec<f64>, UnusableInput> = table.rows.iter().map(|row| of_row(columns, row, value, counted)).collect();
    let from = match (value, counted, columns.get(Role::Multiplier)) {
        (Some(_), None, _) => "value",
        (Some(_), Some(_), _) => "value, checked against quantity x price",
        (None, _, None) => "quantity x price",
        (None, _, Some(_)) => "quantity x price x multiplier",
    };
    Ok(Worth { values: values?, is_weight: false, from })
}

fn of_row(columns: &Columns<'_>, row: &Row, value: Option<usize>, counted: Option<(usize, usize)>) -> Result<f64, UnusableInput> {
    let table = columns.table();
    let given = value.map(|column| columns.number(row, column)).transpose()?.flatten();
    let product = match counted {
        Some(counted) => product(columns, row, counted)?,
        None => None,
    };
    match (given, product, value, counted) {
        (Some(given), Some(product), Some(column), _) => {
            let size = given.abs().max(product.abs());
            if (given - product).abs() <= ROUNDED * size + HALF_A_CENT {
                return Ok(given);
            }
            let why = format!(
                "{given} is not quantity x price, which is {product}; correct one, or say --column value={}",
                table.headers[column]
            );
            Err(table.wrong(row, column, why))
        }
        (Some(one), None, ..) | (None, Some(one), ..) => Ok(one),
        (.., Some(column), _) => Err(table.wrong(row, column, "a number is missing here")),
        (.., None, counted) => {
            let (quantity, price) = counted.unwrap_or_default();
            let column = if columns.number(row, quantity)?.is_none() { quantity } else { price };
            Err(table.wrong(row, column, "a number is missing here"))
        }
    }
}

/// Quantity x price, x multiplier where the row has one; `None` where the row lacks quantity or price.
fn product(columns: &Columns<'_>, row: &Row, (quantity, price): (usize, usize)) -> Result<Option<f64>, UnusableInput> {
    let multiplier = match columns.get(Role::Multiplier) {
        Some(column) => columns.number(row, column)?.unwrap_or(1.0),
        None => 1.0,
    };
    let (quantity, price) = (columns.number(row, quantity)?, columns.number(row, price)?);
    Ok(quantity.zip(price).map(|(quantity, price)| quantity * price * multiplier))
}

/// A word about instruments that stand in several rows, which concentration counts apart.
fn repeated(columns: &Columns<'_>) -> Option<String> {
    let column = columns.get(Role::Instrument)?;
    let mut rows: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &columns.table().rows {
        *rows.entry(columns.text(row, column)).or_default() += 1;
    }
    let names: Vec<&str> = rows.into_iter().filter(|(name, count)| !name.is_empty() && *count > 1).map(|(name, _)| name).collect();
    (!names.is_empty()).then(|| format!("in several rows, each of which counts as a holding of its own: {}", names.join(", ")))
}
