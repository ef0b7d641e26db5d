//! What an order is expected to cost: its fee, half of the spread, the impact that it has on the market. Each is an
//! amount in the base currency at the scale of money; what nobody can tell is null and never zero. It moves no cash and
//! cuts no order.
//!
//! Impact follows the square-root law: an order of the part p of an average day's volume costs `impact_bp` × √p of its
//! notional. So it was found in equities, futures and coins alike (Torre, BARRA Market Impact Model Handbook, 1997;
//! Tóth et al., Anomalous Price Impact and the Critical Nature of Liquidity, Phys. Rev. X 1, 2011), with a coefficient
//! near the volatility of a day.

use super::desk::{Desk, Wish};
use super::exact::{Int, SHARE, VALUE, ceiling, int, narrow, rescaled, root_above, ten, wide};
use super::legs::parts;
use bnum::cast::As;
use domain::policy::CostModel;
use domain::{Bps, Fraction, Money, Price, Quantity, SmolStr};
use serde::{Deserialize, Serialize};

/// Decimals of basis points as a part of one.
const BP: u32 = Bps::SCALE + 4;

/// What one order is expected to cost, in the base currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Costs {
    /// rate × notional + fixed, rounded half-even.
    pub fees: Money,
    /// Half of the spread, rounded up; null without a quote and without the policy's default.
    pub spread: Option<Money>,
    /// Market impact, rounded up; null without the policy's coefficient or without a known volume.
    pub impact: Option<Money>,
}

impl Costs {
    /// Of no order.
    pub(crate) const fn of_nothing() -> Self {
        Self { fees: Money::ZERO, spread: Some(Money::ZERO), impact: Some(Money::ZERO) }
    }
    /// All of it; `None` where a part is not known or the sum leaves the range of money.
    pub fn total(&self) -> Option<Money> {
        self.fees.checked_add(self.spread?).ok()?.checked_add(self.impact?).ok()
    }
    /// With another order's; what is not known of one is not known of both. `None` beyond the range of money.
    pub(crate) fn and(self, other: Self) -> Option<Self> {
        let both = |a: Option<Money>, b: Option<Money>| a.zip(b).map(|(a, b)| a.checked_add(b)).transpose().ok();
        Some(Self {
            fees: self.fees.checked_add(other.fees).ok()?,
            spread: both(self.spread, other.spread)?,
            impact: both(self.impact, other.impact)?,
        })
    }
}

/// Where the half of a spread is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HalfSpread {
    /// ask − bid of the instrument's own quote, in its currency.
    Quoted(Price),
    /// The policy's default.
    Default(Bps),
    /// From nowhere.
    Unknown,
}

/// The half of a holding's spread. A quote wider than its price says nothing.
pub(crate) fn half_spread(desk: &Desk, index: usize) -> HalfSpread {
    let at = desk.holding(index).at;
    let quoted = at.bid.zip(at.ask).and_then(|(bid, ask)| ask.checked_sub(bid).ok().filter(|_| bid.is_positive()));
    match (quoted.filter(|wide| !wide.is_negative() && at.price.is_some_and(|price| *wide <= price)), model(desk).half_spread_bp) {
        (Some(wide), _) => HalfSpread::Quoted(wide),
        (None, Some(bp)) => HalfSpread::Default(bp),
        (None, None) => HalfSpread::Unknown,
    }
}

/// Units that the instrument trades on an average day, where that is known.
fn volume(desk: &Desk, index: usize) -> Option<Quantity> {
    desk.holding(index).at.average_daily_volume.filter(|volume| volume.is_positive() && volume.fits_wire())
}

fn model<'a>(desk: &Desk<'a>) -> &'a CostModel {
    &desk.input.rules.orders.costs
}

/// What a leg of so many units costs, being a part of an order of `whole` units; `None` beyond the range of money.
pub(crate) fn of_leg(desk: &Desk, index: usize, units: i128, whole: i128) -> Option<Costs> {
    let money = |units: i128| Some(Money::from_units(units)).filter(|money| money.fits_wire());
    let notional = desk.holding(index).notional(units);
    Some(Costs {
        fees: money(rescaled(desk.fees(notional, 1), SHARE, Money::SCALE)?)?,
        spread: match spread(desk, index, units) {
            Some(spread) => Some(money(narrow(spread)?)?),
            None => None,
        },
        impact: match impact(desk, index, notional, whole) {
            Some(impact) => Some(money(narrow(impact)?)?),
            None => None,
        },
    })
}

