//! A waiting proposal: newer drift replaces it, time and policy changes expire it, persons approve or
//! reject it. The drift event that answers an approval re-checks it and never replaces it: the sells leave
//! as they were approved, the buys too or cut to the cash that there is; where anything else stands
//! against it, nothing leaves.

use crate::cycle::announcement::Announcement;
use crate::cycle::opening::{Ground, Refusal, broken, number, put_up, unlatched};
use crate::cycle::release::{Wave, kept, release_first, released};
use crate::cycle::{Cycle, Desk, Heard, Proposal, Turn};
use crate::orders::draft::Draft;
use crate::orders::wave::Terms;
use crate::plan::{self, Leg, Plan, Verdict};
use crate::plan_check::{plan_check, recheck_check};
use domain::command::Command;
use domain::drift::{Drift, DriftLine};
use domain::enums::{Decision, PriceFlag, RebalanceStatus, Side};
use domain::policy::Policy;
use domain::reason::ReasonCode;
use domain::rebalance_event::ExplanationLine;
use domain::{Bps, InstrumentId, Price, wide};
use std::cmp::Ordering;

/// Units of 10,000 basis points.
const WHOLE: i128 = 10_000 * Bps::ONE.units();

/// Expires the proposal when its time is over or its policy is no longer in force.
pub fn expire_if_due(desk: &mut Desk, turn: &mut Turn<'_, '_>) {
    let Some(cycle) = &desk.open else { return };
    let Some(proposal) = &cycle.proposal else { return };
    if desk.policy.is_some_and(|version| version != Some(cycle.terms.policy_version)) {
        let refusal = Refusal::new(ReasonCode::PolicyChanged, "the policy changed or the portfolio was closed while the proposal waited");
        end(desk, RebalanceStatus::Expired, Ending::because(refusal), turn);
    } else if turn.now() >= proposal.expires_at {
        let refusal = Refusal::new(ReasonCode::TimedOut, "nobody decided about the proposal in time");
        end(desk, RebalanceStatus::Expired, Ending::because(refusal), turn);
    }
}

/// How a proposal ends.
#[derive(Default)]
pub struct Ending<'a> {
    /// Why; a person who rejects gives no code.
    pub why: Option<Refusal>,
    /// The command behind it.
    pub command: Option<&'a Command>,
    /// What a newer plan says of each instrument; the proposal's own lines where there is none.
    pub lines: Option<Vec<ExplanationLine>>,
}

impl Ending<'_> {
    /// For that reason, by nobody's command.
    pub fn because(refusal: Refusal) -> Self {
        Self { why: Some(refusal), ..Self::default() }
    }
}

/// Ends a cycle of which nothing has left. The released cycle before it stays the last one.
pub fn end(desk: &mut Desk, status: RebalanceStatus, ending: Ending<'_>, turn: &mut Turn<'_, '_>) {
    let Some(mut cycle) = desk.open.take() else { return };
    let lines = ending.lines.unwrap_or_else(|| std::mem::take(&mut cycle.lines));
    let mut event = Announcement::of(turn, &cycle, status).by(ending.command);
    event = match ending.why {
        Some(refusal) => event.explained(none_leave(lines, refusal.code)).because(refusal.code, refusal.text),
        None => event.explained(lines),
    };
    event.send(turn);
    desk.ended_at = Some(turn.now());
}

/// The lines of a plan of which nothing leaves, for that reason.
fn none_leave(mut lines: Vec<ExplanationLine>, code: ReasonCode) -> Vec<ExplanationLine> {
    for line in lines.iter_mut().filter(|line| line.decision != Decision::Skip) {
        (line.decision, line.reason) = (Decision::Skip, code);
    }
    lines
}

/// Plans anew on newer drift: the same orders leave the proposal as it is, others replace it, none end it. Not for what a
/// person wrote: that stands until persons, time, the policy or a corporate action end it, and its approval checks it on a
/// book of its own. Returns whether the newer drift could be judged: where it could not, the proposal waits as it was.
pub fn replace(desk: &mut Desk, heard: &Heard, turn: &mut Turn<'_, '_>) -> bool {
    let Some(mut cycle) = desk.open.take() else { return true };
    let outcome = replan(desk, &cycle, &heard.drift, turn);
    match outcome {
        Ok((policy, plan)) if plan.verdict == Verdict::Orders => {
            supersede(&mut cycle, &heard.drift, policy, plan, turn);
            desk.open = Some(cycle);
        }
        Ok((_, plan)) => {
            desk.open = Some(cycle);
            let lines = Some(plan.explanation);
            let why = match plan.verdict {
                Verdict::Refused { code, text } => Refusal { code, text },
                _ => Refusal::new(ReasonCode::WithinBand, "on newer drift nothing is left to order"),
            };
            // Prices that are missing for a moment, and figures that nobody has accepted yet, leave the proposal waiting: its approval checks them again.
            if is_passing(why.code) {
                return false;
            }
            end(desk, RebalanceStatus::Expired, Ending { lines, ..Ending::because(why) }, turn);
        }
        Err(refusal) => {
            desk.open = Some(cycle);
            end(desk, status_of(refusal.code), Ending::because(refusal), turn);
        }
    }
    true
}

