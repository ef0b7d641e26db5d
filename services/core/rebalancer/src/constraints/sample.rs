//! One plan for a test, from text to text: what a policy makes of a book.

#[path = "../../tests/plan/book/mod.rs"]
mod book;

use crate::plan::{Costs, HaltView, Leg, LimitMet, Plan, PlanInput, Rules, Verdict, later_wave, plan};
use crate::plan_check::{later_wave_check, plan_check};
use domain::drift::Drift;
use domain::enums::{Decision, RebalanceTrigger, Side, Urgency};
use domain::reason::ReasonCode;
use domain::{FxRate, InstrumentId, Money, Price, Quantity, Timestamp};

/// A book under a policy, asked for by a person unless something else is said: every line is planned.
pub(crate) struct Case {
    pub(crate) drift: Drift,
    halted: HaltView,
    trigger: RebalanceTrigger,
    released: Money,
    last_minute: i32,
}

impl Case {
    pub(crate) fn new(policy: &str, text: &str) -> Self {
        let drift = book::drift(book::policy(policy), text);
        Self { drift, halted: HaltView::default(), trigger: RebalanceTrigger::Manual, released: Money::ZERO, last_minute: 0 }
    }
    pub(crate) fn halt(mut self, id: &str) -> Self {
        self.halted.instruments.insert(InstrumentId::new(id).unwrap());
        self
    }
    pub(crate) fn released(mut self, text: &str) -> Self {
        self.released = text.parse().unwrap();
        self
    }
    pub(crate) fn last_minute(mut self, orders: i32) -> Self {
        self.last_minute = orders;
        self
    }
    pub(crate) fn trigger(mut self, trigger: RebalanceTrigger) -> Self {
        self.trigger = trigger;
        self
    }
    pub(crate) fn plan(&self) -> Plan {
        plan(&self.input())
    }
    /// The laws that a plan of this book would break.
    pub(crate) fn broken(&self, plan: &Plan) -> Vec<&'static str> {
        plan_check(&self.input(), plan).err().into_iter().flatten().map(|violation| violation.law).collect()
    }
    fn input(&self) -> PlanInput<'_> {
        PlanInput {
            drift: &self.drift,
            rules: Rules::of(self.drift.policy.as_ref().unwrap()),
            trigger: self.trigger,
            open: &[],
            released_today: self.released,
            orders_last_minute: self.last_minute,
            halted: &self.halted,
            behind: false,
            short_proceeds: Money::ZERO,
        }
    }
    /// What the plan decides about one instrument, with its signed quantity.
    pub(crate) fn decision(&self, id: &str) -> String {
        let plan = plan(&self.input());
        assert_eq!(plan_check(&self.input(), &plan), Ok(()));
        told(&plan, id)
    }
    /// The limits of a day and a minute that kept orders back.
    pub(crate) fn met(&self) -> Vec<LimitMet> {
        plan(&self.input()).met
    }
    fn later(&self, legs: &[Leg], id: &str) -> String {
        let plan = later_wave(&self.input(), legs);
        assert_eq!(later_wave_check(&self.input(), legs, &plan), Ok(()));
        told(&plan, id)
    }
}

/// `ORDER DRIFT_SELL -10`, `CUT CASH_SHORTAGE 3` or `SKIP WITHIN_BAND`.
fn told(plan: &Plan, id: &str) -> String {
    if let Verdict::Refused { code, .. } = &plan.verdict {
        return format!("SKIP {code}");
    }
    let line = plan.explanation.iter().find(|line| line.instrument_id.as_str() == id).unwrap();
    let units: i128 = plan.legs.iter().filter(|leg| leg.instrument_id.as_str() == id).map(|leg| leg.signed_quantity().units()).sum();
    match line.decision {
        Decision::Skip => format!("{} {}", line.decision, line.reason),
        _ => format!("{} {} {}", line.decision, line.reason, Quantity::from_units(units)),
    }
}

/// The same for a book without further circumstances.
pub(crate) fn decision(policy: &str, text: &str, id: &str) -> String {
    Case::new(policy, text).decision(id)
}

/// What a later wave makes of these signed quantities.
pub(crate) fn later(policy: &str, text: &str, asked: &[(&str, &str)], id: &str) -> String {
    let case = Case::new(policy, text);
    let legs: Vec<_> = asked.iter().map(|(id, quantity)| leg(&case.drift, id, quantity.parse().unwrap())).collect();
    case.later(&legs, id)
}

fn leg(drift: &Drift, id: &str, quantity: Quantity) -> Leg {
    let line = drift.lines.iter().find(|line| line.instrument_id.as_str() == id).unwrap();
    Leg {
        instrument_id: line.instrument_id.clone(),
        side: if quantity.is_negative() { Side::Sell } else { Side::Buy },
        quantity: quantity.abs(),
        reference_price: line.price.unwrap_or(Price::ONE),
        reference_time: Timestamp::from_micros(0),
        currency: line.currency,
        reference_rate: FxRate::ONE,
        limit_price: None,
        expected_value: Money::ZERO,
        reason: ReasonCode::DriftBuy,
        numbers: Vec::new(),
        outside: false,
        costs: Costs::default(),
        venue: None,
        urgency: Urgency::Normal,
        slice: None,
    }
}
