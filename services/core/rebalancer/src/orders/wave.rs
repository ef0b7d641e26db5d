//! From drafts to the records that a router reads: orders with their terms, and the one record of a wave.

use crate::orders::draft::Draft;
use crate::orders::ids;
use domain::drift::Drift;
use domain::enums::{OrderType, TimeInForce, WaveKind};
use domain::order::{Order, OrderWave};
use domain::policy::Policy;
use domain::{PortfolioId, RebalanceId, SmolStr, Timestamp};
use serde::{Deserialize, Serialize};

/// What all orders of a cycle have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Policy that made them.
    pub policy_version: i64,
    /// Snapshot before them.
    pub snapshot_version: i64,
    /// Episode of the drift event.
    pub drift_episode: i64,
    /// Type.
    pub order_type: OrderType,
    /// How long they stand at the venue.
    pub time_in_force: TimeInForce,
    /// Seconds from release to the cancel request.
    pub valid_seconds: i64,
    /// Least seconds from one slice to the next; zero where none leave in slices.
    pub slice_seconds: i64,
}

impl Terms {
    /// The terms that a policy sets, on one drift event.
    pub fn of(policy: &Policy, drift: &Drift) -> Self {
        let orders = match &policy.shadow {
            Some(shadow) if drift.shadow => &shadow.orders,
            _ => &policy.orders,
        };
        Self {
            policy_version: policy.policy_version,
            snapshot_version: drift.snapshot_version,
            drift_episode: drift.episode,
            order_type: orders.order_type,
            time_in_force: orders.time_in_force,
            valid_seconds: orders.valid_seconds,
            slice_seconds: orders.slicing.as_ref().map_or(0, |slicing| slicing.interval_seconds),
        }
    }
    /// The order of a draft, as of `now`.
    pub fn order(&self, portfolio: &PortfolioId, rebalance: RebalanceId, draft: &Draft, now: Timestamp) -> Order {
        let leg = &draft.leg;
        Order {
            order_id: draft.order_id,
            rebalance_id: rebalance,
            portfolio_id: portfolio.clone(),
            instrument_id: leg.instrument_id.clone(),
            side: leg.side,
            quantity: leg.quantity,
            order_type: self.order_type,
            limit_price: leg.limit_price,
            time_in_force: self.time_in_force,
            currency: leg.currency,
            reference_price: leg.reference_price,
            reference_time: leg.reference_time,
            expected_value: leg.expected_value,
            reason: leg.reason,
            numbers: leg.numbers.clone(),
            policy_version: self.policy_version,
            snapshot_version: self.snapshot_version,
            valid_until: now.plus_seconds(self.valid_seconds),
            block_key: block_key(draft, now),
            expected_fees: Some(leg.costs.fees),
            expected_spread: leg.costs.spread,
            expected_impact: leg.costs.impact,
            venue: leg.venue.clone(),
            urgency: leg.urgency,
        }
    }
    /// The orders of drafts, as of `now`.
    pub fn orders(&self, portfolio: &PortfolioId, rebalance: RebalanceId, drafts: &[Draft], now: Timestamp) -> Vec<Order> {
        drafts.iter().map(|draft| self.order(portfolio, rebalance, draft, now)).collect()
    }
}

/// instrument|side|hour: orders that a router may trade as one block and allocate back. The firm is
/// the deployment, whose topics no other firm shares.
fn block_key(draft: &Draft, now: Timestamp) -> SmolStr {
    let hour: String = now.to_string().chars().take("2026-01-05T14".len()).collect();
    SmolStr::new(format!("{}|{}|{hour}", draft.leg.instrument_id, draft.leg.side))
}

/// The record of a wave. A wave of cancel requests is valid until its latest order was.
pub fn wave(terms: &Terms, rebalance: RebalanceId, number: i32, kind: WaveKind, orders: Vec<Order>, note: Option<&str>) -> OrderWave {
    let first = orders.first().expect("a wave without orders is never made");
    OrderWave {
        wave_id: ids::wave(rebalance, number, kind),
        rebalance_id: rebalance,
        portfolio_id: first.portfolio_id.clone(),
        wave_number: number,
        kind,
        valid_until: orders.iter().map(|order| order.valid_until).max().unwrap_or_default(),
        orders,
        funding_note: note.map(SmolStr::new),
        policy_version: terms.policy_version,
        drift_episode: terms.drift_episode,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orders::draft::Before;
    use crate::plan::{Costs, Leg};
    use domain::enums::{Side, Urgency};
    use domain::reason::ReasonCode;
    use domain::{FxRate, OrderId, Uuid};

    fn sent(portfolio: &str, instrument: &str, side: Side, at: &str) -> Order {
        let leg = Leg {
            instrument_id: instrument.parse().unwrap(),
            side,
            quantity: "1".parse().unwrap(),
            reference_price: "1".parse().unwrap(),
            reference_time: Timestamp::default(),
            currency: "USD".parse().unwrap(),
            reference_rate: FxRate::ONE,
            limit_price: None,
            expected_value: "1".parse().unwrap(),
            reason: ReasonCode::Exit,
            numbers: Vec::new(),
            outside: false,
            costs: Costs { fees: "3".parse().unwrap(), spread: "2".parse().ok(), impact: None },
            venue: Some("XNAS".into()),
            urgency: Urgency::High,
            slice: None,
        };
        let terms = Terms {
            policy_version: 1,
            snapshot_version: 1,
            drift_episode: 1,
            order_type: OrderType::Market,
            time_in_force: TimeInForce::Day,
            valid_seconds: 1,
            slice_seconds: 0,
        };
        let planned_price = leg.reference_price;
        let draft = Draft { order_id: OrderId(Uuid::nil()), leg, before: Before::default(), planned_price };
        terms.order(&portfolio.parse().unwrap(), RebalanceId(Uuid::nil()), &draft, at.parse().unwrap())
    }

    #[test]
    fn a_block_is_of_one_instrument_side_and_hour_whatever_the_portfolio() {
        let key = |portfolio, instrument, side, at| sent(portfolio, instrument, side, at).block_key;
        let first = key("p", "A", Side::Sell, "2026-01-05T14:00:00Z");
        assert_eq!(first, "A|SELL|2026-01-05T14");
        assert_eq!(key("q", "A", Side::Sell, "2026-01-05T14:59:59.999999Z"), first);
        for other in [
            key("p", "B", Side::Sell, "2026-01-05T14:00:00Z"),
            key("p", "A", Side::SellShort, "2026-01-05T14:00:00Z"),
            key("p", "A", Side::Sell, "2026-01-05T15:00:00Z"),
            key("p", "A", Side::Sell, "2026-01-06T14:00:00Z"),
        ] {
            assert_ne!(other, first);
        }
    }

    #[test]
    fn an_order_tells_its_costs_and_where_and_how_soon_it_goes() {
        let order = sent("p", "A", Side::Sell, "2026-01-05T14:00:00Z");
        let costs = [order.expected_fees, order.expected_spread, order.expected_impact].map(|cost| cost.map(|cost| cost.to_string()));
        assert_eq!(costs, [Some("3".to_owned()), Some("2".to_owned()), None]);
        assert_eq!((order.venue.as_deref(), order.urgency), (Some("XNAS"), Urgency::High));
    }
}
