//! The figures of the asked span: the catalogue of the core over the span's own daily returns, its values and its flows,
//! beside the sets that are stored. Periods a year and the risk-free rate are those of the policy in force, the minimum
//! acceptable return is zero, as in records; what the benchmark returned is what the records of the days say. What stands
//! for a whole year is not told of less than one. No formula is written here.
#![allow(clippy::float_arithmetic, reason = "statistics are f64")]

use super::returns::{Day, Series, coded};
use domain::enums::MetricUnit;
use domain::fixed::WIRE_LIMIT;
use domain::performance::Metric;
use domain::policy::Policy;
use domain::{Date, Fraction, SmolStr, Timestamp, TradingDays};
use performance_tracker::metrics::{Function, Unit, catalogue};
use performance_tracker::returns::account::{FlowTiming, Valuation, owner_flows};
use performance_tracker::returns::dietz::{DayPart, modified};
use performance_tracker::returns::growth;
use performance_tracker::returns::money_weighted::xirr;
use performance_tracker::undefined::{Answer, finite};
use performance_tracker::{InvalidSeries, Sample, Settings, Undefined};
use postgres_store::Micros;
use postgres_store::queries::FigureSet;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::Value;

/// The timeframe of the span.
pub(super) const SPAN: &str = "SPAN";
/// Calendar days of a year.
const YEAR_DAYS: i64 = 365;
/// What stands for a whole year of returns, and that less than one does not show: of the records, and of the catalogue beside.
const OF_A_YEAR: [&str; 18] = [
    "annualised_return",
    "arithmetic_annual_return",
    "sharpe_compounded",
    "calmar",
    "martin_ratio",
    "pain_ratio",
    "alpha",
    "alpha_arithmetic",
    "alpha_of_annualised",
    "treynor",
    "m_squared",
    "information_ratio_compounded",
    "active_return",
    "benchmark_annualised_return",
    "up_capture",
    "down_capture",
    "up_down_capture",
    "capture",
];

/// What of a policy the figures need.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Terms {
    settings: Settings,
    has_benchmark: bool,
    base_currency: String,
    /// What is to be known of all figures.
    note: Option<SmolStr>,
}

impl Terms {
    /// Those of a policy as it is stored. One that this build cannot read has weekdays, no rate and no benchmark, and says so.
    pub(super) fn of(policy: &Value, base_currency: &str) -> Self {
        let base_currency = base_currency.to_owned();
        match serde_json::from_value::<Policy>(policy.clone()) {
            Ok(policy) => {
                let risk_free_annual = policy.risk_free_rate.and_then(Fraction::to_decimal).map_or(0.0, float);
                let periods_per_year = if TradingDays::of(&policy).are_all() { 365.0 } else { 252.0 };
                let settings = Settings { periods_per_year, risk_free_annual, ..Settings::default() };
                Self { settings, has_benchmark: policy.benchmark.is_some(), base_currency, note: None }
            }
            Err(_) => {
                let note = SmolStr::new_static("the policy cannot be read: 252 periods a year, no risk-free rate, no benchmark");
                Self { settings: Settings::default(), has_benchmark: false, base_currency, note: Some(note) }
            }
        }
    }
}

/// The figures of a series that has days, up to the moment at which its last day ends.
///
/// # Errors
/// When a date or a return of the tables is none.
pub(super) fn figures(series: &Series, terms: &Terms, until: Option<Micros>) -> anyhow::Result<FigureSet> {
    let span = Span::of(series, terms)?;
    let end = span.dated.last().map(|(date, _)| date.plus_days(1).start_utc()).unwrap_or(Timestamp::LAST);
    let date = |day: Option<&Day>| day.map(|day| day.date.clone());
    Ok(FigureSet {
        timeframe: SPAN.to_owned(),
        as_of: until.unwrap_or(Micros(end.micros())),
        from_date: date(series.days.first()),
        date: date(series.days.last()),
        base_currency: terms.base_currency.clone(),
        provisional: series.days.iter().any(|day| day.provisional),
        metrics: serde_json::to_value(span.metrics()?)?,
    })
}

/// One figure before it is written.
struct Line {
    id: &'static str,
    unit: MetricUnit,
    value: Answer,
    observations: usize,
    method: &'static str,
    note: Option<SmolStr>,
}

/// A span in the terms of statistics.
struct Span<'a> {
    series: &'a Series,
    terms: &'a Terms,
    /// Every day with its date.
    dated: Vec<(Date, &'a Day)>,
    /// The days since linking last stopped that have a return, and these.
    dates: Vec<Date>,
    returns: Vec<f64>,
    /// The day that the first of them is measured from.
    opening: Option<Date>,
}

