//! How well the orders of a rebalance were executed: filled how far, at which prices against those that it was planned
//! on and released at, at which fees, how soon. Values only: nothing here is computed.

use crate::enums::Side;
use crate::{Bps, Fraction, InstrumentId, Money, OrderId, Price, Quantity, SmolStr, Timestamp};
use serde::{Deserialize, Serialize};

/// The execution of one order. Slippage is positive where it cost; amounts without a currency beside them are in the
/// base currency, at the rate of the release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderExecution {
    /// Order.
    pub order_id: OrderId,
    /// Instrument.
    pub instrument_id: InstrumentId,
    /// Side.
    pub side: Side,
    /// Wave that it left with.
    pub wave_number: i32,
    /// Units ordered.
    pub ordered: Quantity,
    /// Units executed, as the book has them.
    pub filled: Quantity,
    /// filled ÷ ordered.
    pub fill_rate: Fraction,
    /// Σ units × price ÷ Σ units of its executions, in the instrument's currency; null where there are none.
    pub average_price: Option<Price>,
    /// Price that it was planned on first, in the instrument's currency.
    pub reference_price: Price,
    /// Price of its line when it was released.
    pub arrival_price: Price,
    /// Executions at their prices.
    pub traded_value: Option<Money>,
    /// What the executions cost more than at `reference_price`.
    pub slippage: Option<Money>,
    /// The same as a share of the executed units at `reference_price`.
    pub slippage_bp: Option<Bps>,
    /// What the executions cost more than at `arrival_price`.
    pub arrival_slippage: Option<Money>,
    /// The same as a share of the executed units at `arrival_price`.
    pub arrival_slippage_bp: Option<Bps>,
    /// Fees, at the rates of their bookings.
    pub fees: Option<Money>,
    /// When it was released.
    pub released_at: Timestamp,
    /// Microseconds from then to its first execution, by the clock of its sender.
    pub first_fill_us: Option<i64>,
    /// Microseconds from then to its last execution.
    pub last_fill_us: Option<i64>,
}

/// The execution of all orders of a rebalance. Slippage is positive where it cost; amounts are in the base currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Execution {
    /// Orders that left.
    pub orders: i32,
    /// Of them, filled whole.
    pub filled_orders: i32,
    /// Σ of what they were expected to be worth.
    pub ordered_value: Money,
    /// What of that was executed.
    pub filled_value: Money,
    /// filled_value ÷ ordered_value; null where nothing was ordered.
    pub fill_rate: Option<Fraction>,
    /// Σ executions at their prices.
    pub traded_value: Option<Money>,
    /// Σ slippage against the prices of the plan.
    pub slippage: Option<Money>,
    /// The same as a share of the executed units at those prices.
    pub slippage_bp: Option<Bps>,
    /// Σ slippage against the prices of the releases.
    pub arrival_slippage: Option<Money>,
    /// The same as a share of the executed units at those prices.
    pub arrival_slippage_bp: Option<Bps>,
    /// Σ fees.
    pub fees: Option<Money>,
    /// slippage + fees.
    pub cost: Option<Money>,
    /// The same as a share of `traded_value`.
    pub cost_bp: Option<Bps>,
    /// Microseconds from the first release to the first execution.
    pub first_fill_us: Option<i64>,
    /// Microseconds from the first release to the last execution.
    pub last_fill_us: Option<i64>,
    /// Why figures are null, where they are.
    pub reason: Option<SmolStr>,
    /// By order, as they left.
    pub lines: Vec<OrderExecution>,
}
