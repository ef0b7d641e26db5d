//! Several series of returns: how they move together, and what each adds to the risk of a book with weights.

mod book;

use super::UnusableInput;
use super::columns::{Columns, Role};
use super::plausible::{asked_about, look_like_levels};
use super::report::{Cell, Grid, Report};
use super::series::timed;
use super::table::Row;
use crate::cli::metrics::MetricsArgs;
use performance_tracker::metrics::Unit::{Fraction, Ratio};
use performance_tracker::numeric::{mean, standard_deviation, sum};
use performance_tracker::returns::between;
use performance_tracker::risk::covariance::{Matrix, correlation_of, exponential, sample};

/// What weights that are written as per cent add up to.
const PER_CENT: f64 = 100.0;

/// The assets of a file.
struct Assets {
    names: Vec<String>,
    columns: Vec<Vec<f64>>,
    left_out: usize,
}

/// Covariances, correlations and, with weights, components of risk.
pub fn assets(columns: &Columns<'_>, args: &MetricsArgs) -> Result<Report, UnusableInput> {
    let table = columns.table();
    let assets = read(columns, args)?;
    let mut report = Report::new("assets");
    let rows = assets.columns.first().map_or(0, Vec::len);
    report.fact("assets", Cell::count(assets.names.len()));
    report.fact("observations", Cell::count(rows));
    report.fact("gaps", Cell::count(assets.left_out));
    let method =
        args.lambda.map_or("sample (n - 1)".to_owned(), |lambda| format!("exponential, lambda {lambda}, mean zero, weights add up to 1"));
    report.fact("covariance_method", Cell::Text(method));
    if assets.left_out > 0 {
        report.notes.push(format!("{} rows without a value of every asset left out", assets.left_out));
    }
    let covariances = match args.lambda {
        Some(lambda) if !(lambda > 0.0 && lambda < 1.0) => {
            return Err(UnusableInput(format!("--lambda {lambda}: it lies between 0 and 1, such as 0.94")));
        }
        Some(lambda) => exponential(&assets.columns, lambda),
        None => sample(&assets.columns),
    };
    let covariances = covariances.map_err(|reason| table.unusable(reason))?;
    report.grids.push(each(&assets, args));
    report.grids.push(square("covariance", &assets.names, &covariances));
    match correlation_of(&covariances) {
        Ok(matrix) => report.grids.push(square("correlation", &assets.names, &matrix)),
        Err(reason) => report.notes.push(format!("there are no correlations: {reason}")),
    }
    match &args.weights {
        Some(text) => {
            let weights = weights(text, &assets.names)?;
            report.notes.extend(plausible(text, &weights)?);
            book::add(&mut report, &assets, &covariances, &weights, args);
        }
        None => report.notes.push("--weights A=0.6,B=0.4 gives the risk of a book and what each asset adds to it".to_owned()),
    }
    Ok(report)
}

/// Every numeric column but the date's.
fn read(columns: &Columns<'_>, args: &MetricsArgs) -> Result<Assets, UnusableInput> {
    let table = columns.table();
    let dates = columns.any(&[Role::Date, Role::Period]);
    let wanted: Vec<usize> = (0..table.headers.len()).filter(|column| Some(*column) != dates).collect();
    let rows: Vec<&Row> =
        if columns.is_dated() { timed(columns)?.rows.into_iter().map(|(_, row)| row).collect() } else { table.rows.iter().collect() };
    let mut series: Vec<Vec<f64>> = vec![Vec::new(); wanted.len()];
    let mut left_out = 0;
    for row in rows {
        let cell = |column: &usize| if args.prices { columns.number(row, *column) } else { columns.fraction(row, *column) };
        let values: Result<Vec<Option<f64>>, UnusableInput> = wanted.iter().map(cell).collect();
        match values?.into_iter().collect::<Option<Vec<f64>>>() {
            Some(values) => series.iter_mut().zip(values).for_each(|(column, value)| column.push(value)),
            None => left_out += 1,
        }
    }
    let doubtful = series.iter().zip(&wanted).find(|(values, _)| look_like_levels(values) && !args.prices);
    if let Some((_, column)) = doubtful {
        return Err(table.unusable(asked_about(&table.headers[*column], "prices, say --prices")));
    }
    if args.prices {
        let returns: Result<Vec<Vec<f64>>, _> = series.iter().map(|levels| between(levels)).collect();
        series = returns.map_err(|reason| table.unusable(format!("prices are positive: {reason}")))?;
    }
    Ok(Assets { names: wanted.iter().map(|column| table.headers[*column].clone()).collect(), columns: series, left_out })
}

/// Weights that come to 100 are per cent; what they leave of 1 is said.
fn plausible(text: &str, weights: &[f64]) -> Result<Option<String>, UnusableInput> {
    let whole = sum(weights.iter().copied());
    if (whole - PER_CENT).abs() < 1.0 {
        return Err(UnusableInput(format!("--weights {text}: they add up to {whole}, not to 1; if they are per cent, write 60% or 0.6")));
    }
    let is_one = (whole - 1.0).abs() < 1e-6;
    Ok((!is_one).then(|| format!("--weights add up to {whole:.6}: the rest of 1 counts as what does not move")))
}

/// Weights by name, or by place.
fn weights(text: &str, names: &[String]) -> Result<Vec<f64>, UnusableInput> {
    let parts: Vec<&str> = text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    let wrong = |why: String| UnusableInput(format!("--weights {text}: {why}; the assets are {}", names.join(", ")));
    let number = |part: &str| super::number::number(part).map_err(&wrong);
    if parts.iter().all(|part| !part.contains('=')) {
        if parts.len() != names.len() {
            return Err(wrong(format!("there are {} weights and {} assets", parts.len(), names.len())));
        }
        return parts.into_iter().map(number).collect();
    }
    let mut weights = vec![0.0; names.len()];
    for part in parts {
        let (name, weight) = part.split_once('=').ok_or_else(|| wrong(format!("{part:?} is no NAME=WEIGHT")))?;
        let at = names.iter().position(|one| one == name.trim()).ok_or_else(|| wrong(format!("there is no asset {name:?}")))?;
        weights[at] = number(weight)?;
    }
    Ok(weights)
}

fn each(assets: &Assets, args: &MetricsArgs) -> Grid {
    let mut grid = Grid::new("assets_each", &["asset", "mean", "standard_deviation", "volatility"]);
    for (name, column) in assets.names.iter().zip(&assets.columns) {
        let deviation = standard_deviation(column);
        let annual = deviation.map(|deviation| deviation * args.periods_per_year.sqrt());
        let cells = [mean(column), deviation, annual].map(|answer| Cell::of(answer, Fraction));
        grid.rows.push([Cell::Text(name.clone())].into_iter().chain(cells).collect());
    }
    grid
}

fn square(name: &'static str, names: &[String], matrix: &Matrix) -> Grid {
    let mut grid = Grid::new(name, &["asset"]);
    grid.headers.extend(names.iter().cloned());
    for (asset, row) in names.iter().zip(matrix) {
        let cells = row.iter().map(|value| Cell::Number(*value, Ratio));
        grid.rows.push([Cell::Text(asset.clone())].into_iter().chain(cells).collect());
    }
    grid
}
