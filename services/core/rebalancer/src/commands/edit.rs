//! EDIT: other quantities in a proposal before somebody approves it. What a person writes becomes the proposal as
//! it was written, or is refused whole: an order may be lowered, struck out, or raised as far as the policy itself
//! would order on the drift event that answers the command, within every limit and the cash. It adds no order and
//! turns none round. It releases nothing: the edited proposal has a hash of its own, and waits for its approvals, which
//! are of persons who have edited none of it. Of those who have there are so many at most as can be kept.

use crate::commands::approve::named_proposal;
use crate::commands::inbox::{Asked, Ready, ready};
use crate::commands::{refuse, refused};
use crate::cycle::announcement::Announcement;
use crate::cycle::approval::standing;
use crate::cycle::opening::{Ground, Refusal, broken, put_up};
use crate::cycle::proposal::MAX_EDITORS;
use crate::cycle::release::kept;
use crate::cycle::{Cycle, Desk, Turn};
use crate::orders::draft::Draft;
use crate::orders::wave::Terms;
use crate::plan::{self, Leg, Plan, Verdict};
use crate::plan_check::edited_check;
use domain::command::{Command, CommandOrder};
use domain::drift::Drift;
use domain::enums::{CommandMode, Decision, RebalanceStatus, RebalanceTrigger};
use domain::order::NamedNumber;
use domain::policy::Policy;
use domain::reason::ReasonCode;
use domain::rebalance_event::ExplanationLine;
use domain::{InstrumentId, OrderId, Quantity, SmolStr};
use std::collections::{BTreeMap, BTreeSet};

/// Changes that the text of an event names: a proposal has thousands of lines, a text has its limit.
const SHOWN: usize = 10;

/// Follows the command, or waits for its drift event.
pub fn follow(desk: &mut Desk, asked: Asked, turn: &mut Turn<'_, '_>) -> Option<Asked> {
    // As for an approval: looked at before the drift event comes, and again when it has come.
    if let Err(refusal) = Edit::of(desk, &asked.command) {
        return refused(desk, &asked.command, refusal, turn);
    }
    match ready(desk, asked, turn) {
        Ready::Act(command, heard) => {
            if let Err(refusal) = act(desk, &command, &heard.drift, turn) {
                refuse(desk, &command, refusal, turn);
            }
            None
        }
        Ready::Wait(asked) => Some(asked),
        Ready::Done => None,
    }
}

/// What a command makes of the proposal that waits.
struct Edit {
    /// Who has edited the proposal then.
    editors: Vec<SmolStr>,
    /// All orders that are left, as they are to be.
    legs: Vec<Leg>,
    /// Quantities before and after, of those that change.
    changes: BTreeMap<OrderId, Change>,
}

struct Change {
    instrument: InstrumentId,
    from: Quantity,
    to: Quantity,
}

impl Edit {
    fn of(desk: &Desk, command: &Command) -> Result<Self, Refusal> {
        let proposal = named_proposal(desk, command)?;
        let editors = proposal.editors_with(&command.actor).ok_or_else(too_many)?;
        let mut given = BTreeMap::new();
        for order in &command.orders {
            let draft = named(&proposal.drafts, order)?;
            if given.insert(draft.order_id, order.quantity).is_some() {
                return Err(nothing(format!("order {} of {} is named twice: name each once", draft.order_id, draft.leg.instrument_id)));
            }
        }
        let (mut legs, mut changes) = (Vec::new(), BTreeMap::new());
        for Draft { order_id, leg, .. } in &proposal.drafts {
            let to = given.get(order_id).copied().unwrap_or(leg.quantity);
            if to != leg.quantity {
                changes.insert(*order_id, Change { instrument: leg.instrument_id.clone(), from: leg.quantity, to });
            }
            if !to.is_zero() {
                legs.push(Leg { quantity: to, ..leg.clone() });
            }
        }
        if changes.is_empty() {
            return Err(nothing(format!("proposal {} has these quantities already", proposal.hash)));
        }
        if legs.is_empty() {
            return Err(nothing("nothing would be left to order: send a REJECT"));
        }
        Ok(Self { editors, legs, changes })
    }
    /// Instruments of which more is to be ordered than was proposed.
    fn raised(&self) -> BTreeSet<InstrumentId> {
        let raised = self.changes.values().filter(|change| change.to > change.from);
        raised.map(|change| change.instrument.clone()).collect()
    }
    /// The changes in words.
    fn words(&self) -> String {
        let words = |change: &Change| format!("{} {} to {}", change.instrument, change.from, change.to);
        let mut all: Vec<_> = self.changes.values().collect();
        all.sort_by(|a, b| (&a.instrument, a.from).cmp(&(&b.instrument, b.from)));
        let shown = all.iter().take(SHOWN).map(|change| words(change)).collect::<Vec<_>>().join(", ");
        if all.len() > SHOWN { format!("{shown} and {} more", all.len() - SHOWN) } else { shown }
    }
}

