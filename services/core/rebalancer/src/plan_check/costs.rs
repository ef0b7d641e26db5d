//! Laws about what orders cost: each part is the event's and the policy's, known where it can be known, and an order that
//! is weighed is worth it. Roots are held to their squares here, never drawn.

use super::Violations;
use super::exact::Exact;
use super::view::{Row, View};
use crate::plan::Leg;
use domain::enums::{Decision, RebalanceTrigger, Urgency};
use domain::reason::ReasonCode;
use domain::{Money, Price};

fn bp() -> Exact {
    Exact::whole(10_000)
}
fn unit() -> Exact {
    Exact::from(Money::from_units(1))
}

impl View<'_> {
    /// Twice the spread's half of so many units × 10,000; `None` where it is not known.
    fn spread_of(&self, row: &Row, leg: &Leg) -> Option<Exact> {
        let units = Exact::from(leg.quantity);
        let quoted = row.line.bid.zip(row.line.ask).filter(|(bid, ask)| bid <= ask && *bid > Price::ZERO);
        let wide = quoted.map(|(bid, ask)| &Exact::from(ask) - &Exact::from(bid));
        match wide.filter(|wide| row.line.price.is_some_and(|price| *wide <= Exact::from(price))) {
            Some(wide) => Some(&(&(&units * &wide) * &row.each) * &bp()),
            None => {
                let rate = Exact::from(self.input.rules.orders.costs.half_spread_bp?);
                Some(&(&(&units * &row.quoted) * &rate) * &Exact::whole(2))
            }
        }
    }
    /// What a leg's impact is squared × volume × 10,000², and that volume; `None` where it is not known.
    fn impact_of(&self, row: &Row, leg: &Leg) -> Option<(Exact, Exact)> {
        let rate = Exact::from(self.input.rules.orders.costs.impact_bp?);
        if rate.sign() == 0 {
            return Some((Exact::zero(), Exact::whole(1)));
        }
        let volume = row.line.average_daily_volume.filter(|volume| volume.is_positive())?;
        let once = &(&Exact::from(leg.quantity) * &row.quoted) * &rate;
        Some((&(&once * &once) * &row.ordered().abs(), Exact::from(volume)))
    }
    /// Drift that the row's order takes away, in value; not below zero.
    fn removed(&self, row: &Row) -> Exact {
        let orders = self.input.rules.orders;
        let reserve = if orders.reserve_scales_targets { Exact::from(orders.cash_reserve) } else { Exact::zero() };
        let goal = &row.explained * &(&self.equity * &(&Exact::whole(1) - &reserve));
        let from = |units: &Exact| (&(units * &row.unit) - &goal).abs();
        (&from(&row.expected()) - &from(&(&row.expected() + &row.ordered()))).max(Exact::zero())
    }
}

/// Whether `said` is the smallest amount whose `over` is not below `exact`.
fn is_rounded_up(said: Money, exact: &Exact, over: impl Fn(&Exact) -> Exact) -> bool {
    let said = Exact::from(said);
    over(&said) >= *exact && (said.sign() == 0 || over(&(&said - &unit())) < *exact)
}

/// Each leg's costs, and their sums.
pub(super) fn parts(view: &View, found: &mut Violations) {
    for leg in &view.plan.legs {
        let (Some(row), Some(value)) = (view.row(&leg.instrument_id), view.notional(leg)) else { continue };
        let (id, fees) = (row.id(), &view.input.rules.orders.fees);
        let fee = &(&value * &Exact::from(fees.rate)) + &Exact::from(fees.fixed);
        found.law("a leg's fee", (&Exact::from(leg.costs.fees) - &fee).abs() > unit(), || format!("{id}: {fee}"));
        let spread = match (leg.costs.spread, view.spread_of(row, leg)) {
            (Some(said), Some(exact)) => is_rounded_up(said, &exact, |said| &(said * &bp()) * &Exact::whole(2)),
            (said, exact) => said.is_none() && exact.is_none(),
        };
        found.law("a leg's spread", !spread, || format!("{id}: {:?}", leg.costs.spread));
        let impact = match (leg.costs.impact, view.impact_of(row, leg)) {
            (Some(said), Some((exact, volume))) => is_rounded_up(said, &exact, |said| {
                let once = said * &bp();
                &(&once * &once) * &volume
            }),
            (said, exact) => said.is_none() && exact.is_none(),
        };
        found.law("a leg's impact", !impact, || format!("{id}: {:?}", leg.costs.impact));
        found.law("a leg goes to its instrument's venue", leg.venue != row.line.venue, || id.to_string());
        hurry(view, leg, found);
    }
    sum("expected_spread", view, view.plan.expected_spread, |leg| leg.costs.spread, found);
    sum("expected_impact", view, view.plan.expected_impact, |leg| leg.costs.impact, found);
}

fn sum(law: &'static str, view: &View, said: Option<Money>, part: impl Fn(&Leg) -> Option<Money>, found: &mut Violations) {
    let all: Option<Vec<_>> = view.plan.legs.iter().map(part).collect();
    let sum = all.map(|parts| parts.into_iter().fold(Exact::zero(), |sum, part| &sum + &Exact::from(part)));
    found.law(law, said.map(Exact::from) != sum, || format!("{said:?}"));
}

fn hurry(view: &View, leg: &Leg, found: &mut Violations) {
    let of_policy = view.input.rules.orders.urgency;
    let more = matches!(leg.reason, ReasonCode::Exit | ReasonCode::CashRaise);
    let wanted = match of_policy {
        Urgency::Low if more => Urgency::Normal,
        _ if more => Urgency::High,
        _ => of_policy,
    };
    found.law("urgency", leg.urgency != wanted, || format!("{}: {}", leg.instrument_id, leg.urgency));
}

/// No order that is weighed costs more than it brings, or an amount that nobody knows; what was left alone for that says
/// so by its numbers.
pub(super) fn worth(view: &View, found: &mut Violations) {
    let orders = view.input.rules.orders;
    let Some(rate) = orders.costs.benefit_bp.filter(|_| view.input.trigger != RebalanceTrigger::Manual) else { return };
    for row in view.ordered() {
        let legs = || view.plan.legs.iter().filter(|leg| leg.instrument_id == *row.id());
        let raises = legs().any(|leg| leg.reason == ReasonCode::CashRaise);
        if raises || view.target_is_zero(row) && orders.exit_exempt {
            continue;
        }
        let costs: Option<Vec<_>> = legs().map(|leg| leg.costs.total()).collect();
        let cost = costs.map(|costs| costs.into_iter().fold(Exact::zero(), |sum, cost| &sum + &Exact::from(cost)));
        // cost × 10,000 bp × 365 against drift removed × bp × days.
        let most = &(&view.removed(row) * &Exact::from(rate)) * &Exact::whole(i128::from(orders.costs.benefit_days));
        let dear = cost.as_ref().is_none_or(|cost| &(cost * &bp()) * &Exact::whole(365) > most);
        found.law("orders are worth what they cost", dear, || row.id().to_string());
    }
    for line in view.plan.explanation.iter().filter(|line| line.decision == Decision::Skip && line.reason == ReasonCode::CostAboveBenefit) {
        let number =
            |name: &str| line.numbers.iter().find(|number| number.name == name).and_then(|number| number.value.parse::<Money>().ok());
        let told = number("expected_cost").zip(number("expected_benefit")).is_none_or(|(cost, benefit)| cost > benefit);
        found.law("what is too dear is told by its numbers", !told, || line.instrument_id.to_string());
    }
}
