//! Returns of closed days and of the one that runs, net of external flows, their product, and the deepest fall of it. A
//! day's return is that of its record of performance, time-weighted at every flow; without one it is (value + outflow) ÷
//! (value of the day before + inflow) − 1, and says so. Decimals at twelve places, as in records; their product is exact to
//! the twenty-eighth digit. Statistics are not of this file.

use domain::Date;
use performance_tracker::Undefined;
use performance_tracker::tracker::Rule;
use postgres_store::queries::{ClosedTrades, DayValue, RunningDay};
use rust_decimal::Decimal;

/// Decimals of a return, as records have them.
pub(super) const DECIMALS: u32 = 12;

/// Where the return of a day comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// Its record of performance.
    Record,
    /// Its close and the one before it.
    Closes,
}

impl Source {
    /// As it is printed.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Source::Record => "RECORD",
            Source::Closes => "CLOSES",
        }
    }
}

/// A day of a series.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Day {
    /// YYYY-MM-DD.
    pub(super) date: String,
    /// Equity at its cut.
    pub(super) value: Decimal,
    /// Cash at its cut.
    pub(super) cash: Option<Decimal>,
    /// Net external flow since the day before.
    pub(super) flow: Decimal,
    /// What the day earned, in money; absent where there is neither a record nor a day before.
    pub(super) earned: Option<Decimal>,
    /// Fraction of one, or why there is none.
    pub(super) change: Result<Decimal, String>,
    /// Where that comes from.
    pub(super) source: Source,
    /// How it was found, in words.
    pub(super) method: String,
    /// What is to be known of a return that there is.
    pub(super) note: Option<&'static str>,
    /// What one unit that was there before the first return has become; absent on a day that left nothing: it begins anew.
    pub(super) index: Option<Decimal>,
    /// Index ÷ its highest so far − 1: zero or below.
    pub(super) drawdown: Option<Decimal>,
    /// What the benchmark returned since its last price, a fraction of one; absent where the record tells none.
    pub(super) benchmark: Option<Decimal>,
    /// The same of the risk-free instrument.
    pub(super) risk_free: Option<Decimal>,
    /// Trades that it closed, where its record tells of any.
    pub(super) trades: Option<ClosedTrades>,
    /// Whether another version of the day is to be expected.
    pub(super) provisional: bool,
}

/// Days and what they come to.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Series {
    pub(super) days: Vec<Day>,
    /// Place of the first day since linking last stopped; zero where it never did.
    pub(super) since: usize,
    /// Product of the returns from there on, less one; or why there is none.
    pub(super) total: Option<Decimal>,
    /// How many days from there on have a return.
    pub(super) observations: usize,
    /// The deepest fall from there on.
    pub(super) deepest: Option<Fall>,
    /// The close that the first day is measured from, where there is one: its date, and its equity.
    pub(super) before: Option<(String, Decimal)>,
    /// Whether its record tells what the benchmark returned, and what the risk-free instrument did.
    pub(super) priced_before: [bool; 2],
}

/// A fall of the index.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fall {
    /// Fraction of one, below zero.
    pub(super) depth: Decimal,
    /// The day of the height before it: of one from the start on the day that the first return is measured from, else that of
    /// the first return.
    pub(super) peak: String,
    /// Its lowest day.
    pub(super) trough: String,
    /// The first day at that height again; absent while it lasts.
    pub(super) recovered: Option<String>,
    /// Calendar days from the peak to the recovery, or to the last day.
    pub(super) days: Option<i32>,
}

/// The index on its way.
struct Index {
    now: Decimal,
    high: Decimal,
}

impl Index {
    const START: Self = Self { now: Decimal::ONE, high: Decimal::ONE };

    /// Grows by a return; returns the level, and how far it lies below the highest.
    fn grow(&mut self, change: Option<Decimal>) -> (Decimal, Decimal) {
        self.now = change.and_then(|change| self.now.checked_mul(Decimal::ONE + change)).unwrap_or(self.now);
        self.high = self.high.max(self.now);
        (self.now, self.now.checked_div(self.high).map_or(Decimal::ZERO, |part| part - Decimal::ONE))
    }
}

