//! What instruments have earned and cost beside their executions and actions: cash entries that name one.
//!
//! Such an entry changes no holding, so that it has no place among the bookings of a line and is not folded with them:
//! it may be taken back for as long as payments are kept, and stands before and after every split alike. It counts in
//! the instrument's figures, and not in those of a cycle: a dividend often comes when its cycle is over.

use super::execution::Effect;
use super::payment::Payment;
use super::portfolio::Portfolio;
use super::trouble::bounded;
use crate::prices::InstrumentIx;
use domain::enums::EntryKind;
use domain::{Amount, FixedError};
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
}

/// By instrument; those of which nothing is left are gone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Besides(BTreeMap<InstrumentIx, Beside>);

impl Besides {
    /// What entries have come to for an instrument.
    pub fn of(&self, instrument: InstrumentIx) -> Beside {
        if self.0.is_empty() { Beside::default() } else { self.0.get(&instrument).copied().unwrap_or_default() }
    }

    /// The same after a payment that names an instrument, or after one that is taken back.
    fn after(&self, payment: &Payment, sign: i128) -> Result<Option<(InstrumentIx, Beside)>, FixedError> {
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
        };
        Ok(Some((of.instrument, after)))
    }
}

impl Portfolio {
    /// Whether a payment, or one that is taken back (sign −1), fits into the figures of its instrument.
    pub fn check_beside(&self, payment: &Payment, sign: i128) -> Result<(), FixedError> {
        let Some((instrument, _)) = self.besides.after(payment, sign)? else { return Ok(()) };
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
        let (instrument, after) = self.besides.after(payment, sign).expect(CHECKED)?;
        if after == Beside::default() {
            self.besides.0.remove(&instrument);
        } else {
            self.besides.0.insert(instrument, after);
        }
        let place = self.lines.place(instrument);
        for (currency, amount) in payment.effect().expect(CHECKED).charges {
            self.lines.at_mut(place).fees.add(currency, super::position::signed(sign, amount).expect(CHECKED));
        }
        self.lines.forget_zero_fees(place);
        Some(instrument)
    }
}
