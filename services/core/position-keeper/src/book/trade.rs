//! The booking of an execution: planned whole with checked arithmetic, then written without failing.
//! A fill of a currency pair moves two cash balances; any other moves a position and, unless it is a
//! future, pays for it. Fees are booked in their own currency, or out of the holding where they are
//! charged in the instrument's base asset.

use super::cash::{Movement, Movements};
use super::entry::{Source, legs, money};
use super::orders::Executed;
use super::portfolio::Portfolio;
use super::position::{Outcome, Position, Trade, signed};
use super::sums::Sums;
use super::trouble::{Need, Trouble, bounded};
use crate::prices::{InstrumentIx, Market};
use domain::enums::{EntryKind, InstrumentType, Side};
use domain::fill::{Fee, Fill};
use domain::fixed::pow10;
use domain::instrument::Instrument;
use domain::ledger::{CurrencyAmount, LedgerEntry};
use domain::wide::mul_div_half_even;
use domain::{Amount, Currency, Date, FixedError, FxRate, Money, OrderId, Quantity, Timestamp};
use smallvec::SmallVec;

/// A booking, checked and not yet written.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The position after it, where it touches one, with the place of its line, where there is one yet.
    pub position: Option<(InstrumentIx, Option<usize>, Position)>,
    /// Fees of that position.
    pub charges: SmallVec<[(Currency, Amount); 1]>,
    /// Cash.
    pub movements: Movements,
    /// When the cash settles, where that lies ahead.
    pub settles: Option<Date>,
    /// The portfolio's sums after it.
    pub sums: Sums,
    /// The order after it, where it fills one.
    pub order: Option<(OrderId, Executed)>,
    /// What the ledger says of it.
    pub entry: LedgerEntry,
}

/// A fill under way.
struct Booking<'a> {
    market: &'a Market,
    facts: &'a Instrument,
    fill: &'a Fill,
    base: Currency,
    rate: FxRate,
    sign: i128,
    gross: Amount,
    position: Position,
    movements: Movements,
    change: Sums,
    realized: Amount,
    fees: Amount,
    charges: SmallVec<[(Currency, Amount); 1]>,
}

/// Plans the booking of a TRADE whose own fields were checked.
pub fn plan(portfolio: &Portfolio, market: &Market, fill: &Fill, source: &Source, now: Timestamp) -> Result<Planned, Trouble> {
    let ix = market.find(&fill.instrument_id).filter(|ix| market.slot(*ix).facts.is_some());
    let Some((ix, facts)) = ix.and_then(|ix| Some((ix, market.slot(ix).facts.as_deref()?))) else {
        return Err(Trouble::Wait(Need::Instrument(fill.instrument_id.clone())));
    };
    if fill.currency != facts.currency {
        return Err(Trouble::invalid(format!(
            "the fill is in {}, instrument {:?} in {}: send the price in the instrument's currency",
            fill.currency, fill.instrument_id, facts.currency
        )));
    }
    let place = portfolio.lines.find(ix);
    let held = place.map_or_else(Position::default, |place| portfolio.lines.at(place).position);
    let mut booking = Booking {
        market,
        facts,
        fill,
        base: portfolio.base,
        rate: rate_of_fill(market, fill, portfolio.base)?,
        sign: if fill.side == Side::Buy { 1 } else { -1 },
        gross: gross(fill, facts)?,
        position: held,
        movements: Movements::default(),
        change: Sums::default(),
        realized: Amount::ZERO,
        fees: Amount::ZERO,
        charges: SmallVec::new(),
    };
    if facts.kind == InstrumentType::Fx {
        booking.exchange()?
    } else {
        booking.trade()?
    }
    booking.change.book_cash = booking.movements.book()?;
    booking.change.book_cost = booking.position.book_cost.checked_sub(held.book_cost)?;
    let settles = fill.settle_date.filter(|date| *date > now.date_utc());
    portfolio.cash.check(&booking.movements, settles)?;
    if let Some(place) = place {
        let fees = &portfolio.lines.at(place).fees;
        booking.charges.iter().try_for_each(|(currency, amount)| fees.check(*currency, *amount))?;
    }
    let order = fill.order_id.map(|order| Ok((order, portfolio.orders.after(order, fill)?)));
    Ok(Planned {
        position: (facts.kind != InstrumentType::Fx).then_some((ix, place, booking.position)),
        settles,
        sums: portfolio.sums.plus(&booking.change)?,
        order: order.transpose().map_err(|error: FixedError| Trouble::from(error))?,
        entry: booking.entry(source)?,
        charges: booking.charges,
        movements: booking.movements,
    })
}

