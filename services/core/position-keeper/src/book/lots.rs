//! The open lots of one line, in booking order, under the methods that keep them: FIFO, LIFO, HIFO.
//!
//! One execution opens one lot at most. The method says which lot a reduction takes from; a lot that is closed
//! wholly gives up all the cost that is left of it, one that is closed in part its share by quantity. What a booking
//! would do to lots is planned beside them and written when all of the booking is checked. It knows no position, no
//! price of a market and no portfolio.

use super::execution::Execution;
use super::position::Position;
use domain::enums::CostMethod;
use domain::wide::compare_products;
use domain::{Amount, Date, FixedError, Quantity, SmolStr};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

/// Whether a method keeps lots.
pub const fn keeps_lots(method: CostMethod) -> bool {
    matches!(method, CostMethod::Fifo | CostMethod::Lifo | CostMethod::Hifo)
}

/// What is left of a lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Held {
    /// Signed units.
    pub quantity: Quantity,
    /// Their signed cost, multiplier included; local.
    pub cost: Amount,
    /// The same in base at the rate of booking; zero for a future.
    pub book_cost: Amount,
}

/// The price at which a lot was opened, as value over units, neither negative: what is left of its cost has been
/// rounded with each part that was closed, so that two lots of one price would drift apart.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct OpenPrice {
    value: Amount,
    units: Quantity,
}

impl Ord for OpenPrice {
    fn cmp(&self, other: &Self) -> Ordering {
        compare_products(self.value.units(), other.units.units(), other.value.units(), self.units.units())
    }
}

impl PartialOrd for OpenPrice {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for OpenPrice {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for OpenPrice {}

/// A lot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lot {
    /// The execution that opened it: the first of its chain of corrections.
    pub opened_by: SmolStr,
    /// That execution's trade date.
    pub trade_date: Date,
    /// What is left.
    pub held: Held,
    price: OpenPrice,
}

/// The open lots of a line; none where the method keeps none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Lots(VecDeque<Lot>);

static NONE: Lots = Lots(VecDeque::new());

impl Lots {
    /// No lots.
    pub fn none() -> &'static Self {
        &NONE
    }
    /// In booking order.
    pub fn iter(&self) -> impl Iterator<Item = &Lot> {
        self.0.iter()
    }
    /// How many are open.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Whether they are a position: its units, its cost, its cost in base.
    pub fn add_up_to(&self, position: &Position) -> bool {
        let sum = |of: fn(&Held) -> i128| self.iter().map(|lot| of(&lot.held)).sum::<i128>();
        let units = sum(|held| held.quantity.units()) == position.quantity.units();
        let cost = sum(|held| held.cost.units()) == position.cost.units();
        units && cost && sum(|held| held.book_cost.units()) == position.book_cost.units()
    }
    /// Begins what an execution does to them; `None` for one whose portfolio keeps no lots.
    pub fn plan<'a>(&'a self, method: CostMethod, execution: &'a Execution) -> Option<LotPlan<'a>> {
        let opener = execution.id.as_ref()?;
        Some(LotPlan { method, open: &self.0, opener, trade_date: execution.trade_date, change: LotChange::default() })
    }
    /// Writes what was planned on them.
    pub fn write(&mut self, change: LotChange) {
        let mut closed = change.closed();
        for (place, held) in change.left {
            self.0[place].held = held;
        }
        // FIFO closes from the front, LIFO from the back: only HIFO leaves holes.
        while self.0.pop_front_if(|lot| lot.held.quantity.is_zero()).is_some()
            || self.0.pop_back_if(|lot| lot.held.quantity.is_zero()).is_some()
        {
            closed -= 1;
        }
        if closed > 0 {
            self.0.retain(|lot| !lot.held.quantity.is_zero());
        }
        self.0.extend(change.opened);
    }
}

/// What a booking does to the lots of its line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LotChange {
    /// What is left of lots that it takes from, by their place.
    left: BTreeMap<usize, Held>,
    /// The lot that it opens.
    opened: Option<Lot>,
}

