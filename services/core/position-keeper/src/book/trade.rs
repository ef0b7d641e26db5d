//! The booking of a fill: planned whole with checked arithmetic, then written without failing.
//! Here a fill meets reference data and rates and becomes an execution; what that does is `execution.rs`.

use super::across::{self, Across, Papers};
use super::booking::Booking;
use super::entry::{Source, charged, legs, money};
use super::execution::{Charge, Effect, Execution, Form};
use super::lines::Lines;
use super::lots::{LotChange, Lots, keeps_lots};
use super::orders::Executed;
use super::portfolio::Portfolio;
use super::position::{Position, signed};
use super::sub_positions::{SubChange, SubPositions};
use super::sums::Sums;
use super::trouble::{Need, Trouble, bounded};
use crate::prices::{InstrumentIx, Market};
use domain::enums::{CostMethod, EntryKind, InstrumentType};
use domain::fill::{FeeRef, Fill, FillRef};
use domain::fixed::pow10;
use domain::ids::small_text;
use domain::instrument::Instrument;
use domain::ledger::LedgerEntry;
use domain::{Amount, Currency, Date, FixedError, FxRate, InstrumentId, Money, OrderId, Price, Quantity, Timestamp};
use engine::Settings;

/// A booking, checked and not yet written.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The position after it, where it touches one, with the place of its line, where there is one yet.
    pub position: Option<(InstrumentIx, Option<usize>, Position)>,
    /// What becomes of its lots, where the method keeps them.
    pub lots: Option<Box<LotChange>>,
    /// What becomes of its sub-positions, where strategies are named.
    pub subs: Option<Box<SubChange>>,
    /// What it does: cash, fees, sums.
    pub effect: Effect,
    /// When the cash settles, where that lies ahead.
    pub settles: Option<Date>,
    /// The portfolio's sums after it.
    pub sums: Sums,
    /// The order after it, where it fills one.
    pub order: Option<(OrderId, Executed)>,
    /// What is kept of it.
    pub kept: Booking,
    /// What splits of its instrument add to it, where they make a difference.
    pub across: Option<Box<Across>>,
}

impl Planned {
    /// A booking that is to be planned: it is large, and is planned where it lies.
    pub fn new(kept: Booking, settles: Option<Date>) -> Self {
        let (effect, sums) = (Effect::default(), Sums::default());
        Self { position: None, lots: None, subs: None, effect, settles, sums, order: None, kept, across: None }
    }

    /// An execution that is to be planned, once it is written.
    pub fn of_execution(currency: Currency) -> Self {
        Self::new(Booking::Execution(Execution::blank(currency)), None)
    }

    /// Begins anew with the next execution: the last one stands there, to be written over.
    fn next(&mut self) -> &mut Execution {
        self.position = None;
        (self.lots, self.subs, self.settles, self.order, self.across) = (None, None, None, None, None);
        self.effect.clear();
        match &mut self.kept {
            Booking::Execution(execution) => execution,
            _ => unreachable!("what is planned over and over is executions"),
        }
    }
    /// The execution that is kept of a fill.
    pub fn execution(&self) -> &Execution {
        match &self.kept {
            Booking::Execution(execution) => execution,
            _ => unreachable!("a fill is kept as an execution"),
        }
    }

    /// Plans it on what its portfolio holds. On an error it is to be thrown away, or begun anew.
    pub fn plan(&mut self, portfolio: &Portfolio) -> Result<(), FixedError> {
        match self.kept.line() {
            Some(instrument) => self.plan_line(portfolio, instrument)?,
            None => self.kept.apply(&mut self.effect, &mut Position::default(), None)?,
        }
        portfolio.cash.check(&self.effect.movements, self.settles)?;
        if !self.effect.dividends.is_empty() {
            portfolio.receivables.check(&self.effect.owed()?, None)?;
        }
        self.effect.check_told()?;
        self.sums = portfolio.sums;
        self.sums.add(&self.effect.change)
    }

