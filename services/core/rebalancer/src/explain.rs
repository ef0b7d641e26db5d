//! The reasons of a plan: one line for every line of the drift event, with the numbers behind it as plain
//! decimals. It explains what was decided and decides nothing.

use crate::plan::costs::{HalfSpread, half_spread};
use crate::plan::desk::{Desk, Wish};
use crate::plan::exact::{VALUE, WEIGHT, int, ratio, rescaled, ten};
use crate::plan::funding::CASH_FOR_BUYS;
use crate::plan::{legs, slices};
use domain::drift::Drift;
use domain::enums::{Decision, InstrumentType};
use domain::order::NamedNumber;
use domain::reason::ReasonCode;
use domain::rebalance_event::{ExplanationLine, WeightLine};
use domain::{Fraction, FxRate, Money, Price, Quantity};

/// The explanation of a plan.
pub(crate) fn explanation(desk: &Desk, wishes: &[Wish], numbers: &[Vec<NamedNumber>]) -> Vec<ExplanationLine> {
    wishes.iter().enumerate().map(|(index, wish)| line(desk, index, wish, numbers[index].clone())).collect()
}

fn line(desk: &Desk, index: usize, wish: &Wish, mut numbers: Vec<NamedNumber>) -> ExplanationLine {
    const ONE: crate::plan::exact::Int = ten(Fraction::SCALE);
    let holding = desk.holding(index);
    let (decision, reason) = match (wish.stands(), wish.reason) {
        (true, None) => (Decision::Order, desk.purpose(index, wish.quantity)),
        (true, Some(reason)) => (Decision::Cut, reason),
        (false, reason) => (Decision::Skip, reason.unwrap_or(ReasonCode::RoundedToZero)),
    };
    numbers.extend(terms(desk, index, wish));
    numbers.extend(costs(desk, index, wish));
    ExplanationLine {
        instrument_id: holding.at.instrument_id.clone(),
        weight: ratio(holding.value, desk.book.equity),
        target: desk.aim(index).target,
        drift: ratio(desk.drift(index), desk.book.equity * ONE),
        decision,
        reason,
        numbers,
    }
}

/// The numbers of each line: the book's, the goal's, then those that rules noted.
pub(crate) fn numbers(desk: &Desk, wishes: &[Wish]) -> Vec<Vec<NamedNumber>> {
    let equity = rescaled(desk.book.equity, VALUE, Money::SCALE).map(Money::from_units);
    wishes.iter().enumerate().map(|(index, wish)| numbers_of(desk, index, wish, equity)).collect()
}

fn numbers_of(desk: &Desk, index: usize, wish: &Wish, equity: Option<Money>) -> Vec<NamedNumber> {
    let (holding, bounds) = (desk.holding(index), &desk.aim(index).bounds);
    let fraction = |weight| rescaled(weight, WEIGHT, Fraction::SCALE).map(Fraction::from_units);
    let mut all = Wish::of(0);
    note(&mut all, "equity", equity);
    note(&mut all, "value", rescaled(holding.value, VALUE, Money::SCALE).map(Money::from_units));
    note(&mut all, "price", holding.at.price);
    note(&mut all, "lower", fraction(bounds.lower));
    note(&mut all, "upper", fraction(bounds.upper));
    all.note("held", holding.at.quantity);
    if holding.open != 0 {
        all.note_units("open", holding.open);
    }
    if desk.scoped.planned[index] || wish.wanted != 0 {
        note(&mut all, "goal_weight", fraction(desk.goals[index]));
        // Its part of a group: goal_weight is group_goal_weight × value ÷ group_value, cut to its decimals.
        if let Some((goal, share)) = desk.shared_goal(index) {
            let whole = if holding.value.is_negative() == share.part.is_negative() { share.whole } else { -share.whole };
            note(&mut all, "group_goal_weight", fraction(goal));
            note(&mut all, "group_value", rescaled(whole, VALUE, Money::SCALE).map(Money::from_units));
        }
        all.note("lot_size", holding.at.lot_size);
        all.note_units("wanted", wish.wanted);
        all.note_units("ordered", wish.quantity);
        parts(desk, index, wish, &mut all);
    }
    all.numbers.extend(wish.numbers.iter().cloned());
    all.numbers
}