impl Series {
    /// The series of stored days from a date on; days of before it are what the first return is measured from.
    pub(super) fn of(stored: &[DayValue], from: &str) -> Self {
        let mut series = Self::default();
        let mut index = Index::START;
        for (at, day) in stored.iter().enumerate().filter(|(_, day)| day.date.as_str() >= from) {
            let before = at.checked_sub(1).map(|before| &stored[before]);
            if series.days.is_empty() {
                series.before = before.map(|day| (day.date.clone(), day.total_value));
                let told = before.and_then(|day| day.returned.as_ref());
                series.priced_before =
                    told.map_or([false; 2], |told| [told.benchmark_return, told.risk_free_return].map(|one| one.is_some()));
            }
            let (told, lost) = of_day(day, before.map(|day| day.total_value));
            if lost {
                index = Index::START;
                series.days.push(told);
                (series.since, series.observations) = (series.days.len(), 0);
                continue;
            }
            let change = told.change.as_ref().ok().copied();
            series.observations += usize::from(change.is_some());
            let (level, drawdown) = index.grow(change);
            series.days.push(Day { index: Some(level), drawdown: Some(drawdown), ..told });
        }
        series.total = (series.observations > 0).then(|| (index.now - Decimal::ONE).round_dp(DECIMALS));
        series.deepest = series.fall();
        series
    }

    /// The day on which linking last stopped, because nothing was left.
    pub(super) fn lost(&self) -> Option<&str> {
        self.since.checked_sub(1).map(|at| self.days[at].date.as_str())
    }

    /// Why there is no total, or what it leaves out.
    pub(super) fn reason(&self) -> Option<String> {
        match (self.total, self.lost()) {
            (Some(_), None) => None,
            (Some(_), Some(lost)) => {
                Some(format!("since {lost}, on which nothing was left: linking goes on with the capital that came after it"))
            }
            (None, Some(_)) => Some(coded(Undefined::TotalLoss)),
            (None, None) => self.days.iter().find_map(|day| day.change.clone().err()),
        }
    }

    /// The days since linking last stopped.
    pub(super) fn linked(&self) -> &[Day] {
        &self.days[self.since..]
    }

    /// The day that the first return of them is measured from, where one was closed.
    pub(super) fn closed_before(&self) -> Option<&str> {
        let first = self.since + self.linked().iter().position(|day| day.change.is_ok())?;
        match first.checked_sub(1) {
            Some(at) => Some(self.days[at].date.as_str()),
            None => self.before.as_ref().map(|(date, _)| date.as_str()),
        }
    }

    /// The day with the greatest or the least return.
    pub(super) fn extreme(&self, best: bool) -> Option<(&Day, Decimal)> {
        let known = self.linked().iter().filter_map(|day| Some((day, *day.change.as_ref().ok()?)));
        if best { known.max_by_key(|(_, change)| *change) } else { known.min_by_key(|(_, change)| *change) }
    }

    fn fall(&self) -> Option<Fall> {
        let days: Vec<(&Day, Decimal)> = self.linked().iter().filter_map(|day| Some((day, day.drawdown?))).collect();
        let (at, low) = days.iter().enumerate().filter(|(_, (_, fall))| *fall < Decimal::ZERO).min_by_key(|(_, (_, fall))| *fall)?;
        let level = |(day, fall): &(&Day, Decimal)| fall.is_zero() && day.change.is_ok();
        let opening = || self.closed_before().or_else(|| days.iter().find(|(day, _)| day.change.is_ok()).map(|(day, _)| day.date.as_str()));
        let peak = days[..at].iter().rposition(level).map_or_else(opening, |peak| Some(days[peak].0.date.as_str()))?;
        let recovered = days[at..].iter().find(|day| level(day)).map(|(day, _)| day.date.clone());
        let end = recovered.as_deref().or_else(|| days.iter().rev().find(|(day, _)| day.change.is_ok()).map(|(day, _)| day.date.as_str()));
        let days = end.and_then(|end| between(peak, end));
        Some(Fall { depth: low.1, peak: peak.to_owned(), trough: low.0.date.clone(), recovered, days })
    }
}

/// Calendar days from one date to another.
fn between(from: &str, to: &str) -> Option<i32> {
    let [from, to] = [from, to].map(|date| date.parse::<Date>().ok().map(Date::days));
    to.zip(from).map(|(to, from)| to - from)
}