    fn plan_line(&mut self, portfolio: &Portfolio, instrument: InstrumentIx) -> Result<(), FixedError> {
        let place = portfolio.lines.find(instrument);
        let line = place.map(|place| portfolio.lines.at(place));
        let mut lots = line.map_or(Lots::none(), |line| &line.lots).plan(portfolio.method, self.kept.opener(), self.kept.date());
        self.position = Some((instrument, place, line.map_or_else(Position::default, |line| line.position)));
        let Some((_, _, position)) = &mut self.position else { unreachable!("it stands there") };
        self.kept.apply(&mut self.effect, position, lots.as_mut())?;
        self.lots = lots.map(|lots| Box::new(lots.into()));
        let subs = line.map_or(SubPositions::none(), |line| &line.subs);
        if subs.concern(&self.kept) {
            let before = line.map_or_else(Position::default, |line| line.position);
            self.subs = Some(Box::new(subs.plan(&self.kept, &before, &mut self.effect)?));
        }
        match line {
            Some(line) => self.effect.charges.iter().try_for_each(|(currency, amount)| line.fees.check(*currency, *amount)),
            None => Ok(()),
        }
    }

    /// Whether lines and lots have room for it.
    pub fn check_room(&self, lines: &Lines, instrument: InstrumentIx, settings: &Settings) -> Result<(), Trouble> {
        lines.check_room(instrument, settings.max_lines)?;
        if self.lots.is_some() || self.across.is_some() {
            lines.check_lots(instrument, |before| self.lots_after(before), settings.max_lots)?;
        }
        Ok(())
    }
    /// How many lots its line has after it, of so many before.
    fn lots_after(&self, before: usize) -> usize {
        match (&self.across, &self.lots) {
            (Some(across), _) => across.holding.lots.len(),
            (None, Some(change)) => change.len_after(before),
            (None, None) => before,
        }
    }
}

/// Plans the booking of a TRADE whose own fields were checked, in the room of the last one. On an error it is to be
/// thrown away.
#[inline]
pub fn plan(
    planned: &mut Planned,
    portfolio: &Portfolio,
    market: &Market,
    (fill, instrument, source): (&FillRef<'_>, InstrumentIx, &Source),
    now: Timestamp,
) -> Result<(), Trouble> {
    let facts = facts_in(market, instrument, fill.currency)?;
    let rate = match fill.fx_rate.filter(|_| fill.currency != portfolio.base) {
        Some(rate) => rate,
        None => mark_rate(market, fill.currency, portfolio.base)?,
    };
    let terms = Terms { market, facts, base: portfolio.base, method: portfolio.method, rate, stood: &[] };
    let settles = fill.settle_date.filter(|date| *date > now.date_utc());
    terms.report(fill, instrument, planned.next())?;
    let id = &market.slot(instrument).id;
    if let Some(order) = fill.order_id {
        planned.order = Some((order, portfolio.orders.after(order, (fill, planned.execution()), id)?));
    }
    planned.settles = settles;
    if facts.kind != InstrumentType::Fx && across::concern(portfolio, market, instrument, fill.trade_date) {
        let told = |kind: EntryKind, effect: &Effect| entry(kind, (fill, id, source), planned.execution(), effect);
        let papers = Papers { settles, order: planned.order.clone() };
        *planned = across::plan(portfolio, market, (instrument, planned.kept.clone()), papers, told)?;
        return Ok(());
    }
    planned.plan(portfolio)?;
    Ok(())
}

/// An instrument and its facts, or what its record waits for.
pub fn known<'a>(market: &'a Market, instrument: &InstrumentId) -> Result<(InstrumentIx, &'a Instrument), Trouble> {
    let found = market.find(instrument).and_then(|ix| Some((ix, market.slot(ix).facts.as_deref()?)));
    found.ok_or_else(|| Trouble::Wait(Need::Instrument(instrument.clone())))
}

/// The instrument of a fill and its facts, or what the fill waits for.
pub fn facts_of<'a>(market: &'a Market, fill: &Fill) -> Result<(InstrumentIx, &'a Instrument), Trouble> {
    let ix = market.find(&fill.instrument_id).ok_or_else(|| Trouble::Wait(Need::Instrument(fill.instrument_id.clone())))?;
    Ok((ix, facts_in(market, ix, fill.currency)?))
}

