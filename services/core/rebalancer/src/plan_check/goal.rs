//! Laws about direction: only what breached is planned, each leg moves its line toward its goal, none goes
//! past it by more than a lot. Targets and bounds are laid over the book again here, shares as ratios.

use super::Violations;
use super::exact::Exact;
use super::view::{Group, Row, View};
use crate::plan::Leg;
use domain::enums::{BandKind, Decision, Goal, RebalanceTrigger, Scope};
use domain::policy::Target;
use domain::reason::ReasonCode;
use domain::{Fraction, InstrumentId};

/// part ÷ whole, never divided; `whole` is positive.
pub(super) struct Ratio {
    part: Exact,
    whole: Exact,
}

impl Ratio {
    /// Whether `said` is this ratio, cut at the last digit of a fraction.
    pub(super) fn is(&self, said: &Exact) -> bool {
        (&(said * &self.whole) - &self.part).abs() < &self.whole * &Exact::from(Fraction::from_units(1))
    }
}

/// A line's or a group's target with its bounds.
struct Bounds {
    target: Exact,
    lower: Exact,
    upper: Exact,
}

impl View<'_> {
    /// The group whose target the row shares.
    fn shares(&self, row: &Row) -> Option<&Group<'_>> {
        row.groups.iter().map(|index| &self.groups[*index]).find(|group| group.shared)
    }
    /// The row's target weight.
    pub(super) fn target(&self, row: &Row) -> Ratio {
        match (row.own, self.shares(row)) {
            (Some(own), _) => Ratio { part: self.scaled(own.target_weight), whole: Exact::whole(1) },
            (None, Some(group)) => share(row, group, &self.scaled(group.line.target_weight)),
            (None, None) => Ratio { part: Exact::zero(), whole: Exact::whole(1) },
        }
    }
    /// Whether the row's target is zero, as it is published.
    pub(super) fn target_is_zero(&self, row: &Row) -> bool {
        let target = self.target(row);
        target.part.abs() < &target.whole * &Exact::from(Fraction::from_units(1))
    }
    /// Whether the row is to be held short.
    pub(super) fn target_is_short(&self, row: &Row) -> bool {
        let target = self.target(row);
        target.part.sign() * target.whole.sign() < 0
    }
    fn bounds(&self, target: Fraction, line: Option<&Target>) -> Bounds {
        let band = self.input.rules.band;
        let target = self.scaled(target);
        let (absolute, relative) = (Exact::from(band.absolute), &Exact::from(band.relative) * &target.abs());
        let width = match band.kind {
            BandKind::Relative => relative,
            BandKind::SmallerOf => absolute.min(relative),
            BandKind::LargerOf => absolute.max(relative),
            BandKind::Absolute | BandKind::Unknown => absolute,
        };
        let lower = line.and_then(|line| line.min_weight).map_or(&target - &width, |weight| self.scaled(weight));
        let upper = line.and_then(|line| line.max_weight).map_or(&target + &width, |weight| self.scaled(weight));
        Bounds { target, lower, upper }
    }
    /// 1 above the bounds, -1 below, 0 inside.
    fn stands(&self, value: &Exact, bounds: &Bounds) -> i128 {
        let touch = self.input.rules.band.inclusive && !(value.sign() == 0 && bounds.target.sign() == 0);
        let (upper, lower) = (&bounds.upper * &self.equity, &bounds.lower * &self.equity);
        let (over, under) = (*value > upper || (touch && *value == upper), *value < lower || (touch && *value == lower));
        if value.sign() == 0 && bounds.target.sign() == 0 { 0 } else { i128::from(over) - i128::from(under && !over) }
    }
    fn row_stands(&self, row: &Row) -> i128 {
        self.stands(&row.value(), &self.row_bounds(row))
    }
    /// Where the row stands, or the group whose target it shares.
    fn own_stands(&self, row: &Row) -> i128 {
        self.shares(row).map_or_else(|| self.row_stands(row), |group| self.group_stands(group))
    }
    fn row_bounds(&self, row: &Row) -> Bounds {
        self.bounds(row.own.map_or(Fraction::ZERO, |line| line.target_weight), row.own)
    }
    fn group_bounds(&self, group: &Group) -> Bounds {
        self.bounds(group.line.target_weight, Some(group.line))
    }
    fn group_stands(&self, group: &Group) -> i128 {
        self.stands(&group.value, &self.group_bounds(group))
    }
    /// Whether the row or a group of it stands outside its bounds.
    fn breached(&self, row: &Row) -> bool {
        let by_group = row.groups.iter().any(|index| self.group_stands(&self.groups[*index]) != 0);
        by_group || (self.shares(row).is_none() && self.row_stands(row) != 0)
    }
    fn cash_breached(&self) -> bool {
        let Some(band) = self.input.rules.trigger.cash_band else { return false };
        let (target, band) = (self.cash_target(), Exact::from(band));
        let bounds = Bounds { lower: &target - &band, upper: &target + &band, target };
        self.stands(&self.cash, &bounds) != 0
    }
    /// 1 − Σ targets, over instruments and over groups whose members have none.
    pub(super) fn cash_target(&self) -> Exact {
        let groups = self.groups.iter().filter(|group| group.shared).map(|group| group.line);
        let lines = self.input.rules.targets.iter().filter(|line| line.group.is_none()).chain(groups);
        lines.fold(Exact::whole(1), |rest, line| &rest - &self.scaled(line.target_weight))
    }
    /// The weight that the row goes to once planned.
    fn goal(&self, row: &Row) -> Ratio {
        if self.target_is_zero(row) {
            return Ratio { part: Exact::zero(), whole: Exact::whole(1) };
        }
        match self.shares(row) {
            Some(group) => share(row, group, &self.goal_of(&self.group_bounds(group), self.group_stands(group))),
            None => Ratio { part: self.goal_of(&self.row_bounds(row), self.row_stands(row)), whole: Exact::whole(1) },
        }
    }
    fn goal_of(&self, bounds: &Bounds, stands: i128) -> Exact {
        let edge = if stands > 0 { &bounds.upper } else { &bounds.lower };
        match (stands, self.input.rules.trigger.goal) {
            (0, _) | (_, Goal::Target | Goal::Unknown) => bounds.target.clone(),
            (_, Goal::BandEdge) => edge.clone(),
            (_, Goal::Midpoint) => &(&bounds.target + edge) * &Exact::new(5, 1),
        }
    }
    /// Whether one lot less would have come to the edge of the band as well, where that is the goal.
    fn lot_too_many(&self, row: &Row, goal: &Ratio, base: &Exact) -> bool {
        let stands = self.own_stands(row);
        let lot = &self.lot(row) * &row.unit;
        // The plan's bounds of a share have 25 decimals: lots that are finer are not told apart.
        let fine = self.shares(row).is_some() && lot <= &self.equity * &Exact::new(1, 24);
        if self.input.rules.trigger.goal != Goal::BandEdge || stands == 0 || self.target_is_zero(row) || fine {
            return false;
        }
        let sign = Exact::whole(row.ordered().sign());
        let missing = &(&(&goal.part * base) - &(&(&row.expected() * &row.unit) * &goal.whole)) * &sign;
        let less = &(&(&row.ordered().abs() * &row.unit) - &lot) * &goal.whole;
        less > missing || (less == missing && !self.input.rules.band.inclusive)
    }
    /// Whether the row's order carries it out of its bounds on the side that it moves to.
    fn leaves_beyond(&self, row: &Row, base: &Exact) -> bool {
        let (bounds, sign) =
            (self.shares(row).map_or_else(|| self.row_bounds(row), |group| self.group_bounds(group)), row.ordered().sign());
        let laid = |edge: &Exact| match self.shares(row) {
            Some(group) => share(row, group, edge),
            None => Ratio { part: edge.clone(), whole: Exact::whole(1) },
        };
        // A member whose sign is against its group's has its bounds the other way round.
        let (one, other) = (laid(&bounds.lower), laid(&bounds.upper));
        let edge = if (one.part > other.part) == (sign > 0) { one } else { other };
        let after = &(&row.expected() + &row.ordered()) * &row.unit;
        let beyond = &(&(&after * &edge.whole) - &(&edge.part * base)) * &Exact::whole(sign);
        beyond.sign() > 0
    }
    /// Rounding of a shared target as it is published, in value; nothing for a row's own.
    fn slack(&self, row: &Row) -> Exact {
        if self.shares(row).is_some() { &self.equity * &Exact::from(Fraction::from_units(2)) } else { Exact::zero() }
    }
    /// |value − target × equity| × whole, and that whole.
    pub(super) fn distance(&self, row: &Row) -> (Exact, Exact) {
        let target = self.target(row);
        ((&(&row.value() * &target.whole) - &(&target.part * &self.equity)).abs(), target.whole)
    }
}

