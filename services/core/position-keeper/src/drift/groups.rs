//! Group lines: a band over the sum of their members (by sector, else by type).
//! Members share the group's bounds by their value where none of them has a target of its own.

use super::bounds::Bounds;
use crate::book::{Line, Portfolio};
use crate::prices::Market;
use domain::policy::{Policy, Target};
use domain::{Amount, Fraction};

/// Whether an instrument belongs to a group: its sector, or the symbol of its type.
fn is_member(market: &Market, line: &Line, group: &str) -> bool {
    let facts = market.slot(line.instrument).facts.as_deref();
    facts.is_some_and(|facts| facts.sector.as_deref() == Some(group) || facts.kind.symbol() == group)
}

/// One group as it stands.
#[derive(Debug, Clone)]
pub struct GroupStanding {
    /// Its place among the targets.
    pub place: u32,
    /// Its bounds.
    pub bounds: Bounds,
    /// Σ of its members' values.
    pub sum: Amount,
    /// Places among the counting lines.
    pub members: Vec<usize>,
    /// Their shares of the group's bounds, where none of them has a target of its own.
    pub shares: Vec<(usize, Bounds)>,
}

/// Every group of a policy. `weighed` are the values of the counting lines.
pub fn standings(portfolio: &Portfolio, market: &Market, weighed: &[Amount]) -> Vec<GroupStanding> {
    let Some(policy) = portfolio.policy.as_deref() else { return Vec::new() };
    portfolio.rules.groups.iter().map(|place| standing(portfolio, market, weighed, (policy, *place))).collect()
}

fn standing(portfolio: &Portfolio, market: &Market, weighed: &[Amount], (policy, place): (&Policy, usize)) -> GroupStanding {
    let name = policy.targets[place].group.as_deref().unwrap_or_default();
    let bounds = portfolio.rules.targets[place];
    let lines: Vec<&Line> = portfolio.lines.counting().map(|(_, line)| line).collect();
    let members: Vec<usize> = (0..lines.len()).filter(|at| is_member(market, lines[*at], name)).collect();
    let sum = |places: &[usize]| Amount::from_units(places.iter().map(|at| weighed[*at].units()).sum());
    let whole = sum(&members);
    // Where one member has a target of its own, the others have none: their target is zero.
    let shared = members.iter().all(|at| lines[*at].target.is_none());
    let share = |at: &usize| (*at, if whole.is_zero() { Bounds::default() } else { bounds.share(weighed[*at], whole) });
    let shares = if shared { members.iter().map(share).collect() } else { Vec::new() };
    let place = u32::try_from(place).expect("a policy has few targets");
    GroupStanding { place, bounds, sum: whole, members, shares }
}

/// The cash target: one less every instrument's target, and those of groups none of whose members has one.
pub fn cash_target(policy: &Policy, portfolio: &Portfolio, market: &Market) -> Fraction {
    let targets = policy.targets.iter().zip(&portfolio.rules.targets);
    let counting = targets.filter(|(target, _)| counts(target, portfolio, market));
    let sum: i128 = counting.map(|(_, bounds)| bounds.target_weight().units()).sum();
    Fraction::from_units(Fraction::ONE.units() - sum)
}

/// Σ |target| of the same lines, as the policy has them.
pub fn gross_target(policy: &Policy, portfolio: &Portfolio, market: &Market) -> Fraction {
    let counting = policy.targets.iter().filter(|target| counts(target, portfolio, market));
    Fraction::from_units(counting.map(|target| target.target_weight.units().abs()).sum())
}

/// Whether a line's target adds to the whole: that of a group does where no member has one of its own.
fn counts(target: &Target, portfolio: &Portfolio, market: &Market) -> bool {
    let Some(group) = target.group.as_deref() else { return true };
    !portfolio.lines.counting().any(|(_, line)| line.target.is_some() && is_member(market, line, group))
}