fn status_of(code: ReasonCode) -> RebalanceStatus {
    if code == ReasonCode::MetricAnomaly { RebalanceStatus::Failed } else { RebalanceStatus::Expired }
}

fn is_passing(code: ReasonCode) -> bool {
    matches!(
        code,
        ReasonCode::NoPrice
            | ReasonCode::StalePrice
            | ReasonCode::PriceOutlier
            | ReasonCode::KillSwitch
            | ReasonCode::Quarantined
            | ReasonCode::MetricAnomaly
            | ReasonCode::DataGap
    )
}

fn replan<'a>(desk: &Desk, cycle: &Cycle, drift: &'a Drift, turn: &Turn<'_, '_>) -> Result<(&'a Policy, Plan), Refusal> {
    let Some(policy) = &drift.policy else {
        return Err(Refusal::new(ReasonCode::PolicyChanged, "the portfolio was closed while the proposal waited"));
    };
    let ground = Ground::of(desk, policy, turn)?;
    let input = ground.input(drift, policy, cycle.trigger);
    let plan = plan::plan(&input);
    plan_check(&input, &plan).map_err(|violations| broken(&violations))?;
    Ok((policy, plan))
}

fn supersede(cycle: &mut Cycle, drift: &Drift, policy: &Policy, plan: Plan, turn: &mut Turn<'_, '_>) {
    let terms = Terms::of(policy, drift);
    let same = cycle.proposal.as_ref().is_some_and(|proposal| {
        terms.order_type == cycle.terms.order_type
            && is_same(&proposal.drafts, &plan.legs, |a, b| (a.reference_price, a.reference_rate) == (b.reference_price, b.reference_rate))
    });
    if !same {
        cycle.terms = terms;
        let drafts = number(cycle, &plan, turn);
        put_up(cycle, drafts, policy, plan, turn).send(turn);
    }
}

fn is_same(drafts: &[Draft], legs: &[Leg], prices: impl Fn(&Leg, &Leg) -> bool) -> bool {
    let of_slice = |leg: &Leg| leg.slice.map(|slice| slice.quantity);
    let same = |a: &Leg, b: &Leg| {
        a.instrument_id == b.instrument_id && a.side == b.side && a.quantity == b.quantity && of_slice(a) == of_slice(b) && prices(a, b)
    };
    drafts.len() == legs.len() && drafts.iter().zip(legs).all(|(draft, leg)| same(&draft.leg, leg))
}

/// Counts an approval: waits for further persons, or re-checks the proposal and releases or expires it.
pub fn approve(desk: &mut Desk, heard: &Heard, command: &Command, turn: &mut Turn<'_, '_>) {
    let Some(mut cycle) = desk.open.take() else { return };
    let Some(mut proposal) = cycle.proposal.take() else { return desk.open = Some(cycle) };
    proposal.approved_by.push(command.actor.clone());
    if proposal.approved_by.len() < proposal.approvers {
        let text = format!("approved by {} of {} persons", proposal.approved_by.len(), proposal.approvers);
        cycle.proposal = Some(proposal);
        Announcement::of(turn, &cycle, RebalanceStatus::PendingApproval).by(Some(command)).with_text(text).send(turn);
        desk.open = Some(cycle);
        return;
    }
    match recheck(desk, &cycle, &proposal, &heard.drift, turn) {
        Ok((drafts, plan)) => {
            let hash = proposal.hash.clone();
            let orders = cycle.terms.orders(turn.portfolio, cycle.id, &drafts, turn.now());
            cycle.lines.clone_from(&plan.explanation);
            cycle.tolerance = Some(proposal.tolerance);
            let mut approved = Announcement::of(turn, &cycle, RebalanceStatus::Approved).by(Some(command));
            if let Some(editor) = proposal.edited_by() {
                approved = approved.with_text(format!("as {editor} edited it"));
            }
            approved.naming(&hash).planned(plan.clone()).with_orders(orders).send(turn);
            let event = released(turn, &cycle).by(Some(command)).naming(&hash).planned(plan);
            let wave = Wave { said: event, drift: &heard.drift };
            release_first(desk, &mut cycle, drafts, proposal.waits_for_sells, wave, turn);
            desk.open = Some(cycle);
        }
        Err((refusal, lines)) => {
            cycle.proposal = Some(proposal);
            desk.open = Some(cycle);
            end(desk, status_of(refusal.code), Ending { why: Some(refusal), command: Some(command), lines }, turn);
        }
    }
}

