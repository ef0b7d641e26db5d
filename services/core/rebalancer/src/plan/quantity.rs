//! Step 5: the quantity that takes a planned line to its goal, on the lot that the policy rounds to.
//! It never sells what open orders already sell, and rounding never crosses zero.

use super::breach::Side;
use super::desk::Desk;
use super::exact::{Int, SHARE, UNIT, WEIGHT, int, narrow, ten};
use super::refusal::Refusal;
use domain::enums::Rounding;

/// Scale of goal × equity over the scale of quantity × unit.
const STEP: Int = ten(WEIGHT + SHARE - UNIT - 8);

/// goal × equity − (held + open) × unit: what is still missing, signed, at scale WEIGHT + SHARE.
pub(crate) fn missing(desk: &Desk, index: usize) -> Int {
    let holding = desk.holding(index);
    // A member's part of its group is no weight that a number of decimals could tell.
    let goal = desk.shared_goal(index).map_or(desk.goals[index] * desk.base, |(goal, share)| share.of(goal, desk.base));
    goal - holding.worth(holding.expected()) * STEP
}

/// The signed quantity of a planned line, before any constraint.
pub(crate) fn quantity(desk: &Desk, index: usize) -> Result<i128, Refusal> {
    let holding = desk.holding(index);
    if desk.aim(index).target.is_zero() {
        return Ok(within_holding(desk, index, -holding.expected(), 1));
    }
    let lot = desk.lot(index);
    let step = int(lot) * holding.unit * STEP;
    let missing = missing(desk, index);
    let lots = match desk.input.rules.orders.rounding {
        Rounding::Nearest => (missing.abs() * Int::TWO + step) / (step * Int::TWO) * missing.signum(),
        _ => missing / step,
    };
    let units = narrow(lots * int(lot)).filter(|units| domain::Quantity::from_units(*units).fits_wire());
    let units = units.ok_or_else(|| Refusal::absurd(holding.at.instrument_id.as_str()))?;
    Ok(within_holding(desk, index, one_lot_more(desk, index, units), lot))
}

/// With BAND_EDGE a quantity that would stop outside the band takes one lot more, unless that leaves the band
/// on its other side.
fn one_lot_more(desk: &Desk, index: usize, units: i128) -> i128 {
    use domain::enums::Goal;
    let side = desk.scoped.sides[index];
    if desk.input.rules.trigger.goal != Goal::BandEdge || side == Side::Inside {
        return units;
    }
    let more = if side == Side::Above { units - desk.lot(index) } else { units + desk.lot(index) };
    if lands(desk, index, units) == side && lands(desk, index, more) == Side::Inside { more } else { units }
}

/// Where the line stands after so many more units, held against its bounds on the equity of the goals.
fn lands(desk: &Desk, index: usize, units: i128) -> Side {
    let value = desk.holding(index).worth(desk.holding(index).expected() + units) * ten(domain::Fraction::SCALE);
    let (aim, inclusive) = (desk.aim(index), desk.input.rules.band.inclusive);
    match &aim.share {
        Some(share) => super::breach::side_of_share(value, desk.base, share, inclusive),
        None => super::breach::side(value, desk.base, &aim.bounds, inclusive),
    }
}

/// Whether so many units, asked for on an older book, take the line through its band and out on the other side,
/// further than this book asks for.
pub(crate) fn oversteps(desk: &Desk, index: usize, units: i128) -> Result<bool, Refusal> {
    let beyond = if units < 0 { Side::Below } else { Side::Above };
    Ok(lands(desk, index, units) == beyond && units.abs() > quantity(desk, index)?.abs())
}

/// Keeps a line whose goal is not short from selling more than is there, and one whose goal is not long from
/// covering more than is short: rounding and open orders of the other side could.
fn within_holding(desk: &Desk, index: usize, units: i128, lot: i128) -> i128 {
    let (holding, side) = (desk.holding(index), desk.goal_side(index));
    let target = desk.aim(index).target;
    if units < 0 && side >= 0 && -units > holding.sellable() {
        let most = holding.sellable() / lot * lot;
        // Where anything is left, the constraint against going short cuts it, and says so.
        let told = most != 0 && !desk.input.rules.orders.allow_short && !target.is_zero();
        if told { units } else { -most }
    } else if units > 0 && side <= 0 && units > holding.coverable() {
        holding.coverable() / lot * lot
    } else {
        units
    }
}
