//! The snapshot: a portfolio whole, at one moment, in its base currency.
//! It shows what `valuation` found and rounds once, on the way out.

pub mod strategies;

use crate::book::action::LineActions;
use crate::book::entry::money;
use crate::book::journal::shown;
use crate::book::sums::Sums;
use crate::book::{Line, Portfolio};
use crate::drift::event::Circumstances;
use crate::drift::measure::{apart, lines, weight};
use crate::prices::{Market, Slot};
use crate::valuation::{Appraisal, LineValue};
use domain::enums::{CashBasis, PriceFlag};
use domain::ledger::CurrencyAmount;
use domain::snapshot::{Allocation, CashBalance, Concentration, Exposure, Health, SectorExposure, Snapshot, SnapshotMetrics};
use domain::wide::mul_div_half_even;
use domain::{Amount, FixedError, Fraction, Money, Percent, SmolStr};
use std::collections::BTreeMap;

/// Sector under which instruments without one stand.
const NO_SECTOR: SmolStr = SmolStr::new_static("NONE");

/// Assembles a snapshot of that version.
pub fn assemble(portfolio: &Portfolio, appraisal: &Appraisal, around: &Circumstances<'_>, version: i64) -> Snapshot {
    Snapshot {
        portfolio_id: portfolio.id.clone(),
        version,
        as_of: around.view.now,
        base_currency: portfolio.base,
        total_value: money(appraisal.equity),
        cash_value: money(appraisal.trade_date_cash),
        available_cash: money(available(portfolio, appraisal)),
        cash: cash_balances(portfolio),
        receivables: receivables(portfolio),
        allocations: allocations(portfolio, appraisal, around.view.market),
        exposure: exposure(appraisal),
        sector_exposure: sectors(portfolio, appraisal, around.view.market),
        concentration: concentration(appraisal),
        metrics: metrics(portfolio, appraisal),
        health: health(portfolio, appraisal, around),
        policy_version: portfolio.policy.as_ref().map(|policy| policy.policy_version),
        input_offsets: around.offsets.clone(),
        strategies: strategies::rows(portfolio, appraisal, around.view),
    }
}

/// Balances by currency, as published.
pub fn cash_balances(portfolio: &Portfolio) -> Vec<CashBalance> {
    let balances = portfolio.cash.balances().iter();
    let settled = |b: &crate::book::Balance| b.settled().expect("both parts of a balance are bounded");
    balances.map(|b| CashBalance { currency: b.currency, trade_date: money(b.amount), settled: money(settled(b)) }).collect()
}

/// What is earned and not yet paid, by currency.
pub fn receivables(portfolio: &Portfolio) -> Vec<CurrencyAmount> {
    let owed = portfolio.receivables.balances().iter().filter(|balance| !balance.amount.is_zero());
    owed.map(|balance| CurrencyAmount { currency: balance.currency, amount: money(balance.amount) }).collect()
}

/// Whether the figures may be relied on.
pub fn health(portfolio: &Portfolio, appraisal: &Appraisal, around: &Circumstances<'_>) -> Health {
    let held = portfolio.lines.counting().filter(|(_, line)| !line.position.quantity.is_zero());
    let doubtful = held.map(|(_, line)| around.view.market.slot(line.instrument)).any(Slot::doubtful)
        || portfolio.actions.values().any(LineActions::is_behind);
    Health {
        complete: appraisal.unpriced.is_empty() && appraisal.stale.is_empty() && around.waiting == 0,
        stale: appraisal.stale.iter().cloned().collect(),
        unpriced: appraisal.unpriced.iter().cloned().collect(),
        quarantined: around.quarantined,
        unreconciled: doubtful || portfolio.unbalanced || portfolio.orders.contradict() || portfolio.has_breaks(),
        waiting: around.waiting,
        position_breaks: portfolio.outside.as_ref().map(|outside| outside.breaks.positions.clone()).unwrap_or_default(),
        cash_breaks: portfolio.outside.as_ref().map(|outside| outside.breaks.cash.clone()).unwrap_or_default(),
        anomalies: around.anomalies.clone(),
    }
}

/// Cash by the policy's basis, less its reserve.
fn available(portfolio: &Portfolio, appraisal: &Appraisal) -> Amount {
    let Some(orders) = portfolio.policy.as_deref().map(|policy| &policy.orders) else { return appraisal.trade_date_cash };
    // Settled cash that unsettled purchases have taken already is not there to be spent twice.
    let settled = orders.cash_basis == CashBasis::Settled;
    let cash = if settled { appraisal.settled_cash.min(appraisal.trade_date_cash) } else { appraisal.trade_date_cash };
    // The reserve is a part of the equity, and of none where that is below zero: the difference of two bounded amounts.
    let reserve = appraisal.equity.max(Amount::ZERO).fraction(orders.cash_reserve).expect("a part of an amount is an amount");
    cash.checked_sub(reserve).expect("the difference of two bounded amounts")
}

