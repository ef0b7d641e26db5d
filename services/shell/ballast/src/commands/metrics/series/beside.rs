//! A portfolio's returns beside a benchmark and risk-free rates. Figures with others are of the periods that all have;
//! what others lack is counted and said, and takes nothing from the portfolio's own figures.

use super::{Periods, Series, of_file};
use crate::cli::metrics::MetricsArgs;
use crate::commands::metrics::UnusableInput;
use crate::commands::metrics::columns::Role;
use crate::print::counted;
use domain::Date;
use performance_tracker::returns::joined::{Dated, aligned, joined as by_date};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Joins a series with its benchmark and risk-free rates, of the same file or of files of their own.
pub fn joined(own: Dated, benchmark: Option<Dated>, rates: Option<Dated>, args: &MetricsArgs) -> Result<Series, UnusableInput> {
    let mut notes = Vec::new();
    let mut other = |path: &Option<PathBuf>, role: Role, column: Option<Dated>| match path {
        Some(path) => of_file(path, args, role).map(|(found, told)| {
            notes.extend(told);
            Some(found)
        }),
        None => Ok(column),
    };
    let benchmark = other(&args.benchmark, Role::Benchmark, benchmark)?;
    let rates = other(&args.risk_free_file, Role::RiskFree, rates)?;
    let (dates, returns): (Vec<Date>, Vec<f64>) = own.rows.iter().copied().unzip();
    let ends = (0..dates.len()).collect();
    let mut series =
        Series { own: Periods { dates: Some(dates), opening: own.opening, returns, ends, ..Periods::default() }, ..Series::default() };
    if let Some(rates) = &rates {
        let mut found = in_common(&own, &[rates])?;
        found.risk_free = found.benchmark.take();
        notes.extend(told("risk-free rates", &own, rates, &found));
        if found.ends == series.own.ends && found.returns == series.own.returns {
            series.own.risk_free = found.risk_free;
        } else {
            series.rated = Some(found);
        }
    }
    if let Some(benchmark) = &benchmark {
        let others: Vec<&Dated> = [Some(benchmark), rates.as_ref()].into_iter().flatten().collect();
        let found = in_common(&own, &others)?;
        notes.extend(told("the benchmark", &own, benchmark, &found));
        series.relative = Some(found);
    }
    series.notes = notes;
    Ok(series)
}

/// The periods that a portfolio and others have in common. Series of returns join by date. With levels, returns between
/// two common dates compound, so that each spans the same days in all series.
fn in_common(own: &Dated, others: &[&Dated]) -> Result<Periods, UnusableInput> {
    let start = own.opening.or(own.rows.first().map(|(date, _)| *date));
    // What returns were before the portfolio began is no part of its first period.
    let since = |one: &Dated| match one.opening {
        None => Dated { opening: None, rows: one.rows.iter().copied().filter(|(date, _)| Some(*date) >= start).collect() },
        Some(_) => one.clone(),
    };
    let all: Vec<Dated> = [own.clone()].into_iter().chain(others.iter().map(|one| since(one))).collect();
    let (opening, mut found) = if all.iter().all(|one| one.opening.is_none()) {
        (None, by_date(&all.iter().map(|one| one.rows.clone()).collect::<Vec<_>>()))
    } else {
        aligned(&all)
    };
    if found.dates.is_empty() {
        return Err(UnusableInput(
            "the portfolio has no period in common with its benchmark or risk-free rates: they need the same dates".to_owned(),
        ));
    }
    let ends: Vec<usize> = found.dates.iter().filter_map(|date| own.rows.binary_search_by_key(date, |(one, _)| *one).ok()).collect();
    let opening = opening.or(own.opening.filter(|_| ends.first() == Some(&0)));
    let mut columns = found.columns.drain(..);
    let (returns, benchmark, risk_free) = (columns.next().unwrap_or_default(), columns.next(), columns.next());
    drop(columns);
    Ok(Periods { dates: Some(found.dates), opening, returns, benchmark, risk_free, ends })
}

