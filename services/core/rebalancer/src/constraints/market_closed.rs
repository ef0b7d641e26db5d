//! An instrument whose market is closed or in auction is not ordered: MARKET_CLOSED. A market that never
//! reported a status is open, unless `require_market_status`.

use super::{Draft, Ruling};
use crate::plan::desk::Wish;
use domain::enums::MarketState;
use domain::reason::ReasonCode;

/// The rule.
pub(super) fn rule(draft: &Draft, _: &mut Wish) -> Option<Ruling> {
    let closed = match draft.holding().at.market_status {
        MarketState::Closed | MarketState::Auction => true,
        MarketState::Unknown => draft.desk.input.rules.orders.require_market_status,
        MarketState::Open | MarketState::Halted => false,
    };
    closed.then_some(Ruling::Skip(ReasonCode::MarketClosed))
}

#[cfg(test)]
mod tests {
    use crate::constraints::sample::decision;

    #[test]
    fn closed_and_unreported_markets() {
        let ordered = "ORDER EXIT -30";
        let closed = "SKIP MARKET_CLOSED";
        for (status, required, said) in [
            ("CLOSED", false, closed),
            ("AUCTION", false, closed),
            ("OPEN", true, ordered),
            ("UNKNOWN", false, ordered),
            ("UNKNOWN", true, closed),
        ] {
            let policy = format!(r#""orders":{{"require_market_status":{required}}}"#);
            assert_eq!(decision(&policy, &format!("A 30 @ 10 status {status}\ncash USD 400"), "A"), said, "{status} {required}");
        }
    }
}
