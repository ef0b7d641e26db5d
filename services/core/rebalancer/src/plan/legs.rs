//! Step 8: what is left of the wishes as orders. Sells stand before buys, and an order that crosses zero is
//! two legs. It rounds limit prices to the tick and expected values to money; it decides nothing.

use super::book::Holding;
use super::breach;
use super::costs;
use super::desk::{Desk, Wish};
use super::exact::{Int, floor, int, narrow, ten, to_money};
use super::outcome::{Leg, Slice};
use super::refusal::Refusal;
use super::slices;
use domain::drift::DriftLine;
use domain::enums::{OrderType, Side, Urgency};
use domain::order::NamedNumber;
use domain::policy::Orders;
use domain::reason::ReasonCode;
use domain::{Bps, Money, Price, Quantity};
use smallvec::SmallVec;

/// The orders of one signed quantity, each in positive units: SELL as far as the holding reaches, then
/// SELL_SHORT.
pub(crate) fn parts(holding: &Holding, quantity: i128) -> SmallVec<[(Side, i128); 2]> {
    if quantity > 0 {
        return SmallVec::from_iter([(Side::Buy, quantity)]);
    }
    let sell = (-quantity).min(holding.sellable());
    [(Side::Sell, sell), (Side::SellShort, -quantity - sell)].into_iter().filter(|(_, units)| *units > 0).collect()
}

/// units × price × multiplier × FX, rounded half-even; `None` beyond the range of money.
pub(crate) fn expected_value(holding: &Holding, units: i128) -> Option<Money> {
    to_money(int(units) * holding.clean).filter(|value| value.fits_wire())
}

/// The limit price of an order.
pub(crate) enum Limit {
    /// The order goes at the market.
    Market,
    /// At this price or better.
    At(Price),
    /// No price above zero is left on the tick.
    Impossible,
}

/// reference × (1 ± offset), on the tick: down for buys, up for sells.
pub(crate) fn limit(orders: &Orders, line: &DriftLine, side: Side) -> Limit {
    const WHOLE: Int = ten(Bps::SCALE + 4);
    if orders.order_type != OrderType::Limit {
        return Limit::Market;
    }
    let offset = int(orders.limit_offset_bp.units());
    let reference = int(line.price.map_or(0, |price| price.units()));
    let step = WHOLE * int(line.tick_size.filter(|tick| tick.is_positive()).map_or(1, |tick| tick.units()));
    let ticks = if side == Side::Buy {
        floor(reference * (WHOLE + offset), step)
    } else {
        super::exact::ceiling(reference * (WHOLE - offset), step)
    };
    match narrow(ticks * step / WHOLE).map(Price::from_units) {
        Some(price) if price.is_positive() && price.fits_wire() => Limit::At(price),
        _ => Limit::Impossible,
    }
}

/// The legs of all wishes, `numbers` behind each.
pub(crate) fn legs(desk: &Desk, wishes: &[Wish], numbers: &[Vec<NamedNumber>]) -> Result<Vec<Leg>, Refusal> {
    let mut standing: Vec<_> = (0..wishes.len()).filter(|index| wishes[*index].stands()).collect();
    standing.sort_by(|a, b| {
        let key = |index: usize| (wishes[index].quantity > 0, &desk.holding(index).at.instrument_id);
        key(*a).cmp(&key(*b))
    });
    let mut legs = Vec::with_capacity(standing.len());
    for index in standing {
        for (side, units) in parts(desk.holding(index), wishes[index].quantity) {
            let purpose = desk.purpose(index, wishes[index].quantity);
            let absurd = || Refusal::absurd("the value of an order");
            let costs = costs::of_leg(desk, index, units, wishes[index].quantity).ok_or_else(absurd)?;
            let leg = leg(desk, index, (side, units), purpose, (costs, numbers[index].clone())).ok_or_else(absurd)?;
            legs.push(match slices::size(desk, index, wishes[index].quantity) {
                None => leg,
                Some(size) => Leg { slice: Some(slice(desk, index, size.min(units), size).ok_or_else(absurd)?), ..leg },
            });
        }
    }
    Ok(legs)
}

fn leg(
    desk: &Desk,
    index: usize,
    (side, units): (Side, i128),
    reason: ReasonCode,
    (costs, numbers): (costs::Costs, Vec<NamedNumber>),
) -> Option<Leg> {
    let holding = desk.holding(index);
    let line = holding.at;
    let limit_price = match limit(desk.input.rules.orders, line, side) {
        Limit::Market => None,
        Limit::At(price) => Some(price),
        Limit::Impossible => return None,
    };
    Some(Leg {
        instrument_id: line.instrument_id.clone(),
        side,
        quantity: Quantity::from_units(units),
        reference_price: line.price?,
        reference_time: line.price_time?,
        currency: line.currency,
        reference_rate: line.fx_rate?,
        limit_price,
        expected_value: expected_value(holding, units)?,
        reason,
        numbers,
        outside: desk.scoped.sides[index] != breach::Side::Inside,
        costs,
        venue: line.venue.clone(),
        urgency: urgency(desk.input.rules.orders.urgency, reason),
        slice: None,
    })
}

/// What leaves the policy's lines, and what mends the cash, waits less than what comes nearer to a target.
fn urgency(of_policy: Urgency, reason: ReasonCode) -> Urgency {
    match (of_policy, reason) {
        (Urgency::Low, ReasonCode::Exit | ReasonCode::CashRaise) => Urgency::Normal,
        (_, ReasonCode::Exit | ReasonCode::CashRaise) => Urgency::High,
        (of_policy, _) => of_policy,
    }
}

/// What leaves first of a leg in slices of that size: `first` units.
fn slice(desk: &Desk, index: usize, first: i128, size: i128) -> Option<Slice> {
    Some(Slice {
        quantity: Quantity::from_units(size),
        expected_value: expected_value(desk.holding(index), first)?,
        costs: costs::of_leg(desk, index, first, first)?,
    })
}
