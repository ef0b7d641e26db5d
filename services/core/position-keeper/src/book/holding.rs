//! What a line holds: the pooled figures of its position, its lots where the method keeps them, and its sub-positions
//! where strategies are named. Here something is booked into all at once. It books no cash and no sums.

use super::booking::Booking;
use super::execution::Effect;
use super::lots::{LotChange, Lots};
use super::position::Position;
use super::sub_positions::SubPositions;
use domain::enums::CostMethod;
use domain::{Date, FixedError};
use serde::{Deserialize, Serialize};

/// A position with its lots and sub-positions.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Holding {
    /// The figures.
    pub position: Position,
    /// The lots.
    pub lots: Lots,
    /// The sub-positions by strategy.
    pub subs: SubPositions,
    /// The newest date of what was booked.
    pub newest: Option<Date>,
}

/// The same, where it stands; it is written as a [`Holding`] is.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Standing<'a> {
    /// The figures.
    pub position: &'a Position,
    /// The lots.
    pub lots: &'a Lots,
    /// The sub-positions by strategy.
    pub subs: &'a SubPositions,
    /// The newest date of what was booked.
    pub newest: Option<Date>,
}

impl Holding {
    /// The same, where it stands.
    pub fn standing(&self) -> Standing<'_> {
        Standing { position: &self.position, lots: &self.lots, subs: &self.subs, newest: self.newest }
    }
    /// Books something. On an error the holding is to be thrown away.
    pub fn book(&mut self, booking: &Booking, method: CostMethod) -> Result<Effect, FixedError> {
        let mut lots = self.lots.plan(method, booking.opener(), booking.date());
        let (mut effect, before) = (Effect::default(), self.position);
        booking.apply(&mut effect, &mut self.position, lots.as_mut())?;
        if let Some(change) = lots.map(LotChange::from) {
            self.lots.write(change);
        }
        if self.subs.concern(booking) {
            let change = self.subs.plan(booking, &before, &mut effect)?;
            self.subs.write(change);
        }
        Ok(effect)
    }
}