impl LotChange {
    fn closed(&self) -> usize {
        self.left.values().filter(|held| held.quantity.is_zero()).count()
    }
    /// How many lots are open after it, of so many before.
    pub fn len_after(&self, before: usize) -> usize {
        before - self.closed() + usize::from(self.opened.is_some())
    }
}

/// The lots of a line as an execution would leave them.
#[derive(Debug)]
pub struct LotPlan<'a> {
    method: CostMethod,
    open: &'a VecDeque<Lot>,
    opener: &'a SmolStr,
    trade_date: Date,
    change: LotChange,
}

impl LotPlan<'_> {
    /// Opens units, or adds them to the lot that the execution has opened. `at` is what so many units of it were worth.
    pub fn open(&mut self, held: Held, at: (Amount, Quantity)) -> Result<(), FixedError> {
        match &mut self.change.opened {
            Some(lot) => {
                lot.held.quantity = lot.held.quantity.checked_add(held.quantity)?;
                lot.held.cost = lot.held.cost.checked_add(held.cost)?;
                lot.held.book_cost = lot.held.book_cost.checked_add(held.book_cost)?;
            }
            opened @ None => {
                let price = OpenPrice { value: at.0, units: at.1.abs() };
                *opened = Some(Lot { opened_by: self.opener.clone(), trade_date: self.trade_date, held, price });
            }
        }
        Ok(())
    }

    /// Closes units, of which there are at least so many; the cost that they give up, and their cost in base.
    pub fn close(&mut self, units: Quantity) -> Result<(Amount, Amount), FixedError> {
        let (mut rest, mut cost, mut book_cost) = (units, Amount::ZERO, Amount::ZERO);
        for place in self.order() {
            let given = self.take(place, rest)?;
            rest = rest.checked_sub(given.quantity.abs())?;
            cost = cost.checked_add(given.cost)?;
            book_cost = book_cost.checked_add(given.book_cost)?;
            if rest.is_zero() {
                return Ok((cost, book_cost));
            }
        }
        // Lots add up to their position: nobody closes more than there is.
        Err(FixedError::Overflow)
    }

    /// Places in the order in which the method takes from them; the lot that is being opened is the newest.
    fn order(&self) -> Box<dyn Iterator<Item = usize>> {
        let all = 0..self.open.len() + usize::from(self.change.opened.is_some());
        match self.method {
            CostMethod::Lifo => Box::new(all.rev()),
            CostMethod::Hifo => {
                let prices = self.open.iter().chain(&self.change.opened).map(|lot| lot.price);
                let mut dearest: BinaryHeap<_> = prices.zip(all.map(std::cmp::Reverse)).collect();
                Box::new(std::iter::from_fn(move || dearest.pop().map(|(_, std::cmp::Reverse(place))| place)))
            }
            CostMethod::Fifo | CostMethod::Average | CostMethod::Unknown => Box::new(all),
        }
    }

    /// Takes at most so many units from the lot at a place; what it gives.
    fn take(&mut self, place: usize, units: Quantity) -> Result<Held, FixedError> {
        let held = match self.open.get(place) {
            Some(lot) => self.change.left.get(&place).copied().unwrap_or(lot.held),
            None => self.change.opened.as_ref().map(|lot| lot.held).unwrap_or_default(),
        };
        let size = held.quantity.abs();
        if size <= units {
            self.leave(place, Held::default());
            return Ok(held);
        }
        let given = Held {
            quantity: Quantity::from_units(held.quantity.signum() * units.units()),
            cost: held.cost.share(units, size)?,
            book_cost: held.book_cost.share(units, size)?,
        };
        let left = Held {
            quantity: held.quantity.checked_sub(given.quantity)?,
            cost: held.cost.checked_sub(given.cost)?,
            book_cost: held.book_cost.checked_sub(given.book_cost)?,
        };
        self.leave(place, left);
        Ok(given)
    }

    fn leave(&mut self, place: usize, held: Held) {
        if place < self.open.len() {
            self.change.left.insert(place, held);
        } else if held.quantity.is_zero() {
            self.change.opened = None;
        } else if let Some(lot) = &mut self.change.opened {
            lot.held = held;
        }
    }
}

impl From<LotPlan<'_>> for LotChange {
    fn from(plan: LotPlan<'_>) -> Self {
        plan.change
    }
}
