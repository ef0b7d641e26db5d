//! A portfolio against another that is its benchmark: Brinson-Fachler effects by sector or type day by day, linked with
//! Carino. Weights and profits are those of the closed days and of their records; statistics are the library's of the core.

use crate::figure::statistic;
use domain::enums::InstrumentType;
use domain::portfolio_close::ClosedPosition;
use performance_tracker::attribution::brinson::{Effects, Holding, Model, Period, Side, brinson};
use performance_tracker::attribution::carino::{Linked, linked};
use performance_tracker::attribution::day::{Group, Whole, sides};
use postgres_store::queries::{AttributionDay, ClosedDay};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The name of what has no sector.
const NONE: &str = "NONE";
/// The bucket of entries of cash alone: it is cash, and no group.
const ENTRIES: &str = "CASH";

/// What the tables say of one of both.
pub(super) struct Book {
    pub(super) id: String,
    pub(super) days: Vec<ClosedDay>,
    pub(super) records: Vec<AttributionDay>,
    pub(super) sectors: BTreeMap<String, String>,
}

impl Book {
    /// What was earned on a day.
    fn record_of(&self, day: &ClosedDay) -> Option<&AttributionDay> {
        self.records.iter().find(|record| Some(record.as_of) == day.cut_at)
    }
}

/// Effects over the span, and of each day.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Against {
    pub(super) benchmark: String,
    pub(super) grouping: &'static str,
    pub(super) model: &'static str,
    pub(super) provisional: bool,
    pub(super) portfolio_return: String,
    pub(super) benchmark_return: String,
    pub(super) active_return: String,
    pub(super) total: EffectsPart,
    /// The active return less all effects: nothing but rounding.
    pub(super) residual: String,
    pub(super) groups: Vec<GroupPart>,
    pub(super) days: Vec<DayPart>,
    pub(super) left_out: Vec<LeftOut>,
}

/// Effects, fractions of one.
#[derive(Debug, Clone, Serialize)]
pub(super) struct EffectsPart {
    pub(super) allocation: String,
    pub(super) selection: String,
    pub(super) interaction: String,
    pub(super) total: String,
}

/// A group over the span, linked.
#[derive(Debug, Clone, Serialize)]
pub(super) struct GroupPart {
    pub(super) group: String,
    #[serde(flatten)]
    pub(super) effects: EffectsPart,
}

/// A day.
#[derive(Debug, Clone, Serialize)]
pub(super) struct DayPart {
    pub(super) date: String,
    pub(super) portfolio_return: String,
    pub(super) benchmark_return: String,
    pub(super) linking_factor: String,
    pub(super) total: EffectsPart,
    pub(super) groups: Vec<SidesPart>,
}

/// A group on a day.
#[derive(Debug, Clone, Serialize)]
pub(super) struct SidesPart {
    pub(super) group: String,
    pub(super) portfolio_weight: String,
    pub(super) portfolio_return: String,
    pub(super) benchmark_weight: String,
    pub(super) benchmark_return: String,
    #[serde(flatten)]
    pub(super) effects: EffectsPart,
}

/// A day of the span that does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct LeftOut {
    pub(super) date: String,
    pub(super) reason: String,
}

impl Against {
    /// The attribution of the days from a date on that both have; in words why there is none.
    pub(super) fn of(own: &Book, other: &Book, grouping: &'static str, from: &str) -> Result<Self, String> {
        same_currency(own, other)?;
        let dates: BTreeSet<&str> = own.days.iter().chain(&other.days).map(|day| day.date.as_str()).filter(|date| *date >= from).collect();
        let (mut days, mut left_out) = (Vec::new(), Vec::new());
        for date in dates {
            match period(own, other, grouping, date) {
                Ok(period) => days.push((date.to_owned(), period)),
                Err(reason) => left_out.push(LeftOut { date: date.to_owned(), reason }),
            }
        }
        let periods: Vec<Period> = days.iter().map(|(_, period)| period.clone()).collect();
        if periods.is_empty() {
            let why =
                left_out.first().map_or_else(|| "neither has a closed day".to_owned(), |first| format!("{}: {}", first.date, first.reason));
            return Err(format!("{} and {} have no day in this span that can be compared ({why})", own.id, other.id));
        }
        let whole = linked(&periods).map_err(|reason| format!("linking the days: {reason}"))?;
        let of_book = |book: &Book| {
            let told = |day: &ClosedDay| book.record_of(day).is_some_and(|record| record.provisional);
            book.days.iter().any(|day| day.date.as_str() >= from && (day.provisional || !day.complete || told(day)))
        };
        let provisional = of_book(own) || of_book(other);
        Ok(Self::told(&other.id, grouping, provisional, &days, &whole, left_out))
    }

