//! EDIT: other quantities in a proposal. This build does not change proposals, and says so.

use crate::commands::inbox::Asked;
use crate::commands::refused;
use crate::cycle::opening::Refusal;
use crate::cycle::{Desk, Turn};
use domain::command::Command;
use domain::reason::ReasonCode;

/// Answers the command.
pub fn follow(desk: &mut Desk, command: &Command, turn: &mut Turn<'_, '_>) -> Option<Asked> {
    let text = "proposals are not edited by this version: reject this one, change the policy, and rebalance again";
    refused(desk, command, Refusal::new(ReasonCode::NothingToDo, text), turn)
}
