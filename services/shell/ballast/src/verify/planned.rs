//! I8: the orders of a rebalance, slices and later waves among them, never add up to more than was planned first.

use super::cycles::new_orders;
use super::exact::{Exact, Published, magnitude, show, zero};
use super::history::History;
use super::report::Check;
use domain::enums::{RebalanceStatus, Side};
use domain::rebalance_event::RebalanceEvent;
use domain::{InstrumentId, Quantity, RebalanceId};
use std::collections::{BTreeMap, BTreeSet};

/// An instrument of a rebalance, and whether it is bought.
type Line<'a> = (RebalanceId, &'a InstrumentId, bool);

/// The row. What no event says a plan of is passed over: its events are gone.
pub(super) fn check(history: &History) -> Check {
    let mut check = Check::new("I8", "the orders of a rebalance never add up to more of an instrument than was planned");
    let planned = planned(history);
    let mut sums: BTreeMap<Line<'_>, Exact> = BTreeMap::new();
    for (place, order) in new_orders(history) {
        let line = (order.rebalance_id, &order.instrument_id, order.side == Side::Buy);
        let sum = sums.entry(line).or_insert_with(zero);
        *sum = &*sum + order.quantity.exact();
        let Some(most) = planned.get(&line) else { continue };
        check.that(*sum <= *most, || {
            format!("{place}: {} of {} have left in rebalance {}, planned were {}", show(sum), line.1, line.0, show(most))
        });
    }
    check
}

/// The most that the plan of each rebalance asked for: of its last proposal, or of its release.
fn planned(history: &History) -> BTreeMap<Line<'_>, Exact> {
    let (mut planned, mut released) = (BTreeMap::<Line<'_>, Exact>::new(), BTreeSet::new());
    for seen in history.events.iter().filter(|seen| !seen.repeat && !seen.record.shadow) {
        let event = &seen.record;
        if released.contains(&event.rebalance_id) {
            continue;
        }
        match event.status {
            // A proposal takes the place of the one before.
            RebalanceStatus::PendingApproval if !event.orders.is_empty() => {
                planned.retain(|(rebalance, ..), _| *rebalance != event.rebalance_id);
                ask(event, &mut planned);
            }
            RebalanceStatus::Approved => ask(event, &mut planned),
            RebalanceStatus::Released => {
                released.insert(event.rebalance_id);
                ask(event, &mut planned);
            }
            _ => {}
        }
    }
    planned
}

fn ask<'a>(event: &'a RebalanceEvent, planned: &mut BTreeMap<Line<'a>, Exact>) {
    let mut raise = |line: Line<'a>, asked: Exact| {
        let most = planned.entry(line).or_insert_with(zero);
        if asked > *most {
            *most = asked;
        }
    };
    for line in &event.explanation {
        let ordered = line.numbers.iter().find(|number| number.name == "ordered").and_then(|number| number.value.parse::<Quantity>().ok());
        if let Some(ordered) = ordered.filter(|ordered| !ordered.is_zero()) {
            raise((event.rebalance_id, &line.instrument_id, ordered.is_positive()), magnitude(&ordered.exact()));
        }
    }
    let mut sums: BTreeMap<Line<'a>, Exact> = BTreeMap::new();
    // Of a release its orders are what has left, a slice perhaps: they are held against the plan and do not make it.
    for order in event.orders.iter().filter(|_| event.status != RebalanceStatus::Released) {
        let sum = sums.entry((event.rebalance_id, &order.instrument_id, order.side == Side::Buy)).or_insert_with(zero);
        *sum = &*sum + order.quantity.exact();
    }
    sums.into_iter().for_each(|(line, sum)| raise(line, sum));
}
