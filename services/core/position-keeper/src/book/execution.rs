//! An execution as the book keeps it: all that it takes to book it once more, at the rates of its first booking.
//! What it does to a position and to cash is one pure function, the first time and every later one. It reads no
//! market and knows no portfolio.

use super::attribution::Attribution;
use super::cash::{Movement, Movements};
use super::closings::Closings;
use super::lots::LotPlan;
use super::position::{Outcome, Position, Trade, signed};
use super::sums::Sums;
use super::trouble::bounded;
use crate::prices::InstrumentIx;
use domain::{Amount, Currency, Date, FixedError, FxRate, Money, OrderId, Price, Quantity, SmolStr, StrategyId};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// Fees by currency.
pub type Charges = SmallVec<[(Currency, Amount); 1]>;

/// How an execution is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Form {
    /// With its gross amount.
    Paid,
    /// With what it realizes: a future.
    Future,
    /// Units of one currency against another: no position.
    Exchange {
        /// The currency that is bought or sold.
        of: Currency,
        /// Its units, not negative.
        units: Amount,
    },
}

/// A fee, valued when it was first booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// Its currency, or the instrument's base asset.
    pub currency: Currency,
    /// As it was charged; negative is a rebate.
    pub amount: Money,
    /// In the instrument's currency.
    pub local: Amount,
    /// In base.
    pub book: Amount,
    /// The units by which the holding shrinks that pays it; `None` where cash pays it.
    pub held: Option<Quantity>,
}

impl Charge {
    /// Units of base for one of its currency, as it was valued; an error of a charge of nothing.
    pub fn rate(&self) -> Result<FxRate, FixedError> {
        self.book.over(self.amount.into())
    }
}

/// An execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Execution {
    /// Its id, where a lot that it opens is to bear it.
    pub id: Option<SmolStr>,
    /// Instrument.
    pub instrument: InstrumentIx,
    /// Business date.
    pub trade_date: Date,
    /// Signed units.
    pub quantity: Quantity,
    /// Price per unit.
    pub price: Price,
    /// Currency of price and gross amount.
    pub currency: Currency,
    /// Units of base for one of the currency.
    pub rate: FxRate,
    /// What the units are worth before fees, multiplier included; not negative.
    pub gross: Amount,
    /// How it is paid for.
    pub form: Form,
    /// Accrued interest: part of the price, paid by a buyer.
    pub accrued: Money,
    /// Fees.
    pub fees: SmallVec<[Charge; 1]>,
    /// Settlement date.
    pub settles: Option<Date>,
    /// Our order.
    pub order: Option<OrderId>,
    /// Strategy.
    pub strategy: Option<StrategyId>,
}

/// What a dividend has come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earned {
    /// Its action.
    pub action: SmolStr,
    /// Its amount.
    pub movement: Movement,
    /// The same in the instrument's currency.
    pub income: Amount,
    /// Whether it is still to be paid.
    pub owed: bool,
}

impl Earned {
    /// Whether both are of one action, and both owed or paid.
    pub fn is_of(&self, other: &Self) -> bool {
        (&self.action, self.movement.currency, self.owed) == (&other.action, other.movement.currency, other.owed)
    }
    /// Whether nothing is left of it.
    pub fn is_nothing(&self) -> bool {
        self.movement.amount.is_zero() && self.movement.book.is_zero() && self.income.is_zero()
    }
    /// The same, or its opposite.
    pub fn signed(&self, sign: i128) -> Result<Self, FixedError> {
        let (amount, book) = (signed(sign, self.movement.amount)?, signed(sign, self.movement.book)?);
        Ok(Self { movement: Movement { amount, book, ..self.movement }, income: signed(sign, self.income)?, ..self.clone() })
    }
    /// Adds another one of the same.
    pub fn add(&mut self, other: &Self) -> Result<(), FixedError> {
        self.movement.amount = self.movement.amount.checked_add(other.movement.amount)?;
        self.movement.book = self.movement.book.checked_add(other.movement.book)?;
        self.income = self.income.checked_add(other.income)?;
        Ok(())
    }
}

/// What an execution does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effect {
    /// Change of the holding.
    pub quantity: Quantity,
    /// Cash.
    pub movements: Movements,
    /// Dividends, one for each action.
    pub dividends: Vec<Earned>,
    /// The portfolio's sums.
    pub change: Sums,
    /// Realized profit before fees, in the instrument's currency.
    pub realized: Amount,
    /// Accrued interest received, in the instrument's currency.
    pub income: Amount,
    /// Fees, by currency.
    pub charges: Charges,
    /// Fees in the instrument's currency.
    fees: Amount,
    /// Whose it is; all of it is of no strategy where nothing is said.
    pub by_strategy: Option<Box<Attribution>>,
    /// What of it closes trades.
    pub closings: Closings,
}