/// The row's part of a group's weight, by value.
fn share(row: &Row, group: &Group, weight: &Exact) -> Ratio {
    if group.value.sign() == 0 {
        return Ratio { part: Exact::zero(), whole: Exact::whole(1) };
    }
    let part = &(weight * &row.value()) * &Exact::whole(group.value.sign());
    Ratio { part, whole: group.value.abs() }
}

/// Under a threshold only what breached is planned, and what follows from the scope.
pub(super) fn scope(view: &View, found: &mut Violations) {
    if view.input.trigger != RebalanceTrigger::Threshold {
        return;
    }
    let every = view.input.rules.trigger.scope == Scope::WholeBook;
    let any = view.rows.iter().any(|row| view.breached(row)) || view.groups.iter().any(|group| view.group_stands(group) != 0);
    let whole = view.cash_breached() || (every && any);
    for row in view.ordered() {
        found.law("only breaches are planned", !whole && !view.breached(row), || row.id().to_string());
    }
}

/// A group outside its bounds whose target no row shares is spoken of, and no other.
pub(super) fn hollow(view: &View, found: &mut Violations) {
    let shared = |group: &&Group| group.shared && group.value.sign() == 0 && view.group_stands(group) != 0;
    let any = view.groups.iter().any(|group| shared(&group));
    found.law("groups that nothing can move are noted", any != view.plan.note.is_some(), String::new);
}

