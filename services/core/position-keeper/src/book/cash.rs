//! Cash by currency: by trade date, settled, and its book value in base.
//! The book value is the sum of its movements at the rates of their booking; what rates did to cash
//! since is the difference to its value today.

use super::trouble::bounded;
use domain::{Amount, Currency, Date, FixedError};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// One currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// Currency.
    pub currency: Currency,
    /// By trade date.
    pub amount: Amount,
    /// The part of it that settles later.
    pub unsettled: Amount,
    /// Book value in base.
    pub book: Amount,
}

impl Balance {
    fn empty(currency: Currency) -> Self {
        Self { currency, amount: Amount::ZERO, unsettled: Amount::ZERO, book: Amount::ZERO }
    }
    /// Whether nothing of it is there or to come.
    pub fn is_nothing(&self) -> bool {
        self.amount.is_zero() && self.unsettled.is_zero()
    }
    /// amount − unsettled.
    pub fn settled(&self) -> Result<Amount, FixedError> {
        self.amount.checked_sub(self.unsettled)
    }
}

/// A movement of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    /// Currency.
    pub currency: Currency,
    /// Change.
    pub amount: Amount,
    /// Change in base at the rate of booking.
    pub book: Amount,
}

/// The movements of one booking, one for each currency, by currency.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Movements(SmallVec<[Movement; 2]>);

impl Movements {
    /// Adds a movement to that of its currency.
    pub fn add(&mut self, movement: Movement) -> Result<(), FixedError> {
        // Hardly any booking moves more than two currencies.
        match self.0.iter_mut().find(|known| known.currency == movement.currency) {
            Some(known) => {
                known.amount = known.amount.checked_add(movement.amount)?;
                known.book = known.book.checked_add(movement.book)?;
            }
            None => {
                let at = self.0.partition_point(|known| known.currency < movement.currency);
                self.0.insert(at, movement);
            }
        }
        Ok(())
    }
    /// Lets all of them go.
    pub fn clear(&mut self) {
        self.0.clear();
    }
    /// By currency.
    pub fn iter(&self) -> impl Iterator<Item = &Movement> {
        self.0.iter()
    }
    /// Σ book values.
    pub fn book(&self) -> Result<Amount, FixedError> {
        self.0.iter().try_fold(Amount::ZERO, |sum, m| sum.checked_add(m.book))
    }
}

/// Every balance of a portfolio.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CashBook {
    balances: Vec<Balance>,
    pending: BTreeMap<(Date, Currency), Amount>,
}

impl CashBook {
    /// By currency.
    pub fn balances(&self) -> &[Balance] {
        &self.balances
    }
    /// Whether the movements can be posted: no balance leaves its range.
    pub fn check(&self, movements: &Movements, settles: Option<Date>) -> Result<(), FixedError> {
        movements.iter().try_for_each(|movement| self.check_one(movement, settles))
    }
    /// The same of one movement.
    #[inline]
    pub fn check_one(&self, movement: &Movement, settles: Option<Date>) -> Result<(), FixedError> {
        let held = self.find(movement.currency).map(|at| &self.balances[at]);
        let (amount, book, unsettled) =
            held.map_or((Amount::ZERO, Amount::ZERO, Amount::ZERO), |held| (held.amount, held.book, held.unsettled));
        bounded(amount.checked_add(movement.amount)?)?;
        bounded(book.checked_add(movement.book)?)?;
        bounded(unsettled.checked_add(movement.amount)?)?;
        let pending = match settles {
            Some(date) => self.pending.get(&(date, movement.currency)).copied().unwrap_or_default(),
            None => Amount::ZERO,
        };
        bounded(pending.checked_add(movement.amount)?).map(|_| ())
    }
    fn find(&self, currency: Currency) -> Option<usize> {
        self.seek(currency).ok()
    }
    /// Where a currency stands, or would.
    #[inline]
    fn seek(&self, currency: Currency) -> Result<usize, usize> {
        match self.balances.as_slice() {
            // Most portfolios have one.
            [only] if only.currency == currency => Ok(0),
            balances => balances.binary_search_by_key(&currency, |b| b.currency),
        }
    }
    /// Posts checked movements; `settles` is their date where it lies ahead.
    pub fn post(&mut self, movements: &Movements, settles: Option<Date>) {
        movements.iter().for_each(|movement| self.post_one(movement, settles));
    }
    /// The same of one movement.
    #[inline]
    pub fn post_one(&mut self, movement: &Movement, settles: Option<Date>) {
        let at = self.seek(movement.currency).unwrap_or_else(|at| {
            self.balances.insert(at, Balance::empty(movement.currency));
            at
        });
        let balance = &mut self.balances[at];
        add(&mut balance.amount, movement.amount);
        add(&mut balance.book, movement.book);
        if let Some(date) = settles {
            add(&mut balance.unsettled, movement.amount);
            add(self.pending.entry((date, movement.currency)).or_default(), movement.amount);
        }
    }
    /// Lets balances go of which nothing is left, but for one that is kept.
    pub fn forget_zeros(&mut self, kept: Currency) {
        let is_left = |b: &Balance| !(b.is_nothing() && b.book.is_zero());
        self.balances.retain(|balance| balance.currency == kept || is_left(balance));
        self.pending.retain(|_, amount| !amount.is_zero());
    }
    /// Lets every balance go of which nothing is left.
    pub fn forget_all_zeros(&mut self) {
        self.balances.retain(|balance| !(balance.is_nothing() && balance.book.is_zero()));
    }
    /// Settles what is due on or before a day; returns whether anything was.
    pub fn settle(&mut self, today: Date) -> bool {
        let mut any = false;
        while let Some(entry) = self.pending.first_entry().filter(|entry| entry.key().0 <= today) {
            let ((_, currency), amount) = entry.remove_entry();
            if let Some(at) = self.find(currency) {
                add(&mut self.balances[at].unsettled, Amount::from_units(-amount.units()));
            }
            any = true;
        }
        any
    }
    /// The next day on which something settles.
    pub fn next_settlement(&self) -> Option<Date> {
        self.pending.keys().next().map(|(date, _)| *date)
    }
}

fn add(sum: &mut Amount, amount: Amount) {
    *sum = sum.checked_add(amount).expect("the movement was checked before it was posted");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn movement(amount: &str) -> Movements {
        let mut movements = Movements::default();
        let amount: Amount = amount.parse().unwrap();
        movements.add(Movement { currency: "USD".parse().unwrap(), amount, book: amount }).unwrap();
        movements
    }

    #[test]
    fn cash_settles_on_its_day() {
        let (monday, mut cash) = (Date::from_days(20_000), CashBook::default());
        cash.post(&movement("1000"), None);
        cash.post(&movement("-400"), Some(monday.plus_days(2)));
        let settled = |cash: &CashBook| cash.balances()[0].settled().unwrap().to_string();
        assert_eq!((cash.balances()[0].amount.to_string(), settled(&cash)), ("600".into(), "1000".into()));
        assert!(!cash.settle(monday.plus_days(1)));
        assert_eq!(cash.next_settlement(), Some(monday.plus_days(2)));
        assert!(cash.settle(monday.plus_days(2)));
        assert_eq!((settled(&cash), cash.next_settlement()), ("600".into(), None));
    }

    #[test]
    fn a_balance_stays_in_its_range() {
        let mut cash = CashBook::default();
        cash.post(&movement("999999999999999"), None);
        assert!(cash.check(&movement("1"), None).is_ok());
        assert!(cash.check(&movement("2"), None).is_err());
    }
}
