//! A position: quantity and cost are kept in one pool under every cost method, the average is derived.
//!
//! Local amounts are in the instrument's currency, the others in the portfolio's base currency at the
//! rates of their booking. A reduction releases its share of the cost and leaves the average, or the cost of the
//! lots that it closes where the method keeps them; a trade larger than the position closes it and opens the rest;
//! what is flat has exactly no cost.

use super::lots::{Held, LotPlan};
use super::trouble::bounded;
use domain::{Amount, FixedError, Price, Quantity};
use serde::{Deserialize, Serialize};

/// The figures of one position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Position {
    /// Signed units held.
    pub quantity: Quantity,
    /// Signed cost of what is held, multiplier included; local.
    pub cost: Amount,
    /// The same in base at the rates of booking; zero for a future, which is not paid for.
    pub book_cost: Amount,
    /// Cumulative, local.
    pub realized_gross: Amount,
    /// Cumulative fees in local currency at the rates of their booking.
    pub fees: Amount,
    /// Cumulative, local.
    pub income: Amount,
    /// Cumulative realized_gross − fees + income in base.
    pub realized_net_base: Amount,
    /// Since the position was last flat; local.
    pub cycle_realized: Amount,
    /// Since the position was last flat; local.
    pub cycle_fees: Amount,
    /// Since the position was last flat; local.
    pub cycle_income: Amount,
}

/// A trade as a position sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trade {
    /// Signed units; not zero.
    pub quantity: Quantity,
    /// What the units are worth at the trade, not negative; local.
    pub gross: Amount,
    /// The same in base; zero for a future.
    pub book_gross: Amount,
}

/// What a trade did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Realized profit, local.
    pub realized: Amount,
    /// Realized profit from book costs, in base (zero for a future: convert `realized`).
    pub book_realized: Amount,
    /// Units that closed, not negative.
    pub closed: Quantity,
    /// Whether a new open-to-flat cycle began with it.
    pub opened: bool,
}

impl Position {
    /// Takes a trade in, with the lots of its line where the method keeps them. On an error both are to be thrown away.
    pub fn trade(&mut self, trade: Trade, lots: Option<&mut LotPlan<'_>>) -> Result<Outcome, FixedError> {
        self.change(trade, true, lots)
    }

    /// Takes units in or gives them away at their cost: nothing is realized. What is taken in beyond what it closes,
    /// and what is given away beyond what is held, costs its part of `gross`.
    pub fn transfer(&mut self, moved: Trade, lots: Option<&mut LotPlan<'_>>) -> Result<(), FixedError> {
        self.change(moved, false, lots).map(|_| ())
    }

    #[inline]
    fn change(&mut self, trade: Trade, realizes: bool, lots: Option<&mut LotPlan<'_>>) -> Result<Outcome, FixedError> {
        let sign = trade.quantity.signum();
        if self.quantity.signum() * sign >= 0 {
            let opened = self.quantity.is_zero();
            if opened {
                self.begin_cycle();
            }
            self.open(trade, trade, lots)?;
            return Ok(Outcome { opened, ..Outcome::default() });
        }
        self.reduce(sign, trade, realizes, lots)
    }

