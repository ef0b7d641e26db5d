//! The performance records of a portfolio: a DAY for each day that was told anew, and what the month, the year, the last
//! 365 days and all time have come to with the newest of them.

use crate::metrics::catalogue;
use crate::returns::account::Valuation;
use crate::returns::drawdown;
use crate::sample::Sample;
use crate::settings::Settings;
use crate::tracker::benchmark::between_prices;
use crate::tracker::book::{Book, Told};
use crate::tracker::figures::{self, Line, YEAR_DAYS, fraction, number, of_fraction};
use crate::tracker::profit::Profit;
use crate::tracker::returned::linked;
use crate::tracker::series::{Benchmark, Day, Returned};
use crate::tracker::terms::Terms;
use crate::undefined::{Undefined, finite};
use domain::enums::MetricUnit;
use domain::performance::{ALL, DAY, Drawdown, MTD, Metric, ONE_YEAR, Performance, YTD};
use domain::{Date, Fraction, Money, PortfolioId, SmolStr};

/// Figures of the catalogue that a record holds: those that are asked for every day. `ballast metrics` has all.
const PUBLISHED: [&str; 21] = [
    "annualised_return",
    "mean_return",
    "volatility",
    "downside_deviation",
    "sharpe",
    "sortino",
    "max_drawdown",
    "max_drawdown_days",
    "current_drawdown",
    "calmar",
    "ulcer_index",
    "omega",
    "skewness",
    "kurtosis",
    "tail_ratio",
    "best_day",
    "worst_day",
    "win_rate_periods",
    "profit_factor_periods",
    "average_win_periods",
    "average_loss_periods",
];
/// The same, of those that need a benchmark.
const AGAINST_BENCHMARK: [&str; 9] = [
    "benchmark_return",
    "active_return",
    "beta",
    "correlation",
    "alpha",
    "tracking_error",
    "information_ratio",
    "up_capture",
    "down_capture",
];

/// An amount as a figure: exact where it fits.
fn amount(id: &'static str, money: Money, method: &'static str, window: &SmolStr) -> Metric {
    let value = money.units().checked_mul(100).map(Fraction::from_units).filter(|value| value.fits_wire());
    let without = figures::metric(id, MetricUnit::Money, Err(Undefined::OutOfRange), 1, method);
    let reason = without.reason.filter(|_| value.is_none());
    Metric { value, window: window.clone(), reason, ..without }
}

/// The record of one day.
pub fn of_day(portfolio: &PortfolioId, told: &Told<'_>, terms: &Terms) -> Performance {
    let window = SmolStr::new_static("1D");
    let day = told.day;
    let returned = match day.returned {
        Returned::Return(value) => finite(value),
        Returned::NoCapital => Err(Undefined::NoCapital),
        Returned::Lost => Err(Undefined::TotalLoss),
    };
    let mut lines = vec![Line::new("time_weighted_return", MetricUnit::Fraction, returned, 1, told.rule.words())];
    if terms.benchmark.is_some() {
        let benchmark = match day.benchmark {
            Benchmark::Return(value) => Ok(value),
            Benchmark::First | Benchmark::Unpriced => Err(Undefined::TooFewObservations { have: 0, need: 1 }),
        };
        lines.push(Line::new("benchmark_return", MetricUnit::Fraction, benchmark, 1, "since its last price"));
    }
    let mut metrics: Vec<Metric> = lines.into_iter().map(|line| line.published(&window)).collect();
    metrics.push(amount("total_value", told.closed.equity, "equity at the cut", &window));
    metrics.push(amount("cash_value", told.closed.cash, "cash and receivables at the cut", &window));
    metrics.push(amount("net_external_flow", told.closed.flow, "cash and securities across the boundary", &window));
    metrics.push(amount("profit", told.profit.total(), "change of equity - net external flow", &window));
    let frame = Frame { name: DAY, from: day.date, until: day.date };
    record(portfolio, told, terms, &frame, metrics, told.profit.published(), Vec::new())
}

/// A timeframe: its name, the first day that it covers, the last.
struct Frame {
    name: &'static str,
    from: Date,
    until: Date,
}

fn record(
    portfolio: &PortfolioId,
    told: &Told<'_>,
    terms: &Terms,
    frame: &Frame,
    metrics: Vec<Metric>,
    attribution: Vec<domain::performance::Attribution>,
    drawdowns: Vec<Drawdown>,
) -> Performance {
    Performance {
        portfolio_id: portfolio.clone(),
        as_of: told.closed.cut_at,
        timeframe: SmolStr::new_static(frame.name),
        base_currency: told.closed.base.unwrap_or(terms.base),
        provisional: told.provisional,
        metrics,
        attribution,
        date: Some(frame.until),
        from_date: Some(frame.from),
        close_version: Some(told.closed.version),
        policy_version: told.closed.policy_version,
        drawdowns,
    }
}

