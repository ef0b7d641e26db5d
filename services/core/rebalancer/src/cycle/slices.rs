//! The slices of a released cycle that have not left: what is left of each large order, in which parts, and when the
//! next may leave. It plans nothing; what of a part may leave is decided on the drift event of its time.

use crate::cycle::{Leg, asks_for_nothing};
use crate::orders::draft::{Before, Draft};
use crate::plan::{self, Plan};
use domain::enums::{Decision, OrderState};
use domain::order::NamedNumber;
use domain::reason::ReasonCode;
use domain::rebalance_event::ExplanationLine;
use domain::{InstrumentId, Price, Quantity, SmolStr, Timestamp};
use serde::{Deserialize, Serialize};

/// What is left of an order that leaves in slices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rest {
    /// The order as it was planned, its quantity what has not left.
    pub leg: plan::Leg,
    /// Units of each slice.
    pub size: Quantity,
    /// Where its instrument stood.
    pub before: Before,
    /// Price of the plan that made it.
    pub planned_price: Price,
}

/// Slices of an instrument, or buys that were to follow sells, that leave no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptBack {
    /// Instrument.
    pub instrument: InstrumentId,
    /// Units that have not left.
    pub quantity: Quantity,
    /// Why.
    pub reason: ReasonCode,
}

/// Slices to come.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Slices {
    /// What is left, in the order in which it was planned.
    pub rests: Vec<Rest>,
    /// When the next may leave.
    due: Option<Timestamp>,
    /// What leaves no more.
    pub kept_back: Vec<KeptBack>,
}

impl Slices {
    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.rests.is_empty()
    }
    /// When the next may leave, where anything is left.
    pub fn due(&self) -> Option<Timestamp> {
        self.due.filter(|_| !self.is_empty())
    }
    /// What leaves no more of an instrument, if anything was kept back of it.
    pub fn kept_of(&self, instrument: &InstrumentId) -> Option<&KeptBack> {
        self.kept_back.iter().find(|kept| kept.instrument == *instrument)
    }
    /// The first parts of drafts: whole ones, and a slice of each instrument that is sliced. What is left of those is
    /// kept, and waits for `due`. Of an order that crosses zero the short part follows when the holding is sold.
    pub fn begin(&mut self, drafts: Vec<Draft>, due: Timestamp) -> Vec<Draft> {
        let mut leaving: Vec<Draft> = Vec::new();
        for draft in drafts {
            let Some(slice) = draft.leg.slice else {
                leaving.push(draft);
                continue;
            };
            let first = !leaving.iter().any(|other| other.leg.instrument_id == draft.leg.instrument_id);
            let part = if first { draft.leg.first() } else { Quantity::ZERO };
            let left = draft.leg.quantity.checked_sub(part).unwrap_or(Quantity::ZERO);
            if left.is_positive() {
                let leg = plan::Leg { quantity: left, slice: None, ..draft.leg.clone() };
                self.rests.push(Rest { leg, size: slice.quantity, before: draft.before.clone(), planned_price: draft.planned_price });
            }
            if part.is_positive() {
                leaving.push(Draft {
                    leg: plan::Leg { quantity: part, expected_value: slice.expected_value, costs: slice.costs, ..draft.leg },
                    ..draft
                });
            }
        }
        self.due = Some(due);
        leaving
    }
    /// The parts that are due next, one an instrument.
    pub fn next(&self) -> Vec<plan::Leg> {
        let mut parts: Vec<plan::Leg> = Vec::new();
        for rest in &self.rests {
            if !parts.iter().any(|part| part.instrument_id == rest.leg.instrument_id) {
                parts.push(plan::Leg { quantity: rest.leg.quantity.min(rest.size), ..rest.leg.clone() });
            }
        }
        parts
    }
    /// Takes the parts that were due out; those of which nothing leaves take what is left of their instrument along.
    pub fn take(&mut self, plan: &Plan, due: Timestamp) {
        for part in self.next() {
            let (id, line) = (&part.instrument_id, plan.explanation.iter().find(|line| line.instrument_id == part.instrument_id));
            match line.filter(|line| line.decision == Decision::Skip) {
                Some(line) => self.drop_rest(id, line.reason),
                None => self.shorten(id, part.quantity),
            }
        }
        self.due = Some(due);
    }
    /// Units of an instrument that have not left.
    pub fn left(&self, instrument: &InstrumentId) -> Option<Quantity> {
        let rests = self.rests.iter().filter(|rest| rest.leg.instrument_id == *instrument);
        rests.map(|rest| rest.leg.quantity).reduce(|sum, more| sum.checked_add(more).unwrap_or(sum))
    }
    /// Price of the plan that made the order of which an instrument's next part is one.
    pub fn planned_price(&self, instrument: &InstrumentId) -> Option<Price> {
        self.rests.iter().find(|rest| rest.leg.instrument_id == *instrument).map(|rest| rest.planned_price)
    }
    /// Lets the rest of every instrument be of which the router has refused a slice: it would refuse the next.
    pub fn drop_refused(&mut self, legs: &[Leg]) {
        let refused = |rest: &Rest| {
            legs.iter().any(|leg| leg.order.instrument_id == rest.leg.instrument_id && leg.state == Some(OrderState::Rejected))
        };
        let instruments: Vec<_> = self.rests.iter().filter(|rest| refused(rest)).map(|rest| rest.leg.instrument_id.clone()).collect();
        instruments.iter().for_each(|instrument| self.drop_rest(instrument, ReasonCode::OrderFailed));
    }
    fn shorten(&mut self, instrument: &InstrumentId, by: Quantity) {
        if let Some(rest) = self.rests.iter_mut().find(|rest| rest.leg.instrument_id == *instrument) {
            rest.leg.quantity = rest.leg.quantity.checked_sub(by).unwrap_or(Quantity::ZERO);
        }
        self.rests.retain(|rest| rest.leg.quantity.is_positive());
    }
    /// Lets what is left of an instrument be; it counts as kept back, unless it is no longer needed.
    pub fn drop_rest(&mut self, instrument: &InstrumentId, reason: ReasonCode) {
        let (gone, rests): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.rests).into_iter().partition(|rest| rest.leg.instrument_id == *instrument);
        self.rests = rests;
        let quantity = gone.iter().fold(Quantity::ZERO, |sum, rest| sum.checked_add(rest.leg.quantity).unwrap_or(sum));
        self.keep_back(instrument, quantity, reason);
    }
    /// Notes what leaves no more, unless it is no longer needed.
    pub fn keep_back(&mut self, instrument: &InstrumentId, quantity: Quantity, reason: ReasonCode) {
        if quantity.is_positive() && !is_needless(reason) {
            self.kept_back.push(KeptBack { instrument: instrument.clone(), quantity, reason });
        }
    }
}