/// The parts in which a large order leaves, where it does.
fn parts(desk: &Desk, index: usize, wish: &Wish, all: &mut Wish) {
    let size = slices::size(desk, index, wish.quantity).filter(|_| wish.stands());
    if let (Some(size), Some(slicing)) = (size, desk.slicing()) {
        let legs = legs::parts(desk.holding(index), wish.quantity);
        all.note("slices", legs.into_iter().map(|(_, units)| slices::count(units, Some(size))).sum::<i128>());
        all.note_units("slice", size);
        all.note("slice_interval_seconds", slicing.interval_seconds);
        note(all, "average_daily_volume", desk.holding(index).at.average_daily_volume);
        all.note("above_volume", slicing.above_volume);
    }
}

/// What the numbers of a line follow from beside price and units, where it changes anything: what a unit is worth in
/// the base currency, and what of the cash buys may not use. An order says what it is worth itself, the event by what targets are scaled.
fn terms(desk: &Desk, index: usize, wish: &Wish) -> Vec<NamedNumber> {
    let (at, orders) = (desk.holding(index).at, desk.input.rules.orders);
    let funded = wish.numbers.iter().any(|number| number.name == CASH_FOR_BUYS);
    let scaled = orders.reserve_scales_targets && desk.scoped.planned[index];
    let mut all = Wish::of(0);
    note(&mut all, "fx_rate", at.fx_rate.filter(|rate| *rate != FxRate::ONE));
    note(&mut all, "multiplier", Some(at.multiplier).filter(|multiplier| *multiplier != Quantity::ONE));
    note(&mut all, "accrued", at.accrued.filter(|accrued| *accrued != Price::ZERO && at.kind == InstrumentType::Bond));
    note(&mut all, "cash_reserve", Some(orders.cash_reserve).filter(|reserve| *reserve != Fraction::ZERO && (funded || scaled)));
    note(&mut all, "fee_rate", Some(orders.fees.rate).filter(|rate| *rate != Fraction::ZERO && funded));
    note(&mut all, "fee_fixed", Some(orders.fees.fixed).filter(|fixed| *fixed != Money::ZERO && funded));
    all.numbers
}

/// What spread and impact of an order follow from, and what was weighed; nothing of what is not known. What each comes to
/// the order says itself.
fn costs(desk: &Desk, index: usize, wish: &Wish) -> Vec<NamedNumber> {
    let (model, at) = (&desk.input.rules.orders.costs, desk.holding(index).at);
    let mut all = Wish::of(0);
    if wish.wanted == 0 {
        return all.numbers;
    }
    match half_spread(desk, index) {
        HalfSpread::Quoted(wide) => all.note("spread", wide),
        HalfSpread::Default(bp) => all.note("half_spread_bp", bp),
        HalfSpread::Unknown => {}
    }
    if let Some((impact, volume)) = model.impact_bp.filter(|bp| !bp.is_zero()).zip(at.average_daily_volume) {
        all.note("impact_bp", impact);
        if wish.numbers.iter().all(|number| number.name != "average_daily_volume") {
            all.note("average_daily_volume", volume);
        }
    }
    if let Some((cost, benefit)) = wish.weighed {
        note(&mut all, "expected_cost", cost);
        note(&mut all, "expected_benefit", Some(benefit));
    }
    all.numbers
}

fn note(wish: &mut Wish, name: &'static str, value: Option<impl std::fmt::Display>) {
    if let Some(value) = value {
        wish.note(name, value);
    }
}

/// Holdings and weights once the wishes are orders and the orders are filled.
pub(crate) fn allocations(desk: &Desk, quantity: impl Fn(usize) -> i128) -> Vec<WeightLine> {
    let holdings = desk.book.holdings.iter().enumerate();
    holdings
        .map(|(index, holding)| WeightLine {
            instrument_id: holding.at.instrument_id.clone(),
            quantity: Quantity::from_units(holding.held() + quantity(index)),
            weight: ratio(int(holding.held() + quantity(index)) * holding.unit, desk.book.equity),
        })
        .collect()
}

/// The explanation of a plan that cannot be made: its code, for every line.
pub(crate) fn refusal(drift: &Drift, code: ReasonCode) -> Vec<ExplanationLine> {
    let lines = drift.lines.iter();
    lines
        .map(|line| ExplanationLine {
            instrument_id: line.instrument_id.clone(),
            weight: line.weight,
            target: line.target,
            drift: line.drift,
            decision: Decision::Skip,
            reason: code,
            numbers: Vec::new(),
        })
        .collect()
}

/// Holdings and weights as the drift event publishes them.
pub(crate) fn published(drift: &Drift) -> Vec<WeightLine> {
    let lines = drift.lines.iter();
    lines.map(|l| WeightLine { instrument_id: l.instrument_id.clone(), quantity: l.quantity, weight: l.weight }).collect()
}
