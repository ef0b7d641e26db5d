//! The parts in which an order leaves that is large for its instrument. It says how many units each part has; when
//! they leave, and what of them still may, is the cycle's. An instrument without a known volume leaves whole.

use super::desk::Desk;
use super::exact::{Int, int, narrow, ten};
use super::legs::parts;
use super::refusal::Refusal;
use domain::Fraction;
use domain::policy::Slicing;
use domain::reason::ReasonCode;

const ONE: Int = ten(Fraction::SCALE);

/// Most orders that a plan leaves as, where it leaves in slices. Buys that are cut to the cash may come to twice as many
/// parts as they were planned in: half of what the last event of a rebalance holds.
pub const MAX_ORDERS: i128 = 1_500;

/// Units of each part of an order of so many units, signed or not; `None` where it leaves whole.
pub(crate) fn size(desk: &Desk, index: usize, quantity: i128) -> Option<i128> {
    let slicing = desk.slicing()?;
    let volume = desk.holding(index).at.average_daily_volume.filter(|volume| volume.is_positive() && volume.fits_wire())?;
    let (units, volume, lot) = (quantity.abs(), int(volume.units()), desk.lot(index));
    if int(units) * ONE <= int(slicing.above_volume.units()) * volume {
        return None;
    }
    let size = of(slicing, units, volume, lot)?;
    (size < units).then_some(size)
}

fn of(slicing: &Slicing, units: i128, volume: Int, lot: i128) -> Option<i128> {
    let share = slicing.participation.map(|share| int(share.units()) * volume / ONE);
    match (slicing.waves, share) {
        (Some(waves), _) => Some(ceiling(ceiling(units, i128::from(waves)), lot) * lot),
        // Beyond what a quantity holds it is more than the order.
        (None, Some(share)) => Some(narrow(share).unwrap_or(units).max(lot) / lot * lot),
        (None, None) => None,
    }
}

fn ceiling(units: i128, by: i128) -> i128 {
    units / by + i128::from(units % by != 0)
}

/// Parts of an order of so many units in parts of that size.
pub(crate) fn count(units: i128, size: Option<i128>) -> i128 {
    size.map_or(1, |size| ceiling(units, size))
}

/// Refuses a plan of more parts than a rebalance may have.
pub(crate) fn check(desk: &Desk, quantities: impl Iterator<Item = i128>) -> Result<(), Refusal> {
    if desk.slicing().is_none() {
        return Ok(());
    }
    let orders = |(index, quantity): (usize, i128)| {
        let size = size(desk, index, quantity);
        parts(desk.holding(index), quantity).into_iter().fold(0_i128, |sum, (_, units)| sum.saturating_add(count(units, size)))
    };
    let all = quantities.enumerate().filter(|(_, quantity)| *quantity != 0).fold(0_i128, |sum, each| sum.saturating_add(orders(each)));
    if all <= MAX_ORDERS {
        return Ok(());
    }
    let text = format!(
        "slices would make {all} orders of this plan, which has at most {MAX_ORDERS}: raise orders.slicing.participation or above_volume, or ask for fewer waves"
    );
    Err(Refusal::new(ReasonCode::OrderLimit, text))
}
