//! The open lots of one line, in booking order, under the methods that keep them: FIFO, LIFO, HIFO.
//!
//! One execution opens one lot at most. The method says which lot a reduction takes from; a lot that is closed
//! wholly gives up all the cost that is left of it, one that is closed in part its share by quantity. What a booking
//! would do to lots is planned beside them and written when all of the booking is checked; either touches the lots
//! that it opens or closes and no others. It knows no market and no portfolio.

use super::position::Position;
use crate::prices::actions::Ratio;
use domain::enums::CostMethod;
use domain::wide::compare_products;
use domain::{Amount, Date, FixedError, Quantity, SmolStr};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet};

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

impl Held {
    fn with_cost_of(self, other: &Self) -> Result<Self, FixedError> {
        let (cost, book_cost) = (self.cost.checked_add(other.cost)?, self.book_cost.checked_add(other.book_cost)?);
        Ok(Self { cost, book_cost, ..self })
    }
}

/// Up to here both parts of a price grow with a split: what is beyond has no room for the next one.
const EXACT: i128 = 1 << 120;

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

impl OpenPrice {
    /// The same price for each of the units that a split has made of one. Value and units grow by whole numbers where
    /// they have room, so that two lots of one price keep it.
    fn split(self, ratio: Ratio) -> Result<Self, FixedError> {
        let (new, old) = ratio.parts();
        let exact = self.value.units().checked_mul(old).zip(self.units.units().checked_mul(new));
        Ok(match exact.filter(|(value, units)| *value < EXACT && *units < EXACT) {
            Some((value, units)) => Self { value: Amount::from_units(value), units: Quantity::from_units(units) },
            None => Self { value: self.value, units: ratio.units(self.units)?.max(Quantity::from_units(1)) },
        })
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
#[derive(Debug, Clone, Default)]
pub struct Lots(Option<Box<Open>>);

/// The place of a lot among those of its line: it rises in booking order.
type Place = u64;

/// The place of the lot that is being opened: behind all others.
const NEWEST: Place = Place::MAX;

#[derive(Debug, Clone)]
struct Open {
    lots: BTreeMap<Place, Lot>,
    /// The same by price, of one price the oldest last, where the method asks for it.
    dearest: Option<BTreeSet<(OpenPrice, Reverse<Place>)>>,
}

impl Open {
    fn by(price: bool) -> Self {
        Self { lots: BTreeMap::new(), dearest: price.then(BTreeSet::new) }
    }
    fn push(&mut self, lot: Lot) {
        let place = self.lots.last_key_value().map_or(0, |(last, _)| last + 1);
        if let Some(dearest) = &mut self.dearest {
            dearest.insert((lot.price, Reverse(place)));
        }
        self.lots.insert(place, lot);
    }
    fn leave(&mut self, place: Place, held: Held) {
        if !held.quantity.is_zero() {
            self.lots.get_mut(&place).expect("a plan knows the lots that are open").held = held;
        } else if let Some(lot) = self.lots.remove(&place)
            && let Some(dearest) = &mut self.dearest
        {
            dearest.remove(&(lot.price, Reverse(place)));
        }
    }
}

static NONE: Lots = Lots(None);

impl Lots {
    /// No lots.
    pub fn none() -> &'static Self {
        &NONE
    }
    /// In booking order.
    pub fn iter(&self) -> impl Iterator<Item = &Lot> {
        self.0.iter().flat_map(|open| open.lots.values())
    }
    /// How many are open.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |open| open.lots.len())
    }
    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
    /// Whether they are a position: its units, its cost, its cost in base.
    pub fn add_up_to(&self, position: &Position) -> bool {
        let sum = |of: fn(&Held) -> i128| self.iter().map(|lot| of(&lot.held)).sum::<i128>();
        let units = sum(|held| held.quantity.units()) == position.quantity.units();
        let cost = sum(|held| held.cost.units()) == position.cost.units();
        units && cost && sum(|held| held.book_cost.units()) == position.book_cost.units()
    }
    /// Splits all of them, which come to `after` units together: each ends where its share of the whole ends, so that
    /// they add up. One of which nothing is left gives its cost to the next, the last to the one before.
    pub fn split(&mut self, ratio: Ratio, after: Quantity) -> Result<(), FixedError> {
        let Some(open) = self.0.take() else { return Ok(()) };
        let mut split = Open::by(open.dearest.is_some());
        let (mut before, mut given, mut rest) = (Quantity::ZERO, Quantity::ZERO, Held::default());
        for mut lot in open.lots.into_values() {
            before = before.checked_add(lot.held.quantity)?;
            let until = ratio.units(before)?;
            lot.held = Held { quantity: until.checked_sub(given)?, ..lot.held.with_cost_of(&rest)? };
            given = until;
            lot.price = lot.price.split(ratio)?;
            rest = if lot.held.quantity.is_zero() { lot.held } else { Held::default() };
            if !lot.held.quantity.is_zero() {
                split.push(lot);
            }
        }
        debug_assert_eq!(given, after, "lots add up to their position");
        if let Some(mut last) = split.lots.last_entry() {
            let held = last.get().held.with_cost_of(&rest)?;
            last.get_mut().held = held;
            self.0 = Some(Box::new(split));
        }
        Ok(())
    }
    /// Begins what a booking of that date does to them, `opener` being the id of the lot that it opens; `None` where
    /// none are kept.
    pub fn plan<'a>(&'a self, method: CostMethod, opener: Option<&'a SmolStr>, date: Date) -> Option<LotPlan<'a>> {
        let opener = opener?;
        let change = LotChange { by_price: method == CostMethod::Hifo, ..LotChange::default() };
        Some(LotPlan { method, open: self.0.as_deref(), opener, trade_date: date, change })
    }
    /// Writes what was planned on them.
    #[inline(never)]
    pub fn write(&mut self, change: LotChange) {
        let open = self.0.get_or_insert_with(|| Box::new(Open::by(change.by_price)));
        change.left.into_iter().for_each(|(place, held)| open.leave(place, held));
        change.opened.into_iter().for_each(|lot| open.push(lot));
        if open.lots.is_empty() {
            self.0 = None;
        }
    }
}

