//! The risk of what a portfolio holds at its newest close, by what its instruments did in the days before: value at risk,
//! volatility, beta, what each holding adds, how they go together; and what needs no history: exposure and
//! concentration. An instrument without enough history is left out, counted, and named.

use crate::numeric::{covariance, mean, normal, standard_deviation, variance};
use crate::returns::joined::joined;
use crate::risk::component::shortfall;
use crate::risk::concentration::concentration;
use crate::risk::covariance as matrices;
use crate::risk::exposure::{by_group, exposure};
use crate::risk::target::against_target;
use crate::risk::value_at_risk::{Method, statement};
use crate::sample::per_period;
use crate::tracker::book::{Book, Told};
use crate::tracker::figures::{self, fraction, money, number, of_fraction};
use crate::tracker::market::{Market, TotalReturn};
use crate::tracker::series::Returned;
use crate::tracker::terms::Terms;
use crate::undefined::{Answer, Undefined};
use domain::enums::MetricUnit;
use domain::performance::Metric;
use domain::risk::{Correlation, Risk, RiskComponent};
use domain::snapshot::SectorExposure;
use domain::{InstrumentId, Money, PortfolioId, SmolStr};
use engine::Settings;

/// Confidences of value at risk.
const CONFIDENCES: [f64; 2] = [0.95, 0.99];
/// Weight of the past in exponential volatility: RiskMetrics' for days.
const LAMBDA: f64 = 0.94;
/// Holdings between which correlations are published: a hundred would make five thousand.
const CORRELATED: usize = 10;
/// Names that a reason lists.
const NAMED: usize = 20;

/// The risk of the newest close.
pub fn of(portfolio: &PortfolioId, book: &Book, told: &Told<'_>, (terms, settings): (&Terms, &Settings), market: &Market) -> Risk {
    let holdings = Holdings::of(told, terms, settings, market);
    let equity = number(told.closed.equity);
    let mut lines = holdings.exposures(equity);
    lines.extend(holdings.losses());
    lines.extend(holdings.movements(terms));
    lines.extend(realised(book, terms, settings));
    Risk {
        portfolio_id: portfolio.clone(),
        as_of: told.closed.cut_at,
        timeframe: smol_str::format_smolstr!("{}D", settings.risk_window_days),
        base_currency: told.closed.base.unwrap_or(terms.base),
        provisional: told.provisional,
        metrics: lines.into_iter().map(|line| line.published(&holdings)).collect(),
        date: Some(told.day.date),
        close_version: Some(told.closed.version),
        policy_version: told.closed.policy_version,
        components: holdings.components(equity, terms),
        correlations: holdings.correlations(),
        sector_exposure: holdings.sectors(equity, market),
    }
}

/// One figure before it is written.
struct Line {
    id: &'static str,
    unit: MetricUnit,
    value: Answer,
    method: &'static str,
    confidence: Option<f64>,
    observations: Option<usize>,
    /// Whether it is of the days that the benchmark has too.
    beside: bool,
}

impl Line {
    const fn new(id: &'static str, unit: MetricUnit, value: Answer, method: &'static str) -> Self {
        Self { id, unit, value, method, confidence: None, observations: None, beside: false }
    }
    fn published(self, holdings: &Holdings<'_>) -> Metric {
        let gaps = || holdings.gaps().filter(|_| self.observations.is_none());
        let of_history = || if self.beside { holdings.beside.as_ref().map_or(0, |beside| beside.book.len()) } else { holdings.book.len() };
        let observations = self.observations.unwrap_or_else(of_history);
        let metric = figures::metric(self.id, self.unit, self.value, observations, self.method);
        let (confidence, horizon_days) = (self.confidence.and_then(fraction), self.confidence.map(|_| 1));
        Metric { confidence, horizon_days, reason: metric.reason.or_else(gaps), ..metric }
    }
}

/// One holding with its history.
struct Holding<'a> {
    id: &'a InstrumentId,
    value: Money,
    exposure: f64,
    history: TotalReturn,
}

/// Holdings beside a benchmark, on common days: what has no part in figures of the holdings alone.
struct Beside {
    id: InstrumentId,
    benchmark: Vec<f64>,
    columns: Vec<Vec<f64>>,
    book: Vec<f64>,
}