impl<'a> Span<'a> {
    fn of(series: &'a Series, terms: &'a Terms) -> anyhow::Result<Self> {
        let dated = series.days.iter().map(|day| Ok((day.date.parse()?, day))).collect::<anyhow::Result<Vec<(Date, &Day)>>>()?;
        let with = |(date, day): &(Date, &Day)| Some((*date, float(*day.change.as_ref().ok()?)));
        let (dates, returns): (Vec<Date>, Vec<f64>) = dated[series.since..].iter().filter_map(with).unzip();
        let closed = series.closed_before().map(str::parse).transpose()?;
        let opening = closed.or_else(|| dates.first().map(|first| first.plus_days(-1)));
        Ok(Self { series, terms, dated, dates, returns, opening })
    }

    fn metrics(&self) -> anyhow::Result<Vec<Metric>> {
        let window = smol(format!("{}D", self.dated.len()));
        let mut metrics = vec![self.total(&window)];
        metrics.extend(self.of_flows().into_iter().map(|line| self.published(line, &window)));
        metrics.extend(self.of_returns()?.into_iter().map(|line| self.published(line, &window)));
        let sum =
            |of: fn(&Day) -> Option<Decimal>| self.series.days.iter().map(of).try_fold(Decimal::ZERO, |sum, one| sum.checked_add(one?));
        let flow = sum(|day| Some(day.flow));
        metrics.push(self.amount("net_external_flow", flow, "cash and securities across the boundary", &window));
        metrics.push(self.amount("profit", sum(|day| day.earned), "change of equity - net external flow", &window));
        Ok(metrics)
    }

    /// The product of the days, as it stands above them: one figure has one way.
    fn total(&self, window: &SmolStr) -> Metric {
        let (id, method) = ("time_weighted_return", "product of (1 + daily return) - 1");
        let value = Err(Undefined::OutOfRange);
        let line = Line { id, unit: MetricUnit::Fraction, value, observations: self.series.observations, method, note: None };
        let reason = self.series.reason().map(smol);
        Metric { value: self.series.total.and_then(written), reason, ..self.published(line, window) }
    }

    /// A sum as a figure; one that a day does not tell is none.
    fn amount(&self, id: &'static str, sum: Option<Decimal>, method: &'static str, window: &SmolStr) -> Metric {
        let line =
            Line { id, unit: MetricUnit::Money, value: Err(Undefined::OutOfRange), observations: self.dated.len(), method, note: None };
        let value = sum.and_then(written);
        let reason = value.is_none().then(|| SmolStr::new_static("a day of the span does not tell it"));
        Metric { value, reason, ..self.published(line, window) }
    }

    fn published(&self, line: Line, window: &SmolStr) -> Metric {
        let found = line.value.and_then(|value| fraction(value).ok_or(Undefined::OutOfRange));
        let of_quantile = line.id.starts_with("var_") || line.id.starts_with("es_");
        let settings = &self.terms.settings;
        Metric {
            id: SmolStr::new_static(line.id),
            value: found.ok(),
            unit: line.unit,
            currency: None,
            window: window.clone(),
            observations: count(line.observations),
            method: SmolStr::new_static(line.method),
            confidence: fraction(settings.confidence).filter(|_| of_quantile),
            horizon_days: of_quantile.then_some(1),
            reason: found.err().map(|why| smol(coded(why))).or(line.note).or_else(|| self.terms.note.clone()),
        }
    }

    fn sample<'b>(&self, dates: &'b [Date], returns: &'b [f64]) -> Result<Sample<'b>, InvalidSeries> {
        let sample = Sample::new(returns)?.dated(dates)?.with(self.terms.settings)?;
        Ok(self.opening.map_or(sample, |day| sample.opened(day)))
    }

