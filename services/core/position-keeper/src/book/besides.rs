//! What instruments have earned and cost beside their executions and actions: cash entries that name one.
//!
//! Such an entry changes no holding, so that it has no place among the bookings of a line and is not folded with them:
//! it may be taken back for as long as payments are kept, and stands before and after every split alike. It counts in
//! the instrument's figures, and not in those of a cycle: a dividend often comes when its cycle is over.

use super::execution::Effect;
use super::payment::Payment;
use super::portfolio::Portfolio;
use super::sub_positions::{Charged, MOST};
use super::sums::Sums;
use super::trouble::bounded;
use crate::prices::InstrumentIx;
use domain::enums::EntryKind;
use domain::{Amount, FixedError, StrategyId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What entries have come to for one instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Beside {
    /// Fees, in the instrument's currency.
    pub fees: Amount,
    /// Dividends and interest, in the instrument's currency.
    pub income: Amount,
    /// Income less fees, in base.
    pub net_base: Amount,
    /// Fees, in base.
    pub fees_base: Amount,
}

impl Beside {
    /// Fees and income in base.
    pub fn charged(&self) -> Charged {
        Charged { fees: self.fees_base, income: self.net_base.checked_add(self.fees_base).expect("two bounded amounts add up") }
    }
}

/// What entries have come to that name a strategy of an instrument, with how many they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct OfStrategy {
    charged: Charged,
    entries: u64,
}

/// By instrument; those of which nothing is left are gone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Besides {
    all: BTreeMap<InstrumentIx, Beside>,
    /// The part of it whose entries name a strategy.
    named: BTreeMap<InstrumentIx, BTreeMap<StrategyId, OfStrategy>>,
}

impl Besides {
    /// What entries have come to for an instrument.
    pub fn of(&self, instrument: InstrumentIx) -> Beside {
        if self.all.is_empty() { Beside::default() } else { self.all.get(&instrument).copied().unwrap_or_default() }
    }
    /// The instruments that it names.
    pub fn instruments(&self) -> impl Iterator<Item = InstrumentIx> {
        self.all.keys().chain(self.named.keys()).copied()
    }
    /// The part of it that names strategies, by name.
    pub fn by_strategy(&self, instrument: InstrumentIx) -> impl Iterator<Item = (&StrategyId, Charged)> {
        self.named.get(&instrument).into_iter().flatten().map(|(strategy, of)| (strategy, of.charged))
    }
    /// Whether any of it does.
    pub fn names_strategies(&self, instrument: InstrumentIx) -> bool {
        !self.named.is_empty() && self.named.contains_key(&instrument)
    }
    /// Whether the entries of an instrument name as many strategies as they may, and not this one.
    pub fn is_crowded(&self, instrument: InstrumentIx, strategy: Option<&StrategyId>) -> bool {
        let named = self.named.get(&instrument).zip(strategy);
        named.is_some_and(|(named, strategy)| named.len() >= MOST && !named.contains_key(strategy))
    }

    /// The same after a payment that names an instrument, or after one that is taken back.
    fn after(&self, payment: &Payment, sign: i128) -> Result<Option<After>, FixedError> {
        let Some(of) = payment.of else { return Ok(None) };
        let effect = payment.effect()?.change.signed(sign)?;
        // What was owed is in the figures of the line since its ex-date.
        let earned = payment.settles.iter().try_fold(Amount::ZERO, |sum, earned| sum.checked_add(earned.income))?;
        let amount = super::position::signed(sign, of.amount.checked_sub(earned)?)?;
        let (fees, income) = if payment.kind == EntryKind::CashFee { (amount, Amount::ZERO) } else { (Amount::ZERO, amount) };
        let before = self.of(of.instrument);
        let after = Beside {
            fees: bounded(before.fees.checked_add(fees)?)?,
            income: bounded(before.income.checked_add(income)?)?,
            net_base: bounded(before.net_base.checked_add(effect.realized_net()?)?)?,
            fees_base: bounded(before.fees_base.checked_add(effect.fees)?)?,
        };
        Ok(Some(After { instrument: of.instrument, all: after, named: self.named_after(payment, &effect, sign)? }))
    }

    /// The same of the strategy that it names.
    fn named_after(&self, payment: &Payment, change: &Sums, sign: i128) -> Result<Option<(StrategyId, OfStrategy)>, FixedError> {
        let named = payment.of.zip(payment.strategy.as_ref()).filter(|_| !payment.crowded);
        let Some((of, strategy)) = named else { return Ok(None) };
        let before = self.named.get(&of.instrument).and_then(|named| named.get(strategy)).copied().unwrap_or_default();
        let Charged { fees, income } = before.charged;
        let charged = Charged { fees: bounded(fees.checked_add(change.fees)?)?, income: bounded(income.checked_add(change.income)?)? };
        let entries = if sign < 0 { before.entries.saturating_sub(1) } else { before.entries + 1 };
        Ok(Some((strategy.clone(), OfStrategy { charged, entries })))
    }

    fn put(&mut self, after: After) {
        let After { instrument, all, named } = after;
        if all == Beside::default() {
            self.all.remove(&instrument);
        } else {
            self.all.insert(instrument, all);
        }
        let Some((strategy, of)) = named else { return };
        let known = self.named.entry(instrument).or_default();
        if of.entries > 0 {
            known.insert(strategy, of);
        } else {
            known.remove(&strategy);
        }
        if known.is_empty() {
            self.named.remove(&instrument);
        }
    }
}

/// What entries of an instrument come to after one more, or one less.
struct After {
    instrument: InstrumentIx,
    all: Beside,
    named: Option<(StrategyId, OfStrategy)>,
}

impl Portfolio {
    /// Whether a payment, or one that is taken back (sign −1), fits into the figures of its instrument.
    pub fn check_beside(&self, payment: &Payment, sign: i128) -> Result<(), FixedError> {
        let Some(After { instrument, .. }) = self.besides.after(payment, sign)? else { return Ok(()) };
        let Some(place) = self.lines.find(instrument) else { return Ok(()) };
        let charges = payment.effect()?.charges;
        charges
            .iter()
            .try_for_each(|(currency, amount)| self.lines.at(place).fees.check(*currency, super::position::signed(sign, *amount)?))
    }

    /// The same, with what the payment settles of a dividend that was owed.
    pub fn put_payment(&mut self, payment: &Payment, effect: &Effect, sign: i128) -> Option<InstrumentIx> {
        let instrument = self.put_beside(payment, sign)?;
        self.accrue(instrument, effect);
        Some(instrument)
    }

    /// Adds a checked payment to the figures of its instrument, or takes it away again; the instrument.
    fn put_beside(&mut self, payment: &Payment, sign: i128) -> Option<InstrumentIx> {
        const CHECKED: &str = "the payment was checked before it was booked";
        let after = self.besides.after(payment, sign).expect(CHECKED)?;
        let instrument = after.instrument;
        self.besides.put(after);
        let place = self.lines.place(instrument);
        for (currency, amount) in payment.effect().expect(CHECKED).charges {
            self.lines.at_mut(place).fees.add(currency, super::position::signed(sign, amount).expect(CHECKED));
        }
        self.lines.forget_zero_fees(place);
        Some(instrument)
    }
}
