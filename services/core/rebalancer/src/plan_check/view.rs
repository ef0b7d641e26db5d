//! The book as the second opinion sees it: read again from the drift event, in its own arithmetic.

use super::exact::Exact;
use crate::plan::{Leg, Plan, PlanInput};
use domain::drift::{Drift, DriftLine};
use domain::enums::{CashBasis, InstrumentType, Side};
use domain::policy::Target;
use domain::{Amount, Bps, Currency, Fraction, FxRate, InstrumentId, Money, Percent, Price, Quantity};
use std::collections::BTreeMap;

macro_rules! exact_of {
    ($($kind:ident),+) => { $(impl From<$kind> for Exact {
        fn from(value: $kind) -> Self { Exact::new(value.units(), $kind::SCALE) }
    })+ };
}
exact_of!(Amount, Bps, Fraction, FxRate, Money, Percent, Price, Quantity);

/// One line and what the plan does to it.
pub(super) struct Row<'a> {
    pub(super) line: &'a DriftLine,
    /// The policy's line for the instrument.
    pub(super) own: Option<&'a Target>,
    /// Places of the groups that it belongs to.
    pub(super) groups: Vec<usize>,
    /// The target that the plan explains.
    pub(super) explained: Exact,
    /// Base value of a unit, with accrued interest.
    pub(super) unit: Exact,
    /// Base value of a unit at its price alone.
    pub(super) quoted: Exact,
    /// Multiplier × FX.
    pub(super) each: Exact,
    /// What one unit adds to equity.
    pub(super) worth: Exact,
    pub(super) held: Exact,
    /// Signed quantity of open orders.
    pub(super) open: Exact,
    /// Held, less what open sells take.
    pub(super) sellable: Exact,
    /// Of this plan.
    pub(super) sold: Exact,
    pub(super) shorted: Exact,
    pub(super) bought: Exact,
}

impl Row<'_> {
    pub(super) fn id(&self) -> &InstrumentId {
        &self.line.instrument_id
    }
    pub(super) fn is_future(&self) -> bool {
        self.line.kind == InstrumentType::Future
    }
    /// held + open.
    pub(super) fn expected(&self) -> Exact {
        &self.held + &self.open
    }
    /// Signed quantity of the plan.
    pub(super) fn ordered(&self) -> Exact {
        &(&self.bought - &self.sold) - &self.shorted
    }
    pub(super) fn value(&self) -> Exact {
        &self.held * &self.unit
    }
    /// What so many more units of a future pay: the gain of those that they close.
    pub(super) fn gain_of(&self, more: &Exact) -> Exact {
        if self.held.sign() != -more.sign() {
            return Exact::zero();
        }
        let closed = if more.abs() > self.held.abs() { self.held.abs() } else { more.abs() };
        &(&closed * &Exact::whole(self.held.sign())) * &self.worth
    }
}

/// A group line over the book.
pub(super) struct Group<'a> {
    pub(super) line: &'a Target,
    /// Σ value of its members.
    pub(super) value: Exact,
    /// Whether no member has a target of its own.
    pub(super) shared: bool,
}

/// The book, exactly.
pub(super) struct View<'a> {
    pub(super) input: &'a PlanInput<'a>,
    pub(super) plan: &'a Plan,
    pub(super) rows: Vec<Row<'a>>,
    pub(super) groups: Vec<Group<'a>>,
    places: BTreeMap<&'a InstrumentId, usize>,
    pub(super) equity: Exact,
    pub(super) cash: Exact,
    pub(super) spendable: Exact,
    /// Whether its legs are parts of orders that were planned whole.
    pub(super) parts: bool,
}