/// What was paid or received before fees: the gross amount where given, else quantity × price × multiplier.
fn gross(fill: &Fill, facts: &Instrument) -> Result<Amount, FixedError> {
    match fill.gross_amount {
        Some(gross) => bounded(gross.into()),
        None => bounded(fill.quantity.times(fill.price)?.multiply(facts.multiplier)?),
    }
}

fn rate_of_fill(market: &Market, fill: &Fill, base: Currency) -> Result<FxRate, Trouble> {
    match fill.fx_rate.filter(|_| fill.currency != base) {
        Some(rate) => Ok(rate),
        None => mark_rate(market, fill.currency, base),
    }
}

/// The mark rate of a currency in base, or what a record needs before it can be booked.
pub fn mark_rate(market: &Market, of: Currency, base: Currency) -> Result<FxRate, Trouble> {
    if of == base {
        return Ok(FxRate::ONE);
    }
    market.rate(of, base).map(|found| found.rate).ok_or(Trouble::Wait(Need::Rate(of, base)))
}

impl Booking<'_> {
    /// A trade of anything but a currency pair.
    fn trade(&mut self) -> Result<(), Trouble> {
        let future = self.facts.kind == InstrumentType::Future;
        let quantity = self.fill.signed_quantity()?;
        let book_gross = if future { Amount::ZERO } else { bounded(self.gross.convert(self.rate)?)? };
        let outcome = self.position.trade(Trade { quantity, gross: self.gross, book_gross })?;
        let book_realized = if future { outcome.realized.convert(self.rate)? } else { outcome.book_realized };
        self.earn(outcome.realized, book_realized)?;
        if future {
            self.pay(self.fill.currency, outcome.realized, book_realized)?;
        } else {
            self.pay(self.fill.currency, signed(-self.sign, self.gross)?, signed(-self.sign, book_gross)?)?;
        }
        let income = self.accrue()?;
        for fee in &self.fill.fees {
            if self.facts.base_asset == Some(fee.currency) && !future {
                self.charge_holding(fee)?;
            } else {
                self.charge_cash(fee)?;
            }
        }
        self.attribute(outcome, income)
    }

    /// A trade of a currency pair: the fill's currency is paid, the other received at its book value.
    fn exchange(&mut self) -> Result<(), Trouble> {
        let pair = crate::prices::rates::pair_of(&self.facts.instrument_id);
        let Some(received) = self.facts.base_asset.or(pair.map(|(of, _)| of)) else {
            return Err(Trouble::invalid(format!(
                "instrument {:?} is of type FX without base_asset and its id is no pair such as EUR/USD: complete its reference data",
                self.facts.instrument_id
            )));
        };
        let book = bounded(self.gross.convert(self.rate)?)?;
        let units = self.fill.quantity.units().checked_mul(pow10(Amount::SCALE - Quantity::SCALE)).ok_or(FixedError::Overflow)?;
        self.pay(self.fill.currency, signed(-self.sign, self.gross)?, signed(-self.sign, book)?)?;
        let units = Amount::from_units(units).multiply(self.facts.multiplier)?;
        self.pay(received, signed(self.sign, units)?, signed(self.sign, book)?)?;
        for fee in &self.fill.fees {
            self.charge_cash(fee)?;
        }
        Ok(())
    }

    fn pay(&mut self, currency: Currency, amount: Amount, book: Amount) -> Result<(), FixedError> {
        self.movements.add(Movement { currency, amount: bounded(amount)?, book: bounded(book)? })
    }

    fn earn(&mut self, realized: Amount, book: Amount) -> Result<(), FixedError> {
        self.realized = self.realized.checked_add(realized)?;
        self.change.realized_gross = self.change.realized_gross.checked_add(book)?;
        Ok(())
    }

    /// Accrued interest is part of the cash and books to income: paid by a buyer, received by a seller.
    fn accrue(&mut self) -> Result<Amount, FixedError> {
        let Some(accrued) = self.fill.accrued_interest.filter(|accrued| !accrued.is_zero()) else { return Ok(Amount::ZERO) };
        let income = signed(-self.sign, bounded(accrued.into())?)?;
        let book = income.convert(self.rate)?;
        self.pay(self.fill.currency, income, book)?;
        self.change.income = self.change.income.checked_add(book)?;
        Ok(income)
    }

    fn charge_cash(&mut self, fee: &Fee) -> Result<(), Trouble> {
        let amount = bounded(fee.amount.into())?;
        let rate = if fee.currency == self.fill.currency { self.rate } else { mark_rate(self.market, fee.currency, self.base)? };
        let book = amount.convert(rate)?;
        let local = if fee.currency == self.fill.currency { amount } else { self.in_local(book)? };
        self.pay(fee.currency, amount.checked_neg()?, book.checked_neg()?)?;
        self.charge(fee.currency, amount, local, book)
    }

    /// A fee in the instrument's base asset reduces the holding; its value at the fill's price is the fee.
    fn charge_holding(&mut self, fee: &Fee) -> Result<(), Trouble> {
        let step = pow10(Money::SCALE - Quantity::SCALE);
        if fee.amount.units() % step != 0 {
            let text =
                format!("a fee of {} {} has more than {} decimals, which a holding cannot lose", fee.amount, fee.currency, Quantity::SCALE);
            return Err(Trouble::range(text));
        }
        let units = Quantity::from_units(fee.amount.units() / step);
        if units.is_zero() {
            return Ok(());
        }
        let gross = bounded(units.abs().times(self.fill.price)?.multiply(self.facts.multiplier)?)?;
        let book_gross = bounded(gross.convert(self.rate)?)?;
        let outcome = self.position.trade(Trade { quantity: units.checked_neg()?, gross, book_gross })?;
        self.earn(outcome.realized, outcome.book_realized)?;
        let (local, book) = (signed(units.signum(), gross)?, signed(units.signum(), book_gross)?);
        self.charge(fee.currency, fee.amount.into(), local, book)
    }

    fn charge(&mut self, currency: Currency, amount: Amount, local: Amount, book: Amount) -> Result<(), Trouble> {
        self.fees = self.fees.checked_add(local)?;
        self.change.fees = self.change.fees.checked_add(book)?;
        match self.charges.iter_mut().find(|(known, _)| *known == currency) {
            Some((_, sum)) => *sum = bounded(sum.checked_add(amount)?)?,
            None => self.charges.push((currency, amount)),
        }
        Ok(())
    }

    /// An amount in base in the fill's currency, rounded half-even at scale 18.
    fn in_local(&self, book: Amount) -> Result<Amount, FixedError> {
        mul_div_half_even(book.units(), FxRate::ONE.units(), self.rate.units()).map(Amount::from_units)
    }

    /// Fees and income go to the position; those of a flip are split pro rata between what it closed and
    /// the cycle that it opened.
    fn attribute(&mut self, outcome: Outcome, income: Amount) -> Result<(), Trouble> {
        let flipped = outcome.opened && !outcome.closed.is_zero();
        let rest = self.fill.quantity.checked_sub(outcome.closed)?;
        let part = |amount: Amount| if flipped { amount.share(rest, self.fill.quantity) } else { Ok(amount) };
        let cycle = (part(self.fees)?, part(income)?);
        self.position.charge(self.fees, income, cycle)?;
        let net = self.change.realized_net()?;
        self.position.realized_net_base = bounded(self.position.realized_net_base.checked_add(net)?)?;
        Ok(())
    }

    fn entry(&self, source: &Source) -> Result<LedgerEntry, Trouble> {
        let fill = self.fill;
        let moves = self.facts.kind != InstrumentType::Fx;
        let charged = |(currency, amount): &(Currency, Amount)| CurrencyAmount { currency: *currency, amount: money(*amount) };
        let income = fill.accrued_interest.map_or(Ok(Money::ZERO), |a| if self.sign > 0 { a.checked_neg() } else { Ok(a) });
        Ok(LedgerEntry {
            kind: EntryKind::Trade,
            cause: source.cause(&fill.exec_id),
            instrument_id: Some(fill.instrument_id.clone()),
            strategy: fill.strategy.clone(),
            venue: fill.venue.clone(),
            trade_date: Some(fill.trade_date),
            effective_at: fill.transact_time,
            transact_time: Some(fill.transact_time),
            quantity_change: if moves { self.held_change()? } else { Quantity::ZERO },
            price: Some(fill.price),
            fx_rate: Some(self.rate),
            cash: legs(&self.movements),
            realized_gross: money(bounded(self.realized)?),
            fees: self.charges.iter().map(charged).collect(),
            income: income?,
            external_flow: Money::ZERO,
            equity_before: None,
        })
    }

    /// The signed change of the holding, fees in the base asset included.
    fn held_change(&self) -> Result<Quantity, FixedError> {
        let mut change = self.fill.signed_quantity()?;
        if self.facts.kind != InstrumentType::Future {
            for fee in self.fill.fees.iter().filter(|fee| self.facts.base_asset == Some(fee.currency)) {
                change = change.checked_sub(Quantity::from_units(fee.amount.units() / pow10(Money::SCALE - Quantity::SCALE)))?;
            }
        }
        Ok(change)
    }
}
