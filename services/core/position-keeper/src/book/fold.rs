//! A line as its bookings and the corporate actions on its instrument make it, one after the other.
//!
//! An action stands before the first booking of its line whose trade date is its ex-date or later, and behind all
//! others while there is none: a booking that was dated before it and came in between is split with them, and paid a
//! dividend. One that is dated before it and booked after that is converted, and paid, by itself. So the holding
//! follows from the bookings and from the actions that stand, whenever those became known. It knows no record.

use super::action::LineAction;
use super::booking::Booking;
use super::execution::{Effect, Execution};
use super::holding::Holding;
use crate::prices::actions::Ratio;
use domain::enums::CostMethod;
use domain::{Date, FixedError};
use std::borrow::Cow;

/// A line on its way.
#[derive(Debug, Clone)]
pub struct Folding<'a> {
    /// What it holds before the actions that no booking has followed yet.
    pub holding: Holding,
    actions: &'a [LineAction],
    method: CostMethod,
}

impl<'a> Folding<'a> {
    /// A line that holds that, and its actions by ex-date.
    pub fn new(holding: Holding, actions: &'a [LineAction], method: CostMethod) -> Self {
        Self { holding, actions, method }
    }

    /// Applies the actions that stand before a booking of that date; `told` hears what each does.
    pub fn settle(&mut self, date: Date, mut told: impl FnMut(&LineAction, &Effect) -> Result<(), FixedError>) -> Result<(), FixedError> {
        let newest = self.holding.newest;
        for line in self.actions.iter().filter(|line| newest < Some(line.action.ex_date) && line.action.ex_date <= date) {
            let effect = line.apply(&mut self.holding, self.method)?;
            told(line, &effect)?;
        }
        Ok(())
    }

    /// Books something, before which its actions were applied; `told` hears what it adds to dividends from after it.
    pub fn book(
        &mut self,
        booking: &Booking,
        mut told: impl FnMut(&LineAction, &Effect) -> Result<(), FixedError>,
    ) -> Result<Effect, FixedError> {
        let newest = self.holding.newest.max(Some(booking.date()));
        let mut now = Some(Cow::Borrowed(booking));
        let mut earned = Vec::new();
        for line in self.actions.iter().filter(|line| booking.date() < line.action.ex_date && Some(line.action.ex_date) <= newest) {
            let Some(booking) = now.take() else { break };
            match line.action.ratio() {
                Some(ratio) => now = converted(booking, ratio)?,
                None => {
                    earned.push((line, booking.held_quantity()?));
                    now = Some(booking);
                }
            }
        }
        let effect = match now {
            Some(booking) => self.holding.book(&booking, self.method)?,
            None => self.lose(booking)?,
        };
        for (line, quantity) in earned {
            let effect = line.pay_on(&mut self.holding, booking, quantity)?;
            told(line, &effect)?;
        }
        self.holding.newest = newest;
        Ok(effect)
    }

    /// Books what comes to less than the smallest step in today's units: it is paid for, and nothing is held of it.
    fn lose(&mut self, booking: &Booking) -> Result<Effect, FixedError> {
        let mut alone = Holding::default();
        let mut effect = alone.book(&booking.alone(), CostMethod::Average)?;
        if let Some(line) = self.actions.iter().find(|line| line.action.ratio().is_some()) {
            let (quantity, closed) = (effect.quantity, line.close_out(&mut alone.position)?);
            effect.add(&closed, 1)?;
            effect.quantity = effect.quantity.checked_sub(quantity)?;
        }
        if self.holding.subs.concern(booking) {
            self.holding.subs.take_figures(booking, &self.holding.position, &alone.position, &mut effect)?;
        }
        self.holding.position.take_figures(&alone.position)?;
        Ok(effect)
    }

    /// What it holds with every action that stands; `told` hears what those do that no booking has followed.
    pub fn end(&self, mut told: impl FnMut(&LineAction, &Effect) -> Result<(), FixedError>) -> Result<Holding, FixedError> {
        let mut holding = self.holding.clone();
        for line in self.floating() {
            let effect = line.apply(&mut holding, self.method)?;
            told(line, &effect)?;
        }
        Ok(holding)
    }

    /// The actions that no booking has followed.
    pub fn floating(&self) -> impl Iterator<Item = &'a LineAction> {
        let newest = self.holding.newest;
        self.actions.iter().filter(move |line| newest < Some(line.action.ex_date))
    }
}

/// A booking in the units that a split has made of its own, at what was paid for them; `None` where less than the
/// smallest step is left.
fn converted(mut booking: Cow<'_, Booking>, ratio: Ratio) -> Result<Option<Cow<'_, Booking>>, FixedError> {
    let quantity = match booking.to_mut() {
        Booking::Execution(execution) => {
            convert_fees(execution, ratio)?;
            &mut execution.quantity
        }
        Booking::Transfer(transfer) => &mut transfer.quantity,
        Booking::Payment(_) => return Ok(Some(booking)),
    };
    *quantity = ratio.units(*quantity)?;
    if !quantity.fits_wire() {
        return Err(FixedError::Overflow);
    }
    let is_left = !quantity.is_zero();
    Ok(is_left.then_some(booking))
}

/// What a holding pays in units of itself, in the units that the split has made of them: less such a fee, an execution
/// comes to what the split makes of both together.
fn convert_fees(execution: &mut Execution, ratio: Ratio) -> Result<(), FixedError> {
    let mut left = execution.quantity;
    for units in execution.fees.iter_mut().filter_map(|fee| fee.held.as_mut()) {
        let before = ratio.units(left)?;
        left = left.checked_sub(*units)?;
        *units = before.checked_sub(ratio.units(left)?)?;
    }
    Ok(())
}
