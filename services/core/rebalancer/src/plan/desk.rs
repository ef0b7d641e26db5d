//! Everything that steps 1 to 4 found, side by side, for the steps that make orders of it.
//! It decides nothing.

use super::allocation::{Aim, Allocation, Share, allocate};
use super::book::{Book, Holding};
use super::breach::{Cause, Scoped, Side, goal, scope};
use super::exact::{Int, int, money, ten};
use super::gates::open_gates;
use super::input::PlanInput;
use super::refusal::Refusal;
use domain::enums::Rounding;
use domain::order::NamedNumber;
use domain::policy::{CostModel, Slicing};
use domain::reason::ReasonCode;
use domain::{Bps, Fraction, Money, Quantity, SmolStr};

/// The book, the policy laid over it, and what is planned.
#[derive(Debug)]
pub(crate) struct Desk<'a> {
    /// What the plan is made from.
    pub(crate) input: PlanInput<'a>,
    /// Exact numbers of the book.
    pub(crate) book: Book<'a>,
    /// Targets and bounds.
    pub(crate) allocation: Allocation,
    /// Breaches.
    pub(crate) scoped: Scoped,
    /// Goals at scale WEIGHT, one for each holding.
    pub(crate) goals: Vec<Int>,
    /// The equity that goals apply to, at scale SHARE.
    pub(crate) base: Int,
    /// Whether orders are weighed against what they cost.
    pub(crate) weighs: bool,
    /// Whether what is asked for are parts of orders that were planned whole: what only a whole order must be was held
    /// against that.
    pub(crate) parts: bool,
}

impl<'a> Desk<'a> {
    /// Steps 1 to 4.
    pub(crate) fn open(input: &PlanInput<'a>) -> Result<Self, Refusal> {
        open_gates(input)?;
        sane(input)?;
        let book = Book::read(input)?;
        let allocation = allocate(&input.rules, &book, input.scale())?;
        let scoped = scope(input, &book, &allocation)?;
        let sides = scoped.sides.iter().zip(&allocation.aims);
        let goals = sides.map(|(side, aim)| goal(input.rules.trigger.goal, *side, &aim.bounds)).collect::<Result<_, _>>()?;
        let reserve = if input.rules.orders.reserve_scales_targets { input.rules.orders.cash_reserve } else { Fraction::ZERO };
        let base = book.equity * (int(Fraction::ONE.units()) - int(reserve.units()));
        Ok(Self { input: *input, book, allocation, scoped, goals, base, weighs: false, parts: false })
    }
    /// How large orders leave in slices, where they do and are not parts already.
    pub(crate) fn slicing(&self) -> Option<&'a Slicing> {
        self.input.rules.orders.slicing.as_ref().filter(|_| !self.parts)
    }
    /// The holding at that place.
    pub(crate) fn holding(&self, index: usize) -> &Holding<'a> {
        &self.book.holdings[index]
    }
    /// Target and bounds of the holding at that place.
    pub(crate) fn aim(&self, index: usize) -> &Aim {
        &self.allocation.aims[index]
    }
    /// On which side of zero the goal lies; of an edge of zero its target's: who goes a lot past it enters the band.
    pub(crate) fn goal_side(&self, index: usize) -> i128 {
        let (goal, target) = (self.goals[index], self.aim(index).target.units());
        if goal.is_zero() {
            target.signum()
        } else if goal.is_negative() {
            -1
        } else {
            1
        }
    }
    /// The goal of the group whose target a holding shares, at scale WEIGHT, and the share.
    pub(crate) fn shared_goal(&self, index: usize) -> Option<(Int, &Share)> {
        let share = self.aim(index).share.as_ref()?;
        let side = if share.part.is_positive() { self.scoped.sides[index] } else { self.scoped.sides[index].other() };
        // Where the goal is a symbol that nobody knows, no desk opens.
        goal(self.input.rules.trigger.goal, side, &share.bounds).ok().map(|goal| (goal, share))
    }
    /// |value − target × equity|, at scale SHARE.
    pub(crate) fn distance(&self, index: usize) -> Int {
        self.drift(index).abs()
    }
    /// value − target × equity, at scale SHARE.
    pub(crate) fn drift(&self, index: usize) -> Int {
        const ONE: Int = ten(Fraction::SCALE);
        self.holding(index).value * ONE - int(self.aim(index).target.units()) * self.book.equity
    }
    /// Units in one step of an order's quantity.
    pub(crate) fn lot(&self, index: usize) -> i128 {
        if self.input.rules.orders.rounding == Rounding::None { 1 } else { self.holding(index).at.lot_size.units() }
    }
    /// The quantity cut toward zero to whole lots.
    pub(crate) fn whole_lots(&self, index: usize, quantity: i128) -> i128 {
        let lot = self.lot(index);
        quantity / lot * lot
    }
    /// Places of all holdings, the largest |drift| first, ties by instrument id.
    pub(crate) fn by_distance(&self) -> Vec<usize> {
        let mut order: Vec<_> = (0..self.book.holdings.len()).map(|index| (self.distance(index), index)).collect();
        order.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| self.holding(a.1).at.instrument_id.cmp(&self.holding(b.1).at.instrument_id)));
        order.into_iter().map(|(_, index)| index).collect()
    }
    /// Expected fee of orders of so much notional (scale VALUE), at scale SHARE.
    pub(crate) fn fees(&self, notional: Int, orders: i128) -> Int {
        let fees = &self.input.rules.orders.fees;
        notional * int(fees.rate.units()) + self.fixed_fee() * int(orders)
    }
    /// The fixed fee of one order, at scale SHARE.
    pub(crate) fn fixed_fee(&self) -> Int {
        money(self.input.rules.orders.fees.fixed) * ten(Fraction::SCALE)
    }
    /// Why an order in that direction is made, once it passes everything.
    pub(crate) fn purpose(&self, index: usize, quantity: i128) -> ReasonCode {
        match (self.aim(index).target.is_zero(), self.scoped.cause, quantity < 0) {
            (true, ..) if (quantity < 0) == (self.holding(index).held() > 0) => ReasonCode::Exit,
            (_, Cause::Cash(Side::Below), true) => ReasonCode::CashRaise,
            (_, Cause::Cash(Side::Above), false) => ReasonCode::CashInvest,
            (.., true) => ReasonCode::DriftSell,
            (.., false) => ReasonCode::DriftBuy,
        }
    }
}

