//! A corporate action as a line knows it, and what it does to a holding: a split makes other units of the same cost, a
//! dividend pays on what is held. It reads no market: lot, multiplier and rates were looked up when it took effect.

use super::booking::Booking;
use super::cash::Movement;
use super::execution::{Earned, Effect, Execution, Form};
use super::holding::Holding;
use super::lots::LotChange;
use super::odd_lots;
use super::portfolio::Portfolio;
use super::position::Position;
use super::trouble::{Trouble, bounded};
use crate::prices::actions::{Deed, Ratio};
use crate::prices::{Action, InstrumentIx, Market};
use domain::enums::{CostMethod, InstrumentType};
use domain::{Amount, Currency, FixedError, FxRate, Money, Price, Quantity, SmolStr};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::collections::BTreeSet;

/// How far a dividend has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Stage {
    /// Earned: a receivable, until its day of payment has begun, or until entries bring it where they are what pays.
    #[default]
    Earned,
    /// Its day of payment has begun: cash.
    Paid,
    /// Cash entries have said what it comes to before it was known: nothing of it is booked here while one of them stands.
    Entries,
}

/// An action on a line's instrument.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineAction {
    /// The action.
    pub action: Action,
    /// Instrument.
    pub instrument: InstrumentIx,
    /// Currency in which it pays.
    pub currency: Currency,
    /// Units of base for one of it, where something is paid.
    pub rate: FxRate,
    /// The same of the instrument's currency.
    pub local_rate: FxRate,
    /// What one unit is worth at a price of one.
    pub multiplier: Quantity,
    /// Units of one lot.
    pub lot: Quantity,
    /// How what is sold is paid for.
    pub form: Form,
    /// How far a dividend has come.
    pub stage: Stage,
    /// What it has come to on this line, owed and paid.
    pub earned: Vec<Earned>,
}

/// The actions that a line follows, and those that it cannot.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LineActions {
    /// In the order of [`Action::order`].
    pub followed: Vec<LineAction>,
    /// What the line held before those that no booking of their ex-date or later has followed yet; `None` where
    /// there are none.
    pub unsplit: Option<Holding>,
    /// What is owed and was settled of dividends that do not stand at the moment: one that is announced again goes on
    /// from there.
    pub left: Vec<Earned>,
    /// Actions that would change bookings which were let go: the book is unreconciled.
    pub beyond: BTreeSet<SmolStr>,
    /// Actions that wait for a rate: the book is unreconciled until it comes.
    pub unrated: BTreeSet<SmolStr>,
}

impl LineActions {
    /// Every action in effect, for a line of a portfolio in which nothing was booked yet.
    pub fn of(market: &Market, instrument: InstrumentIx, portfolio: &Portfolio) -> Self {
        let mut actions = Self::default();
        for action in market.slot(instrument).actions.effective().filter(|action| action.concerns_books()) {
            match LineAction::of(action, market, instrument, portfolio.base) {
                Ok(line) => actions.followed.push(line.due(market, portfolio)),
                Err(_) => _ = actions.unrated.insert(action.id.clone()),
            }
        }
        actions
    }
    /// Whether the line is not what it should be.
    pub fn is_behind(&self) -> bool {
        !self.beyond.is_empty() || !self.unrated.is_empty()
    }
    /// Counts what a dividend has come to, also one that does not stand.
    pub fn take_over(&mut self, earned: &Earned) {
        match self.followed.iter_mut().find(|line| line.action.id == earned.action) {
            Some(line) => count(&mut line.earned, earned),
            None => count(&mut self.left, earned),
        }
    }
    /// An action that it follows.
    pub fn find(&self, id: &str) -> Option<&LineAction> {
        self.followed.iter().find(|line| line.action.id == id)
    }
}

