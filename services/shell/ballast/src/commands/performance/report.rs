//! The report of a span of days.

use super::against::{Against, EffectsPart};
use super::attribution::Attribution;
use super::returns::{DECIMALS, Day, Running, Series};
use super::span::SPAN;
use crate::clock;
use crate::commands::portfolio::report::FigurePart;
use crate::figure::{exact, exact_if_any, moment, percent, rounded};
use crate::sheet::{Report, Sheet};
use postgres_store::queries::FigureSet;
use rust_decimal::Decimal;
use serde::Serialize;

/// Returns over the span; fractions of one, at twelve decimals as in records.
#[derive(Debug, Serialize)]
struct ReturnsPart {
    /// The daily returns linked; null without one.
    total_return: Option<String>,
    /// Why there is none, or what it leaves out.
    reason: Option<String>,
    observations: usize,
    best_day: Option<Extreme>,
    worst_day: Option<Extreme>,
    daily: Vec<DayPart>,
}

/// A day and its return.
#[derive(Debug, Serialize)]
struct Extreme {
    date: String,
    #[serde(rename = "return")]
    change: String,
}

/// A day.
#[derive(Debug, Serialize)]
struct DayPart {
    date: String,
    total_value: String,
    cash_value: Option<String>,
    net_external_flow: String,
    earned: Option<String>,
    #[serde(rename = "return")]
    change: Option<String>,
    /// RECORD: the return of the day's record. CLOSES: no record is stored.
    source: &'static str,
    /// How it was found.
    method: String,
    /// Why there is no return, or what is to be known of it.
    reason: Option<String>,
    /// Null on a day that left nothing: it begins anew.
    index: Option<String>,
    drawdown: Option<String>,
    provisional: bool,
}

/// What has come after the last closed day.
#[derive(Debug, Serialize)]
struct RunningPart {
    since: String,
    as_of: String,
    total_value: String,
    net_external_flow: String,
    earned: Option<String>,
    #[serde(rename = "return")]
    change: Option<String>,
    /// Why there is no return, or what is to be known of it.
    reason: Option<String>,
    total_return: Option<String>,
    complete: bool,
}

/// The deepest fall.
#[derive(Debug, Serialize)]
struct DrawdownPart {
    maximum: Option<String>,
    peak: Option<String>,
    trough: Option<String>,
    recovered: Option<String>,
    /// Calendar days from the peak to the recovery, or to the last day.
    days: Option<i32>,
}

/// The report.
#[derive(Debug, Serialize)]
pub(super) struct PerformanceReport {
    portfolio_id: String,
    from: String,
    to: String,
    provisional: bool,
    returns: ReturnsPart,
    running_day: Option<RunningPart>,
    drawdown: DrawdownPart,
    metrics: Vec<FigurePart>,
    attribution: Option<Attribution>,
    /// Against a benchmark; null where none was asked for.
    against: Option<Against>,
    #[serde(skip)]
    series: Series,
    #[serde(skip)]
    running: Option<Running>,
}

/// What was read and computed of a span.
pub(super) struct Parts {
    /// Its closed days.
    pub(super) series: Series,
    /// What has come after them.
    pub(super) running: Option<Running>,
    /// Profit by group, where it was asked for.
    pub(super) attribution: Option<Attribution>,
    /// Against a benchmark, where one was named.
    pub(super) against: Option<Against>,
}

impl PerformanceReport {
    /// The report of a series that has days.
    pub(super) fn of(portfolio: &str, figures: &[FigureSet], parts: Parts) -> Self {
        let (series, now) = (parts.series, clock::now());
        let date = |day: Option<&Day>| day.map(|day| day.date.clone()).unwrap_or_default();
        let extreme = |best| series.extreme(best).map(|(day, change)| Extreme { date: day.date.clone(), change: exact(change) });
        let fall = series.deepest.as_ref();
        Self {
            portfolio_id: portfolio.to_owned(),
            from: date(series.days.first()),
            to: date(series.days.last()),
            provisional: series.days.iter().any(|day| day.provisional),
            returns: ReturnsPart {
                total_return: series.total.map(exact),
                reason: series.reason(),
                observations: series.observations,
                best_day: extreme(true),
                worst_day: extreme(false),
                daily: series.days.iter().map(day).collect(),
            },
            running_day: parts.running.as_ref().map(running_part),
            drawdown: DrawdownPart {
                maximum: fall.map(|fall| exact(fall.depth.round_dp(DECIMALS))),
                peak: fall.map(|fall| fall.peak.clone()),
                trough: fall.map(|fall| fall.trough.clone()),
                recovered: fall.and_then(|fall| fall.recovered.clone()),
                days: fall.and_then(|fall| fall.days),
            },
            metrics: figures.iter().map(|set| FigurePart::of(set, now)).collect(),
            attribution: parts.attribution,
            against: parts.against,
            series,
            running: parts.running,
        }
    }

