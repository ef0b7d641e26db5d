//! A line as its bookings and its splits make it, one after the other.
//!
//! A split stands before the first booking of its line whose trade date is its ex-date or later, and behind all
//! others while there is none: a booking that was dated before it and came in between is split with them. One that
//! is dated before it and booked after that is converted by itself. So the holding follows from the bookings and
//! from the splits that stand, whenever those became known. It knows no record.

use super::booking::Booking;
use super::execution::Effect;
use super::holding::Holding;
use super::split::LineSplit;
use crate::prices::actions::Ratio;
use domain::enums::CostMethod;
use domain::{Date, FixedError};
use std::borrow::Cow;

/// A line on its way.
#[derive(Debug, Clone)]
pub struct Folding<'a> {
    /// What it holds before the splits that no booking has followed yet.
    pub holding: Holding,
    splits: &'a [LineSplit],
    method: CostMethod,
}

impl<'a> Folding<'a> {
    /// A line that holds that, and its splits by ex-date.
    pub fn new(holding: Holding, splits: &'a [LineSplit], method: CostMethod) -> Self {
        Self { holding, splits, method }
    }

    /// Applies the splits that stand before a booking of that date; `told` hears what each does.
    pub fn settle(&mut self, date: Date, mut told: impl FnMut(&LineSplit, &Effect) -> Result<(), FixedError>) -> Result<(), FixedError> {
        let newest = self.holding.newest;
        for split in self.splits.iter().filter(|split| newest < Some(split.split.ex_date) && split.split.ex_date <= date) {
            let effect = split.apply(&mut self.holding, self.method)?;
            told(split, &effect)?;
        }
        Ok(())
    }

    /// Books something, before which its splits were applied.
    pub fn book(&mut self, booking: &Booking) -> Result<Effect, FixedError> {
        let newest = self.holding.newest.max(Some(booking.date()));
        let passed = |split: &&LineSplit| booking.date() < split.split.ex_date && Some(split.split.ex_date) <= newest;
        let effect = match converted(booking, self.splits.iter().filter(passed))? {
            Some(booking) => self.holding.book(&booking, self.method)?,
            None => self.lose(booking)?,
        };
        self.holding.newest = newest;
        Ok(effect)
    }

    /// Books what comes to less than the smallest step in today's units: it is paid for, and nothing is held of it.
    fn lose(&mut self, booking: &Booking) -> Result<Effect, FixedError> {
        let mut alone = Holding::default();
        let mut effect = alone.book(&booking.without_opener(), CostMethod::Average)?;
        if let Some(split) = self.splits.first() {
            let (quantity, closed) = (effect.quantity, split.close_out(&mut alone)?);
            effect.add(&closed, 1)?;
            effect.quantity = effect.quantity.checked_sub(quantity)?;
        }
        self.holding.position.take_figures(&alone.position)?;
        Ok(effect)
    }

    /// What it holds with every split that stands; `told` hears what those do that no booking has followed.
    pub fn end(&self, mut told: impl FnMut(&LineSplit, &Effect) -> Result<(), FixedError>) -> Result<Holding, FixedError> {
        let mut holding = self.holding.clone();
        for split in self.floating() {
            let effect = split.apply(&mut holding, self.method)?;
            told(split, &effect)?;
        }
        Ok(holding)
    }

    /// The splits that no booking has followed.
    pub fn floating(&self) -> impl Iterator<Item = &'a LineSplit> {
        let newest = self.holding.newest;
        self.splits.iter().filter(move |split| newest < Some(split.split.ex_date))
    }
}

/// A booking in the units that splits have made of its own; `None` where less than the smallest step is left.
fn converted<'a, 'b>(booking: &'b Booking, splits: impl Iterator<Item = &'a LineSplit>) -> Result<Option<Cow<'b, Booking>>, FixedError> {
    let mut booking = Cow::Borrowed(booking);
    for split in splits {
        if !convert(booking.to_mut(), split.split.ratio)? {
            return Ok(None);
        }
    }
    Ok(Some(booking))
}

/// Converts the units, and leaves what was paid for them; whether any are left.
fn convert(booking: &mut Booking, ratio: Ratio) -> Result<bool, FixedError> {
    let quantity = match booking {
        Booking::Execution(execution) => &mut execution.quantity,
        Booking::Transfer(transfer) => &mut transfer.quantity,
        Booking::Payment(_) => return Ok(true),
    };
    *quantity = ratio.units(*quantity)?;
    if !quantity.fits_wire() {
        return Err(FixedError::Overflow);
    }
    Ok(!quantity.is_zero())
}
