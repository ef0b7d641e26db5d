//! Whether the router can take an order at all, and a wave at all.

use domain::Timestamp;
use domain::enums::{OrderType, Side, TimeInForce, WaveKind};
use domain::order::{Order, OrderWave};
use domain::reason::DeadLetterCode;
use engine::Refusal;

/// Longest time from an order's arrival to its `valid_until`: that of its topic. It bounds what must be
/// remembered of finished orders.
pub const MAX_VALID_SECONDS: i64 = 90 * 86_400;

/// For how long after its `valid_until` a finished order's id is remembered.
///
/// That is safe: an order past its `valid_until` is never executed, and a wave that names an order past
/// this time as well is dead-lettered, so that no forgotten order is ever reported a second time.
pub const REMEMBERED_SECONDS: i64 = 86_400;

/// Why an order is rejected: a code and words.
pub type Reason = (&'static str, &'static str);

/// What is wrong with a new order.
pub fn refusal_of(order: &Order, now: Timestamp) -> Option<Reason> {
    if !order.quantity.is_positive() || !order.quantity.fits_wire() {
        return Some(("INVALID_QUANTITY", "the quantity must be positive"));
    }
    if order.side == Side::Unknown {
        return Some(("UNKNOWN_SIDE", "the side is none of BUY, SELL, SELL_SHORT"));
    }
    match (order.order_type, order.limit_price) {
        (OrderType::Market, _) => {}
        (OrderType::Limit, Some(limit)) if limit.is_positive() => {}
        (OrderType::Limit, _) => return Some(("INVALID_LIMIT", "a LIMIT order needs a positive limit price")),
        (OrderType::Unknown, _) => return Some(("UNKNOWN_ORDER_TYPE", "the type is neither MARKET nor LIMIT")),
    }
    match order.time_in_force {
        TimeInForce::Day | TimeInForce::Gtc | TimeInForce::Ioc | TimeInForce::Fok => {}
        TimeInForce::AtClose => return Some(("UNSUPPORTED", "the paper router knows no closing auction")),
        TimeInForce::Unknown => return Some(("UNKNOWN_TIME_IN_FORCE", "the time in force is none of DAY, GTC, IOC, FOK")),
    }
    if order.valid_until > now.plus_seconds(MAX_VALID_SECONDS) {
        return Some(("VALID_TOO_LONG", "valid_until lies more than 90 days ahead"));
    }
    None
}

/// What is wrong with a wave as a whole.
pub fn check_wave(wave: &OrderWave, now: Timestamp) -> Result<(), Refusal> {
    if wave.kind == WaveKind::Unknown {
        return Err(Refusal::new(DeadLetterCode::UnknownEnum, format!("wave {} is neither NEW nor CANCEL", wave.wave_id)));
    }
    for order in &wave.orders {
        if order.portfolio_id != wave.portfolio_id || order.rebalance_id != wave.rebalance_id {
            let text = format!("order {} names another portfolio or rebalance than its wave {}", order.order_id, wave.wave_id);
            return Err(Refusal::new(DeadLetterCode::InvalidRecord, text));
        }
        if order.valid_until.plus_seconds(REMEMBERED_SECONDS) < now {
            let text = format!(
                "order {} was valid until {}, more than a day before {now}: whether it was executed is no longer known here; \
                 settle it with RECONCILE",
                order.order_id, order.valid_until
            );
            return Err(Refusal::new(DeadLetterCode::InvalidRecord, text));
        }
    }
    Ok(())
}
