//! A portfolio's close: what it held on a day, at the prices of the day's cut. Each part is rounded once, and equity is
//! the sum of the parts as they are published. It decides nothing about when a day is closed, or closed again.

pub mod strategies;

use crate::book::Portfolio;
use crate::book::asof::{AsOf, Untold};
use crate::book::days::Lack;
use crate::book::entry::money;
use crate::prices::cut_prices::Priced;
use crate::prices::cuts::DayCut;
use crate::prices::rates::Rate;
use crate::prices::{InstrumentIx, Market, PricesOfDay, Slot};
use crate::valuation::{largest_part, worth};
use domain::enums::InstrumentType;
use domain::ledger::CurrencyAmount;
use domain::portfolio_close::{ClosedCurrency, ClosedPosition, PortfolioClose};
use domain::{Amount, Currency, FixedError, Money, Price, Quantity, SmolStr, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Names that a reason lists.
const NAMED: usize = 20;

/// What a close is made of.
pub struct Closing<'a> {
    /// The portfolio.
    pub portfolio: &'a Portfolio,
    /// Its instruments.
    pub market: &'a Market,
    /// The day's cut.
    pub cut: &'a DayCut,
    /// The prices of then; `None` where they are not kept any more.
    pub prices: Option<&'a PricesOfDay>,
}

/// A close whose circumstances (versions, moments, what waits) are still to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// The record.
    pub record: PortfolioClose,
    /// What its figures lack.
    pub lacks: BTreeSet<Lack>,
    /// How many lines it took, those of strategies among them.
    pub lines: usize,
}

