//! What a record may still lack at the end of the history: a policy, an instrument, a rate, a price, or what a cancel,
//! a correction or a reversal names. Whether it waits, was booked or is lost is judged elsewhere.

use super::facts::Facts;
use super::fate::{At, at, is_read, letters};
use super::history::History;
use super::lanes::{Lane, Lanes};
use super::rates::Rates;
use super::seen::{KEEPER, Place, Seen};
use domain::cash::CashEntry;
use domain::enums::{ExecType, Side};
use domain::fill::Fill;
use domain::{Currency, Date, InstrumentId, PortfolioId, SmolStr, Topic};
use std::collections::BTreeMap;
use std::ops::Bound;

/// What names an execution or a cash entry among those of its portfolio: the source and the id, of whatever date.
type Name = (PortfolioId, SmolStr, SmolStr);

/// Whether a cancel or a correction may mean an execution of an earlier date by what it says of it: the side, the
/// instrument and the currency, and of a cancel the quantity where it gives one.
pub(super) fn may_mean(fill: &Fill, named: &Fill) -> bool {
    let buys = |fill: &Fill| fill.side == Side::Buy;
    let says_how_many = fill.exec_type == ExecType::Cancel && !fill.quantity.is_zero();
    let same = named.instrument_id == fill.instrument_id && named.currency == fill.currency && buys(named) == buys(fill);
    same && (!says_how_many || named.quantity == fill.quantity)
}

/// What was booked of one topic, by which is told what still awaits one.
#[derive(Default)]
struct Known<'a> {
    /// The dates of each, with the execution.
    names: BTreeMap<Name, BTreeMap<Date, Option<&'a Fill>>>,
    /// Dates of a portfolio, with the offset of the first record of each: only of the newest are ids known.
    dates: BTreeMap<PortfolioId, BTreeMap<Date, i64>>,
}

impl<'a> Known<'a> {
    /// Takes a record in that was not refused; a name where it was booked.
    fn take(&mut self, (portfolio, date): (&PortfolioId, Date), offset: i64, (name, fill): (Option<Name>, Option<&'a Fill>)) {
        let dates = self.dates.entry(portfolio.clone()).or_default();
        dates.entry(date).and_modify(|first| *first = offset.min(*first)).or_insert(offset);
        if let Some(name) = name {
            self.names.entry(name).or_default().insert(date, fill);
        }
    }
    /// Whether the record at an offset, read where the ids of so many dates are known, found what it names and may mean.
    fn holds(&self, name: &Name, offset: i64, window: usize, may_mean: impl Fn(Date, Option<&Fill>) -> bool) -> bool {
        let dates = self.names.get(name).into_iter().flatten();
        let Some(date) = dates.filter(|(date, fill)| may_mean(**date, **fill)).map(|(date, _)| *date).max() else { return false };
        let newer = self.dates.get(&name.0).into_iter().flat_map(|dates| dates.range((Bound::Excluded(date), Bound::Unbounded)));
        newer.filter(|(_, first)| **first < offset).count() < window
    }
}

/// The executions and the entries that were booked: what names one that has not come, or that is not known any more, waits.
pub(super) struct Awaited<'a> {
    lanes: &'a Lanes,
    fills: Known<'a>,
    entries: Known<'a>,
}

impl<'a> Awaited<'a> {
    /// Gathers them; `acted` and `buried` tell whether the record at a place was booked or refused.
    pub(super) fn of(history: &'a History, lanes: &'a Lanes, acted: impl Fn(At) -> bool, buried: impl Fn(At) -> bool) -> Self {
        let (mut fills, mut entries) = (Known::default(), Known::default());
        let counts = |place: Place, misfiled: bool| !misfiled && (!buried(at(place)) || acted(at(place)));
        for seen in history.fills.iter().filter(|seen| counts(seen.place, seen.misfiled)) {
            let Fill { portfolio_id, source, exec_id, trade_date, .. } = &seen.record;
            let name = acted(at(seen.place)).then(|| (portfolio_id.clone(), source.clone(), exec_id.clone()));
            fills.take((portfolio_id, *trade_date), seen.place.offset, (name, Some(&seen.record)));
        }
        for seen in history.cash.iter().filter(|seen| counts(seen.place, seen.misfiled)) {
            let CashEntry { portfolio_id, source, entry_id, effective_at, .. } = &seen.record;
            let name = acted(at(seen.place)).then(|| (portfolio_id.clone(), source.clone(), entry_id.clone()));
            entries.take((portfolio_id, effective_at.date_utc()), seen.place.offset, (name, None));
        }
        Self { lanes, fills, entries }
    }
    fn window(&self, place: Place) -> usize {
        self.lanes.get(KEEPER, place.partition).map_or(0, Lane::fewest_dates)
    }
    /// Whether an entry takes one back that has not come.
    pub(super) fn by_entry(&self, seen: &Seen<CashEntry>) -> bool {
        let (entry, place) = (&seen.record, seen.place);
        let named = entry.reverses.as_ref().filter(|named| **named != entry.entry_id);
        let name = named.map(|named| (entry.portfolio_id.clone(), entry.source.clone(), named.clone()));
        name.is_some_and(|name| !self.entries.holds(&name, place.offset, self.window(place), |_, _| true))
    }
    /// Whether a record is a cancel or a correction of an execution that has not come.
    pub(super) fn by(&self, seen: &Seen<Fill>) -> bool {
        let (fill, place) = (&seen.record, seen.place);
        let amends = matches!(fill.exec_type, ExecType::Cancel | ExecType::Correct);
        let named = fill.exec_ref_id.as_ref().filter(|named| amends && **named != fill.exec_id);
        let name = named.map(|named| (fill.portfolio_id.clone(), fill.source.clone(), named.clone()));
        // Ids are unique within a date only: of an earlier one it may be another that is named.
        let may_mean = |date, named: Option<&Fill>| {
            date == fill.trade_date || date < fill.trade_date && named.is_some_and(|named| may_mean(fill, named))
        };
        name.is_some_and(|name| !self.fills.holds(&name, place.offset, self.window(place), may_mean))
    }
}

/// What a lane knows at the end of the history: whether a record may still lack something.
pub(super) struct Needs<'a> {
    facts: &'a Facts,
    rates: &'a Rates,
    lanes: &'a Lanes,
    policies: BTreeMap<PortfolioId, Option<Currency>>,
}

impl<'a> Needs<'a> {
    /// Gathers it.
    pub(super) fn of(history: &'a History, lanes: &'a Lanes, facts: &'a Facts, rates: &'a Rates) -> Self {
        let buried = letters(history, lanes);
        let mut policies = BTreeMap::new();
        for seen in history.policies.iter().filter(|seen| is_read(lanes, seen) && !buried.contains_key(&at(seen.place))) {
            let (portfolio, policy) = &seen.record;
            policies.insert(portfolio.clone(), policy.as_ref().map(|policy| policy.base_currency));
        }
        Self { facts, rates, lanes, policies }
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
        currencies.iter().any(|currency| self.rates.may_lack(frames, *currency, *base))
    }
}
