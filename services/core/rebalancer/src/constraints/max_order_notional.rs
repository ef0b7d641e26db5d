//! An order worth more than `max_order_notional` is not made: ORDER_LIMIT. Each leg is an order, or each slice of it.

use super::{Draft, Ruling};
use crate::plan::desk::Wish;
use crate::plan::exact::money;
use domain::reason::ReasonCode;

/// The rule.
pub(super) fn rule(draft: &Draft, wish: &mut Wish) -> Option<Ruling> {
    let limit = draft.desk.input.rules.limits.max_order_notional?;
    wish.note("max_order_notional", limit);
    draft.largest().any(|units| draft.holding().notional(units) > money(limit)).then_some(Ruling::Skip(ReasonCode::OrderLimit))
}

#[cfg(test)]
mod tests {
    use crate::constraints::sample::decision;

    #[test]
    fn an_order_of_the_limit_passes() {
        for (limit, said) in [("299.9999999999", "SKIP ORDER_LIMIT"), ("300", "ORDER EXIT -30"), ("300.0000000001", "ORDER EXIT -30")] {
            let policy = format!(r#""limits":{{"max_order_notional":"{limit}"}}"#);
            assert_eq!(decision(&policy, "A 30 @ 10\ncash USD 400", "A"), said, "{limit}");
        }
    }

    #[test]
    fn the_legs_of_a_crossing_order_are_looked_at_one_by_one() {
        let policy = |limit: &str| {
            format!(
                r#""targets":[{{"instrument_id":"A","target_weight":"-0.2"}}],"orders":{{"allow_short":true}},
                "limits":{{"max_order_notional":"{limit}"}}"#
            )
        };
        let book = "A 10 @ 10\ncash USD 900";
        assert_eq!(decision(&policy("200"), book, "A"), "ORDER DRIFT_SELL -30");
        assert_eq!(decision(&policy("199.9999999999"), book, "A"), "SKIP ORDER_LIMIT");
    }
}
