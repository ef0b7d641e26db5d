//! CANCEL: withdraw a proposal, or ask back what has left. Nothing is free before its terminal state.

use crate::commands::inbox::Asked;
use crate::commands::refused;
use crate::cycle::announcement::Announcement;
use crate::cycle::approval::Ending;
use crate::cycle::opening::Refusal;
use crate::cycle::release::ask_cancel;
use crate::cycle::{Contradiction, Cycle, Desk, Leg, Turn, approval};
use domain::OrderId;
use domain::command::Command;
use domain::enums::RebalanceStatus;
use domain::reason::ReasonCode;
use std::collections::BTreeMap;

/// Follows the command.
pub fn follow(desk: &mut Desk, command: &Command, turn: &mut Turn<'_, '_>) -> Option<Asked> {
    let Desk { open, unreconciled, .. } = desk;
    let Some(cycle) = open else {
        return refused(desk, command, Refusal::new(ReasonCode::NothingToDo, "no rebalance is open"), turn);
    };
    if command.rebalance_id.is_some_and(|id| id != cycle.id) {
        let text = format!("the open rebalance is {}", cycle.id);
        return refused(desk, command, Refusal::new(ReasonCode::StaleProposal, text), turn);
    }
    // What was stopped before and has nothing at work is not ended by asking again.
    if cycle.proposal.is_none() && cycle.stop.is_some() && !cycle.legs.iter().any(Leg::can_be_asked_back) {
        let settle = if cycle.standing(unreconciled) == RebalanceStatus::Stuck { "; RECONCILE settles it" } else { "" };
        let text = format!("nothing of rebalance {} is left to ask back: each order was asked back or has ended{settle}", cycle.id);
        return refused(desk, command, Refusal::new(ReasonCode::NothingToDo, text), turn);
    }
    if cycle.proposal.is_some() {
        approval::end(desk, RebalanceStatus::Rejected, Ending { command: Some(command), ..Ending::default() }, turn);
    } else {
        ask_back(cycle, unreconciled, command, turn);
    }
    None
}

fn ask_back(cycle: &mut Cycle, contradictions: &BTreeMap<OrderId, Contradiction>, command: &Command, turn: &mut Turn<'_, '_>) {
    cycle.stop(ReasonCode::OrderFailed, format!("cancelled by {}", command.actor));
    let asked = ask_cancel(cycle, |_| true, "cancelled by command", turn);
    let text = match asked {
        0 => "no order is at work and no others follow".to_owned(),
        1 => "1 order was asked back and no others follow; it counts until its terminal state".to_owned(),
        _ => format!("{asked} orders were asked back and no others follow; each counts until its terminal state"),
    };
    Announcement::of(turn, cycle, cycle.standing(contradictions)).by(Some(command)).with_text(text).send(turn);
}
