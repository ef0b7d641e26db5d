//! What an effect did by strategy, in base at the rates of booking: each strategy's part comes from its own
//! sub-position, and what they leave of the whole is the residual. It books nothing.

use super::entry::money;
use super::execution::Effect;
use super::position::signed;
use super::trouble::bounded;
use domain::ledger::{InBase, LedgerEntry, StrategyChange};
use domain::{Amount, FixedError, FxRate, Money, Quantity, StrategyId};
use std::collections::BTreeMap;

/// One strategy's part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    quantity: Quantity,
    realized: Amount,
    fees: Amount,
    income: Amount,
    /// What the book cost has grown by, and what crossed the boundary beyond that.
    invested: Amount,
}

impl Share {
    /// All of an effect.
    pub fn of(effect: &Effect) -> Self {
        let change = &effect.change;
        let invested = change.book_cost.checked_add(change.transferred).expect("two bounded amounts add up");
        Self { quantity: effect.quantity, realized: change.realized_gross, fees: change.fees, income: change.income, invested }
    }
    fn add(&mut self, other: &Self, sign: i128) -> Result<(), FixedError> {
        let sum = |to: Amount, amount: Amount| to.checked_add(signed(sign, amount)?);
        self.quantity = self.quantity.checked_add(Quantity::from_units(sign * other.quantity.units()))?;
        self.realized = sum(self.realized, other.realized)?;
        self.fees = sum(self.fees, other.fees)?;
        self.income = sum(self.income, other.income)?;
        self.invested = sum(self.invested, other.invested)?;
        Ok(())
    }
    /// What came in less what went out: what was earned, but for what was put in. External flows are neither.
    fn proceeds(&self) -> Result<Amount, FixedError> {
        self.realized.checked_sub(self.fees)?.checked_add(self.income)?.checked_sub(self.invested)
    }
    /// Whether it can be published.
    fn check(&self) -> Result<(), FixedError> {
        for amount in [self.realized, self.fees, self.income, self.proceeds()?] {
            bounded(amount)?;
        }
        if self.quantity.fits_wire() { Ok(()) } else { Err(FixedError::Overflow) }
    }
    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
    /// As published, in units.
    fn told(&self) -> [i128; 5] {
        let units = |amount: Amount| money(amount).units();
        let proceeds = self.proceeds().expect("what is told was checked");
        [self.quantity.units(), units(self.realized), units(self.fees), units(self.income), units(proceeds)]
    }
}

/// The parts of an effect, that of no strategy first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attribution(BTreeMap<Option<StrategyId>, Share>);

impl Attribution {
    /// All to one strategy, or to none.
    pub fn whole(strategy: Option<StrategyId>, share: Share) -> Self {
        Self(BTreeMap::from([(strategy, share)]))
    }
    /// Adds a strategy's part, or takes it away.
    pub fn add(&mut self, strategy: &Option<StrategyId>, share: &Share, sign: i128) -> Result<(), FixedError> {
        match self.0.get_mut(strategy) {
            Some(known) => known.add(share, sign),
            None => self.0.entry(strategy.clone()).or_default().add(share, sign),
        }
    }
    /// Whether no strategy has a part.
    pub fn is_nothing(&self) -> bool {
        self.0.values().all(Share::is_nothing)
    }
}

/// The parts of an effect; where it names none, all of it is of no strategy.
fn parts(effect: &mut Effect) -> Box<Attribution> {
    let whole = Share::of(effect);
    effect.by_strategy.take().unwrap_or_else(|| Box::new(Attribution::whole(None, whole)))
}

impl Effect {
    /// Adds the parts of another effect, or takes them away. It comes before the sums: they say what was of no strategy.
    pub(super) fn add_parts(&mut self, other: &Effect, sign: i128) -> Result<(), FixedError> {
        let mut own = parts(self);
        match &other.by_strategy {
            Some(parts) => parts.0.iter().try_for_each(|(strategy, share)| own.add(strategy, share, sign))?,
            None => own.add(&None, &Share::of(other), sign)?,
        }
        self.by_strategy = Some(own);
        Ok(())
    }

