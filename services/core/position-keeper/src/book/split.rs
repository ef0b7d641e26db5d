//! A split as a line knows it, and what it does to a holding: other units at the same cost. It reads no market: lot,
//! multiplier and rate were looked up when it took effect.

use super::execution::{Effect, Execution, Form};
use super::holding::Holding;
use super::lots::LotChange;
use super::trouble::Trouble;
use crate::prices::{InstrumentIx, Market, Split};
use domain::enums::{CostMethod, InstrumentType};
use domain::{Currency, FixedError, FxRate, Money, Price, Quantity, SmolStr};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::collections::BTreeSet;

/// A split of a line's instrument.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineSplit {
    /// The split.
    pub split: Split,
    /// Instrument.
    pub instrument: InstrumentIx,
    /// Its currency.
    pub currency: Currency,
    /// Units of base for one of it, where something is paid.
    pub rate: FxRate,
    /// What one unit is worth at a price of one.
    pub multiplier: Quantity,
    /// Units of one lot.
    pub lot: Quantity,
    /// How what is sold is paid for.
    pub form: Form,
}

/// The splits that a line follows, and those that it cannot.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LineSplits {
    /// By ex-date and id.
    pub followed: Vec<LineSplit>,
    /// What the line held before those that no booking of their ex-date or later has followed yet; `None` where
    /// there are none.
    pub unsplit: Option<Holding>,
    /// Actions that would change bookings which were let go: the book is unreconciled.
    pub beyond: BTreeSet<SmolStr>,
    /// Actions that wait for a rate: the book is unreconciled until it comes.
    pub owed: BTreeSet<SmolStr>,
}

impl LineSplits {
    /// Every split in effect, for a line in which nothing was booked yet.
    pub fn of(market: &Market, instrument: InstrumentIx, base: Currency) -> Result<Self, Trouble> {
        let followed = market.slot(instrument).splits.effective().map(|split| LineSplit::of(split, market, instrument, base));
        Ok(Self { followed: followed.collect::<Result<_, _>>()?, ..Self::default() })
    }
    /// Whether the line is not what it should be.
    pub fn is_behind(&self) -> bool {
        !self.beyond.is_empty() || !self.owed.is_empty()
    }
}

impl LineSplit {
    /// A split at the rate of now.
    pub fn of(split: &Split, market: &Market, instrument: InstrumentIx, base: Currency) -> Result<Self, Trouble> {
        let facts = market.slot(instrument).facts.as_deref();
        let future = facts.is_some_and(|facts| facts.kind == InstrumentType::Future);
        let currency = facts.map_or(base, |facts| facts.currency);
        let pays = future || split.cash_in_lieu.is_some();
        Ok(Self {
            split: split.clone(),
            instrument,
            currency,
            rate: if pays { super::trade::mark_rate(market, currency, base)? } else { FxRate::ONE },
            multiplier: facts.map_or(Quantity::ONE, |facts| facts.multiplier),
            lot: facts.map_or(Quantity::ONE, |facts| facts.lot_size),
            form: if future { Form::Future } else { Form::Paid },
        })
    }

    /// Applies it. On an error the holding is to be thrown away.
    pub fn apply(&self, holding: &mut Holding, method: CostMethod) -> Result<Effect, FixedError> {
        let before = holding.position.quantity;
        if before.is_zero() {
            return Ok(Effect::default());
        }
        let after = self.split.ratio.units(before)?;
        holding.lots.split(self.split.ratio, after)?;
        holding.position.quantity = after;
        if !after.fits_wire() {
            return Err(FixedError::Overflow);
        }
        let mut effect = Effect::default();
        if after.is_zero() {
            effect = self.close_out(holding)?;
        }
        effect.quantity = after.checked_sub(before)?;
        if let Some(price) = self.split.cash_in_lieu {
            effect.add(&self.sell_odd(holding, price, method)?, 1)?;
        }
        Ok(effect)
    }

    /// Less than the smallest step is flat: what it cost is lost, or won by who owed it.
    pub fn close_out(&self, holding: &mut Holding) -> Result<Effect, FixedError> {
        let (realized, book) = holding.position.close_out()?;
        let mut effect = Effect::default();
        if self.form == Form::Future {
            effect.earn_in_cash(self.currency, realized, realized.convert(self.rate)?)?;
        } else {
            effect.earn(realized, book)?;
            effect.change.book_cost = book;
        }
        let net = effect.change.realized_net()?;
        holding.position.realized_net_base = holding.position.realized_net_base.checked_add(net)?;
        Ok(effect)
    }

    /// Sells the part below one lot.
    fn sell_odd(&self, holding: &mut Holding, price: Price, method: CostMethod) -> Result<Effect, FixedError> {
        let odd = Quantity::from_units(holding.position.quantity.units() % self.lot.units());
        if odd.is_zero() {
            return Ok(Effect::default());
        }
        let sale = Execution {
            id: None,
            instrument: self.instrument,
            trade_date: self.split.ex_date,
            quantity: odd.checked_neg()?,
            price,
            currency: self.currency,
            rate: self.rate,
            gross: odd.abs().times(price)?.multiply(self.multiplier)?,
            form: self.form,
            accrued: Money::ZERO,
            fees: SmallVec::new(),
            settles: None,
            order: None,
            strategy: None,
        };
        // It closes lots and opens none, so that it needs no id where none are kept.
        let opener = SmolStr::default();
        let opener = super::lots::keeps_lots(method).then_some(&opener);
        let mut lots = holding.lots.plan(method, opener, sale.trade_date);
        let effect = sale.apply(&mut holding.position, lots.as_mut())?;
        if let Some(change) = lots.map(LotChange::from) {
            holding.lots.write(change);
        }
        Ok(effect)
    }
}