fn allocations(portfolio: &Portfolio, appraisal: &Appraisal, market: &Market) -> Vec<Allocation> {
    let weighed: Vec<Amount> = appraisal.lines.iter().map(|line| line.weighed).collect();
    let measures = lines(portfolio, market, &weighed, appraisal.equity);
    let held: Vec<&Line> = portfolio.lines.counting().map(|(_, line)| line).collect();
    let row = |at: usize| {
        let (line, measure) = (held[at], &measures[at]);
        let target = line.target.map(|_| measure.bounds.target_weight()).or_else(|| {
            // A member of a group has its share of the group's target.
            (measure.bounds != portfolio.rules.other).then(|| measure.bounds.target_weight())
        });
        let net = line.position.realized_net_base.checked_add(portfolio.besides.of(line.instrument).net_base);
        let net = net.expect("two bounded amounts add up");
        allocation((line, net), &appraisal.lines[at], target, appraisal.equity, market)
    };
    // Rows are large: their order is known before the first is made.
    let mut order: Vec<(Amount, usize)> = appraisal.lines.iter().enumerate().map(|(at, line)| (line.value.abs(), at)).collect();
    let id = |at: usize| &market.slot(held[at].instrument).id;
    order.sort_unstable_by(|(a, left), (b, right)| b.cmp(a).then_with(|| id(*left).cmp(id(*right))));
    order.into_iter().map(|(_, at)| row(at)).collect()
}

fn allocation((line, net): (&Line, Amount), value: &LineValue, target: Option<Fraction>, equity: Amount, market: &Market) -> Allocation {
    let slot = market.slot(line.instrument);
    let multiplier = slot.facts.as_ref().map_or(domain::Quantity::ONE, |facts| facts.multiplier);
    let weight = weight(value.weighed, equity).filter(|_| value.rate.is_some());
    Allocation {
        instrument_id: slot.id.clone(),
        symbol: shown(market, line.instrument),
        sector: slot.facts.as_ref().and_then(|facts| facts.sector.clone()),
        kind: slot.kind(),
        quantity: line.position.quantity,
        average_price: line.position.average_price(multiplier),
        price: slot.price,
        price_time: slot.price.map(|_| slot.price_time),
        stale: matches!(value.flag, PriceFlag::Stale | PriceFlag::Missing),
        value: money(value.value),
        // A fraction at scale 12 and points at scale 10 count the same units.
        percentage: weight.map(|weight| Percent::from_units(weight.units())),
        target_weight: target,
        drift: weight.and_then(|weight| apart(weight, target.unwrap_or_default())),
        unrealized: money(value.value.checked_sub(line.position.book_cost).expect("both are bounded")),
        realized: money(net),
    }
}

fn exposure(appraisal: &Appraisal) -> Exposure {
    let (mut long, mut short) = (0_i128, 0_i128);
    for line in &appraisal.lines {
        let units = line.weighed.units();
        if units > 0 { long += units } else { short -= units }
    }
    let share = |units: i128| weight(Amount::from_units(units), appraisal.equity);
    let (published_long, published_short) = (money(Amount::from_units(long)), money(Amount::from_units(short)));
    Exposure { net: share(long - short), gross: share(long + short), long: published_long, short: published_short }
}

fn sectors(portfolio: &Portfolio, appraisal: &Appraisal, market: &Market) -> Vec<SectorExposure> {
    let mut by_sector: BTreeMap<SmolStr, i128> = BTreeMap::new();
    for ((_, line), value) in portfolio.lines.counting().zip(&appraisal.lines).filter(|((_, line), _)| !line.position.quantity.is_zero()) {
        let sector = market.slot(line.instrument).facts.as_ref().and_then(|facts| facts.sector.clone());
        *by_sector.entry(sector.unwrap_or(NO_SECTOR)).or_default() += value.weighed.units();
    }
    let row = |(sector, units): (SmolStr, i128)| {
        let value = Amount::from_units(units);
        SectorExposure { sector, value: money(value), weight: weight(value, appraisal.equity) }
    };
    by_sector.into_iter().map(row).collect()
}

/// Shares and squares stand at the scale of amounts, so that the published figures are rounded once.
fn concentration(appraisal: &Appraisal) -> Concentration {
    let gross = appraisal.lines.iter().map(|line| line.weighed.units().abs()).sum();
    if gross == 0 {
        return Concentration::default();
    }
    let (one, shown) = (Amount::ONE.units(), Fraction::ONE.units());
    let square = |line: &LineValue| -> Result<i128, FixedError> {
        let share = mul_div_half_even(line.weighed.units().abs(), one, gross)?;
        mul_div_half_even(share, share, one)
    };
    let sum: Result<i128, FixedError> = appraisal.lines.iter().map(square).sum();
    let sum = sum.ok().filter(|sum| *sum > 0);
    let published = |top, bottom| mul_div_half_even(top, shown, bottom).ok().map(Fraction::from_units);
    Concentration { hhi: sum.and_then(|sum| published(sum, one)), effective_number: sum.and_then(|sum| published(one, sum)) }
}

