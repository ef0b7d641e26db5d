//! What a portfolio is worth, exactly at scale 18 in its base currency.
//!
//! `sweep` is the quick form that runs once a window: one integer product for a line in the base
//! currency, the careful form for any other. `appraise` is the whole form behind snapshots and drift
//! events. Both give the same equity. A value too large to publish counts as unpriced; nothing wraps.

use crate::book::{CashBook, HotLine, Line, Portfolio};
use crate::prices::{HotPrice, InstrumentIx, Market};
use domain::enums::{InstrumentType, PriceFlag};
use domain::instrument::Instrument;
use domain::{Amount, Currency, FixedError, FxRate, Price, Quantity, SmolStr, Timestamp};
use std::collections::BTreeSet;

/// Largest Σ |value| of a portfolio: 10^18 units of the base currency, what money can publish.
const LARGEST_SUM: i128 = 10_i128.pow(18 + Amount::SCALE);

/// Lines of a portfolio up to which the quick path is taken.
const QUICK_LINES: usize = 20_000;

/// One line as valued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineValue {
    /// Market value in base; for a future what it has gained. Zero where it cannot be valued.
    pub value: Amount,
    /// What its weight is measured by: the value, for a future the notional.
    pub weighed: Amount,
    /// Fitness of the price.
    pub flag: PriceFlag,
    /// Base for one of its currency.
    pub rate: Option<FxRate>,
    /// Whether price and rate are there and fresh.
    pub fit: bool,
}

/// The quick form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sweep {
    /// Cash, receivables and holdings in base.
    pub equity: Amount,
    /// Cash in base.
    pub cash: Amount,
    /// Whether every price and rate needed is there and fresh.
    pub fit: bool,
    /// Whether a rate of another currency is part of it.
    pub foreign: bool,
    /// When the first price that is fresh now goes stale, should none come; others may be stale already.
    pub stale_at: Option<Timestamp>,
}

/// One balance as valued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CashValue {
    /// Currency.
    pub currency: Currency,
    /// Base for one of it.
    pub rate: Option<FxRate>,
    /// By trade date, in base; zero without a rate.
    pub trade_date: Amount,
    /// Settled, in base; zero without a rate.
    pub settled: Amount,
}

/// The whole form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appraisal {
    /// Lines that count, in the order of [`crate::book::Lines::counting`].
    pub lines: Vec<LineValue>,
    /// Balances, by currency.
    pub cash: Vec<CashValue>,
    /// Cash, receivables and holdings.
    pub equity: Amount,
    /// Σ of the lines' values.
    pub holdings: Amount,
    /// Σ of cash by trade date.
    pub trade_date_cash: Amount,
    /// Σ of settled cash.
    pub settled_cash: Amount,
    /// Receivables, by currency.
    pub owed: Vec<CashValue>,
    /// Σ of them.
    pub receivables: Amount,
    /// Instruments and pairs whose price is too old.
    pub stale: BTreeSet<SmolStr>,
    /// Instruments and pairs without one.
    pub unpriced: BTreeSet<SmolStr>,
}

/// What valuation needs to know beside the portfolio.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// Prices.
    pub market: &'a Market,
    /// The window's clock.
    pub now: Timestamp,
}

/// The largest |value| of one of `parts` parts, so that no sum of them leaves its range.
pub fn largest_part(parts: usize) -> i128 {
    LARGEST_SUM / (4 * (parts as i128 + 1))
}

fn parts(portfolio: &Portfolio) -> usize {
    portfolio.lines.hot().len() + portfolio.cash.balances().len() + portfolio.receivables.balances().len()
}

