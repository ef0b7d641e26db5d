//! The figures of the asked span: the catalogue of the core over the span's own daily returns, its values and its flows,
//! beside the sets that are stored. Periods a year and the risk-free rate are those of the policy in force, the minimum
//! acceptable return is zero, as in records; what the benchmark and the risk-free instrument returned, and which trades
//! were closed, is what the records of the days say. What stands
//! for a whole year is not told of less than one. No formula is written here.
#![allow(clippy::float_arithmetic, reason = "statistics are f64")]

use super::returns::{Day, Series};
use domain::enums::MetricUnit;
use domain::performance::Metric;
use domain::policy::Policy;
use domain::{Date, Fraction, Money, SmolStr, Timestamp, TradingDays};
use performance_tracker::metrics::{Function, OF_RISK_FREE, catalogue};
use performance_tracker::returns::account::{FlowTiming, Valuation};
use performance_tracker::tracker::figures::{Line, fraction, money_weighted, yearly_rate};
use performance_tracker::tracker::{Beside, Common, Counted, figures_of_trades, sum_of_trades};
use performance_tracker::undefined::finite;
use performance_tracker::{InvalidSeries, Sample, Settings, Undefined};
use postgres_store::Micros;
use postgres_store::queries::{ClosedTrades, FigureSet};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::Value;

/// The timeframe of the span.
pub(super) const SPAN: &str = "SPAN";

