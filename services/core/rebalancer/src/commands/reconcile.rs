//! RECONCILE: final quantities of orders that are stuck or contradict themselves, as a person found them
//! out. All of them are taken over here, or none. The position-keeper settles contradictions of the book's fills by
//! the same command, order by order, and tells it with a drift event that may come before or after it. An outside
//! book's positions and cash it compares itself: what differs stands in the drift event, and is told here.

use crate::commands::inbox::Asked;
use crate::commands::{outside, refused};
use crate::cycle::announcement::Announcement;
use crate::cycle::opening::Refusal;
use crate::cycle::{Desk, Turn};
use domain::command::{Command, CommandOrder};
use domain::enums::{RebalanceStatus, RebalanceTrigger};
use domain::reason::ReasonCode;
use domain::{OrderId, Quantity};
use std::collections::BTreeSet;

/// Follows the command.
pub fn follow(desk: &mut Desk, asked: Asked, turn: &mut Turn<'_, '_>) -> Option<Asked> {
    if asked.command.orders.is_empty() {
        return outside::follow(desk, asked, turn);
    }
    let command = &*asked.command;
    let orders: Vec<_> = command.orders.iter().filter_map(named).collect();
    // Tried on a copy first: a command that is wrong in one order changes none.
    let mut tried = desk.clone();
    if let Err(refusal) = settle(&mut tried, &orders, asked.answer.is_some()) {
        return refused(desk, command, refusal, turn);
    }
    *desk = tried;
    if let Some(cycle) = &mut desk.open {
        cycle.settle_by = None;
        cycle.unsettled = false;
    }
    answer(desk, command, &orders, turn);
    desk.let_settled_go();
    None
}

fn named(order: &CommandOrder) -> Option<(OrderId, Quantity)> {
    order.order_id.map(|id| (id, order.quantity))
}

fn settle(desk: &mut Desk, orders: &[(OrderId, Quantity)], in_book: bool) -> Result<(), Refusal> {
    let mut named = BTreeSet::new();
    for (id, executed) in orders {
        if !named.insert(id) {
            return Err(Refusal::new(ReasonCode::Unreconciled, format!("order {id} is named twice: name each once")));
        }
        if let Some(text) = why_not(desk, *id).filter(|_| !(in_book && is_final(desk, *id, *executed))) {
            return Err(Refusal::new(ReasonCode::NothingToDo, text));
        }
        // One that only the book remembers is the position-keeper's to settle.
        if let Some((_, leg)) = desk.leg_mut(*id) {
            leg.settle(*executed).map_err(|text| Refusal::new(ReasonCode::Unreconciled, text))?;
        }
        desk.unreconciled.remove(id);
        desk.disputed.remove(id);
    }
    Ok(())
}

/// Whether that is the final quantity of an order already, or nothing but the book knows of the order.
fn is_final(desk: &Desk, id: OrderId, executed: Quantity) -> bool {
    desk.leg(id).is_none_or(|(leg, _)| leg.is_terminal() && leg.cum_qty == executed)
}

/// Why nobody needs to say what became of an order.
fn why_not(desk: &Desk, id: OrderId) -> Option<String> {
    match desk.leg(id) {
        None if desk.disputed.contains(&id) => None,
        None => Some(format!("order {id} is neither of the open rebalance nor of the one before, and nothing is known to contradict it")),
        Some((leg, _)) if desk.is_doubted(leg) => None,
        Some((leg, _)) if leg.is_terminal() => Some(format!(
            "order {id} has ended with {}, which nothing contradicts: RECONCILE is for stuck or contradicted orders",
            leg.cum_qty
        )),
        Some(_) => Some(format!("order {id} is at work and not stuck: wait for its final state, or ask it back with CANCEL")),
    }
}

fn answer(desk: &mut Desk, command: &Command, orders: &[(OrderId, Quantity)], turn: &mut Turn<'_, '_>) {
    let text = match orders {
        [(id, executed)] => format!("{executed} was taken over as the final quantity of order {id}"),
        _ => format!("the final quantities of {} orders were taken over", orders.len()),
    };
    let open = desk.open.as_ref().filter(|cycle| cycle.legs.iter().any(|leg| orders.iter().any(|(id, _)| *id == leg.order.order_id)));
    let event = match (open, orders.iter().find_map(|(id, _)| desk.leg(*id))) {
        (Some(cycle), _) => Announcement::of(turn, cycle, cycle.standing(&desk.unreconciled)),
        (None, Some((_, (id, trigger, status)))) => Announcement::new(turn, id, trigger, status),
        (None, None) => Announcement::new(turn, desk.next_aside(turn.portfolio), RebalanceTrigger::Manual, RebalanceStatus::NoActionNeeded),
    };
    event.by(Some(command)).with_text(text).send(turn);
}
