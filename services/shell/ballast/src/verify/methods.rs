//! By which cost method each book is kept: that of the policy in force when something was booked first. From then on
//! no policy of another method may have been accepted. And who says what dividends come to.

use super::fate::{Fates, at, is_read};
use super::history::{History, PolicyRecord};
use super::lanes::Lanes;
use super::report::Check;
use super::seen::{KEEPER, Seen, Stamp};
use domain::enums::{CostMethod, DividendSource};
use domain::{PortfolioId, Topic};
use std::collections::BTreeMap;

/// The method of each portfolio, as far as it can be told, and the row that it stays.
pub(super) fn of(history: &History, lanes: &Lanes, fates: &Fates) -> (BTreeMap<PortfolioId, CostMethod>, Check) {
    let mut check = Check::new("I2", "a book keeps its cost method: no policy of another one holds once something is booked");
    let mut methods = BTreeMap::new();
    let accepted = accepted(history, lanes, fates);
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

/// Whether actions or cash entries say what dividends come to, for each portfolio whose policies have never said both.
pub(super) fn dividends(history: &History, lanes: &Lanes, fates: &Fates) -> BTreeMap<PortfolioId, DividendSource> {
    let mut sources = BTreeMap::new();
    for (portfolio, policies) in accepted(history, lanes, fates) {
        let mut named = policies.iter().filter_map(|seen| seen.record.1.as_ref()).map(|policy| policy.book.dividends);
        if let Some(first) = named.next().filter(|first| named.all(|source| source == *first)) {
            sources.insert(portfolio.clone(), first);
        }
    }
    sources
}

/// Policies that were read and not refused.
fn accepted<'a>(history: &'a History, lanes: &Lanes, fates: &Fates) -> BTreeMap<&'a PortfolioId, Vec<&'a Seen<PolicyRecord>>> {
    let mut accepted: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let held = |seen: &&Seen<PolicyRecord>| !seen.misfiled && is_read(lanes, seen) && !fates.buried(at(seen.place));
    for seen in history.policies.iter().filter(held).filter(|seen| named(seen).is_some()) {
        accepted.entry(&seen.record.0).or_default().push(seen);
    }
    accepted
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
