//! The book of one portfolio in exact ratios: average cost or lots, long and short, flips, fees, futures,
//! currency pairs. Slow and obvious; it shares nothing with the service but the shape of the records.
//!
//! Cancels, corrections and reversals are booked by `amending`, corporate actions by `course` and `deeds`. What it cannot
//! book it says, and the portfolio is left out of the comparison from there on.

use super::actions::Standing;
use super::amending::{Log, Terms, Units, What};
use super::exact::{Exact, Published, magnitude, shortened, zero};
use super::lots::{Lots, Opener};
use domain::cash::CashEntry;
use domain::enums::{CashKind, CostMethod, InstrumentType, Side};
use domain::fill::Fill;
use domain::instrument::Instrument;
use domain::{Currency, InstrumentId};
use std::collections::BTreeMap;

/// Amounts by currency.
pub(super) type Amounts = BTreeMap<Currency, Exact>;

/// Adds to the amount of a currency.
pub(super) fn put(amounts: &mut Amounts, currency: Currency, amount: &Exact) {
    let held = amounts.entry(currency).or_insert_with(zero);
    *held += amount;
}

/// One holding, in the instrument's currency.
#[derive(Debug, Clone)]
pub(super) struct Position {
    pub(super) quantity: Exact,
    pub(super) cost: Exact,
    /// Where the cost is not pooled.
    pub(super) lots: Option<Lots>,
    pub(super) realized: Exact,
    pub(super) income: Exact,
    pub(super) fees: Amounts,
    /// All fees in the instrument's currency; `None` once one was in another, whose rate no input names.
    pub(super) own_fees: Option<Exact>,
    /// Bookings so far: each may have cost the service one rounding.
    pub(super) bookings: u64,
    /// Cost and profit follow rules that this model does not have.
    pub(super) loose: bool,
    /// Some income was in another currency: what it is in the instrument's hangs on a rate that no input names.
    pub(super) foreign: bool,
}

impl Default for Position {
    fn default() -> Self {
        Self {
            quantity: zero(),
            cost: zero(),
            lots: None,
            realized: zero(),
            income: zero(),
            fees: Amounts::new(),
            own_fees: Some(zero()),
            bookings: 0,
            loose: false,
            foreign: false,
        }
    }
}

impl Position {
    /// A flat one.
    pub(super) fn by(method: CostMethod) -> Self {
        Self { lots: Lots::by(method), ..Self::default() }
    }

