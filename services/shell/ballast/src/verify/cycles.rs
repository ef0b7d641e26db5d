//! I8: an order id is used once, and a portfolio has one open cycle.

use super::fate::Fates;
use super::history::History;
use super::lanes::Lanes;
use super::planned;
use super::report::Check;
use super::seen::Place;
use super::sizes;
use domain::enums::{RebalanceStatus, WaveKind};
use domain::order::Order;
use domain::{OrderId, PortfolioId, RebalanceId, Uuid};
use std::collections::{BTreeMap, BTreeSet};

/// The rows of I8.
pub(super) fn check(history: &History, lanes: &Lanes, fates: &Fates) -> Vec<Check> {
    let alone = [unique_orders(history), well_formed(history), shadows(history), one_open_cycle(history)];
    alone.into_iter().chain(sizes::check(history, lanes, fates)).chain([planned::check(history)]).collect()
}

/// New orders with the place of their wave; copies left out.
pub(super) fn new_orders(history: &History) -> impl Iterator<Item = (Place, &Order)> {
    let waves = history.waves.iter().filter(|seen| !seen.repeat && seen.record.kind == WaveKind::New);
    waves.flat_map(|seen| seen.record.orders.iter().map(|order| (seen.place, order)))
}

fn unique_orders(history: &History) -> Check {
    let mut check = Check::new("I8", "an order id, and a wave id, is used once");
    let mut orders: BTreeMap<OrderId, Place> = BTreeMap::new();
    for (place, order) in new_orders(history) {
        let first = orders.insert(order.order_id, place);
        check.that(first.is_none(), || {
            let first = first.map(|place| place.to_string()).unwrap_or_default();
            format!("{place}: order {} of {} was ordered before, at {first}", order.order_id, order.portfolio_id)
        });
    }
    let mut waves: BTreeMap<Uuid, Place> = BTreeMap::new();
    for seen in history.waves.iter().filter(|seen| !seen.repeat) {
        let first = waves.insert(seen.record.wave_id, seen.place);
        check.that(first.is_none(), || {
            let first = first.map(|place| place.to_string()).unwrap_or_default();
            format!("{}: wave {} stands at {first} too", seen.place, seen.record.wave_id)
        });
    }
    check
}

fn well_formed(history: &History) -> Check {
    let mut check = Check::new("I8", "orders belong to their wave's portfolio and to a cycle that has events");
    let told: BTreeSet<(&PortfolioId, RebalanceId)> =
        history.events.iter().map(|e| (&e.record.portfolio_id, e.record.rebalance_id)).collect();
    for seen in history.waves.iter().filter(|seen| !seen.repeat) {
        let wave = &seen.record;
        check.that(told.contains(&(&wave.portfolio_id, wave.rebalance_id)), || {
            format!("{}: wave {} of rebalance {}, of which no event tells", seen.place, wave.wave_id, wave.rebalance_id)
        });
        for order in &wave.orders {
            let fits = order.portfolio_id == wave.portfolio_id && order.rebalance_id == wave.rebalance_id && order.quantity.is_positive();
            check.that(fits, || {
                format!(
                    "{}: order {} ({} of {}) in a wave of {}",
                    seen.place, order.order_id, order.quantity, order.portfolio_id, wave.portfolio_id
                )
            });
        }
    }
    check
}

/// What shadow rules come to is planned and explained, and ends there.
fn shadows(history: &History) -> Check {
    let mut check = Check::new("I8", "what shadow rules come to opens no cycle, and no order of it leaves");
    let ordered: BTreeSet<RebalanceId> = history.waves.iter().map(|seen| seen.record.rebalance_id).collect();
    for seen in history.events.iter().filter(|seen| seen.record.shadow) {
        let event = &seen.record;
        check.that(!is_open(event.status) && !ordered.contains(&event.rebalance_id), || {
            format!(
                "{}: rebalance {} of {} is of shadow rules, and is {}",
                seen.place, event.rebalance_id, event.portfolio_id, event.status
            )
        });
    }
    check
}

fn is_open(status: RebalanceStatus) -> bool {
    // STUCK opens nothing: it says of a cycle, open or ended, that a person is needed.
    matches!(status, RebalanceStatus::PendingApproval | RebalanceStatus::Approved | RebalanceStatus::Released)
}

fn one_open_cycle(history: &History) -> Check {
    let mut check = Check::new("I8", "one open cycle a portfolio at a time; what has ended stays ended");
    let mut open: BTreeMap<&PortfolioId, (RebalanceId, Place)> = BTreeMap::new();
    let mut ended: BTreeMap<RebalanceId, Place> = BTreeMap::new();
    for seen in history.events.iter().filter(|seen| !seen.repeat && !seen.record.shadow) {
        let event = &seen.record;
        let name = || format!("{}: rebalance {} of {} is {}", seen.place, event.rebalance_id, event.portfolio_id, event.status);
        if is_open(event.status) {
            let held = open.insert(&event.portfolio_id, (event.rebalance_id, seen.place));
            let other = held.filter(|(id, _)| *id != event.rebalance_id);
            check.that(other.is_none(), || {
                let other = other.map(|(id, place)| format!("{id} ({place})")).unwrap_or_default();
                format!("{} while {other} is open", name())
            });
            let end = ended.get(&event.rebalance_id);
            check.that(end.is_none(), || format!("{} after it ended at {}", name(), end.map(Place::to_string).unwrap_or_default()));
        } else if open.get(&event.portfolio_id).is_some_and(|(id, _)| *id == event.rebalance_id) && ends(event.status) {
            open.remove(&event.portfolio_id);
            ended.insert(event.rebalance_id, seen.place);
        }
    }
    check
}

fn ends(status: RebalanceStatus) -> bool {
    matches!(
        status,
        RebalanceStatus::Completed
            | RebalanceStatus::Failed
            | RebalanceStatus::Rejected
            | RebalanceStatus::Expired
            | RebalanceStatus::NoActionNeeded
    )
}
