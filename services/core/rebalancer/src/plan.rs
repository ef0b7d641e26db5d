//! The plan: a pure function of a drift event, the rules, open orders and the use of limits.
//! It promises exact arithmetic, a reason for every instrument, and the same plan for the same input, for ever.
//! It does not release, time or remember orders: that is the cycle's.

pub(crate) mod allocation;
pub(crate) mod book;
pub(crate) mod breach;
pub(crate) mod costs;
pub(crate) mod desk;
pub(crate) mod exact;
pub(crate) mod funding;
mod gates;
mod input;
pub(crate) mod legs;
mod outcome;
mod quantity;
mod refusal;
mod risk;
pub(crate) mod slices;
mod wave;

pub use costs::Costs;
pub use input::{HaltView, OpenOrder, PlanInput, Rules};
pub use outcome::{Leg, LimitMet, Plan, Slice, Verdict};
pub use slices::MAX_ORDERS;

use crate::{constraints, explain};
use book::closes;
use breach::Cause;
use desk::{Desk, Wish};
use domain::enums::{Funding, RebalanceTrigger};
use domain::reason::ReasonCode;
use domain::{Fraction, InstrumentId, Money, SmolStr};
use exact::{Int, SHARE, int, ratio, rescaled, ten};
use refusal::Refusal;
use std::collections::BTreeSet;
use wave::Reach;

/// The plan for a drift event: which orders bring the book back to its policy, and why each instrument is
/// ordered, cut or left alone.
pub fn plan(input: &PlanInput) -> Plan {
    let made = Desk::open(input).and_then(|desk| {
        // Who asks for a rebalance has weighed it himself; what was proposed, approved or half done is not weighed again.
        let desk = Desk { weighs: input.trigger != RebalanceTrigger::Manual, ..desk };
        let wishes = (0..desk.book.holdings.len()).map(|index| wish(&desk, index)).collect::<Result<_, _>>()?;
        finish(&desk, wishes, constraints::whole)
    });
    made.unwrap_or_else(|refusal| refused(input, refusal))
}

/// What of `legs`, the buys that waited, may still be ordered on a newer drift event: their quantities pass the
/// constraints and the funding again, cut but never grown, never beyond what this event would order, and none of
/// a line that came back inside its band where that was all that it was to do.
/// Instruments outside `legs` are left alone.
pub fn later_wave(input: &PlanInput, legs: &[Leg]) -> Plan {
    again(input, legs, |_| Reach::Goal, constraints::whole)
}

/// The same for an approval: what was proposed stands, also where the goal has moved, but never leads out of the
/// band on its other side.
pub fn recheck(input: &PlanInput, legs: &[Leg]) -> Plan {
    // What was approved was within the limit of the whole book; prices that have moved since do not take it back.
    again(input, legs, |_| Reach::Legs, |_, _| ())
}

/// The same for a proposal that a person has edited: what was raised goes no further than this event would order.
pub fn edited(input: &PlanInput, legs: &[Leg], raised: &BTreeSet<InstrumentId>) -> Plan {
    again(input, legs, |id| if raised.contains(id) { Reach::Goal } else { Reach::Legs }, constraints::whole)
}

/// The same for the next slices of orders that leave over time: what only whole orders must be (no deviation that is
/// too small, no order below the smallest) they were when they were planned.
pub fn next_slices(input: &PlanInput, slices: &[Leg]) -> Plan {
    let made = Desk::open(input).and_then(|desk| {
        let desk = Desk { parts: true, ..desk };
        let wishes = wave::wishes(&desk, slices, &|_| Reach::Slice)?;
        asked_again(&desk, slices, wishes, constraints::whole)
    });
    made.unwrap_or_else(|refusal| refused(input, refusal))
}

fn again(input: &PlanInput, legs: &[Leg], reach: impl Fn(&InstrumentId) -> Reach, whole: fn(&Desk, &mut [Wish])) -> Plan {
    let made = Desk::open(input).and_then(|desk| {
        let mut wishes = wave::wishes(&desk, legs, &reach)?;
        for (index, wish) in wishes.iter_mut().enumerate().filter(|(_, wish)| wish.stands()) {
            constraints::deviates(&desk, index, wish);
        }
        asked_again(&desk, legs, wishes, whole)
    });
    made.unwrap_or_else(|refusal| refused(input, refusal))
}

fn asked_again(desk: &Desk, legs: &[Leg], wishes: Vec<Wish>, whole: fn(&Desk, &mut [Wish])) -> Result<Plan, Refusal> {
    let mut plan = finish(desk, wishes, whole)?;
    // A leg keeps what was known when it was planned first.
    for leg in &mut plan.legs {
        leg.outside = legs.iter().any(|first| first.instrument_id == leg.instrument_id && first.outside);
    }
    Ok(plan)
}