impl Execution {
    /// Nothing yet, in that currency: to be filled in.
    pub fn blank(currency: Currency) -> Self {
        Self {
            id: None,
            instrument: InstrumentIx(0),
            trade_date: Date::from_days(0),
            quantity: Quantity::ZERO,
            price: Price::ZERO,
            currency,
            rate: FxRate::ONE,
            gross: Amount::ZERO,
            form: Form::Paid,
            accrued: Money::ZERO,
            fees: SmallVec::new(),
            settles: None,
            order: None,
            strategy: None,
        }
    }

    /// Books it into a position and its lots, where the method keeps them; `effect`, empty before, says what it does.
    /// All are to be thrown away on an error.
    pub fn apply(&self, effect: &mut Effect, position: &mut Position, lots: Option<&mut LotPlan<'_>>) -> Result<(), FixedError> {
        let cost = position.book_cost;
        match self.form {
            Form::Exchange { of, units } => self.exchange(effect, of, units)?,
            Form::Paid | Form::Future => self.trade(effect, position, lots)?,
        }
        effect.change.book_cash = effect.movements.book()?;
        effect.change.book_cost = position.book_cost.checked_sub(cost)?;
        Ok(())
    }

    fn sign(&self) -> i128 {
        self.quantity.signum()
    }

    fn trade(&self, effect: &mut Effect, position: &mut Position, mut lots: Option<&mut LotPlan<'_>>) -> Result<(), FixedError> {
        let future = self.form == Form::Future;
        let book_gross = if future { Amount::ZERO } else { bounded(self.gross.convert(self.rate)?)? };
        let outcome = position.trade(Trade { quantity: self.quantity, gross: self.gross, book_gross }, lots.as_deref_mut())?;
        let book_realized = if future { outcome.realized.convert(self.rate)? } else { outcome.book_realized };
        effect.quantity = self.quantity;
        effect.earn(outcome.realized, book_realized)?;
        if future {
            effect.pay(self.currency, outcome.realized, book_realized)?;
        } else {
            effect.pay(self.currency, signed(-self.sign(), self.gross)?, signed(-self.sign(), book_gross)?)?;
        }
        self.accrue(effect)?;
        for fee in &self.fees {
            if let Some(units) = fee.held {
                Self::charge_holding(effect, fee, units, position, lots.as_deref_mut())?;
            }
            effect.charge(fee)?;
        }
        if !outcome.closed.is_zero() {
            let opening = self.of_opening(outcome, effect.change.fees)?.unwrap_or(Amount::ZERO);
            effect.close_trade(self.trade_date, opening)?;
        }
        self.attribute(effect, outcome, position)
    }

    /// A trade of a currency pair: the fill's currency is paid, the other received at its book value.
    fn exchange(&self, effect: &mut Effect, of: Currency, units: Amount) -> Result<(), FixedError> {
        let book = bounded(self.gross.convert(self.rate)?)?;
        effect.pay(self.currency, signed(-self.sign(), self.gross)?, signed(-self.sign(), book)?)?;
        effect.pay(of, signed(self.sign(), units)?, signed(self.sign(), book)?)?;
        self.fees.iter().try_for_each(|fee| effect.charge(fee))
    }

    /// Accrued interest is part of the cash and books to income: paid by a buyer, received by a seller.
    fn accrue(&self, effect: &mut Effect) -> Result<(), FixedError> {
        if self.accrued.is_zero() {
            return Ok(());
        }
        let income = signed(-self.sign(), bounded(self.accrued.into())?)?;
        let book = income.convert(self.rate)?;
        effect.pay(self.currency, income, book)?;
        effect.change.income = effect.change.income.checked_add(book)?;
        effect.income = income;
        Ok(())
    }

    /// A fee in the instrument's base asset reduces the holding; its value at the fill's price is the fee.
    fn charge_holding(
        effect: &mut Effect,
        fee: &Charge,
        units: Quantity,
        position: &mut Position,
        lots: Option<&mut LotPlan<'_>>,
    ) -> Result<(), FixedError> {
        let sign = units.signum();
        let (gross, book_gross) = (signed(sign, fee.local)?, signed(sign, fee.book)?);
        let outcome = position.trade(Trade { quantity: units.checked_neg()?, gross, book_gross }, lots)?;
        effect.quantity = effect.quantity.checked_sub(units)?;
        effect.earn(outcome.realized, outcome.book_realized)
    }

    /// Of a flip, the part of an amount that goes with what it opens: pro rata by units. `None` of any other.
    fn of_opening(&self, outcome: Outcome, amount: Amount) -> Result<Option<Amount>, FixedError> {
        if !outcome.opened || outcome.closed.is_zero() {
            return Ok(None);
        }
        let size = self.quantity.abs();
        amount.share(size.checked_sub(outcome.closed)?, size).map(Some)
    }

    /// Fees and income go to the position; those of a flip are split between what it closed and the cycle that it opened.
    fn attribute(&self, effect: &Effect, outcome: Outcome, position: &mut Position) -> Result<(), FixedError> {
        let part = |amount: Amount| Ok(self.of_opening(outcome, amount)?.unwrap_or(amount));
        let cycle = (part(effect.fees)?, part(effect.income)?);
        position.charge(effect.fees, effect.income, cycle)?;
        let net = effect.change.realized_net()?;
        position.realized_net_base = bounded(position.realized_net_base.checked_add(net)?)?;
        Ok(())
    }
}

