//! The running sums of a portfolio in base, and the identity that ties them together.

use super::position::signed;
use super::trouble::bounded;
use domain::{Amount, FixedError};
use serde::{Deserialize, Serialize};

/// Cumulative sums in the base currency, each at the rates of its bookings, exact at scale 18.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sums {
    /// Realised profit before fees.
    pub realized_gross: Amount,
    /// Fees paid.
    pub fees: Amount,
    /// Dividends and interest.
    pub income: Amount,
    /// Net flows from outside.
    pub net_flows: Amount,
    /// Gains that transferred securities brought, less those that they took: their worth when they crossed, less their
    /// book cost. No profit of this portfolio.
    pub transferred: Amount,
    /// Σ of the positions' book costs.
    pub book_cost: Amount,
    /// Σ of the cash balances' book values.
    pub book_cash: Amount,
    /// Σ of the receivables' book values.
    pub book_owed: Amount,
}

impl Sums {
    /// realized_gross − fees + income.
    pub fn realized_net(&self) -> Result<Amount, FixedError> {
        self.realized_gross.checked_sub(self.fees)?.checked_add(self.income)
    }
    /// Adds the changes of a booking. On an error the sums are to be thrown away.
    pub fn add(&mut self, change: &Sums) -> Result<(), FixedError> {
        let add = |sum: &mut Amount, change: Amount| {
            // Most changes are none.
            if !change.is_zero() {
                *sum = bounded(sum.checked_add(change)?)?;
            }
            Ok(())
        };
        add(&mut self.realized_gross, change.realized_gross)?;
        add(&mut self.fees, change.fees)?;
        add(&mut self.income, change.income)?;
        add(&mut self.net_flows, change.net_flows)?;
        add(&mut self.transferred, change.transferred)?;
        add(&mut self.book_cost, change.book_cost)?;
        add(&mut self.book_cash, change.book_cash)?;
        add(&mut self.book_owed, change.book_owed)
    }
    /// The sums with the changes of a booking.
    pub fn plus(mut self, change: &Sums) -> Result<Sums, FixedError> {
        self.add(change)?;
        Ok(self)
    }
    /// The same changes, or their opposites.
    pub fn signed(&self, sign: i128) -> Result<Sums, FixedError> {
        let of = |amount: Amount| signed(sign, amount);
        Ok(Sums {
            realized_gross: of(self.realized_gross)?,
            fees: of(self.fees)?,
            income: of(self.income)?,
            net_flows: of(self.net_flows)?,
            transferred: of(self.transferred)?,
            book_cost: of(self.book_cost)?,
            book_cash: of(self.book_cash)?,
            book_owed: of(self.book_owed)?,
        })
    }
    /// Whether what is owned at book value equals what was paid in and earned, to the last unit.
    /// From it follows total_pnl = realized_net + unrealized + fx_cash − transferred = equity − net_flows.
    pub fn balance(&self) -> bool {
        let owned = self.book_cash.checked_add(self.book_cost).and_then(|owned| owned.checked_add(self.book_owed));
        let earned = self.realized_net().and_then(|net| net.checked_add(self.net_flows)?.checked_sub(self.transferred));
        matches!((owned, earned), (Ok(owned), Ok(earned)) if owned == earned)
    }
}