/// What is held, and the daily returns of those that have enough history, on the days that all of them have.
struct Holdings<'a> {
    all: Vec<Holding<'a>>,
    /// Places in `all` of those with a history.
    known: Vec<usize>,
    /// Daily returns of each, as many as there are common days.
    columns: Vec<Vec<f64>>,
    /// The same with the benchmark, on the days that it has too; absent where it has too few returns of its own.
    beside: Option<Beside>,
    /// Daily returns that the benchmark has.
    told_of_benchmark: usize,
    /// What today's holdings would have earned each day, in money.
    book: Vec<f64>,
    equity: f64,
    needed: usize,
    days_a_year: f64,
}

impl<'a> Holdings<'a> {
    fn of(told: &Told<'a>, terms: &Terms, settings: &Settings, market: &Market) -> Self {
        let needed = settings.risk_min_observations.max(2);
        let cut = told.closed.cut();
        let held = told.closed.marks.iter().filter(|(_, mark)| !mark.exposure.is_zero());
        let base = told.closed.base.unwrap_or(terms.base);
        let history = |id: &InstrumentId| market.total_return(id, base, &cut);
        let all: Vec<Holding<'a>> =
            held.map(|(id, mark)| Holding { id, value: mark.exposure, exposure: number(mark.exposure), history: history(id) }).collect();
        let enough = |history: &TotalReturn| history.dates.len() > needed;
        let known: Vec<usize> = (0..all.len()).filter(|at| enough(&all[*at].history)).collect();
        let against = terms.benchmark.clone().map(|id| (history(&id), id));
        let told_of_benchmark = against.as_ref().map_or(0, |(history, _)| history.dates.len().saturating_sub(1));
        let against = against.filter(|(history, _)| enough(history));
        let mut series: Vec<_> = known.iter().map(|at| dated(&all[*at].history)).collect();
        let exposures: Vec<f64> = known.iter().map(|at| all[*at].exposure).collect();
        let earned =
            |columns: &[Vec<f64>]| if columns.is_empty() { Vec::new() } else { crate::risk::component::portfolio(columns, &exposures) };
        let columns = in_common(&series, settings.risk_window_days);
        let book = earned(&columns);
        let beside = against.and_then(|(history, id)| {
            series.push(dated(&history));
            let mut columns = in_common(&series, settings.risk_window_days);
            let benchmark = columns.pop()?;
            Some(Beside { id, benchmark, book: earned(&columns), columns })
        });
        let (equity, days_a_year) = (number(told.closed.equity), terms.days_a_year());
        Self { all, known, columns, beside, told_of_benchmark, book, equity, needed, days_a_year }
    }