/// Values a portfolio quickly; `weighed` receives what each counting line's weight is measured by.
pub fn sweep(portfolio: &Portfolio, view: View<'_>, weighed: &mut Vec<Amount>) -> Sweep {
    weighed.clear();
    let hot = view.market.hot();
    let class = portfolio.rules.base_class;
    let (mut holdings, mut made, mut until) = (0_i128, i64::MAX, i64::MAX);
    let (mut fit, mut careful_stale, mut foreign) = (true, None, portfolio.holds_foreign_cash());
    let quick = portfolio.lines.hot().len() <= QUICK_LINES;
    let is_quick = |line: &HotLine, price: &HotPrice| price.class == class && line.small && quick;
    weighed.extend(portfolio.lines.hot().iter().map(|line| {
        let price = &hot[line.instrument.at()];
        if is_quick(line, price) {
            // Below 2^103 each: no sum over a portfolio's lines leaves 128 bits.
            let value = i128::from(line.quantity) * i128::from(price.price);
            holdings += value;
            made = made.min(price.made);
            until = until.min(price.until);
            return Amount::from_units(value);
        }
        let careful = careful(portfolio, line, view);
        holdings += careful.value.units();
        fit &= careful.fit;
        foreign |= view.market.slot(line.instrument).facts.as_ref().is_some_and(|facts| facts.currency != portfolio.base);
        careful_stale = earlier(careful_stale, stale_at(portfolio, line, view));
        careful.weighed
    }));
    let age = portfolio.rules.max_age_seconds.saturating_mul(1_000_000);
    let mut until = until.min(made.saturating_add(age));
    let fresh = until >= view.now.micros();
    if !fresh {
        // One price is old: when the next one follows takes a second look, and only then.
        let prices =
            portfolio.lines.hot().iter().map(|line| (line, &hot[line.instrument.at()])).filter(|(line, price)| is_quick(line, price));
        let ends = prices.map(|(_, price)| price.until.min(price.made.saturating_add(age)));
        until = ends.filter(|end| *end >= view.now.micros()).min().unwrap_or(i64::MAX);
    }
    let quick_stale = (until != i64::MAX).then(|| Timestamp::from_micros(until));
    let (cash, cash_fit, cash_stale) = quick_cash(portfolio, &portfolio.cash, view);
    let (owed, owed_fit, owed_stale) = quick_cash(portfolio, &portfolio.receivables, view);
    Sweep {
        equity: Amount::from_units(holdings + cash.units() + owed.units()),
        cash,
        fit: fit && fresh && cash_fit && owed_fit,
        foreign,
        stale_at: earlier(earlier(earlier(careful_stale, quick_stale), cash_stale), owed_stale),
    }
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

#[inline(never)]
fn careful(portfolio: &Portfolio, hot: &HotLine, view: View<'_>) -> LineValue {
    line_value(portfolio, portfolio.lines.at(hot.line as usize), view)
}

#[inline(never)]
fn stale_at(portfolio: &Portfolio, hot: &HotLine, view: View<'_>) -> Option<Timestamp> {
    let age = portfolio.rules.max_age_seconds;
    let own = view.market.stale_at(hot.instrument, age, view.now);
    let facts = view.market.slot(hot.instrument).facts.as_deref();
    let rate = facts.and_then(|facts| rate_stale_at(portfolio, facts.currency, view));
    earlier(own, rate)
}

fn rate_stale_at(portfolio: &Portfolio, currency: Currency, view: View<'_>) -> Option<Timestamp> {
    let rate = view.market.rate(currency, portfolio.base)?;
    rate.pairs.iter().filter_map(|pair| view.market.stale_at(*pair, portfolio.rules.max_age_seconds, view.now)).min()
}

fn quick_cash(portfolio: &Portfolio, cash: &CashBook, view: View<'_>) -> (Amount, bool, Option<Timestamp>) {
    let (mut sum, mut fit, mut stale) = (0_i128, true, None);
    for balance in cash.balances() {
        if balance.currency == portfolio.base {
            sum += balance.amount.units();
        } else if !balance.is_nothing() {
            let value = cash_value(portfolio, balance, view);
            sum += value.trade_date.units();
            fit &= value.rate.is_some() && !rate_is_stale(portfolio, balance.currency, view);
            stale = earlier(stale, rate_stale_at(portfolio, balance.currency, view));
        }
    }
    (Amount::from_units(sum), fit, stale)
}

fn rate_is_stale(portfolio: &Portfolio, currency: Currency, view: View<'_>) -> bool {
    let age = portfolio.rules.max_age_seconds;
    view.market.rate(currency, portfolio.base).is_some_and(|rate| rate.pairs.iter().any(|pair| view.market.is_stale(*pair, age, view.now)))
}

/// Values one line.
pub fn line_value(portfolio: &Portfolio, line: &Line, view: View<'_>) -> LineValue {
    line_value_within(portfolio, line, view, largest_part(parts(portfolio)))
}

/// The same, whose value is `limit` at most.
fn line_value_within(portfolio: &Portfolio, line: &Line, view: View<'_>, limit: i128) -> LineValue {
    let slot = view.market.slot(line.instrument);
    let stale = slot.price.is_some() && view.market.is_stale(line.instrument, portfolio.rules.max_age_seconds, view.now);
    let flag = slot.flag(stale);
    let none = LineValue { value: Amount::ZERO, weighed: Amount::ZERO, flag: PriceFlag::Missing, rate: None, fit: false };
    let Some(facts) = slot.facts.as_deref() else { return none };
    let rate = view.market.rate(facts.currency, portfolio.base).map(|found| found.rate);
    let (Some(price), Some(rate)) = (slot.price, rate) else { return LineValue { flag, rate, ..none } };
    let bounded =
        |amount: Amount| if amount.units().unsigned_abs() <= limit.unsigned_abs() { Ok(amount) } else { Err(FixedError::Overflow) };
    let held = (line.position.quantity, line.position.cost);
    let valued = worth(held, facts, price, slot.accrued, rate).and_then(|(value, weighed)| Ok((bounded(value)?, bounded(weighed)?)));
    let Ok((value, weighed)) = valued else { return LineValue { rate: Some(rate), ..none } };
    let fit = !stale && !rate_is_stale(portfolio, facts.currency, view);
    LineValue { value, weighed, flag, rate: Some(rate), fit }
}

/// What one unit is worth: bonds are quoted clean.
pub fn unit_price(facts: &Instrument, price: Price, accrued: Option<Price>) -> Result<Price, FixedError> {
    match (facts.kind, accrued) {
        (InstrumentType::Bond, Some(accrued)) => price.checked_add(accrued),
        _ => Ok(price),
    }
}

/// Value and weighed value in base of units at what they cost.
pub fn worth(
    (quantity, cost): (Quantity, Amount),
    facts: &Instrument,
    price: Price,
    accrued: Option<Price>,
    rate: FxRate,
) -> Result<(Amount, Amount), FixedError> {
    let notional = quantity.times(unit_price(facts, price, accrued)?)?.multiply(facts.multiplier)?;
    let weighed = notional.convert(rate)?;
    if facts.kind == InstrumentType::Future {
        return Ok((notional.checked_sub(cost)?.convert(rate)?, weighed));
    }
    Ok((weighed, weighed))
}

fn cash_value(portfolio: &Portfolio, balance: &crate::book::Balance, view: View<'_>) -> CashValue {
    let limit = largest_part(parts(portfolio)).unsigned_abs();
    let none = CashValue { currency: balance.currency, rate: None, trade_date: Amount::ZERO, settled: Amount::ZERO };
    if balance.currency == portfolio.base {
        // Bounded when it was booked.
        let settled = balance.settled().expect("both parts of a balance are bounded");
        return CashValue { rate: Some(FxRate::ONE), trade_date: balance.amount, settled, ..none };
    }
    let Some(found) = view.market.rate(balance.currency, portfolio.base) else { return none };
    let convert = |amount: Amount| amount.convert(found.rate).ok().filter(|value| value.units().unsigned_abs() <= limit);
    let settled = balance.settled().ok().and_then(convert);
    match (convert(balance.amount), settled) {
        (Some(trade_date), Some(settled)) => CashValue { rate: Some(found.rate), trade_date, settled, ..none },
        _ => none,
    }
}

/// Values a portfolio whole.
pub fn appraise(portfolio: &Portfolio, view: View<'_>) -> Appraisal {
    let limit = largest_part(parts(portfolio));
    let lines: Vec<LineValue> = portfolio.lines.counting().map(|(_, line)| line_value_within(portfolio, line, view, limit)).collect();
    let cash: Vec<CashValue> = portfolio.cash.balances().iter().map(|balance| cash_value(portfolio, balance, view)).collect();
    let sum = |values: &mut dyn Iterator<Item = Amount>| Amount::from_units(values.map(Amount::units).sum());
    let holdings = sum(&mut lines.iter().map(|line| line.value));
    let trade_date_cash = sum(&mut cash.iter().map(|value| value.trade_date));
    let settled_cash = sum(&mut cash.iter().map(|value| value.settled));
    let owed: Vec<CashValue> = portfolio.receivables.balances().iter().map(|balance| cash_value(portfolio, balance, view)).collect();
    let receivables = sum(&mut owed.iter().map(|value| value.trade_date));
    let (stale, unpriced) = unfit(portfolio, &lines, (&cash, &owed), view);
    let equity = Amount::from_units(holdings.units() + trade_date_cash.units() + receivables.units());
    Appraisal { lines, cash, equity, holdings, trade_date_cash, settled_cash, owed, receivables, stale, unpriced }
}

/// The names of what is too old and of what is missing.
fn unfit(
    portfolio: &Portfolio,
    lines: &[LineValue],
    (cash, owed): (&[CashValue], &[CashValue]),
    view: View<'_>,
) -> (BTreeSet<SmolStr>, BTreeSet<SmolStr>) {
    let (mut stale, mut unpriced) = (BTreeSet::new(), BTreeSet::new());
    let mut currencies = BTreeSet::new();
    for (value, (_, line)) in lines.iter().zip(portfolio.lines.counting()) {
        let slot = view.market.slot(line.instrument);
        match value.flag {
            PriceFlag::Missing => _ = unpriced.insert(SmolStr::new(slot.id.as_str())),
            PriceFlag::Stale => _ = stale.insert(SmolStr::new(slot.id.as_str())),
            PriceFlag::Fresh | PriceFlag::Held | PriceFlag::Unknown => {}
        }
        currencies.extend(slot.facts.as_ref().map(|facts| (facts.currency, value.rate.is_some())));
    }
    let balances = portfolio.cash.balances().iter().chain(portfolio.receivables.balances());
    let moved = cash.iter().chain(owed).zip(balances).filter(|(_, balance)| !balance.is_nothing());
    currencies.extend(moved.map(|(value, _)| (value.currency, value.rate.is_some())));
    for (currency, rated) in currencies {
        if !rated {
            unpriced.insert(SmolStr::new(format!("{currency}/{}", portfolio.base)));
        }
        let pairs = view.market.rate(currency, portfolio.base).map(|rate| rate.pairs).unwrap_or_default();
        let old = |pair: &InstrumentIx| view.market.is_stale(*pair, portfolio.rules.max_age_seconds, view.now);
        stale.extend(pairs.into_iter().filter(old).map(|pair| SmolStr::new(view.market.slot(pair).id.as_str())));
    }
    (stale, unpriced)
}

/// The quick pass over plain columns, as a bench: Σ quantity × price of every line of every portfolio.
/// Returns the equity of each portfolio, and the number of lines swept.
pub fn revalue_all(portfolios: &[Portfolio], market: &Market, now: Timestamp, equities: &mut Vec<Amount>) -> usize {
    equities.clear();
    let mut weighed = Vec::new();
    let mut lines = 0;
    for portfolio in portfolios {
        equities.push(sweep(portfolio, View { market, now }, &mut weighed).equity);
        lines += weighed.len();
    }
    lines
}

// What the quick path takes, the careful one would not call too large.
const _: () = assert!((HotPrice::MAX_PRICE as i128) * (HotPrice::MAX_QUANTITY as i128) < LARGEST_SUM / (4 * (QUICK_LINES as i128 + 4_001)));