impl LineAction {
    /// An action at the rates of now.
    pub fn of(action: &Action, market: &Market, instrument: InstrumentIx, base: Currency) -> Result<Self, Trouble> {
        let facts = market.slot(instrument).facts.as_deref();
        let future = facts.is_some_and(|facts| facts.kind == InstrumentType::Future);
        let local = facts.map_or(base, |facts| facts.currency);
        let (currency, pays) = match &action.deed {
            Deed::Split { cash_in_lieu, .. } => (local, future || cash_in_lieu.is_some()),
            Deed::Dividend { currency, .. } => (currency.unwrap_or(local), true),
            Deed::Symbol(_) => (local, false),
        };
        let rate = |of: Currency| if pays { super::trade::mark_rate(market, of, base) } else { Ok(FxRate::ONE) };
        Ok(Self {
            action: action.clone(),
            instrument,
            currency,
            rate: rate(currency)?,
            local_rate: rate(local)?,
            multiplier: facts.map_or(Quantity::ONE, |facts| facts.multiplier),
            lot: facts.map_or(Quantity::ONE, |facts| facts.lot_size),
            form: if future { Form::Future } else { Form::Paid },
            stage: Stage::Earned,
            earned: Vec::new(),
        })
    }

    /// The same as far as it has come for a portfolio.
    pub fn due(mut self, market: &Market, portfolio: &Portfolio) -> Self {
        self.stage = if portfolio.is_said(&self.action) {
            Stage::Entries
        } else if portfolio.pays_by_entries() {
            Stage::Earned
        } else if market.slot(self.instrument).actions.is_paid(&self.action.id) {
            Stage::Paid
        } else {
            Stage::Earned
        };
        self
    }

    /// Applies it. On an error the holding is to be thrown away.
    pub fn apply(&self, holding: &mut Holding, method: CostMethod) -> Result<Effect, FixedError> {
        match &self.action.deed {
            Deed::Split { ratio, cash_in_lieu } => self.split(holding, (*ratio, *cash_in_lieu), method),
            Deed::Dividend { .. } => self.pay_all(holding),
            Deed::Symbol(_) => Ok(Effect::default()),
        }
    }

    /// What a dividend earns on all that is held, of the line and of each of its sub-positions.
    fn pay_all(&self, holding: &mut Holding) -> Result<Effect, FixedError> {
        let pay = |position: &mut Position| {
            let quantity = position.quantity;
            self.pay(position, quantity)
        };
        let mut effect = pay(&mut holding.position)?;
        holding.subs.each(&mut effect, |_, position| pay(position))?;
        Ok(effect)
    }

    /// What it earns on units that a booking brought late.
    pub fn pay_on(&self, holding: &mut Holding, booking: &Booking, quantity: Quantity) -> Result<Effect, FixedError> {
        let mut effect = self.pay(&mut holding.position, quantity)?;
        holding.subs.one(booking, &mut effect, |position| self.pay(position, quantity))?;
        Ok(effect)
    }

    /// What a dividend earns on units of a position: a long position earns, a short one owes. Nothing where the action
    /// is none, or cash entries say what it comes to.
    fn pay(&self, position: &mut Position, quantity: Quantity) -> Result<Effect, FixedError> {
        let Deed::Dividend { per_share, .. } = self.action.deed else { return Ok(Effect::default()) };
        let amount = bounded(quantity.times(per_share)?)?;
        if amount.is_zero() || self.stage == Stage::Entries {
            return Ok(Effect::default());
        }
        let movement = Movement { currency: self.currency, amount, book: bounded(amount.convert(self.rate)?)? };
        let income = if self.rate == self.local_rate { amount } else { movement.book.convert_back(self.local_rate)? };
        let owed = self.stage == Stage::Earned;
        let mut effect = Effect::default();
        effect.income = income;
        effect.change.income = movement.book;
        if owed {
            effect.change.book_owed = movement.book;
        } else {
            effect.movements.add(movement)?;
            effect.change.book_cash = movement.book;
        }
        effect.dividends.push(Earned { action: self.action.id.clone(), movement, income, owed });
        position.charge(Amount::ZERO, income, (Amount::ZERO, income))?;
        position.realized_net_base = bounded(position.realized_net_base.checked_add(movement.book)?)?;
        Ok(effect)
    }

    /// What it does that its day of payment has begun: what is owed becomes cash at its book value.
    pub fn payment(&self) -> Result<Effect, FixedError> {
        let mut effect = Effect::default();
        for earned in self.earned.iter().filter(|earned| earned.owed) {
            effect.earn_dividend(earned.signed(-1)?)?;
            effect.earn_dividend(Earned { owed: false, ..earned.clone() })?;
            effect.movements.add(earned.movement)?;
            effect.change.book_cash = effect.change.book_cash.checked_add(earned.movement.book)?;
            effect.change.book_owed = effect.change.book_owed.checked_sub(earned.movement.book)?;
        }
        Ok(effect)
    }