    /// What the book earned each day as returns on equity.
    fn returns(&self, book: &[f64]) -> Result<Vec<f64>, Undefined> {
        crate::numeric::moments::enough(book.len(), self.needed)?;
        if self.equity > 0.0 { Ok(book.iter().map(|earned| earned / self.equity).collect()) } else { Err(Undefined::NoCapital) }
    }
    /// Whether there is enough to say anything.
    fn enough(&self) -> Result<(), Undefined> {
        crate::numeric::moments::enough(self.book.len(), self.needed)
    }
    /// The holdings that are left out, in words.
    fn gaps(&self) -> Option<SmolStr> {
        let left_out: Vec<&str> = (0..self.all.len()).filter(|at| !self.known.contains(at)).map(|at| self.all[at].id.as_str()).collect();
        let shown = left_out.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        let more = left_out.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!left_out.is_empty()).then(|| smol_str::format_smolstr!("without {shown}{more}: fewer than {} daily returns", self.needed))
    }

    fn exposures(&self, equity: f64) -> Vec<Line> {
        let values: Vec<f64> = self.all.iter().map(|holding| holding.exposure).collect();
        let (found, concentrated) = (exposure(&values, equity), concentration(&values));
        let line = |id, unit, value, method| Line { observations: Some(values.len()), ..Line::new(id, unit, value, method) };
        let part = |of: fn(&crate::risk::exposure::Exposure) -> f64| found.as_ref().map(of).map_err(|why| *why);
        let held = |of: fn(&crate::risk::concentration::Concentration) -> f64| concentrated.as_ref().map(of).map_err(|why| *why);
        vec![
            line("net_exposure", MetricUnit::Fraction, part(|found| found.net), "(long - short) / equity"),
            line("gross_exposure", MetricUnit::Fraction, part(|found| found.gross), "(long + short) / equity"),
            line("long_exposure", MetricUnit::Fraction, part(|found| found.long), "long / equity"),
            line("short_exposure", MetricUnit::Fraction, part(|found| found.short), "short / equity, never above zero"),
            line("concentration_hhi", MetricUnit::Fraction, held(|found| found.hhi), "sum of (|value| / gross)^2"),
            line("effective_number", MetricUnit::Ratio, held(|found| found.effective_number), "1 / concentration_hhi"),
            line("largest_share", MetricUnit::Fraction, held(|found| found.largest), "largest |value| / gross"),
        ]
    }

    fn losses(&self) -> Vec<Line> {
        let rows: Vec<Option<f64>> = self.book.iter().copied().map(Some).collect();
        let ids = [
            (
                Method::Historical,
                "value_at_risk",
                Some("expected_shortfall"),
                "historical: type-7 quantile of what today's holdings would have returned",
            ),
            (Method::Parametric, "parametric_value_at_risk", Some("parametric_expected_shortfall"), "parametric: -(mean + z std)"),
            (Method::CornishFisher, "cornish_fisher_value_at_risk", None, "parametric, z corrected for skewness and kurtosis"),
        ];
        let mut lines = Vec::new();
        for (method, id, shortfall, words) in ids {
            for confidence in CONFIDENCES {
                let found = statement(&rows, rows.len(), method, confidence, 1.0);
                let in_money = |answer: Answer| self.enough().and(answer);
                let line = |id, value| Line { confidence: Some(confidence), ..Line::new(id, MetricUnit::Money, in_money(value), words) };
                lines.push(line(id, found.value_at_risk));
                lines.extend(shortfall.map(|id| line(id, found.shortfall)));
            }
        }
        lines
    }

    fn movements(&self, terms: &Terms) -> Vec<Line> {
        let year = self.days_a_year.sqrt();
        let returns = self.returns(&self.book);
        let volatility =
            returns.as_ref().map_err(|why| *why).and_then(|returns| standard_deviation(returns)).map(|deviation| deviation * year);
        let exponential =
            returns.as_ref().map_err(|why| *why).and_then(|returns| matrices::exponential(std::slice::from_ref(returns), LAMBDA));
        let exponential = exponential.map(|variances| variances[0][0].max(0.0).sqrt() * year);
        let mut lines = vec![
            Line::new(
                "holdings_volatility",
                MetricUnit::Fraction,
                volatility,
                "std (ddof 1) of what today's holdings would have returned, a year",
            ),
            Line::new("ewma_volatility", MetricUnit::Fraction, exponential, "exponential weights, lambda 0.94, mean zero, a year"),
        ];
        if terms.benchmark.is_some() {
            let too_few = Undefined::TooFewObservations { have: self.told_of_benchmark, need: self.needed };
            let both = self.beside.as_ref().ok_or(too_few).and_then(|beside| Ok((self.returns(&beside.book)?, &beside.benchmark)));
            let both = both.as_ref().map_err(|why| *why);
            let beta = both.and_then(|(returns, benchmark)| self.beta(returns, benchmark, terms));
            let correlation = both.and_then(|(returns, benchmark)| matrices::correlation(&[returns.clone(), (*benchmark).clone()]));
            let correlation = correlation.map(|matrix| matrix[0][1]);
            let line = |id, value, method| Line { beside: true, ..Line::new(id, MetricUnit::Ratio, value, method) };
            lines.push(line("holdings_beta", beta, "cov / var of excess returns of today's holdings"));
            lines.push(line("benchmark_correlation", correlation, "Pearson, of today's holdings"));
        }
        let known: f64 = self.known.iter().map(|at| self.all[*at].exposure.abs()).sum();
        let gross: f64 = self.all.iter().map(|holding| holding.exposure.abs()).sum();
        let covered = if gross > 0.0 { Ok(known / gross) } else { Err(Undefined::NoExposure) };
        lines.push(Line::new(
            "history_coverage",
            MetricUnit::Fraction,
            covered,
            "gross value of holdings with enough history / gross value",
        ));
        lines
    }

    fn beta(&self, own: &[f64], benchmark: &[f64], terms: &Terms) -> Answer {
        let rate = per_period(terms.risk_free.map_or(0.0, of_fraction), self.days_a_year);
        let above = |series: &[f64]| series.iter().map(|one| one - rate).collect::<Vec<_>>();
        let (own, benchmark) = (above(own), above(benchmark));
        let variance = variance(&benchmark)?;
        if variance > 0.0 {
            crate::undefined::finite(covariance(&own, &benchmark)? / variance)
        } else {
            Err(Undefined::ZeroBenchmarkVolatility)
        }
    }

    /// What each holding adds, at 95 %. Its part of the parametric value at risk follows from its covariance with the book.
    fn components(&self, equity: f64, terms: &Terms) -> Vec<RiskComponent> {
        let deviation = self.enough().and_then(|()| standard_deviation(&self.book)).ok().filter(|deviation| *deviation > 0.0);
        let z = normal::quantile(1.0 - CONFIDENCES[0]).ok();
        let exposures: Vec<f64> = self.known.iter().map(|at| self.all[*at].exposure).collect();
        let beyond = self.enough().and_then(|()| shortfall(&self.columns, &exposures, CONFIDENCES[0])).ok();
        let one = |(at, holding): (usize, &Holding<'_>)| {
            let place = self.known.iter().position(|known| *known == at);
            let column = place.map(|place| &self.columns[place]);
            let enough = column.filter(|column| column.len() >= self.needed);
            let part = || {
                let (column, deviation) = (enough?, deviation?);
                let moved = mean(column).ok()? + z? * covariance(column, &self.book).ok()? / deviation;
                money(-holding.exposure * moved)
            };
            let beta = || {
                let beside = self.beside.as_ref().filter(|beside| beside.book.len() >= self.needed)?;
                self.beta(&beside.columns[place?], &beside.benchmark, terms).ok()
            };
            let volatility = enough.and_then(|column| standard_deviation(column).ok()).map(|deviation| deviation * self.days_a_year.sqrt());
            let fading = || {
                let variances = matrices::exponential(std::slice::from_ref(enough?), LAMBDA).ok()?;
                Some(variances[0][0].max(0.0).sqrt() * self.days_a_year.sqrt())
            };
            RiskComponent {
                instrument_id: holding.id.clone(),
                value: holding.value,
                weight: if equity > 0.0 { fraction(holding.exposure / equity) } else { None },
                volatility: volatility.and_then(fraction),
                beta: beta().and_then(fraction),
                value_at_risk: part(),
                observations: i32::try_from(column.map_or(0, Vec::len)).unwrap_or(i32::MAX),
                expected_shortfall: beyond.as_ref().zip(place).and_then(|(found, place)| money(found.parts[place])),
                ewma_volatility: fading().and_then(fraction),
            }
        };
        self.all.iter().enumerate().map(one).collect()
    }

    /// The largest holdings with a history, by exposure, and the benchmark.
    fn correlations(&self) -> Vec<Correlation> {
        let mut places: Vec<usize> = (0..self.known.len()).collect();
        let size = |place: &usize| self.all[self.known[*place]].exposure.abs();
        places.sort_by(|one, other| size(other).total_cmp(&size(one)));
        places.truncate(CORRELATED);
        places.sort_unstable();
        let named = |columns: &[Vec<f64>]| {
            places.iter().map(|place| (self.all[self.known[*place]].id, columns[*place].clone())).collect::<Vec<_>>()
        };
        let own = named(&self.columns);
        let mut found = Vec::new();
        for at in 0..own.len() {
            found.extend(self.correlated(&own, at, at + 1..own.len()));
        }
        let held = |id: &InstrumentId| self.known.iter().any(|at| self.all[*at].id == id);
        if let Some(beside) = self.beside.as_ref().filter(|beside| beside.book.len() >= self.needed && !held(&beside.id)) {
            let mut both = named(&beside.columns);
            both.push((&beside.id, beside.benchmark.clone()));
            (0..own.len()).for_each(|at| found.extend(self.correlated(&both, at, own.len()..both.len())));
        }
        found
    }

    /// How one of several series goes together with others of them.
    fn correlated(&self, named: &[(&InstrumentId, Vec<f64>)], at: usize, others: std::ops::Range<usize>) -> Vec<Correlation> {
        let (id, column) = &named[at];
        let enough = crate::numeric::moments::enough(column.len(), self.needed);
        let one = |(other_id, other): &(&InstrumentId, Vec<f64>)| {
            let pair = [column.clone(), other.clone()];
            let value = enough.and_then(|()| matrices::correlation(&pair)).ok();
            let fading = matrices::exponential(&pair, LAMBDA).ok().filter(|_| enough.is_ok());
            Correlation {
                instrument_id: (*id).clone(),
                other_id: (*other_id).clone(),
                value: value.and_then(|matrix| fraction(matrix[0][1])),
                observations: i32::try_from(column.len()).unwrap_or(i32::MAX),
                ewma_covariance: fading.and_then(|matrix| fraction(matrix[0][1])),
            }
        };
        named[others].iter().map(one).collect()
    }

    fn sectors(&self, equity: f64, market: &Market) -> Vec<SectorExposure> {
        let named: Vec<(SmolStr, f64)> = self.all.iter().map(|holding| (market.sector(holding.id), holding.exposure)).collect();
        let pairs = || named.iter().map(|(sector, value)| (sector.as_str(), *value));
        let weights = by_group(pairs(), equity).ok();
        let values = by_group(pairs(), 1.0).unwrap_or_default();
        let one = |(sector, found): (&str, crate::risk::exposure::Exposure)| SectorExposure {
            sector: SmolStr::new(sector),
            value: money(found.net).unwrap_or_default(),
            weight: weights.as_ref().and_then(|weights| weights.get(sector)).and_then(|found| fraction(found.net)),
        };
        values.into_iter().map(one).collect()
    }
}

