//! An order below `min_notional` is not made: BELOW_MIN_NOTIONAL. Exits are exempt with `exit_exempt`.
//! Each leg of an order that crosses zero counts with the other, and a slice of an order is no order of its own.

use super::{Draft, Ruling};
use crate::plan::desk::Wish;
use crate::plan::exact::money;
use domain::reason::ReasonCode;

/// The rule.
pub(super) fn rule(draft: &Draft, wish: &mut Wish) -> Option<Ruling> {
    let orders = draft.desk.input.rules.orders;
    if draft.desk.parts {
        return None;
    }
    let small = draft.notional() < money(orders.min_notional) && !(draft.is_exit() && orders.exit_exempt);
    small.then(|| {
        wish.note("min_notional", orders.min_notional);
        Ruling::Skip(ReasonCode::BelowMinNotional)
    })
}

#[cfg(test)]
mod tests {
    use crate::constraints::sample::decision;

    const BOOK: &str = "A 60 @ 10\ncash USD 400";

    #[test]
    fn an_order_of_the_minimum_passes() {
        for (minimum, said) in
            [("99.9999999999", "ORDER DRIFT_SELL -10"), ("100", "ORDER DRIFT_SELL -10"), ("100.0000000001", "SKIP BELOW_MIN_NOTIONAL")]
        {
            let policy = format!(r#""targets":[{{"instrument_id":"A","target_weight":"0.5"}}],"orders":{{"min_notional":"{minimum}"}}"#);
            assert_eq!(decision(&policy, BOOK, "A"), said, "{minimum}");
        }
    }

    #[test]
    fn exits_are_exempt_where_the_policy_says_so() {
        for (exempt, said) in [(true, "ORDER EXIT -60"), (false, "SKIP BELOW_MIN_NOTIONAL")] {
            let policy = format!(r#""orders":{{"min_notional":"1000","exit_exempt":{exempt}}}"#);
            assert_eq!(decision(&policy, BOOK, "A"), said);
        }
    }
}