/// Why nothing of a proposal may leave, and what a plan said of each instrument, where one was made.
type Stopped = (Refusal, Option<Vec<ExplanationLine>>);

/// What of the proposal may leave on this event and the plan that says so, or why nothing may.
fn recheck(desk: &Desk, cycle: &Cycle, proposal: &Proposal, drift: &Drift, turn: &Turn<'_, '_>) -> Result<(Vec<Draft>, Plan), Stopped> {
    let plan = replanned(desk, cycle, proposal, drift, turn).map_err(|refusal| (refusal, None))?;
    let mut lines = plan.explanation.clone();
    match stands(proposal, &plan) {
        Ok(drafts) => {
            approved_whole(cycle, proposal, &drafts, &mut lines);
            Ok((drafts, Plan { explanation: lines, ..plan }))
        }
        Err(refusal) => Err((refusal, Some(lines))),
    }
}

/// Buys that leave as they were proposed are not cut, whatever cash there is before the sells; what was not
/// proposed keeps its reason.
fn approved_whole(cycle: &Cycle, proposal: &Proposal, drafts: &[Draft], lines: &mut [ExplanationLine]) {
    for draft in drafts.iter().filter(|draft| proposal.drafts.contains(draft)) {
        let id = &draft.leg.instrument_id;
        let said = cycle.lines.iter().find(|line| line.instrument_id == *id);
        if let Some((line, said)) = lines.iter_mut().find(|line| line.instrument_id == *id).zip(said) {
            (line.decision, line.reason) = (said.decision, said.reason);
        }
    }
    for line in lines.iter_mut().filter(|line| line.decision == Decision::Skip && line.reason == ReasonCode::OpenCycle) {
        line.reason = cycle.reason_before(line);
    }
}

/// The policy by which a proposal may be acted on now, or what stands against that: another policy, a contradiction,
/// a latch, a halt.
pub fn standing<'a>(desk: &Desk, cycle: &Cycle, drift: &'a Drift, turn: &Turn<'_, '_>) -> Result<&'a Policy, Refusal> {
    let policy = drift.policy.as_ref().filter(|policy| policy.policy_version == cycle.terms.policy_version);
    let Some(policy) = policy else {
        return Err(Refusal::new(ReasonCode::PolicyChanged, "the policy changed while the proposal waited"));
    };
    if let Some(contradiction) = desk.unreconciled.values().next() {
        return Err(Refusal::new(ReasonCode::Unreconciled, &contradiction.text));
    }
    unlatched(desk)?;
    if let Some(halt) = turn.halts.binding(turn.portfolio) {
        return Err(Refusal::new(ReasonCode::KillSwitch, format!("{halt} is in force")));
    }
    Ok(policy)
}

fn replanned(desk: &Desk, cycle: &Cycle, proposal: &Proposal, drift: &Drift, turn: &Turn<'_, '_>) -> Result<Plan, Refusal> {
    let policy = standing(desk, cycle, drift, turn)?;
    proposal.drafts.iter().try_for_each(|draft| check_price(&draft.leg, drift, proposal.tolerance))?;
    let legs: Vec<_> = proposal.drafts.iter().map(|draft| draft.leg.clone()).collect();
    let ground = Ground::of(desk, policy, turn)?;
    let input = ground.input(drift, policy, cycle.trigger);
    let plan = plan::recheck(&input, &legs);
    recheck_check(&input, &legs, &plan).map_err(|violations| broken(&violations))?;
    Ok(plan)
}