/// Furthest limit price from the reference: all of it. Products in [`super::exact`] bear no more.
const MOST_OFFSET: Bps = Bps::from_units(10_000 * Bps::ONE.units());

/// Rules whose numbers no arithmetic here can bear. A policy that was validated has none of them.
fn sane(input: &PlanInput) -> Result<(), Refusal> {
    let (orders, limits) = (&input.rules.orders, &input.rules.limits);
    let part = |fraction: Fraction| !fraction.is_negative() && fraction <= Fraction::ONE;
    let whole = |fraction: Option<Fraction>| fraction.is_none_or(|f| !f.is_negative() && f.fits_wire());
    let right = part(orders.cash_reserve)
        && part(orders.fees.rate)
        && !orders.fees.fixed.is_negative()
        && orders.fees.fixed.fits_wire()
        && orders.min_notional.fits_wire()
        && orders.limit_offset_bp.units().abs() <= MOST_OFFSET.units()
        && orders.rounding != Rounding::Unknown
        && sane_costs(&orders.costs)
        && whole(Some(orders.max_gross))
        && whole(orders.turnover_cap)
        && whole(orders.volume_cap)
        && orders.slicing.as_ref().is_none_or(sane_slices)
        && whole(limits.max_position_weight)
        && whole(limits.max_sector_weight)
        && limits.price_collar_bp.is_none_or(|bp| bp.fits_wire())
        && input.rules.trigger.minimum_deviation.fits_wire()
        && input.released_today.fits_wire()
        && !input.short_proceeds.is_negative()
        && input.short_proceeds.fits_wire();
    if right { Ok(()) } else { Err(Refusal::allocation("orders or limits hold a number out of its range: publish a corrected policy")) }
}

fn sane_costs(costs: &CostModel) -> bool {
    let inside = |bp: &Option<Bps>| bp.is_none_or(|bp| !bp.is_negative() && bp <= MOST_OFFSET);
    [&costs.half_spread_bp, &costs.impact_bp, &costs.benefit_bp].into_iter().all(inside) && costs.benefit_days.is_positive()
}

fn sane_slices(slicing: &Slicing) -> bool {
    let share = slicing.participation.is_none_or(|share| share.is_positive() && share <= Fraction::ONE);
    let one = slicing.waves.is_some() != slicing.participation.is_some();
    let above = !slicing.above_volume.is_negative() && slicing.above_volume.fits_wire();
    one && share && above && slicing.waves.is_none_or(|waves| waves >= 2)
}

/// What becomes of one holding.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    /// What step 5 asks for, signed.
    pub(crate) wanted: i128,
    /// What is left of it, signed.
    pub(crate) quantity: i128,
    /// Why it was cut or left alone.
    pub(crate) reason: Option<ReasonCode>,
    /// The numbers behind it.
    pub(crate) numbers: Vec<NamedNumber>,
    /// Where it was weighed: what it costs, where that is known, and what it brings.
    pub(crate) weighed: Option<(Option<Money>, Money)>,
}

impl Wish {
    /// Nothing wanted, for that reason.
    pub(crate) fn none(reason: ReasonCode) -> Self {
        Self { wanted: 0, quantity: 0, reason: Some(reason), numbers: Vec::new(), weighed: None }
    }
    /// An order wanted.
    pub(crate) fn of(wanted: i128) -> Self {
        Self { wanted, quantity: wanted, reason: None, numbers: Vec::new(), weighed: None }
    }
    /// Whether something is to be ordered.
    pub(crate) fn stands(&self) -> bool {
        self.quantity != 0
    }
    /// Leaves the instrument alone.
    pub(crate) fn skip(&mut self, reason: ReasonCode) {
        self.quantity = 0;
        self.reason = Some(reason);
    }
    /// Orders less; never more, never in the other direction.
    pub(crate) fn cut(&mut self, to: i128, reason: ReasonCode) {
        let to = if self.quantity > 0 { to.clamp(0, self.quantity) } else { to.clamp(self.quantity, 0) };
        if to != self.quantity {
            self.quantity = to;
            self.reason = Some(reason);
        }
    }
    /// Notes a number, once a name.
    pub(crate) fn note(&mut self, name: &'static str, value: impl std::fmt::Display) {
        if !self.numbers.iter().any(|number| number.name == name) {
            let value = SmolStr::new(value.to_string());
            self.numbers.push(NamedNumber { name: SmolStr::new_static(name), value });
        }
    }
    /// Notes a number in place of what was noted by that name.
    pub(crate) fn note_anew(&mut self, name: &'static str, value: impl std::fmt::Display) {
        self.numbers.retain(|number| number.name != name);
        self.note(name, value);
    }
    /// Notes a quantity.
    pub(crate) fn note_units(&mut self, name: &'static str, units: i128) {
        self.note(name, Quantity::from_units(units));
    }
}
