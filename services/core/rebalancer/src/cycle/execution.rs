//! How well the orders of a cycle were executed: the book's executions of each order held against the price that it was
//! planned on first and the price at which it was released. Exact; each published figure is rounded half-even once, and
//! a figure that cannot be told is null with the reason. It decides nothing.

use crate::cycle::Leg;
use crate::orders::draft::Draft;
use crate::plan::exact::{Int, VALUE, half_even, int, narrow, ratio, ten, to_money};
use domain::drift::{Drift, RecentOrder};
use domain::enums::Side;
use domain::execution::{Execution, OrderExecution};
use domain::{Bps, FxRate, Money, Price, Quantity, SmolStr, Timestamp, wide};
use serde::{Deserialize, Serialize};

/// What the executions of an order are held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Benchmark {
    /// Price of the plan that made it.
    pub planned: Price,
    /// Price of its line when it left.
    pub arrival: Price,
    /// Multiplier of its line.
    pub multiplier: Quantity,
    /// Units of base for one of its currency when it left.
    pub fx_rate: FxRate,
}

impl Benchmark {
    /// The benchmark of a draft that leaves on a drift event, which has a fresh price and a rate for all that leaves.
    pub fn of(draft: &Draft, drift: &Drift) -> Self {
        let line = drift.lines.iter().find(|line| line.instrument_id == draft.leg.instrument_id);
        let told = line.and_then(|line| Some((line.price?, line.multiplier, line.fx_rate?)));
        let (arrival, multiplier, fx_rate) = told.expect("no order leaves without a price and a rate");
        Self { planned: draft.planned_price, arrival, multiplier, fx_rate }
    }
    /// multiplier × FX, at scale 20.
    fn each(&self) -> Int {
        int(self.multiplier.units()) * int(self.fx_rate.units())
    }
    /// What so many units are worth at a price, at scale VALUE.
    fn worth(&self, units: Quantity, price: Price) -> Int {
        int(units.units()) * int(price.units()) * self.each()
    }
}

/// What the book has of an order's executions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deal {
    /// Units.
    pub quantity: Quantity,
    /// Σ units × price, in the instrument's currency.
    pub notional: Money,
    /// Fees, in the base currency.
    pub fees: Money,
    /// When the first was executed.
    pub first_at: Timestamp,
    /// When the last was.
    pub last_at: Timestamp,
}

impl Deal {
    /// What a drift event tells; `None` from a book that kept no prices.
    pub fn of(recent: &RecentOrder) -> Option<Self> {
        let (first_at, last_at) = (recent.first_fill_at?, recent.last_fill_at?);
        Some(Self { quantity: recent.executed_quantity, notional: recent.notional?, fees: recent.fees?, first_at, last_at })
    }
}

/// Exact amounts at scale VALUE; those of all orders are added up before any is rounded.
#[derive(Default)]
struct Amounts {
    traded: Int,
    planned: Int,
    slippage: Int,
    arrival: Int,
    arrival_slippage: Int,
    fees: Money,
}

impl Amounts {
    fn of(leg: &Leg, deal: &Deal) -> Self {
        const STEP: Int = ten(Quantity::SCALE);
        let (mark, sign) = (&leg.benchmark, if leg.order.side == Side::Buy { Int::ONE } else { -Int::ONE });
        let traded = int(deal.notional.units()) * STEP * mark.each();
        let (planned, arrival) = (mark.worth(deal.quantity, mark.planned), mark.worth(deal.quantity, mark.arrival));
        let (slippage, arrival_slippage) = ((traded - planned) * sign, (traded - arrival) * sign);
        Self { traded, planned, slippage, arrival, arrival_slippage, fees: deal.fees }
    }
    fn add(&mut self, more: &Self) -> Option<()> {
        self.traded += more.traded;
        self.planned += more.planned;
        self.slippage += more.slippage;
        self.arrival += more.arrival;
        self.arrival_slippage += more.arrival_slippage;
        self.fees = self.fees.checked_add(more.fees).ok()?;
        Some(())
    }
    /// slippage + fees, at scale VALUE.
    fn cost(&self) -> Int {
        self.slippage + crate::plan::exact::money(self.fees)
    }
}

/// part ÷ whole in basis points; `None` where the whole is nothing.
fn basis_points(part: Int, whole: Int) -> Option<Bps> {
    const SCALE: Int = ten(4 + Bps::SCALE);
    let wide = narrow(half_even(part * SCALE, whole.is_positive().then_some(whole)?))?;
    Some(Bps::from_units(wide)).filter(|bp| bp.fits_wire())
}

/// Amounts as figures, where they are known.
struct Told<'a>(Option<&'a Amounts>);

impl Told<'_> {
    fn money(&self, of: fn(&Amounts) -> Int) -> Option<Money> {
        self.0.map(of).and_then(to_money).filter(|money| money.fits_wire())
    }
    fn bp(&self, part: fn(&Amounts) -> Int, whole: fn(&Amounts) -> Int) -> Option<Bps> {
        self.0.and_then(|all| basis_points(part(all), whole(all)))
    }
}