    /// Takes over the units of another effect.
    pub fn take_units(&mut self, from: &mut Effect) -> Result<(), FixedError> {
        if self.by_strategy.is_some() || from.by_strategy.is_some() {
            let (mut own, mut given) = (parts(self), parts(from));
            for (strategy, share) in &mut given.0 {
                let quantity = std::mem::replace(&mut share.quantity, Quantity::ZERO);
                own.add(strategy, &Share { quantity, ..Share::default() }, 1)?;
            }
            (self.by_strategy, from.by_strategy) = (Some(own), Some(given));
        }
        self.quantity = self.quantity.checked_add(std::mem::replace(&mut from.quantity, Quantity::ZERO))?;
        Ok(())
    }

    /// Whether each part can be published.
    pub fn check_parts(&self) -> Result<(), FixedError> {
        Share::of(self).check()?;
        self.by_strategy.iter().flat_map(|parts| parts.0.values()).try_for_each(Share::check)
    }

    /// What a checked effect came to in the base currency, where that is more than the own amounts of its entry say.
    #[inline]
    pub fn in_base(&self, entry: &LedgerEntry) -> Option<Box<InBase>> {
        if self.is_plain(entry.fx_rate) { None } else { self.beyond(entry) }
    }

    /// Whether it is one movement in the base currency, and at most one charge in it: of these the entry says all, as what
    /// is owned grows by what was earned.
    fn is_plain(&self, rate: Option<FxRate>) -> bool {
        let (change, mut moved) = (&self.change, self.movements.iter());
        let (Some(movement), None) = (moved.next(), moved.next()) else { return false };
        let is_charged = match self.charges[..] {
            [] => change.fees.is_zero(),
            [(currency, amount)] => currency == movement.currency && amount == change.fees,
            _ => false,
        };
        rate == Some(FxRate::ONE)
            && movement.amount == movement.book
            && is_charged
            && (change.realized_gross, change.income) == (self.realized, self.income)
            && (change.net_flows, change.transferred) == (Amount::ZERO, Amount::ZERO)
            && self.dividends.is_empty()
    }

    #[cold]
    fn beyond(&self, entry: &LedgerEntry) -> Option<Box<InBase>> {
        let [_, realized_gross, fees, income, proceeds] = Share::of(self).told().map(Money::from_units);
        let in_base = InBase { realized_gross, fees, income, proceeds };
        (entry.as_it_stands() != Some(in_base)).then(|| Box::new(in_base))
    }

    /// The parts of a checked effect as the ledger tells them, with what they leave.
    #[inline]
    pub fn told_parts(&self) -> Vec<StrategyChange> {
        self.by_strategy.as_deref().map_or_else(Vec::new, |parts| told(parts, &Share::of(self)))
    }
}

#[cold]
fn told(parts: &Attribution, whole: &Share) -> Vec<StrategyChange> {
    let mut left = whole.told();
    let mut changes = Vec::new();
    for (strategy, share) in &parts.0 {
        let share = share.told();
        left.iter_mut().zip(share).for_each(|(left, units)| *left -= units);
        changes.extend((share != [0; 5]).then(|| change(strategy.clone(), false, share)));
    }
    changes.extend((left != [0; 5]).then(|| change(None, true, left)));
    changes
}

fn change(strategy: Option<StrategyId>, residual: bool, [quantity, realized, fees, income, proceeds]: [i128; 5]) -> StrategyChange {
    StrategyChange {
        strategy,
        residual,
        quantity_change: Quantity::from_units(quantity),
        realized_gross: Money::from_units(realized),
        fees: Money::from_units(fees),
        income: Money::from_units(income),
        proceeds: Some(Money::from_units(proceeds)),
    }
}
