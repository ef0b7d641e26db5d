//! One holding in exact ratios: average cost or lots, long and short, flips, fees, futures. Slow and obvious; it shares
//! nothing with the service but the shape of the records.

use super::amending::{Terms, Units};
use super::effect::{Amounts, Effect, put};
use super::exact::{Exact, Published, magnitude, shortened, zero};
use super::lots::{Lots, Opener};
use super::worth::Worth;
use domain::cash::CashEntry;
use domain::enums::{CashKind, CostMethod, InstrumentType};
use domain::fill::Fill;
use domain::instrument::Instrument;

/// One holding, in the instrument's currency.
#[derive(Debug, Clone)]
pub(super) struct Position {
    pub(super) quantity: Exact,
    pub(super) cost: Exact,
    /// Where the cost is not pooled.
    pub(super) lots: Option<Lots>,
    pub(super) realized: Exact,
    pub(super) income: Worth,
    pub(super) fees: Amounts,
    /// All fees in the instrument's currency; `None` once one of an execution was in another, whose rate no input names.
    pub(super) own_fees: Option<Worth>,
    /// Bookings so far: each may have cost the service one rounding.
    pub(super) bookings: u64,
    /// Cost and profit follow rules that this model does not have.
    pub(super) loose: bool,
}

impl Default for Position {
    fn default() -> Self {
        Self {
            quantity: zero(),
            cost: zero(),
            lots: None,
            realized: zero(),
            income: Worth::none(),
            fees: Amounts::new(),
            own_fees: Some(Worth::none()),
            bookings: 0,
            loose: false,
        }
    }
}

impl Position {
    /// A flat one.
    pub(super) fn by(method: CostMethod) -> Self {
        Self { lots: Lots::by(method), ..Self::default() }
    }

    /// Whether a change closes units.
    fn is_opposite(&self, change: &Exact) -> bool {
        (self.quantity > zero()) == (*change < zero()) && self.quantity != zero()
    }

    /// Takes `change` units in at a total of `paid` (both signed like the change); what that realizes.
    pub(super) fn trade(&mut self, change: &Exact, paid: &Exact, by: Opener<'_>) -> Exact {
        let price = paid / change;
        if !self.is_opposite(change) {
            self.quantity += change;
            self.cost += paid;
            if let Some(lots) = &mut self.lots {
                lots.open(by, change, paid, price);
            }
            return zero();
        }
        let (held, traded) = (magnitude(&self.quantity), magnitude(change));
        let closed = if traded < held { traded.clone() } else { held.clone() };
        let cost_out = match &mut self.lots {
            Some(lots) => lots.close(&closed),
            None => shortened(&(&self.cost * &closed / &held)),
        };
        let paid_out = shortened(&(paid * &closed / &traded));
        let realized = -(&paid_out + &cost_out);
        self.cost = &self.cost - cost_out + (paid - paid_out);
        self.quantity += change;
        self.realized += &realized;
        if let Some(lots) = self.lots.as_mut().filter(|_| traded > held) {
            lots.open(by, &self.quantity, &self.cost, price);
        }
        realized
    }

    /// Units come or go and nothing is realized: what closes gives up its cost, what opens has its part of `cost`, which
    /// is not below zero. The change of the cost.
    fn transfer(&mut self, change: &Exact, cost: &Exact, by: Opener<'_>) -> Exact {
        let before = self.cost.clone();
        let signed = |amount: Exact| if *change < zero() { -amount } else { amount };
        let opposite = self.is_opposite(change);
        let (held, moved) = (magnitude(&self.quantity), magnitude(change));
        let closed = if !opposite {
            zero()
        } else if moved < held {
            moved.clone()
        } else {
            held.clone()
        };
        if opposite {
            self.cost -= match &mut self.lots {
                Some(lots) => lots.close(&closed),
                None => shortened(&(&self.cost * &closed / &held)),
            };
        }
        self.quantity += change;
        let opened = &moved - &closed;
        if opened > zero() {
            let part = signed(cost - shortened(&(cost * &closed / &moved)));
            self.cost += &part;
            if let Some(lots) = &mut self.lots {
                lots.open(by, &signed(opened), &part, cost / &moved);
            }
        }
        &self.cost - before
    }

