//! The drift event: complete, so that a plan needs nothing else.

use super::Request;
use super::measure::{LineMeasure, drift, extent, half_sum, lines, weight};
use crate::book::entry::money;
use crate::book::orders::Executed;
use crate::book::outside::{Breaks, Compared};
use crate::book::{Line, Portfolio};
use crate::prices::{Cuts, Slot};
use crate::snapshot::{cash_balances, health, receivables};
use crate::valuation::{Appraisal, LineValue, View};
use domain::drift::{CurrencyRate, Drift, DriftLine, RecentOrder};
use domain::enums::{DriftCause, DriftKind, MarketState};
use domain::snapshot::{Anomaly, Health, InputOffset};
use domain::{Amount, Currency, FxRate, InstrumentId, OrderId, Quantity, SmolStr};
use std::collections::BTreeMap;

/// The most recent orders of one event: with [`engine::settings::MAX_LINES`] lines and a policy it stays within
/// its 8 MiB.
pub const MAX_RECENT_ORDERS: usize = 12_000;

/// What happened, and why it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// What.
    pub event: DriftKind,
    /// Why, for REQUESTED.
    pub cause: Option<DriftCause>,
    /// Whose request.
    pub cause_id: Option<SmolStr>,
    /// The instrument of an action.
    pub instrument: Option<InstrumentId>,
    /// What the outside book that the request brought came to.
    pub compared: Option<Breaks>,
}

impl News {
    /// The watch speaks by itself.
    pub fn told(event: DriftKind) -> Self {
        Self { event, cause: None, cause_id: None, instrument: None, compared: None }
    }
    /// Somebody asked.
    pub fn requested(request: Request) -> Self {
        let Request { cause, id, instrument, told: _ } = request;
        Self { event: DriftKind::Requested, cause: Some(cause), cause_id: id, instrument, compared: None }
    }
    /// The same with what the list of its command came to, where that is among these. A later list may have come to
    /// something else since.
    pub fn comparing(mut self, all: &mut Vec<Compared>) -> Self {
        let this = all.iter().position(|compared| self.cause_id.as_ref() == Some(&compared.command_id));
        self.compared = this.filter(|_| self.cause == Some(DriftCause::Command)).map(|at| all.remove(at).breaks);
        self
    }
}

/// What an event needs beside the portfolio and its appraisal.
pub struct Circumstances<'a> {
    /// Prices and clock.
    pub view: View<'a>,
    /// Prices at the day cuts.
    pub cuts: &'a Cuts,
    /// Whether the portfolio is quarantined.
    pub quarantined: bool,
    /// Records of it that wait.
    pub waiting: i32,
    /// Figures of it beyond their bounds.
    pub anomalies: Vec<Anomaly>,
    /// How far the inputs were read.
    pub offsets: Vec<InputOffset>,
}

/// Assembles an event.
pub fn assemble(portfolio: &Portfolio, appraisal: &Appraisal, around: &Circumstances<'_>, news: News) -> Drift {
    let market = around.view.market;
    let weighed: Vec<Amount> = appraisal.lines.iter().map(|line| line.weighed).collect();
    let measures = lines(portfolio, market, &weighed, appraisal.equity);
    let rows = portfolio.lines.counting().zip(&appraisal.lines).zip(&measures);
    let mut drift_lines: Vec<DriftLine> =
        rows.map(|(((_, line), value), measure)| drift_line(portfolio, around, line, value, measure, appraisal.equity)).collect();
    drift_lines.sort_by(|a, b| a.instrument_id.cmp(&b.instrument_id));
    Drift {
        portfolio_id: portfolio.id.clone(),
        episode: portfolio.watch.episode,
        shadow: false,
        event: news.event,
        cause: news.cause,
        cause_id: news.cause_id,
        as_of: around.view.now,
        lines: drift_lines,
        max_abs_drift: extent(&measures, &weighed, appraisal.equity),
        half_sum_abs_drift: half_sum(portfolio, market, &measures, &weighed, appraisal.equity, appraisal.trade_date_cash),
        equity: money(appraisal.equity),
        cash: cash_balances(portfolio),
        fx_rates: rates(appraisal),
        receivables: receivables(portfolio),
        available_cash: money(appraisal.trade_date_cash),
        settled_cash: money(appraisal.settled_cash),
        health: health_for(news.compared, health(portfolio, appraisal, around)),
        policy: portfolio.policy.clone(),
        snapshot_version: portfolio.published.version,
        recent_orders: recent_orders(portfolio),
        input_offsets: around.offsets.clone(),
        cause_instrument_id: news.instrument,
        risk: portfolio.risk.standing().cloned().map(Box::new),
    }
}

