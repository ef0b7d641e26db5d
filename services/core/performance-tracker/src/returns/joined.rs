//! Dated series on the dates that all of them have. Levels are joined first and returns taken afterwards, so that a
//! return of one series spans what the return of the other spans.

use super::between;
use crate::undefined::Undefined;
use domain::Date;
use std::collections::BTreeMap;

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
}
