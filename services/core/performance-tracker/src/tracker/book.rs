//! What the tracker keeps of one portfolio: the newest days with all that they were made of, sums of the older ones, and
//! the daily series. A day that is told again is worked out anew from there on, and no further back.

use crate::tracker::closed::Closed;
use crate::tracker::deeds::{Deeds, add_trades, booked};
use crate::tracker::market::Market;
use crate::tracker::profit::{Between, Profit};
use crate::tracker::returned::{Rule, Span};
use crate::tracker::series::{Beside, Day, Series};
use crate::tracker::terms::Terms;
use domain::ledger::{ClosedTrades, Ledger};
use domain::policy::Policy;
use domain::portfolio_close::PortfolioClose;
use domain::{Currency, Date, Money, Timestamp, Topic};
use engine::{Origin, RawRecord};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Closed days that are kept with all that they were made of: as many as the position-keeper closes again. What is booked
/// of an older one counts there in the oldest of these too.
const KEPT_DAYS: usize = 10;
/// Versions of a policy that are kept, for closes that name an older one.
const KEPT_TERMS: usize = 8;

/// A day that may be told again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Recent {
    deeds: Deeds,
    /// When the last of these was booked.
    booked: Option<Timestamp>,
    closed: Option<Closed>,
    profit: Profit,
    by_flows: bool,
    /// Fingerprint of what was last published of it.
    pub told: u128,
}

/// Profits of older days, of the month and the year of the newest of them and of all time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Sealed {
    /// The newest older day, with its close.
    last: Option<(Date, Closed)>,
    month: Profit,
    year: Profit,
    all: Profit,
}

/// One portfolio.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Book {
    terms: Vec<Terms>,
    recent: BTreeMap<Date, Recent>,
    sealed: Sealed,
    /// The first day that must be worked out anew.
    changed: Option<Date>,
    /// Closed trades of sealed days, told since days were last worked out.
    late: BTreeMap<Date, Option<Box<ClosedTrades>>>,
    /// Whether that is due, or waits for the close that counts it.
    due: bool,
    /// Ledger records that were read before any policy.
    early: Vec<RawRecord>,
    /// How far its closes had read frames, and the newest policy that they were made under.
    reach: (i64, i64),
    #[serde(skip)]
    series: Series,
}

/// A closed day, with what it came to.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// Its close.
    pub closed: &'a Closed,
    /// What it has earned.
    pub profit: &'a Profit,
    /// How its return was found.
    pub rule: Rule,
    /// Its place in the series.
    pub day: &'a Day,
    /// Whether another close will come: this one says so, or something was booked since that belongs to it.
    pub provisional: bool,
    /// Whether the day before it, from which it is measured, is not final.
    pub begins_provisional: bool,
}

impl Book {
    /// Takes a policy in; returns the ledger records that waited for it.
    pub fn take_policy(&mut self, policy: &Policy) -> Vec<RawRecord> {
        if self.terms.last().is_some_and(|known| policy.policy_version <= known.version) {
            return Vec::new();
        }
        self.terms.push(policy.into());
        let most = self.terms.len().saturating_sub(KEPT_TERMS);
        self.terms.drain(..most);
        std::mem::take(&mut self.early)
    }
    /// Lets a ledger record wait, where no policy was read yet: nobody knows in which currency to count. The topics are
    /// read apart, so that it is on its way.
    pub fn awaits_policy(&mut self, origin: &Origin<'_>) -> bool {
        if self.terms.is_empty() {
            self.early.push(origin.to_raw());
        }
        self.terms.is_empty()
    }

    /// The terms under which a day was closed, else the newest.
    pub fn terms(&self, closed: Option<&Closed>) -> Terms {
        let named = closed.and_then(|closed| self.terms.iter().find(|terms| Some(terms.version) == closed.policy_version));
        named
            .or(self.terms.last())
            .cloned()
            .unwrap_or_else(|| Terms::unknown(closed.and_then(|closed| closed.base).unwrap_or_else(no_currency)))
    }