    /// Takes over what another one, which is flat, has earned and paid.
    pub(super) fn take_figures(&mut self, other: Self) {
        self.realized += other.realized;
        self.income.add(&other.income, 1);
        other.fees.iter().for_each(|(currency, amount)| put(&mut self.fees, *currency, amount));
        self.add_own_fees(other.own_fees);
        self.bookings += other.bookings;
        self.loose |= other.loose;
    }

    fn add_own_fees(&mut self, fees: Option<Worth>) {
        match (&mut self.own_fees, fees) {
            (Some(sum), Some(fees)) => sum.add(&fees, 1),
            (sum, _) => *sum = None,
        }
    }

    /// Realized profit less fees and with income, in the instrument's currency; `None` where that cannot be told.
    pub(super) fn net(&self) -> Option<Worth> {
        let mut net = Worth::of(self.realized.clone());
        net.add(self.own_fees.as_ref()?, -1);
        net.add(&self.income, 1);
        Some(net)
    }

    /// Books an execution of a security, of so many signed units for what was paid; `by` is what the lot is called that
    /// it opens.
    pub(super) fn execute(&mut self, fill: &Fill, instrument: &Instrument, by: Opener<'_>, units: &Units) -> Effect {
        let mut effect = Effect::none();
        self.bookings += 1;
        self.lots.iter_mut().for_each(Lots::begin);
        self.loose |= fill.currency != instrument.currency;
        let unit_value = fill.price.exact() * instrument.multiplier.exact();
        let change = units.own.clone();
        let gross = fill.gross_amount.map_or_else(|| fill.quantity.exact() * &unit_value, Published::exact);
        let paid = if change < zero() { -gross } else { gross };
        if self.is_opposite(&change) {
            effect.closes.insert(by.1, 1);
        }
        effect.realized = self.trade(&change, &paid, by);
        effect.quantity = change;
        // A future costs nothing when it is bought; its gain is paid when it is closed.
        let is_future = instrument.kind == InstrumentType::Future;
        put(&mut effect.cash, fill.currency, &if is_future { effect.realized.clone() } else { -&paid });
        if let Some(accrued) = fill.accrued_interest {
            let income = if paid < zero() { accrued.exact() } else { -accrued.exact() };
            put(&mut effect.cash, fill.currency, &income);
            self.income.own += &income;
            effect.income = Worth::of(income);
        }
        for (at, fee) in fill.fees.iter().enumerate() {
            let amount = fee.amount.exact();
            let own = if let Some(units) = units.fees.get(&at) {
                // Paid in the units themselves: they leave at the fill's price, and that value is the fee.
                let value = &amount * &unit_value;
                effect.realized += self.trade(&-units, &-&value, by);
                effect.quantity -= units;
                Some(value)
            } else {
                put(&mut effect.cash, fee.currency, &-&amount);
                (fee.currency == fill.currency).then(|| amount.clone())
            };
            put(&mut effect.fees, fee.currency, &amount);
            self.add_own_fees(own.map(Worth::of));
        }
        effect.fees.iter().for_each(|(currency, amount)| put(&mut self.fees, *currency, amount));
        effect
    }

    /// Books what a cash entry has brought or cost; `fee` is that in the instrument's currency.
    pub(super) fn earn(&mut self, (effect, fee): (Effect, Worth)) -> Effect {
        self.bookings += 1;
        self.income.add(&effect.income, 1);
        effect.fees.iter().for_each(|(currency, amount)| put(&mut self.fees, *currency, amount));
        self.own_fees.iter_mut().for_each(|sum| sum.add(&fee, 1));
        effect
    }