/// The portfolio's health, for whoever sent an outside book: with what that one came to.
fn health_for(compared: Option<Breaks>, mut health: Health) -> Health {
    if let Some(breaks) = compared {
        health.unreconciled |= !breaks.is_empty();
        (health.position_breaks, health.cash_breaks) = (breaks.positions, breaks.cash);
    }
    health
}

/// Of each currency in which there is cash or a receivable.
fn rates(appraisal: &Appraisal) -> Vec<CurrencyRate> {
    let all = appraisal.cash.iter().chain(&appraisal.owed).map(|value| (value.currency, value.rate));
    let by_currency: BTreeMap<Currency, Option<FxRate>> = all.collect();
    by_currency.into_iter().map(|(currency, fx_rate)| CurrencyRate { currency, fx_rate }).collect()
}

/// Those whose fills are the newest, where there are more than a record holds: a plan asks for the last cycle's.
fn recent_orders(portfolio: &Portfolio) -> Vec<RecentOrder> {
    let mut orders: Vec<_> = portfolio.orders.iter().collect();
    let beyond = orders.len().saturating_sub(MAX_RECENT_ORDERS);
    if beyond > 0 {
        orders.select_nth_unstable_by_key(beyond, |(order, executed)| (executed.newest, **order));
        orders.drain(..beyond);
        orders.sort_unstable_by_key(|(order, _)| **order);
    }
    let told = |(order, executed): (&OrderId, &Executed)| {
        let own = executed.own();
        RecentOrder {
            order_id: *order,
            executed_quantity: own.quantity,
            instrument_id: Some(own.instrument.clone()),
            side: own.side,
            contradicted: executed.is_contradicted(),
            notional: Some(money(own.notional)),
            fees: Some(money(own.fees)),
            first_fill_at: Some(own.first_at),
            last_fill_at: Some(own.last_at),
        }
    };
    orders.into_iter().map(told).collect()
}

fn drift_line(
    portfolio: &Portfolio,
    around: &Circumstances<'_>,
    line: &Line,
    value: &LineValue,
    measure: &LineMeasure,
    equity: Amount,
) -> DriftLine {
    let market = around.view.market;
    let slot = market.slot(line.instrument);
    let target = measure.bounds.target_weight();
    let facts = Facts::of(slot, portfolio);
    let fitted = value.rate.is_some();
    let quote = slot.bid_and_ask(slot.max_age_seconds().unwrap_or(portfolio.rules.max_age_seconds));
    DriftLine {
        instrument_id: slot.id.clone(),
        weight: weight(value.weighed, equity).filter(|_| fitted),
        target,
        drift: drift(value.weighed, equity, target).filter(|_| fitted),
        lower: measure.bounds.lower_weight(),
        upper: measure.bounds.upper_weight(),
        breached: measure.breached,
        price: slot.price,
        price_time: slot.price.map(|_| slot.price_time),
        price_flag: value.flag,
        close_price: around.cuts.close((&portfolio.rules.cut, &portfolio.rules.days), line.instrument, market),
        average_price: line.position.average_price(facts.multiplier),
        accrued: slot.accrued,
        quantity: line.position.quantity,
        value: money(value.value),
        currency: facts.currency,
        fx_rate: value.rate,
        multiplier: facts.multiplier,
        lot_size: facts.lot_size,
        tick_size: slot.facts.as_ref().and_then(|f| f.tick_size),
        kind: slot.kind(),
        sector: slot.facts.as_ref().and_then(|f| f.sector.clone()),
        venue: slot.facts.as_ref().and_then(|f| f.venue.clone()),
        average_daily_volume: slot.facts.as_ref().and_then(|f| f.average_daily_volume),
        market_status: if slot.facts.is_some() { market.market_state(line.instrument, around.view.now) } else { MarketState::Unknown },
        bid: quote.map(|(bid, _)| bid),
        ask: quote.map(|(_, ask)| ask),
    }
}

/// Facts that a line must show even before the instrument's record came; it has no price flag then but MISSING.
struct Facts {
    currency: Currency,
    multiplier: Quantity,
    lot_size: Quantity,
}

impl Facts {
    fn of(slot: &Slot, portfolio: &Portfolio) -> Self {
        match slot.facts.as_deref() {
            Some(facts) => Self { currency: facts.currency, multiplier: facts.multiplier, lot_size: facts.lot_size },
            None => Self { currency: portfolio.base, multiplier: Quantity::ONE, lot_size: Quantity::ONE },
        }
    }
}