fn too_many() -> Refusal {
    nothing(format!(
        "{MAX_EDITORS} persons have edited the proposal, and no more may: one of them edits it, or another approves or rejects it"
    ))
}

fn nothing(text: impl AsRef<str>) -> Refusal {
    Refusal::new(ReasonCode::NothingToDo, text)
}

/// The proposed order that an edit names, by its id or by its instrument where that has one.
fn named<'a>(drafts: &'a [Draft], order: &CommandOrder) -> Result<&'a Draft, Refusal> {
    let fits = |draft: &&Draft| {
        order.order_id.is_none_or(|id| id == draft.order_id)
            && order.instrument_id.as_ref().is_none_or(|instrument| *instrument == draft.leg.instrument_id)
    };
    let mut fitting = drafts.iter().filter(fits);
    match (fitting.next(), fitting.next()) {
        (Some(draft), None) => Ok(draft),
        (Some(draft), Some(_)) => {
            let text = format!("{} is sold in two orders, SELL and SELL_SHORT: name them by order_id", draft.leg.instrument_id);
            Err(nothing(text))
        }
        (None, _) => {
            let id = order.order_id.map(|id| format!("order {id}")).into_iter();
            let instrument = order.instrument_id.as_ref().map(|instrument| format!("order of {instrument}"));
            let what = id.chain(instrument).collect::<Vec<_>>().join(" as an ");
            Err(nothing(format!("the proposal has no {what}: an EDIT changes what was proposed and adds nothing")))
        }
    }
}

fn act(desk: &mut Desk, command: &Command, drift: &Drift, turn: &mut Turn<'_, '_>) -> Result<(), Refusal> {
    let edit = Edit::of(desk, command)?;
    let Some(cycle) = &desk.open else { return Ok(()) };
    let (policy, mut plan) = planned(desk, cycle, &edit, drift, turn)?;
    explain(cycle, &edit, &mut plan.explanation);
    let mut words = format!("{} edited it: {}", command.actor, edit.words());
    if let Some(reason) = &command.reason {
        words = format!("{words} ({reason})");
    }
    if matches!(command.mode, Some(CommandMode::Check)) {
        say(desk, command, drift, plan, &words, turn);
        return Ok(());
    }
    let Some(mut cycle) = desk.open.take() else { return Ok(()) };
    cycle.terms = Terms::of(policy, drift);
    let mut drafts = kept(cycle.proposal.as_ref().map_or(&[], |proposal| &proposal.drafts), &plan.legs);
    drafts.iter_mut().for_each(|draft| draft.planned_price = draft.leg.reference_price);
    let event = put_up(&mut cycle, drafts, policy, plan, turn);
    if let Some(proposal) = &mut cycle.proposal {
        proposal.editors = edit.editors;
    }
    event.by(Some(command)).with_text(words).send(turn);
    desk.open = Some(cycle);
    Ok(())
}

/// CHECK: what the edit would come to is said, and the proposal stays as it is.
fn say(desk: &mut Desk, command: &Command, drift: &Drift, plan: Plan, words: &str, turn: &mut Turn<'_, '_>) {
    let id = desk.next_aside(turn.portfolio);
    let event = Announcement::new(turn, id, RebalanceTrigger::Manual, RebalanceStatus::Proposed).on(drift).by(Some(command));
    event.planned(plan).with_text(format!("checked, and the proposal stays as it is; {words}")).send(turn);
}

