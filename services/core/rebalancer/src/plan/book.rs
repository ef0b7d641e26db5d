//! Step 1: the book as exact numbers, recomputed from quantities, prices and rates, and held against the
//! figures that the drift event publishes. It refuses what it cannot value; it knows no targets.

use super::exact::{Int, VALUE, int, money, ten};
use super::input::PlanInput;
use super::refusal::Refusal;
use domain::drift::{Drift, DriftLine};
use domain::enums::{CashBasis, InstrumentType, Side};
use domain::reason::ReasonCode;
use domain::{Currency, FixedError, FxRate, Money, Price, Quantity};
use std::collections::BTreeMap;

/// Values from 10^52 units of money on are refused: see [`super::exact`].
const LIMIT: Int = ten(VALUE + 52);

/// One line of the drift event with its exact worth.
#[derive(Debug)]
pub(crate) struct Holding<'a> {
    /// The line.
    pub(crate) at: &'a DriftLine,
    /// Value of one unit for weights and orders, at scale UNIT: with accrued interest for a bond.
    pub(crate) unit: Int,
    /// price × multiplier × FX, at scale UNIT: what `expected_value` counts, and limits and fees of orders.
    pub(crate) clean: Int,
    /// Gain of one unit of a future over its average, at scale UNIT; null for everything else.
    pub(crate) gain: Option<Int>,
    /// quantity × unit, at scale VALUE: the notional of a future.
    pub(crate) value: Int,
    /// What open orders will still change, in units of quantity, signed.
    pub(crate) open: i128,
    /// Units of the holding that open SELL orders still take.
    pub(crate) open_sells: i128,
    /// Units that open BUY orders still bring.
    pub(crate) open_buys: i128,
}

impl Holding<'_> {
    /// Units held.
    pub(crate) fn held(&self) -> i128 {
        self.at.quantity.units()
    }
    /// Units held once open orders are done.
    pub(crate) fn expected(&self) -> i128 {
        self.held() + self.open
    }
    /// Units that may still be sold without going short.
    pub(crate) fn sellable(&self) -> i128 {
        (self.held() - self.open_sells).max(0)
    }
    /// Units that may still be bought to cover without going long.
    pub(crate) fn coverable(&self) -> i128 {
        (-self.held() - self.open_buys).max(0)
    }
    /// multiplier × FX, at scale UNIT less that of a price.
    pub(crate) fn each(&self) -> Int {
        int(self.at.multiplier.units()) * int(self.at.fx_rate.unwrap_or(FxRate::ONE).units())
    }
    /// Value of one unit at another price, at scale UNIT.
    pub(crate) fn at_price(&self, price: Price) -> Int {
        self.unit - self.clean + int(price.units()) * self.each()
    }
    /// price × multiplier × FX of so many units, at scale VALUE: what an order of them is said to be worth.
    pub(crate) fn notional(&self, quantity: i128) -> Int {
        int(quantity) * self.clean
    }
    /// Worth of so many units in weights and in cash, at scale VALUE.
    pub(crate) fn worth(&self, quantity: i128) -> Int {
        int(quantity) * self.unit
    }
}

/// Units of a holding that so many more bring nearer to zero.
pub(crate) fn closes(held: i128, more: i128) -> i128 {
    if held.signum() == -more.signum() { more.abs().min(held.abs()) } else { 0 }
}

/// The whole book at scale VALUE.
#[derive(Debug)]
pub(crate) struct Book<'a> {
    /// In the order of the drift event.
    pub(crate) holdings: Vec<Holding<'a>>,
    /// Cash + receivables + values; above zero.
    pub(crate) equity: Int,
    /// Cash by trade date.
    pub(crate) cash: Int,
    /// Cash that may be spent, by the policy's basis.
    pub(crate) spendable: Int,
    /// Held back for open buys.
    pub(crate) open_buys: Int,
}

impl<'a> Book<'a> {
    /// The book of an event whose gates are open, or why it cannot be valued.
    pub(crate) fn read(input: &PlanInput<'a>) -> Result<Self, Refusal> {
        let drift = input.drift;
        let mut holdings = Vec::with_capacity(drift.lines.len());
        let (mut equity, mut slack) = (Int::ZERO, ten(VALUE - Money::SCALE));
        for line in &drift.lines {
            let (holding, worth) = hold(line)?;
            slack += agree(line, worth, holding.value)?;
            equity += worth;
            holdings.push(holding);
        }
        let (cash, settled, cash_slack) = balances(drift)?;
        let (receivables, receivable_slack) = receivables(drift)?;
        equity += cash + receivables;
        if equity.abs() >= LIMIT {
            return Err(Refusal::absurd("the equity"));
        }
        if (equity - money(drift.equity)).abs() > slack + cash_slack + receivable_slack {
            return Err(contradiction("equity", drift.equity));
        }
        if !equity.is_positive() {
            return Err(Refusal::new(ReasonCode::InsufficientFunds, format!("equity is {}: weights need equity above zero", drift.equity)));
        }
        // Settled cash that open purchases have taken already is not there to be spent twice.
        let spendable = if input.rules.orders.cash_basis == CashBasis::Settled { settled.min(cash) } else { cash };
        let mut book = Self { holdings, equity, cash, spendable, open_buys: Int::ZERO };
        book.count_open(input)?;
        Ok(book)
    }