fn facts_in(market: &Market, ix: InstrumentIx, currency: Currency) -> Result<&Instrument, Trouble> {
    let slot = market.slot(ix);
    let Some(facts) = slot.facts.as_deref() else {
        return Err(Trouble::Wait(Need::Instrument(slot.id.clone())));
    };
    if currency != facts.currency {
        return Err(Trouble::invalid(format!(
            "the fill is in {currency}, instrument {:?} in {}: send the price in the instrument's currency",
            slot.id, facts.currency
        )));
    }
    Ok(facts)
}

/// The mark rate of a currency in base, or what a record needs before it can be booked.
pub fn mark_rate(market: &Market, of: Currency, base: Currency) -> Result<FxRate, Trouble> {
    if of == base {
        return Ok(FxRate::ONE);
    }
    market.rate(of, base).map(|found| found.rate).ok_or(Trouble::Wait(Need::Rate(of, base)))
}

/// What so many units are worth at a price, in the instrument's currency.
pub fn value(facts: &Instrument, units: Quantity, price: Price) -> Result<Amount, FixedError> {
    bounded(units.times(price)?.multiply(facts.multiplier)?)
}

/// What a fill is valued by.
pub struct Terms<'a> {
    /// Rates.
    pub market: &'a Market,
    /// The instrument.
    pub facts: &'a Instrument,
    /// The portfolio's base currency.
    pub base: Currency,
    /// Its cost method.
    pub method: CostMethod,
    /// Units of base for one of the fill's currency.
    pub rate: FxRate,
    /// The fees of the execution in whose place it is to stand; none of one that is booked for the first time.
    pub stood: &'a [Charge],
}

