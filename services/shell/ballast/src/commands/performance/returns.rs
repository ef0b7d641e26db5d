//! Returns of closed days and of the one that runs, net of external flows, their product, and the deepest fall of it: exact decimals, rounded at
//! the twenty-eighth digit. A day's return is (value + outflow) ÷ (value of the day before + inflow) − 1.

use postgres_store::queries::{DayValue, RunningDay};
use rust_decimal::Decimal;

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
    /// What the day earned, in money; absent where there is no day before.
    pub(super) earned: Option<Decimal>,
    /// Fraction of one, or why there is none.
    pub(super) change: Result<Decimal, &'static str>,
    /// What one unit that was there before the first return has become.
    pub(super) index: Decimal,
    /// Index ÷ its highest so far − 1: zero or below.
    pub(super) drawdown: Decimal,
    /// Whether another version of the day is to be expected.
    pub(super) provisional: bool,
}

/// Days and what they come to.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Series {
    pub(super) days: Vec<Day>,
    /// Product of the returns, less one; absent without a return.
    pub(super) total: Option<Decimal>,
    /// How many days have a return.
    pub(super) observations: usize,
    /// The deepest fall.
    pub(super) deepest: Option<Fall>,
}

/// A fall of the index.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fall {
    /// Fraction of one, below zero.
    pub(super) depth: Decimal,
    /// The day of the height before it.
    pub(super) peak: String,
    /// Its lowest day.
    pub(super) trough: String,
    /// The first day at that height again; absent while it lasts.
    pub(super) recovered: Option<String>,
}

impl Series {
    /// The series of stored days from a date on; days of before it are what the first return is measured from.
    pub(super) fn of(stored: &[DayValue], from: &str) -> Self {
        let mut series = Self::default();
        let (mut index, mut high) = (Decimal::ONE, Decimal::ONE);
        for (at, day) in stored.iter().enumerate().filter(|(_, day)| day.date.as_str() >= from) {
            let before = at.checked_sub(1).map(|before| stored[before].total_value);
            let change =
                before.ok_or("the first day that is stored").and_then(|before| change(before, day.total_value, day.net_external_flow));
            if let Ok(change) = change {
                index = index.checked_mul(Decimal::ONE + change).unwrap_or(index);
                series.observations += 1;
            }
            high = high.max(index);
            let drawdown = index.checked_div(high).map_or(Decimal::ZERO, |part| part - Decimal::ONE);
            series.days.push(Day {
                date: day.date.clone(),
                value: day.total_value,
                cash: day.cash_value,
                flow: day.net_external_flow,
                earned: before.and_then(|before| earned(before, day.total_value, day.net_external_flow)),
                change,
                index,
                drawdown,
                provisional: day.provisional || !day.complete,
            });
        }
        series.total = (series.observations > 0).then(|| index - Decimal::ONE);
        series.deepest = deepest(&series.days);
        series
    }

    /// The day with the greatest or the least return.
    pub(super) fn extreme(&self, best: bool) -> Option<(&Day, Decimal)> {
        let known = self.days.iter().filter_map(|day| Some((day, day.change.ok()?)));
        if best { known.max_by_key(|(_, change)| *change) } else { known.min_by_key(|(_, change)| *change) }
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
    pub(super) change: Result<Decimal, &'static str>,
    /// Return of the span with it.
    pub(super) total: Option<Decimal>,
}

impl Running {
    /// The running day behind a series; `None` where the series does not end with the day that it is measured from.
    pub(super) fn of(stored: RunningDay, series: &Series) -> Option<Self> {
        let last = series.days.last().filter(|day| day.date == stored.since)?;
        let change = change(stored.value_before, stored.total_value, stored.net_external_flow);
        let total = change.ok().and_then(|change| last.index.checked_mul(Decimal::ONE + change)).map(|index| index - Decimal::ONE);
        let earned = earned(stored.value_before, stored.total_value, stored.net_external_flow);
        Some(Self { stored, earned, change, total })
    }
}

fn earned(before: Decimal, value: Decimal, flow: Decimal) -> Option<Decimal> {
    value.checked_sub(flow)?.checked_sub(before)
}

/// The return of a day. Where nothing is there to earn on, none can be told, and the index stands still.
fn change(before: Decimal, value: Decimal, flow: Decimal) -> Result<Decimal, &'static str> {
    let (inflow, outflow) = (flow.max(Decimal::ZERO), (-flow).max(Decimal::ZERO));
    let beyond = "the values are beyond 28 digits";
    let base = before.checked_add(inflow).ok_or(beyond)?;
    if base <= Decimal::ZERO || value < Decimal::ZERO {
        return Err("equity is not above zero");
    }
    let end = value.checked_add(outflow).ok_or(beyond)?;
    end.checked_div(base).map(|ratio| ratio - Decimal::ONE).ok_or(beyond)
}

