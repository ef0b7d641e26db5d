//! What a corporate action does to a holding, in exact ratios: a split makes other units of the same cost, a dividend
//! pays on what is held. Which actions stand, and before which booking, is told by others.

use super::actions::{Deed, Standing};
use super::effect::{Amounts, Effect, put};
use super::exact::{self, Exact, Published, zero};
use super::holding::Position;
use super::owed::{Owed, owe};
use super::worth::{Turned, Worth};
use domain::SmolStr;
use domain::enums::InstrumentType;
use domain::instrument::Instrument;

/// Decimals of a quantity.
const UNITS: u32 = 8;

/// Units cut toward zero at the smallest step.
pub(super) fn cut(units: &Exact) -> Exact {
    exact::cut(units, UNITS)
}

impl Standing {
    /// Applies it to what is held.
    pub(super) fn apply(&self, position: &mut Position, instrument: &Instrument) -> Effect {
        match &self.deed {
            Deed::Split { ratio, in_lieu } => split(position, instrument, ratio, in_lieu.as_ref(), self),
            Deed::Dividend { .. } => {
                let held = position.quantity.clone();
                self.pay_on(position, instrument, &held)
            }
            Deed::Symbol(_) => Effect::none(),
        }
    }

    /// What a dividend pays on units: who owes them owes it.
    pub(super) fn pay_on(&self, position: &mut Position, instrument: &Instrument, units: &Exact) -> Effect {
        let mut effect = Effect::none();
        let Deed::Dividend { per_share, currency, .. } = &self.deed else { return effect };
        let currency = currency.unwrap_or(instrument.currency);
        let amount = units * per_share;
        if amount == zero() {
            return effect;
        }
        let income = if currency == instrument.currency {
            Worth::of(amount.clone())
        } else {
            let by = Turned::Action(instrument.instrument_id.clone(), self.id.clone(), self.telling);
            Worth::abroad(by, currency, amount.clone())
        };
        position.bookings += 1;
        position.income.add(&income, 1);
        if self.paid {
            put(&mut effect.cash, currency, &amount);
        } else {
            owe(&mut effect.owed, &self.id, &Owed { amounts: Amounts::from([(currency, amount)]), income: income.clone() }, 1);
        }
        effect.income = income;
        effect
    }
}

fn split(position: &mut Position, instrument: &Instrument, ratio: &Exact, in_lieu: Option<&Exact>, by: &Standing) -> Effect {
    let mut effect = Effect::none();
    let before = position.quantity.clone();
    if before == zero() {
        return effect;
    }
    position.bookings += 1;
    if let Some(lots) = &mut position.lots {
        lots.split(ratio);
    }
    position.quantity = cut(&(&before * ratio));
    if position.quantity == zero() {
        effect = lose(position, instrument);
    }
    effect.quantity = &position.quantity - before;
    let odd = exact::rest(&position.quantity, &instrument.lot_size.exact());
    if let Some(price) = in_lieu.filter(|_| odd != zero()) {
        // The part below one lot is sold.
        let paid = -(&odd * price * instrument.multiplier.exact());
        position.lots.iter_mut().for_each(super::lots::Lots::begin);
        let realized = position.trade(&-&odd, &paid, (&SmolStr::default(), by.ex_date));
        let earned = if is_future(instrument) { realized.clone() } else { -paid };
        put(&mut effect.cash, instrument.currency, &earned);
        effect.realized += realized;
        effect.quantity -= odd;
    }
    effect
}

/// What is flat though it cost something: that is lost, or won by who owed it.
pub(super) fn lose(position: &mut Position, instrument: &Instrument) -> Effect {
    let mut effect = Effect::none();
    effect.realized = -position.cost.clone();
    if is_future(instrument) {
        put(&mut effect.cash, instrument.currency, &effect.realized);
    }
    position.realized += &effect.realized;
    position.cost = zero();
    position.quantity = zero();
    effect
}

fn is_future(instrument: &Instrument) -> bool {
    instrument.kind == InstrumentType::Future
}
