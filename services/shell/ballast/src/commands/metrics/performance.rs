//! The catalogue over a series of returns: figures, drawdowns, statements of value at risk, windows, the calendar.

use super::report::{Cell, Grid, Report};
use super::series::{Periods, Series};
use super::{UnusableInput, list};
use crate::cli::metrics::{Calendar, MetricsArgs, RiskMethod};
use domain::Date;
use performance_tracker::metrics::{OF_RISK_FREE, Unit, catalogue, extremes, rolling};
use performance_tracker::returns::calendar::{Timeframe, by_timeframe};
use performance_tracker::returns::drawdown;
use performance_tracker::risk::target::against_target;
use performance_tracker::risk::value_at_risk::{Method, statement};
use performance_tracker::{Figure, Sample, Settings, Undefined};

/// Drawdowns that are shown: the deepest.
const SHOWN: usize = 5;
/// What rolls where no figure was named.
const ROLLED: [&str; 4] = ["cumulative_return", "volatility", "sharpe", "beta"];

/// The settings that the flags say.
pub fn settings(args: &MetricsArgs) -> Result<Settings, UnusableInput> {
    let annual = |rate: f64| performance_tracker::sample::per_period(rate, args.periods_per_year);
    let settings = Settings {
        periods_per_year: args.periods_per_year,
        // A rate of a period, so that the same rate comes out again.
        risk_free_annual: args.risk_free,
        minimum_acceptable: args.mar_annual.map_or(args.mar, annual),
        confidence: args.confidence,
        horizon: args.horizon,
    };
    settings.checked().map_err(|wrong| UnusableInput(format!("the flags: {wrong}")))
}

/// Adds all that can be said of a series of returns.
pub fn add(report: &mut Report, series: &Series, args: &MetricsArgs) -> Result<(), UnusableInput> {
    let settings = settings(args)?;
    let rates = |periods: &Periods| match (&periods.risk_free, args.risk_free_period) {
        (None, Some(rate)) => Some(vec![rate; periods.returns.len()]),
        (rates, _) => rates.clone(),
    };
    let all = [Some(&series.own), series.rated.as_ref(), series.relative.as_ref()];
    let rates = all.map(|periods| periods.and_then(rates));
    let of = |at: usize| all[at].map(|periods| sample_of(periods, rates[at].as_deref(), settings)).transpose();
    let wrong = |wrong: performance_tracker::InvalidSeries| UnusableInput(wrong.to_string());
    let samples = Samples {
        own: sample_of(&series.own, rates[0].as_deref(), settings).map_err(wrong)?,
        rated: of(1).map_err(wrong)?,
        relative: of(2).map_err(wrong)?,
    };
    let sample = samples.own;
    facts(report, &sample, series, args);
    let missing = |figure: &Figure| matches!(figure.value, Err(Undefined::NoBenchmark | Undefined::NoDates)) && !asked(args, figure.id);
    report.figures.extend(samples.figures().into_iter().filter(|figure| !missing(figure)));
    if let Some(target) = args.target_risk {
        let realised = sample_figure(&sample, "volatility");
        let against = against_target(realised, target);
        report.figure("risk_against_target", Unit::Ratio, against.map(|found| found.ratio), sample.len());
        report.figure("risk_above_target", Unit::Fraction, against.map(|found| found.difference), sample.len());
    }
    if args.metrics.is_empty() || args.method.is_some() || args.book_value.is_some() || args.var_window.is_some() {
        report.grids.push(at_risk(&series.own, args));
    }
    if args.metrics.is_empty() {
        report.grids.push(drawdowns(&sample));
        report.grids.push(best_and_worst(&sample));
    }
    report.grids.extend(args.by.map(|by| by_calendar(&sample, by)));
    report.grids.extend(args.window.map(|window| windows(&samples, series, window, args)).transpose()?);
    Ok(())
}

/// The portfolio's own returns, and those of the periods that risk-free rates, or a benchmark, have too.
struct Samples<'a> {
    own: Sample<'a>,
    rated: Option<Sample<'a>>,
    relative: Option<Sample<'a>>,
}

/// Which periods a figure is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    /// All of the portfolio.
    Own,
    /// Those that risk-free rates have too.
    Rated,
    /// Those that the benchmark has too, and the rates.
    Relative,
}

impl<'a> Samples<'a> {
    fn of(&self, own: &Figure) -> (Of, Sample<'a>) {
        match (own.value, self.relative, self.rated) {
            (Err(Undefined::NoBenchmark), Some(relative), _) => (Of::Relative, relative),
            (_, _, Some(rated)) if OF_RISK_FREE.contains(&own.id) => (Of::Rated, rated),
            _ => (Of::Own, self.own),
        }
    }

    /// Every figure, each of the most periods that have what it needs.
    fn figures(&self) -> Vec<Figure> {
        let own = catalogue::of_returns(&self.own);
        let [rated, relative] = [&self.rated, &self.relative].map(|sample| sample.as_ref().map(catalogue::of_returns).unwrap_or_default());
        let chosen = |(at, figure): (usize, Figure)| match self.of(&figure).0 {
            Of::Own => figure,
            Of::Rated => rated[at],
            Of::Relative => relative[at],
        };
        own.into_iter().enumerate().map(chosen).collect()
    }
}

