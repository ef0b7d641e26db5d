//! What the bookings of one day came to, in the base currency, by line, by strategy and by hour: the ledger's entries,
//! converted at the rates of their booking. What cannot be converted is left to the residual.

use crate::tracker::market::{Facts, Market};
use crate::tracker::terms::Terms;
use domain::enums::{EntryKind, InstrumentType};
use domain::ledger::{ClosedTrades, CurrencyAmount, Ledger, LedgerEntry, StrategyChange};
use domain::{Amount, Currency, Date, FxRate, InstrumentId, Money, Quantity, StrategyId, Timestamp, Topic, venue};
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
            self.strategies.entry((entry.instrument_id.clone(), strategy)).or_default().add(&deed);
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

/// An entry with what is needed to convert it.
pub struct Booked<'a> {
    entry: &'a LedgerEntry,
    base: Currency,
    /// The currency of the amounts that name none.
    currency: Option<Currency>,
    /// The currency that the entry's rate is of: of an entry of cash its own, whatever instrument it names.
    rated: Option<Currency>,
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
        let position = ledger.positions.iter().find(|position| Some(&position.instrument_id) == entry.instrument_id.as_ref());
        let quoted = || entry.instrument_id.as_ref().and_then(InstrumentId::pair).map(|(_, quoted)| quoted);
        let leg = || entry.cash.first().or(entry.fees.first()).map(|leg| leg.currency);
        // A dividend is paid on its pay date; the entry bears the ex-date too.
        let dated = entry.trade_date.filter(|_| entry.kind != EntryKind::CashDividend);
        // Securities cross the boundary on a day of their venue, cash at its moment.
        let moved = entry.instrument_id.as_ref().filter(|_| entry.cause.topic == Topic::Cash && !entry.quantity_change.is_zero());
        let moved = moved.map(|id| venue::day_of(market.facts(id).and_then(|facts| facts.venue.as_deref()), entry.effective_at));
        let day = dated.or(moved).unwrap_or_else(|| terms.day_of(entry.effective_at));
        let currency = position.map(|position| position.currency).or_else(quoted).or_else(leg);
        let rated = leg().filter(|_| entry.cause.topic == Topic::Cash).or(currency);
        Booked { entry, base: terms.base, currency, rated, market, day, on_time: terms.counted(day) == today }
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

    fn line(&self) -> Deed {
        let entry = self.entry;
        if !entry.by_strategy.is_empty() {
            return self.of_strategies();
        }
        let own = |amount: Money| self.currency.map_or(Amount::ZERO, |currency| self.convert(currency, amount));
        let (realized, income) = (own(entry.realized_gross), own(entry.income));
        let fees = self.fees();
        let line = Deed { realized, fees, income, ..Deed::default() };
        Deed { proceeds: self.proceeds(&line), ..line }
    }

    fn facts(&self) -> Option<&Facts> {
        self.market.facts(self.entry.instrument_id.as_ref()?)
    }

    fn kind(&self) -> Option<InstrumentType> {
        Some(self.facts()?.kind)
    }

    /// What all strategies together and what they leave come to: in base, at the rates of the book.
    fn of_strategies(&self) -> Deed {
        let mut line = Deed::default();
        for part in &self.entry.by_strategy {
            let (realized, fees, income) = (part.realized_gross.into(), part.fees.into(), part.income.into());
            line.add(&Deed { realized, fees, income, ..Deed::default() });
        }
        line.proceeds = self.proceeds(&line);
        line
    }

    /// An execution brings its cash, a corporate action what it pays in lieu; what is earned counts when it is, so that
    /// of entries of cash only what they do to profit counts.
    fn proceeds(&self, line: &Deed) -> Amount {
        let (entry, income) = (self.entry, line.income);
        let earned = income.checked_sub(line.fees).unwrap_or(income);
        let moves_units = !entry.quantity_change.is_zero();
        // One currency for another, at the price of the fill: what rates do to either is no profit of the pair.
        if self.kind() == Some(InstrumentType::Fx) {
            return earned;
        }
        match (entry.kind, entry.cause.topic) {
            (EntryKind::Dividend | EntryKind::CashDividend, _) => earned,
            (_, Topic::Cash) if moves_units => {
                Amount::from(entry.external_flow).checked_neg().and_then(|out| out.checked_add(earned)).unwrap_or(earned)
            }
            (_, Topic::Cash) => earned,
            // What an amendment does to it is of bookings at other rates than its own.
            _ if self.kind() == Some(InstrumentType::Future) => earned.checked_add(line.realized).unwrap_or(earned),
            (EntryKind::Restate, _) | (_, Topic::Frames) if !income.is_zero() => earned,
            _ => self.sum(&entry.cash),
        }
    }

    /// What of it is whose: an execution is its strategy's, whatever it did to the averages of others.
    fn parts(&self, line: &Deed) -> Vec<(Option<StrategyId>, Deed)> {
        let entry = self.entry;
        if entry.by_strategy.is_empty() {
            return vec![(entry.strategy.clone(), *line)];
        }
        let named: Vec<&StrategyChange> = entry.by_strategy.iter().filter(|part| !part.residual).collect();
        let is_execution = entry.cause.topic == Topic::Fills && entry.kind != EntryKind::Restate;
        let is_paid = is_execution && !matches!(self.kind(), Some(InstrumentType::Future | InstrumentType::Fx));
        if is_paid && named.is_empty() {
            return vec![(entry.strategy.clone(), Deed { proceeds: line.proceeds, ..Deed::default() })];
        }
        let deed = |part: &StrategyChange| {
            let (realized, fees, income) = (part.realized_gross.into(), part.fees.into(), part.income.into());
            let proceeds = if is_paid { self.paid(part, &named, line) } else { self.given(part, &named, line) };
            (part.strategy.clone(), Deed { proceeds, realized, fees, income })
        };
        named.iter().map(|part| deed(part)).collect()
    }

    /// What a strategy has paid or was paid for its part of an execution. A correction that moves it to another strategy has
    /// two: who has it now has paid what it says, and who had it gets back what that leaves.
    fn paid(&self, part: &StrategyChange, all: &[&StrategyChange], line: &Deed) -> Amount {
        let Some(now) = all.iter().find(|part| part.strategy == self.entry.strategy).filter(|_| all.len() > 1) else {
            return share(line.proceeds, 1, all.len() as i128);
        };
        let of_now = self.facts().and_then(|facts| self.at_its_price(now.quantity_change, facts));
        let of_now = of_now.and_then(|paid| earned(now).checked_sub(paid).ok()).unwrap_or(line.proceeds);
        if part.strategy == now.strategy { of_now } else { line.proceeds.checked_sub(of_now).unwrap_or_default() }
    }

    /// What a strategy has earned by what is no execution that is paid for: a future pays what it has realised, and what a
    /// split pays in lieu is theirs who realised something by it.
    fn given(&self, part: &StrategyChange, all: &[&StrategyChange], line: &Deed) -> Amount {
        let entry = self.entry;
        let realized = |part: &StrategyChange| part.realized_gross.abs().units();
        let of_all = all.iter().map(|part| realized(part)).sum();
        match entry.cause.topic {
            // Securities that cross the boundary, at their value.
            Topic::Cash if !entry.quantity_change.is_zero() => {
                share(line.proceeds, part.quantity_change.units(), entry.quantity_change.units())
            }
            _ if self.kind() == Some(InstrumentType::Future) => earned(part).checked_add(part.realized_gross.into()).unwrap_or_default(),
            _ if entry.cash.is_empty() || of_all == 0 => earned(part),
            _ => share(line.proceeds, realized(part), of_all),
        }
    }

    /// The hour of an execution, by the clocks of its venue.
    fn hour(&self) -> Option<u8> {
        let entry = self.entry;
        let venue = entry.venue.as_deref().or_else(|| self.facts()?.venue.as_deref());
        entry.transact_time.and_then(|moment| venue::hour_of(venue, moment))
    }

    fn sum(&self, amounts: &[CurrencyAmount]) -> Amount {
        total(amounts.iter().map(|leg| self.convert(leg.currency, leg.amount)))
    }

    /// Fees; those that the holding pays are worth what the execution paid for as many units.
    fn fees(&self) -> Amount {
        total(self.entry.fees.iter().map(|leg| self.in_units(leg).unwrap_or_else(|| self.convert(leg.currency, leg.amount))))
    }

    fn in_units(&self, leg: &CurrencyAmount) -> Option<Amount> {
        let facts = self.facts()?;
        let is_held = facts.kind != InstrumentType::Future && facts.base_asset == Some(leg.currency);
        if is_held { self.at_its_price(Quantity::of_amount(leg.amount), facts) } else { None }
    }

    /// What units were worth at the price of the entry, in base.
    fn at_its_price(&self, units: Quantity, facts: &Facts) -> Option<Amount> {
        let value = units.times(self.entry.price?).ok()?.multiply(facts.multiplier).ok()?;
        if self.currency == Some(self.base) { Some(value) } else { value.convert(self.entry.fx_rate?).ok() }
    }

    fn convert(&self, currency: Currency, amount: Money) -> Amount {
        let amount = Amount::from(amount);
        if currency == self.base || amount.is_zero() {
            return amount;
        }
        let booked = self.entry.fx_rate.filter(|_| self.rated == Some(currency));
        let rate = booked.or_else(|| self.market.booked_rate(currency, self.base, self.day).and_then(rounded));
        rate.and_then(|rate| amount.convert(rate).ok()).unwrap_or(Amount::ZERO)
    }
}

fn total(amounts: impl Iterator<Item = Amount>) -> Amount {
    amounts.fold(Amount::ZERO, |sum, amount| sum.checked_add(amount).unwrap_or(sum))
}

/// Income less fees.
fn earned(part: &StrategyChange) -> Amount {
    let income = Amount::from(part.income);
    income.checked_sub(part.fees.into()).unwrap_or(income)
}

/// So many parts of a whole.
fn share(amount: Amount, part: i128, whole: i128) -> Amount {
    domain::wide::mul_div_half_even(amount.units(), part, whole).map(Amount::from_units).unwrap_or(Amount::ZERO)
}

/// A rate of the market at the scale of rates.
fn rounded(rate: f64) -> Option<FxRate> {
    crate::tracker::figures::units(rate, FxRate::ONE.units()).map(FxRate::from_units)
}
