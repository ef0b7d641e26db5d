//! Money-weighted returns: the rates that bring cash flows to zero. XIRR counts Actual/365 from the earliest flow;
//! without dates flows are one period apart.
//!
//! Every root that a grid can tell is found. Where there are several, the one nearest to zero is given and marked.

use crate::numeric::roots::{brackets, brent};
use crate::numeric::sum;
use crate::undefined::{Undefined, finite};
use domain::Date;

/// The lowest rate that is looked for, a fraction a year (or period).
const LOWEST: f64 = -0.999_999;
/// The highest.
const HIGHEST: f64 = 1e4;
/// Points of the grid, evenly spaced in the logarithm of 1 + rate.
const POINTS: u32 = 4_096;
/// How far around zero the only rate is looked for first, in the logarithm of 1 + rate.
const FIRST_REACH: f64 = 0.125;
/// Days in a year of Actual/365.
pub const YEAR: f64 = 365.0;

/// What was paid (negative) or got (positive) on a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CashFlow {
    /// Day.
    pub date: Date,
    /// Amount.
    pub amount: f64,
}

/// A rate that brings cash flows to zero.
#[derive(Debug, Clone, PartialEq)]
pub struct InternalRate {
    /// The rate, a fraction a year (or period); of several the one nearest to zero.
    pub rate: f64,
    /// All rates that were found, rising; more than one make `rate` ambiguous.
    pub roots: Vec<f64>,
}

impl InternalRate {
    /// Whether other rates bring the flows to zero too.
    pub fn is_ambiguous(&self) -> bool {
        self.roots.len() > 1
    }
}

/// The internal rate of return a year of dated flows (Excel's XIRR), in any order.
pub fn xirr(flows: &[CashFlow]) -> Result<InternalRate, Undefined> {
    rate_over(flows, YEAR)
}

/// The same a period of so many days, above zero, of which the flows may take any number.
pub fn rate_over(flows: &[CashFlow], days: f64) -> Result<InternalRate, Undefined> {
    let origin = flows.iter().map(|flow| flow.date).min();
    let periods = |date: Date| origin.map_or(0.0, |origin| f64::from(date.days() - origin.days()) / days);
    let timed: Vec<(f64, f64)> = flows.iter().map(|flow| (periods(flow.date), flow.amount)).collect();
    internal_rate(&timed)
}

/// The internal rate of return a period of flows that are one period apart (Excel's IRR).
pub fn irr(amounts: &[f64]) -> Result<InternalRate, Undefined> {
    let timed: Vec<(f64, f64)> = amounts.iter().enumerate().map(|(at, amount)| (at as f64, *amount)).collect();
    internal_rate(&timed)
}

/// What flows are worth on the day of the earliest, at a rate a year above -100 % (Excel's XNPV).
pub fn present_value(flows: &[CashFlow], rate: f64) -> Result<f64, Undefined> {
    let origin = flows.iter().map(|flow| flow.date).min().ok_or(Undefined::TooFewObservations { have: 0, need: 1 })?;
    let years = |date: Date| f64::from(date.days() - origin.days()) / YEAR;
    finite(sum(flows.iter().map(|flow| flow.amount * libm::exp(-libm::log1p(rate) * years(flow.date)))))
}

/// Rates at which amounts at times, in years, come to zero.
fn internal_rate(flows: &[(f64, f64)]) -> Result<InternalRate, Undefined> {
    let paid = flows.iter().any(|(_, amount)| *amount < 0.0);
    let got = flows.iter().any(|(_, amount)| *amount > 0.0);
    if !(paid && got) {
        return Err(Undefined::NoSignChange);
    }
    let last = flows.iter().fold(0.0_f64, |last, (time, _)| last.max(*time));
    // In the logarithm of 1 + rate, counted from the end that keeps every power below 1.
    let worth = |log: f64| {
        let from = if log < 0.0 { last } else { 0.0 };
        sum(flows.iter().map(|(time, amount)| amount * libm::exp(-log * (time - from))))
    };
    let (low, high) = (libm::log1p(LOWEST), libm::log1p(HIGHEST));
    if let Some(bracket) = only_bracket(flows, (low, high), worth) {
        let rate = finite(libm::expm1(brent(bracket, worth)))?;
        return Ok(InternalRate { rate, roots: vec![rate] });
    }
    let grid = (0..=POINTS).map(|point| low + (high - low) * f64::from(point) / f64::from(POINTS));
    let mut roots: Vec<f64> = brackets(grid, worth).into_iter().map(|bracket| libm::expm1(brent(bracket, worth))).collect();
    roots.dedup();
    let nearest = roots.iter().copied().reduce(|best, one| if one.abs() < best.abs() { one } else { best });
    let rate = finite(nearest.ok_or(Undefined::NoRootInRange)?)?;
    Ok(InternalRate { rate, roots })
}