fn asked(args: &MetricsArgs, id: &str) -> bool {
    args.metrics.iter().any(|name| list::canonical(name) == id)
}

fn sample_figure(sample: &Sample<'_>, id: &str) -> performance_tracker::Answer {
    catalogue::find(id).and_then(|metric| metric.of_sample(sample)).map_or(Err(Undefined::OutOfRange), |figure| figure.value)
}

fn sample_of<'a>(
    series: &'a Periods,
    rates: Option<&'a [f64]>,
    settings: Settings,
) -> Result<Sample<'a>, performance_tracker::InvalidSeries> {
    let mut sample = Sample::new(&series.returns)?.with(settings)?;
    if let Some(dates) = &series.dates {
        sample = sample.dated(dates)?;
    }
    if let Some(opening) = series.opening {
        sample = sample.opened(opening);
    }
    if let Some(benchmark) = &series.benchmark {
        sample = sample.against(benchmark)?;
    }
    match rates {
        Some(rates) => sample.with_risk_free(rates),
        None => Ok(sample),
    }
}

fn facts(report: &mut Report, sample: &Sample<'_>, series: &Series, args: &MetricsArgs) {
    report.fact("observations", Cell::count(sample.len()));
    let (dates, opening) = (series.own.dates.as_deref().unwrap_or_default(), series.own.opening);
    report.fact("from", Cell::maybe(opening.or(dates.first().copied())));
    report.fact("to", Cell::maybe(dates.last()));
    if let Some(relative) = &series.relative {
        report.fact("observations_with_benchmark", Cell::count(relative.returns.len()));
    }
    if let Some(rated) = &series.rated {
        report.fact("observations_with_risk_free", Cell::count(rated.returns.len()));
    }
    report.fact("periods_per_year", Cell::Setting(args.periods_per_year));
    let rate = if series.own.risk_free.is_some() || series.rated.is_some() {
        Cell::Text("a series".to_owned())
    } else if args.risk_free_period.is_some() {
        Cell::Text(format!("{} a period", args.risk_free_period.unwrap_or_default()))
    } else {
        Cell::Number(args.risk_free, Unit::Fraction)
    };
    report.fact("risk_free", rate);
    report.notes.extend(series.notes.iter().cloned());
    if sample.is_under_a_year() && !sample.is_empty() {
        let span = sample.days().map_or_else(|| format!("{} periods", sample.len()), |days| format!("{days} calendar days"));
        report.notes.push(format!("less than a year ({span}): annualised figures say what a year of the same would be"));
    }
    report.notes.extend(spacing(opening.or(dates.first().copied()), dates, opening.is_some(), args.periods_per_year));
}

/// A word where the dates stand much further apart, or closer, than the periods of a year say.
fn spacing(first: Option<Date>, dates: &[Date], opened: bool, periods: f64) -> Option<String> {
    let (first, last) = (first?, dates.last()?);
    let steps = if opened { dates.len() } else { dates.len() - 1 };
    if steps == 0 {
        return None;
    }
    let apart = f64::from(last.days() - first.days()) / steps as f64;
    let expected = 365.25 / periods;
    let far = apart > 2.0 * expected || apart < expected / 2.0;
    far.then(|| format!("dates are {apart:.1} days apart on average: is --periods-per-year {periods} meant?"))
}

fn drawdowns(sample: &Sample<'_>) -> Grid {
    let mut grid = Grid::new("drawdowns", &["depth", "peak", "trough", "recovery", "days"]);
    let Ok(mut all) = drawdown::all(sample.returns()) else { return grid };
    all.sort_by(|one, other| one.depth.total_cmp(&other.depth));
    let dates = sample.dates().ok();
    let named = |row: usize| dates.map_or_else(|| (row + 1).to_string(), |dates| dates[row].to_string());
    // As the figure of the deepest one has it: without the day of a first value, time counts from the first return.
    let opening = sample.opening().or(dates.and_then(|dates| dates.first().copied()));
    let day = |row: Option<usize>| row.map_or(opening, |row| dates.map(|dates| dates[row])).map(Date::days);
    for one in all.iter().take(SHOWN) {
        let start = one.peak.map(named).or(sample.opening().map(|day| day.to_string())).unwrap_or_else(|| "start".to_owned());
        let end = one.recovery.or(sample.len().checked_sub(1));
        let days = day(one.peak).zip(end.and_then(|row| day(Some(row)))).map(|(from, to)| to - from).filter(|_| dates.is_some());
        grid.rows.push(vec![
            Cell::Number(one.depth, Unit::Fraction),
            Cell::Text(start),
            Cell::Text(named(one.trough)),
            Cell::maybe(one.recovery.map(named)),
            days.map_or(Cell::Empty, |days| Cell::Number(f64::from(days), Unit::Days)),
        ]);
    }
    grid
}