/// A day without its place in the index, and whether it left nothing.
fn of_day(stored: &DayValue, before: Option<Decimal>) -> (Day, bool) {
    let told = stored.returned.as_ref();
    let earlier = told.is_some_and(|told| told.is_of_an_earlier_close);
    let provisional = stored.provisional || !stored.complete || told.is_some_and(|told| told.provisional) || earlier;
    let earned = || before.and_then(|before| earned(before, stored.total_value, stored.net_external_flow));
    let [benchmark, risk_free] = told.map_or([None; 2], |told| [told.benchmark_return, told.risk_free_return]);
    let trades = told.and_then(|told| told.trades);
    let day = |earned, change, source, method, note| Day {
        date: stored.date.clone(),
        value: stored.total_value,
        cash: stored.cash_value,
        flow: stored.net_external_flow,
        earned,
        change,
        source,
        method,
        note,
        index: None,
        drawdown: None,
        benchmark,
        risk_free,
        trades,
        provisional,
    };
    if let Some(told) = told {
        let note = earlier.then_some("its record is of an earlier version of the close");
        let change = told.time_weighted_return.clone();
        let lost = change.as_ref().is_err_and(|reason| reason.starts_with(Undefined::TotalLoss.code()));
        let method = Rule::named(&told.method).map(Rule::words).unwrap_or(&told.method).to_owned();
        return (day(told.profit.or_else(earned), change, Source::Record, method, note), lost);
    }
    let found = before.map(|before| change(before, stored.total_value, stored.net_external_flow));
    let lost = found == Some(Err(Undefined::TotalLoss));
    let change = found.map_or_else(|| Err("the first day that is stored".to_owned()), |found| found.map_err(coded));
    (day(earned(), change, Source::Closes, Rule::Daily.words().to_owned(), Some(without_record(stored.net_external_flow))), lost)
}

/// What is to be known of a return without a record.
fn without_record(flow: Decimal) -> &'static str {
    if flow.is_zero() {
        "no record of the day is stored: from its closes"
    } else {
        "no record of the day is stored: from its closes, not valued at its flows"
    }
}

/// What the newest snapshot adds to the closed days. It is not one of them: the day that it belongs to is not over.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Running {
    /// Where it stands.
    pub(super) stored: RunningDay,
    /// What it earned so far, in money.
    pub(super) earned: Option<Decimal>,
    /// Fraction of one, or why there is none.
    pub(super) change: Result<Decimal, String>,
    /// What is to be known of it.
    pub(super) note: Option<&'static str>,
    /// Return of the span with it.
    pub(super) total: Option<Decimal>,
}

impl Running {
    /// The running day behind a series; `None` where the series does not end with the day that it is measured from.
    pub(super) fn of(stored: RunningDay, series: &Series) -> Option<Self> {
        let last = series.days.last().filter(|day| day.date == stored.since)?;
        let change = change(stored.value_before, stored.total_value, stored.net_external_flow);
        // Behind a day that left nothing it is the first that is linked.
        let index = last.index.unwrap_or(Decimal::ONE);
        let total = change.ok().and_then(|change| index.checked_mul(Decimal::ONE + change)).map(|index| index - Decimal::ONE);
        let earned = earned(stored.value_before, stored.total_value, stored.net_external_flow);
        let note = (!stored.net_external_flow.is_zero()).then_some("not valued at its flows until it is closed");
        Some(Self { stored, earned, change: change.map_err(coded), note, total: total.map(|total| total.round_dp(DECIMALS)) })
    }
}

fn earned(before: Decimal, value: Decimal, flow: Decimal) -> Option<Decimal> {
    value.checked_sub(flow)?.checked_sub(before)
}

/// The return of a day by the daily rule. Where nothing was there to earn on none can be told; where nothing is left
/// linking stops.
fn change(before: Decimal, value: Decimal, flow: Decimal) -> Result<Decimal, Undefined> {
    let (inflow, outflow) = (flow.max(Decimal::ZERO), (-flow).max(Decimal::ZERO));
    let base = before.checked_add(inflow).ok_or(Undefined::OutOfRange)?;
    let end = value.checked_add(outflow).ok_or(Undefined::OutOfRange)?;
    if base <= Decimal::ZERO {
        return Err(Undefined::NoCapital);
    }
    if end <= Decimal::ZERO {
        return Err(Undefined::TotalLoss);
    }
    end.checked_div(base).map(|ratio| (ratio - Decimal::ONE).round_dp(DECIMALS)).ok_or(Undefined::OutOfRange)
}

/// A reason as records write it.
fn coded(why: Undefined) -> String {
    format!("{}: {why}", why.code())
}

#[cfg(test)]
pub(super) mod tests;