    fn told(
        benchmark: &str,
        grouping: &'static str,
        provisional: bool,
        days: &[(String, Period)],
        whole: &Linked,
        left_out: Vec<LeftOut>,
    ) -> Self {
        let group = |(group, effects): (&String, &Effects)| GroupPart { group: group.clone(), effects: part(*effects) };
        Self {
            benchmark: benchmark.to_owned(),
            grouping,
            model: "brinson-fachler, carino",
            provisional,
            portfolio_return: statistic(whole.portfolio_return),
            benchmark_return: statistic(whole.benchmark_return),
            active_return: statistic(whole.active_return()),
            total: part(whole.total),
            residual: statistic(whole.residual()),
            groups: whole.sectors.iter().map(group).collect(),
            days: days.iter().zip(&whole.factors).map(|((date, period), factor)| day_part(date, period, *factor)).collect(),
            left_out,
        }
    }
}

fn part(effects: Effects) -> EffectsPart {
    EffectsPart {
        allocation: statistic(effects.allocation),
        selection: statistic(effects.selection),
        interaction: statistic(effects.interaction),
        total: statistic(effects.total()),
    }
}

fn day_part(date: &str, period: &Period, factor: f64) -> DayPart {
    let group = |sector: &performance_tracker::attribution::brinson::Sector| SidesPart {
        group: sector.sector.clone(),
        portfolio_weight: statistic(sector.portfolio.0),
        portfolio_return: statistic(sector.portfolio.1),
        benchmark_weight: statistic(sector.benchmark.0),
        benchmark_return: statistic(sector.benchmark.1),
        effects: part(sector.effects),
    };
    DayPart {
        date: date.to_owned(),
        portfolio_return: statistic(period.portfolio_return),
        benchmark_return: statistic(period.benchmark_return),
        linking_factor: statistic(factor),
        total: part(period.total),
        groups: period.sectors.iter().map(group).collect(),
    }
}

/// Returns in different currencies are no returns of the same thing.
fn same_currency(own: &Book, other: &Book) -> Result<(), String> {
    let of = |book: &Book| book.days.iter().filter_map(|day| day.base_currency.clone()).collect::<BTreeSet<_>>();
    let (mine, theirs) = (of(own), of(other));
    if mine == theirs || mine.is_empty() || theirs.is_empty() {
        return Ok(());
    }
    let shown = |currencies: BTreeSet<String>| currencies.into_iter().collect::<Vec<_>>().join(", ");
    Err(format!(
        "{} is kept in {} and {} in {}: a benchmark has the base currency of its portfolio",
        own.id,
        shown(mine),
        other.id,
        shown(theirs)
    ))
}

/// A day of both, which is measured from the same day before it.
fn period(own: &Book, other: &Book, grouping: &'static str, date: &str) -> Result<Period, String> {
    let (mine, theirs) = (span(own, date)?, span(other, date)?);
    let [since, other_since] = [mine, theirs].map(|(before, _)| &before.date);
    if since != other_since {
        return Err(format!("it is measured from the close of {since} in {}, and of {other_since} in {}", own.id, other.id));
    }
    let mine = of_span(own, grouping, mine)?;
    let mut theirs: BTreeMap<String, Side> = of_span(other, grouping, theirs)?.into_iter().collect();
    let row = |sector: String, portfolio, benchmark| Holding { sector, portfolio, benchmark };
    let mut rows: Vec<Holding> = mine
        .into_iter()
        .map(|(name, side)| (theirs.remove(&name), name, side))
        .map(|(other, name, side)| row(name, side, other.unwrap_or_default()))
        .collect();
    rows.extend(theirs.into_iter().map(|(name, side)| row(name, Side::default(), side)));
    brinson(&rows, Model::Fachler).map_err(|reason| reason.to_string())
}