    fn of_returns(&self) -> Result<Vec<Line>, InvalidSeries> {
        let own = self.sample(&self.dates, &self.returns)?;
        let (common, ours, theirs) = self.beside_benchmark();
        let joint = self.terms.has_benchmark.then(|| self.sample(&common, &ours).and_then(|joint| joint.against(&theirs))).transpose()?;
        let lost = self.series.lost().map(|_| self.series.reason().map(smol));
        let one = |metric: &'static performance_tracker::metrics::Metric| {
            let mut sample = own;
            let mut figure = metric.of_sample(&own)?;
            if let (Err(Undefined::NoBenchmark), Some(joint)) = (figure.value, joint) {
                (sample, figure) = (joint, metric.of_sample(&joint)?);
            }
            let mut value = figure.value;
            if value.is_ok() && sample.is_under_a_year() && OF_A_YEAR.contains(&metric.id) {
                value = Err(Undefined::UnderOneYear { days: sample.days().unwrap_or(0) });
            }
            // Of what has gone there are no figures.
            if lost.is_some() && self.returns.is_empty() {
                value = Err(Undefined::TotalLoss);
            }
            if let (Some(days), "max_drawdown_days") = (self.series.deepest.as_ref().and_then(|fall| fall.days), metric.id) {
                value = finite(f64::from(days));
            }
            let (unit, note) = (unit_of(metric.unit), lost.clone().flatten());
            Some(Line { id: metric.id, unit, value, observations: figure.observations, method: metric.formula, note })
        };
        Ok(catalogue::all().filter_map(one).collect())
    }

    /// Values and flows, from the close before the first day on; of a series that begins with it, from nothing.
    fn valuations(&self) -> Vec<Valuation> {
        let Some((first, _)) = self.dated.first() else { return Vec::new() };
        let nothing = Valuation { date: first.plus_days(-1), value: 0.0, flow: 0.0 };
        let before = self.series.before.as_ref();
        let opening = before.and_then(|(date, value)| Some(Valuation { date: date.parse().ok()?, value: float(*value), flow: 0.0 }));
        let days = self.dated.iter().map(|(date, day)| Valuation { date: *date, value: float(day.value), flow: float(day.flow) });
        std::iter::once(opening.unwrap_or(nothing)).chain(days).collect()
    }

    /// Money-weighted returns, of a year and of the span, and the approximations by Dietz: modified Dietz as in records.
    fn of_flows(&self) -> Vec<Line> {
        let rows = self.valuations();
        let days = rows.last().zip(rows.first()).map_or(0, |(last, first)| i64::from(last.date.days() - first.date.days()));
        let flows: Vec<_> = owner_flows(&rows, FlowTiming::Daily).into_iter().filter(|flow| flow.amount != 0.0).collect();
        let found = xirr(&flows);
        let ambiguous = found.as_ref().is_ok_and(|rate| rate.is_ambiguous());
        let note = ambiguous.then(|| SmolStr::new_static("AMBIGUOUS: several rates bring the flows to zero"));
        let yearly = if days < YEAR_DAYS { Err(Undefined::UnderOneYear { days }) } else { found.map(|rate| rate.rate) };
        let line = |id, value, method, note| Line { id, unit: MetricUnit::Fraction, value, observations: self.dated.len(), method, note };
        let mut lines = vec![
            line(
                "modified_dietz",
                modified(&rows, FlowTiming::Daily, DayPart::Start),
                "gain / (begin + flows by the days that they worked)",
                None,
            ),
            line("money_weighted_return", yearly, "XIRR, Actual/365, a year", note.clone()),
        ];
        for (id, note) in [("money_weighted_return_period", note), ("simple_dietz", None)] {
            if let Some((metric, Function::Account(function))) = catalogue::find(id).map(|metric| (metric, metric.function)) {
                lines.push(line(metric.id, function(&rows, FlowTiming::Daily).and_then(finite), metric.formula, note));
            }
        }
        lines
    }

    /// Returns between the days on which the benchmark had a price, of both: joined first, returns afterwards. Which day had
    /// its first price no record says: where the day before the span tells no return of it, own returns count from the last
    /// day on that has none.
    fn beside_benchmark(&self) -> (Vec<Date>, Vec<f64>, Vec<f64>) {
        let (mut dates, mut ours, mut theirs, mut since) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut priced = self.series.benchmark_before;
        for (date, day) in &self.dated[self.series.since..] {
            since.extend(day.change.as_ref().ok().map(|change| float(*change)));
            match day.benchmark {
                Some(benchmark) => {
                    dates.push(*date);
                    ours.push(growth(&since).map_or(0.0, |growth| growth - 1.0));
                    theirs.push(float(benchmark));
                    since.clear();
                    priced = true;
                }
                None if !priced => since.clear(),
                None => {}
            }
        }
        (dates, ours, theirs)
    }
}

fn unit_of(unit: Unit) -> MetricUnit {
    match unit {
        Unit::Fraction => MetricUnit::Fraction,
        Unit::Ratio => MetricUnit::Ratio,
        Unit::Count => MetricUnit::Count,
        Unit::Days => MetricUnit::Days,
        Unit::Amount => MetricUnit::Money,
    }
}

/// A number at twelve decimals, rounded as in records; `None` beyond what one holds.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "the range is checked before")]
fn fraction(value: f64) -> Option<Fraction> {
    let units = (value * Fraction::ONE.units() as f64).round_ties_even();
    (units.abs() < WIRE_LIMIT as f64).then(|| Fraction::from_units(units as i128))
}

/// An exact number as a figure.
fn written(number: Decimal) -> Option<Fraction> {
    number.normalize().to_string().parse().ok()
}

/// The nearest number of statistics.
fn float(exact: Decimal) -> f64 {
    exact.to_f64().unwrap_or_default()
}

fn count(of: usize) -> i32 {
    i32::try_from(of).unwrap_or(i32::MAX)
}

fn smol(text: String) -> SmolStr {
    SmolStr::new(text)
}

#[cfg(test)]
mod tests;
