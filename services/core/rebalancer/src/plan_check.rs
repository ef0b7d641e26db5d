//! An independent second opinion on every plan, before it leaves. It reads the drift event again in its own
//! arithmetic and shares no computation with the plan. It accepts or names the laws that are broken; it never
//! repairs.

mod costs;
mod exact;
mod figures;
mod forbidden;
mod goal;
mod limits;
mod risk;
mod shape;
mod slices;
mod view;

use crate::plan::{Leg, Plan, PlanInput, Verdict};
use domain::enums::Side;
use domain::{InstrumentId, Quantity};
use exact::Exact;
use std::collections::BTreeSet;
use view::View;

/// A broken law: a defect of ours, never of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The law.
    pub law: &'static str,
    /// Where and by how much.
    pub text: String,
}

/// What was found so far.
struct Violations(Vec<Violation>);

impl Violations {
    fn law(&mut self, law: &'static str, broken: bool, text: impl FnOnce() -> String) {
        if broken {
            self.0.push(Violation { law, text: text() });
        }
    }
    fn done(self) -> Result<(), Vec<Violation>> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0) }
    }
}

/// `Ok` when a plan that [`crate::plan::plan`] made may leave, else every law that it breaks.
pub fn plan_check(input: &PlanInput, plan: &Plan) -> Result<(), Vec<Violation>> {
    let mut found = Violations(Vec::new());
    if let Some(view) = common(input, plan, false, &mut found) {
        goal::scope(&view, &mut found);
        goal::hollow(&view, &mut found);
        goal::direction(&view, &|_| false, &mut found);
        goal::origins(&view, &mut found);
        figures::drift(&view, false, &mut found);
        limits::gross(&view, &mut found);
        costs::worth(&view, &mut found);
    }
    found.done()
}

/// The same for what [`crate::plan::later_wave`] made of `legs`: never beyond them.
pub fn later_wave_check(input: &PlanInput, legs: &[Leg], plan: &Plan) -> Result<(), Vec<Violation>> {
    again(input, legs, plan, &|_| false, true)
}

/// The same for [`crate::plan::next_slices`]: parts of orders that were planned whole.
pub fn next_slices_check(input: &PlanInput, slices: &[Leg], plan: &Plan) -> Result<(), Vec<Violation>> {
    let mut found = Violations(Vec::new());
    if let Some(view) = common(input, plan, true, &mut found) {
        repeated(&view, slices, &|_| false, &mut found);
        limits::gross(&view, &mut found);
    }
    found.done()
}

/// The same for [`crate::plan::recheck`]: it may go past a goal that moved, inside the band.
pub fn recheck_check(input: &PlanInput, legs: &[Leg], plan: &Plan) -> Result<(), Vec<Violation>> {
    again(input, legs, plan, &|_| true, false)
}

/// The same for [`crate::plan::edited`]: what was raised goes past no goal.
pub fn edited_check(input: &PlanInput, legs: &[Leg], raised: &BTreeSet<InstrumentId>, plan: &Plan) -> Result<(), Vec<Violation>> {
    again(input, legs, plan, &|id| !raised.contains(id), true)
}

/// `past` are the instruments that may go past a goal that moved, inside the band; `whole` says whether the limit of the
/// whole book is held: what was approved within it is not taken back.
fn again(input: &PlanInput, legs: &[Leg], plan: &Plan, past: &dyn Fn(&InstrumentId) -> bool, whole: bool) -> Result<(), Vec<Violation>> {
    let mut found = Violations(Vec::new());
    if let Some(view) = common(input, plan, false, &mut found) {
        repeated(&view, legs, past, &mut found);
        if whole {
            limits::gross(&view, &mut found);
        }
    }
    found.done()
}

/// The laws of whatever was planned before.
fn repeated(view: &View, legs: &[Leg], past: &dyn Fn(&InstrumentId) -> bool, found: &mut Violations) {
    goal::direction(view, past, found);
    goal::kept_origins(view, legs, found);
    goal::back_inside(view, past, found);
    figures::drift(view, true, found);
    grown(legs, view.plan, found);
}

/// The laws of every plan; `None` where there is nothing more to check.
fn common<'a>(input: &'a PlanInput<'a>, plan: &'a Plan, parts: bool, found: &mut Violations) -> Option<View<'a>> {
    shape::complete(input, plan, found);
    if matches!(plan.verdict, Verdict::Refused { .. }) {
        return None;
    }
    let view = View::read(input, plan, parts);
    found.law("no plan on missing figures", view.is_none(), String::new);
    let view = view?;
    shape::fit(&view, found);
    shape::sides(&view, found);
    shape::references(&view, found);
    forbidden::forbidden(&view, found);
    limits::orders(&view, found);
    limits::sums(&view, found);
    limits::weights(&view, found);
    limits::lots(&view, found);
    limits::cash(&view, found);
    slices::parts(&view, found);
    goal::deviation(&view, found);
    goal::reasons(&view, found);
    figures::targets(&view, found);
    figures::sums(&view, found);
    risk::told(&view, found);
    costs::parts(&view, found);
    Some(view)
}

/// Nothing is ordered beyond the first legs: no instrument, no direction, no unit, nothing more short.
fn grown(first: &[Leg], plan: &Plan, found: &mut Violations) {
    let sum = |legs: &[Leg], of: &Leg, short_only: bool| {
        let same = |leg: &&Leg| leg.instrument_id == of.instrument_id && (leg.side == Side::Buy) == (of.side == Side::Buy);
        let legs = legs.iter().filter(same).filter(|leg| !short_only || leg.side == Side::SellShort);
        legs.fold(Exact::from(Quantity::ZERO), |sum, leg| &sum + &Exact::from(leg.quantity))
    };
    for leg in &plan.legs {
        let grew = sum(&plan.legs, leg, false) > sum(first, leg, false);
        found.law("later waves never grow", grew, || format!("{} {}", leg.instrument_id, leg.side));
        let short = leg.side == Side::SellShort && sum(&plan.legs, leg, true) > sum(first, leg, true);
        found.law("later waves never go shorter", short, || leg.instrument_id.to_string());
    }
}
