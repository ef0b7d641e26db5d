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
use domain::{Amount, Currency, FixedError, InstrumentId, Money, Quantity, SmolStr};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Breaks of a kind that are kept and told: snapshots and drift events have their limit, and a book that differs in
/// more places is another book.
pub const TOLD: usize = 50;

/// Lists that wait to be compared, each of which is answered by itself: the newest, as many as commands may wait for
/// an answer.
const STATEMENTS: usize = 32;

/// What one command said of an outside book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Statement {
    command_id: SmolStr,
    positions: Vec<OutsidePosition>,
    cash: Vec<OutsideCash>,
}

/// Where a book differs from an outside one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Breaks {
    /// Positions that differed when they were compared last.
    pub positions: Vec<PositionBreak>,
    /// Balances that differed when they were compared last.
    pub cash: Vec<CashBreak>,
}

impl Breaks {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.positions.is_empty() && self.cash.is_empty()
    }
}

/// What the list of a command came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// The command that brought it.
    pub command_id: SmolStr,
    /// What stood as different after it.
    pub breaks: Breaks,
}

/// What outside books have said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Outside {
    /// Lists that are not compared yet, oldest first.
    said: VecDeque<Statement>,
    /// What differs.
    pub breaks: Breaks,
}

impl Outside {
    /// Takes a command's lists in.
    pub fn hear(&mut self, command: &Command) {
        let Command { command_id, positions, cash, .. } = command;
        self.said.push_back(Statement { command_id: command_id.clone(), positions: positions.clone(), cash: cash.clone() });
        if self.said.len() > STATEMENTS {
            self.said.pop_front();
        }
    }
    /// Whether something is to be compared.
    pub fn is_asked(&self) -> bool {
        !self.said.is_empty()
    }
    /// Without breaks; nothing at all where nothing is to be compared.
    #[allow(clippy::boxed_local, reason = "it is kept in the box that it came in")]
    pub fn released(mut self: Box<Self>) -> Option<Box<Self>> {
        self.breaks = Breaks::default();
        self.is_asked().then_some(self)
    }
    /// Compares what was said with a book, list by list, so that the newest of a kind is the one that stands; nothing at
    /// all where that leaves no break. With it, what each list came to.
    #[allow(clippy::boxed_local, reason = "it is kept in the box that it came in")]
    pub fn compared(mut self: Box<Self>, book: &Portfolio, market: &Market) -> (Option<Box<Self>>, Vec<Compared>) {
        let mut all = Vec::with_capacity(self.said.len());
        for said in std::mem::take(&mut self.said) {
            if !said.positions.is_empty() {
                self.breaks.positions = positions(&said.positions, book, market);
            }
            if !said.cash.is_empty() {
                self.breaks.cash = balances(&said.cash, book, market);
            }
            all.push(Compared { command_id: said.command_id, breaks: self.breaks.clone() });
        }
        ((!self.breaks.is_empty()).then_some(self), all)
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