/// How many returns and dates another series leaves out of the figures with it.
fn told(name: &str, own: &Dated, other: &Dated, found: &Periods) -> Vec<String> {
    let compound = own.opening.is_some() || other.opening.is_some();
    let (all, without) = (own.rows.len(), own.rows.len() - found.ends.len());
    let dates: BTreeSet<Date> = own.opening.into_iter().chain(own.rows.iter().map(|(date, _)| *date)).collect();
    let alone = other.rows.iter().filter(|(date, _)| !dates.contains(date)).count();
    let how = if compound { "figures with it compound over them, or leave them out at the ends" } else { "figures with it leave them out" };
    let lacking = format!("{name}: without {without} of the portfolio's {all} dates; {how}, the portfolio's own count all");
    let beyond = format!("{name}: {} left out that the portfolio has not", counted(alone as u64, "date"));
    [(without > 0).then_some(lacking), (alone > 0).then_some(beyond)].into_iter().flatten().collect()
}

/// Series side by side without dates: return, benchmark and risk-free return of each row, which has a return.
pub fn by_row(rows: &[[Option<f64>; 3]], with_benchmark: bool, with_rates: bool) -> Result<Series, UnusableInput> {
    let of = |benchmark: bool, rates: bool| {
        let mut periods = Periods { benchmark: benchmark.then(Vec::new), risk_free: rates.then(Vec::new), ..Periods::default() };
        for (at, [own, other, rate]) in rows.iter().enumerate() {
            if benchmark && other.is_none() || rates && rate.is_none() {
                continue;
            }
            periods.returns.extend(own);
            periods.benchmark.iter_mut().for_each(|all| all.extend(other));
            periods.risk_free.iter_mut().for_each(|all| all.extend(rate));
            periods.ends.push(at);
        }
        periods
    };
    let mut series = Series { own: of(false, false), ..Series::default() };
    let all = rows.len();
    let mut lacks = |name: &str, found: &Periods| {
        let without = all - found.ends.len();
        if found.ends.is_empty() {
            return Err(UnusableInput(format!("{name}: it has no row in common with the returns")));
        }
        let text = format!(
            "{name}: without {without} of the portfolio's {all} rows; figures with it leave them out, the portfolio's own count all"
        );
        series.notes.extend((without > 0).then_some(text));
        Ok(())
    };
    let rated = with_rates.then(|| of(false, true));
    let relative = with_benchmark.then(|| of(true, with_rates));
    rated.iter().try_for_each(|found| lacks("risk-free rates", found))?;
    relative.iter().try_for_each(|found| lacks("the benchmark", found))?;
    match rated {
        Some(found) if found.ends.len() == all => series.own.risk_free = found.risk_free,
        rated => series.rated = rated,
    }
    series.relative = relative;
    Ok(series)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(at: i32) -> Date {
        Date::from_days(at)
    }

    #[test]
    fn returns_join_by_date_and_lose_none() {
        let own = Dated { opening: None, rows: vec![(day(2), 0.1), (day(3), 0.2), (day(4), 0.3)] };
        let before = Dated { opening: None, rows: vec![(day(1), 0.5), (day(2), 0.1), (day(3), 0.1), (day(4), 0.1)] };
        assert_eq!(in_common(&own, &[&before]).unwrap().returns, [0.1, 0.2, 0.3]);
        let gap = Dated { opening: None, rows: vec![(day(2), 0.1), (day(4), 0.1)] };
        let found = in_common(&own, &[&gap]).unwrap();
        assert_eq!((found.returns.clone(), found.ends.clone()), (vec![0.1, 0.3], vec![0, 2]));
        assert!(told("it", &own, &gap, &found)[0].contains("without 1 of the portfolio's 3 dates"));
        assert_eq!(told("it", &own, &before, &found).len(), 2);
        let other = Dated { opening: None, rows: vec![(day(9), 0.1)] };
        assert!(in_common(&own, &[&other]).is_err());
    }

    #[test]
    fn values_begin_with_their_first_period_whatever_returns_were_before() {
        let own = Dated::from_levels(&[(day(2), 100.0), (day(3), 110.0), (day(4), 121.0)]).unwrap();
        for rows in [vec![(day(1), 0.5), (day(2), 0.5), (day(3), 0.1), (day(4), 0.2)], vec![(day(1), 0.5), (day(3), 0.1), (day(4), 0.2)]] {
            let found = in_common(&own, &[&Dated { opening: None, rows }]).unwrap();
            assert_eq!((found.benchmark, found.opening, found.ends), (Some(vec![0.1, 0.2]), Some(day(2)), vec![0, 1]));
        }
    }
}
