//! A leg of a plan that has its id and has not left: in a proposal, or waiting for the sells.

use crate::plan::{Leg, Plan};
use domain::{Fraction, InstrumentId, OrderId, Price};
use serde::{Deserialize, Serialize};

/// Where the leg's instrument stood when it was planned, for the last word about the order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Before {
    /// Weight.
    pub weight: Option<Fraction>,
    /// Target weight.
    pub target: Fraction,
    /// weight − target.
    pub drift: Option<Fraction>,
}

/// A planned order with its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// The order's id, if it ever leaves.
    pub order_id: OrderId,
    /// What the plan asks for.
    pub leg: Leg,
    /// Where the instrument stood.
    pub before: Before,
    /// Price of the plan that made it, whatever a later one re-checks it at.
    pub planned_price: Price,
}

/// The legs of a plan as drafts; `next` gives each its id from its instrument.
pub fn drafts(plan: &Plan, mut next: impl FnMut(&InstrumentId) -> OrderId) -> Vec<Draft> {
    let before = |instrument: &InstrumentId| {
        let line = plan.explanation.iter().find(|line| line.instrument_id == *instrument);
        line.map(|line| Before { weight: line.weight, target: line.target, drift: line.drift }).unwrap_or_default()
    };
    let draft = |leg: &Leg| Draft {
        order_id: next(&leg.instrument_id),
        before: before(&leg.instrument_id),
        leg: leg.clone(),
        planned_price: leg.reference_price,
    };
    plan.legs.iter().map(draft).collect()
}