/// A day behind the one that it is measured from.
fn span<'a>(book: &'a Book, date: &str) -> Result<(&'a ClosedDay, &'a ClosedDay), String> {
    let at = book.days.iter().position(|day| day.date == date).ok_or_else(|| format!("{} has no close of it", book.id))?;
    let before = at.checked_sub(1).ok_or_else(|| format!("{} has no close before it", book.id))?;
    Ok((&book.days[before], &book.days[at]))
}

/// Weights and returns of one of both on a day.
fn of_span(book: &Book, grouping: &'static str, (before, day): (&ClosedDay, &ClosedDay)) -> Result<Vec<(String, Side)>, String> {
    let profits = book.record_of(day).and_then(|record| profits(&record.attribution, grouping));
    let (profits, profit) = profits.ok_or_else(|| format!("{} has no record of its profit by {grouping}", book.id))?;
    let (begin, end) = (values(book, before, grouping)?, values(book, day, grouping)?);
    let names: BTreeSet<&String> = begin.keys().chain(end.keys()).chain(profits.keys()).filter(|name| *name != ENTRIES).collect();
    let number = |of: &BTreeMap<String, Decimal>, name: &String| of.get(name).copied().unwrap_or_default();
    let group = |name: &String| {
        let [begin, end, profit] = [&begin, &end, &profits].map(|of| float(number(of, name)));
        Group { name: name.clone(), begin, end, profit }
    };
    let groups: Vec<Group> = names.into_iter().map(group).collect();
    let whole = Whole { begin: float(before.equity), flow: float(day.net_external_flow), profit: float(profit) };
    sides(whole, &groups).map_err(|reason| format!("{}: {reason}", book.id))
}

/// Profit of each bucket of a grouping, and the total.
fn profits(attribution: &Value, grouping: &str) -> Option<(BTreeMap<String, Decimal>, Decimal)> {
    let number = |of: &Value, name: &str| of.get(name)?.as_str()?.parse::<Decimal>().ok();
    let of = attribution.as_array()?.iter().find(|of| of.get("grouping").and_then(Value::as_str) == Some(grouping))?;
    let bucket = |bucket: &Value| Some((bucket.get("name")?.as_str()?.to_owned(), number(bucket, "total")?));
    let buckets: Option<BTreeMap<_, _>> = of.get("buckets")?.as_array()?.iter().map(bucket).collect();
    Some((buckets?, number(of, "total")?))
}

/// Value of each group at a close: of futures the notional, as in weights everywhere.
fn values(book: &Book, day: &ClosedDay, grouping: &str) -> Result<BTreeMap<String, Decimal>, String> {
    let positions: Vec<ClosedPosition> = serde_json::from_value(day.positions.clone())
        .map_err(|error| format!("the holdings of {} on {} cannot be read: {error}", book.id, day.date))?;
    let mut sums = BTreeMap::new();
    for position in &positions {
        let name = match grouping {
            // As the close tells it; closes of earlier builds tell none.
            "SECTOR" => match &position.sector {
                Some(sector) => sector.as_str(),
                None => book.sectors.get(position.instrument_id.as_str()).map_or(NONE, String::as_str),
            },
            _ => position.kind.symbol(),
        };
        let value = exposed(position).ok_or_else(|| format!("{} of {} has no value on {}", position.instrument_id, book.id, day.date))?;
        *sums.entry(name.to_owned()).or_insert(Decimal::ZERO) += value;
    }
    Ok(sums)
}

fn exposed(position: &ClosedPosition) -> Option<Decimal> {
    if position.kind != InstrumentType::Future {
        return position.value.to_decimal();
    }
    let (rate, price) = (position.fx_rate?.to_decimal()?, position.price?.to_decimal()?);
    let multiplier = position.multiplier.map_or(Some(Decimal::ONE), |multiplier| multiplier.to_decimal())?;
    let units = position.quantity.to_decimal()?.checked_mul(multiplier)?;
    units.checked_mul(price)?.checked_mul(rate)
}

/// The nearest number of statistics.
fn float(exact: Decimal) -> f64 {
    exact.to_f64().unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::float_arithmetic, reason = "statistics are f64")]
mod tests;