impl Effect {
    /// Makes it do nothing, keeping its room.
    pub fn clear(&mut self) {
        self.movements.clear();
        self.dividends.clear();
        self.charges.clear();
        self.closings.clear();
        self.change = Sums::default();
        (self.quantity, self.by_strategy) = (Quantity::ZERO, None);
        (self.realized, self.income, self.fees) = (Amount::ZERO, Amount::ZERO, Amount::ZERO);
    }

    fn pay(&mut self, currency: Currency, amount: Amount, book: Amount) -> Result<(), FixedError> {
        self.movements.add(Movement { currency, amount: bounded(amount)?, book: bounded(book)? })
    }

    /// Adds to what a dividend has come to.
    pub fn earn_dividend(&mut self, earned: Earned) -> Result<(), FixedError> {
        match self.dividends.iter_mut().find(|known| known.is_of(&earned)) {
            Some(known) => known.add(&earned)?,
            None => self.dividends.push(earned),
        }
        Ok(())
    }

    /// What is owed to the portfolio by it, and not paid.
    pub fn owed(&self) -> Result<Movements, FixedError> {
        let mut owed = Movements::default();
        self.dividends.iter().filter(|earned| earned.owed).try_for_each(|earned| owed.add(earned.movement))?;
        Ok(owed)
    }

    /// Earns something that is paid at once.
    pub fn earn_in_cash(&mut self, currency: Currency, realized: Amount, book: Amount) -> Result<(), FixedError> {
        self.earn(realized, book)?;
        self.pay(currency, realized, book)?;
        self.change.book_cash = self.movements.book()?;
        Ok(())
    }

    /// Earns something.
    pub fn earn(&mut self, realized: Amount, book: Amount) -> Result<(), FixedError> {
        self.realized = self.realized.checked_add(realized)?;
        self.change.realized_gross = self.change.realized_gross.checked_add(book)?;
        Ok(())
    }

    fn charge(&mut self, fee: &Charge) -> Result<(), FixedError> {
        if fee.held.is_none() {
            let amount = Amount::from(fee.amount);
            self.pay(fee.currency, amount.checked_neg()?, fee.book.checked_neg()?)?;
        }
        self.fees = self.fees.checked_add(fee.local)?;
        self.change.fees = self.change.fees.checked_add(fee.book)?;
        add_charge(&mut self.charges, fee.currency, fee.amount.into())
    }

    /// Whether what the ledger tells of it stays in its range.
    pub fn check_told(&self) -> Result<(), FixedError> {
        bounded(self.realized)?;
        bounded(self.income)?;
        self.check_parts()?;
        bounded(self.change.net_flows).map(|_| ())
    }

    /// Adds another effect, or takes it away.
    pub fn add(&mut self, other: &Effect, sign: i128) -> Result<(), FixedError> {
        let of = |amount: Amount| signed(sign, amount);
        if self.by_strategy.is_some() || other.by_strategy.is_some() {
            self.add_parts(other, sign)?;
        }
        self.quantity = self.quantity.checked_add(Quantity::from_units(sign * other.quantity.units()))?;
        for movement in other.movements.iter() {
            let (amount, book) = (of(movement.amount)?, of(movement.book)?);
            self.movements.add(Movement { currency: movement.currency, amount, book })?;
        }
        for earned in &other.dividends {
            self.earn_dividend(earned.signed(sign)?)?;
        }
        self.change = self.change.plus(&other.change.signed(sign)?)?;
        self.realized = self.realized.checked_add(of(other.realized)?)?;
        self.income = self.income.checked_add(of(other.income)?)?;
        self.fees = self.fees.checked_add(of(other.fees)?)?;
        self.closings.add(&other.closings, if sign < 0 { -1 } else { 1 })?;
        other.charges.iter().try_for_each(|(currency, amount)| add_charge(&mut self.charges, *currency, of(*amount)?))
    }

    /// Whether it changes nothing.
    pub fn is_nothing(&self) -> bool {
        let still = self.movements.iter().all(|movement| movement.amount.is_zero() && movement.book.is_zero());
        let free = self.charges.iter().all(|(_, amount)| amount.is_zero());
        self.quantity.is_zero()
            && still
            && free
            && self.change == Sums::default()
            && self.realized.is_zero()
            && self.income.is_zero()
            && self.dividends.iter().all(Earned::is_nothing)
            && self.by_strategy.as_ref().is_none_or(|parts| parts.is_nothing())
            && self.closings.is_nothing()
    }
}

fn add_charge(charges: &mut Charges, currency: Currency, amount: Amount) -> Result<(), FixedError> {
    match charges.iter_mut().find(|(known, _)| *known == currency) {
        Some((_, sum)) => *sum = bounded(sum.checked_add(amount)?)?,
        None => charges.push((currency, amount)),
    }
    Ok(())
}
