//! What the bookings of one day came to, in the base currency, by line, by strategy and by hour: the ledger's entries, as
//! they were converted when they were booked. It converts nothing.

use crate::tracker::market::Market;
use crate::tracker::terms::Terms;
use domain::enums::EntryKind;
use domain::ledger::{ClosedTrades, InBase, Ledger, LedgerEntry, StrategyChange};
use domain::{Amount, Date, InstrumentId, Money, StrategyId, Timestamp, Topic, venue};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Sums of bookings; amounts in the base currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Deed {
    /// What came in less what went out, external flows left out: below zero for a purchase. A dividend counts when it
    /// is earned, whenever it is paid.
    pub proceeds: Amount,
    /// Realised before fees.
    pub realized: Amount,
    /// Fees.
    pub fees: Amount,
    /// Dividends and interest.
    pub income: Amount,
}

impl Deed {
    /// Adds another; a sum that leaves its range stays as it was.
    pub fn add(&mut self, other: &Deed) {
        let sum = |own: Amount, other: Amount| own.checked_add(other).unwrap_or(own);
        self.proceeds = sum(self.proceeds, other.proceeds);
        self.realized = sum(self.realized, other.realized);
        self.fees = sum(self.fees, other.fees);
        self.income = sum(self.income, other.income);
    }
}

/// An external flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Base currency, above zero into the portfolio.
    pub amount: Money,
    /// The moment at which it took effect.
    pub at: Timestamp,
    /// Equity before it, where it was booked on its own day and everything had a price.
    pub before: Option<Money>,
}

/// Adds closed trades to those that there are, if any; sums that leave their range stay as they were.
pub fn add_trades(own: &mut Option<Box<ClosedTrades>>, more: &ClosedTrades) {
    let mut sum = own.as_deref().copied().unwrap_or(ClosedTrades::none(more.trade_date));
    if sum.add(more, 1).is_ok() {
        *own = (!sum.is_nothing()).then(|| Box::new(sum));
    }
}

/// Owners that are told apart in a day, at most.
const MOST_OWNERS: usize = 4_096;

/// Whose bookings: an instrument or plain cash, and a strategy or none.
pub type Owner = (Option<InstrumentId>, Option<StrategyId>);

/// The bookings of one day.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Deeds {
    /// By line; `None` is plain cash.
    pub lines: BTreeMap<Option<InstrumentId>, Deed>,
    /// By line and strategy.
    pub strategies: BTreeMap<Owner, Deed>,
    /// By the hour of the execution at its venue.
    pub hours: BTreeMap<u8, Deed>,
    /// In booking order.
    pub flows: Vec<Flow>,
    /// Trades that were closed.
    pub trades: Option<Box<ClosedTrades>>,
}

impl Deeds {
    /// Adds those of a later day.
    pub fn add(&mut self, other: &Deeds) {
        other.lines.iter().for_each(|(line, deed)| self.lines.entry(line.clone()).or_default().add(deed));
        other.strategies.iter().for_each(|(owner, deed)| self.strategies.entry(owner.clone()).or_default().add(deed));
        other.hours.iter().for_each(|(hour, deed)| self.hours.entry(*hour).or_default().add(deed));
        self.flows.extend_from_slice(&other.flows);
        other.trades.iter().for_each(|trades| self.close(trades));
    }
    /// Takes closed trades in; sums that leave their range stay as they were.
    pub fn close(&mut self, trades: &ClosedTrades) {
        add_trades(&mut self.trades, trades);
    }
    /// Takes one entry in.
    pub fn take(&mut self, booked: &Booked<'_>) {
        let entry = booked.entry;
        let line = booked.line();
        for (strategy, deed) in booked.parts(&line) {
            let owner = (entry.instrument_id.clone(), strategy);
            // What has one name too many is left to the residual.
            if self.strategies.len() < MOST_OWNERS || self.strategies.contains_key(&owner) {
                self.strategies.entry(owner).or_default().add(&deed);
            }
        }
        if let Some(hour) = booked.hour() {
            self.hours.entry(hour).or_default().add(&line);
        }
        self.lines.entry(entry.instrument_id.clone()).or_default().add(&line);
        if !entry.external_flow.is_zero() {
            self.flow(booked);
        }
    }
    /// A flow that is taken back was none.
    fn flow(&mut self, booked: &Booked<'_>) {
        let amount = booked.entry.external_flow;
        let taken_back = |flow: &Flow| flow.amount.units() == -amount.units();
        match self.flows.iter().rposition(taken_back).filter(|_| booked.entry.kind == EntryKind::Cancel) {
            Some(place) => _ = self.flows.remove(place),
            None => {
                let before = booked.entry.equity_before.filter(|_| booked.on_time);
                self.flows.push(Flow { amount, at: booked.entry.effective_at, before });
            }
        }
    }
    /// Forgets what equity was before its flows of a moment or later: something was booked after them that was there, or
    /// not there, all along.
    pub fn forget_values(&mut self, since: Timestamp) {
        self.flows.iter_mut().filter(|flow| flow.at >= since).for_each(|flow| flow.before = None);
    }
}