    fn split(
        &self,
        holding: &mut Holding,
        (ratio, cash_in_lieu): (Ratio, Option<Price>),
        method: CostMethod,
    ) -> Result<Effect, FixedError> {
        if !holding.position.quantity.is_zero() {
            holding.lots.split(ratio, ratio.units(holding.position.quantity)?)?;
        }
        let mut effect = self.split_units(&mut holding.position, ratio)?;
        let odd = Quantity::from_units(holding.position.quantity.units() % self.lot.units());
        let sold = cash_in_lieu.filter(|_| !odd.is_zero());
        if let Some(price) = sold {
            effect.add(&self.sell_odd(holding, (odd, price), method)?, 1)?;
        }
        if !holding.subs.is_empty() {
            self.split_subs(holding, ratio, sold.map(|price| (odd, price)), &mut effect)?;
        }
        Ok(effect)
    }

    fn split_units(&self, position: &mut Position, ratio: Ratio) -> Result<Effect, FixedError> {
        let before = position.quantity;
        if before.is_zero() {
            return Ok(Effect::default());
        }
        let after = ratio.units(before)?;
        position.quantity = after;
        if !after.fits_wire() {
            return Err(FixedError::Overflow);
        }
        let mut effect = if after.is_zero() { self.close_out(position)? } else { Effect::default() };
        effect.quantity = after.checked_sub(before)?;
        Ok(effect)
    }

    /// Each sub-position is truncated by itself; of what the line sells each gives its part.
    fn split_subs(
        &self,
        holding: &mut Holding,
        ratio: Ratio,
        sold: Option<(Quantity, Price)>,
        effect: &mut Effect,
    ) -> Result<(), FixedError> {
        let after: Vec<Quantity> = holding.subs.quantities().map(|units| ratio.units(units)).collect::<Result<_, _>>()?;
        let given = sold.map_or_else(Vec::new, |(odd, _)| odd_lots::given(&after, odd, self.lot));
        holding.subs.each(effect, |at, position| {
            let mut own = self.split_units(position, ratio)?;
            if let Some((_, price)) = sold.filter(|_| !given[at].is_zero()) {
                let mut sale = Effect::default();
                self.sale(given[at], price)?.apply(&mut sale, position, None)?;
                own.add(&sale, 1)?;
            }
            Ok(own)
        })
    }

    /// Less than the smallest step is flat: what it cost is lost, or won by who owed it.
    pub fn close_out(&self, position: &mut Position) -> Result<Effect, FixedError> {
        let (realized, book) = position.close_out()?;
        let mut effect = Effect::default();
        if self.form == Form::Future {
            effect.earn_in_cash(self.currency, realized, realized.convert(self.rate)?)?;
        } else {
            effect.earn(realized, book)?;
            effect.change.book_cost = book;
        }
        let net = effect.change.realized_net()?;
        position.realized_net_base = position.realized_net_base.checked_add(net)?;
        Ok(effect)
    }

    /// Sells the part below one lot.
    fn sell_odd(&self, holding: &mut Holding, (odd, price): (Quantity, Price), method: CostMethod) -> Result<Effect, FixedError> {
        let sale = self.sale(odd, price)?;
        // It closes lots and opens none, so that it needs no id where none are kept.
        let opener = SmolStr::default();
        let opener = super::lots::keeps_lots(method).then_some(&opener);
        let mut lots = holding.lots.plan(method, opener, sale.trade_date);
        let mut effect = Effect::default();
        sale.apply(&mut effect, &mut holding.position, lots.as_mut())?;
        // What is paid in lieu of units is no trade.
        effect.closings.clear();
        if let Some(change) = lots.map(LotChange::from) {
            holding.lots.write(change);
        }
        Ok(effect)
    }

    fn sale(&self, odd: Quantity, price: Price) -> Result<Execution, FixedError> {
        Ok(Execution {
            id: None,
            instrument: self.instrument,
            trade_date: self.action.ex_date,
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
        })
    }
}

fn count(all: &mut Vec<Earned>, earned: &Earned) {
    match all.iter_mut().find(|known| known.is_of(earned)) {
        Some(known) => known.add(earned).expect("what a dividend comes to was checked before it was booked"),
        None => all.push(earned.clone()),
    }
    all.retain(|known| !known.is_nothing());
}