fn best_and_worst(sample: &Sample<'_>) -> Grid {
    let mut grid = Grid::new("best_and_worst", &["which", "period", "return"]);
    let dates = sample.dates().ok();
    for (which, row) in extremes::rows(sample).into_iter().flat_map(|(best, worst)| [("best", best), ("worst", worst)]) {
        let named = dates.map_or_else(|| (row + 1).to_string(), |dates| dates[row].to_string());
        grid.rows.push(vec![Cell::Text(which.to_owned()), Cell::Text(named), Cell::Number(sample.returns()[row], Unit::Fraction)]);
    }
    grid
}

/// The method of a flag.
pub const fn method(asked: RiskMethod) -> Method {
    match asked {
        RiskMethod::Historical => Method::Historical,
        RiskMethod::Parametric => Method::Parametric,
        RiskMethod::CornishFisher => Method::CornishFisher,
    }
}

fn at_risk(series: &Periods, args: &MetricsArgs) -> Grid {
    let headers = ["method", "confidence", "horizon", "window", "observations", "gaps", "var", "es", "var_money", "es_money"];
    let shown = if args.book_value.is_some() { headers.len() } else { headers.len() - 2 };
    let mut grid = Grid::new("value_at_risk", &headers[..shown]);
    let rows: Vec<Option<f64>> = series.returns.iter().copied().map(Some).collect();
    let methods = args.method.map_or(vec![Method::Historical, Method::Parametric, Method::CornishFisher], |one| vec![method(one)]);
    for method in methods {
        let said = statement(&rows, args.var_window.unwrap_or(rows.len()), method, args.confidence, args.horizon);
        let mut row = vec![
            Cell::Text(method.name().to_owned()),
            Cell::Number(said.confidence, Unit::Fraction),
            Cell::Setting(said.horizon),
            Cell::count(said.window),
            Cell::count(said.observations),
            Cell::count(said.gaps),
            Cell::of(said.value_at_risk, Unit::Fraction),
            Cell::of(said.shortfall, Unit::Fraction),
        ];
        if let Some(value) = args.book_value {
            row.extend([said.value_at_risk, said.shortfall].map(|part| Cell::of(part.map(|part| part * value), Unit::Amount)));
        }
        grid.rows.push(row);
    }
    grid
}

fn by_calendar(sample: &Sample<'_>, by: Calendar) -> Grid {
    let timeframe = match by {
        Calendar::Week => Timeframe::Week,
        Calendar::Month => Timeframe::Month,
        Calendar::Quarter => Timeframe::Quarter,
        Calendar::Year => Timeframe::Year,
    };
    let mut grid = Grid::new("calendar", &["period", "return"]);
    let Ok(dates) = sample.dates() else { return grid };
    for (span, total) in by_timeframe(dates, sample.returns(), timeframe) {
        grid.rows.push(vec![Cell::Text(span.to_string()), Cell::of(total, Unit::Fraction)]);
    }
    grid
}

fn windows(samples: &Samples<'_>, series: &Series, window: usize, args: &MetricsArgs) -> Result<Grid, UnusableInput> {
    let sample = &samples.own;
    let named: Vec<String> = if args.metrics.is_empty() {
        let fits = |id: &&str| *id != "beta" || samples.relative.is_some();
        ROLLED.into_iter().filter(fits).map(str::to_owned).collect()
    } else {
        args.metrics.iter().map(|id| list::canonical(id)).collect()
    };
    let mut grid = Grid::new("rolling", &["end"]);
    let mut columns = Vec::new();
    for id in &named {
        let Some(metric) = catalogue::find(id) else {
            return Err(UnusableInput(list::words_about(id, "returns", catalogue::all().map(|metric| metric.id))));
        };
        let needs = metric.function.needs();
        if needs != "returns" {
            return Err(UnusableInput(format!("--window {window}: {id} is a figure of {needs}, and only those of returns roll")));
        }
        grid.headers.push(id.clone());
        let (of, over) = metric.of_sample(sample).map_or((Of::Own, *sample), |figure| samples.of(&figure));
        let periods = match of {
            Of::Own => None,
            Of::Rated => series.rated.as_ref(),
            Of::Relative => series.relative.as_ref(),
        };
        columns.push((periods, rolling::rolling(metric, &over, window)));
    }
    let rows = if window == 0 { 0 } else { (sample.len() + 1).saturating_sub(window) };
    if rows == 0 {
        return Err(UnusableInput(format!("--window {window}: there are {} returns", sample.len())));
    }
    for row in 0..rows {
        let end = row + window - 1;
        let named = sample.dates().map_or_else(|_| (end + 1).to_string(), |dates| dates[end].to_string());
        // A window of common periods stands at the row with which it ends; where none ends, there is nothing.
        let place = |periods: Option<&Periods>| match periods {
            Some(periods) => periods.ends.binary_search(&end).ok()?.checked_sub(window - 1),
            None => Some(row),
        };
        let cells = columns.iter().map(|(periods, column)| match place(*periods).and_then(|at| column.get(at)) {
            Some(figure) => Cell::of(figure.value, figure.unit),
            None => Cell::Empty,
        });
        grid.rows.push([Cell::Text(named)].into_iter().chain(cells).collect());
    }
    Ok(grid)
}
