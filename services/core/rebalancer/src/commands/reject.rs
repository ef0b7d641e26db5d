//! REJECT: end a proposal. Without a hash it ends whatever proposal of that rebalance waits.

use crate::commands::approve::named_proposal;
use crate::commands::inbox::Asked;
use crate::commands::refused;
use crate::cycle::approval::Ending;
use crate::cycle::{Desk, Turn, approval};
use domain::command::Command;
use domain::enums::RebalanceStatus;

/// Follows the command.
pub fn follow(desk: &mut Desk, command: &Command, turn: &mut Turn<'_, '_>) -> Option<Asked> {
    if let Err(refusal) = named_proposal(desk, command) {
        return refused(desk, command, refusal, turn);
    }
    approval::end(desk, RebalanceStatus::Rejected, Ending { command: Some(command), ..Ending::default() }, turn);
    None
}