/// The records of every other timeframe that ends with the newest day.
pub fn of_periods(portfolio: &PortfolioId, book: &Book, told: &Told<'_>, terms: &Terms) -> Vec<Performance> {
    let until = told.day.date;
    let Some(first) = book.series().after(None).next().map(|day| day.date) else { return Vec::new() };
    let (month, year) = (until.first_of_month(), until.first_of_year());
    let frames = [(MTD, month, Some(month)), (YTD, year, Some(year)), (ONE_YEAR, until.plus_days(1 - YEAR_DAYS), None), (ALL, first, None)];
    let one = |(name, from, apart): (&'static str, Date, Option<Date>)| {
        let frame = Frame { name, from: from.max(first), until };
        let profit = if name == ONE_YEAR && from > first { None } else { book.profit_from(apart.filter(|from| *from > first)) };
        of_period(portfolio, book, told, terms, &frame, profit)
    };
    frames.into_iter().map(one).collect()
}

fn of_period(portfolio: &PortfolioId, book: &Book, told: &Told<'_>, terms: &Terms, frame: &Frame, profit: Option<Profit>) -> Performance {
    let days: Vec<&Day> = book.series().after(Some(frame.from.plus_days(-1))).take_while(|day| day.date <= frame.until).collect();
    let period = Period::new(days, book.series().last_until(frame.from.plus_days(-1)), terms);
    let window = smol_str::format_smolstr!("{}D", period.days.len());
    let mut metrics: Vec<Metric> = period.lines().into_iter().map(|line| line.published(&window)).collect();
    metrics.push(amount("net_external_flow", period.flows(), "cash and securities across the boundary", &window));
    let attribution = profit.as_ref().map(Profit::published).unwrap_or_default();
    metrics.push(amount("profit", period.profit(), "change of equity - net external flow", &window));
    record(portfolio, told, terms, frame, metrics, attribution, period.drawdowns)
}

/// The days of a timeframe, and what follows from their returns.
struct Period<'a> {
    days: Vec<&'a Day>,
    before: Option<&'a Day>,
    terms: &'a Terms,
    /// Place of the first day since linking last stopped.
    since: usize,
    /// The days from there on that have a return, and these.
    dates: Vec<Date>,
    returns: Vec<f64>,
    /// The deepest fall, and the one that the index is in.
    drawdowns: Vec<Drawdown>,
}

impl<'a> Period<'a> {
    fn new(days: Vec<&'a Day>, before: Option<&'a Day>, terms: &'a Terms) -> Self {
        let since = days.iter().rposition(|day| day.returned == Returned::Lost).map_or(0, |at| at + 1);
        let with = |day: &&Day| if let Returned::Return(value) = day.returned { Some((day.date, value)) } else { None };
        let (dates, returns) = days[since..].iter().filter_map(with).unzip();
        let mut period = Self { days, before, terms, since, dates, returns, drawdowns: Vec::new() };
        period.drawdowns = period.falls();
        period
    }
}