    fn head(&self) -> String {
        let mut text = format!(
            "{} from {} to {}{}\ntotal return {} over {} daily returns",
            self.portfolio_id,
            self.from,
            self.to,
            if self.provisional { ", PROVISIONAL" } else { "" },
            percent(self.series.total),
            self.series.observations
        );
        if let Some(reason) = self.series.reason() {
            text.push_str(&format!("\n  ! {reason}"));
        }
        for (name, best) in [("best day", true), ("worst day", false)] {
            if let Some((day, change)) = self.series.extreme(best) {
                text.push_str(&format!("\n{name} {}: {}", day.date, percent(Some(change))));
            }
        }
        match &self.series.deepest {
            Some(fall) => {
                let back = fall.recovered.as_ref().map_or_else(|| "not recovered".to_owned(), |date| format!("recovered {date}"));
                text.push_str(&format!("\nmaximum drawdown {} from {} to {}, {back}", percent(Some(fall.depth)), fall.peak, fall.trough));
            }
            None => text.push_str("\nno drawdown"),
        }
        if let Some(running) = &self.running {
            let told = match &running.change {
                Ok(change) => {
                    let note = running.note.map(|note| format!(", {note}")).unwrap_or_default();
                    format!(
                        "{} since the close of {}, {} with it{note}",
                        percent(Some(*change)),
                        running.stored.since,
                        percent(running.total)
                    )
                }
                Err(reason) => format!("no return since the close of {}: {reason}", running.stored.since),
            };
            let incomplete = if running.stored.complete { "" } else { ", a price missing or old" };
            text.push_str(&format!("\nrunning day, provisional at {}: {told}{incomplete}", moment(running.stored.as_of)));
        }
        text
    }

    /// Return and drawdown of the span in columns.
    fn totals(&self) -> Sheet {
        let columns =
            ["from", "to", "total_return", "maximum_drawdown", "observations", "reason", "peak", "trough", "recovered", "drawdown_days"];
        let fall = self.series.deepest.as_ref();
        let row = vec![
            self.from.clone(),
            self.to.clone(),
            exact_if_any(self.series.total),
            exact_if_any(fall.map(|fall| fall.depth.round_dp(DECIMALS))),
            self.series.observations.to_string(),
            self.series.reason().unwrap_or_default(),
            fall.map(|fall| fall.peak.clone()).unwrap_or_default(),
            fall.map(|fall| fall.trough.clone()).unwrap_or_default(),
            fall.and_then(|fall| fall.recovered.clone()).unwrap_or_default(),
            fall.and_then(|fall| fall.days).map(|days| days.to_string()).unwrap_or_default(),
        ];
        Sheet::new("returns", &columns).with([row])
    }

    /// What the sets of figures are, in words.
    fn titled_figures(&self) -> String {
        let stored = if self.metrics.len() > 1 { "the other sets are the newest records by its end" } else { "no record was read yet" };
        format!("figures: {SPAN} is {} to {}, from the returns above; {stored}", self.from, self.to)
    }

