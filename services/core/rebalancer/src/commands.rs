//! What people ask for: one file for each kind of command. A command acts once, always gets an answer,
//! and the orders of REBALANCE, APPROVE and EDIT are decided on the drift event that answers it, nothing else.
//! ADMIT, DISCARD and RELEASE are the position-keeper's.

pub mod approve;
pub mod cancel;
pub mod edit;
pub mod halt;
pub mod inbox;
mod outside;
pub mod rebalance;
pub mod reconcile;
pub mod reject;

use crate::cycle::announcement::Announcement;
use crate::cycle::desk::Purpose;
use crate::cycle::opening::{Refusal, status_of};
use crate::cycle::{Desk, Turn};
use domain::command::Command;
use domain::enums::{CommandKind, RebalanceTrigger};
use inbox::Asked;

/// Follows every command that can be followed now; the others wait for their drift event.
pub fn follow(desk: &mut Desk, turn: &mut Turn<'_, '_>) {
    for asked in desk.inbox.take_asked() {
        let id = asked.command.command_id.clone();
        let waits = match asked.command.kind {
            CommandKind::Rebalance => rebalance::follow(desk, asked, turn),
            CommandKind::Approve => approve::follow(desk, asked, turn),
            CommandKind::Reject => reject::follow(desk, &asked.command, turn),
            CommandKind::Cancel => cancel::follow(desk, &asked.command, turn),
            CommandKind::Edit => edit::follow(desk, asked, turn),
            CommandKind::Reconcile => reconcile::follow(desk, asked, turn),
            // Acted on when folded, or another role's: never in the inbox.
            CommandKind::Halt | CommandKind::Resume | CommandKind::Admit | CommandKind::Discard | CommandKind::Release => None,
            CommandKind::Unknown => None,
        };
        if waits.is_none() {
            desk.await_no_more(&Purpose::Command(id));
        }
        desk.inbox.put_back(waits);
    }
}

/// Answers a command that cannot be followed. The answer has an id of its own: the rebalance that the
/// command names stands where it stood.
pub fn refuse(desk: &mut Desk, command: &Command, refusal: Refusal, turn: &mut Turn<'_, '_>) {
    let id = desk.next_aside(turn.portfolio);
    let event = Announcement::new(turn, id, RebalanceTrigger::Manual, status_of(&refusal)).by(Some(command));
    event.because(refusal.code, refusal.text).send(turn);
}

/// Answers, and nothing waits.
fn refused(desk: &mut Desk, command: &Command, refusal: Refusal, turn: &mut Turn<'_, '_>) -> Option<Asked> {
    refuse(desk, command, refusal, turn);
    None
}
