//! I2 at the end of the history: every book has followed the corporate actions that stand, and what snapshots say of
//! them is so. What an action did when it took effect is compared entry by entry, in `explain`.

use super::actions::Deed;
use super::exact::slack;
use super::explain::untold;
use super::history::History;
use super::lanes::Lanes;
use super::ledger::{Account, Audit, Ground, Scene, amounts_difference};
use super::metrics::contains;
use super::positions::last_snapshots;
use super::report::Check;
use super::seen::{KEEPER, Seen, Stamp};
use super::sets::stood;
use domain::ledger::Ledger;
use domain::snapshot::Snapshot;
use domain::{InstrumentId, PortfolioId, Quantity, SmolStr, Topic};
use std::collections::{BTreeMap, BTreeSet};

/// Every line against what stood at the end, or just before it.
pub(super) fn check(ground: &Ground<'_>, accounts: &BTreeMap<PortfolioId, Account<'_>>) -> Check {
    let mut check = Check::new("I2", "each book has followed the corporate actions that stand on its lines");
    let snapshots = last_snapshots(ground.history, ground.lanes);
    for (portfolio, account) in accounts.iter().filter(|(_, account)| account.left.is_none()) {
        let Some(lane) = account.last.and_then(|last| Some((last, ground.lanes.get(KEEPER, last.lane)?))) else { continue };
        let end = Stamp { step: lane.1.last_done(), ..lane.0 };
        let scene = Scene::of(portfolio, Some(end));
        // One that cannot follow says so.
        let behind = snapshots.get(portfolio).is_some_and(|seen| seen.record.health.unreconciled);
        let acted = |line: &&InstrumentId| ground.facts.actions.concerns(line) && !ground.facts.actions.is_too_much(line);
        for line in account.book.log.lines().filter(acted).filter(|_| !behind) {
            let sets = stood(ground, account, scene, line);
            let missing = || sets.iter().map(|set| account.book.behind(line, set, account.loose));
            let fine = sets.is_empty() || missing().any(|why| why.is_none());
            check.that(fine, || {
                let missing = missing().flatten().last().unwrap_or_default();
                format!("the book of {portfolio} does not follow the actions on {line}: {missing}")
            });
        }
    }
    check
}

impl super::booking::Book<'_> {
    /// What a line would change by if it followed these actions.
    fn behind(&self, line: &InstrumentId, set: &[super::actions::Standing], loose: bool) -> Option<String> {
        let change = super::amending::Change::Action { line: line.clone(), id: SmolStr::default() };
        match self.weigh(&change, set, false) {
            Ok(outcome) => untold(&outcome.later, loose).map(|why| {
                let ids: Vec<_> = set.iter().map(|action| action.id.as_str()).collect();
                format!("with {ids:?} it has {why}")
            }),
            Err(_) => None,
        }
    }
    /// Whether one that a line does not follow would change it.
    pub(super) fn would_change(&self, line: &InstrumentId, action: &super::actions::Standing) -> bool {
        let mut set = self.follows.get(line).cloned().unwrap_or_default();
        set.push(action.clone());
        set.sort_by(|a, b| a.order().cmp(&b.order()));
        self.behind(line, &set, false).is_some()
    }
    /// Whether an action has changed a line.
    pub(super) fn has_done(&self, line: &InstrumentId, action: &SmolStr) -> bool {
        let known = self.follows.get(line).map_or(&[][..], Vec::as_slice);
        let without: Vec<_> = known.iter().filter(|known| known.id != *action).cloned().collect();
        self.behind(line, &without, false).is_some()
    }
}

/// The last snapshot of each portfolio: receivables are the model's, units the ledger's, symbols those that stand.
pub(super) fn snapshots(ground: &Ground<'_>, audit: &Audit<'_>) -> Vec<Check> {
    let mut owed = Check::new("I2", "receivables in the last snapshot = dividends that are earned and not paid");
    let mut units = Check::new("I2", "units in the last snapshot = units in the ledger before it");
    let mut symbols = Check::new("I2", "symbols in the last snapshot are those that stand");
    let held = held(ground.history, ground.lanes);
    for (portfolio, seen) in last_snapshots(ground.history, ground.lanes) {
        let at = || format!("{}: version {} of {portfolio}", seen.place, seen.record.version);
        for line in &seen.record.allocations {
            let expected = named(ground, seen, &line.instrument_id);
            symbols.that(expected.is_empty() || expected.contains(&line.symbol), || {
                format!("{}: {} is called {}, and stands as {expected:?}", at(), line.instrument_id, line.symbol)
            });
        }
        let Some((last, quantities)) = held.get(portfolio) else { continue };
        let behind =
            last.stamp > seen.stamp || last.stamp.map(|s| s.step) == seen.stamp.map(|s| s.step) && !contains(&seen.record, &last.record);
        if behind || last.stamp.map(|s| s.step) > seen.stamp.map(|s| s.step) {
            continue;
        }
        let told: BTreeMap<&InstrumentId, Quantity> = seen.record.allocations.iter().map(|a| (&a.instrument_id, a.quantity)).collect();
        for id in told.keys().chain(quantities.keys()).collect::<BTreeSet<_>>() {
            let of = |all: &BTreeMap<&InstrumentId, Quantity>| all.get(id).copied().unwrap_or(Quantity::ZERO);
            units.that(of(&told) == of(quantities), || {
                format!("{}: {} of {id}, the ledger ({}) {}", at(), of(&told), last.place, of(quantities))
            });
        }
        if let Some(account) = audit.accounts.get(portfolio).filter(|account| account.left.is_none()) {
            let difference = amounts_difference(&account.book.receivables(), &seen.record.receivables, &slack(1, account.book.bookings));
            owed.that(difference.is_none(), || format!("{}: receivables: {}", at(), difference.unwrap_or_default()));
        }
    }
    vec![owed, units, symbols]
}

type Held<'a> = BTreeMap<&'a PortfolioId, (&'a Seen<Ledger>, BTreeMap<&'a InstrumentId, Quantity>)>;

fn held<'a>(history: &'a History, lanes: &Lanes) -> Held<'a> {
    let mut held: Held<'a> = BTreeMap::new();
    for seen in history.ledgers.iter().filter(|seen| !seen.repeat && lanes.is_settled(seen.stamp)) {
        let (last, quantities) = held.entry(&seen.record.portfolio_id).or_insert_with(|| (seen, BTreeMap::new()));
        *last = seen;
        quantities.extend(seen.record.positions.iter().map(|state| (&state.instrument_id, state.quantity)));
    }
    held
}

/// The names that an instrument may have had in the step of a snapshot; none where its facts are not known.
fn named(ground: &Ground<'_>, seen: &Seen<Snapshot>, id: &InstrumentId) -> Vec<SmolStr> {
    let Some((stamp, lane)) = seen.stamp.and_then(|stamp| Some((stamp, ground.lanes.get(KEEPER, stamp.lane)?))) else { return Vec::new() };
    let mut names = Vec::new();
    for step in [stamp.step - 1, stamp.step] {
        let frames = lane.position(step, Topic::Frames, 0);
        let (Some(facts), Some(now)) = (ground.facts.instrument(id, frames), lane.now(step)) else { continue };
        let day = domain::venue::day_of(facts.venue.as_deref(), now);
        let changes = ground.facts.actions.standing(id, frames, day).into_iter();
        let newest = changes.filter_map(|action| if let Deed::Symbol(symbol) = action.deed { Some(symbol) } else { None }).next_back();
        names.push(newest.or_else(|| facts.symbol.clone()).unwrap_or_else(|| SmolStr::new(id.as_str())));
    }
    names
}