/// A line outside its bounds is not explained as standing inside, nor as one that did not breach.
pub(super) fn reasons(view: &View, found: &mut Violations) {
    for (row, line) in view.rows.iter().zip(&view.plan.explanation) {
        let said = line.decision == Decision::Skip && matches!(line.reason, ReasonCode::NotBreached | ReasonCode::WithinBand);
        found.law("breaches are not explained away", said && view.breached(row), || row.id().to_string());
    }
}

/// No order for a deviation that is too small; exits are exempt.
pub(super) fn deviation(view: &View, found: &mut Violations) {
    if view.parts {
        return;
    }
    let minimum = &Exact::from(view.input.rules.trigger.minimum_deviation) * &Exact::new(1, 2);
    let inclusive = view.input.rules.band.inclusive;
    for row in view.ordered().filter(|row| !view.target_is_zero(row)) {
        let (distance, whole) = view.distance(row);
        let (distance, least) = (&distance + &(&view.slack(row) * &whole), &(&minimum * &view.equity) * &whole);
        let small = distance < least || (!inclusive && distance == least);
        found.law("minimum_deviation", small, || row.id().to_string());
    }
}

/// A leg says whether its line stood outside its bounds.
pub(super) fn origins(view: &View, found: &mut Violations) {
    for leg in &view.plan.legs {
        let Some(row) = view.row(&leg.instrument_id) else { continue };
        found.law("legs tell where their line stood", leg.outside != (view.own_stands(row) != 0), || row.id().to_string());
    }
}

/// A later wave says what the first plan said.
pub(super) fn kept_origins(view: &View, first: &[Leg], found: &mut Violations) {
    for leg in &view.plan.legs {
        let mut origins = first.iter().filter(|other| other.instrument_id == leg.instrument_id).map(|other| other.outside);
        let kept = origins.clone().count() > 0 && origins.all(|outside| outside == leg.outside);
        found.law("legs keep where their line stood", !kept, || leg.instrument_id.to_string());
    }
}

/// Under a threshold a line that was to go to the edge of its band, or half way, is left alone once it and its
/// groups stand inside. Slices that lead half way lead on from inside.
pub(super) fn back_inside(view: &View, past: &dyn Fn(&InstrumentId) -> bool, found: &mut Violations) {
    let goal = view.input.rules.trigger.goal;
    let whole = matches!(goal, Goal::Target | Goal::Unknown) || (view.parts && goal == Goal::Midpoint);
    if whole || view.input.trigger != RebalanceTrigger::Threshold {
        return;
    }
    for leg in view.plan.legs.iter().filter(|leg| leg.outside && !past(&leg.instrument_id)) {
        let Some(row) = view.row(&leg.instrument_id) else { continue };
        let back = !view.breached(row) && !view.target_is_zero(row);
        found.law("lines back inside are left alone", back, || row.id().to_string());
    }
}

/// Each leg moves its line toward its goal; `past` allows what was approved to go beyond what the newer event asks
/// for, inside the band.
pub(super) fn direction(view: &View, past: &dyn Fn(&InstrumentId) -> bool, found: &mut Violations) {
    let orders = view.input.rules.orders;
    let reserve = if orders.reserve_scales_targets { Exact::from(orders.cash_reserve) } else { Exact::zero() };
    let base = &view.equity * &(&Exact::whole(1) - &reserve);
    for row in view.ordered() {
        let (goal, past) = (view.goal(row), past(row.id()));
        let (slack, sign) = (&view.slack(row) * &goal.whole, Exact::whole(row.ordered().sign()));
        // Value still missing on the side of the order, times the ratio's whole.
        let missing = &(&(&goal.part * &base) - &(&(&row.expected() * &row.unit) * &goal.whole)) * &sign;
        let missing = &missing + &slack;
        // At an edge that is still out a lot more leads inside.
        let at_edge = missing.sign() == 0
            && view.input.rules.band.inclusive
            && view.input.rules.trigger.goal == Goal::BandEdge
            && view.own_stands(row) == -row.ordered().sign();
        found.law("legs move toward the goal", missing.sign() <= 0 && !at_edge, || row.id().to_string());
        let lot = &view.lot(row) * &row.unit;
        let most = if view.target_is_zero(row) { missing } else { &missing + &(&lot * &goal.whole) };
        let over = &(&row.ordered().abs() * &row.unit) * &goal.whole > most;
        found.law("legs stop at the goal", over && !past, || format!("{}: {}", row.id(), row.ordered()));
        let through = over && past && view.leaves_beyond(row, &base);
        found.law("legs do not lead out of the other side of the band", through, || format!("{}: {}", row.id(), row.ordered()));
        found.law("no lot beyond the edge", !past && view.lot_too_many(row, &goal, &base), || format!("{}: {}", row.id(), row.ordered()));
    }
}