/// Flows that change sign once in time have one rate at most, by Descartes' rule of signs, which holds for real
/// exponents too: it need not be looked for on the grid. Widens around zero until the signs differ. `None` where there
/// may be more, or where it lies outside.
fn only_bracket(flows: &[(f64, f64)], (low, high): (f64, f64), worth: impl Fn(f64) -> f64) -> Option<(f64, f64)> {
    let mut timed: Vec<(f64, f64)> = Vec::with_capacity(flows.len());
    timed.extend(flows.iter().filter(|(_, amount)| *amount != 0.0));
    timed.sort_by(|one, other| one.0.total_cmp(&other.0));
    // What comes at one moment counts together.
    timed.dedup_by(|one, other| {
        one.0 == other.0 && {
            other.1 += one.1;
            true
        }
    });
    let changes = timed.windows(2).filter(|pair| (pair[0].1 < 0.0) != (pair[1].1 < 0.0)).count();
    if changes != 1 {
        return None;
    }
    let mut reach = FIRST_REACH;
    let mut bracket = (-reach, reach);
    while (worth(bracket.0) < 0.0) == (worth(bracket.1) < 0.0) {
        if bracket == (low, high) {
            return None;
        }
        reach *= 2.0;
        bracket = ((-reach).max(low), reach.min(high));
    }
    Some(bracket)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flows(of: &[(&str, f64)]) -> Vec<CashFlow> {
        of.iter().map(|(date, amount)| CashFlow { date: date.parse().unwrap(), amount: *amount }).collect()
    }

    #[test]
    fn the_example_of_excel() {
        let example = flows(&[
            ("2008-01-01", -10_000.0),
            ("2008-03-01", 2_750.0),
            ("2008-10-30", 4_250.0),
            ("2009-02-15", 3_250.0),
            ("2009-04-01", 2_750.0),
        ]);
        let found = xirr(&example).unwrap();
        // Excel's help gives 0.373362535, the end of its own search; the root itself is 0.37336253351883.
        assert!((found.rate - 0.373_362_535).abs() < 2e-9 && !found.is_ambiguous(), "{found:?}");
        assert!(present_value(&example, found.rate).unwrap().abs() < 1e-9);
    }

    #[test]
    fn several_roots_are_marked() {
        let found = irr(&[-100.0, 230.0, -132.0]).unwrap();
        assert!(found.is_ambiguous() && (found.roots[0] - 0.1).abs() < 1e-12 && (found.roots[1] - 0.2).abs() < 1e-12, "{found:?}");
        assert_eq!(found.rate, found.roots[0]);
    }

    #[test]
    fn flows_of_one_sign_have_no_rate() {
        assert_eq!(irr(&[100.0, 5.0]), Err(Undefined::NoSignChange));
        assert_eq!(irr(&[]), Err(Undefined::NoSignChange));
        assert_eq!(irr(&[-100.0, 230.0, -160.0]), Err(Undefined::NoRootInRange));
        let soon = flows(&[("2026-01-01", -1.0), ("2026-01-02", 2.0)]);
        assert_eq!(xirr(&soon), Err(Undefined::NoRootInRange));
    }

    #[test]
    fn near_total_losses_and_long_times_are_found() {
        let lost = flows(&[("1950-01-01", -1_000.0), ("2025-01-01", 1e-3)]);
        assert!((xirr(&lost).unwrap().rate - (libm::pow(1e-6, 365.0 / 27_394.0) - 1.0)).abs() < 1e-12);
        let ruin = flows(&[("2025-01-01", -1_000_000.0), ("2026-01-01", 2.0)]);
        assert!((xirr(&ruin).unwrap().rate + 0.999_998).abs() < 1e-12);
        assert!(xirr(&flows(&[("2026-01-01", -1.0), ("2026-01-01", 2.0)])).is_err());
    }
}