/// The plan of the edited orders, if every one of them passes as it was written.
fn planned<'a>(desk: &Desk, cycle: &Cycle, edit: &Edit, drift: &'a Drift, turn: &Turn<'_, '_>) -> Result<(&'a Policy, Plan), Refusal> {
    let policy = standing(desk, cycle, drift, turn)?;
    let ground = Ground::of(desk, policy, turn)?;
    let (input, raised) = (ground.input(drift, policy, cycle.trigger), edit.raised());
    let plan = plan::edited(&input, &edit.legs, &raised);
    edited_check(&input, &edit.legs, &raised, &plan).map_err(|violations| broken(&violations))?;
    if let Verdict::Refused { code, text } = &plan.verdict {
        return Err(Refusal::new(*code, text));
    }
    let passed = |leg: &Leg| plan.legs.iter().find(|other| other.instrument_id == leg.instrument_id && other.side == leg.side);
    match edit.legs.iter().find(|leg| passed(leg).is_none_or(|other| other.quantity != leg.quantity)) {
        None if plan.legs.len() == edit.legs.len() => Ok((policy, plan)),
        None => Err(Refusal::new(ReasonCode::StaleProposal, "the book would make other orders of it: ask for a rebalance again")),
        Some(leg) => Err(falls_short(leg, passed(leg), &plan, &raised)),
    }
}

fn falls_short(leg: &Leg, passed: Option<&Leg>, plan: &Plan, raised: &BTreeSet<InstrumentId>) -> Refusal {
    let id = &leg.instrument_id;
    let line = plan.explanation.iter().find(|line| line.instrument_id == *id);
    let reason = line.map_or(ReasonCode::StaleProposal, |line| line.reason);
    let most = passed.map_or(Quantity::ZERO, |leg| leg.quantity);
    let why = if raised.contains(id) { "limits, cash, lots and the goal of the policy" } else { "limits, cash, lots and the book" };
    let text = format!("of {} {} {id} only {most} would pass ({reason}) by {why}: nothing was changed", leg.side, leg.quantity);
    // A plan that leaves what was written for a purpose of its own has cut it to its goal.
    let code = if line.is_some_and(|line| line.decision == Decision::Order) { ReasonCode::StaleProposal } else { reason };
    Refusal::new(code, text)
}

/// What the proposal said of each instrument, and EDITED of those that a person has changed.
fn explain(cycle: &Cycle, edit: &Edit, lines: &mut [ExplanationLine]) {
    for line in lines {
        let mut changes = edit.changes.values().filter(|change| change.instrument == line.instrument_id).peekable();
        if changes.peek().is_none() {
            keep(cycle, line);
            continue;
        }
        line.reason = ReasonCode::Edited;
        let lowered = changes.any(|change| change.to < change.from);
        if line.decision != Decision::Skip {
            line.decision = if lowered { Decision::Cut } else { Decision::Order };
        }
        line.numbers.push(NamedNumber { name: SmolStr::new_static("proposed"), value: proposed(cycle, &line.instrument_id) });
    }
}

/// What the proposal said of a line that nobody has changed.
fn keep(cycle: &Cycle, line: &mut ExplanationLine) {
    let said = cycle.lines.iter().find(|said| said.instrument_id == line.instrument_id);
    match said.filter(|_| line.decision != Decision::Skip) {
        Some(said) => (line.decision, line.reason) = (said.decision, said.reason),
        None if line.reason == ReasonCode::OpenCycle => line.reason = cycle.reason_before(line),
        None => {}
    }
}

/// What was proposed of an instrument before the edit, signed.
fn proposed(cycle: &Cycle, instrument: &InstrumentId) -> SmolStr {
    let drafts = cycle.proposal.iter().flat_map(|proposal| &proposal.drafts).filter(|draft| draft.leg.instrument_id == *instrument);
    let units = drafts.fold(0_i128, |sum, draft| sum.saturating_add(draft.leg.signed_quantity().units()));
    SmolStr::new(Quantity::from_units(units).to_string())
}
