//! What a record may still lack at the end of the history: a policy, an instrument, a rate, a price, or what a cancel,
//! a correction or a reversal names. Whether it waits, was booked or is lost is judged elsewhere.

use super::facts::Facts;
use super::fate::{At, at, is_read, letters};
use super::history::History;
use super::lanes::Lanes;
use super::seen::KEEPER;
use domain::cash::CashEntry;
use domain::enums::ExecType;
use domain::fill::Fill;
use domain::{Currency, InstrumentId, PortfolioId, SmolStr, Topic};
use std::collections::{BTreeMap, BTreeSet};

/// What names an execution or a cash entry among those of its portfolio: the source and the id, of whatever date.
type Name = (PortfolioId, SmolStr, SmolStr);

/// The executions and the entries that were booked, by which is told what still awaits one.
pub(super) struct Awaited {
    booked: BTreeSet<Name>,
    entries: BTreeSet<Name>,
}

impl Awaited {
    /// Gathers them; `acted` tells whether the record at a place was booked.
    pub(super) fn of(history: &History, acted: impl Fn(At) -> bool) -> Self {
        let name = |fill: &Fill| (fill.portfolio_id.clone(), fill.source.clone(), fill.exec_id.clone());
        let booked = history.fills.iter().filter(|seen| acted(at(seen.place)));
        let entry = |entry: &CashEntry| (entry.portfolio_id.clone(), entry.source.clone(), entry.entry_id.clone());
        let entries = history.cash.iter().filter(|seen| acted(at(seen.place)));
        Self { booked: booked.map(|seen| name(&seen.record)).collect(), entries: entries.map(|seen| entry(&seen.record)).collect() }
    }
    /// Whether an entry takes one back that has not come.
    pub(super) fn by_entry(&self, entry: &CashEntry) -> bool {
        let named = entry.reverses.as_ref().filter(|named| **named != entry.entry_id);
        named.is_some_and(|named| !self.entries.contains(&(entry.portfolio_id.clone(), entry.source.clone(), named.clone())))
    }
    /// Whether a record is a cancel or a correction of an execution that has not come.
    pub(super) fn by(&self, fill: &Fill) -> bool {
        let amends = matches!(fill.exec_type, ExecType::Cancel | ExecType::Correct);
        let named = fill.exec_ref_id.as_ref().filter(|named| amends && **named != fill.exec_id);
        named.is_some_and(|named| !self.booked.contains(&(fill.portfolio_id.clone(), fill.source.clone(), named.clone())))
    }
}

/// What a lane knows at the end of the history: whether a record may still lack something.
pub(super) struct Needs<'a> {
    facts: &'a Facts,
    lanes: &'a Lanes,
    policies: BTreeMap<PortfolioId, Option<Currency>>,
}

impl<'a> Needs<'a> {
    /// Gathers it.
    pub(super) fn of(history: &'a History, lanes: &'a Lanes, facts: &'a Facts) -> Self {
        let buried = letters(history, lanes);
        let mut policies = BTreeMap::new();
        for seen in history.policies.iter().filter(|seen| is_read(lanes, seen) && !buried.contains_key(&at(seen.place))) {
            let (portfolio, policy) = &seen.record;
            policies.insert(portfolio.clone(), policy.as_ref().map(|policy| policy.base_currency));
        }
        Self { facts, lanes, policies }
    }
    fn frames(&self, lane: i32) -> i64 {
        self.lanes.end(KEEPER, lane, Topic::Frames, 0)
    }
    /// Whether an execution may hold its portfolio up. A cancel or a correction whose execution has not come waits
    /// apart, and holds nobody up: see [`Awaited`].
    pub(super) fn fill_may_wait(&self, lane: i32, fill: &Fill) -> bool {
        let mut currencies: Vec<Currency> = fill.fees.iter().map(|fee| fee.currency).collect();
        currencies.extend(fill.fx_rate.is_none().then_some(fill.currency));
        self.may_wait(lane, &fill.portfolio_id, Some(&fill.instrument_id), &currencies)
    }
    /// Whether a cash entry may hold its portfolio up.
    pub(super) fn cash_may_wait(&self, lane: i32, entry: &CashEntry) -> bool {
        // Securities transferred wait for a price, and of prices the model keeps no account.
        entry.quantity.is_some() || self.may_wait(lane, &entry.portfolio_id, None, &[entry.currency])
    }
    fn may_wait(&self, lane: i32, portfolio: &PortfolioId, instrument: Option<&InstrumentId>, currencies: &[Currency]) -> bool {
        let frames = self.frames(lane);
        let Some(Some(base)) = self.policies.get(portfolio) else { return true };
        if instrument.is_some_and(|id| self.facts.instrument(id, frames).is_none()) {
            return true;
        }
        currencies.iter().any(|currency| !self.facts.has_rate(*currency, *base, frames))
    }
}
