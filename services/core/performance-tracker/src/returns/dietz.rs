//! The Dietz returns: what an account gained over the capital that worked on average, where it was not valued at
//! its flows. Approximations of the money-weighted return of the period, not annualised.

use super::account::{FlowTiming, Valuation, inner_flows, net_flow};
use crate::numeric::sum;
use crate::undefined::{Answer, Undefined, finite};

/// When on its day a flow begins to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayPart {
    /// From the start of the day: the day itself counts.
    Start,
    /// From its end.
    End,
}

/// Modified Dietz (GIPS): gain / (first value + flows, each by the part of the days for which it worked).
pub fn modified(rows: &[Valuation], timing: FlowTiming, part: DayPart) -> Answer {
    let days = |from: usize, to: usize| f64::from(rows[to].date.days() - rows[from].date.days());
    let Some(last) = rows.len().checked_sub(1).filter(|last| *last > 0 && days(0, *last) > 0.0) else {
        return Err(Undefined::TooFewObservations { have: rows.len(), need: 2 });
    };
    let whole = days(0, last);
    let itself = if part == DayPart::Start { 1.0 } else { 0.0 };
    let left = |row: &Valuation| f64::from(rows[last].date.days() - row.date.days());
    // What came on the first day cannot have worked longer than the whole period.
    let weighted = inner_flows(rows, timing).map(|row| row.flow * ((left(row) + itself) / whole).min(1.0));
    over(rows, timing, sum(weighted))
}

/// Simple Dietz: gain / (first value + half of the flows).
pub fn simple(rows: &[Valuation], timing: FlowTiming) -> Answer {
    crate::numeric::moments::enough(rows.len(), 2)?;
    over(rows, timing, net_flow(rows, timing) / 2.0)
}

fn over(rows: &[Valuation], timing: FlowTiming, working: f64) -> Answer {
    let (begin, end) = (rows[0].value, rows[rows.len() - 1].value);
    let capital = begin + working;
    if capital > 0.0 { finite((end - begin - net_flow(rows, timing)) / capital) } else { Err(Undefined::NoCapital) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Date;

    #[test]
    fn flows_count_for_the_days_that_they_worked() {
        let row = |day, value, flow| Valuation { date: Date::from_days(day), value, flow };
        let account = [row(0, 100.0, 0.0), row(10, 160.0, 50.0), row(30, 165.0, 0.0)];
        let end = modified(&account, FlowTiming::Daily, DayPart::End).unwrap();
        assert!((end - 15.0 / (100.0 + 50.0 * 20.0 / 30.0)).abs() < 1e-15);
        let start = modified(&account, FlowTiming::Daily, DayPart::Start).unwrap();
        assert!((start - 15.0 / (100.0 + 50.0 * 21.0 / 30.0)).abs() < 1e-15);
        assert!((simple(&account, FlowTiming::Daily).unwrap() - 15.0 / 125.0).abs() < 1e-15);
        assert!(modified(&account[..1], FlowTiming::Daily, DayPart::End).is_err());
        assert_eq!(simple(&[row(0, 0.0, 0.0), row(1, 0.0, 0.0)], FlowTiming::Daily), Err(Undefined::NoCapital));
    }
}