    /// Books a transfer of securities, of so many signed units at the price that its ledger entry names for those that
    /// it was of.
    pub(super) fn cross(&mut self, entry: &CashEntry, terms: &Terms<'_>, units: Exact) -> Effect {
        let mut effect = Effect::none();
        self.bookings += 1;
        self.lots.iter_mut().for_each(Lots::begin);
        let comes = entry.kind == CashKind::TransferIn;
        let change = units;
        let worth = magnitude(&entry.quantity.map_or_else(zero, Published::exact)) * terms.unit_worth();
        let cost = if comes { entry.total_cost.unwrap_or(entry.amount).exact() } else { worth.clone() };
        let by = (&entry.entry_id, terms.day(entry));
        let paid = self.transfer(&change, &cost, by);
        let crossed = if change < zero() { -worth } else { worth };
        // A future is worth what it has gained.
        let crossed = if terms.instrument.kind == InstrumentType::Future { crossed - paid } else { crossed };
        effect.flow = Some((terms.instrument.currency, crossed));
        effect.quantity = change;
        effect
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::exact::{near, ratio, whole};
    use crate::verify::story::v;
    use dashu_int::ops::BitTest as _;

    fn position(steps: &[(i128, i128)]) -> Position {
        let mut position = Position::default();
        for (change, price) in steps {
            position.trade(&whole(*change), &whole(change * price), (&"e".into(), v("2026-01-05")));
        }
        position
    }

    #[test]
    fn average_cost_by_hand() {
        let long = position(&[(10, 100), (10, 110), (-5, 120)]);
        assert_eq!((long.quantity, long.cost, long.realized), (whole(15), whole(1575), whole(75)));
        let flip = position(&[(10, 100), (-15, 110)]);
        assert_eq!((flip.quantity, flip.cost, flip.realized), (whole(-5), whole(-550), whole(100)));
        let short = position(&[(-4, 50), (2, 40), (2, 60)]);
        assert_eq!((short.quantity, short.cost, short.realized), (zero(), zero(), zero()));
        let third = position(&[(3, 10), (4, 11), (-1, 12)]);
        assert!(near(&third.cost, &(whole(74) * whole(6) / whole(7)), &ratio(1, 30)));
    }

    #[test]
    fn lots_by_hand() {
        let book = |method, sign: i128, trades: &[(&str, i128, i128)]| {
            let mut position = Position { lots: Lots::by(method), ..Position::default() };
            for (id, change, price) in trades {
                position.lots.as_mut().unwrap().begin();
                position.trade(&whole(sign * change), &whole(sign * change * price), (&(*id).into(), v("2026-01-05")));
            }
            position
        };
        let trades = [("1", 10, 10), ("2", 10, 30), ("3", 10, 20), ("4", 10, 30), ("5", -15, 40), ("6", -30, 40)];
        for sign in [1, -1] {
            for (method, released) in [(CostMethod::Fifo, 250), (CostMethod::Lifo, 400), (CostMethod::Hifo, 450)] {
                let part = book(method, sign, &trades[..5]);
                assert_eq!((part.quantity, part.cost), (whole(sign * 25), whole(sign * (900 - released))), "{method}");
                assert_eq!(part.realized, whole(sign * (600 - released)), "{method}");
                let flipped = book(method, sign, &trades);
                assert_eq!((flipped.quantity, flipped.cost), (whole(-sign * 5), whole(-sign * 200)), "{method}");
                assert_eq!(flipped.realized, whole(sign * (1600 - 900)), "{method}");
            }
        }
    }

    #[test]
    fn numbers_stay_short_however_long_the_history() {
        let mut position = Position::default();
        for n in 1..3000_i128 {
            position.trade(&whole(7), &(whole(7) * ratio(1000 + n, 2)), (&"e".into(), v("2026-01-05")));
            position.trade(&whole(-3), &(whole(-3) * ratio(1003 + n, 2)), (&"e".into(), v("2026-01-05")));
        }
        assert!(position.cost.denominator().bit_len() < 220);
        position.trade(&-position.quantity.clone(), &zero(), (&"e".into(), v("2026-01-05")));
        assert_eq!(position.cost, zero());
    }
}
