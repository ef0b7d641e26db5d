//! An instrument whose trading is halted at its market is not ordered: HALTED. It keeps its price.

use super::{Draft, Ruling};
use crate::plan::desk::Wish;
use domain::enums::MarketState;
use domain::reason::ReasonCode;

/// The rule.
pub(super) fn rule(draft: &Draft, _: &mut Wish) -> Option<Ruling> {
    (draft.holding().at.market_status == MarketState::Halted).then_some(Ruling::Skip(ReasonCode::Halted))
}

#[cfg(test)]
mod tests {
    use crate::constraints::sample::decision;

    #[test]
    fn only_halted_instruments_are_left_alone() {
        for (status, said) in [("HALTED", "SKIP HALTED"), ("OPEN", "ORDER EXIT -30"), ("UNKNOWN", "ORDER EXIT -30")] {
            assert_eq!(decision("", &format!("A 30 @ 10 status {status}\ncash USD 400"), "A"), said);
        }
    }
}