    /// Takes a ledger record in that was made at a moment. Of a day that is sealed the oldest kept one takes the bookings,
    /// as its flow is in the close of that one. Returns whether a day is to be told anew: one whose close counts the
    /// booking already. What was booked after its close was made waits for the next one.
    pub fn take_ledger(&mut self, ledger: &Ledger, made: Timestamp, market: &Market) -> bool {
        let terms = self.terms(None);
        let mut counted = false;
        for one in booked(ledger, made, &terms, market) {
            let day = self.first_open().map_or(one.day, |first| one.day.max(first));
            if let Some(since) = one.belies() {
                self.recent.range_mut(day..).for_each(|(_, recent)| recent.deeds.forget_values(since));
            }
            let recent = self.recent.entry(day).or_default();
            recent.deeds.take(&one);
            recent.booked = recent.booked.max(Some(made));
            self.change(day);
            one.closed_trades().iter().for_each(|trades| self.close_trades(trades));
            let close = self.recent.range(day..).find_map(|(_, recent)| recent.closed.as_ref());
            counted |= close.is_some_and(|close| made <= close.as_of);
        }
        self.due |= counted;
        counted
    }

    /// Takes closed trades in, each on its own day, whenever they are told.
    fn close_trades(&mut self, trades: &ClosedTrades) {
        let day = trades.trade_date;
        if self.sealed.last.as_ref().is_some_and(|(sealed, _)| day <= *sealed) {
            return add_trades(self.late.entry(day).or_default(), trades);
        }
        let day = self.first_open().map_or(day, |first| day.max(first));
        self.recent.entry(day).or_default().deeds.close(trades);
        self.change(day);
    }

    /// The first day that is not sealed.
    fn first_open(&self) -> Option<Date> {
        let sealed = self.sealed.last.as_ref().map(|(date, _)| *date)?;
        Some(self.recent.keys().next().copied().unwrap_or(sealed.plus_days(1)))
    }

    /// Takes a close in; whether it says anything new.
    pub fn take_close(&mut self, close: &PortfolioClose) -> bool {
        let sealed = self.sealed.last.as_ref().is_some_and(|(date, _)| close.date <= *date);
        let known = self.recent.get(&close.date).and_then(|recent| recent.closed.as_ref());
        if sealed || known.is_some_and(|known| close.version <= known.version) {
            return false;
        }
        let frames = close.input_offsets.iter().filter(|read| read.topic == Topic::Frames).map(|read| read.offset).max();
        self.reach.0 = self.reach.0.max(frames.unwrap_or(0));
        self.reach.1 = self.reach.1.max(close.policy_version.unwrap_or(0));
        self.recent.entry(close.date).or_default().closed = Some(Closed::of(close));
        self.change(close.date);
        self.due = true;
        true
    }

    /// Whether the frames and the policy that its closes were made of were read here too: until then a day would be told
    /// without facts that it had.
    pub fn is_level(&self, frames: i64) -> bool {
        self.reach.0 <= frames && self.reach.1 <= self.terms.last().map_or(0, |terms| terms.version)
    }
    /// Whether a day is to be told anew.
    pub const fn is_due(&self) -> bool {
        self.due
    }

    fn change(&mut self, day: Date) {
        self.changed = self.changed.into_iter().chain([day]).min();
    }

    /// Works the days out anew from the first that has changed. Returns the closed ones among them, and sealed ones of
    /// whose closed trades something else is told now.
    pub fn settle(&mut self, market: &Market) -> Vec<Date> {
        self.due = false;
        let Some(from) = self.changed.take() else { return Vec::new() };
        let late = std::mem::take(&mut self.late);
        let late = late.into_iter().filter_map(|(day, trades)| self.series.close_trades(day, trades.as_deref()?));
        let mut settled: Vec<Date> = late.collect();
        let mut deeds = Deeds::default();
        let mut before = self.sealed.last.as_ref().map(|(_, closed)| closed);
        for (date, recent) in &mut self.recent {
            deeds.add(&recent.deeds);
            let Some(closed) = &recent.closed else { continue };
            if *date >= from {
                let begin = before.map_or(Money::ZERO, |close| close.equity);
                let span = Span { begin, end: closed.equity, flows: &deeds.flows, net: closed.flow };
                let (returned, rule) = span.returned();
                recent.profit = Between { before, after: closed, deeds: &deeds, market }.profit();
                recent.by_flows = rule == Rule::TimeWeighted;
                let known = self.series.last_until(*date).filter(|day| day.date == *date);
                let (benchmark, risk_free) = known.map_or((Beside::Unpriced, Beside::Unpriced), |day| (day.benchmark, day.risk_free));
                let (equity, flow, provisional) = (closed.equity, closed.flow, closed.provisional);
                let trades = deeds.trades.take();
                self.series.write(Day { date: *date, equity, flow, returned, benchmark, risk_free, provisional, trades });
                settled.push(*date);
            }
            deeds = Deeds::default();
            before = Some(closed);
        }
        settled
    }