impl Terms<'_> {
    /// The execution that a fill reports.
    pub fn execution(&self, fill: &FillRef<'_>, instrument: InstrumentIx) -> Result<Execution, Trouble> {
        let mut execution = Execution::blank(fill.currency);
        self.report(fill, instrument, &mut execution)?;
        Ok(execution)
    }

    /// Writes the execution that a fill reports over another one.
    fn report(&self, fill: &FillRef<'_>, instrument: InstrumentIx, execution: &mut Execution) -> Result<(), Trouble> {
        let form = match self.facts.kind {
            InstrumentType::Fx => self.exchange(fill)?,
            InstrumentType::Future => Form::Future,
            _ => Form::Paid,
        };
        execution.id = if keeps_lots(self.method) { Some(small_text(fill.exec_id)) } else { None };
        (execution.instrument, execution.trade_date) = (instrument, fill.trade_date);
        (execution.quantity, execution.price) = (fill.signed_quantity()?, fill.price);
        (execution.currency, execution.rate) = (fill.currency, self.rate);
        (execution.gross, execution.form) = (self.gross(fill)?, form);
        execution.accrued = fill.accrued_interest.unwrap_or(Money::ZERO);
        (execution.settles, execution.order) = (fill.settle_date, fill.order_id);
        execution.strategy.clone_from(&fill.strategy);
        execution.fees.clear();
        for fee in &fill.fees {
            if let Some(charge) = self.charge(fill, fee, form)? {
                execution.fees.push(charge);
            }
        }
        Ok(())
    }

    /// What was paid or received before fees: the gross amount where given, else quantity × price × multiplier.
    fn gross(&self, fill: &FillRef<'_>) -> Result<Amount, FixedError> {
        match fill.gross_amount {
            Some(gross) => bounded(gross.into()),
            None => value(self.facts, fill.quantity, fill.price),
        }
    }

    fn exchange(&self, fill: &FillRef<'_>) -> Result<Form, Trouble> {
        let pair = self.facts.instrument_id.pair();
        let Some(of) = self.facts.base_asset.or(pair.map(|(of, _)| of)) else {
            return Err(Trouble::invalid(format!(
                "instrument {:?} is of type FX without base_asset and its id is no pair such as EUR/USD: complete its reference data",
                self.facts.instrument_id
            )));
        };
        if fill.accrued_interest.is_some_and(|accrued| !accrued.is_zero()) {
            return Err(Trouble::invalid("accrued_interest has no meaning for an exchange of two currencies: leave it out"));
        }
        let units = fill.quantity.units().checked_mul(pow10(Amount::SCALE - Quantity::SCALE)).ok_or(FixedError::Overflow)?;
        Ok(Form::Exchange { of, units: Amount::from_units(units).multiply(self.facts.multiplier)? })
    }

    /// A fee at its value: one in the base asset of what is paid for comes out of the holding.
    fn charge(&self, fill: &FillRef<'_>, fee: &FeeRef<'_>, form: Form) -> Result<Option<Charge>, Trouble> {
        if self.facts.base_asset == Some(fee.currency) && form == Form::Paid {
            return self.charge_of_holding(fill, fee);
        }
        let amount = bounded(fee.amount.into())?;
        if fee.currency == fill.currency {
            let book = amount.convert(self.rate)?;
            return Ok(Some(Charge { currency: fee.currency, amount: fee.amount, local: amount, book, held: None }));
        }
        let book = match self.stood_for(fee) {
            Some(stood) if stood.amount == fee.amount => stood.book,
            Some(stood) => amount.convert(stood.rate()?)?,
            None => amount.convert(mark_rate(self.market, fee.currency, self.base)?)?,
        };
        let local = book.convert_back(self.rate)?;
        Ok(Some(Charge { currency: fee.currency, amount: fee.amount, local, book, held: None }))
    }

    /// The fee that one stands for: of its currency and amount, else the largest of its currency, which tells the rate best.
    fn stood_for(&self, fee: &FeeRef<'_>) -> Option<&Charge> {
        let own = || self.stood.iter().filter(|stood| stood.currency == fee.currency && stood.held.is_none() && !stood.amount.is_zero());
        own().find(|stood| stood.amount == fee.amount).or_else(|| own().max_by_key(|stood| stood.amount.abs()))
    }

    fn charge_of_holding(&self, fill: &FillRef<'_>, fee: &FeeRef<'_>) -> Result<Option<Charge>, Trouble> {
        if fee.amount.units() % pow10(Money::SCALE - Quantity::SCALE) != 0 {
            let text =
                format!("a fee of {} {} has more than {} decimals, which a holding cannot lose", fee.amount, fee.currency, Quantity::SCALE);
            return Err(Trouble::range(text));
        }
        let units = Quantity::of_amount(fee.amount);
        if units.is_zero() {
            return Ok(None);
        }
        let gross = value(self.facts, units.abs(), fill.price)?;
        let book = bounded(gross.convert(self.rate)?)?;
        let (local, book) = (signed(units.signum(), gross)?, signed(units.signum(), book)?);
        Ok(Some(Charge { currency: fee.currency, amount: fee.amount, local, book, held: Some(units) }))
    }
}

/// What the ledger says of a checked effect that a fill has had; the fill is told with its instrument and its place.
#[inline]
pub fn entry(
    kind: EntryKind,
    (fill, instrument, source): (&FillRef<'_>, &InstrumentId, &Source),
    execution: &Execution,
    effect: &Effect,
) -> LedgerEntry {
    let mut entry = LedgerEntry {
        kind,
        cause: source.cause(fill.exec_id),
        instrument_id: Some(instrument.clone()),
        strategy: execution.strategy.clone(),
        venue: fill.venue.map(small_text),
        trade_date: Some(execution.trade_date),
        effective_at: fill.transact_time,
        transact_time: Some(fill.transact_time),
        quantity_change: effect.quantity,
        price: Some(execution.price),
        fx_rate: Some(execution.rate),
        cash: legs(&effect.movements),
        realized_gross: money(effect.realized),
        fees: charged(&effect.charges),
        income: money(effect.income),
        external_flow: Money::ZERO,
        equity_before: None,
        by_strategy: effect.told_parts(),
        closed_trades: effect.closings.told(),
        in_base: None,
    };
    entry.in_base = effect.in_base(&entry);
    entry
}