/// Profit and its parts. They add up to the last unit at scale 18, and again as published: see [`Told`].
fn metrics(portfolio: &Portfolio, appraisal: &Appraisal) -> SnapshotMetrics {
    let profit = Profit::of(portfolio, appraisal).expect("sums of the book and of valuations are bounded");
    debug_assert!(profit.ties_out(portfolio, appraisal), "profit of {:?} does not tie out", portfolio.id);
    let sums = &portfolio.sums;
    let day = portfolio.day.and_then(|day| {
        let flows = sums.net_flows.checked_sub(day.net_flows).ok()?;
        appraisal.equity.checked_sub(day.equity).and_then(|gain| gain.checked_sub(flows)).ok()
    });
    Told::of(sums, &profit, appraisal.equity).metrics(day.map(money))
}

/// Profit as published, in units of money.
///
/// Equity and flows are rounded, and total_pnl is their difference. Each part is rounded by itself; what
/// these then lack of the total, some units of the last decimal, is carried by the first of unrealized,
/// fx_cash, realized_gross, income, fees and transferred that is not exactly zero, so that nothing shows a profit where
/// there is none. realized_net is the sum of its parts. So every identity of the exact figures holds in the
/// published ones.
struct Told {
    unrealized: i128,
    fx_cash: i128,
    realized_gross: i128,
    income: i128,
    fees: i128,
    transferred: i128,
    net_flows: i128,
    total: i128,
}

impl Told {
    fn of(sums: &Sums, profit: &Profit, equity: Amount) -> Self {
        let units = |amount: Amount| money(amount).units();
        let net_flows = units(sums.net_flows);
        let mut told = Self {
            unrealized: units(profit.unrealized),
            fx_cash: units(profit.fx_cash),
            realized_gross: units(sums.realized_gross),
            income: units(sums.income),
            fees: units(sums.fees),
            transferred: units(sums.transferred),
            net_flows,
            total: units(equity) - net_flows,
        };
        let rest = told.total - (told.realized_net() + told.unrealized + told.fx_cash - told.transferred);
        let parts = [
            (profit.unrealized, &mut told.unrealized, rest),
            (profit.fx_cash, &mut told.fx_cash, rest),
            (sums.realized_gross, &mut told.realized_gross, rest),
            (sums.income, &mut told.income, rest),
            (sums.fees, &mut told.fees, -rest),
            (sums.transferred, &mut told.transferred, -rest),
        ];
        if let Some((_, part, rest)) = parts.into_iter().find(|(exact, ..)| !exact.is_zero()) {
            *part += rest;
        }
        told
    }
    fn realized_net(&self) -> i128 {
        self.realized_gross - self.fees + self.income
    }
    fn metrics(&self, day_pnl: Option<Money>) -> SnapshotMetrics {
        SnapshotMetrics {
            realized_gross: Money::from_units(self.realized_gross),
            fees: Money::from_units(self.fees),
            income: Money::from_units(self.income),
            realized_net: Money::from_units(self.realized_net()),
            unrealized: Money::from_units(self.unrealized),
            fx_cash: Money::from_units(self.fx_cash),
            net_flows: Money::from_units(self.net_flows),
            total_pnl: Money::from_units(self.total),
            day_pnl,
            transferred: Money::from_units(self.transferred),
        }
    }
}

/// Profit in base, exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profit {
    /// realized_gross − fees + income.
    pub realized_net: Amount,
    /// Value of what is held less its book cost.
    pub unrealized: Amount,
    /// Value of cash and receivables less their book value.
    pub fx_cash: Amount,
    /// Gains that transferred securities brought, less those that they took.
    pub transferred: Amount,
    /// The sum of the first three, less the fourth.
    pub total: Amount,
}

impl Profit {
    /// The profit of a portfolio as appraised.
    pub fn of(portfolio: &Portfolio, appraisal: &Appraisal) -> Result<Self, FixedError> {
        let realized_net = portfolio.sums.realized_net()?;
        let unrealized = appraisal.holdings.checked_sub(portfolio.sums.book_cost)?;
        let fx_cash = appraisal.trade_date_cash.checked_add(appraisal.receivables)?;
        let fx_cash = fx_cash.checked_sub(portfolio.sums.book_cash)?.checked_sub(portfolio.sums.book_owed)?;
        let transferred = portfolio.sums.transferred;
        let total = realized_net.checked_add(unrealized)?.checked_add(fx_cash)?.checked_sub(transferred)?;
        Ok(Self { realized_net, unrealized, fx_cash, transferred, total })
    }
    /// Whether the total is what equity gained beyond what was paid in.
    pub fn ties_out(&self, portfolio: &Portfolio, appraisal: &Appraisal) -> bool {
        appraisal.equity.checked_sub(portfolio.sums.net_flows) == Ok(self.total)
    }
}
