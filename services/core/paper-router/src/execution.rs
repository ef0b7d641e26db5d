//! One execution: at which price, of how many units, at what fee. Pure functions of the order, the
//! frame's price and the settings.

use crate::bonds::Bond;
use crate::chance::{self, Question};
use crate::desk::Working;
use domain::enums::{ExecType, OrderType, Side, TimeInForce};
use domain::fill::{Fee, Fill};
use domain::fixed::pow10;
use domain::frame::FramePrice;
use domain::ids::uuid_of;
use domain::order::Order;
use domain::wide::mul_div_half_even;
use domain::{Amount, FixedError, Money, OrderId, Price, Quantity, SmolStr, Timestamp};
use engine::Settings;
use smallvec::SmallVec;

/// The source that its fills name.
pub const SOURCE: &str = "paper-router";

/// Most executions of an order that is filled in parts.
const MOST_PARTS: u32 = 3;

/// The price at which an order of this side trades now, chosen as a mark price is: the mark, else the middle of
/// bid and ask, else the last trade, which may be old; else the quote of the other side. `None` where the frame
/// gives none above zero.
pub fn market_price(side: Side, price: &FramePrice) -> Option<Price> {
    let middle = match (price.bid, price.ask) {
        (Some(bid), Some(ask)) => bid.checked_add(ask).and_then(|sum| mul_div_half_even(sum.units(), 1, 2)).ok().map(Price::from_units),
        _ => None,
    };
    let quote = if side == Side::Buy { price.ask } else { price.bid };
    let price = price.mark.or(middle).or(price.last).or(quote)?;
    (price.is_positive() && price.fits_wire()).then_some(price)
}

/// Whether a price is at or better than the order's limit.
pub fn meets_limit(order: &Order, price: Price) -> bool {
    match (order.order_type, order.limit_price, order.side) {
        (OrderType::Limit, Some(limit), Side::Buy) => price <= limit,
        (OrderType::Limit, Some(limit), _) => price >= limit,
        _ => true,
    }
}

/// Units of the next execution: all that is open, or a part of it where the order's fate is parts.
pub fn size(working: &Working, settings: &Settings) -> Result<Quantity, FixedError> {
    let (order, open) = (&working.order, working.order.quantity.checked_sub(working.cum_qty)?);
    let id = order.order_id;
    let in_parts = order.time_in_force != TimeInForce::Fok
        && working.executions + 1 < MOST_PARTS
        && chance::happens(settings.paper_seed, id, Question::Parts, settings.paper_partial_bp);
    let step = step_of(order.quantity);
    let steps = open.units() / step;
    if !in_parts || steps < 2 {
        return Ok(open);
    }
    let draw = i128::from(chance::draw(settings.paper_seed, id, Question::Size(working.executions + 1)));
    Ok(Quantity::from_units((1 + draw % (steps - 1)) * step))
}

/// The step in which a quantity is cut: whole units, or its own last decimal where it is finer.
fn step_of(quantity: Quantity) -> i128 {
    (0..=Quantity::SCALE).rev().map(pow10).find(|step| quantity.units() % step == 0).unwrap_or(1)
}

/// The id of an order's n-th execution, n from 1.
pub fn exec_id(order: OrderId, n: u32) -> SmolStr {
    SmolStr::new(uuid_of(&[order.0.as_bytes(), &n.to_be_bytes()]).to_string())
}

/// Where and when an order is executed.
pub struct Execution<'a> {
    /// The frame's price.
    pub at: &'a FramePrice,
    /// The price of it that counts.
    pub price: Price,
    /// The bond, where it is one.
    pub bond: Option<&'a Bond>,
    /// The window's clock.
    pub now: Timestamp,
}

/// The fill of `quantity`. Errors: an amount or fee beyond the wire's range.
pub fn fill(working: &Working, execution: &Execution<'_>, quantity: Quantity, fee_bp: u32) -> Result<Fill, FixedError> {
    let order = &working.order;
    let Execution { at, price, bond, now } = *execution;
    let value = quantity.times(price)?;
    Ok(Fill {
        source: SmolStr::new_static(SOURCE),
        exec_id: exec_id(order.order_id, working.executions + 1),
        trade_date: now.date_utc(),
        exec_type: ExecType::Trade,
        exec_ref_id: None,
        portfolio_id: order.portfolio_id.clone(),
        instrument_id: order.instrument_id.clone(),
        venue: at.venue.clone(),
        side: order.side,
        quantity,
        price,
        currency: order.currency,
        fees: fees(order, value, fee_bp)?,
        settle_date: None,
        fx_rate: None,
        order_id: Some(order.order_id),
        strategy: None,
        cum_qty: Some(working.cum_qty.checked_add(quantity)?),
        gross_amount: None,
        accrued_interest: bond.map_or(Ok(None), |bond| bond.accrued_on(quantity))?,
        transact_time: now,
        received_at: None,
    })
}

fn fees(order: &Order, value: Amount, fee_bp: u32) -> Result<SmallVec<[Fee; 1]>, FixedError> {
    let amount = Amount::from_units(mul_div_half_even(value.units(), i128::from(fee_bp), 10_000)?).to_money()?;
    if !amount.fits_wire() || !value.to_money()?.fits_wire() {
        return Err(FixedError::Overflow);
    }
    let fee = Fee { kind: SmolStr::new_static("commission"), amount, currency: order.currency };
    Ok(if amount == Money::ZERO { SmallVec::new() } else { SmallVec::from_iter([fee]) })
}
