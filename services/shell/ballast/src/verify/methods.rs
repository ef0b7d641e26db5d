//! By which cost method each book is kept: that of the policy in force when something was booked first. From then on
//! no policy of another method may have been accepted.

use super::fate::Fates;
use super::history::{History, PolicyRecord};
use super::lanes::Lanes;
use super::report::Check;
use super::seen::{KEEPER, Seen, Stamp};
use super::sources::accepted;
use domain::enums::CostMethod;
use domain::{PortfolioId, Topic};
use std::collections::BTreeMap;

/// The method of each portfolio, as far as it can be told, and the row that it stays.
pub(super) fn of(history: &History, lanes: &Lanes, fates: &Fates) -> (BTreeMap<PortfolioId, CostMethod>, Check) {
    let mut check = Check::new("I2", "a book keeps its cost method: no policy of another one holds once something is booked");
    let mut methods = BTreeMap::new();
    let accepted = accepted(history, lanes, |place| fates.buried(place));
    for (portfolio, first) in first_bookings(history, lanes) {
        let policies = accepted.get(portfolio).map_or(&[][..], Vec::as_slice);
        let Some(method) = method(history, lanes, policies, first) else { continue };
        methods.insert(portfolio.clone(), method);
        let other = policies.iter().find(|seen| !came_before(lanes, seen, first) && named(seen) != Some(method));
        let other = other.filter(|_| !lanes.is_bygone(Some(first)));
        check.that(other.is_none_or(|seen| letter_may_be_gone(history, seen)), || {
            let place = other.map(|seen| seen.place.to_string()).unwrap_or_default();
            format!("{place}: a policy of {portfolio} with another method than {method}, by which its book is kept, is not refused")
        });
    }
    (methods, check)
}

fn named(seen: &Seen<PolicyRecord>) -> Option<CostMethod> {
    seen.record.1.as_ref().map(|policy| policy.book.cost_method)
}

/// The step in which something of each portfolio was booked first.
fn first_bookings<'a>(history: &'a History, lanes: &Lanes) -> BTreeMap<&'a PortfolioId, Stamp> {
    let mut first: BTreeMap<&PortfolioId, Stamp> = BTreeMap::new();
    for seen in history.ledgers.iter().filter(|seen| !seen.repeat && lanes.is_settled(seen.stamp)) {
        let Some(stamp) = seen.stamp else { continue };
        let known = first.entry(&seen.record.portfolio_id).or_insert(stamp);
        *known = (*known).min(stamp);
    }
    first
}

fn method(history: &History, lanes: &Lanes, policies: &[&Seen<PolicyRecord>], first: Stamp) -> Option<CostMethod> {
    let one = named(policies.first()?);
    if policies.iter().all(|seen| named(seen) == one) {
        return one;
    }
    // Which of them held hangs on their order, and on all refusals being known.
    let known = !lanes.is_bygone(Some(first)) && !policies.iter().any(|seen| letter_may_be_gone(history, seen));
    let before = policies.iter().rfind(|seen| came_before(lanes, seen, first)).filter(|_| known);
    before.and_then(|seen| named(seen))
}

/// Whether a policy was read in an earlier step, or in the one that booked first.
fn came_before(lanes: &Lanes, seen: &Seen<PolicyRecord>, first: Stamp) -> bool {
    let lane = lanes.get(KEEPER, first.lane);
    lane.is_some_and(|lane| seen.place.offset < lane.position(first.step, Topic::Policies, seen.place.partition))
}

fn letter_may_be_gone(history: &History, seen: &Seen<PolicyRecord>) -> bool {
    history.letter_may_be_gone(Topic::Policies, seen.place.partition, seen.place.offset)
}
