//! RECONCILE: final quantities of orders that are stuck or contradict themselves, as a person found them
//! out. All of them are taken over, or none. Comparing positions and cash with an outside book is not
//! done here.

use crate::commands::inbox::Asked;
use crate::commands::refused;
use crate::cycle::announcement::Announcement;
use crate::cycle::opening::Refusal;
use crate::cycle::{Desk, Turn};
use domain::command::{Command, CommandOrder};
use domain::reason::ReasonCode;
use domain::{OrderId, Quantity};

/// Follows the command.
pub fn follow(desk: &mut Desk, command: &Command, turn: &mut Turn<'_, '_>) -> Option<Asked> {
    if !command.positions.is_empty() || !command.cash.is_empty() {
        let text = "positions and cash are not compared by this version: send the orders with their final quantities alone";
        return refused(desk, command, Refusal::new(ReasonCode::NothingToDo, text), turn);
    }
    let orders: Vec<_> = command.orders.iter().filter_map(named).collect();
    // Tried on a copy first: a command that is wrong in one order changes none.
    let mut tried = desk.clone();
    if let Err(refusal) = settle(&mut tried, &orders) {
        return refused(desk, command, refusal, turn);
    }
    *desk = tried;
    if let Some(cycle) = &mut desk.open {
        cycle.settle_by = None;
        cycle.unsettled = false;
    }
    answer(desk, command, &orders, turn);
    None
}

fn named(order: &CommandOrder) -> Option<(OrderId, Quantity)> {
    order.order_id.map(|id| (id, order.quantity))
}

fn settle(desk: &mut Desk, orders: &[(OrderId, Quantity)]) -> Result<(), Refusal> {
    for (id, executed) in orders {
        let Some((_, leg)) = desk.leg_mut(*id) else {
            let text = format!("order {id} is neither of the open rebalance nor of the one before");
            return Err(Refusal::new(ReasonCode::NothingToDo, text));
        };
        // A terminal order that nobody doubts has its final quantity.
        let doubted = !leg.is_terminal() || !leg.is_settled();
        let terminal = leg.cum_qty;
        if !doubted && !desk.unreconciled.contains_key(id) && terminal != *executed {
            let text = format!("order {id} has ended with {terminal}, which nothing contradicts");
            return Err(Refusal::new(ReasonCode::NothingToDo, text));
        }
        let (_, leg) = desk.leg_mut(*id).expect("it was found a moment ago");
        leg.settle(*executed).map_err(|text| Refusal::new(ReasonCode::Unreconciled, text))?;
        desk.unreconciled.remove(id);
    }
    Ok(())
}

fn answer(desk: &Desk, command: &Command, orders: &[(OrderId, Quantity)], turn: &mut Turn<'_, '_>) {
    let text = format!("the final quantities of {} orders were taken over", orders.len());
    let open = desk.open.as_ref().filter(|cycle| cycle.legs.iter().any(|leg| orders.iter().any(|(id, _)| *id == leg.order.order_id)));
    let event = match (open, &desk.last) {
        (Some(cycle), _) => Announcement::of(turn, cycle, cycle.status()),
        (None, Some(last)) => Announcement::new(turn, last.id, last.trigger, last.status),
        (None, None) => return,
    };
    event.by(Some(command)).with_text(text).send(turn);
}
