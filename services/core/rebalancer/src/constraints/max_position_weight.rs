//! No order takes a holding, with its open orders, beyond `max_position_weight` in magnitude:
//! POSITION_LIMIT. It cuts to what fits, in whole lots; orders that bring a holding nearer to zero pass.

use super::{Draft, Ruling};
use crate::plan::desk::Wish;
use crate::plan::exact::{Int, int, narrow, ten};
use domain::Fraction;
use domain::reason::ReasonCode;

/// The rule.
pub(super) fn rule(draft: &Draft, wish: &mut Wish) -> Option<Ruling> {
    const ONE: Int = ten(Fraction::SCALE);
    let limit = draft.desk.input.rules.limits.max_position_weight?;
    wish.note("max_position_weight", limit);
    let holding = draft.holding();
    let (room, each) = (int(limit.units()) * draft.desk.book.equity, holding.unit * ONE);
    let after = holding.expected() + draft.quantity;
    let away = after.signum() == draft.quantity.signum();
    if !away || int(after).abs() * each <= room {
        return None;
    }
    let most = narrow(room / each)? * draft.quantity.signum() - holding.expected();
    let most = if most.signum() == draft.quantity.signum() { draft.desk.whole_lots(draft.index, most) } else { 0 };
    Some(Ruling::Cut(most, ReasonCode::PositionLimit))
}

#[cfg(test)]
mod tests {
    use crate::constraints::sample::decision;

    const BOOK: &str = "A 10 @ 10 lot 5\ncash USD 900";

    fn policy(target: &str, limit: &str) -> String {
        format!(
            r#""targets":[{{"instrument_id":"A","target_weight":"{target}"}}],"orders":{{"allow_short":true}},
            "limits":{{"max_position_weight":"{limit}"}}"#
        )
    }

    #[test]
    fn a_buy_is_cut_to_the_lots_that_fit() {
        for (limit, said) in [
            ("0.299999999999", "CUT POSITION_LIMIT 15"),
            ("0.3", "ORDER DRIFT_BUY 20"),
            ("0.300000000001", "ORDER DRIFT_BUY 20"),
            ("0.1", "SKIP POSITION_LIMIT"),
            ("0.05", "SKIP POSITION_LIMIT"),
        ] {
            assert_eq!(decision(&policy("0.3", limit), BOOK, "A"), said, "{limit}");
        }
    }

    #[test]
    fn shorts_are_bounded_too_and_sells_of_what_is_held_are_not() {
        assert_eq!(decision(&policy("-0.3", "0.2"), BOOK, "A"), "CUT POSITION_LIMIT -30");
        assert_eq!(decision(&policy("0.3", "0.1"), "A 60 @ 10\ncash USD 400", "A"), "ORDER DRIFT_SELL -30");
    }
}
