//! What stands at a place of a portfolio's history: all that it takes to book it once more as it was booked first.
//! It reads no market and knows no portfolio.

use super::execution::{Effect, Execution, Form};
use super::lots::LotPlan;
use super::payment::Payment;
use super::position::Position;
use super::transfer::Transfer;
use crate::prices::InstrumentIx;
use domain::{Date, FixedError, FxRate, Quantity, SmolStr, StrategyId};
use serde::{Deserialize, Serialize};

/// One booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Booking {
    /// An execution.
    Execution(Execution),
    /// Securities that came or went without one.
    Transfer(Transfer),
    /// Cash alone.
    Payment(Payment),
}

impl Booking {
    /// The instrument whose line it changes; none of cash alone, and none of one currency against another.
    pub fn line(&self) -> Option<InstrumentIx> {
        match self {
            Self::Execution(execution) if matches!(execution.form, Form::Exchange { .. }) => None,
            Self::Execution(execution) => Some(execution.instrument),
            Self::Transfer(transfer) => Some(transfer.instrument),
            Self::Payment(_) => None,
        }
    }
    /// The instrument that cash alone is for, where it names one.
    pub fn beside(&self) -> Option<InstrumentIx> {
        match self {
            Self::Payment(payment) => payment.of.map(|of| of.instrument),
            _ => None,
        }
    }
    /// Its trade date, or the day on which it took effect.
    pub fn date(&self) -> Date {
        match self {
            Self::Execution(execution) => execution.trade_date,
            Self::Transfer(transfer) => transfer.date,
            Self::Payment(payment) => payment.date(),
        }
    }
    /// The id that a lot bears which it opens; `None` where no lots are kept.
    pub fn opener(&self) -> Option<&SmolStr> {
        match self {
            Self::Execution(execution) => execution.id.as_ref(),
            Self::Transfer(transfer) => transfer.id.as_ref(),
            Self::Payment(_) => None,
        }
    }
    /// The strategy that it names.
    pub fn named(&self) -> Option<&StrategyId> {
        match self {
            Self::Execution(execution) => execution.strategy.as_ref(),
            Self::Transfer(transfer) => transfer.strategy.as_ref(),
            Self::Payment(payment) => payment.strategy.as_ref(),
        }
    }
    /// The same, where it changes a line.
    #[inline]
    pub fn strategy(&self) -> Option<&StrategyId> {
        self.named().filter(|_| self.line().is_some())
    }
    /// Units of base for one of its currency.
    pub fn rate(&self) -> FxRate {
        match self {
            Self::Execution(execution) => execution.rate,
            Self::Transfer(transfer) => transfer.rate,
            Self::Payment(payment) => payment.rate,
        }
    }
    /// Signed units that it brings.
    pub fn quantity(&self) -> Quantity {
        match self {
            Self::Execution(execution) => execution.quantity,
            Self::Transfer(transfer) => transfer.quantity,
            Self::Payment(_) => Quantity::ZERO,
        }
    }
    /// What is held of them: what an execution pays in units of its own is gone.
    pub fn held_quantity(&self) -> Result<Quantity, FixedError> {
        let Self::Execution(execution) = self else { return Ok(self.quantity()) };
        execution.fees.iter().filter_map(|fee| fee.held).try_fold(execution.quantity, Quantity::checked_sub)
    }
    /// The same booking, where it changes a line naming no strategy and opening no lot.
    pub fn alone(&self) -> Self {
        let mut alone = self.clone();
        match &mut alone {
            Self::Execution(execution) => (execution.strategy, execution.id) = (None, None),
            Self::Transfer(transfer) => (transfer.strategy, transfer.id) = (None, None),
            Self::Payment(_) => {}
        }
        alone
    }
    /// Books it into a position and its lots, where the method keeps them; `effect`, empty before, says what it does.
    /// All are to be thrown away on an error.
    pub fn apply(&self, effect: &mut Effect, position: &mut Position, lots: Option<&mut LotPlan<'_>>) -> Result<(), FixedError> {
        match self {
            Self::Execution(execution) => return execution.apply(effect, position, lots),
            Self::Transfer(transfer) => *effect = transfer.apply(position, lots)?,
            Self::Payment(payment) => *effect = payment.effect()?,
        }
        Ok(())
    }
}