    fn reduce(&mut self, sign: i128, trade: Trade, realizes: bool, mut lots: Option<&mut LotPlan<'_>>) -> Result<Outcome, FixedError> {
        let (size, held) = (trade.quantity.abs(), self.quantity.abs());
        let closed = size.min(held);
        let part = |amount: Amount| if closed == size { Ok(amount) } else { amount.share(closed, size) };
        let released = |cost: Amount| if closed == held { Ok(cost) } else { cost.share(closed, held) };
        let (gross, book_gross) = (part(trade.gross)?, part(trade.book_gross)?);
        let (cost, book_cost) = match lots.as_deref_mut() {
            Some(lots) => lots.close(closed)?,
            None => (released(self.cost)?, released(self.book_cost)?),
        };
        let gain = |gross: Amount, cost: Amount| if realizes { signed(-sign, gross)?.checked_sub(cost) } else { Ok(Amount::ZERO) };
        let (realized, book_realized) = (gain(gross, cost)?, gain(book_gross, book_cost)?);
        self.cost = self.cost.checked_sub(cost)?;
        self.book_cost = self.book_cost.checked_sub(book_cost)?;
        let rest = size.checked_sub(closed)?;
        self.quantity = self.quantity.checked_add(Quantity::from_units(sign * closed.units()))?;
        self.realized_gross = bounded(self.realized_gross.checked_add(realized)?)?;
        self.cycle_realized = self.cycle_realized.checked_add(realized)?;
        let opened = !rest.is_zero();
        if opened {
            self.begin_cycle();
            let (left, book_left) = (trade.gross.checked_sub(gross)?, trade.book_gross.checked_sub(book_gross)?);
            let rest = Trade { quantity: Quantity::from_units(sign * rest.units()), gross: left, book_gross: book_left };
            self.open(rest, trade, lots)?;
        }
        Ok(Outcome { realized, book_realized, closed, opened })
    }

    /// Opens `part`, which is all or the rest of a trade.
    fn open(&mut self, part: Trade, of: Trade, lots: Option<&mut LotPlan<'_>>) -> Result<(), FixedError> {
        let sign = part.quantity.signum();
        let (cost, book_cost) = (signed(sign, part.gross)?, signed(sign, part.book_gross)?);
        self.quantity = self.quantity.checked_add(part.quantity)?;
        if !self.quantity.fits_wire() {
            return Err(FixedError::Overflow);
        }
        self.cost = bounded(self.cost.checked_add(cost)?)?;
        self.book_cost = bounded(self.book_cost.checked_add(book_cost)?)?;
        match lots {
            Some(lots) => lots.open(Held { quantity: part.quantity, cost, book_cost }, (of.gross, of.quantity)),
            None => Ok(()),
        }
    }

    fn begin_cycle(&mut self) {
        (self.cycle_realized, self.cycle_fees, self.cycle_income) = (Amount::ZERO, Amount::ZERO, Amount::ZERO);
    }

    /// Ends what is left as nothing: its cost goes to realized. Realized, and from its book cost.
    pub fn close_out(&mut self) -> Result<(Amount, Amount), FixedError> {
        let (realized, book) = (self.cost.checked_neg()?, self.book_cost.checked_neg()?);
        (self.quantity, self.cost, self.book_cost) = (Quantity::ZERO, Amount::ZERO, Amount::ZERO);
        self.realized_gross = bounded(self.realized_gross.checked_add(realized)?)?;
        self.cycle_realized = self.cycle_realized.checked_add(realized)?;
        Ok((realized, book))
    }

    /// Takes over what another position of the instrument, which is flat, has earned and paid.
    pub fn take_figures(&mut self, other: &Self) -> Result<(), FixedError> {
        self.realized_gross = bounded(self.realized_gross.checked_add(other.realized_gross)?)?;
        self.cycle_realized = self.cycle_realized.checked_add(other.cycle_realized)?;
        self.realized_net_base = bounded(self.realized_net_base.checked_add(other.realized_net_base)?)?;
        self.charge(other.fees, other.income, (other.cycle_fees, other.cycle_income))
    }

    /// Adds fees and income of a trade; `cycle` is the part of them that belongs to the cycle now open.
    pub fn charge(&mut self, fees: Amount, income: Amount, cycle: (Amount, Amount)) -> Result<(), FixedError> {
        self.fees = bounded(self.fees.checked_add(fees)?)?;
        self.income = bounded(self.income.checked_add(income)?)?;
        self.cycle_fees = self.cycle_fees.checked_add(cycle.0)?;
        self.cycle_income = self.cycle_income.checked_add(cycle.1)?;
        Ok(())
    }