/// What of a policy the figures need.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Terms {
    settings: Settings,
    has_benchmark: bool,
    has_risk_free: bool,
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
                let (has_benchmark, has_risk_free) = (policy.benchmark.is_some(), policy.risk_free_instrument.is_some());
                Self { settings, has_benchmark, has_risk_free, base_currency, note: None }
            }
            Err(_) => {
                let note = SmolStr::new_static("the policy cannot be read: 252 periods a year, no risk-free rate, no benchmark");
                Self { settings: Settings::default(), has_benchmark: false, has_risk_free: false, base_currency, note: Some(note) }
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
        metrics.extend(self.of_trades(&window));
        Ok(metrics)
    }

    /// The figures of closed trades that follow from their counts and sums.
    fn of_trades(&self, window: &SmolStr) -> Vec<Metric> {
        let told: Option<Vec<_>> = self.dated.iter().filter_map(|(date, day)| Some(of_day(*date, &day.trades?))).collect();
        let metrics = figures_of_trades(told.and_then(|told| sum_of_trades(&told)).as_ref(), window);
        let note = |metric: &Metric| (metric.id == "trades").then(|| SmolStr::new_static(AS_TOLD));
        metrics.into_iter().map(|metric| Metric { reason: metric.reason.clone().or_else(|| note(&metric)), ..metric }).collect()
    }

    /// The product of the days, as it stands above them: one figure has one way.
    fn total(&self, window: &SmolStr) -> Metric {
        let (id, method) = ("time_weighted_return", "product of (1 + daily return) - 1");
        let line = Line::new(id, MetricUnit::Fraction, Err(Undefined::OutOfRange), self.series.observations, method);
        let reason = self.series.reason().map(smol);
        Metric { value: self.series.total.and_then(written), reason, ..self.published(line, window) }
    }

    /// A sum as a figure; one that a day does not tell is none.
    fn amount(&self, id: &'static str, sum: Option<Decimal>, method: &'static str, window: &SmolStr) -> Metric {
        let line = Line::new(id, MetricUnit::Money, Err(Undefined::OutOfRange), self.dated.len(), method);
        let value = sum.and_then(written);
        let reason = value.is_none().then(|| SmolStr::new_static("a day of the span does not tell it"));
        Metric { value, reason, ..self.published(line, window) }
    }

    fn published(&self, line: Line, window: &SmolStr) -> Metric {
        let of_quantile = line.id.starts_with("var_") || line.id.starts_with("es_");
        let metric = line.published(window);
        Metric {
            confidence: fraction(self.terms.settings.confidence).filter(|_| of_quantile),
            horizon_days: of_quantile.then_some(1),
            reason: metric.reason.or_else(|| self.terms.note.clone()),
            ..metric
        }
    }

    fn of_returns(&self) -> Result<Vec<Line>, InvalidSeries> {
        let own = Sample::new(&self.returns)?.dated(&self.dates)?.with(self.terms.settings)?;
        let own = self.opening.map_or(own, |day| own.opened(day));
        let common = |counts: bool, counted: Counted| counts.then(|| self.common(counted));
        let (has_benchmark, is_rated) = (self.terms.has_benchmark, self.is_rated());
        let all = [
            common(is_rated, Counted { benchmark: false, risk_free: true }),
            common(has_benchmark, Counted { benchmark: true, risk_free: false }),
            common(has_benchmark && is_rated, Counted { benchmark: true, risk_free: true }),
        ];
        let sample = |at: usize| all[at].as_ref().map(|common| common.sample(self.terms.settings)).transpose();
        let (rated, beside, both) = (sample(0)?, sample(1)?, sample(2)?);
        let lost = self.series.lost().map(|_| self.series.reason().map(smol));
        let one = |metric: &'static performance_tracker::metrics::Metric| {
            // What counts the risk-free is of the days that have it.
            let counts = OF_RISK_FREE.contains(&metric.id);
            let mut figure = metric.of_period(&rated.filter(|_| counts).unwrap_or(own))?;
            if let (Err(Undefined::NoBenchmark), Some(joint)) = (figure.value, both.filter(|_| counts).or(beside)) {
                figure = metric.of_period(&joint)?;
            }
            let mut value = figure.value;
            // Of what has gone there are no figures.
            if lost.is_some() && self.returns.is_empty() {
                value = Err(Undefined::TotalLoss);
            }
            if let (Some(days), "max_drawdown_days") = (self.series.deepest.as_ref().and_then(|fall| fall.days), metric.id) {
                value = finite(f64::from(days));
            }
            let line = Line::new(metric.id, metric.unit.published(), value, figure.observations, metric.formula);
            Some(Line { note: lost.clone().flatten(), ..line })
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
        let mut lines = money_weighted(&rows, self.dated.len()).to_vec();
        for (id, note) in [("money_weighted_return_period", yearly_rate(&rows).1), ("simple_dietz", None)] {
            if let Some((metric, Function::Account(function))) = catalogue::find(id).map(|metric| (metric, metric.function)) {
                let value = function(&rows, FlowTiming::Daily).and_then(finite);
                lines.push(Line { note, ..Line::new(metric.id, MetricUnit::Fraction, value, self.dated.len(), metric.formula) });
            }
        }
        lines
    }

    /// The day behind which the days follow that are linked: the close before the first, or the day that left nothing.
    fn before(&self) -> Option<Date> {
        let lost = self.series.since.checked_sub(1).map(|at| self.dated[at].0);
        let closed = || self.series.before.as_ref().and_then(|(date, _)| date.parse().ok());
        lost.or_else(closed).or_else(|| self.dated.first().map(|(date, _)| date.plus_days(-1)))
    }

    /// Whether an instrument tells what was risk-free; one that never had a return gives way to the rate.
    fn is_rated(&self) -> bool {
        self.terms.has_risk_free && self.series.linked().iter().any(|day| day.risk_free.is_some())
    }

    /// Returns between the days on which what counts beside the portfolio had a price. Which day had its first price no record
    /// says: where the day before the span tells no return of it, own returns count from the last day on that has none.
    fn common(&self, counted: Counted) -> Common {
        let mut priced = self.series.priced_before;
        let mut did = |at: usize, told: Option<Decimal>| {
            let before = priced[at];
            priced[at] |= told.is_some();
            told.map_or(if before { Beside::Unpriced } else { Beside::First }, |told| Beside::Return(float(told)))
        };
        Common::of(
            counted,
            self.before(),
            self.dated[self.series.since..].iter().map(|(date, day)| {
                let change = day.change.as_ref().ok().map(|change| float(*change));
                (*date, change, [did(0, day.benchmark), did(1, day.risk_free)])
            }),
        )
    }
}

/// What is to be known of trades that records of days tell.
const AS_TOLD: &str = "as days were last told: a trade of more than ten days ago that is amended counts anew in MTD, YTD, 1Y and ALL";

/// Trades as the ledger tells them; `None` beyond the range of money.
fn of_day(date: Date, told: &ClosedTrades) -> Option<domain::ledger::ClosedTrades> {
    let money = |amount: Decimal| amount.normalize().to_string().parse::<Money>().ok();
    Some(domain::ledger::ClosedTrades {
        trade_date: date,
        winning: told.winning,
        losing: told.losing,
        even: told.trades - told.winning - told.losing,
        gross_profit: money(told.gross_profit?)?,
        gross_loss: money(told.gross_loss?)?,
    })
}

/// An exact number as a figure.
fn written(number: Decimal) -> Option<Fraction> {
    number.normalize().to_string().parse().ok()
}

/// The nearest number of statistics.
fn float(exact: Decimal) -> f64 {
    exact.to_f64().unwrap_or_default()
}

fn smol(text: String) -> SmolStr {
    SmolStr::new(text)
}

#[cfg(test)]
mod tests;
