//! The open lots of one holding in exact ratios, for the methods that keep them: FIFO, LIFO, and HIFO by the price at
//! which a lot was opened, the older of two at one price. Slow and obvious, like the book that it belongs to.

use super::deeds::cut;
use super::exact::{Exact, Published, magnitude, near, shortened, show, zero};
use domain::enums::CostMethod;
use domain::ledger;
use domain::{Date, SmolStr};

/// The execution that books: its id and its trade date.
pub(super) type Opener<'a> = (&'a SmolStr, Date);

/// What is left of what one execution opened.
#[derive(Debug, Clone)]
struct Lot {
    id: SmolStr,
    trade_date: Date,
    quantity: Exact,
    cost: Exact,
    price: Exact,
}

/// Lots in booking order.
#[derive(Debug, Clone)]
pub(super) struct Lots {
    method: CostMethod,
    open: Vec<Lot>,
    /// Whether the newest was opened by the execution that is being booked.
    fresh: bool,
}

impl Lots {
    /// None yet; `None` for a method that pools.
    pub(super) fn by(method: CostMethod) -> Option<Self> {
        let keeps = matches!(method, CostMethod::Fifo | CostMethod::Lifo | CostMethod::Hifo);
        keeps.then_some(Self { method, open: Vec::new(), fresh: false })
    }
    /// The next execution is booked from here on.
    pub(super) fn begin(&mut self) {
        self.fresh = false;
    }
    /// Takes units in at a cost. `price` is what one unit of the whole execution was worth; one execution opens one lot.
    pub(super) fn open(&mut self, by: Opener<'_>, quantity: &Exact, cost: &Exact, price: Exact) {
        match self.open.last_mut().filter(|_| self.fresh) {
            Some(lot) => {
                lot.quantity += quantity;
                lot.cost += cost;
            }
            None => {
                self.open.push(Lot { id: by.0.clone(), trade_date: by.1, quantity: quantity.clone(), cost: cost.clone(), price });
                self.fresh = true;
            }
        }
    }
    /// Takes so many units out; the cost that goes with them.
    pub(super) fn close(&mut self, units: &Exact) -> Exact {
        let (mut left, mut cost) = (units.clone(), zero());
        for at in self.order() {
            let lot = &mut self.open[at];
            let held = magnitude(&lot.quantity);
            let part = if left < held { left.clone() } else { held.clone() };
            let out = if part == held { lot.cost.clone() } else { shortened(&(&lot.cost * &part / &held)) };
            lot.quantity -= if lot.quantity < zero() { -&part } else { part.clone() };
            lot.cost -= &out;
            cost += out;
            left -= part;
            if left == zero() {
                break;
            }
        }
        self.fresh &= self.open.last().is_some_and(|lot| lot.quantity != zero());
        self.open.retain(|lot| lot.quantity != zero());
        cost
    }
    /// Makes `ratio` units of each one. Each lot ends where its share of the whole ends, so that they add up; one of
    /// which nothing is left gives its cost to the next, the last to the one before.
    pub(super) fn split(&mut self, ratio: &Exact) {
        let (mut reached, mut given, mut orphan) = (zero(), zero(), zero());
        for lot in &mut self.open {
            reached += &lot.quantity;
            let until = cut(&(&reached * ratio));
            lot.quantity = &until - given;
            given = until;
            lot.cost += std::mem::replace(&mut orphan, zero());
            lot.price = &lot.price / ratio;
            if lot.quantity == zero() {
                orphan = lot.cost.clone();
            }
        }
        self.open.retain(|lot| lot.quantity != zero());
        if let Some(last) = self.open.last_mut() {
            last.cost += orphan;
        }
        self.fresh = false;
    }
    fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.open.len()).collect();
        match self.method {
            CostMethod::Lifo => order.reverse(),
            // The sort is stable: of two at one price the older stays first.
            CostMethod::Hifo => order.sort_by(|a, b| self.open[*b].price.cmp(&self.open[*a].price)),
            _ => {}
        }
        order
    }
}

/// The first lot in which what was published differs from the model; `None` for the lots is a pool.
pub(super) fn difference(model: Option<&Lots>, told: &[ledger::Lot], slack: &Exact) -> Option<String> {
    let open = model.map_or(&[][..], |lots| &lots.open);
    if open.len() != told.len() {
        return Some(format!("{} lots, the model {}", told.len(), open.len()));
    }
    let differs = |lot: &Lot, told: &ledger::Lot| {
        let same = lot.id == told.exec_id && lot.trade_date == told.trade_date && lot.quantity == told.quantity.exact();
        !same || !near(&lot.cost, &told.cost.exact(), slack)
    };
    let (at, (lot, told)) = open.iter().zip(told).enumerate().find(|(_, (lot, told))| differs(lot, told))?;
    Some(format!(
        "lot {at}: {} of {} with {} for {}, the model {} of {} with {} for {}",
        told.exec_id,
        told.trade_date,
        told.quantity,
        told.cost,
        lot.id,
        lot.trade_date,
        show(&lot.quantity),
        show(&lot.cost)
    ))
}