impl Closing<'_> {
    /// Makes the close; `before` are the net flows up to the close before, as published.
    pub fn make(&self, before: Money) -> Closed {
        let mut lacks = BTreeSet::new();
        let asof = AsOf::of(self.portfolio, self.cut).unwrap_or_else(|untold: Untold| {
            lacks.insert(match untold {
                Untold::LetGo => Lack::Bookings,
                Untold::Range => Lack::Range,
                Untold::Differs => Lack::Fold,
            });
            AsOf::now(self.portfolio)
        });
        lacks.extend(self.behind(&asof));
        lacks.extend(self.unknown_calendar().map(|_| Lack::Calendar));
        lacks.extend(self.prices.is_none_or(|prices| prices.late).then_some(Lack::Prices));
        let limit = largest_part(asof.held.len() + asof.cash.len() + asof.owed.len());
        let oldest = self.portfolio.max_close_age_days.map(|days| self.cut.days_before(1 + days));
        let mut part = Part { closing: self, limit, began: self.cut.days_before(1), oldest, lacks: &mut lacks };
        let mut positions: Vec<ClosedPosition> = asof.held.iter().map(|(ix, held)| part.position(*ix, *held)).collect();
        positions.sort_by(|a, b| a.instrument_id.cmp(&b.instrument_id));
        let currencies: Vec<ClosedCurrency> = part.currencies(&asof);
        let strategies = strategies::rows(&mut part, &asof, &positions);
        let of_cash = currencies.iter().map(|value| value.cash_value.units() + value.receivables_value.units());
        let equity = positions.iter().map(|position| position.value.units()).chain(of_cash).sum();
        let net_flows = money(asof.net_flows);
        let record = PortfolioClose {
            portfolio_id: self.portfolio.id.clone(),
            date: self.cut.date,
            version: 0,
            equity: Money::from_units(equity),
            net_external_flow: Money::from_units(net_flows.units() - before.units()),
            positions,
            cash: amounts(&asof.cash),
            complete: true,
            incomplete_reason: None,
            provisional: false,
            restates: None,
            base_currency: Some(self.portfolio.base),
            cut_at: Some(self.cut.at),
            as_of: None,
            receivables: amounts(&asof.owed),
            currencies,
            net_flows: Some(net_flows),
            policy_version: None,
            input_offsets: Vec::new(),
            strategies,
        };
        let lines = asof.held.len() + asof.strategies.values().map(Vec::len).sum::<usize>();
        Closed { record, lacks, lines }
    }

    /// The calendar by which nobody knows whether the day is one.
    fn unknown_calendar(&self) -> Option<&'static str> {
        self.portfolio.rules.days.unknown(self.cut.date)
    }

    /// Lines that do not follow their corporate actions, or whose facts are doubtful.
    fn behind(&self, asof: &AsOf) -> Vec<Lack> {
        let doubtful = asof.held.keys().filter(|ix| self.market.slot(**ix).doubtful());
        let behind = self.portfolio.actions.iter().filter(|(_, actions)| actions.is_behind()).map(|(ix, _)| ix);
        doubtful.chain(behind).map(|ix| Lack::Action(*ix)).collect()
    }

    /// The price of an instrument at the cut.
    fn priced(&self, ix: InstrumentIx) -> Option<Priced> {
        self.prices?.price(ix, self.market, self.cut.date)
    }
    fn price(&self, ix: InstrumentIx) -> Option<Price> {
        self.priced(ix).map(|priced| priced.price)
    }
    fn rate(&self, of: Currency) -> Option<Rate> {
        self.market.rate_by(|ix| self.price(ix), of, self.portfolio.base)
    }
    /// When the prices were made that a rate comes from.
    fn ages(&self, rate: Option<&Rate>) -> impl Iterator<Item = (InstrumentIx, Timestamp)> {
        let pairs = rate.into_iter().flat_map(|rate| &rate.pairs);
        pairs.filter_map(|pair| self.priced(*pair).map(|priced| (*pair, priced.made)))
    }

    /// Whether something that a close lacked has come.
    pub fn has_come(&self, lack: &Lack) -> bool {
        let is_behind = |ix: &InstrumentIx| self.portfolio.actions.get(ix).is_some_and(|actions| actions.is_behind());
        match lack {
            Lack::Price(ix) => self.price(*ix).is_some(),
            Lack::Rate(of) => self.rate(*of).is_some(),
            Lack::Action(ix) => !is_behind(ix) && !self.market.slot(*ix).doubtful(),
            // What waits and who must decide is not known here; what was let go never comes back, and what leaves its
            // range does so until something else is booked. A price of before the cut touches the day itself.
            Lack::Calendar => self.unknown_calendar().is_none(),
            Lack::Waiting | Lack::Release | Lack::Prices | Lack::Bookings | Lack::Range | Lack::Fold => false,
            Lack::Value(_) | Lack::Cash(_) | Lack::NewerPrice(_) => false,
        }
    }

    /// Why a close is provisional, in words; `waiting` is how many records wait.
    pub fn reason(&self, lacks: &[Lack], waiting: i32) -> Option<SmolStr> {
        let id = |ix: &InstrumentIx| self.market.slot(*ix).id.to_string();
        // By name: the order in which a lane has heard of instruments is nobody else's.
        let named = |name: &dyn Fn(&Lack) -> Option<String>| lacks.iter().filter_map(name).collect::<BTreeSet<_>>();
        let prices = named(&|lack| if let Lack::Price(ix) = lack { Some(id(ix)) } else { None });
        let rates = named(&|lack| if let Lack::Rate(of) = lack { Some(format!("{of} in {}", self.portfolio.base)) } else { None });
        let values = named(&|lack| match lack {
            Lack::Value(ix) => Some(id(ix)),
            Lack::Cash(of) => Some(format!("cash in {of}")),
            _ => None,
        });
        let actions = named(&|lack| if let Lack::Action(ix) = lack { Some(id(ix)) } else { None });
        let mut reasons = Vec::new();
        if lacks.contains(&Lack::Prices) {
            let kept = if self.prices.is_some() {
                "its policy was read after its cut, at prices of then"
            } else {
                "the prices of its cut are not kept any more"
            };
            reasons.push(kept.to_owned());
        }
        reasons.extend(listed("no price of", &prices));
        reasons.extend(listed("no rate of", &rates));
        let old = named(&|lack| if let Lack::NewerPrice(ix) = lack { Some(id(ix)) } else { None });
        reasons.extend(listed("too old is the price of", &old));
        reasons.extend(listed("out of the range of money is the value of", &values));
        reasons.extend(listed("corporate actions or facts are in doubt of", &actions));
        if lacks.contains(&Lack::Bookings) {
            reasons.push("bookings of later days are in it: they are not kept any more".to_owned());
        }
        if lacks.contains(&Lack::Range) {
            reasons.push("bookings of later days are in it: without them a figure leaves its range".to_owned());
        }
        if lacks.contains(&Lack::Fold) {
            reasons
                .push("bookings of later days are in it: what is kept does not fold to what is held, a defect to be reported".to_owned());
        }
        if lacks.contains(&Lack::Waiting) {
            reasons.push(format!("{waiting} {}", if waiting == 1 { "record waits" } else { "records wait" }));
        }
        if lacks.contains(&Lack::Release) {
            reasons.push("quarantined until RELEASE".to_owned());
        }
        if let Some(calendar) = self.unknown_calendar().filter(|_| lacks.contains(&Lack::Calendar)) {
            reasons.push(format!("calendar {calendar} does not reach to {}: it may be a holiday", self.cut.date));
        }
        (!reasons.is_empty()).then(|| SmolStr::new(reasons.join("; ")))
    }
}

fn listed(what: &str, names: &BTreeSet<String>) -> Option<String> {
    let mut text = format!("{what} {}", names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", "));
    if names.len() > NAMED {
        write!(text, " and {} more", names.len() - NAMED).expect("text can always be written");
    }
    (!names.is_empty()).then_some(text)
}

