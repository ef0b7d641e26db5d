//! I8: an order is never filled beyond its size, or somebody says so.
//!
//! The books know no order's size. Where no router counts, it is the rebalancer that finds it, in what a drift event
//! says of recent orders; it then names the order in an event. Until it has read such a drift event nothing is owed:
//! fills may stand at the end of a log whose drift event does not stand yet, or was not read yet.

use super::cycles::new_orders;
use super::exact::{Exact, Published, show, zero};
use super::executions::booked_fills;
use super::fate::Fates;
use super::history::History;
use super::lanes::Lanes;
use super::report::Check;
use super::seen::{Place, REBALANCER};
use domain::reason::ReasonCode;
use domain::{OrderId, PortfolioId, Quantity, Topic};
use std::collections::{BTreeMap, BTreeSet};

/// The row.
pub(super) fn check(history: &History, lanes: &Lanes, fates: &Fates) -> Check {
    let mut check = Check::new("I8", "Σ fills of an order ≤ its quantity, else the portfolio is UNRECONCILED");
    let (filled, read, flagged) = (filled(history, fates), read(history, lanes), flagged(history));
    let named = named(history);
    for (place, order) in new_orders(history) {
        let Some((sum, last)) = filled.get(&order.order_id) else { continue };
        let owed = || read.get(&order.order_id).is_some_and(|told| *told > order.quantity);
        let said = || flagged.contains(&order.portfolio_id) || named.iter().any(|text| text.contains(&order.order_id.to_string()));
        check.that(*sum <= order.quantity.exact() || !owed() || said(), || {
            format!("{last}: order {} ({place}) asks for {} and was filled {}", order.order_id, order.quantity, show(sum))
        });
    }
    check
}

/// Units that fills have booked of each order, with the place of the last of them.
fn filled(history: &History, fates: &Fates) -> BTreeMap<OrderId, (Exact, Place)> {
    let mut filled: BTreeMap<OrderId, (Exact, Place)> = BTreeMap::new();
    for seen in booked_fills(history, fates) {
        let Some(order) = seen.record.order_id else { continue };
        let sum = filled.entry(order).or_insert_with(|| (zero(), seen.place));
        *sum = (&sum.0 + seen.record.quantity.exact(), seen.place);
    }
    filled
}

/// The most that drift events say was executed of each order, of those that closed steps of the rebalancer have read.
fn read(history: &History, lanes: &Lanes) -> BTreeMap<OrderId, Quantity> {
    let mut most: BTreeMap<OrderId, Quantity> = BTreeMap::new();
    let is_read = |place: Place| place.offset < lanes.end(REBALANCER, place.partition, Topic::Drift, place.partition);
    for seen in history.drifts.iter().filter(|seen| !seen.record.shadow && is_read(seen.place)) {
        for recent in &seen.record.recent_orders {
            let told = most.entry(recent.order_id).or_default();
            *told = recent.executed_quantity.max(*told);
        }
    }
    most
}

/// Portfolios whose books were ever flagged.
fn flagged(history: &History) -> BTreeSet<&PortfolioId> {
    let books = history.snapshots.iter().filter(|seen| seen.record.health.unreconciled).map(|seen| &seen.record.portfolio_id);
    let drifts = history.drifts.iter().filter(|seen| seen.record.health.unreconciled).map(|seen| &seen.record.portfolio_id);
    books.chain(drifts).collect()
}

/// What the rebalancer said of orders that contradict a book.
fn named(history: &History) -> Vec<&str> {
    let told = history.events.iter().filter(|seen| seen.record.code == Some(ReasonCode::Unreconciled));
    told.filter_map(|seen| seen.record.text.as_deref()).collect()
}
