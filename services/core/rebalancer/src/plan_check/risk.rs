//! Laws about what a plan says of the risk: it repeats the event's figures, its exposures are those of its legs, and it is
//! named where it leads away from the target, and nowhere else.

use super::Violations;
use super::exact::Exact;
use super::figures::is_part;
use super::view::View;
use domain::reason::ReasonCode;

/// What is said of the risk.
pub(super) fn told(view: &View, found: &mut Violations) {
    let (event, plan) = (view.input.drift.risk.as_deref(), view.plan.risk.as_deref());
    found.law("risk is told where there is a target", event.is_some() != plan.is_some(), String::new);
    let (Some(event), Some(plan)) = (event, plan) else { return };
    let same = (plan.target, plan.realised, plan.date, plan.scale) == (event.target, event.realised, event.date, event.scale);
    found.law("figures of risk are the event's", !same, String::new);
    let sum = |units: &dyn Fn(&super::view::Row) -> Exact| {
        view.rows.iter().fold(Exact::zero(), |sum, row| &sum + &(&units(row) * &row.unit).abs())
    };
    let (before, after) = (sum(&|row| row.held.clone()), sum(&|row| &row.held + &row.ordered()));
    for (said, gross, law) in [(plan.gross_before, &before, "gross before"), (plan.gross_after, &after, "gross after")] {
        found.law(law, said.is_some() && !is_part(view, said, gross, 1), || gross.to_string());
    }
    let raised = event.realised.is_some_and(|realised| realised > event.target) && after > before;
    let lowered = event.realised.is_some_and(|realised| realised < event.target) && after < before;
    let named = plan.code == Some(ReasonCode::RiskAwayFromTarget);
    found.law("plans that lead away from the target risk are named", named != (raised || lowered), || format!("{before} to {after}"));
    let silent = event.notice.is_some() && plan.code.is_none();
    found.law("figures of risk that count as none are said", silent || plan.code.is_some() != plan.text.is_some(), String::new);
}