impl<'a> View<'a> {
    /// The book; `None` where a figure that it needs is missing.
    pub(super) fn read(input: &'a PlanInput<'a>, plan: &'a Plan, parts: bool) -> Option<Self> {
        let drift = input.drift;
        let mut rows = drift.lines.iter().map(row).collect::<Option<Vec<_>>>()?;
        let places: BTreeMap<_, _> = drift.lines.iter().enumerate().map(|(index, line)| (&line.instrument_id, index)).collect();
        count(&mut rows, &places, input, plan);
        let groups = lay(&mut rows, &places, input);
        let (mut cash, mut settled) = (Exact::zero(), Exact::zero());
        for balance in &drift.cash {
            let rate = rate(drift, balance.currency)?;
            cash = &cash + &(&Exact::from(balance.trade_date) * &rate);
            settled = &settled + &(&Exact::from(balance.settled) * &rate);
        }
        let mut equity = cash.clone();
        for owed in &drift.receivables {
            equity = &equity + &(&Exact::from(owed.amount) * &rate(drift, owed.currency)?);
        }
        for row in &rows {
            equity = &equity + &(&row.held * &row.worth);
        }
        let settles = input.rules.orders.cash_basis == CashBasis::Settled && settled < cash;
        let spendable = if settles { settled } else { cash.clone() };
        Some(Self { input, plan, rows, groups, places, equity, cash, spendable, parts })
    }
    /// A weight of the policy as the event scales it.
    pub(super) fn scaled(&self, weight: Fraction) -> Exact {
        let scale = self.input.drift.risk.as_ref().and_then(|risk| risk.scale);
        scale.map_or_else(|| Exact::from(weight), |scale| (&Exact::from(weight) * &Exact::from(scale)).cut(Fraction::SCALE))
    }
    pub(super) fn row(&self, id: &InstrumentId) -> Option<&Row<'a>> {
        self.places.get(id).map(|index| &self.rows[*index])
    }
    /// Rows that the plan orders.
    pub(super) fn ordered(&self) -> impl Iterator<Item = &Row<'a>> {
        self.rows.iter().filter(|row| row.ordered().sign() != 0)
    }
    /// The step of a row's orders.
    pub(super) fn lot(&self, row: &Row) -> Exact {
        let none = self.input.rules.orders.rounding == domain::enums::Rounding::None;
        if none { Exact::from(Quantity::from_units(1)) } else { Exact::from(row.line.lot_size) }
    }
    /// What a leg may be worth at most without accrued interest: a buy at its limit, where it has one.
    pub(super) fn most(&self, leg: &Leg) -> Option<Exact> {
        let row = self.row(&leg.instrument_id)?;
        let limit = leg.limit_price.filter(|_| leg.side == Side::Buy);
        let unit = limit.map_or_else(|| row.quoted.clone(), |limit| &Exact::from(limit) * &row.each);
        Some(&Exact::from(leg.quantity) * &unit)
    }
    /// Accrued interest that a leg pays or is paid.
    pub(super) fn interest(&self, leg: &Leg) -> Option<Exact> {
        let row = self.row(&leg.instrument_id)?;
        Some(&Exact::from(leg.quantity) * &(&row.unit - &row.quoted))
    }
    /// Value of a leg for limits and fees: without accrued interest.
    pub(super) fn notional(&self, leg: &Leg) -> Option<Exact> {
        Some(&Exact::from(leg.quantity) * &self.row(&leg.instrument_id)?.quoted)
    }
}

fn row(line: &DriftLine) -> Option<Row<'_>> {
    let each = &Exact::from(line.multiplier) * &Exact::from(line.fx_rate?);
    let price = Exact::from(line.price?);
    let quoted = &price * &each;
    let accrued = line.accrued.filter(|_| line.kind == InstrumentType::Bond).map_or(Exact::zero(), Exact::from);
    let unit = &(&price + &accrued) * &each;
    let worth = match (line.kind, line.average_price) {
        (InstrumentType::Future, Some(average)) => &(&price - &Exact::from(average)) * &each,
        (InstrumentType::Future, None) => Exact::zero(),
        _ => unit.clone(),
    };
    let (held, nothing) = (Exact::from(line.quantity), Exact::zero);
    Some(Row {
        line,
        own: None,
        groups: Vec::new(),
        explained: nothing(),
        unit,
        quoted,
        each,
        worth,
        open: nothing(),
        sellable: held.clone().max(nothing()),
        held,
        sold: nothing(),
        shorted: nothing(),
        bought: nothing(),
    })
}

/// Adds up open orders and legs by line.
fn count(rows: &mut [Row], places: &BTreeMap<&InstrumentId, usize>, input: &PlanInput, plan: &Plan) {
    for order in input.open {
        let Some(row) = places.get(&order.instrument_id).map(|index| &mut rows[*index]) else { continue };
        let remaining = Exact::from(order.remaining);
        row.open = &row.open + &remaining;
        if order.side == Side::Sell && order.remaining.is_negative() {
            row.sellable = &row.sellable + &remaining;
        }
    }
    for row in rows.iter_mut() {
        row.sellable = row.sellable.clone().max(Exact::zero());
    }
    for leg in &plan.legs {
        let Some(row) = places.get(&leg.instrument_id).map(|index| &mut rows[*index]) else { continue };
        let units = Exact::from(leg.quantity);
        match leg.side {
            Side::Sell => row.sold = &row.sold + &units,
            Side::SellShort => row.shorted = &row.shorted + &units,
            Side::Buy | Side::Unknown => row.bought = &row.bought + &units,
        }
    }
    for line in &plan.explanation {
        let Some(row) = places.get(&line.instrument_id).map(|index| &mut rows[*index]) else { continue };
        row.explained = Exact::from(line.target);
    }
}

/// Lays the policy's lines over the rows.
fn lay<'a>(rows: &mut [Row<'a>], places: &BTreeMap<&InstrumentId, usize>, input: &PlanInput<'a>) -> Vec<Group<'a>> {
    for line in input.rules.targets {
        if let Some(index) = line.instrument_id.as_ref().and_then(|id| places.get(id)) {
            rows[*index].own = Some(line);
        }
    }
    let mut groups = Vec::new();
    for line in input.rules.targets {
        let Some(name) = line.group.as_deref() else { continue };
        let mut group = Group { line, value: Exact::zero(), shared: true };
        for row in rows.iter_mut().filter(|row| row.line.sector.as_deref() == Some(name) || row.line.kind.symbol() == name) {
            row.groups.push(groups.len());
            group.value = &group.value + &row.value();
            group.shared &= row.own.is_none();
        }
        groups.push(group);
    }
    groups
}

fn rate(drift: &Drift, currency: Currency) -> Option<Exact> {
    if drift.policy.as_ref().is_some_and(|policy| policy.base_currency == currency) {
        return Some(Exact::whole(1));
    }
    drift.fx_rates.iter().find(|rate| rate.currency == currency)?.fx_rate.map(Exact::from)
}
