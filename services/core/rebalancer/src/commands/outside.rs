//! RECONCILE with an outside book: tells whoever sent it what the position-keeper has found. Breaks keep every order
//! back, by the health of the drift event, until a later RECONCILE agrees or a RELEASE lets them be.

use crate::commands::inbox::{Asked, Ready, ready};
use crate::cycle::announcement::Announcement;
use crate::cycle::{Desk, Turn};
use crate::explain;
use domain::SmolStr;
use domain::command::Command;
use domain::drift::Drift;
use domain::enums::{RebalanceStatus, RebalanceTrigger};
use domain::order::NamedNumber;
use domain::reason::ReasonCode;
use domain::rebalance_event::ExplanationLine;
use domain::snapshot::{CashBreak, PositionBreak};

/// Breaks that a text names: all of them stand in the drift event and in the snapshots.
const SHOWN: usize = 10;

/// Waits for the drift event in which the comparison stands, and tells of it.
pub fn follow(desk: &mut Desk, asked: Asked, turn: &mut Turn<'_, '_>) -> Option<Asked> {
    match ready(desk, asked, turn) {
        Ready::Act(command, heard) => {
            tell(desk, &command, &heard.drift, turn);
            None
        }
        Ready::Wait(asked) => Some(asked),
        Ready::Done => None,
    }
}

fn tell(desk: &mut Desk, command: &Command, drift: &Drift, turn: &mut Turn<'_, '_>) {
    // Of the other kind nothing was compared now.
    let positions: &[PositionBreak] = if command.positions.is_empty() { &[] } else { &drift.health.position_breaks };
    let cash: &[CashBreak] = if command.cash.is_empty() { &[] } else { &drift.health.cash_breaks };
    let broken = !positions.is_empty() || !cash.is_empty();
    let status = if broken { RebalanceStatus::Refused } else { RebalanceStatus::NoActionNeeded };
    let id = desk.next_aside(turn.portfolio);
    let event = Announcement::new(turn, id, RebalanceTrigger::Manual, status).on(drift).by(Some(command));
    let event = if broken {
        let lines = explained(explain::refusal(drift, ReasonCode::Unreconciled), positions);
        event.left_alone(drift, ReasonCode::Unreconciled).explained(lines).because(ReasonCode::Unreconciled, words(positions, cash))
    } else {
        event.with_text(format!(
            "the outside book agrees with ours of {}: {} positions and {} balances were compared",
            drift.as_of,
            command.positions.len(),
            command.cash.len()
        ))
    };
    event.send(turn);
}

/// The numbers of both books, in the lines of instruments that differ.
fn explained(mut lines: Vec<ExplanationLine>, breaks: &[PositionBreak]) -> Vec<ExplanationLine> {
    for line in &mut lines {
        if let Some(found) = breaks.iter().find(|found| found.instrument_id == line.instrument_id) {
            let number = |name, value: String| NamedNumber { name: SmolStr::new_static(name), value: SmolStr::new(value) };
            line.numbers = vec![number("ours", found.ours.to_string()), number("outside", found.outside.to_string())];
        }
    }
    lines
}

fn words(positions: &[PositionBreak], cash: &[CashBreak]) -> String {
    let of_positions = positions.iter().map(|found| format!("{} is {} here and {} there", found.instrument_id, found.ours, found.outside));
    let of_cash = cash.iter().map(|found| format!("{} is {} here and {} there", found.currency, found.ours, found.outside));
    let all: Vec<_> = of_positions.chain(of_cash).collect();
    let shown = all.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    let more = if all.len() > SHOWN { format!(" and {} more", all.len() - SHOWN) } else { String::new() };
    format!(
        "the outside book differs: {shown}{more}. Nothing is ordered until a RECONCILE agrees; book what is missing, or RELEASE the portfolio to let the differences be"
    )
}
