//! Securities that come from another custodian or portfolio, or go to one, at what they cost.
//!
//! They cross the portfolio's boundary at market value, and nothing is realized by it: what they have gained or lost
//! before they came, or take with them, stands apart in the sums. It reads no market: the worth was looked up when
//! the transfer was booked first.

use super::execution::Effect;
use super::lots::LotPlan;
use super::position::{Position, Trade, signed};
use super::trouble::bounded;
use crate::prices::InstrumentIx;
use domain::{Amount, Currency, Date, FixedError, FxRate, Price, Quantity, SmolStr, StrategyId};
use serde::{Deserialize, Serialize};

/// A transfer of securities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// Its entry's id, where a lot that it opens is to bear it.
    pub id: Option<SmolStr>,
    /// Instrument.
    pub instrument: InstrumentIx,
    /// Day on which it took effect.
    pub date: Date,
    /// Signed change of the units held.
    pub quantity: Quantity,
    /// The instrument's currency.
    pub currency: Currency,
    /// Units of base for one of it.
    pub rate: FxRate,
    /// The price at which the units crossed the boundary.
    pub price: Price,
    /// What they were worth at it, not negative; of a future the notional.
    pub worth: Amount,
    /// What they cost, not negative, where they came; what goes takes its cost from the position.
    pub cost: Option<Amount>,
    /// Whether the instrument is a future: nothing was paid for it.
    pub future: bool,
    /// Strategy.
    pub strategy: Option<StrategyId>,
}

impl Transfer {
    /// Books it into a position and its lots. Both are to be thrown away on an error.
    pub fn apply(&self, position: &mut Position, lots: Option<&mut LotPlan<'_>>) -> Result<Effect, FixedError> {
        let before = *position;
        let gross = self.cost.unwrap_or(self.worth);
        let book_gross = if self.future { Amount::ZERO } else { bounded(gross.convert(self.rate)?)? };
        position.transfer(Trade { quantity: self.quantity, gross, book_gross }, lots)?;
        let worth = signed(self.quantity.signum(), self.worth)?;
        // A future is worth what it has gained.
        let crossed = if self.future { worth.checked_sub(position.cost.checked_sub(before.cost)?)? } else { worth };
        let mut effect = Effect::default();
        effect.quantity = self.quantity;
        effect.change.net_flows = bounded(crossed.convert(self.rate)?)?;
        effect.change.book_cost = position.book_cost.checked_sub(before.book_cost)?;
        effect.change.transferred = effect.change.net_flows.checked_sub(effect.change.book_cost)?;
        Ok(effect)
    }
}
