//! Laws about the figures that a plan publishes: they are those of its legs.

use super::Violations;
use super::exact::Exact;
use super::view::{Row, View};
use domain::{Fraction, Money};

/// Fees, turnover and holdings.
pub(super) fn sums(view: &View, found: &mut Violations) {
    let fees = &view.input.rules.orders.fees;
    let values: Vec<_> = view.plan.legs.iter().filter_map(|leg| view.notional(leg)).collect();
    let turnover = values.iter().fold(Exact::zero(), |sum, value| &sum + value);
    let orders = view.plan.legs.iter().filter(|leg| view.notional(leg).is_some()).fold(0, |sum, leg| sum + view.orders_of(leg));
    let fixed = &Exact::whole(orders) * &Exact::from(fees.fixed);
    let cost = &(&turnover * &Exact::from(fees.rate)) + &fixed;
    let said = view.plan.expected_fees.map(Exact::from);
    let off = said.is_none_or(|said| (&said - &cost).abs() > Exact::from(Money::from_units(1)));
    found.law("expected_fees", off, || cost.to_string());
    found.law("turnover", !is_part(view, view.plan.turnover, &turnover, 1), || turnover.to_string());
    for (row, line) in view.rows.iter().zip(&view.plan.new_allocations) {
        let after = &row.held + &row.ordered();
        found.law("new allocations", Exact::from(line.quantity) != after, || format!("{}: {after}", row.id()));
        found.law("new weights", !is_part(view, line.weight, &(&after * &row.unit), 1), || row.id().to_string());
    }
    for (row, line) in view.rows.iter().zip(&view.plan.explanation) {
        found.law("explained weights", !is_part(view, line.weight, &row.value(), 1), || row.id().to_string());
    }
}

/// drift_after is true, and not above drift_before, unless lots, the reserve, open orders or what closed futures pay say
/// why: the gain of a future is in equity before it is closed, and in no line.
pub(super) fn drift(view: &View, past: bool, found: &mut Violations) {
    let (before, _) = half_sum(view, |_| Exact::zero());
    let (after, more) = half_sum(view, |row| row.ordered());
    // Published targets of shared lines are cut: one unit of weight a line.
    let units = view.rows.len() as i128 + 1;
    found.law("drift_before", !is_part(view, view.plan.drift_before, &before, units), || before.to_string());
    found.law("drift_after", !is_part(view, view.plan.drift_after, &after, units), || after.to_string());
    let told = view.input.rules.orders.reserve_scales_targets || !view.input.open.is_empty() || past;
    let slack = &more + &(&view.equity * &Exact::from(Fraction::from_units(units)));
    found.law("drift does not grow", !told && after > &before + &slack, || format!("{before} to {after}"));
}

/// Half of Σ |value − target × equity|, cash included; and what orders may add to it: the worth of a lot of each line, and
/// what closed futures pay.
fn half_sum(view: &View, more: impl Fn(&Row) -> Exact) -> (Exact, Exact) {
    let mut cash = &view.cash - &(&view.cash_target() * &view.equity);
    let (mut sum, mut lots) = (Exact::zero(), Exact::zero());
    for row in &view.rows {
        let change = &more(row) * &row.unit;
        sum = &sum + &(&(&row.value() + &change) - &(&row.explained * &view.equity)).abs();
        // A future pays what its closed part has gained.
        let paid = if row.is_future() { row.gain_of(&more(row)) } else { -&change };
        cash = &cash + &paid;
        if row.is_future() {
            lots = &lots + &paid.abs();
        }
        if change.sign() != 0 {
            lots = &lots + &(&view.lot(row) * &row.unit);
        }
    }
    (&(&sum + &cash.abs()) * &Exact::new(5, 1), lots)
}

/// Whether a published fraction is part ÷ equity, so many units of its last digit apart at most.
pub(super) fn is_part(view: &View, said: Option<Fraction>, part: &Exact, units: i128) -> bool {
    let gap = |said| (&(&Exact::from(said) * &view.equity) - part).abs();
    said.is_some_and(|said| gap(said) <= &view.equity * &Exact::from(Fraction::from_units(units)))
}

/// Explained targets are those of the policy.
pub(super) fn targets(view: &View, found: &mut Violations) {
    for row in &view.rows {
        let same = view.target(row).is(&row.explained);
        found.law("explained targets", !same, || row.id().to_string());
    }
}