/// What is left of each currency, as published.
fn amounts(of: &BTreeMap<Currency, Amount>) -> Vec<CurrencyAmount> {
    let left = of.iter().filter(|(_, amount)| !amount.is_zero());
    left.map(|(currency, amount)| CurrencyAmount { currency: *currency, amount: money(*amount) }).collect()
}

/// The parts of a close, and what they lack.
struct Part<'a> {
    closing: &'a Closing<'a>,
    limit: i128,
    /// When the day began.
    began: Timestamp,
    /// Since when a price may have been made, where the policy bounds that.
    oldest: Option<Timestamp>,
    lacks: &'a mut BTreeSet<Lack>,
}

impl Part<'_> {
    /// Notes a price or a rate that is missing; of a cut of which none is kept it would lead astray to name each.
    fn lack(&mut self, lack: Lack) {
        if self.closing.prices.is_some() {
            self.lacks.insert(lack);
        }
    }

    /// Notes prices that are too old; whether one of them was made before the day began, so that the last one stands for it.
    fn note_ages(&mut self, made: impl Iterator<Item = (InstrumentIx, Timestamp)>) -> bool {
        let mut stale = false;
        for (ix, made) in made {
            stale |= made < self.began;
            if self.oldest.is_some_and(|oldest| made < oldest) {
                self.lacks.insert(Lack::NewerPrice(ix));
            }
        }
        stale
    }

    fn position(&mut self, ix: InstrumentIx, (quantity, cost): (Quantity, Amount)) -> ClosedPosition {
        let slot: &Slot = self.closing.market.slot(ix);
        let facts = slot.facts.as_deref();
        let priced = self.closing.priced(ix);
        let found = facts.and_then(|facts| self.closing.rate(facts.currency));
        let rate = found.as_ref().map(|found| found.rate);
        let own = priced.map(|priced| (ix, priced.made));
        let stale = self.note_ages(own.into_iter().chain(self.closing.ages(found.as_ref())));
        if let (Some(facts), None) = (facts, rate) {
            self.lack(Lack::Rate(facts.currency));
        }
        let value = facts.zip(priced).zip(rate).and_then(|((facts, priced), rate)| {
            let (value, _) = worth((quantity, cost), facts, priced.price, priced.accrued, rate).ok()?;
            Some(value).filter(|value| value.units().unsigned_abs() <= self.limit.unsigned_abs())
        });
        if priced.is_none() {
            self.lack(Lack::Price(ix));
        } else if value.is_none() && rate.is_some() {
            self.lacks.insert(Lack::Value(ix));
        }
        ClosedPosition {
            instrument_id: slot.id.clone(),
            quantity,
            price: priced.map(|priced| priced.price),
            fx_rate: rate,
            value: money(value.unwrap_or_default()),
            kind: slot.kind(),
            currency: facts.map(|facts| facts.currency),
            multiplier: facts.map(|facts| facts.multiplier),
            accrued: priced.and_then(|priced| priced.accrued).filter(|_| slot.kind() == InstrumentType::Bond),
            cost: Some(money(cost)),
            sector: facts.and_then(|facts| facts.sector.clone()),
            price_time: priced.map(|priced| priced.made),
            stale,
        }
    }

    fn currencies(&mut self, asof: &AsOf) -> Vec<ClosedCurrency> {
        let all: BTreeSet<Currency> = asof.cash.keys().chain(asof.owed.keys()).copied().collect();
        let of = |amounts: &BTreeMap<Currency, Amount>, currency: &Currency| amounts.get(currency).copied().unwrap_or_default();
        let mut values = Vec::new();
        for currency in all {
            let (cash, owed) = (of(&asof.cash, &currency), of(&asof.owed, &currency));
            if cash.is_zero() && owed.is_zero() {
                continue;
            }
            let found = self.closing.rate(currency);
            let fx_rate = found.as_ref().map(|found| found.rate);
            let stale = self.note_ages(self.closing.ages(found.as_ref()));
            let worth = |amount: Amount| -> Result<Amount, FixedError> { fx_rate.map_or(Ok(Amount::ZERO), |rate| amount.convert(rate)) };
            let small = |amount: Amount| worth(amount).ok().filter(|value| value.units().unsigned_abs() <= self.limit.unsigned_abs());
            let is_base = currency == self.closing.portfolio.base;
            let (cash, owed) = if is_base { (Some(cash), Some(owed)) } else { (small(cash), small(owed)) };
            if fx_rate.is_none() {
                self.lack(Lack::Rate(currency));
            } else if cash.is_none() || owed.is_none() {
                self.lacks.insert(Lack::Cash(currency));
            }
            let (cash_value, receivables_value) = (money(cash.unwrap_or_default()), money(owed.unwrap_or_default()));
            values.push(ClosedCurrency { currency, fx_rate, cash_value, receivables_value, stale });
        }
        values
    }
}
