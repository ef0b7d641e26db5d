//! Ids of everything that the rebalancer makes. Each is a UUIDv5 over length-prefixed parts: no clock,
//! no epoch, no offset and no chance is in it, so that the same decision has the same id for ever.
//! The number and the length of the parts keep the kinds apart.

use domain::enums::WaveKind;
use domain::ids::uuid_of;
use domain::{InstrumentId, OrderId, PortfolioId, RebalanceId, Uuid};

/// The id of a portfolio's cycle; cycles count from 1.
pub fn rebalance(portfolio: &PortfolioId, cycle: u64) -> RebalanceId {
    RebalanceId(uuid_of(&[portfolio.as_str().as_bytes(), &cycle.to_be_bytes()]))
}

/// The id of an order; legs count from 1 through the whole cycle.
pub fn order(portfolio: &PortfolioId, cycle: u64, instrument: &InstrumentId, leg: u32) -> OrderId {
    let parts = [portfolio.as_str().as_bytes(), &cycle.to_be_bytes(), instrument.as_str().as_bytes(), &leg.to_be_bytes()];
    OrderId(uuid_of(&parts))
}

/// The id of a rebalance that opened no cycle (a check, a refusal): it never has an order that leaves.
pub fn aside(portfolio: &PortfolioId, number: u64) -> RebalanceId {
    RebalanceId(uuid_of(&[b"aside", portfolio.as_str().as_bytes(), &number.to_be_bytes()]))
}

/// The id of an order that is proposed only.
pub fn aside_order(portfolio: &PortfolioId, number: u64, instrument: &InstrumentId, leg: u32) -> OrderId {
    let parts =
        [b"aside".as_slice(), portfolio.as_str().as_bytes(), &number.to_be_bytes(), instrument.as_str().as_bytes(), &leg.to_be_bytes()];
    OrderId(uuid_of(&parts))
}

/// The id of what shadow rules came to: numbered apart, so that a shadow changes no id of anything else.
pub fn shadow(portfolio: &PortfolioId, number: u64) -> RebalanceId {
    RebalanceId(uuid_of(&[b"shadow", portfolio.as_str().as_bytes(), &number.to_be_bytes()]))
}

/// The id of an order that shadow rules propose.
pub fn shadow_order(portfolio: &PortfolioId, number: u64, instrument: &InstrumentId, leg: u32) -> OrderId {
    let parts =
        [b"shadow".as_slice(), portfolio.as_str().as_bytes(), &number.to_be_bytes(), instrument.as_str().as_bytes(), &leg.to_be_bytes()];
    OrderId(uuid_of(&parts))
}

/// The id of a wave; waves count from 1 through the cycle, cancel requests among them.
pub fn wave(rebalance: RebalanceId, number: i32, kind: WaveKind) -> Uuid {
    uuid_of(&[rebalance.0.as_bytes(), &number.to_be_bytes(), kind.symbol().as_bytes()])
}

/// The id of a request for a drift event; requests count from 1 through the portfolio's life.
pub fn request(portfolio: &PortfolioId, number: u64) -> Uuid {
    uuid_of(&[b"refresh", portfolio.as_str().as_bytes(), &number.to_be_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_fixed_for_ever() {
        let (p, i) = (PortfolioId::new("growth").unwrap(), InstrumentId::new("AAPL").unwrap());
        // Released values: a change here would give old orders new ids.
        assert_eq!(order(&p, 1, &i, 1).to_string(), "4e66c0c9-18e6-5a81-8480-ce289f968155");
        assert_eq!(rebalance(&p, 1).to_string(), "bbd039b5-dae4-5b57-94dd-e2760a010f4d");
    }

    #[test]
    fn no_two_things_share_an_id() {
        let (p, q) = (PortfolioId::new("p").unwrap(), PortfolioId::new("pp").unwrap());
        let i = InstrumentId::new("i").unwrap();
        let mut seen = BTreeSet::new();
        for portfolio in [&p, &q] {
            for cycle in 1..4 {
                assert!(seen.insert(rebalance(portfolio, cycle).0));
                assert!(seen.insert(aside(portfolio, cycle).0));
                assert!(seen.insert(shadow(portfolio, cycle).0));
                assert!(seen.insert(request(portfolio, cycle)));
                assert!(seen.insert(wave(rebalance(portfolio, cycle), 1, WaveKind::New)));
                assert!(seen.insert(wave(rebalance(portfolio, cycle), 1, WaveKind::Cancel)));
                for leg in 1..3 {
                    assert!(seen.insert(order(portfolio, cycle, &i, leg).0));
                    assert!(seen.insert(aside_order(portfolio, cycle, &i, leg).0));
                    assert!(seen.insert(shadow_order(portfolio, cycle, &i, leg).0));
                }
            }
        }
    }
}