impl Period<'_> {
    fn settings(&self) -> Settings {
        let risk_free_annual = self.terms.risk_free.map_or(0.0, of_fraction);
        Settings { periods_per_year: self.terms.days_a_year(), risk_free_annual, ..Settings::default() }
    }

    /// The day on which linking last stopped.
    fn lost(&self) -> Option<Date> {
        self.since.checked_sub(1).map(|at| self.days[at].date)
    }

    /// The day before the first that has a return, where one was closed.
    fn closed_before(&self) -> Option<Date> {
        let first = *self.dates.first()?;
        let before = self.days.iter().rev().find(|day| day.date < first).copied().or(self.before);
        before.map(|day| day.date)
    }

    /// The day before the first that has a return.
    fn opening(&self) -> Option<Date> {
        self.closed_before().or_else(|| self.dates.first().map(|first| first.plus_days(-1)))
    }

    fn lines(&self) -> Vec<Line> {
        let lost = self.lost();
        let mut lines = vec![self.total()];
        lines.extend(figures::money_weighted(&self.valuations(), self.days.len()));
        let sample = |dates, returns| Sample::new(returns)?.dated(dates)?.with(self.settings());
        let Ok(own) = sample(&self.dates, &self.returns) else { return lines };
        let own = self.opening().map_or(own, |day| own.opened(day));
        let mut figures: Vec<Line> = PUBLISHED.iter().filter_map(|id| self.figure(id, &own)).collect();
        let fallen = self.drawdowns.first().map(|fall| f64::from(fall.days));
        for line in figures.iter_mut().filter(|line| line.id == "max_drawdown_days") {
            line.value = fallen.map_or(line.value, Ok);
        }
        if self.terms.benchmark.is_some() {
            let (common, ours, theirs) = self.beside_benchmark();
            if let Ok(joint) = sample(&common, &ours).and_then(|joint| joint.against(&theirs)) {
                let joint = self.opening().map_or(joint, |day| joint.opened(day));
                figures.extend(AGAINST_BENCHMARK.iter().filter_map(|id| self.figure(id, &joint)));
            }
        }
        for line in &mut figures {
            // Nothing was left, and nothing came since: of what has gone there are no figures.
            if lost.is_some() && self.returns.is_empty() {
                line.value = Err(Undefined::TotalLoss);
            }
            line.note = lost.map(linked_since);
        }
        lines.extend(figures);
        lines
    }

    fn figure(&self, id: &str, sample: &Sample<'_>) -> Option<Line> {
        let metric = catalogue::find(id)?;
        let found = metric.of_period(sample)?;
        Some(Line::new(metric.id, metric.unit.published(), found.value, found.observations, metric.formula))
    }

    fn total(&self) -> Line {
        let lost = self.lost();
        let grown = match (&self.returns[..], lost) {
            ([], Some(_)) => Err(Undefined::TotalLoss),
            ([], None) => Err(Undefined::NoCapital),
            (returns, _) => finite(linked(returns)),
        };
        let line = Line::new("time_weighted_return", MetricUnit::Fraction, grown, self.returns.len(), "product of (1 + daily return) - 1");
        Line { note: lost.map(linked_since), ..line }
    }

    /// Values and flows, from the close before the first day on; of a series that begins with it, from nothing.
    fn valuations(&self) -> Vec<Valuation> {
        let Some(first) = self.days.first() else { return Vec::new() };
        let nothing = Valuation { date: first.date.plus_days(-1), value: 0.0, flow: 0.0 };
        let before = self.before.map_or(nothing, |day| Valuation { date: day.date, value: number(day.equity), flow: 0.0 });
        let days = self.days.iter().map(|day| Valuation { date: day.date, value: number(day.equity), flow: number(day.flow) });
        std::iter::once(before).chain(days).collect()
    }

    /// Returns between the days on which the benchmark had a price, of both: joined first, returns afterwards.
    fn beside_benchmark(&self) -> (Vec<Date>, Vec<f64>, Vec<f64>) {
        let returned = |day: &&Day| if let Returned::Return(value) = day.returned { Some(value) } else { None };
        between_prices(self.days[self.since..].iter().map(|day| (day.date, returned(day), day.benchmark)))
    }

    fn flows(&self) -> Money {
        Money::from_units(self.days.iter().map(|day| day.flow.units()).sum())
    }

    /// Profit of the days, as their closes tell it.
    fn profit(&self) -> Money {
        let begin = self.before.map_or(0, |day| day.equity.units());
        let end = self.days.last().map_or(begin, |day| day.equity.units());
        Money::from_units(end - begin - self.flows().units())
    }

    fn falls(&self) -> Vec<Drawdown> {
        let dates = &self.dates;
        let Ok(all) = drawdown::all(&self.returns) else { return Vec::new() };
        let deepest = drawdown::deepest(&all).ok();
        let standing = all.last().copied().filter(|last| last.recovery.is_none() && Some(*last) != deepest);
        // Without a close before the first day its peak is where that day began.
        let opening = self.closed_before().or(dates.first().copied());
        let one = |fall: drawdown::Drawdown| {
            let peak = fall.peak.map_or(opening, |row| Some(dates[row]))?;
            let recovery = fall.recovery.map(|row| dates[row]);
            let end = recovery.or(dates.last().copied())?;
            let depth = fraction(fall.depth)?;
            Some(Drawdown { depth, peak, trough: dates[fall.trough], recovery, days: end.days() - peak.days() })
        };
        deepest.into_iter().chain(standing).filter_map(one).collect()
    }
}

/// What a figure leaves out.
fn linked_since(lost: Date) -> SmolStr {
    smol_str::format_smolstr!("since {lost}, on which nothing was left: linking goes on with the capital that came after it")
}

/// `amount` multiplies by the difference of both scales.
const _: () = assert!(Fraction::ONE.units() == Money::ONE.units() * 100);
