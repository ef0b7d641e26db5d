//! The last event of the longest rebalance: how every order was executed.

use super::{UNITS, event, instrument, long_text, moment, orders};
use domain::enums::Side;
use domain::execution::{Execution, OrderExecution};
use domain::rebalance_event::{ExplanationLine, RebalanceEvent};
use domain::{Bps, Fraction, Money, OrderId, Price, Quantity, Uuid};
use engine::settings::MAX_LINES;

fn executed(n: usize) -> OrderExecution {
    let (money, bp, price) = (Some(Money::from_units(UNITS)), Some(Bps::from_units(UNITS)), Price::from_units(UNITS));
    OrderExecution {
        order_id: OrderId(Uuid::from_u128(n as u128)),
        instrument_id: instrument(n),
        side: Side::SellShort,
        wave_number: i32::MAX,
        ordered: Quantity::from_units(UNITS),
        filled: Quantity::from_units(UNITS),
        fill_rate: Fraction::from_units(UNITS),
        average_price: Some(price),
        reference_price: price,
        arrival_price: price,
        traded_value: money,
        slippage: money,
        slippage_bp: bp,
        arrival_slippage: money,
        arrival_slippage_bp: bp,
        fees: money,
        released_at: moment(),
        first_fill_us: Some(i64::MAX),
        last_fill_us: Some(i64::MAX),
    }
}

/// The last word of the longest rebalance: every order and how it was executed; weights stand in the events before it.
pub fn ended() -> RebalanceEvent {
    let (money, bp) = (Money::from_units(UNITS), Some(Bps::from_units(UNITS)));
    let execution = Execution {
        orders: i32::MAX,
        filled_orders: i32::MAX,
        ordered_value: money,
        filled_value: money,
        fill_rate: Some(Fraction::from_units(UNITS)),
        traded_value: Some(money),
        slippage: Some(money),
        slippage_bp: bp,
        arrival_slippage: Some(money),
        arrival_slippage_bp: bp,
        fees: Some(money),
        cost: Some(money),
        cost_bp: bp,
        first_fill_us: Some(i64::MAX),
        last_fill_us: Some(i64::MAX),
        reason: Some(long_text()),
        lines: (0..2 * MAX_LINES).map(executed).collect(),
    };
    let told = |mut line: ExplanationLine| {
        line.numbers.truncate(4);
        line
    };
    let event = event(orders(), &[]);
    RebalanceEvent {
        old_allocations: Vec::new(),
        new_allocations: Vec::new(),
        explanation: event.explanation.into_iter().map(told).collect(),
        execution: Some(Box::new(execution)),
        ..event
    }
}
