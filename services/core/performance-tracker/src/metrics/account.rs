//! Figures of an account by its values and flows: time-weighted, money-weighted and Dietz returns, gain and flows.

use super::{
    Metric,
    Unit::{Amount, Fraction},
};
use crate::numeric::moments::enough;
use crate::returns::account::{FlowTiming, Valuation, net_flow, owner_flows, time_weighted};
use crate::returns::dietz::{DayPart, modified, simple};
use crate::returns::growth;
use crate::returns::money_weighted::{YEAR, rate_over, xirr};
use crate::undefined::{Answer, Undefined, finite};

/// The figures of this file.
pub const METRICS: &[Metric] = &[
    Metric::of_account(
        "time_weighted_return",
        Fraction,
        "product of (1 + return of each period between values, flows apart), less 1",
        "GIPS; Bacon (2008)",
        total,
    ),
    Metric::of_account(
        "time_weighted_return_annualised",
        Fraction,
        "(1 + time-weighted return)^(365 / days) - 1",
        "GIPS",
        |rows, timing| annual(total(rows, timing)?, rows),
    ),
    Metric::of_account(
        "money_weighted_return",
        Fraction,
        "the rate a year at which first value, flows and last value come to zero, Actual/365",
        "Excel XIRR; GIPS",
        money_weighted,
    ),
    Metric::of_account(
        "money_weighted_return_period",
        Fraction,
        "(1 + money-weighted return)^(days / 365) - 1: not annualised",
        "GIPS",
        money_weighted_of_the_period,
    ),
    Metric::of_account(
        "modified_dietz",
        Fraction,
        "gain / (first value + flows by the part of the days for which they worked, each from the start of its day)",
        "Dietz (1968); GIPS",
        |rows, timing| modified(rows, timing, DayPart::Start),
    ),
    Metric::of_account(
        "modified_dietz_end",
        Fraction,
        "the same, each flow from the end of its day",
        "Dietz (1968); GIPS, flows at the end of their day",
        |rows, timing| modified(rows, timing, DayPart::End),
    ),
    Metric::of_account("simple_dietz", Fraction, "gain / (first value + half of the flows)", "Dietz (1966)", simple),
    Metric::of_account("gain", Amount, "last value - first value - flows", "Bacon (2008)", |rows, timing| {
        enough(rows.len(), 2)?;
        finite(rows[rows.len() - 1].value - rows[0].value - net_flow(rows, timing))
    }),
    Metric::of_account("net_flow", Amount, "sum of the flows between first and last value", "sum", |rows, timing| {
        finite(net_flow(rows, timing))
    }),
];

/// Compounded time-weighted return.
pub fn total(rows: &[Valuation], timing: FlowTiming) -> Answer {
    finite(growth(&time_weighted(rows, timing)?)? - 1.0)
}

fn money_weighted(rows: &[Valuation], timing: FlowTiming) -> Answer {
    enough(rows.len(), 2)?;
    xirr(&owner_flows(rows, timing)).map(|found| found.rate)
}

/// Where a year's rate is beyond any that is looked for, the rate of the days themselves: theirs are of few days.
fn money_weighted_of_the_period(rows: &[Valuation], timing: FlowTiming) -> Answer {
    let days = days(rows)?;
    match money_weighted(rows, timing) {
        Err(Undefined::NoRootInRange) => rate_over(&owner_flows(rows, timing), days).map(|found| found.rate),
        yearly => finite(libm::pow(1.0 + yearly?, days / YEAR) - 1.0),
    }
}

fn annual(total: f64, rows: &[Valuation]) -> Answer {
    finite(libm::pow(1.0 + total, YEAR / days(rows)?) - 1.0)
}

/// Calendar days from the first value to the last; at least one.
fn days(rows: &[Valuation]) -> Answer {
    enough(rows.len(), 2)?;
    let days = rows[rows.len() - 1].date.days() - rows[0].date.days();
    if days > 0 { Ok(f64::from(days)) } else { Err(Undefined::NoDates) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Date;

    #[test]
    fn an_account_of_a_year() {
        let row = |day, value, flow| Valuation { date: Date::from_days(day), value, flow };
        let rows = [row(0, 100.0, 0.0), row(365, 110.0, 0.0)];
        for function in [total, money_weighted] {
            assert!((function(&rows, FlowTiming::Daily).unwrap() - 0.1).abs() < 1e-14);
        }
        assert!((annual(0.1, &rows).unwrap() - 0.1).abs() < 1e-15);
        let undated = [row(0, 100.0, 0.0), row(0, 110.0, 0.0)];
        assert_eq!(annual(0.1, &undated), Err(Undefined::NoDates));
    }

    #[test]
    fn what_was_earned_in_days_needs_no_rate_a_year() {
        let row = |day, value, flow| Valuation { date: Date::from_days(day), value, flow };
        let doubled = [row(0, 100.0, 0.0), row(10, 250.0, 0.0)];
        assert!((money_weighted_of_the_period(&doubled, FlowTiming::Daily).unwrap() - 1.5).abs() < 1e-13);
        assert_eq!(money_weighted(&doubled, FlowTiming::Daily), Err(Undefined::NoRootInRange));
        // Of several rates it is the one that the yearly figure has: both say the same.
        let several = [row(0, 100.0, 0.0), row(18, 0.0, -198.96), row(36, 0.0, 98.88)];
        let (year, period) = (money_weighted(&several, FlowTiming::End), money_weighted_of_the_period(&several, FlowTiming::End));
        assert!((libm::pow(1.0 + year.unwrap(), 36.0 / 365.0) - 1.0 - period.unwrap()).abs() < 1e-13);
        // 100 (1 + r) + 50 (1 + r)^0.5 = 300, so that (1 + r)^0.5 = 1.5.
        let flows = [row(0, 100.0, 0.0), row(5, 150.0, 50.0), row(10, 300.0, 0.0)];
        assert!((money_weighted_of_the_period(&flows, FlowTiming::End).unwrap() - 1.25).abs() < 1e-13);
    }
}
