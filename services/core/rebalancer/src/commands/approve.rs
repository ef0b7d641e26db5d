//! APPROVE: let a proposal go, as it was read. The hash must be that of the proposal that waits, and
//! nobody counts twice.

use crate::commands::inbox::{Asked, Ready, ready};
use crate::commands::refused;
use crate::cycle::opening::Refusal;
use crate::cycle::{Desk, Proposal, Turn, approval};
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
    // One person, however the name is written.
    if proposal.approved_by.iter().any(|known| known.to_lowercase() == command.actor.to_lowercase()) {
        let text = format!("{} has approved already: {} different persons are needed", command.actor, proposal.approvers);
        return Err(Refusal::new(ReasonCode::NothingToDo, text));
    }
    Ok(())
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