fn deepest(days: &[Day]) -> Option<Fall> {
    let (at, low) = days.iter().enumerate().filter(|(_, day)| day.drawdown < Decimal::ZERO).min_by_key(|(_, day)| day.drawdown)?;
    let peak = days[..at].iter().rposition(|day| day.drawdown.is_zero());
    let recovered = days[at..].iter().find(|day| day.drawdown.is_zero()).map(|day| day.date.clone());
    // A fall from the start on has its height before the first day.
    let peak = peak.map_or_else(|| "the start".to_owned(), |peak| days[peak].date.clone());
    Some(Fall { depth: low.drawdown, peak, trough: low.date.clone(), recovered })
}

#[cfg(test)]
mod tests {
    use super::*;
    use postgres_store::Micros;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }
    fn day(date: &str, value: &str, flow: &str) -> DayValue {
        DayValue {
            date: date.to_owned(),
            cut_at: None,
            total_value: d(value),
            cash_value: None,
            long_value: None,
            short_value: None,
            net_external_flow: d(flow),
            complete: true,
            provisional: false,
        }
    }

    #[test]
    fn inflows_stand_at_the_start_of_a_day_and_outflows_at_its_end() {
        let stored = [
            day("2026-01-01", "100", "100"),
            day("2026-01-02", "165", "50"),
            day("2026-01-05", "99", "-66"),
            day("2026-01-06", "108.9", "0"),
        ];
        let series = Series::of(&stored, "2026-01-01");
        let changes: Vec<_> = series.days.iter().map(|day| day.change.map(|change| change.normalize().to_string())).collect();
        assert_eq!(changes, [Err("the first day that is stored"), Ok("0.1".into()), Ok("0".into()), Ok("0.1".into())]);
        assert_eq!(series.total, Some(d("0.21")));
        assert_eq!(series.days[2].earned, Some(d("0")));
        let tail = Series::of(&stored, "2026-01-05");
        assert_eq!((tail.days.len(), tail.observations, tail.total), (2, 2, Some(d("0.1"))), "measured from the day before");
    }

    #[test]
    fn the_running_day_is_measured_from_the_last_closed_one() {
        let series = Series::of(&[day("2026-01-01", "100", "100"), day("2026-01-02", "110", "0")], "2026-01-01");
        let running = |since: &str, value: &str, flow: &str| RunningDay {
            since: since.to_owned(),
            value_before: d("110"),
            as_of: Micros(0),
            total_value: d(value),
            net_external_flow: d(flow),
            complete: true,
        };
        let up = Running::of(running("2026-01-02", "176", "50"), &series).unwrap();
        assert_eq!((up.change, up.earned, up.total), (Ok(d("0.1")), Some(d("16")), Some(d("0.21"))));
        let lost = Running::of(running("2026-01-02", "-1", "0"), &series).unwrap();
        assert_eq!((lost.change, lost.earned, lost.total), (Err("equity is not above zero"), Some(d("-111")), None));
        assert_eq!(Running::of(running("2026-01-05", "176", "0"), &series), None, "a day was closed in between");
    }

    #[test]
    fn the_deepest_fall_has_its_days() {
        let values = [("2026-01-01", "100"), ("2026-01-02", "120"), ("2026-01-05", "90"), ("2026-01-06", "130"), ("2026-01-07", "117")];
        let stored: Vec<_> = values.iter().map(|(date, value)| day(date, value, "0")).collect();
        let fall = Series::of(&stored, "2026-01-01").deepest.unwrap();
        assert_eq!((fall.depth, fall.peak.as_str(), fall.trough.as_str()), (d("-0.25"), "2026-01-02", "2026-01-05"));
        assert_eq!(fall.recovered.as_deref(), Some("2026-01-06"));
        assert_eq!(Series::of(&stored[..2], "2026-01-01").deepest, None);
        let fall = Series::of(&stored[1..3], "2026-01-05").deepest.unwrap();
        assert_eq!((fall.peak.as_str(), fall.recovered), ("the start", None));
    }

    #[test]
    fn a_day_without_equity_stops_the_index_and_says_so() {
        let stored =
            [day("2026-01-01", "100", "0"), day("2026-01-02", "-5", "0"), day("2026-01-05", "50", "60"), day("2026-01-06", "55", "0")];
        let series = Series::of(&stored, "2026-01-01");
        assert_eq!(series.days[1].change, Err("equity is not above zero"));
        assert_eq!((series.days[1].index, series.observations), (Decimal::ONE, 2));
    }
}