/// An entry with the day that it belongs to.
pub struct Booked<'a> {
    entry: &'a LedgerEntry,
    market: &'a Market,
    /// Its date: the day that it belongs to, or the first one after it that is closed.
    pub day: Date,
    /// Whether it was booked on that day.
    on_time: bool,
}

/// The entries of a ledger record that was made at a moment.
pub fn booked<'a>(ledger: &'a Ledger, made: Timestamp, terms: &Terms, market: &'a Market) -> Vec<Booked<'a>> {
    // Which days are closed may change before one is: a date stays what it is. On its own day is also who is told on a
    // Monday of a Saturday.
    let today = terms.counted(terms.day_of(made));
    let one = |entry: &'a LedgerEntry| {
        // A dividend is paid on its pay date; the entry bears the ex-date too.
        let dated = entry.trade_date.filter(|_| entry.kind != EntryKind::CashDividend);
        // Securities cross the boundary on a day of their venue, cash at its moment.
        let moved = entry.instrument_id.as_ref().filter(|_| entry.cause.topic == Topic::Cash && !entry.quantity_change.is_zero());
        let moved = moved.map(|id| venue::day_of(market.facts(id).and_then(|facts| facts.venue.as_deref()), entry.effective_at));
        let day = dated.or(moved).unwrap_or_else(|| terms.day_of(entry.effective_at));
        Booked { entry, market, day, on_time: terms.counted(day) == today }
    };
    ledger.entries.iter().map(one).collect()
}

impl Booked<'_> {
    /// Closed trades by trade date.
    pub fn closed_trades(&self) -> &[ClosedTrades] {
        &self.entry.closed_trades
    }

    /// Since when values of the book that were told before it are wrong: from the beginning where it belongs to a day that is
    /// over or amends what was in them; from the ex-date on, where an action is told of after that has begun.
    pub fn belies(&self) -> Option<Timestamp> {
        match self.entry.kind {
            _ if !self.on_time => Some(Timestamp::MIN),
            EntryKind::Cancel | EntryKind::Correct | EntryKind::Restate => self.moves().then_some(Timestamp::MIN),
            EntryKind::Split | EntryKind::Dividend => Some(self.entry.effective_at),
            _ => None,
        }
    }

    /// Whether it changes what the book is worth, and not only what is told of closed trades.
    fn moves(&self) -> bool {
        let entry = self.entry;
        !entry.quantity_change.is_zero() || !entry.income.is_zero() || entry.cash.iter().any(|leg| !leg.amount.is_zero())
    }

    /// What the whole entry came to. Of an entry of an earlier build in another currency nobody knows.
    fn line(&self) -> Deed {
        let told = self.entry.in_base.as_deref().copied().or_else(|| self.entry.as_it_stands()).unwrap_or_default();
        let InBase { realized_gross, fees, income, proceeds } = told;
        Deed { proceeds: proceeds.into(), realized: realized_gross.into(), fees: fees.into(), income: income.into() }
    }

    /// What of it is whose. What strategies leave is nobody's.
    fn parts(&self, line: &Deed) -> Vec<(Option<StrategyId>, Deed)> {
        if self.entry.by_strategy.is_empty() {
            return vec![(self.entry.strategy.clone(), *line)];
        }
        let named = self.entry.by_strategy.iter().filter(|part| !part.residual);
        let deed = |part: &StrategyChange| {
            let (realized, fees, income) = (part.realized_gross.into(), part.fees.into(), part.income.into());
            Some((part.strategy.clone(), Deed { proceeds: part.proceeds?.into(), realized, fees, income }))
        };
        named.filter_map(deed).collect()
    }

    /// The hour of an execution, by the clocks of its venue.
    fn hour(&self) -> Option<u8> {
        let entry = self.entry;
        let venue = entry.venue.as_deref().or_else(|| self.market.facts(entry.instrument_id.as_ref()?)?.venue.as_deref());
        entry.transact_time.and_then(|moment| venue::hour_of(venue, moment))
    }
}
