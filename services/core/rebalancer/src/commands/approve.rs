//! APPROVE: let a proposal go, as it was read. The hash must be that of the proposal that waits; nobody counts twice,
//! and nobody for a work of their own: neither the rebalance that they asked for, nor quantities that they edited,
//! whoever edited them after that.

use crate::commands::inbox::{Asked, Ready, ready};
use crate::commands::refused;
use crate::cycle::opening::Refusal;
use crate::cycle::proposal::is_same_person;
use crate::cycle::{Desk, Proposal, Turn, approval};
use domain::SmolStr;
use domain::command::Command;
use domain::reason::ReasonCode;

/// Follows the command, or waits for its drift event.
pub fn follow(desk: &mut Desk, asked: Asked, turn: &mut Turn<'_, '_>) -> Option<Asked> {
    // Looked at before the drift event comes, so that a hopeless command is answered at once, and again
    // when it has come: the proposal may have been replaced in between.
    if let Err(refusal) = may_approve(desk, &asked.command) {
        return refused(desk, &asked.command, refusal, turn);
    }
    match ready(desk, asked, turn) {
        Ready::Act(command, heard) => {
            approval::approve(desk, &heard, &command, turn);
            None
        }
        Ready::Wait(asked) => Some(asked),
        Ready::Done => None,
    }
}

fn may_approve(desk: &Desk, command: &Command) -> Result<(), Refusal> {
    let proposal = named_proposal(desk, command)?;
    let actor = &command.actor;
    let is_actor = |known: &SmolStr| is_same_person(known, actor);
    let asked_by = desk.open.as_ref().and_then(|cycle| cycle.asked_by.as_ref());
    let text = if proposal.approved_by.iter().any(is_actor) {
        format!("{actor} has approved already: {} different persons are needed", proposal.approvers)
    } else if proposal.was_edited_by(actor) {
        format!("{actor} edited the proposal: another person approves it")
    } else if asked_by.is_some_and(is_actor) {
        format!("{actor} asked for the rebalance: another person approves it")
    } else {
        return Ok(());
    };
    Err(Refusal::new(ReasonCode::NothingToDo, text))
}

/// The proposal that waits, if it is the one that the command names.
pub fn named_proposal<'a>(desk: &'a Desk, command: &Command) -> Result<&'a Proposal, Refusal> {
    let waiting = desk.open.as_ref().and_then(|cycle| cycle.proposal.as_ref().map(|proposal| (cycle.id, proposal)));
    let Some((id, proposal)) = waiting else {
        return Err(Refusal::new(ReasonCode::NothingToDo, "no proposal waits: it was released, rejected or expired"));
    };
    if command.rebalance_id != Some(id) {
        return Err(Refusal::new(ReasonCode::StaleProposal, format!("the proposal that waits is that of rebalance {id}")));
    }
    if command.proposal_hash.as_ref().is_some_and(|hash| *hash != proposal.hash) {
        let text = format!("the proposal that waits has the hash {}: read it and decide again", proposal.hash);
        return Err(Refusal::new(ReasonCode::StaleProposal, text));
    }
    Ok(proposal)
}
