//! REBALANCE: plan every line on the drift event that answers the command. Refused while a cycle is open, but for a CHECK
//! beside a proposal, of which nothing has left.

use crate::commands::inbox::{Asked, Ready, ready};
use crate::commands::refused;
use crate::cycle::opening::{Occasion, Refusal, open};
use crate::cycle::{Desk, Turn};
use domain::enums::{CommandMode, RebalanceStatus, RebalanceTrigger};
use domain::reason::ReasonCode;

/// Follows the command, or waits for its drift event.
pub fn follow(desk: &mut Desk, asked: Asked, turn: &mut Turn<'_, '_>) -> Option<Asked> {
    let is_check = asked.command.mode == Some(CommandMode::Check);
    if let Some(cycle) = desk.open.as_ref().filter(|cycle| !(is_check && cycle.proposal.is_some())) {
        let standing = cycle.standing(&desk.unreconciled);
        let way = match standing {
            RebalanceStatus::PendingApproval => "APPROVE, REJECT or CANCEL it",
            RebalanceStatus::Stuck => "settle it with RECONCILE",
            _ => "wait for its end, or CANCEL it",
        };
        let text = format!("rebalance {} is {standing}: {way} first", cycle.id);
        return refused(desk, &asked.command, Refusal::new(ReasonCode::OpenCycle, text), turn);
    }
    match ready(desk, asked, turn) {
        Ready::Act(command, heard) => {
            let occasion = Occasion { trigger: RebalanceTrigger::Manual, drift: &heard.drift, command: Some(&command) };
            open(desk, occasion, turn);
            None
        }
        Ready::Wait(asked) => Some(asked),
        Ready::Done => None,
    }
}
