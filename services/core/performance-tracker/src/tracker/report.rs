//! The performance records of a portfolio: a DAY for each day that was told anew, and what the month, the year, the last
//! 365 days and all time have come to with the newest of them.

use crate::metrics::{OF_RISK_FREE, catalogue};
use crate::returns::account::Valuation;
use crate::returns::drawdown;
use crate::sample::Sample;
use crate::settings::Settings;
use crate::tracker::beside::{Common, Counted};
use crate::tracker::book::{Book, Told};
use crate::tracker::figures::{self, Line, YEAR_DAYS, amount, fraction, number, of_fraction};
use crate::tracker::profit::Profit;
use crate::tracker::returned::linked;
use crate::tracker::series::{Beside, Day, Returned, Series};
use crate::tracker::terms::Terms;
use crate::tracker::trades;
use crate::undefined::{Undefined, finite};
use domain::enums::MetricUnit;
use domain::performance::{ALL, DAY, Drawdown, MTD, Metric, ONE_YEAR, Performance, YTD};
use domain::{Date, Money, PortfolioId, SmolStr};

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
    let beside = |id, did: Beside| {
        let value = did.returned().ok_or(Undefined::TooFewObservations { have: 0, need: 1 });
        Line::new(id, MetricUnit::Fraction, value, 1, "since its last price")
    };
    lines.extend(terms.benchmark.as_ref().map(|_| beside("benchmark_return", day.benchmark)));
    lines.extend(terms.risk_free_instrument.as_ref().map(|_| beside("risk_free_return", day.risk_free)));
    let mut metrics: Vec<Metric> = lines.into_iter().map(|line| line.published(&window)).collect();
    metrics.push(amount("total_value", told.closed.equity, "equity at the cut", &window));
    metrics.push(amount("cash_value", told.closed.cash, "cash and receivables at the cut", &window));
    metrics.push(amount("net_external_flow", told.closed.flow, "cash and securities across the boundary", &window));
    metrics.push(amount("profit", told.profit.total(), "change of equity - net external flow", &window));
    if day.trades.is_some() {
        metrics.extend(trades::of_day(day, &window));
    }
    let frame = Frame { name: DAY, from: day.date, until: day.date };
    let provisional = told.provisional || told.begins_provisional;
    record(portfolio, (told, provisional), terms, &frame, metrics, told.profit.published(), Vec::new())
}

/// A timeframe: its name, the first day that it covers, the last.
struct Frame {
    name: &'static str,
    from: Date,
    until: Date,
}

/// A record; what is told with the day says whether something that the figures stand on is not final.
fn record(
    portfolio: &PortfolioId,
    (told, provisional): (&Told<'_>, bool),
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
        provisional,
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
    let period = Period::new(days, book.series(), terms);
    let window = smol_str::format_smolstr!("{}D", period.days.len());
    let mut metrics: Vec<Metric> = period.lines().into_iter().map(|line| line.published(&window)).collect();
    metrics.push(amount("net_external_flow", period.flows(), "cash and securities across the boundary", &window));
    let attribution = profit.as_ref().map(Profit::published).unwrap_or_default();
    metrics.push(amount("profit", period.profit(), "change of equity - net external flow", &window));
    metrics.extend(trades::published(&period.days, &window));
    // What stands on a day that is not final is not final either, though the newest is.
    let provisional = told.provisional || period.before.iter().chain(&period.days).any(|day| day.provisional);
    record(portfolio, (told, provisional), terms, frame, metrics, attribution, period.drawdowns)
}

/// The days of a timeframe, and what follows from their returns.
struct Period<'a> {
    days: Vec<&'a Day>,
    /// All days there are.
    series: &'a Series,
    /// The one before the first.
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
    fn new(days: Vec<&'a Day>, series: &'a Series, terms: &'a Terms) -> Self {
        let before = days.first().and_then(|first| series.last_until(first.date.plus_days(-1)));
        let since = days.iter().rposition(|day| day.returned == Returned::Lost).map_or(0, |at| at + 1);
        let with = |day: &&Day| if let Returned::Return(value) = day.returned { Some((day.date, value)) } else { None };
        let (dates, returns) = days[since..].iter().filter_map(with).unzip();
        let mut period = Self { days, series, before, terms, since, dates, returns, drawdowns: Vec::new() };
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
        let own = Sample::new(&self.returns).and_then(|own| own.dated(&self.dates)?.with(self.settings()));
        let Ok(own) = own.map(|own| self.opening().map_or(own, |day| own.opened(day))) else { return lines };
        let rates = self.is_rated().then(|| self.common(Counted { benchmark: false, risk_free: true }));
        let mut figures = self.figures(&PUBLISHED, Some(own), rates.as_ref());
        let fallen = self.drawdowns.first().map(|fall| f64::from(fall.days));
        for line in figures.iter_mut().filter(|line| line.id == "max_drawdown_days") {
            line.value = fallen.map_or(line.value, Ok);
        }
        if self.terms.benchmark.is_some() {
            let alone = self.common(Counted { benchmark: true, risk_free: false });
            let both = rates.is_some().then(|| self.common(Counted { benchmark: true, risk_free: true }));
            let own = alone.sample(self.settings()).ok();
            figures.extend(self.figures(&AGAINST_BENCHMARK, own, both.as_ref()));
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

    /// Figures of a sample; those that count what was risk-free are of the days that have it, where an instrument tells it.
    fn figures(&self, ids: &[&str], own: Option<Sample<'_>>, rated: Option<&Common>) -> Vec<Line> {
        let rated = rated.map(|rated| rated.sample(self.settings()).ok());
        let of = |id: &str| rated.filter(|_| OF_RISK_FREE.contains(&id)).unwrap_or(own);
        ids.iter().filter_map(|id| self.figure(id, &of(id)?)).collect()
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

    /// Returns between the days on which what counts beside the portfolio had a price. The first period may begin before the
    /// timeframe: with the last such day.
    fn common(&self, counted: Counted) -> Common {
        let beside = |day: &Day| {
            let returned = if let Returned::Return(value) = day.returned { Some(value) } else { None };
            (day.date, returned, [day.benchmark, day.risk_free])
        };
        let days = &self.days[self.since..];
        let lost = self.since.checked_sub(1).map(|at| self.days[at]);
        let (mut anchor, mut lead) = (lost.filter(|day| counted.are_priced(day)), Vec::new());
        if lost.is_none() && days.iter().any(|day| counted.are_priced(day)) {
            for day in self.series.before(days[0].date).rev() {
                if counted.are_priced(day) {
                    anchor = Some(day);
                    break;
                }
                lead.push(day);
            }
        }
        let anchor = anchor.map(|day| day.date);
        Common::of(counted, anchor, lead.into_iter().rev().chain(days.iter().copied()).map(beside))
    }

    /// Whether an instrument tells what was risk-free; one that never had a return gives way to the rate.
    fn is_rated(&self) -> bool {
        self.terms.risk_free_instrument.is_some() && self.days[self.since..].iter().any(|day| day.risk_free.returned().is_some())
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
