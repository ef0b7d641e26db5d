//! What a corporate action does to an open cycle. Whatever names an instrument that it has changed is in other units, or
//! under another name, than what it was planned in: orders that are out are asked back, slices and buys that wait are kept
//! back, and a proposal is planned anew on the book of now, or expires. It converts no quantity from old units to new ones.

use crate::cycle::approval::{self, Ending};
use crate::cycle::opening::Refusal;
use crate::cycle::release::ask_cancel;
use crate::cycle::{Cycle, Desk, Turn};
use crate::orders::draft::Draft;
use domain::enums::RebalanceStatus;
use domain::reason::ReasonCode;
use domain::{InstrumentId, SmolStr};
use std::collections::BTreeMap;

/// Instruments that corporate actions have changed, each with the id of the newest.
pub type Moved = BTreeMap<InstrumentId, SmolStr>;

/// Follows the corporate actions that were heard of since the last decision, before anything else is decided: no approval
/// of the same moment lets old units go.
pub fn follow(desk: &mut Desk, turn: &mut Turn<'_, '_>) {
    let moved = std::mem::take(&mut desk.moved);
    match &mut desk.open {
        Some(cycle) if cycle.proposal.is_none() => ask_back(cycle, &moved, turn),
        Some(_) => renew(desk, &moved, turn),
        None => {}
    }
}

/// Asks back what has left in the instruments, and keeps back what has not.
fn ask_back(cycle: &mut Cycle, moved: &Moved, turn: &mut Turn<'_, '_>) {
    for (instrument, action) in moved {
        cycle.slices.drop_rest(instrument, ReasonCode::OrderFailed);
        drop_later(cycle, instrument);
        ask_cancel(cycle, |leg| leg.order.instrument_id == *instrument, &named(instrument, action), turn);
    }
}

/// Keeps the buys of an instrument back that wait for the sells.
fn drop_later(cycle: &mut Cycle, instrument: &InstrumentId) {
    let is_moved = |draft: &Draft| draft.leg.instrument_id == *instrument;
    for draft in cycle.later.extract_if(.., |draft| is_moved(draft)) {
        cycle.slices.keep_back(instrument, draft.leg.quantity, ReasonCode::OrderFailed);
    }
}

/// Plans a proposal anew that names one of the instruments: an action that has changed neither units nor price leaves the
/// same orders, and with them the proposal. Where no plan can be made now, and where a person wrote it, it ends: its
/// approval would hold old units against the limits of the new book, and could let them pass.
fn renew(desk: &mut Desk, moved: &Moved, turn: &mut Turn<'_, '_>) {
    let Some(proposal) = desk.open.as_ref().and_then(|cycle| cycle.proposal.as_ref()) else { return };
    let Some((instrument, action)) = moved.iter().find(|(instrument, _)| proposal.names(instrument)) else { return };
    let heard = desk.fresh.as_ref().filter(|_| proposal.editors.is_empty()).map(|fresh| fresh.heard.clone());
    if heard.is_some_and(|heard| approval::replace(desk, &heard, turn)) {
        return;
    }
    let text = format!("{}: the proposal was made before it; ask for a rebalance again", named(instrument, action));
    let why = Refusal::new(ReasonCode::StaleProposal, text);
    approval::end(desk, RebalanceStatus::Expired, Ending::because(why), turn);
}

fn named(instrument: &InstrumentId, action: &SmolStr) -> String {
    format!("corporate action {action} of {instrument}")
}
