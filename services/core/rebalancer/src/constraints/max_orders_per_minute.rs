//! Orders beyond `max_orders_per_minute`, beside those of the last 60 seconds, are not made: ORDER_LIMIT.
//! Each leg is an order. Sells are served first, then buys, the largest |drift| first.

use super::{Draft, sells_first};
use crate::plan::LimitMet;
use crate::plan::desk::{Desk, Wish};
use domain::reason::ReasonCode;

/// The rule over all drafts.
pub(super) fn serve(desk: &Desk, wishes: &mut [Wish]) -> Option<LimitMet> {
    let limit = desk.input.rules.limits.max_orders_per_minute?;
    let (mut wanted, mut met) = (0, false);
    let mut left = i64::from(limit) - i64::from(desk.input.orders_last_minute);
    for index in sells_first(desk, wishes) {
        let wish = &mut wishes[index];
        let orders = Draft { desk, index, quantity: wish.quantity }.orders().fold(0, |count, _| count + 1);
        wish.note("max_orders_per_minute", limit);
        wanted += orders;
        if orders <= left {
            left -= orders;
        } else {
            met = true;
            wish.skip(ReasonCode::OrderLimit);
        }
    }
    met.then_some(LimitMet::OrdersPerMinute { limit, released: desk.input.orders_last_minute, wanted })
}

#[cfg(test)]
mod tests {
    use crate::constraints::sample::Case;

    #[test]
    fn orders_of_the_last_minute_count() {
        let book = "A 30 @ 10\nB 20 @ 10\ncash USD 500";
        for (before, a, b) in [
            (2, "ORDER EXIT -30", "ORDER EXIT -20"),
            (3, "ORDER EXIT -30", "ORDER EXIT -20"),
            (4, "ORDER EXIT -30", "SKIP ORDER_LIMIT"),
            (5, "SKIP ORDER_LIMIT", "SKIP ORDER_LIMIT"),
        ] {
            let case = Case::new(r#""limits":{"max_orders_per_minute":5}"#, book).last_minute(before);
            assert_eq!(case.decision("A"), a, "{before}");
            assert_eq!(case.decision("B"), b, "{before}");
            assert_eq!(!case.met().is_empty(), b.starts_with("SKIP"), "{before}");
        }
    }
}
