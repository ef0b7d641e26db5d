//! An outside book of a portfolio (a custodian's, an administrator's), and where it differs from ours. Positions are
//! units as they are booked, cash is by trade date: both of everything that has been read, whatever its date. A list
//! is whole: what it does not name is held nowhere there. A list that is empty compares nothing.
//!
//! Nothing is booked for its sake, and what differs stays until another list agrees or a person lets it be.

use crate::book::Portfolio;
use crate::book::entry::money;
use crate::prices::Market;
use crate::valuation::unit_price;
use domain::command::{Command, OutsideCash, OutsidePosition};
use domain::snapshot::{CashBreak, PositionBreak};
use domain::{Amount, Currency, FixedError, InstrumentId, Money, Quantity};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Breaks of a kind that are kept and told: snapshots and drift events have their limit, and a book that differs in
/// more places is another book.
pub const TOLD: usize = 50;

/// What an outside book has said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Outside {
    /// Positions that are not compared yet.
    said: Vec<OutsidePosition>,
    /// Balances that are not compared yet.
    said_cash: Vec<OutsideCash>,
    /// Positions that differed when they were compared last.
    pub positions: Vec<PositionBreak>,
    /// Balances that differed when they were compared last.
    pub cash: Vec<CashBreak>,
}

impl Outside {
    /// Takes a statement in; of several of a kind the newest is compared.
    pub fn hear(&mut self, command: &Command) {
        if !command.positions.is_empty() {
            self.said.clone_from(&command.positions);
        }
        if !command.cash.is_empty() {
            self.said_cash.clone_from(&command.cash);
        }
    }
    /// Whether something differs.
    pub fn is_broken(&self) -> bool {
        !self.positions.is_empty() || !self.cash.is_empty()
    }
    /// Whether something is to be compared.
    pub fn is_asked(&self) -> bool {
        !self.said.is_empty() || !self.said_cash.is_empty()
    }
    /// Without breaks; nothing at all where nothing is to be compared.
    #[allow(clippy::boxed_local, reason = "it is kept in the box that it came in")]
    pub fn released(mut self: Box<Self>) -> Option<Box<Self>> {
        self.positions.clear();
        self.cash.clear();
        self.is_asked().then_some(self)
    }
    /// Compares what was said with a book; nothing at all where that leaves no break.
    #[allow(clippy::boxed_local, reason = "it is kept in the box that it came in")]
    pub fn compared(mut self: Box<Self>, book: &Portfolio, market: &Market) -> Option<Box<Self>> {
        if !self.said.is_empty() {
            self.positions = positions(&std::mem::take(&mut self.said), book, market);
        }
        if !self.said_cash.is_empty() {
            self.cash = balances(&std::mem::take(&mut self.said_cash), book, market);
        }
        self.is_broken().then_some(self)
    }
}

fn positions(said: &[OutsidePosition], book: &Portfolio, market: &Market) -> Vec<PositionBreak> {
    let mut both: BTreeMap<&InstrumentId, (Quantity, Quantity)> =
        said.iter().map(|position| (&position.instrument_id, (Quantity::ZERO, position.quantity))).collect();
    for line in book.lines.all() {
        both.entry(&market.slot(line.instrument).id).or_default().0 = line.position.quantity;
    }
    let differs = |(id, (ours, outside)): (&InstrumentId, (Quantity, Quantity))| {
        let close = ours == outside || is_borne(book, || worth(id, ours.checked_sub(outside)?, book, market));
        (!close).then(|| PositionBreak { instrument_id: id.clone(), ours, outside })
    };
    both.into_iter().filter_map(differs).take(TOLD).collect()
}

fn balances(said: &[OutsideCash], book: &Portfolio, market: &Market) -> Vec<CashBreak> {
    let mut both: BTreeMap<Currency, (Money, Money)> = said.iter().map(|cash| (cash.currency, (Money::ZERO, cash.amount))).collect();
    for balance in book.cash.balances() {
        both.entry(balance.currency).or_default().0 = money(balance.amount);
    }
    let differs = |(currency, (ours, outside)): (Currency, (Money, Money))| {
        let close = ours == outside || is_borne(book, || in_base(Amount::from(ours.checked_sub(outside)?), currency, book, market));
        (!close).then_some(CashBreak { currency, ours, outside })
    };
    both.into_iter().filter_map(differs).take(TOLD).collect()
}

/// Whether a difference is within what the policy bears; one that nothing can be said of is not.
fn is_borne(book: &Portfolio, worth: impl FnOnce() -> Result<Option<Amount>, FixedError>) -> bool {
    let tolerance = book.policy.as_ref().map_or(Money::ZERO, |policy| policy.book.reconcile_tolerance);
    tolerance.is_positive() && matches!(worth(), Ok(Some(worth)) if worth.abs() <= Amount::from(tolerance))
}

fn worth(id: &InstrumentId, units: Quantity, book: &Portfolio, market: &Market) -> Result<Option<Amount>, FixedError> {
    let Some(slot) = market.find(id).map(|ix| market.slot(ix)) else { return Ok(None) };
    let (Some(facts), Some(price)) = (slot.facts.as_deref(), slot.price) else { return Ok(None) };
    let notional = units.times(unit_price(facts, price, slot.accrued)?)?.multiply(facts.multiplier)?;
    in_base(notional, facts.currency, book, market)
}

fn in_base(amount: Amount, currency: Currency, book: &Portfolio, market: &Market) -> Result<Option<Amount>, FixedError> {
    market.rate(currency, book.base).map(|found| amount.convert(found.rate)).transpose()
}
