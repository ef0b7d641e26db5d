//! Instruments on `do_not_sell`, and all of them under `no_sells`, are not sold: DO_NOT_SELL.
//! Buys, also those that cover, pass.

use super::{Draft, Ruling};
use crate::plan::desk::Wish;
use domain::reason::ReasonCode;

/// The rule.
pub(super) fn rule(draft: &Draft, _: &mut Wish) -> Option<Ruling> {
    let orders = draft.desk.input.rules.orders;
    let forbidden = draft.quantity < 0 && (orders.no_sells || orders.do_not_sell.contains(&draft.holding().at.instrument_id));
    forbidden.then_some(Ruling::Skip(ReasonCode::DoNotSell))
}

#[cfg(test)]
mod tests {
    use crate::constraints::sample::decision;

    #[test]
    fn listed_instruments_are_not_sold_and_may_be_bought() {
        let policy = r#""targets":[{"instrument_id":"A","target_weight":"0.5"}],"orders":{"do_not_sell":["A"]}"#;
        assert_eq!(decision(policy, "A 60 @ 10\ncash USD 400", "A"), "SKIP DO_NOT_SELL");
        assert_eq!(decision(policy, "A 50 @ 10\ncash USD 500", "A"), "SKIP BELOW_MINIMUM_DEVIATION");
        assert_eq!(decision(policy, "A 40 @ 10\ncash USD 600", "A"), "ORDER DRIFT_BUY 10");
    }

    #[test]
    fn no_sells_covers_every_instrument() {
        assert_eq!(decision(r#""orders":{"no_sells":true}"#, "A 60 @ 10\ncash USD 400", "A"), "SKIP DO_NOT_SELL");
        assert_eq!(decision(r#""orders":{"no_sells":false}"#, "A 60 @ 10\ncash USD 400", "A"), "ORDER EXIT -60");
    }
}