/// What the one or two legs of a signed quantity cost together.
pub(crate) fn of_order(desk: &Desk, index: usize, quantity: i128) -> Option<Costs> {
    let legs = parts(desk.holding(index), quantity).into_iter().map(|(_, units)| of_leg(desk, index, units, quantity));
    legs.reduce(|sum, leg| sum?.and(leg?)).flatten()
}

/// Half of the spread in units of money, rounded up.
fn spread(desk: &Desk, index: usize, units: i128) -> Option<Int> {
    const MONEY: Int = ten(VALUE - Money::SCALE);
    let holding = desk.holding(index);
    match half_spread(desk, index) {
        HalfSpread::Quoted(wide) => Some(ceiling(int(units) * int(wide.units()) * holding.each(), MONEY * Int::TWO)),
        HalfSpread::Default(bp) => Some(ceiling(holding.notional(units) * int(bp.units()), MONEY * ten(BP))),
        HalfSpread::Unknown => None,
    }
}

/// notional × coefficient × √(|whole| ÷ volume) in units of money, rounded up.
fn impact(desk: &Desk, index: usize, notional: Int, whole: i128) -> Option<Int> {
    let coefficient = model(desk).impact_bp?;
    if coefficient.is_zero() {
        return Some(Int::ZERO);
    }
    let volume = volume(desk, index)?;
    let at_once = wide(notional) * wide(int(coefficient.units()));
    let step = wide(ten(VALUE - Money::SCALE + BP));
    let root = root_above(at_once * at_once * wide(int(whole).abs()), step * step * wide(int(volume.units())));
    Some(root.as_::<Int>())
}

/// What cannot be told of the costs of what is wanted, in words; nothing where the policy asks for none.
pub(crate) fn unknown(desk: &Desk, wishes: &[Wish]) -> Option<SmolStr> {
    let costs = model(desk);
    costs.half_spread_bp.or(costs.impact_bp)?;
    let wanted: Vec<_> = (0..wishes.len()).filter(|index| wishes[*index].wanted != 0).collect();
    let names = |missing: &dyn Fn(usize) -> bool| -> Vec<SmolStr> {
        wanted.iter().filter(|index| missing(**index)).map(|index| desk.holding(*index).at.instrument_id.as_str().into()).collect()
    };
    let unquoted = names(&|index| half_spread(desk, index) == HalfSpread::Unknown);
    let silent = names(&|index| costs.impact_bp.is_some_and(|bp| !bp.is_zero()) && volume(desk, index).is_none());
    let mut said = Vec::new();
    if !unquoted.is_empty() {
        said.push(format!(
            "no spread is known of {}: publish bid and ask, or set orders.costs.half_spread_bp",
            super::gates::list(&unquoted)
        ));
    }
    if !silent.is_empty() {
        said.push(format!("no impact is known of {}: publish average_daily_volume with the instrument", super::gates::list(&silent)));
    }
    if costs.impact_bp.is_none() && !wanted.is_empty() {
        said.push("no impact is known: set orders.costs.impact_bp".to_owned());
    }
    (!said.is_empty()).then(|| SmolStr::new(said.join("; ")))
}

/// Drift that a signed quantity takes away: |value − target × equity| before less after, at scale SHARE + 12. Open orders
/// count as done, and equity less the reserve where that scales targets.
pub(crate) fn drift_removed(desk: &Desk, index: usize, quantity: i128) -> Int {
    const STEP: Int = ten(2 * Fraction::SCALE);
    let holding = desk.holding(index);
    let target = int(desk.aim(index).target.units()) * desk.base;
    let from = |units: i128| (holding.worth(units) * STEP - target).abs();
    (from(holding.expected()) - from(holding.expected() + quantity)).max(Int::ZERO)
}

/// What so much drift taken away is worth in units of money, rounded down: drift × rate × days ÷ 365.
pub(crate) fn benefit(removed: Int, rate: Bps, days: i32) -> Int {
    const YEAR: i128 = 365;
    let step = ten(SHARE + Fraction::SCALE - Money::SCALE + BP) * int(YEAR);
    removed * int(rate.units()) * int(i128::from(days)) / step
}