    /// Lets the oldest days go that are too many, once they were told.
    pub fn seal(&mut self) {
        while self.recent.values().filter(|recent| recent.closed.is_some()).count() > KEPT_DAYS {
            let Some((date, mut recent)) = self.recent.pop_first() else { return };
            let Some(closed) = recent.closed.take() else {
                // A day without a close is in the one after it.
                if let Some(next) = self.recent.values_mut().next() {
                    recent.deeds.add(&next.deeds);
                    next.deeds = recent.deeds;
                    next.booked = next.booked.max(recent.booked);
                }
                continue;
            };
            self.sealed.add(date, &recent.profit);
            self.sealed.last = Some((date, closed));
        }
    }

    /// A closed day that is kept.
    pub fn told(&self, date: Date) -> Option<Told<'_>> {
        let recent = self.recent.get(&date)?;
        let rule = if recent.by_flows { Rule::TimeWeighted } else { Rule::Daily };
        let day = self.series.last_until(date).filter(|day| day.date == date)?;
        let closed = recent.closed.as_ref()?;
        let since = self.recent.range(..=date).any(|(_, recent)| recent.booked > Some(closed.as_of));
        let begins_provisional = self.series.before(date).next_back().is_some_and(|before| before.provisional);
        Some(Told { closed, profit: &recent.profit, rule, day, provisional: closed.provisional || since, begins_provisional })
    }
    /// The newest closed day.
    pub fn newest(&self) -> Option<Date> {
        self.recent.iter().rev().find(|(_, recent)| recent.closed.is_some()).map(|(date, _)| *date)
    }
    /// What was last published of a day, to compare and to write.
    pub fn told_mut(&mut self, date: Date) -> Option<&mut u128> {
        self.recent.get_mut(&date).map(|recent| &mut recent.told)
    }
    /// What the days from one up to the newest have earned; of all time where there is none. `None` where the older
    /// days of that time are not kept apart.
    pub fn profit_from(&self, from: Option<Date>) -> Option<Profit> {
        let mut sum = self.sealed.from(from)?;
        let within = self.recent.iter().filter(|(date, recent)| recent.closed.is_some() && from.is_none_or(|from| from <= **date));
        within.for_each(|(_, recent)| sum.add(&recent.profit));
        Some(sum)
    }
    /// The daily series.
    pub fn series(&self) -> &Series {
        &self.series
    }
    /// The daily series, to write what stands beside it.
    pub fn series_mut(&mut self) -> &mut Series {
        &mut self.series
    }
}

impl Sealed {
    fn add(&mut self, date: Date, profit: &Profit) {
        let last = self.last.as_ref().map(|(date, _)| date.month());
        if last.is_none_or(|last| last != date.month()) {
            self.month = Profit::default();
        }
        if last.is_none_or(|last| last.0 != date.month().0) {
            self.year = Profit::default();
        }
        [&mut self.month, &mut self.year, &mut self.all].into_iter().for_each(|sum| sum.add(profit));
    }
    /// What older days from the first of a month or a year on have earned.
    fn from(&self, from: Option<Date>) -> Option<Profit> {
        let Some(from) = from else { return Some(self.all.clone()) };
        let Some((last, _)) = self.last.as_ref().filter(|(last, _)| from <= *last) else { return Some(Profit::default()) };
        match from.plus_days(-1).month() {
            before if from.month() == last.month() && before != from.month() => Some(self.month.clone()),
            before if from.month().0 == last.month().0 && before.0 != from.month().0 => Some(self.year.clone()),
            _ => None,
        }
    }
}

/// The base currency of a portfolio of which neither policy nor close names one: that of no amount.
fn no_currency() -> Currency {
    Currency::new("XXX").expect("ISO 4217's code for no currency")
}