/// The execution of all orders that have left; `None` where none has.
pub fn execution(legs: &[Leg]) -> Option<Box<Execution>> {
    if legs.is_empty() {
        return None;
    }
    let lines: Vec<_> = legs.iter().map(line).collect();
    let (ordered_value, filled_value) = values(legs)?;
    let (sums, reason) = match summed(legs) {
        Ok(sums) => (Some(sums), None),
        Err(reason) => (None, Some(SmolStr::new(reason))),
    };
    let told = Told(sums.as_ref());
    let released = legs.iter().map(|leg| leg.released_at).min()?;
    let deals = || legs.iter().filter_map(dealt);
    let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
    Some(Box::new(Execution {
        orders: count(legs.len()),
        filled_orders: count(legs.iter().filter(|leg| leg.is_filled()).count()),
        ordered_value,
        filled_value,
        fill_rate: if ordered_value.is_zero() { None } else { ratio(int(filled_value.units()), int(ordered_value.units())) },
        traded_value: told.money(|all| all.traded),
        slippage: told.money(|all| all.slippage),
        slippage_bp: told.bp(|all| all.slippage, |all| all.planned),
        arrival_slippage: told.money(|all| all.arrival_slippage),
        arrival_slippage_bp: told.bp(|all| all.arrival_slippage, |all| all.arrival),
        fees: sums.as_ref().map(|sums| sums.fees),
        cost: told.money(Amounts::cost),
        cost_bp: told.bp(Amounts::cost, |all| all.traded),
        first_fill_us: deals().map(|deal| deal.first_at.since(released)).min(),
        last_fill_us: deals().map(|deal| deal.last_at.since(released)).max(),
        reason,
        lines,
    }))
}

/// What the book has of a leg, where it has executions.
fn dealt(leg: &Leg) -> Option<Deal> {
    leg.deal.filter(|deal| deal.quantity.is_positive())
}

fn summed(legs: &[Leg]) -> Result<Amounts, String> {
    let mut sums = Amounts::default();
    let mut any = false;
    for leg in legs {
        match dealt(leg) {
            Some(deal) => {
                any = true;
                let beyond = || "the fees add up to more than a number can hold".to_owned();
                sums.add(&Amounts::of(leg, &deal)).ok_or_else(beyond)?;
            }
            None if leg.deal.is_none() && leg.cum_qty.is_positive() => {
                return Err(format!("the book does not tell at which prices order {} was executed", leg.order.order_id));
            }
            None => {}
        }
    }
    if any { Ok(sums) } else { Err("nothing was executed".to_owned()) }
}

/// What was expected of all orders, and of what was executed.
fn values(legs: &[Leg]) -> Option<(Money, Money)> {
    let ordered = legs.iter().try_fold(Money::ZERO, |sum, leg| sum.checked_add(leg.order.expected_value)).ok()?;
    let part = |leg: &Leg| {
        let (value, filled, whole) = (leg.order.expected_value.units(), filled(leg).units(), leg.order.quantity.units());
        wide::mul_div_half_even(value, filled, whole).map(Money::from_units)
    };
    let filled = legs.iter().try_fold(Money::ZERO, |sum, leg| sum.checked_add(part(leg)?)).ok()?;
    (ordered.fits_wire() && filled.fits_wire()).then_some((ordered, filled))
}

/// Units executed as the book has them; of a book that tells no prices those that it has applied.
fn filled(leg: &Leg) -> Quantity {
    leg.deal.map_or(leg.applied, |deal| deal.quantity)
}

fn line(leg: &Leg) -> OrderExecution {
    let deal = dealt(leg);
    let amounts = deal.map(|deal| Amounts::of(leg, &deal));
    let told = Told(amounts.as_ref());
    OrderExecution {
        order_id: leg.order.order_id,
        instrument_id: leg.order.instrument_id.clone(),
        side: leg.order.side,
        wave_number: leg.wave,
        ordered: leg.order.quantity,
        filled: filled(leg),
        fill_rate: ratio(int(filled(leg).units()), int(leg.order.quantity.units())).unwrap_or_default(),
        average_price: deal.and_then(average),
        reference_price: leg.benchmark.planned,
        arrival_price: leg.benchmark.arrival,
        traded_value: told.money(|all| all.traded),
        slippage: told.money(|all| all.slippage),
        slippage_bp: told.bp(|all| all.slippage, |all| all.planned),
        arrival_slippage: told.money(|all| all.arrival_slippage),
        arrival_slippage_bp: told.bp(|all| all.arrival_slippage, |all| all.arrival),
        fees: amounts.as_ref().map(|all| all.fees),
        released_at: leg.released_at,
        first_fill_us: deal.map(|deal| deal.first_at.since(leg.released_at)),
        last_fill_us: deal.map(|deal| deal.last_at.since(leg.released_at)),
    }
}

/// Σ units × price ÷ Σ units, rounded half-even.
fn average(deal: Deal) -> Option<Price> {
    const STEP: Int = ten(Quantity::SCALE + Price::SCALE - Money::SCALE);
    narrow(half_even(int(deal.notional.units()) * STEP, int(deal.quantity.units())))
        .map(Price::from_units)
        .filter(|price| price.fits_wire())
}

// The scale of `worth` is that of values.
const _: () = assert!(Quantity::SCALE + Price::SCALE + Quantity::SCALE + FxRate::SCALE == VALUE);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basis_points_are_rounded_half_even() {
        for (part, whole, said) in
            [(1_i128, 3, "3333.3333"), (-2, 3, "-6666.6667"), (1, 160_000, "0.0625"), (1, 800_000_000, "0"), (3, 800_000_000, "0")]
        {
            assert_eq!(basis_points(int(part), int(whole)).unwrap().to_string(), said, "{part}/{whole}");
        }
        assert_eq!(basis_points(int(1), int(0)), None);
    }
}
