//! Cash that moves without an execution: paid in or out, a fee, interest, a dividend, which may have been owed.
//! It knows no record and no rate: both were looked up when it was booked first.

use super::attribution::{Attribution, Share};
use super::cash::Movement;
use super::execution::{Earned, Effect};
use super::sums::Sums;
use super::trouble::bounded;
use crate::prices::InstrumentIx;
use domain::enums::EntryKind;
use domain::{Amount, Currency, Date, FixedError, FxRate, Money, SmolStr, StrategyId, Timestamp};
use serde::{Deserialize, Serialize};

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// What it is.
    pub kind: EntryKind,
    /// The moment at which it took effect: it belongs to the portfolio's day that was not yet cut then.
    pub at: Timestamp,
    /// Currency.
    pub currency: Currency,
    /// As its record says: positive for money in, money out, fees and interest received alike.
    pub amount: Money,
    /// Units of base for one of the currency.
    pub rate: FxRate,
    /// The instrument that it is for: a dividend, a fee, interest.
    pub of: Option<Named>,
    /// Strategy.
    pub strategy: Option<StrategyId>,
    /// Whether its instrument has as many strategies as it may: what it names counts as nameless.
    pub crowded: bool,
    /// What was owed of the dividend that it pays: no longer owed, and earned already.
    pub settles: Vec<Earned>,
    /// The action of the dividend that it says itself: while it stands the action books nothing.
    pub says: Option<SmolStr>,
}

/// The instrument that a payment is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The instrument.
    pub instrument: InstrumentIx,
    /// The payment's amount in its currency.
    pub amount: Amount,
}

impl Payment {
    /// Its day in UTC.
    pub fn date(&self) -> Date {
        self.at.date_utc()
    }
    /// What it does to cash and to the portfolio's sums.
    pub fn effect(&self) -> Result<Effect, FixedError> {
        let amount = bounded(Amount::from(self.amount))?;
        let book = bounded(amount.convert(self.rate)?)?;
        let mut effect = Effect::default();
        let none = Sums::default();
        let (moved, change) = match self.kind {
            EntryKind::CashWithdrawal | EntryKind::TransferOut => (amount.checked_neg()?, Sums { net_flows: book.checked_neg()?, ..none }),
            EntryKind::CashFee => (amount.checked_neg()?, Sums { fees: book, ..none }),
            EntryKind::CashInterest | EntryKind::CashDividend => (amount, Sums { income: book, ..none }),
            _ => (amount, Sums { net_flows: book, ..none }),
        };
        let book_cash = change.realized_net()?.checked_add(change.net_flows)?;
        effect.movements.add(Movement { currency: self.currency, amount: moved, book: book_cash })?;
        effect.change = Sums { book_cash, ..change };
        match self.kind {
            EntryKind::CashFee => effect.charges.push((self.currency, amount)),
            EntryKind::CashInterest | EntryKind::CashDividend => effect.income = self.of.map_or(amount, |of| of.amount),
            _ => {}
        }
        self.settle(&mut effect)?;
        if self.crowded {
            effect.by_strategy = Some(Box::new(Attribution::whole(None, Share::of(&effect))));
        }
        Ok(effect)
    }

    /// What was owed goes; income is only what the payment differs by: tax, mostly. What was owed in the payment's
    /// currency becomes cash at its book value: what rates did to it meanwhile, they do to cash.
    fn settle(&self, effect: &mut Effect) -> Result<(), FixedError> {
        for earned in &self.settles {
            let owed = earned.movement;
            if owed.currency == self.currency {
                let kept = owed.book.checked_sub(bounded(owed.amount.convert(self.rate)?)?)?;
                effect.movements.add(Movement { amount: Amount::ZERO, book: kept, ..owed })?;
                effect.change.book_cash = effect.change.book_cash.checked_add(kept)?;
                effect.change.income = effect.change.income.checked_add(kept)?;
            }
            effect.earn_dividend(earned.signed(-1)?)?;
            effect.income = effect.income.checked_sub(earned.income)?;
            effect.change.income = effect.change.income.checked_sub(earned.movement.book)?;
            effect.change.book_owed = effect.change.book_owed.checked_sub(earned.movement.book)?;
        }
        Ok(())
    }
}
