//! An order whose limit price would not be above zero is not made: PRICE_OUTLIER. It happens where the tick
//! is larger than the price, or the offset takes all of it.

use super::{Draft, Ruling};
use crate::plan::desk::Wish;
use crate::plan::legs::{Limit, limit};
use domain::enums::Side;
use domain::reason::ReasonCode;

/// The rule.
pub(super) fn rule(draft: &Draft, wish: &mut Wish) -> Option<Ruling> {
    let orders = draft.desk.input.rules.orders;
    let side = if draft.quantity > 0 { Side::Buy } else { Side::Sell };
    if !matches!(limit(orders, draft.holding().at, side), Limit::Impossible) {
        return None;
    }
    wish.note("limit_offset_bp", orders.limit_offset_bp);
    Some(Ruling::Skip(ReasonCode::PriceOutlier))
}

#[cfg(test)]
mod tests {
    use crate::constraints::sample::decision;

    #[test]
    fn a_limit_price_of_one_tick_passes_and_none_does_not() {
        for (tick, said) in [("9.99", "ORDER DRIFT_BUY 20"), ("10", "ORDER DRIFT_BUY 20"), ("10.01", "SKIP PRICE_OUTLIER")] {
            let policy = r#""targets":[{"instrument_id":"A","target_weight":"0.3"}],"orders":{"order_type":"LIMIT"}"#;
            assert_eq!(decision(policy, &format!("A 10 @ 10 tick {tick}\ncash USD 900"), "A"), said, "{tick}");
        }
    }
}
