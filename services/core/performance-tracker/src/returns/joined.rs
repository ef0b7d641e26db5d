//! Dated series on the dates that all of them have. Levels are joined first and returns taken afterwards, so that a
//! return of one series spans what the return of the other spans.

use super::between;
use crate::undefined::Undefined;
use domain::Date;
use std::collections::{BTreeMap, BTreeSet};

/// Series on common dates.
#[derive(Debug, Clone, PartialEq)]
pub struct Joined {
    /// Dates that every series has, rising.
    pub dates: Vec<Date>,
    /// The series, each as long as the dates, in the order in which they came.
    pub columns: Vec<Vec<f64>>,
    /// Dates that one series has and not all: those left out.
    pub left_out: usize,
}

/// Joins series on their common dates. The last of two values of a date counts.
pub fn joined(series: &[Vec<(Date, f64)>]) -> Joined {
    let mut found: BTreeMap<Date, Vec<Option<f64>>> = BTreeMap::new();
    for (column, rows) in series.iter().enumerate() {
        for (date, value) in rows {
            found.entry(*date).or_insert_with(|| vec![None; series.len()])[column] = Some(*value);
        }
    }
    let all = found.len();
    let whole = found.into_iter().filter_map(|(date, row)| Some((date, row.into_iter().collect::<Option<Vec<f64>>>()?)));
    let mut joined = Joined { dates: Vec::new(), columns: vec![Vec::new(); series.len()], left_out: 0 };
    for (date, row) in whole {
        joined.dates.push(date);
        joined.columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
    }
    joined.left_out = all - joined.dates.len();
    joined
}

impl Joined {
    /// From levels to the returns between them, each dated by its end.
    pub fn returns(&self) -> Result<Self, Undefined> {
        let columns: Result<Vec<Vec<f64>>, Undefined> = self.columns.iter().map(|levels| between(levels)).collect();
        Ok(Self { dates: self.dates.iter().skip(1).copied().collect(), columns: columns?, left_out: self.left_out })
    }
}

/// Returns by the last day of their periods, and the day on which the first period began, where it is known.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dated {
    /// The day of the first level.
    pub opening: Option<Date>,
    /// Returns by their last day, rising.
    pub rows: Vec<(Date, f64)>,
}

impl Dated {
    /// Returns between dated levels, which rise in time.
    pub fn from_levels(levels: &[(Date, f64)]) -> Result<Self, Undefined> {
        let returns = between(&levels.iter().map(|(_, level)| *level).collect::<Vec<f64>>())?;
        let rows = levels.iter().skip(1).map(|(date, _)| *date).zip(returns).collect();
        Ok(Self { opening: levels.first().map(|(date, _)| *date), rows })
    }

    /// What compounds from after `from` to the end of `to`; a single period's return stays as it is.
    fn over(&self, from: Date, to: Date) -> Option<f64> {
        let after = |end: Date| self.rows.partition_point(|(date, _)| *date <= end);
        match &self.rows[after(from)..after(to)] {
            [] => None,
            [(_, one)] => Some(*one),
            several => Some(several.iter().fold(1.0, |product, (_, one)| product * (1.0 + one)) - 1.0),
        }
    }
}

/// Series of returns on the dates that all of them have: returns between two common dates compound, so that each
/// spans the same days in all series. The first one counts where it is the first of every series, or where the
/// series' levels before it are known.
pub fn aligned(series: &[Dated]) -> (Option<Date>, Joined) {
    let nodes = |one: &Dated| one.opening.into_iter().chain(one.rows.iter().map(|(date, _)| *date)).collect::<BTreeSet<Date>>();
    let all: Vec<BTreeSet<Date>> = series.iter().map(nodes).collect();
    let every: BTreeSet<Date> = all.iter().flatten().copied().collect();
    let common: Vec<Date> = every.iter().copied().filter(|date| all.iter().all(|one| one.contains(date))).collect();
    let mut found = Joined { dates: Vec::new(), columns: vec![Vec::new(); series.len()], left_out: every.len() - common.len() };
    let Some(first) = common.first().copied() else { return (None, found) };
    let begins = series.iter().all(|one| first_return(one, first).is_some());
    if begins {
        found.dates.push(first);
        for (column, one) in found.columns.iter_mut().zip(series) {
            column.extend(first_return(one, first));
        }
    }
    for pair in common.windows(2) {
        found.dates.push(pair[1]);
        for (column, one) in found.columns.iter_mut().zip(series) {
            column.extend(one.over(pair[0], pair[1]));
        }
    }
    ((!begins).then_some(first), found)
}

/// The return that ends with the first common date, where it is one of that date alone.
fn first_return(one: &Dated, first: Date) -> Option<f64> {
    match one.opening {
        Some(_) => one.rows.iter().find(|(date, _)| *date == first).map(|(_, value)| *value),
        None => one.rows.first().filter(|(date, _)| *date == first).map(|(_, value)| *value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_return_spans_the_same_days_in_both_series() {
        let day = Date::from_days;
        let own = vec![(day(1), 100.0), (day(2), 110.0), (day(3), 121.0)];
        let other = vec![(day(1), 50.0), (day(3), 55.0), (day(4), 60.0)];
        let levels = joined(&[own, other]);
        assert_eq!((levels.dates.clone(), levels.left_out), (vec![day(1), day(3)], 2));
        let returns = levels.returns().unwrap();
        assert_eq!(returns.dates, [day(3)]);
        assert!((returns.columns[0][0] - 0.21).abs() < 1e-15 && (returns.columns[1][0] - 0.1).abs() < 1e-15);
    }

    #[test]
    fn returns_between_common_dates_compound() {
        let day = Date::from_days;
        let own = Dated { opening: None, rows: vec![(day(2), 0.1), (day(3), 0.1), (day(4), 0.05)] };
        let other = Dated { opening: None, rows: vec![(day(2), 0.2), (day(4), 0.3)] };
        let (opening, found) = aligned(&[own.clone(), other]);
        assert_eq!((opening, found.dates.clone(), found.left_out), (None, vec![day(2), day(4)], 1));
        assert!((found.columns[0][1] - (1.1 * 1.05 - 1.0)).abs() < 1e-15);
        assert_eq!(found.columns[1], [0.2, 0.3]);
        let late = Dated { opening: None, rows: vec![(day(3), 0.2), (day(4), 0.3)] };
        let (opening, found) = aligned(&[own.clone(), late]);
        assert_eq!((opening, found.columns), (Some(day(3)), vec![vec![0.05], vec![0.3]]));
        let levels = Dated::from_levels(&[(day(1), 10.0), (day(2), 11.0), (day(4), 22.0)]).unwrap();
        let (opening, found) = aligned(&[own, levels]);
        assert_eq!((opening, found.dates), (None, vec![day(2), day(4)]));
        assert!((found.columns[1][0] - 0.1).abs() < 1e-15 && found.columns[1][1] == 1.0);
        assert_eq!(aligned(&[]).1.dates, []);
    }
}