    /// Takes `change` units in at a total of `paid` (both signed like the change); what that realizes.
    pub(super) fn trade(&mut self, change: &Exact, paid: &Exact, by: Opener<'_>) -> Exact {
        let price = paid / change;
        let opposite = (self.quantity > zero()) == (*change < zero()) && self.quantity != zero();
        if !opposite {
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
        let opposite = (self.quantity > zero()) == (*change < zero()) && self.quantity != zero();
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
        self.income += other.income;
        other.fees.iter().for_each(|(currency, amount)| put(&mut self.fees, *currency, amount));
        self.own_fees = self.own_fees.take().zip(other.own_fees).map(|(sum, own)| sum + own);
        self.bookings += other.bookings;
        self.loose |= other.loose;
        self.foreign |= other.foreign;
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
        effect.realized = self.trade(&change, &paid, by);
        effect.quantity = change;
        // A future costs nothing when it is bought; its gain is paid when it is closed.
        let is_future = instrument.kind == InstrumentType::Future;
        put(&mut effect.cash, fill.currency, &if is_future { effect.realized.clone() } else { -&paid });
        if let Some(accrued) = fill.accrued_interest {
            let income = if paid < zero() { accrued.exact() } else { -accrued.exact() };
            put(&mut effect.cash, fill.currency, &income);
            self.income += &income;
            effect.income = income;
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
            self.own_fees = self.own_fees.take().zip(own).map(|(sum, own)| sum + own);
        }
        effect.fees.iter().for_each(|(currency, amount)| put(&mut self.fees, *currency, amount));
        effect
    }

    /// Books what a cash entry in the instrument's currency has brought or cost.
    pub(super) fn earn(&mut self, effect: Effect) -> Effect {
        self.bookings += 1;
        self.income += &effect.income;
        for (currency, amount) in &effect.fees {
            put(&mut self.fees, *currency, amount);
            self.own_fees = self.own_fees.take().map(|sum| sum + amount);
        }
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
        let worth =
            magnitude(&entry.quantity.map_or_else(zero, Published::exact)) * terms.price.exact() * terms.instrument.multiplier.exact();
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

/// What one input does.
#[derive(Debug, Clone)]
pub(super) struct Effect {
    pub(super) quantity: Exact,
    pub(super) cash: Amounts,
    pub(super) realized: Exact,
    pub(super) income: Exact,
    pub(super) fees: Amounts,
    /// Money across the portfolio's boundary, with its currency.
    pub(super) flow: Option<(Currency, Exact)>,
    /// What dividends have earned and is not paid yet.
    pub(super) owed: Amounts,
    /// Some of the income is in another currency than the instrument's, and not counted.
    pub(super) foreign: bool,
}

impl Effect {
    pub(super) fn none() -> Self {
        let (cash, fees, owed) = (Amounts::new(), Amounts::new(), Amounts::new());
        Self { quantity: zero(), cash, realized: zero(), income: zero(), fees, flow: None, owed, foreign: false }
    }
    /// Adds another, or takes it away.
    pub(super) fn add(&mut self, other: &Effect, sign: i128) {
        let of = |amount: &Exact| amount * super::exact::whole(sign);
        self.quantity += of(&other.quantity);
        self.realized += of(&other.realized);
        self.income += of(&other.income);
        other.cash.iter().for_each(|(currency, amount)| put(&mut self.cash, *currency, &of(amount)));
        other.fees.iter().for_each(|(currency, amount)| put(&mut self.fees, *currency, &of(amount)));
        other.owed.iter().for_each(|(currency, amount)| put(&mut self.owed, *currency, &of(amount)));
        self.foreign |= other.foreign;
        if let Some((currency, amount)) = &other.flow {
            let held = self.flow.take().map_or_else(zero, |(_, held)| held);
            self.flow = Some((*currency, held + of(amount)));
        }
    }
}

/// A portfolio.
#[derive(Debug, Clone, Default)]
pub(super) struct Book<'a> {
    /// How the cost of what is sold is found; a pool where it is not known.
    pub(super) method: CostMethod,
    pub(super) positions: BTreeMap<InstrumentId, Position>,
    pub(super) cash: Amounts,
    pub(super) flows: Amounts,
    /// Dividends that are earned and not paid.
    pub(super) owed: Amounts,
    pub(super) bookings: u64,
    /// All of it, in booking order.
    pub(super) log: Log<'a>,
    /// The actions that each line follows, in their order.
    pub(super) follows: BTreeMap<InstrumentId, Vec<Standing>>,
}

impl<'a> Book<'a> {
    /// Books what stands behind all others and before no action.
    pub(super) fn book(&mut self, what: What<'a>) -> Result<Effect, String> {
        let effect = match what.line() {
            Some(id) => {
                let method = self.method;
                what.apply(self.positions.entry(id.clone()).or_insert_with(|| Position::by(method)), None)?
            }
            None => what.apply(&mut Position::default(), None)?,
        };
        self.add(&effect);
        self.log.keep(what);
        Ok(effect)
    }

    /// Adds what does not stand in a position.
    pub(super) fn add(&mut self, effect: &Effect) {
        self.bookings += 1;
        effect.cash.iter().for_each(|(currency, amount)| put(&mut self.cash, *currency, amount));
        effect.owed.iter().for_each(|(currency, amount)| put(&mut self.owed, *currency, amount));
        if let Some((currency, amount)) = &effect.flow {
            put(&mut self.flows, *currency, amount);
        }
    }
}

/// What a cash entry without securities does, or why the model cannot say.
pub(super) fn payment(entry: &CashEntry) -> Result<Effect, String> {
    if entry.reverses.is_some() || entry.quantity.is_some() {
        return Err(format!("{} entry {} with a reversal or securities", entry.kind, entry.entry_id));
    }
    let mut effect = Effect::none();
    let amount = entry.amount.exact();
    let flow = |amount: &Exact| Some((entry.currency, amount.clone()));
    let change = match entry.kind {
        CashKind::Deposit | CashKind::TransferIn => {
            effect.flow = flow(&amount);
            amount
        }
        CashKind::Withdrawal | CashKind::TransferOut => {
            effect.flow = flow(&-&amount);
            -amount
        }
        CashKind::Fee => {
            put(&mut effect.fees, entry.currency, &amount);
            -amount
        }
        CashKind::Interest | CashKind::Dividend => {
            effect.income = amount.clone();
            amount
        }
        CashKind::Unknown => return Err(format!("entry {} of kind {}", entry.entry_id, entry.kind)),
    };
    put(&mut effect.cash, entry.currency, &change);
    Ok(effect)
}

/// Whether an entry stands in the figures of the instrument that it names.
pub(super) fn is_beside(kind: CashKind) -> bool {
    matches!(kind, CashKind::Fee | CashKind::Interest | CashKind::Dividend)
}

/// + for a buy, − for a sell.
pub(super) fn signed_quantity(fill: &Fill) -> Exact {
    if fill.side == Side::Buy { fill.quantity.exact() } else { -fill.quantity.exact() }
}

/// An execution of a currency pair: one currency comes, the other goes.
pub(super) fn pair(fill: &Fill, instrument: &Instrument) -> Result<Effect, String> {
    let named = instrument.instrument_id.as_str().split_once('/').and_then(|(base, _)| Currency::new(base).ok());
    let base = instrument.base_asset.or(named).ok_or_else(|| format!("{} is a pair without a base asset", instrument.instrument_id))?;
    let mut effect = Effect::none();
    let units = signed_quantity(fill);
    let gross =
        fill.gross_amount.map_or_else(|| fill.quantity.exact() * fill.price.exact() * instrument.multiplier.exact(), Published::exact);
    put(&mut effect.cash, base, &(&units * instrument.multiplier.exact()));
    put(&mut effect.cash, fill.currency, &if units < zero() { gross } else { -gross });
    for fee in &fill.fees {
        put(&mut effect.cash, fee.currency, &-fee.amount.exact());
        put(&mut effect.fees, fee.currency, &fee.amount.exact());
    }
    Ok(effect)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::exact::{near, ratio, whole};
    use crate::verify::story::{deposit, fill, instrument, usd, v};

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
        assert!(position.cost.denom().bits() < 220);
        position.trade(&-position.quantity.clone(), &zero(), (&"e".into(), v("2026-01-05")));
        assert_eq!(position.cost, zero());
    }

    /// What a book holds after some executions, and what each did.
    struct Booked {
        positions: BTreeMap<InstrumentId, Position>,
        cash: Amounts,
    }

    fn booked(instrument: &Instrument, fills: &[Fill]) -> (Booked, Vec<Effect>) {
        let mut book = Book::default();
        let effects = fills.iter().map(|fill| book.book(What::trade(fill, instrument)).unwrap()).collect();
        (Booked { positions: book.positions, cash: book.cash }, effects)
    }

    #[test]
    fn a_future_pays_its_gain_when_it_is_closed() {
        let future = Instrument { kind: InstrumentType::Future, multiplier: v("50"), ..instrument("AAPL") };
        let (book, _) =
            booked(&future, &[fill("a", Side::Buy, "2", "4000", "5", None), fill("b", Side::SellShort, "3", "4010", "5", None)]);
        let position = &book.positions[&v::<InstrumentId>("AAPL")];
        assert_eq!(position.realized, whole(2 * 10 * 50));
        assert_eq!((position.quantity.clone(), position.cost.clone()), (whole(-1), whole(-4010 * 50)));
        assert_eq!(book.cash[&usd()], whole(1000 - 10));
    }

    #[test]
    fn a_pair_moves_two_balances_and_no_position() {
        let pair = Instrument { kind: InstrumentType::Fx, base_asset: Some(v("EUR")), ..instrument("EUR/USD") };
        let (book, effects) = booked(&pair, &[fill("a", Side::Buy, "100", "1.25", "2", None)]);
        assert!(book.positions.is_empty() && effects[0].quantity == zero());
        assert_eq!((book.cash[&v::<Currency>("EUR")].clone(), book.cash[&usd()].clone()), (whole(100), whole(-127)));
    }

    #[test]
    fn a_fee_in_units_reduces_the_holding_and_leaves_the_average() {
        let coin = Instrument { kind: InstrumentType::Crypto, base_asset: Some(v("BTC")), ..instrument("AAPL") };
        let mut buy = fill("a", Side::Buy, "2", "100", "0", None);
        buy.fees = vec![domain::fill::Fee { kind: "taker".into(), amount: v("0.5"), currency: v("BTC") }].into();
        let (book, effects) = booked(&coin, &[buy]);
        let position = &book.positions[&v::<InstrumentId>("AAPL")];
        assert_eq!((position.quantity.clone(), position.cost.clone(), position.realized.clone()), (ratio(15, 1), whole(150), zero()));
        assert_eq!((position.own_fees.clone(), book.cash[&usd()].clone()), (Some(whole(50)), whole(-200)));
        assert_eq!(effects[0].quantity, ratio(15, 1));
    }

    #[test]
    fn accrued_interest_and_a_gross_amount_are_cash() {
        let mut sell = fill("a", Side::Sell, "3", "33.33", "0", None);
        sell.gross_amount = Some(v("100"));
        sell.accrued_interest = Some(v("7"));
        let (book, effects) = booked(&instrument("AAPL"), &[sell]);
        assert_eq!((book.cash[&usd()].clone(), effects[0].income.clone()), (whole(107), whole(7)));
        assert_eq!(book.positions[&v::<InstrumentId>("AAPL")].cost, whole(-100));
    }

    #[test]
    fn what_the_model_cannot_book_it_says() {
        let back = CashEntry { reverses: Some("d0".into()), ..deposit("d1", "5") };
        assert!(Book::default().book(What::Cash(&back)).is_err());
    }
}
