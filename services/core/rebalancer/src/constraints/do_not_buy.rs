//! Instruments on `do_not_buy` are not bought, not even to cover: DO_NOT_BUY. Sells pass.

use super::{Draft, Ruling};
use crate::plan::desk::Wish;
use domain::reason::ReasonCode;

/// The rule.
pub(super) fn rule(draft: &Draft, _: &mut Wish) -> Option<Ruling> {
    let forbidden = draft.quantity > 0 && draft.desk.input.rules.orders.do_not_buy.contains(&draft.holding().at.instrument_id);
    forbidden.then_some(Ruling::Skip(ReasonCode::DoNotBuy))
}

#[cfg(test)]
mod tests {
    use crate::constraints::sample::decision;

    #[test]
    fn listed_instruments_are_not_bought_and_may_be_sold() {
        let policy = r#""targets":[{"instrument_id":"A","target_weight":"0.5"}],"orders":{"do_not_buy":["A"]}"#;
        assert_eq!(decision(policy, "A 40 @ 10\ncash USD 600", "A"), "SKIP DO_NOT_BUY");
        assert_eq!(decision(policy, "A 50 @ 10\ncash USD 500", "A"), "SKIP BELOW_MINIMUM_DEVIATION");
        assert_eq!(decision(policy, "A 60 @ 10\ncash USD 400", "A"), "ORDER DRIFT_SELL -10");
    }
}