    /// cost ÷ (quantity × multiplier), rounded half-even at the price's scale; `None` when flat, and
    /// beyond the range of prices.
    pub fn average_price(&self, multiplier: Quantity) -> Option<Price> {
        if multiplier == Quantity::ONE {
            // Both products would be by the same number.
            return self.cost.per_unit(self.quantity).ok().filter(|price| price.fits_wire());
        }
        let units = self.quantity.units().checked_mul(multiplier.units())?;
        // Scale 18 ÷ (8 + 8), then 8 more digits to reach 10.
        let price = domain::wide::mul_div_half_even(self.cost.units(), Quantity::ONE.units(), units).ok()?;
        Some(Price::from_units(price)).filter(|price| price.fits_wire())
    }
    /// realized_gross − fees + income, local.
    pub fn realized_net(&self) -> Result<Amount, FixedError> {
        self.realized_gross.checked_sub(self.fees)?.checked_add(self.income)
    }
}

/// The amount with a sign.
#[inline]
pub fn signed(sign: i128, amount: Amount) -> Result<Amount, FixedError> {
    if sign < 0 { amount.checked_neg() } else { Ok(amount) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }
    fn trade(position: &mut Position, quantity: &str, price: &str) -> Outcome {
        let quantity: Quantity = quantity.parse().unwrap();
        let gross = quantity.abs().times(price.parse().unwrap()).unwrap();
        position.trade(Trade { quantity, gross, book_gross: gross }, None).unwrap()
    }
    fn average(position: &Position) -> String {
        position.average_price(Quantity::ONE).unwrap().to_string()
    }

    #[test]
    fn long_average_reduction_and_flat() {
        let mut p = Position::default();
        trade(&mut p, "100", "10");
        trade(&mut p, "50", "16");
        assert_eq!((average(&p), p.cost), ("12".into(), amount("1800")));
        assert_eq!(trade(&mut p, "-60", "15").realized, amount("180"));
        assert_eq!(average(&p), "12");
        assert_eq!(trade(&mut p, "-90", "10").realized, amount("-180"));
        assert_eq!((p.quantity, p.cost, p.book_cost, p.average_price(Quantity::ONE)), (Quantity::ZERO, Amount::ZERO, Amount::ZERO, None));
    }

    #[test]
    fn short_covers_with_a_gain_when_the_price_falls() {
        let mut p = Position::default();
        trade(&mut p, "-100", "20");
        assert_eq!((p.cost, average(&p)), (amount("-2000"), "20".into()));
        assert_eq!(trade(&mut p, "40", "15").realized, amount("200"));
        assert_eq!(p.cost, amount("-1200"));
    }

    #[test]
    fn a_flip_closes_and_opens_the_rest_at_its_price() {
        let mut p = Position::default();
        trade(&mut p, "100", "10");
        let outcome = trade(&mut p, "-150", "12");
        assert_eq!((outcome.realized, outcome.closed.to_string(), outcome.opened), (amount("200"), "100".into(), true));
        assert_eq!((p.quantity.to_string(), p.cost, average(&p)), ("-50".into(), amount("-600"), "12".into()));
        assert_eq!((p.realized_gross, p.cycle_realized), (amount("200"), Amount::ZERO));
    }

    #[test]
    fn a_residue_of_division_goes_to_realized_when_flat() {
        let mut p = Position::default();
        let buy = Trade { quantity: "3".parse().unwrap(), gross: amount("10"), book_gross: amount("10") };
        p.trade(buy, None).unwrap();
        let one = Trade { quantity: "-1".parse().unwrap(), gross: amount("0"), book_gross: amount("0") };
        let realized: Vec<_> = (0..3).map(|_| p.trade(one, None).unwrap().realized.to_string()).collect();
        assert_eq!(realized, ["-3.333333333333333333", "-3.333333333333333334", "-3.333333333333333333"]);
        assert_eq!((p.cost, p.realized_gross), (Amount::ZERO, amount("-10")));
    }
}
