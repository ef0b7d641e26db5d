//! Laws about the parts in which large orders leave: who is large, how many units a part has, and that a part is
//! never one of another.

use super::Violations;
use super::exact::Exact;
use super::view::{Row, View};
use crate::plan::{Leg, MAX_ORDERS};
use domain::Quantity;

impl View<'_> {
    /// Whether the row's order is large for its instrument.
    fn is_large(&self, row: &Row) -> bool {
        let (Some(slicing), false) = (&self.input.rules.orders.slicing, self.parts) else { return false };
        let volume = row.line.average_daily_volume.filter(|volume| volume.is_positive());
        volume.is_some_and(|volume| row.ordered().abs() > &Exact::from(slicing.above_volume) * &Exact::from(volume))
    }
    /// What is wrong with the parts of a leg.
    fn misfit(&self, row: &Row, leg: &Leg) -> Option<&'static str> {
        let Some(slicing) = &self.input.rules.orders.slicing else { return leg.slice.map(|_| "no order is sliced") };
        let (lot, whole) = (self.lot(row), row.ordered().abs());
        let Some(slice) = leg.slice else {
            let fits = self.is_large(row) && !self.fits_one(&whole, &lot, row);
            return fits.then_some("it is large and leaves whole");
        };
        let size = Exact::from(slice.quantity);
        if !self.is_large(row) {
            return Some("it is not large");
        }
        if !size.is_multiple_of(&lot) || size.sign() <= 0 || size >= whole {
            return Some("a part is whole lots, and less than the order");
        }
        let waves = slicing.waves.map(|waves| Exact::whole(i128::from(waves)));
        let volume = Exact::from(row.line.average_daily_volume.unwrap_or(Quantity::ZERO));
        let off = match (waves, slicing.participation) {
            // As many parts as asked for hold the order, and with a lot less each they would not.
            (Some(waves), _) => &size * &waves < whole || &(&size - &lot) * &waves >= whole,
            (None, share) => {
                let most = share.map_or(Exact::zero(), |share| &Exact::from(share) * &volume);
                (size > most && size != lot) || &size + &lot <= most
            }
        };
        off.then_some("a part has another size")
    }
    /// Whether one part would hold the whole order.
    fn fits_one(&self, whole: &Exact, lot: &Exact, row: &Row) -> bool {
        let Some(slicing) = &self.input.rules.orders.slicing else { return true };
        let volume = Exact::from(row.line.average_daily_volume.unwrap_or(Quantity::ZERO));
        let lots = self.whole_lots_of(row);
        match (slicing.waves, slicing.participation) {
            (Some(waves), _) => &(&lots - lot) * &Exact::whole(i128::from(waves)) < *whole,
            (None, share) => {
                let most = share.map_or(Exact::zero(), |share| &Exact::from(share) * &volume);
                whole <= lot || lots <= most
            }
        }
    }
    /// What the row's order comes to in whole lots, rounded up.
    fn whole_lots_of(&self, row: &Row) -> Exact {
        let legs = self.plan.legs.iter().filter(|leg| leg.instrument_id == *row.id());
        let units = legs.fold(0, |sum: i128, leg| sum.saturating_add(leg.quantity.units()));
        let none = self.input.rules.orders.rounding == domain::enums::Rounding::None;
        let lot = if none { 1 } else { row.line.lot_size.units().max(1) };
        Exact::from(Quantity::from_units(units / lot * lot + if units % lot == 0 { 0 } else { lot }))
    }
    /// The largest order that a leg leaves as.
    pub(super) fn leaves(&self, leg: &Leg) -> Quantity {
        leg.slice.map_or(leg.quantity, |slice| leg.quantity.min(slice.quantity))
    }
    /// How many orders a leg becomes.
    pub(super) fn orders_of(&self, leg: &Leg) -> i128 {
        let part = leg.slice.map_or(leg.quantity, |slice| slice.quantity).units().max(1);
        (leg.quantity.units() + part - 1) / part
    }
}

/// The parts of each leg are those that the policy asks for.
pub(super) fn parts(view: &View, found: &mut Violations) {
    for leg in &view.plan.legs {
        let Some(row) = view.row(&leg.instrument_id) else { continue };
        let wrong = view.misfit(row, leg);
        found.law("large orders leave in slices", wrong.is_some(), || format!("{}: {}", leg.instrument_id, wrong.unwrap_or_default()));
        let worth = leg.slice.map(|slice| (&Exact::from(view.leaves(leg)) * &row.quoted, slice.expected_value));
        let off = worth.is_some_and(|(value, said)| (&value - &Exact::from(said)).abs() > Exact::from(domain::Money::from_units(1)));
        found.law("the value of a slice is quantity at the reference", off, || leg.instrument_id.to_string());
    }
    let all = view.plan.legs.iter().fold(0, |sum, leg| sum + view.orders_of(leg));
    let sliced = view.plan.legs.iter().any(|leg| leg.slice.is_some());
    found.law("a rebalance has so many orders at most", sliced && all > MAX_ORDERS, || all.to_string());
}