    fn parts(&self, exactly: bool) -> Vec<Sheet> {
        let money = |amount: Option<Decimal>| if exactly { amount.map(exact).unwrap_or_default() } else { rounded(amount, 2) };
        let share = |fraction: Option<Decimal>| if exactly { fraction.map(exact).unwrap_or_default() } else { percent(fraction) };
        let day = |day: &Day| {
            let mut row = vec![
                day.date.clone(),
                money(Some(day.value)),
                money(Some(day.flow)),
                money(day.earned),
                share(day.change.as_ref().ok().copied()),
                share(day.drawdown.map(|fall| fall.round_dp(DECIMALS))),
                said(&day.change, day.note).unwrap_or_default(),
                day.source.name().to_owned(),
            ];
            if exactly {
                row.extend([
                    day.method.clone(),
                    exact_if_any(day.index.map(|index| index.round_dp(DECIMALS))),
                    day.provisional.to_string(),
                ]);
            }
            row
        };
        let head = if exactly { self.totals() } else { Sheet::new("returns", &[]).under(self.head()) };
        let columns = [
            "date",
            "total_value",
            "net_external_flow",
            "earned",
            "return",
            "drawdown",
            "reason",
            "source",
            "method",
            "index",
            "provisional",
        ];
        let columns = if exactly { &columns[..] } else { &columns[..8] };
        let mut sheets = vec![head, Sheet::new("daily", columns).under("days").with(self.series.days.iter().map(day))];
        sheets.extend(self.running.iter().filter(|_| exactly).map(running_sheet));
        let rows = self.metrics.iter().flat_map(|part| part.rows(|value| if exactly { exact_if_any(value) } else { rounded(value, 6) }));
        sheets.push(Sheet::new("metrics", &FigurePart::COLUMNS).under(self.titled_figures()).with(rows));
        sheets.extend(self.attribution.iter().map(|attribution| grouped(attribution, &money)));
        sheets.extend(self.against.iter().flat_map(|against| compared(against, exactly)));
        sheets
    }
}

/// The running day in columns.
fn running_sheet(running: &Running) -> Sheet {
    let columns = ["since", "as_of", "total_value", "net_external_flow", "earned", "return", "total_return", "complete", "reason"];
    let row = vec![
        running.stored.since.clone(),
        moment(running.stored.as_of).to_string(),
        exact(running.stored.total_value),
        exact(running.stored.net_external_flow),
        exact_if_any(running.earned),
        exact_if_any(running.change.as_ref().ok().copied()),
        exact_if_any(running.total),
        running.stored.complete.to_string(),
        said(&running.change, running.note).unwrap_or_default(),
    ];
    Sheet::new("running_day", &columns).with([row])
}

/// Profit by a grouping.
fn grouped(attribution: &Attribution, money: &dyn Fn(Option<Decimal>) -> String) -> Sheet {
    let text = |amount: &str| money(amount.parse().ok());
    let line = |name: &str, parts: [&str; 4], total: &str| {
        [name.to_owned()]
            .into_iter()
            .chain(parts.map(|part| if part.is_empty() { String::new() } else { text(part) }))
            .chain([text(total)])
            .collect()
    };
    let buckets = attribution
        .buckets
        .iter()
        .map(|of| line(&of.name, [&of.realized_gross, &of.fees, &of.income, &of.unrealized], &of.total))
        .chain([line("(residual)", [""; 4], &attribution.residual), line("(total)", [""; 4], &attribution.total)]);
    let without = if attribution.days_without_a_record > 0 {
        format!(" and {} without a record", attribution.days_without_a_record)
    } else {
        String::new()
    };
    let title = format!("profit by {}, {} days{without}", attribution.grouping, attribution.days);
    Sheet::new("attribution", &["bucket", "realized_gross", "fees", "income", "unrealized", "total"]).under(title).with(buckets)
}

/// Why there is no return, or what is to be known of it.
fn said(change: &Result<Decimal, String>, note: Option<&'static str>) -> Option<String> {
    change.as_ref().map_or_else(|reason| Some(reason.clone()), |_| note.map(str::to_owned))
}

