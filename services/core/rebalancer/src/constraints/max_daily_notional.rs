//! Orders whose expected value no longer fits under `max_daily_notional`, beside what was released since the
//! day cut, are not made: ORDER_LIMIT. Sells are served first, then buys, the largest |drift| first; a smaller
//! one may still fit.

use super::{Draft, sells_first};
use crate::plan::LimitMet;
use crate::plan::desk::{Desk, Wish};
use crate::plan::exact::{Int, money, to_money};
use crate::plan::legs::expected_value;
use domain::reason::ReasonCode;

/// The rule over all drafts.
pub(super) fn serve(desk: &Desk, wishes: &mut [Wish]) -> Option<LimitMet> {
    let limit = desk.input.rules.limits.max_daily_notional?;
    let (mut wanted, mut met) = (Some(Int::ZERO), false);
    let mut used = money(desk.input.released_today);
    for index in sells_first(desk, wishes) {
        let wish = &mut wishes[index];
        let draft = Draft { desk, index, quantity: wish.quantity };
        // A value that money cannot hold fits under no limit.
        let value = draft.orders().try_fold(Int::ZERO, |sum, units| Some(sum + money(expected_value(draft.holding(), units)?)));
        wanted = wanted.zip(value).map(|(sum, value)| sum + value);
        wish.note("max_daily_notional", limit);
        match value {
            Some(value) if used + value <= money(limit) => used += value,
            _ => {
                met = true;
                wish.skip(ReasonCode::OrderLimit);
            }
        }
    }
    let wanted = wanted.and_then(to_money);
    met.then_some(LimitMet::DailyNotional { limit, released: desk.input.released_today, wanted })
}

#[cfg(test)]
mod tests {
    use crate::constraints::sample::Case;

    #[test]
    fn what_was_released_today_counts() {
        let book = "A 30 @ 10\nB 20 @ 10\ncash USD 500";
        for (released, a, b) in [
            ("99.9999999999", "ORDER EXIT -30", "ORDER EXIT -20"),
            ("100", "ORDER EXIT -30", "ORDER EXIT -20"),
            ("100.0000000001", "ORDER EXIT -30", "SKIP ORDER_LIMIT"),
            ("300.0000000001", "SKIP ORDER_LIMIT", "ORDER EXIT -20"),
        ] {
            let case = Case::new(r#""limits":{"max_daily_notional":"600"}"#, book).released(released);
            assert_eq!(case.decision("A"), a, "{released}");
            assert_eq!(case.decision("B"), b, "{released}");
            assert_eq!(!case.met().is_empty(), b.starts_with("SKIP") || a.starts_with("SKIP"), "{released}");
        }
    }
}
