//! Plans and their later waves as text, for examples worked out by hand.

use crate::book;
use domain::Money;
use domain::drift::Drift;
use domain::enums::{Decision, RebalanceTrigger};
use rebalancer::plan::{HaltView, OpenOrder, Plan, PlanInput, Rules, Verdict, later_wave, plan};
use rebalancer::plan_check::{later_wave_check, plan_check};

/// What a plan is made of where nothing was ordered before.
pub fn input<'a>(trigger: RebalanceTrigger, drift: &'a Drift, halted: &'a HaltView) -> PlanInput<'a> {
    PlanInput {
        drift,
        rules: Rules::of(drift.policy.as_ref().unwrap()),
        trigger,
        open: &[],
        released_today: Money::ZERO,
        orders_last_minute: 0,
        halted,
        behind: false,
        short_proceeds: Money::ZERO,
    }
}

/// The plan as text: legs first, then every instrument that is skipped or cut with its reason.
pub fn planned(trigger: RebalanceTrigger, open: &[OpenOrder], policy: &str, text: &str) -> (Plan, String) {
    let drift = book::drift(book::policy(policy), text);
    let halted = HaltView::default();
    let input = PlanInput { open, ..input(trigger, &drift, &halted) };
    let plan = plan(&input);
    assert_eq!(plan_check(&input, &plan), Ok(()));
    let told = told(&plan);
    (plan, told)
}

/// Legs, then what is skipped or cut.
pub fn told(plan: &Plan) -> String {
    let mut rows = Vec::new();
    match &plan.verdict {
        Verdict::Refused { code, text } => return format!("{code}: {text}"),
        Verdict::NoActionNeeded => rows.push("NO_ACTION_NEEDED".to_owned()),
        Verdict::Orders => {}
    }
    for leg in &plan.legs {
        rows.push(format!("{} {} {} {} = {}", leg.side, leg.instrument_id, leg.quantity, leg.reason, leg.expected_value));
    }
    for line in plan.explanation.iter().filter(|line| line.decision != Decision::Order) {
        rows.push(format!("{} {} {}", line.decision, line.instrument_id, line.reason));
    }
    rows.join("\n")
}

/// The buys of an earlier plan on a newer book, as text.
pub fn later(trigger: RebalanceTrigger, first: &Plan, policy: &str, text: &str) -> String {
    let buys: Vec<_> = first.buys().cloned().collect();
    let (drift, halted) = (book::drift(book::policy(policy), text), HaltView::default());
    let input = input(trigger, &drift, &halted);
    let plan = later_wave(&input, &buys);
    assert_eq!(later_wave_check(&input, &buys, &plan), Ok(()));
    told(&plan)
}

/// Compares row by row.
pub fn check(told: String, expected: &str) {
    let expected: Vec<_> = expected.lines().map(str::trim).filter(|row| !row.is_empty()).collect();
    assert_eq!(told.lines().collect::<Vec<_>>(), expected);
}