/// Effects against a benchmark: the span for people, its days as well where every digit is asked for.
fn compared(against: &Against, exactly: bool) -> Vec<Sheet> {
    let share = |text: &str| if exactly { text.to_owned() } else { basis_points(text) };
    let effects = |of: &EffectsPart| [&of.allocation, &of.selection, &of.interaction, &of.total].map(|text| share(text));
    let row = |name: &str, of: &EffectsPart| [name.to_owned()].into_iter().chain(effects(of)).collect::<Vec<_>>();
    let groups = against.groups.iter().map(|of| row(&of.group, &of.effects)).chain([row("(total)", &against.total)]);
    let head = format!(
        "against {} by {}: return {}, benchmark {}, active {}, residual {}; {} days{}{}\neffects in basis points",
        against.benchmark,
        against.grouping,
        percent(against.portfolio_return.parse().ok()),
        percent(against.benchmark_return.parse().ok()),
        percent(against.active_return.parse().ok()),
        against.residual,
        against.days.len(),
        if against.provisional { ", PROVISIONAL" } else { "" },
        against.left_out.iter().map(|day| format!("\nleft out {}: {}", day.date, day.reason)).collect::<String>()
    );
    let mut sheets = Vec::new();
    if exactly {
        let columns = ["benchmark", "grouping", "days", "portfolio_return", "benchmark_return", "active_return", "residual"];
        let [mine, theirs, active, residual] =
            [&against.portfolio_return, &against.benchmark_return, &against.active_return, &against.residual].map(String::clone);
        let whole =
            vec![against.benchmark.clone(), against.grouping.to_owned(), against.days.len().to_string(), mine, theirs, active, residual];
        sheets.push(Sheet::new("against", &columns).with([whole]));
    }
    sheets.push(Sheet::new("effects", &["group", "allocation", "selection", "interaction", "total"]).under(head).with(groups));
    if exactly {
        sheets.push(days_compared(against));
        let left_out = against.left_out.iter().map(|day| vec![day.date.clone(), day.reason.clone()]);
        sheets.push(Sheet::new("left_out", &["date", "reason"]).with(left_out));
    }
    sheets
}

fn days_compared(against: &Against) -> Sheet {
    let columns = [
        "date",
        "group",
        "portfolio_weight",
        "portfolio_return",
        "benchmark_weight",
        "benchmark_return",
        "allocation",
        "selection",
        "interaction",
        "total",
        "linking_factor",
    ];
    let rows = against.days.iter().flat_map(|day| {
        day.groups.iter().map(|of| {
            let effects = &of.effects;
            [
                &day.date,
                &of.group,
                &of.portfolio_weight,
                &of.portfolio_return,
                &of.benchmark_weight,
                &of.benchmark_return,
                &effects.allocation,
                &effects.selection,
                &effects.interaction,
                &effects.total,
                &day.linking_factor,
            ]
            .map(String::clone)
            .to_vec()
        })
    });
    Sheet::new("effects_by_day", &columns).with(rows)
}

/// A fraction of one in basis points, for people.
fn basis_points(text: &str) -> String {
    let points = text.parse::<Decimal>().ok().and_then(|fraction| fraction.checked_mul(Decimal::from(10_000)));
    rounded(points, 2)
}

impl Report for PerformanceReport {
    fn sheets(&self) -> Vec<Sheet> {
        self.parts(false)
    }
    fn exact(&self) -> Vec<Sheet> {
        self.parts(true)
    }
}

fn day(day: &Day) -> DayPart {
    DayPart {
        date: day.date.clone(),
        total_value: exact(day.value),
        cash_value: day.cash.map(exact),
        net_external_flow: exact(day.flow),
        earned: day.earned.map(exact),
        change: day.change.as_ref().ok().copied().map(exact),
        source: day.source.name(),
        method: day.method.clone(),
        reason: said(&day.change, day.note),
        index: day.index.map(|index| exact(index.round_dp(DECIMALS))),
        drawdown: day.drawdown.map(|fall| exact(fall.round_dp(DECIMALS))),
        provisional: day.provisional,
    }
}

fn running_part(running: &Running) -> RunningPart {
    RunningPart {
        since: running.stored.since.clone(),
        as_of: moment(running.stored.as_of).to_string(),
        total_value: exact(running.stored.total_value),
        net_external_flow: exact(running.stored.net_external_flow),
        earned: running.earned.map(exact),
        change: running.change.as_ref().ok().copied().map(exact),
        reason: said(&running.change, running.note),
        total_return: running.total.map(exact),
        complete: running.stored.complete,
    }
}

#[cfg(test)]
mod tests;
