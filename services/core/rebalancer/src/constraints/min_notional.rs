//! An order below `min_notional` is not made: BELOW_MIN_NOTIONAL. Exits are exempt with `exit_exempt`.
//!
//! Each leg of what crosses zero is an order. A short leg that is too small is cut, so that the holding is sold, in whole
//! lots, and no more; the leg that closes the holding is an exit of its own, with the other or without it, and where that
//! is not exempt a small one leaves nothing.
//!
//! A slice of an order is no order of its own.

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
    let small = |units: i128| draft.holding().notional(units) < money(orders.min_notional);
    let closes = |units: i128| {
        let (desk, index) = (draft.desk, draft.index);
        let on_the_way = draft.quantity < 0 && desk.goal_side(index) < 0;
        on_the_way && units == desk.whole_lots(index, draft.holding().sellable())
    };
    let is_exempt = |units: i128| orders.exit_exempt && (draft.is_exit() || closes(units));
    let legs: Vec<i128> = draft.orders().collect();
    let ruling = match legs[..] {
        [closing, _] if small(closing) && !orders.exit_exempt => Ruling::Skip(ReasonCode::BelowMinNotional),
        [closing, short] if small(short) && !(orders.exit_exempt && draft.is_exit()) => {
            Ruling::Cut(-draft.desk.whole_lots(draft.index, closing), ReasonCode::BelowMinNotional)
        }
        [units] if small(units) && !is_exempt(units) => Ruling::Skip(ReasonCode::BelowMinNotional),
        _ => return None,
    };
    wish.note("min_notional", orders.min_notional);
    Some(ruling)
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
    fn each_leg_of_what_crosses_zero_is_an_order() {
        // 30 units at 10 are sold in a book worth 2,000: those that are held, and the rest short.
        let said = |held: i32, minimum: &str, exempt: bool| {
            let orders = format!(r#""orders":{{"allow_short":true,"min_notional":"{minimum}","exit_exempt":{exempt}}}"#);
            let target = format!(r#""targets":[{{"instrument_id":"A","target_weight":"-0.{:03}"}}]"#, (30 - held) * 5);
            decision(&format!("{target},{orders}"), &format!("A {held} @ 10\ncash USD {}", 2000 - held * 10), "A")
        };
        for exempt in [true, false] {
            assert_eq!(said(20, "100", exempt), "ORDER DRIFT_SELL -30", "both legs are large enough");
            assert_eq!(said(20, "100.0000000001", exempt), "CUT BELOW_MIN_NOTIONAL -20", "the short leg is too small");
        }
        assert_eq!(said(10, "100.0000000001", true), "ORDER DRIFT_SELL -30", "the closing leg is an exit");
        assert_eq!(said(10, "100.0000000001", false), "SKIP BELOW_MIN_NOTIONAL");
        assert_eq!(said(10, "100", false), "ORDER DRIFT_SELL -30");
        assert_eq!(said(20, "500", true), "CUT BELOW_MIN_NOTIONAL -20", "both are too small, and one is an exit");
        assert_eq!(said(20, "500", false), "SKIP BELOW_MIN_NOTIONAL");
    }

    #[test]
    fn exits_are_exempt_where_the_policy_says_so() {
        for (exempt, said) in [(true, "ORDER EXIT -60"), (false, "SKIP BELOW_MIN_NOTIONAL")] {
            let policy = format!(r#""orders":{{"min_notional":"1000","exit_exempt":{exempt}}}"#);
            assert_eq!(decision(&policy, BOOK, "A"), said);
        }
    }
}