/// Step 5 for one holding.
fn wish(desk: &Desk, index: usize) -> Result<Wish, Refusal> {
    if !desk.scoped.planned[index] {
        let reason = if desk.scoped.cause == Cause::Nothing { ReasonCode::WithinBand } else { ReasonCode::NotBreached };
        return Ok(Wish::none(reason));
    }
    let mut wish = Wish::of(quantity::quantity(desk, index)?);
    if constraints::deviates(desk, index, &mut wish) && !wish.stands() {
        wish.reason = Some(ReasonCode::RoundedToZero);
    }
    Ok(wish)
}

/// Steps 6 to 8.
fn finish(desk: &Desk, mut wishes: Vec<Wish>, whole: fn(&Desk, &mut [Wish])) -> Result<Plan, Refusal> {
    let met = constraints::constrain(desk, &mut wishes);
    // What the one cuts may be what the other counted on, a sell that was to pay for buys too. All of them cut only, so
    // that it ends.
    loop {
        let before: Vec<_> = wishes.iter().map(|wish| wish.quantity).collect();
        funding::fund(desk, &mut wishes);
        whole(desk, &mut wishes);
        constraints::again(desk, &mut wishes);
        if wishes.iter().map(|wish| wish.quantity).eq(before) {
            break;
        }
    }
    slices::check(desk, wishes.iter().map(|wish| wish.quantity))?;
    let numbers = explain::numbers(desk, &wishes);
    let legs = legs::legs(desk, &wishes, &numbers)?;
    let (turnover, fees) = turnover_and_fees(desk, &wishes);
    let costs = legs.iter().map(|leg| Some(leg.costs)).reduce(|sum, leg| sum?.and(leg?)).unwrap_or_else(|| Some(Costs::of_nothing()));
    let costs = costs.ok_or_else(|| Refusal::absurd("the sum of expected costs"))?;
    let money = rescaled(fees, SHARE, Money::SCALE).map(Money::from_units);
    let waits = desk.input.rules.orders.funding == Funding::WaitForSells;
    let sells = wishes.iter().any(|wish| wish.quantity < 0);
    let buys = wishes.iter().any(|wish| wish.quantity > 0);
    Ok(Plan {
        verdict: if legs.is_empty() { Verdict::NoActionNeeded } else { Verdict::Orders },
        met,
        note: desk.scoped.hollow.as_ref().map(SmolStr::new),
        legs,
        explanation: explain::explanation(desk, &wishes, &numbers),
        old_allocations: explain::allocations(desk, |_| 0),
        new_allocations: explain::allocations(desk, |index| wishes[index].quantity),
        expected_fees: Some(money.ok_or_else(|| Refusal::absurd("the sum of fees"))?),
        expected_spread: costs.spread,
        expected_impact: costs.impact,
        unknown_costs: costs::unknown(desk, &wishes),
        turnover: ratio(turnover, desk.book.equity),
        drift_before: drift(desk, |_| 0),
        drift_after: drift(desk, |index| wishes[index].quantity),
        risk: risk::planned(desk, &wishes).map(Box::new),
        waits_for_sells: waits && sells && buys,
    })
}

/// Σ |order value| at scale VALUE, and Σ fees at scale SHARE.
fn turnover_and_fees(desk: &Desk, wishes: &[Wish]) -> (Int, Int) {
    let (mut turnover, mut fees) = (Int::ZERO, Int::ZERO);
    for (index, wish) in wishes.iter().enumerate().filter(|(_, wish)| wish.stands()) {
        let size = slices::size(desk, index, wish.quantity);
        for (_, units) in legs::parts(desk.holding(index), wish.quantity) {
            let notional = desk.holding(index).notional(units);
            turnover += notional;
            fees += desk.fees(notional, slices::count(units, size));
        }
    }
    (turnover, fees)
}

/// Half of Σ |drift|, cash included, after so many more units of each holding at their reference price.
fn drift(desk: &Desk, more: impl Fn(usize) -> i128) -> Option<Fraction> {
    const ONE: Int = ten(Fraction::SCALE);
    let mut cash = desk.book.cash * ONE - int(desk.allocation.cash_target.units()) * desk.book.equity;
    let mut sum = Int::ZERO;
    for (index, holding) in desk.book.holdings.iter().enumerate() {
        let change = holding.worth(more(index)) * ONE;
        sum += (desk.drift(index) + change).abs();
        // Of a future what is closed pays its gain, and nothing else.
        cash += match holding.gain {
            None => -change,
            Some(gain) => int(holding.held().signum() * closes(holding.held(), more(index))) * gain * ONE,
        };
    }
    ratio(sum + cash.abs(), desk.book.equity * ONE * Int::TWO)
}

fn refused(input: &PlanInput, refusal: Refusal) -> Plan {
    Plan {
        explanation: explain::refusal(input.drift, refusal.code),
        verdict: Verdict::Refused { code: refusal.code, text: refusal.text.into() },
        met: Vec::new(),
        note: None,
        legs: Vec::new(),
        old_allocations: explain::published(input.drift),
        new_allocations: explain::published(input.drift),
        expected_fees: None,
        expected_spread: None,
        expected_impact: None,
        unknown_costs: None,
        turnover: None,
        drift_before: None,
        drift_after: None,
        risk: None,
        waits_for_sells: false,
    }
}
