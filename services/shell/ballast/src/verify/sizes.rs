//! I8: an order is never filled beyond its size, or somebody says so.
//!
//! The books know no order's size. Where no router counts, it is the rebalancer that finds it, in what a drift event
//! says of recent orders; it then names the order in an event. Until it has read such a drift event nothing is owed:
//! fills may stand at the end of a log whose drift event does not stand yet, or was not read yet. What drift events say
//! is itself held against the fills that were booked before them.

use super::cycles::new_orders;
use super::exact::{Exact, Published, show, zero};
use super::executions::{act_step, booked_fills};
use super::fate::Fates;
use super::history::History;
use super::lanes::Lanes;
use super::report::Check;
use super::seen::{Place, REBALANCER};
use domain::enums::{ExecType, Side};
use domain::fill::Fill;
use domain::reason::ReasonCode;
use domain::{OrderId, PortfolioId, Quantity, Topic};
use std::collections::{BTreeMap, BTreeSet};

/// The rows.
pub(super) fn check(history: &History, lanes: &Lanes, fates: &Fates) -> Vec<Check> {
    vec![sizes(history, lanes, fates), told(history, lanes, fates)]
}

/// The fills of one order that were booked: units by the step that booked them.
struct Booked<'a> {
    first: &'a Fill,
    steps: Vec<(i64, Exact)>,
    /// All are trades of one day, instrument and direction, so that nothing was taken back, forgotten or left out.
    is_plain: bool,
}

fn booked<'a>(history: &'a History, fates: &'a Fates) -> BTreeMap<OrderId, Booked<'a>> {
    let mut orders: BTreeMap<OrderId, Booked<'a>> = BTreeMap::new();
    let mut amended = BTreeSet::new();
    for seen in booked_fills(history, fates) {
        let fill = &seen.record;
        if let Some(named) = &fill.exec_ref_id {
            amended.insert((&fill.source, named));
        }
        let Some(order) = fill.order_id else { continue };
        let step = act_step(fates, seen);
        let booked = orders.entry(order).or_insert_with(|| Booked { first: fill, steps: Vec::new(), is_plain: true });
        let like = |fill: &Fill| (fill.portfolio_id.clone(), fill.instrument_id.clone(), fill.side == Side::Buy, fill.trade_date);
        // When one was booked that a person let in, nobody can tell from here.
        booked.is_plain &= step.is_some() && fill.exec_type == ExecType::Trade && like(fill) == like(booked.first);
        booked.steps.extend(step.map(|step| (step, fill.quantity.exact())));
    }
    for seen in booked_fills(history, fates).filter(|seen| amended.contains(&(&seen.record.source, &seen.record.exec_id))) {
        if let Some(booked) = seen.record.order_id.and_then(|order| orders.get_mut(&order)) {
            booked.is_plain = false;
        }
    }
    orders
}

/// A step has several windows: of the fills of its own step an event may tell.
fn told(history: &History, lanes: &Lanes, fates: &Fates) -> Check {
    let mut check = Check::new("I8", "executed units in a drift event = Σ fills booked before it, of orders filled on one day");
    let orders = booked(history, fates);
    for seen in history.drifts.iter().filter(|seen| !seen.repeat && !seen.record.shadow) {
        let Some(stamp) = seen.stamp.filter(|stamp| !lanes.has_lived(Some(*stamp))) else { continue };
        for recent in &seen.record.recent_orders {
            let Some(booked) = orders.get(&recent.order_id).filter(|booked| booked.is_plain) else { continue };
            let until = |last: i64| booked.steps.iter().filter(|(step, _)| *step <= last).fold(zero(), |sum, (_, units)| sum + units);
            let (least, most, found) = (until(stamp.step - 1), until(stamp.step), recent.executed_quantity.exact());
            check.that(least <= found && found <= most, || {
                format!(
                    "{}: {} of order {} were executed, booked were {}",
                    seen.place,
                    recent.executed_quantity,
                    recent.order_id,
                    show(&most)
                )
            });
        }
    }
    check
}

fn sizes(history: &History, lanes: &Lanes, fates: &Fates) -> Check {
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