/// The drafts that the constraints still allow. Buys that wait for their sells stay whole here: they are
/// cut to the cash when it has come.
fn stands(proposal: &Proposal, plan: &Plan) -> Result<Vec<Draft>, Refusal> {
    if let Verdict::Refused { code, text } = &plan.verdict {
        return Err(Refusal::new(*code, text));
    }
    let kept = kept(&proposal.drafts, &plan.legs);
    for draft in &proposal.drafts {
        let now = kept.iter().find(|other| other.order_id == draft.order_id);
        if now.is_some_and(|now| now.leg.quantity == draft.leg.quantity) {
            continue;
        }
        let id = &draft.leg.instrument_id;
        let reason = plan.explanation.iter().find(|line| line.instrument_id == *id).map_or(ReasonCode::StaleProposal, |line| line.reason);
        if draft.leg.side != Side::Buy || !may_shrink(reason) {
            let text = format!("the book no longer allows all of what was proposed for {id}: ask for a rebalance again");
            return Err(Refusal::new(reason, text));
        }
    }
    if kept.is_empty() {
        let of_proposal = |id: &InstrumentId| proposal.drafts.iter().any(|draft| draft.leg.instrument_id == *id);
        let mut lines = plan.explanation.iter().filter(|line| of_proposal(&line.instrument_id));
        let short = lines.any(|line| line.reason == ReasonCode::CashShortage);
        return Err(if short {
            Refusal::new(ReasonCode::CashShortage, "no cash is left for any of the orders")
        } else {
            Refusal::new(ReasonCode::StaleProposal, "the book needs none of the orders any more")
        });
    }
    // As they were approved, references and limits included; only quantities may be smaller.
    let approved = |draft: &Draft| match kept.iter().find(|other| other.order_id == draft.order_id) {
        _ if proposal.waits_for_sells => Some(draft.clone()),
        Some(now) if now.leg.quantity == draft.leg.quantity => Some(draft.clone()),
        now => now.cloned(),
    };
    Ok(proposal.drafts.iter().filter_map(approved).collect())
}

/// Why a buy may leave smaller than it was approved, or not at all: for want of cash, or of a need.
fn may_shrink(reason: ReasonCode) -> bool {
    matches!(reason, ReasonCode::CashShortage | ReasonCode::RoundedToZero | ReasonCode::BelowMinNotional | ReasonCode::WithinBand)
}

/// Whether the price of a leg that waits, or its rate, has moved further than its approval bears.
pub fn has_moved(leg: &Leg, drift: &Drift, tolerance: Bps) -> bool {
    let line = drift.lines.iter().find(|line| line.instrument_id == leg.instrument_id);
    line.is_some_and(|line| line.price.is_some_and(|price| !is_near(leg, price, tolerance)) || !is_rated_near(leg, line, tolerance))
}

fn check_price(leg: &Leg, drift: &Drift, tolerance: Bps) -> Result<(), Refusal> {
    let id = &leg.instrument_id;
    let line = drift.lines.iter().find(|line| line.instrument_id == *id);
    let Some((price, line)) = line.and_then(|line| line.price.map(|price| (price, line))) else {
        return Err(Refusal::new(ReasonCode::NoPrice, format!("{id} has no price now")));
    };
    if line.price_flag != PriceFlag::Fresh {
        return Err(Refusal::new(ReasonCode::StalePrice, format!("the price of {id} is {}", line.price_flag)));
    }
    let moved = |from: &dyn std::fmt::Display, to: &dyn std::fmt::Display, what: &str| {
        let text = format!("{what} moved from {from} to {to}, further than {tolerance} basis points: ask for a rebalance again");
        Err(Refusal::new(ReasonCode::PriceOutlier, text))
    };
    if !is_near(leg, price, tolerance) {
        return moved(&leg.reference_price, &price, id.as_str());
    }
    match line.fx_rate {
        Some(rate) if !is_rated_near(leg, line, tolerance) => {
            moved(&leg.reference_rate, &rate, &format!("the rate of {} for {id}", leg.currency))
        }
        _ => Ok(()),
    }
}

fn is_near(leg: &Leg, price: Price, tolerance: Bps) -> bool {
    is_within(leg.reference_price.units(), price.units(), tolerance)
}

/// Whether the rate is as near as the price must be: what an order is worth moves with either.
fn is_rated_near(leg: &Leg, line: &DriftLine, tolerance: Bps) -> bool {
    line.fx_rate.is_none_or(|rate| is_within(leg.reference_rate.units(), rate.units(), tolerance))
}

/// |now − reference| × 10,000 ≤ tolerance × reference, exactly.
fn is_within(reference: i128, now: i128, tolerance: Bps) -> bool {
    let moved = now.checked_sub(reference).and_then(i128::checked_abs);
    moved.is_some_and(|moved| wide::compare_products(moved, WHOLE, tolerance.units(), reference) != Ordering::Greater)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_may_move_as_far_as_the_tolerance_and_no_further() {
        let units = |price: &str| price.parse::<Price>().unwrap().units();
        let within = |reference: &str, price: &str| is_within(units(reference), units(price), "50".parse().unwrap());
        assert!(within("100", "100.5"));
        assert!(within("100", "99.5"));
        assert!(!within("100", "100.5000000001"));
        assert!(!within("100", "99.4999999999"));
    }
}
