//! Cumulative fees of one position, by the currency in which they were charged.

use super::trouble::bounded;
use domain::{Amount, Currency, FixedError};
use serde::{Deserialize, Serialize};

/// Fees by currency; most positions have one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FeeTotals(Vec<(Currency, Amount)>);

impl FeeTotals {
    /// By currency.
    pub fn iter(&self) -> impl Iterator<Item = &(Currency, Amount)> {
        self.0.iter()
    }
    /// Whether a charge keeps its total in range.
    pub fn check(&self, currency: Currency, amount: Amount) -> Result<(), FixedError> {
        let held = self.0.iter().find(|(known, _)| *known == currency).map_or(Amount::ZERO, |(_, held)| *held);
        bounded(held.checked_add(amount)?).map(|_| ())
    }
    /// Lets totals go of which nothing is left.
    pub fn forget_zeros(&mut self) {
        self.0.retain(|(_, total)| !total.is_zero());
    }
    /// Adds a checked charge.
    pub fn add(&mut self, currency: Currency, amount: Amount) {
        let at = self.0.iter().position(|(known, _)| *known == currency).unwrap_or_else(|| {
            let at = self.0.partition_point(|(known, _)| *known < currency);
            self.0.insert(at, (currency, Amount::ZERO));
            at
        });
        self.0[at].1 = self.0[at].1.checked_add(amount).expect("the charge was checked before it was added");
    }
}