/// Large orders that a text names: all of them have it among their numbers.
const SHOWN: usize = 5;

/// How large orders are to leave, in words; `None` where all leave whole.
pub fn words(drafts: &[Draft], seconds: i64) -> Option<String> {
    let sliced: Vec<_> = drafts.iter().filter_map(|draft| Some((&draft.leg, draft.leg.slice?))).collect();
    let one =
        |(leg, slice): &(&plan::Leg, plan::Slice)| format!("{} {} {} by {}", leg.side, leg.quantity, leg.instrument_id, slice.quantity);
    let shown = sliced.iter().take(SHOWN).map(one).collect::<Vec<_>>().join(", ");
    let more = if sliced.len() > SHOWN { format!(" and {} more", sliced.len() - SHOWN) } else { String::new() };
    (!sliced.is_empty()).then(|| format!("in slices, {seconds} s apart at least: {shown}{more}"))
}

/// Whether what is left alone for that reason is no longer wanted: its line stands where it was to go, or beyond. An order
/// that is too small may have been cut for want of cash: that is kept back.
fn is_needless(reason: ReasonCode) -> bool {
    asks_for_nothing(reason) || matches!(reason, ReasonCode::RoundedToZero | ReasonCode::OpenCycle)
}

/// What leaves no more of an instrument, as an explanation tells it.
pub fn told(line: &ExplanationLine, kept_back: &KeptBack) -> ExplanationLine {
    let number = NamedNumber { name: SmolStr::new_static("kept_back"), value: SmolStr::new(kept_back.quantity.to_string()) };
    let numbers = line.numbers.iter().cloned().chain([number]).collect();
    ExplanationLine { reason: kept_back.reason, numbers, ..line.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_newer_price_has_brought_near_its_goal_is_not_kept_back() {
        let id = "GOOG".parse::<InstrumentId>().unwrap();
        let kept = |reason| {
            let mut slices = Slices::default();
            slices.keep_back(&id, Quantity::from_units(42), reason);
            slices.kept_back.len()
        };
        assert_eq!(kept(ReasonCode::BelowMinimumDeviation), 0, "the policy asks for nothing there");
        assert_eq!(kept(ReasonCode::WithinBand), 0);
        assert_eq!(kept(ReasonCode::CashShortage), 1);
    }
}
