//! Steps 3 and 4: which lines stand outside their bounds, which lines are planned, and how far they go.
//! Comparisons are exact; nothing here knows lots, cash or limits.

use super::allocation::{Allocation, Bounds, Group, Share};
use super::book::Book;
use super::exact::{Int, WEIGHT, int, ten, weight, wide};
use super::input::PlanInput;
use super::refusal::Refusal;
use domain::Fraction;
use domain::enums::{Goal, RebalanceTrigger, Scope};
use domain::reason::ReasonCode;

/// On which side of its bounds a weight stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Below the lower bound.
    Below,
    /// Inside.
    Inside,
    /// Above the upper bound.
    Above,
}

impl Side {
    /// The side across.
    pub(crate) fn other(self) -> Self {
        match self {
            Side::Below => Side::Above,
            Side::Inside => Side::Inside,
            Side::Above => Side::Below,
        }
    }
}

/// Why lines are planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Nothing is: no line stands outside its bounds.
    Nothing,
    /// A line or a group stands outside its bounds.
    Lines,
    /// Only the cash line does, on this side.
    Cash(Side),
    /// A schedule or a person asked.
    Asked,
}

/// What is planned.
#[derive(Debug)]
pub(crate) struct Scoped {
    /// Why.
    pub(crate) cause: Cause,
    /// For each holding: on which side of its bounds it stands.
    pub(crate) sides: Vec<Side>,
    /// For each holding: whether it or a group of it stands outside its bounds.
    pub(crate) outside: Vec<bool>,
    /// For each holding: whether it is planned.
    pub(crate) planned: Vec<bool>,
    /// Words about groups outside their bounds that no holding can move.
    pub(crate) hollow: Option<String>,
}

/// Where value ÷ equity stands; both at one scale, the bounds at scale WEIGHT.
pub(crate) fn side(value: Int, equity: Int, bounds: &Bounds, inclusive: bool) -> Side {
    let weight = value * ten(WEIGHT);
    let (upper, lower) = (bounds.upper * equity, bounds.lower * equity);
    // Nothing held and nothing wanted stands on its bound without having left it.
    if value.is_zero() && bounds.target.is_zero() {
        return Side::Inside;
    }
    if weight > upper || (inclusive && weight == upper) {
        Side::Above
    } else if weight < lower || (inclusive && weight == lower) {
        Side::Below
    } else {
        Side::Inside
    }
}

/// The same for a share of a group's bounds, which no division has cut.
pub(crate) fn side_of_share(value: Int, equity: Int, share: &Share, inclusive: bool) -> Side {
    let at = wide(value) * wide(ten(WEIGHT)) * wide(share.whole);
    let edge = |bound: Int| wide(bound) * wide(share.part) * wide(equity);
    let (one, other) = (edge(share.bounds.lower), edge(share.bounds.upper));
    let (lower, upper) = (one.min(other), one.max(other));
    if value.is_zero() && share.bounds.target.is_zero() {
        Side::Inside
    } else if at > upper || (inclusive && at == upper) {
        Side::Above
    } else if at < lower || (inclusive && at == lower) {
        Side::Below
    } else {
        Side::Inside
    }
}

/// The breaches of the book and the lines that they plan.
pub(crate) fn scope(input: &PlanInput, book: &Book, allocation: &Allocation) -> Result<Scoped, Refusal> {
    let (sides, outside) = sides(input, book, allocation);
    let cash = cash_side(input, book, allocation.cash_target);
    let asked = match input.trigger {
        RebalanceTrigger::Threshold => false,
        RebalanceTrigger::Manual | RebalanceTrigger::Scheduled => true,
        RebalanceTrigger::Unknown => {
            return Err(Refusal::new(ReasonCode::DataGap, "the trigger is a symbol that this build does not know"));
        }
    };
    let hollow = hollow(input, book, allocation);
    let any = outside.contains(&true) || hollow.is_some();
    let cause = match (asked, any, cash) {
        (true, ..) => Cause::Asked,
        (_, true, _) => Cause::Lines,
        (.., Side::Inside) => Cause::Nothing,
        (.., side) => Cause::Cash(side),
    };
    let whole = match input.rules.trigger.scope {
        Scope::WholeBook => any,
        Scope::BreachedLines => false,
        Scope::Unknown => return Err(Refusal::allocation("trigger.scope is a symbol that this build does not know")),
    };
    let every = asked || whole || cash != Side::Inside;
    let planned = outside.iter().map(|out| every || *out).collect();
    Ok(Scoped { cause, sides, outside, planned, hollow })
}

/// Groups outside their bounds whose target nothing in the book can share.
fn hollow(input: &PlanInput, book: &Book, allocation: &Allocation) -> Option<String> {
    let outside = |group: &&Group| side(Int::ZERO, book.equity, &group.bounds, input.rules.band.inclusive) != Side::Inside;
    let names: Vec<_> = allocation.groups.iter().filter(|group| group.hollow).filter(outside).map(|group| group.name.as_str()).collect();
    let text =
        "stands outside its band and has no member in the book that could share its target: give its instruments targets of their own";
    (!names.is_empty()).then(|| format!("group {} {text}", names.join(", ")))
}

/// Each holding's side, and whether it or a group of it breaches.
fn sides(input: &PlanInput, book: &Book, allocation: &Allocation) -> (Vec<Side>, Vec<bool>) {
    let inclusive = input.rules.band.inclusive;
    let own =
        book.holdings.iter().zip(&allocation.aims).map(|(holding, aim)| {
            if aim.share.is_some() { Side::Inside } else { side(holding.value, book.equity, &aim.bounds, inclusive) }
        });
    let mut sides: Vec<_> = own.collect();
    let mut outside: Vec<_> = sides.iter().map(|side| *side != Side::Inside).collect();
    for group in &allocation.groups {
        let value = group.members.iter().fold(Int::ZERO, |sum, index| sum + book.holdings[*index].value);
        let at = side(value, book.equity, &group.bounds, inclusive);
        if at == Side::Inside {
            continue;
        }
        for index in &group.members {
            outside[*index] = true;
            if allocation.aims[*index].share.is_some() {
                sides[*index] = shared_side(at, book.holdings[*index].value, value);
            }
        }
    }
    (sides, outside)
}

/// A member whose sign is against its group's stands on the other side of its share.
fn shared_side(group: Side, member: Int, total: Int) -> Side {
    if member.signum() == total.signum() { group } else { group.other() }
}

fn cash_side(input: &PlanInput, book: &Book, target: Fraction) -> Side {
    let Some(band) = input.rules.trigger.cash_band else { return Side::Inside };
    let target = weight(target);
    let bounds = Bounds { target, lower: target - weight(band), upper: target + weight(band) };
    side(book.cash, book.equity, &bounds, input.rules.band.inclusive)
}

/// The weight that a planned line goes to, at scale WEIGHT.
pub(crate) fn goal(goal: Goal, side: Side, bounds: &Bounds) -> Result<Int, Refusal> {
    // A target of zero sells all, from whatever side.
    if side == Side::Inside || bounds.target.is_zero() {
        return Ok(bounds.target);
    }
    let edge = if side == Side::Above { bounds.upper } else { bounds.lower };
    match goal {
        Goal::Target => Ok(bounds.target),
        Goal::BandEdge => Ok(edge),
        // Bounds are even at scale WEIGHT, one digit finer than the longest product behind them.
        Goal::Midpoint => Ok((bounds.target + edge) / int(2)),
        Goal::Unknown => Err(Refusal::allocation("trigger.goal is a symbol that this build does not know")),
    }
}