    fn count_open(&mut self, input: &PlanInput) -> Result<(), Refusal> {
        let places: BTreeMap<_, _> = input.drift.lines.iter().enumerate().map(|(index, line)| (&line.instrument_id, index)).collect();
        for order in input.open {
            if order.side == Side::Buy && order.remaining.is_positive() {
                self.open_buys += money(order.expected_value);
            }
            let Some(holding) = places.get(&order.instrument_id).map(|index| &mut self.holdings[*index]) else { continue };
            let units = order.remaining.units();
            let sum = holding.open.checked_add(units).filter(|sum| Quantity::from_units(*sum).fits_wire());
            holding.open = sum.ok_or_else(|| Refusal::absurd("the quantity of open orders"))?;
            match order.side {
                Side::Buy => holding.open_buys += units.max(0),
                Side::Sell => holding.open_sells += (-units).max(0),
                _ => {}
            }
        }
        if self.open_buys >= LIMIT { Err(Refusal::absurd("the value of open orders")) } else { Ok(()) }
    }
}

/// The holding, and what it adds to equity.
fn hold(line: &DriftLine) -> Result<(Holding<'_>, Int), Refusal> {
    let absurd = || Refusal::absurd(line.instrument_id.as_str());
    let (Some(price), Some(rate)) = (line.price, line.fx_rate) else { return Err(absurd()) };
    let accrued = if line.kind == InstrumentType::Bond { line.accrued.map_or(0, |a| a.units()) } else { 0 };
    let fits =
        price.fits_wire() && rate.fits_wire() && line.multiplier.fits_wire() && line.quantity.fits_wire() && line.lot_size.fits_wire();
    if !fits || price.units().checked_add(accrued).is_none_or(|sum| sum <= 0) {
        return Err(absurd());
    }
    let each = int(line.multiplier.units()) * int(rate.units());
    let unit = int(price.units() + accrued) * each;
    let value = int(line.quantity.units()) * unit;
    if unit >= ten(60) || value.abs() >= LIMIT {
        return Err(absurd());
    }
    let average = line.average_price.map_or(price.units(), |a| a.units());
    let gain = (line.kind == InstrumentType::Future).then(|| (int(price.units()) - int(average)) * each);
    let worth = gain.map_or(value, |gain| int(line.quantity.units()) * gain);
    if worth.abs() >= LIMIT {
        return Err(absurd());
    }
    let clean = int(price.units()) * each;
    Ok((Holding { at: line, unit, clean, gain, value, open: 0, open_sells: 0, open_buys: 0 }, worth))
}

/// How far the published value may stand from the exact one, or a refusal when it stands further.
/// A published average price is itself rounded, and a future may show its notional.
fn agree(line: &DriftLine, worth: Int, notional: Int) -> Result<Int, Refusal> {
    let each = int(line.multiplier.units()) * int(line.fx_rate.unwrap_or(FxRate::ONE).units());
    let average = if line.kind == InstrumentType::Future { int(line.quantity.units()).abs() * each } else { Int::ZERO };
    let slack = ten(VALUE - Money::SCALE) + each + average;
    let shown = money(line.value);
    if (worth - shown).abs() <= slack || (line.kind == InstrumentType::Future && (notional - shown).abs() <= slack) {
        Ok(slack)
    } else {
        Err(contradiction(line.instrument_id.as_str(), line.value))
    }
}

/// Cash by trade date, settled cash, and their rounding.
fn balances(drift: &Drift) -> Result<(Int, Int, Int), Refusal> {
    let (mut cash, mut settled, mut slack) = (Int::ZERO, Int::ZERO, Int::ZERO);
    for balance in &drift.cash {
        let rate = rate(drift, balance.currency)?;
        cash += convert(balance.trade_date, rate)?;
        settled += convert(balance.settled, rate)?;
        slack += convert(Money::from_units(1), rate)?;
    }
    Ok((cash, settled, slack))
}

fn receivables(drift: &Drift) -> Result<(Int, Int), Refusal> {
    let (mut sum, mut slack) = (Int::ZERO, Int::ZERO);
    for amount in &drift.receivables {
        let rate = rate(drift, amount.currency)?;
        sum += convert(amount.amount, rate)?;
        slack += convert(Money::from_units(1), rate)?;
    }
    Ok((sum, slack))
}

fn convert(amount: Money, rate: FxRate) -> Result<Int, Refusal> {
    const STEP: Int = ten(VALUE - Money::SCALE - FxRate::SCALE);
    if !amount.fits_wire() || !rate.fits_wire() {
        return Err(Refusal::absurd("a cash balance"));
    }
    Ok(int(amount.units()) * int(rate.units()) * STEP)
}

fn rate(drift: &Drift, currency: Currency) -> Result<FxRate, Refusal> {
    if drift.policy.as_ref().is_some_and(|policy| policy.base_currency == currency) {
        return Ok(FxRate::ONE);
    }
    let known = drift.fx_rates.iter().find(|rate| rate.currency == currency).and_then(|rate| rate.fx_rate);
    known.filter(|rate| rate.is_positive()).ok_or_else(|| {
        Refusal::new(ReasonCode::NoPrice, format!("no rate from {currency} to the base currency for its cash: publish ticks of the pair"))
    })
}

fn contradiction(what: &str, shown: Money) -> Refusal {
    let text =
        format!("the drift event publishes {shown} for {what}, its own figures give another value: report it, nothing is planned on it");
    Refusal::new(ReasonCode::DataGap, text)
}

impl From<FixedError> for Refusal {
    fn from(_: FixedError) -> Self {
        Refusal::absurd("a sum of the plan")
    }
}
