//! The measure of a portfolio against its rules: line by line for an event, in one quick scan for the watch.

use super::bounds::{Bounds, Standing};
use super::glance::Glance;
use super::groups::{cash_target, standings};
use super::watch::{Astray, Bounded, Edge};
use crate::book::Portfolio;
use crate::prices::Market;
use domain::{Amount, Fraction};

/// A line's bounds and whether it is breached, also as a member of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineMeasure {
    /// Bounds.
    pub bounds: Bounds,
    /// Whether it is out.
    pub breached: bool,
}

/// Measures every counting line. Without equity above zero nothing is breached.
pub fn lines(portfolio: &Portfolio, market: &Market, weighed: &[Amount], equity: Amount) -> Vec<LineMeasure> {
    let judged = portfolio.rules.watched && equity.is_positive();
    let mut measures: Vec<LineMeasure> = portfolio
        .lines
        .counting()
        .zip(weighed)
        .map(|((_, line), value)| {
            let bounds = *portfolio.rules.bounds_of(line.target);
            LineMeasure { bounds, breached: judged && bounds.is_breached(*value, equity) }
        })
        .collect();
    if judged {
        for group in standings(portfolio, market, weighed) {
            group.shares.iter().for_each(|(at, bounds)| measures[*at] = LineMeasure { bounds: *bounds, breached: false });
            if group.bounds.standing(group.sum, equity) == Standing::Breached {
                group.members.iter().for_each(|at| measures[*at].breached = true);
            }
        }
    }
    measures
}

/// Whether one quick scan tells that no line and no cash is out: of a book with groups it does not. Equity is above zero.
pub fn is_inside(portfolio: &Portfolio, market: &Market, weighed: &[Amount], equity: Amount, cash: Amount) -> bool {
    let (rules, glance) = (&portfolio.rules, Glance::at(equity));
    let holds = |target: Option<u16>, value: Amount| {
        glance.vouches(rules.inner_of(target), value) || !rules.bounds_of(target).is_breached(value, equity)
    };
    rules.groups.is_empty()
        && portfolio.lines.hot().iter().zip(weighed).all(|(line, value)| holds(line.target, *value))
        && cash_bounds(portfolio, market).is_none_or(|bounds| !bounds.is_breached(cash, equity))
}

/// What does not stand inside its clear level, each with its side: lines, but for those that share a group's bounds,
/// groups, and cash. Equity is above zero.
pub fn unclear(portfolio: &Portfolio, market: &Market, weighed: &[Amount], equity: Amount, cash: Amount) -> Vec<Astray> {
    let groups = standings(portfolio, market, weighed);
    let mut grouped = vec![false; weighed.len()];
    groups.iter().flat_map(|group| &group.shares).for_each(|(member, _)| grouped[*member] = true);
    let single = portfolio.lines.counting().zip(weighed).enumerate().filter(|(at, _)| !grouped[*at]);
    let astray = |of, bounds: &Bounds, value: Amount| {
        // Beyond the range of fractions it cannot go on.
        let drift = drift(value, equity, bounds.target_weight()).unwrap_or(Fraction::ZERO);
        let edge = Edge { of, is_over: bounds.is_over(value, equity) };
        Astray { edge, standing: bounds.standing(value, equity), drift: drift.abs(), trip: bounds.trip(drift) }
    };
    let lines =
        single.map(|(_, ((_, line), value))| astray(Bounded::Line(line.instrument), portfolio.rules.bounds_of(line.target), *value));
    let groups = groups.iter().map(|group| astray(Bounded::Group(group.place), &group.bounds, group.sum));
    let cash = cash_bounds(portfolio, market).map(|bounds| astray(Bounded::Cash, &bounds, cash));
    lines.chain(groups).chain(cash).filter(|astray| astray.standing != Standing::Clear).collect()
}

fn cash_bounds(portfolio: &Portfolio, market: &Market) -> Option<Bounds> {
    let policy = portfolio.policy.as_deref()?;
    let band = policy.trigger.cash_band?;
    Some(Bounds::within(cash_target(policy, portfolio, market), band, &policy.band))
}

/// weight − target of a value; `None` without equity above zero, and beyond the range of fractions.
pub fn drift(value: Amount, equity: Amount, target: Fraction) -> Option<Fraction> {
    apart(weight(value, equity)?, target)
}

/// weight − target; `None` beyond the range of fractions.
pub fn apart(weight: Fraction, target: Fraction) -> Option<Fraction> {
    weight.checked_sub(target).ok().filter(|drift| drift.fits_wire())
}

/// value ÷ equity; `None` without equity above zero, and beyond the range of fractions.
pub fn weight(value: Amount, equity: Amount) -> Option<Fraction> {
    equity.is_positive().then(|| value.ratio(equity).ok()).flatten().filter(|weight| weight.fits_wire())
}

/// The largest |drift| of a line; `None` without equity above zero.
pub fn extent(measures: &[LineMeasure], weighed: &[Amount], equity: Amount) -> Option<Fraction> {
    if !equity.is_positive() {
        return None;
    }
    let drifts = measures.iter().zip(weighed).map(|(measure, value)| drift(*value, equity, measure.bounds.target_weight()));
    drifts.map(|drift| drift.map(Fraction::abs)).try_fold(Fraction::ZERO, |most, drift| Some(most.max(drift?)))
}

/// Half of Σ |drift| with cash against its target; `None` without equity above zero.
pub fn half_sum(
    portfolio: &Portfolio,
    market: &Market,
    measures: &[LineMeasure],
    weighed: &[Amount],
    equity: Amount,
    cash: Amount,
) -> Option<Fraction> {
    let policy = portfolio.policy.as_deref()?;
    let mut sum = distance(cash, equity, cash_target(policy, portfolio, market))?;
    for (measure, value) in measures.iter().zip(weighed) {
        sum = sum.checked_add(distance(*value, equity, measure.bounds.target_weight())?).ok()?;
    }
    // One division at the end: rounded once.
    weight(sum, equity.checked_add(equity).ok()?)
}

/// |value − target × equity|; `None` without equity above zero.
fn distance(value: Amount, equity: Amount, target: Fraction) -> Option<Amount> {
    let aim = domain::wide::mul_div_half_even(target.units(), equity.units(), Fraction::ONE.units()).ok()?;
    value.checked_sub(Amount::from_units(aim)).ok().filter(|_| equity.is_positive()).map(Amount::abs)
}
