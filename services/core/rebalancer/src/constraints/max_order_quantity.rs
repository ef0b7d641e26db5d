//! An order of more units than `max_order_quantity` is not made: ORDER_LIMIT. Each leg is an order, or each slice of it.

use super::{Draft, Ruling};
use crate::plan::desk::Wish;
use domain::reason::ReasonCode;

/// The rule.
pub(super) fn rule(draft: &Draft, wish: &mut Wish) -> Option<Ruling> {
    let limit = draft.desk.input.rules.limits.max_order_quantity?;
    wish.note("max_order_quantity", limit);
    draft.largest().any(|units| units > limit.units()).then_some(Ruling::Skip(ReasonCode::OrderLimit))
}

#[cfg(test)]
mod tests {
    use crate::constraints::sample::decision;

    #[test]
    fn an_order_of_the_limit_passes() {
        for (limit, said) in [("29.99999999", "SKIP ORDER_LIMIT"), ("30", "ORDER EXIT -30"), ("30.00000001", "ORDER EXIT -30")] {
            let policy = format!(r#""limits":{{"max_order_quantity":"{limit}"}}"#);
            assert_eq!(decision(&policy, "A 30 @ 10\ncash USD 400", "A"), said, "{limit}");
        }
    }
}
