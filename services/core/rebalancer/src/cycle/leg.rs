//! A leg: one order that has left, what its router says of it, and what the book has applied.
//! What reports call executed only rises, and a terminal state is final; whatever contradicts that is said, not taken
//! over, and so is an execution in another instrument or direction than the order's. What the book has is what its newest
//! event says: an execution may be taken back. What a person found out stands.

use crate::cycle::execution::{Benchmark, Deal};
use crate::orders::draft::Before;
use domain::drift::RecentOrder;
use domain::enums::{OrderState, Side};
use domain::order::{NamedNumber, Order};
use domain::order_status::OrderStatus;
use domain::{FixedError, Money, Quantity, SmolStr, Timestamp, wide};
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
    /// Units executed by the book, as of the newest drift event that names it.
    pub applied: Quantity,
    /// Offset of the drift event that changed `applied` last.
    pub applied_at: i64,
    /// When its cancel was asked for.
    pub cancel_asked: Option<Timestamp>,
    /// Whether it stands without a terminal state after that.
    pub stuck: bool,
    /// Whether a halt covers it, or did: it is to be asked back.
    pub recalled: bool,
    /// Whether a person gave its final quantity.
    pub reconciled: bool,
    /// The router's code and words, where it gave any.
    pub words: Option<SmolStr>,
    /// The wave that it left with.
    pub wave: i32,
    /// When it left.
    pub released_at: Timestamp,
    /// What its executions are held against.
    pub benchmark: Benchmark,
    /// What the book has of its executions, as of the newest event that names it.
    pub deal: Option<Deal>,
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

impl Leg {
    /// A leg that leaves now, with a wave.
    pub fn new(order: Order, before: Before, (wave, released_at): (i32, Timestamp), benchmark: Benchmark) -> Self {
        let zero = Quantity::ZERO;
        Self {
            order,
            before,
            state: None,
            cum_qty: zero,
            applied: zero,
            applied_at: -1,
            cancel_asked: None,
            stuck: false,
            recalled: false,
            reconciled: false,
            words: None,
            wave,
            released_at,
            benchmark,
            deal: None,
        }
    }
    /// Whether its state is final.
    pub fn is_terminal(&self) -> bool {
        self.state.is_some_and(OrderState::is_terminal)
    }
    /// Whether its state is final and the book has applied all of it.
    pub fn is_settled(&self) -> bool {
        self.is_terminal() && self.applied >= self.cum_qty
    }
    /// Whether a cancel of it can be asked for: it is at work, and none was.
    pub fn can_be_asked_back(&self) -> bool {
        !self.is_terminal() && self.cancel_asked.is_none()
    }
    /// Whether all of it was executed.
    pub fn is_filled(&self) -> bool {
        self.is_terminal() && self.cum_qty == self.order.quantity
    }
    /// Units that the book will still be told of.
    pub fn remaining(&self) -> Quantity {
        self.most().checked_sub(self.applied).ok().filter(|left| *left > Quantity::ZERO).unwrap_or(Quantity::ZERO)
    }

    /// Takes a report over. The caller has checked that its quantities are not negative.
    pub fn hear(&mut self, report: &OrderStatus) -> Word {
        if let Some(text) = self.contradicted_by(report) {
            return Word::Contradiction(text);
        }
        if self.is_terminal() || (!report.status.is_terminal() && !self.is_ahead(report)) {
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
        let final_report = report.status.is_terminal();
        match self.state.filter(|state| state.is_terminal()) {
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

    /// Whether a terminal report, its own state and the book all say the same.
    pub fn agrees_with(&self, report: &OrderStatus) -> bool {
        self.state == Some(report.status) && self.is_terminal() && report.cum_qty == self.cum_qty && self.applied == self.cum_qty
    }

    /// Takes over what a drift event tells of it; returns what is wrong. An execution of another instrument or
    /// direction is none of this order.
    pub fn hear_execution(&mut self, recent: &RecentOrder, offset: i64) -> Option<String> {
        match self.strange(recent) {
            None => {
                self.deal = Deal::of(recent);
                self.apply(recent.executed_quantity, offset)
            }
            Some(text) if !self.reconciled => Some(text),
            // A person knew of it, and said how much it is to count for.
            Some(_) => self.apply(recent.executed_quantity.min(self.cum_qty), offset),
        }
    }

    /// Of a leg whose cycle has ended, with all of it in the book: what is wrong where the book has taken some back since. What
    /// a person found out stands.
    pub fn taken_back(&self) -> Option<String> {
        let is_less = self.is_terminal() && !self.is_settled() && !self.reconciled;
        let (id, ended, left) = (self.order.order_id, self.cum_qty, self.applied);
        is_less.then(|| format!("order {id} ended with {ended}, of which the book has taken back all but {left}"))
    }

    /// Whether the book has nothing of it but what can have been executed.
    pub fn is_in_line(&self, recent: &RecentOrder) -> bool {
        !recent.contradicted && self.strange(recent).is_none() && recent.executed_quantity <= self.most()
    }

    /// Most that can have been executed.
    fn most(&self) -> Quantity {
        if self.is_terminal() { self.cum_qty } else { self.order.quantity }
    }

    fn strange(&self, recent: &RecentOrder) -> Option<String> {
        let (order, side) = (&self.order, recent.side);
        // A book that did not keep them says nothing of them; a router may not tell SELL from SELL_SHORT.
        let turned = side != Side::Unknown && (side == Side::Buy) != (order.side == Side::Buy);
        let other = recent.instrument_id.as_ref().filter(|id| **id != order.instrument_id);
        if !turned && other.is_none() {
            return None;
        }
        let instrument = recent.instrument_id.as_ref().unwrap_or(&order.instrument_id);
        let id = order.order_id;
        Some(format!("the book has a {side} of {instrument} for order {id}, which is a {} of {}", order.side, order.instrument_id))
    }

    /// Takes over what the book has applied, as of a drift event. Returns what is wrong, when that is more than before and
    /// than can have been executed.
    pub fn apply(&mut self, executed: Quantity, offset: i64) -> Option<String> {
        if executed == self.applied {
            return None;
        }
        let (most, is_more) = (self.most(), executed > self.applied);
        self.applied = executed;
        self.applied_at = offset;
        (is_more && executed > most).then(|| {
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
        self.reconciled = true;
        Ok(())
    }

    /// What of its expected value the book has applied.
    pub fn applied_value(&self) -> Result<Money, FixedError> {
        let (whole, quantity) = (self.order.expected_value.units(), self.order.quantity.units());
        wide::mul_div_half_even(whole, self.applied.units(), quantity).map(Money::from_units)
    }

    /// The numbers of its last word.
    pub fn numbers(&self) -> Vec<NamedNumber> {
        leg_numbers(self.order.quantity, self.cum_qty, self.applied)
    }
}

/// The numbers of the last word about an order.
pub fn leg_numbers(ordered: Quantity, executed: Quantity, applied: Quantity) -> Vec<NamedNumber> {
    let number = |name: &'static str, value: Quantity| NamedNumber { name: name.into(), value: SmolStr::new(value.to_string()) };
    vec![number("ordered", ordered), number("executed", executed), number("applied", applied)]
}

fn said(report: &OrderStatus) -> Option<SmolStr> {
    match (&report.reason_code, &report.reason) {
        (None, None) => None,
        (Some(one), None) | (None, Some(one)) => Some(one.clone()),
        (Some(code), Some(words)) => Some(SmolStr::new(format!("{code}: {words}"))),
    }
}