/// Returns of several series on the days that all of them have, the newest so many.
fn in_common(series: &[Vec<(domain::Date, f64)>], window: usize) -> Vec<Vec<f64>> {
    let mut columns = joined(series).returns().map_or_else(|_| Vec::new(), |found| found.columns);
    for column in &mut columns {
        column.drain(..column.len().saturating_sub(window));
    }
    columns
}

fn dated(history: &TotalReturn) -> Vec<(domain::Date, f64)> {
    history.dates.iter().copied().zip(history.index.iter().copied()).collect()
}

/// The volatility of the portfolio's own days, against the one that its policy aims at.
fn realised(book: &Book, terms: &Terms, settings: &Settings) -> Vec<Line> {
    let newest = book.series().after(None).rev().take(settings.risk_window_days);
    let returns: Vec<f64> = newest.filter_map(|day| if let Returned::Return(value) = day.returned { Some(value) } else { None }).collect();
    let enough = crate::numeric::moments::enough(returns.len(), settings.risk_min_observations.max(2));
    let realised = enough.and_then(|()| standard_deviation(&returns)).map(|deviation| deviation * terms.days_a_year().sqrt());
    let line = |id, unit, value, method| Line { observations: Some(returns.len()), ..Line::new(id, unit, value, method) };
    let mut lines = vec![line("realised_risk", MetricUnit::Fraction, realised, "std (ddof 1) of the portfolio's daily returns, a year")];
    if let Some(target) = terms.target_risk.map(of_fraction) {
        let found = against_target(realised, target);
        lines.push(line("target_risk", MetricUnit::Fraction, Ok(target), "of the policy, a year"));
        lines.push(line(
            "risk_difference",
            MetricUnit::Fraction,
            found.as_ref().map(|found| found.difference).map_err(|why| *why),
            "realised - target",
        ));
        lines.push(line("risk_ratio", MetricUnit::Ratio, found.as_ref().map(|found| found.ratio).map_err(|why| *why), "realised / target"));
    }
    lines
}