impl PartialEq for Lots {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Lots {}

/// Lots in booking order: places are not stored.
struct InOrder<'a>(&'a BTreeMap<Place, Lot>);

impl Serialize for InOrder<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.values())
    }
}

impl Serialize for Lots {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().map(|open| (open.dearest.is_some(), InOrder(&open.lots))).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Lots {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read: Option<(bool, Vec<Lot>)> = Option::deserialize(deserializer)?;
        Ok(Self(read.map(|(by_price, lots)| {
            let mut open = Open::by(by_price);
            lots.into_iter().for_each(|lot| open.push(lot));
            Box::new(open)
        })))
    }
}

/// What a booking does to the lots of its line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LotChange {
    /// What is left of lots that it takes from.
    left: BTreeMap<Place, Held>,
    /// The lot that it opens.
    opened: Option<Lot>,
    by_price: bool,
}

impl LotChange {
    /// How many lots are open after it, of so many before.
    pub fn len_after(&self, before: usize) -> usize {
        let closed = self.left.values().filter(|held| held.quantity.is_zero()).count();
        before - closed + usize::from(self.opened.is_some())
    }
}

/// The lots of a line as an execution would leave them.
#[derive(Debug)]
pub struct LotPlan<'a> {
    method: CostMethod,
    open: Option<&'a Open>,
    opener: &'a SmolStr,
    trade_date: Date,
    change: LotChange,
}

impl<'a> LotPlan<'a> {
    /// Opens units, or adds them to the lot that the execution has opened. `at` is what so many units of it were worth.
    #[inline(never)]
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
    #[inline(never)]
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

    /// Places in the order in which the method takes from them.
    fn order(&self) -> Box<dyn Iterator<Item = Place> + 'a> {
        let opened = self.change.opened.as_ref().map(|lot| (lot.price, Reverse(NEWEST)));
        let booked = self.open.into_iter().flat_map(|open| open.lots.keys().copied());
        match (self.method, self.open.and_then(|open| open.dearest.as_ref())) {
            (CostMethod::Lifo, _) => Box::new(opened.map(|_| NEWEST).into_iter().chain(booked.rev())),
            (CostMethod::Hifo, Some(dearest)) => {
                let all = dearest.iter().rev().copied();
                let Some(opened) = opened else { return Box::new(all.map(place)) };
                let (dearer, cheaper) = (dearest.range(opened..).rev(), dearest.range(..opened).rev());
                Box::new(dearer.copied().chain([opened]).chain(cheaper.copied()).map(place))
            }
            _ => Box::new(booked.chain(opened.map(|_| NEWEST))),
        }
    }

    /// Takes at most so many units from the lot at a place; what it gives.
    fn take(&mut self, place: Place, units: Quantity) -> Result<Held, FixedError> {
        let held = self.held(place);
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

    fn held(&self, place: Place) -> Held {
        if place == NEWEST {
            return self.change.opened.as_ref().map(|lot| lot.held).unwrap_or_default();
        }
        let planned = self.change.left.get(&place).copied();
        planned.or_else(|| Some(self.open?.lots.get(&place)?.held)).unwrap_or_default()
    }

    fn leave(&mut self, place: Place, held: Held) {
        if place != NEWEST {
            self.change.left.insert(place, held);
        } else if held.quantity.is_zero() {
            self.change.opened = None;
        } else if let Some(lot) = &mut self.change.opened {
            lot.held = held;
        }
    }
}

fn place((_, Reverse(place)): (OpenPrice, Reverse<Place>)) -> Place {
    place
}

impl From<LotPlan<'_>> for LotChange {
    fn from(plan: LotPlan<'_>) -> Self {
        plan.change
    }
}
