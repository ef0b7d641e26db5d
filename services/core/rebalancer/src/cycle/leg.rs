//! A leg: one order that has left, what its router says of it, and what the book has applied.
//! Executed quantities only rise; a terminal state is final; whatever contradicts that is said, not taken over.

use crate::orders::draft::Before;
use domain::enums::OrderState;
use domain::order::{NamedNumber, Order};
use domain::order_status::OrderStatus;
use domain::{Quantity, SmolStr, Timestamp};
use serde::{Deserialize, Serialize};

/// A leg of a released cycle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// The order as it left.
    pub order: Order,
    /// Where its instrument stood.
    pub before: Before,
    /// The furthest state heard of; `None` before the first word.
    pub state: Option<OrderState>,
    /// Units executed by the router's words: the most heard of, final once terminal.
    pub cum_qty: Quantity,
    /// Units executed by the book: the most that a drift event has applied.
    pub applied: Quantity,
    /// Offset of the drift event that raised `applied` last.
    pub applied_at: i64,
    /// When its cancel was asked for.
    pub cancel_asked: Option<Timestamp>,
    /// Whether it stands without a terminal state after that.
    pub stuck: bool,
    /// The router's code and words, where it gave any.
    pub words: Option<SmolStr>,
}

/// What a report did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// The leg knows more.
    News,
    /// It was known: a repeat, or a report that came late.
    Known,
    /// It contradicts what is known.
    Contradiction(String),
}

/// Whether no further report may change an order.
pub fn is_terminal(state: OrderState) -> bool {
    matches!(state, OrderState::Filled | OrderState::Cancelled | OrderState::Rejected | OrderState::Expired)
}

impl Leg {
    /// A leg that leaves now.
    pub fn new(order: Order, before: Before) -> Self {
        let zero = Quantity::ZERO;
        Self { order, before, state: None, cum_qty: zero, applied: zero, applied_at: -1, cancel_asked: None, stuck: false, words: None }
    }
    /// Whether its state is final.
    pub fn is_terminal(&self) -> bool {
        self.state.is_some_and(is_terminal)
    }
    /// Whether its state is final and the book has applied all of it.
    pub fn is_settled(&self) -> bool {
        self.is_terminal() && self.applied >= self.cum_qty
    }
    /// Whether all of it was executed.
    pub fn is_filled(&self) -> bool {
        self.is_terminal() && self.cum_qty == self.order.quantity
    }
    /// Units that the book will still be told of.
    pub fn remaining(&self) -> Quantity {
        let whole = if self.is_terminal() { self.cum_qty } else { self.order.quantity };
        whole.checked_sub(self.applied).ok().filter(|left| *left > Quantity::ZERO).unwrap_or(Quantity::ZERO)
    }

    /// Takes a report over. The caller has checked that its quantities are not negative.
    pub fn hear(&mut self, report: &OrderStatus) -> Word {
        if let Some(text) = self.contradicted_by(report) {
            return Word::Contradiction(text);
        }
        if self.is_terminal() || (!is_terminal(report.status) && !self.is_ahead(report)) {
            return Word::Known;
        }
        self.state = Some(report.status);
        self.cum_qty = self.cum_qty.max(report.cum_qty);
        self.words = said(report).or(self.words.take());
        self.stuck &= !self.is_terminal();
        Word::News
    }

    fn is_ahead(&self, report: &OrderStatus) -> bool {
        self.state.is_none() || report.cum_qty > self.cum_qty
    }

    fn contradicted_by(&self, report: &OrderStatus) -> Option<String> {
        let (id, quantity, cum) = (self.order.order_id, self.order.quantity, report.cum_qty);
        if cum > quantity {
            return Some(format!("order {id} for {quantity} is reported as executed for {cum}"));
        }
        if report.status == OrderState::Filled && cum != quantity {
            return Some(format!("order {id} for {quantity} is reported as FILLED with {cum}"));
        }
        let final_report = is_terminal(report.status);
        match self.state.filter(|state| is_terminal(*state)) {
            Some(state) if final_report && (report.status != state || cum != self.cum_qty) => {
                Some(format!("order {id} ended as {state} with {}, and is now reported as {} with {cum}", self.cum_qty, report.status))
            }
            Some(state) if cum > self.cum_qty => {
                Some(format!("order {id} ended as {state} with {}, and a report of {cum} follows", self.cum_qty))
            }
            None if final_report && cum < self.cum_qty => {
                Some(format!("order {id} stood at {} executed, and is reported as {} with {cum}", self.cum_qty, report.status))
            }
            None if final_report && cum < self.applied => {
                Some(format!("order {id} is reported as {} with {cum}, the book has executions of {}", report.status, self.applied))
            }
            _ => None,
        }
    }

    /// Takes over what the book has applied, as of a drift event; the largest ever seen stands. Returns
    /// what is wrong, when that is more than can have been executed.
    pub fn apply(&mut self, executed: Quantity, offset: i64) -> Option<String> {
        if executed <= self.applied {
            return None;
        }
        self.applied = executed;
        self.applied_at = offset;
        let most = if self.is_terminal() { self.cum_qty } else { self.order.quantity };
        (executed > most).then(|| {
            let id = self.order.order_id;
            format!("the book has executions of {executed} for order {id}, of which at most {most} can have been executed")
        })
    }

    /// Ends it with a final quantity that a person found out; returns why that cannot be.
    pub fn settle(&mut self, executed: Quantity) -> Result<(), String> {
        let (id, quantity) = (self.order.order_id, self.order.quantity);
        if executed < Quantity::ZERO || executed > quantity {
            return Err(format!("order {id} is for {quantity}: its final quantity cannot be {executed}"));
        }
        // Where the book has more than was ordered, the order ends with all of it.
        if executed < self.applied.min(quantity) {
            return Err(format!("the book has executions of {} for order {id}: cancel those fills first, or give their sum", self.applied));
        }
        self.state = Some(if executed == quantity { OrderState::Filled } else { OrderState::Cancelled });
        self.cum_qty = executed;
        self.stuck = false;
        Ok(())
    }

    /// The numbers of its last word.
    pub fn numbers(&self) -> Vec<NamedNumber> {
        let number = |name: &'static str, value: Quantity| NamedNumber { name: name.into(), value: SmolStr::new(value.to_string()) };
        vec![number("ordered", self.order.quantity), number("executed", self.cum_qty), number("applied", self.applied)]
    }
}

fn said(report: &OrderStatus) -> Option<SmolStr> {
    match (&report.reason_code, &report.reason) {
        (None, None) => None,
        (Some(one), None) | (None, Some(one)) => Some(one.clone()),
        (Some(code), Some(words)) => Some(SmolStr::new(format!("{code}: {words}"))),
    }
}
