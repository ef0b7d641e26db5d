//! Step 6: what may not be ordered, one file for each rule. A rule looks at one draft, or serves all drafts of
//! a plan in a stated order; it cuts or skips and never lets anything grow.
//!
//! A new rule is a file here and one line in [`LINE_RULES`], or in [`constrain`] where it serves all drafts.

mod cost_above_benefit;
mod do_not_buy;
mod do_not_sell;
mod halted;
mod kill_switch;
mod limit_price;
mod market_closed;
mod max_daily_notional;
mod max_gross;
mod max_order_notional;
mod max_order_quantity;
mod max_orders_per_minute;
mod max_position_weight;
mod max_sector_weight;
mod min_notional;
mod minimum_deviation;
mod price_collar;
mod short;
mod turnover_cap;
mod volume_cap;

#[cfg(test)]
mod sample;

use crate::plan::LimitMet;
use crate::plan::book::Holding;
use crate::plan::desk::{Desk, Wish};
use crate::plan::exact::Int;
use crate::plan::legs::parts;
use crate::plan::slices;
use domain::reason::ReasonCode;

/// One order under review.
#[derive(Clone, Copy)]
pub(crate) struct Draft<'d, 'a> {
    /// The book and its rules.
    pub(crate) desk: &'d Desk<'a>,
    /// Place of its holding.
    pub(crate) index: usize,
    /// Signed units, not zero.
    pub(crate) quantity: i128,
}

impl<'d, 'a> Draft<'d, 'a> {
    /// Its holding.
    pub(crate) fn holding(&self) -> &'d Holding<'a> {
        self.desk.holding(self.index)
    }
    /// |quantity| × reference × multiplier × FX, at scale VALUE.
    pub(crate) fn notional(&self) -> Int {
        self.holding().notional(self.quantity.abs())
    }
    /// Why it would be made.
    pub(crate) fn purpose(&self) -> ReasonCode {
        self.desk.purpose(self.index, self.quantity)
    }
    /// Whether it closes a holding whose target is zero.
    pub(crate) fn is_exit(&self) -> bool {
        self.desk.aim(self.index).target.is_zero()
    }
    /// The one or two orders that it becomes, each in positive units.
    pub(crate) fn orders(&self) -> impl Iterator<Item = i128> {
        parts(self.holding(), self.quantity).into_iter().map(|(_, units)| units)
    }
    /// The largest order that each of them leaves as: it, or a slice.
    pub(crate) fn largest(&self) -> impl Iterator<Item = i128> {
        let size = slices::size(self.desk, self.index, self.quantity).unwrap_or(i128::MAX);
        self.orders().map(move |units| units.min(size))
    }
}

/// What a rule says of a draft that it does not let pass.
pub(crate) enum Ruling {
    /// Leave the instrument alone.
    Skip(ReasonCode),
    /// Order at most so much, signed.
    Cut(i128, ReasonCode),
}

/// A rule about one draft: `None` lets it pass. It may note the numbers behind its ruling.
type LineRule = fn(&Draft, &mut Wish) -> Option<Ruling>;

/// In the order of the conventions: the first that skips gives the reason.
const LINE_RULES: &[LineRule] = &[
    do_not_sell::rule,
    do_not_buy::rule,
    short::rule,
    kill_switch::rule,
    halted::rule,
    market_closed::rule,
    min_notional::rule,
    price_collar::rule,
    limit_price::rule,
    max_order_notional::rule,
    max_order_quantity::rule,
    max_position_weight::rule,
    cost_above_benefit::rule,
];

/// Whether |drift| is too small for an order: the one rule that comes before rounding.
pub(crate) fn deviates(desk: &Desk, index: usize, wish: &mut Wish) -> bool {
    minimum_deviation::deviates(desk, index, wish)
}

/// Step 6: every rule on every draft. Returns the limits of a day and a minute that kept one back.
pub(crate) fn constrain(desk: &Desk, wishes: &mut [Wish]) -> Vec<LimitMet> {
    for (index, wish) in wishes.iter_mut().enumerate() {
        LINE_RULES.iter().for_each(|rule| review(*rule, desk, index, wish));
    }
    max_sector_weight::serve(desk, wishes);
    let met = max_daily_notional::serve(desk, wishes).into_iter().chain(max_orders_per_minute::serve(desk, wishes)).collect();
    for (index, wish) in wishes.iter_mut().enumerate() {
        review(volume_cap::rule, desk, index, wish);
    }
    turnover_cap::serve(desk, wishes);
    again(desk, wishes);
    met
}

/// What cuts may have undone: lots, the smallest order, the weight of sectors, that an order is worth what it costs. Cuts
/// only.
pub(crate) fn again(desk: &Desk, wishes: &mut [Wish]) {
    max_sector_weight::serve(desk, wishes);
    for (index, wish) in wishes.iter_mut().enumerate() {
        review(min_notional::rule, desk, index, wish);
        review(cost_above_benefit::rule, desk, index, wish);
        // What was cut may be large no longer, and leaves whole.
        if desk.slicing().is_some() {
            review(max_order_notional::rule, desk, index, wish);
            review(max_order_quantity::rule, desk, index, wish);
        }
    }
}

/// What is left of the plan as a whole, after its funding. Cuts only.
pub(crate) fn whole(desk: &Desk, wishes: &mut [Wish]) {
    max_gross::serve(desk, wishes);
}

fn review(rule: LineRule, desk: &Desk, index: usize, wish: &mut Wish) {
    if !wish.stands() {
        return;
    }
    let draft = Draft { desk, index, quantity: wish.quantity };
    match rule(&draft, wish) {
        None => {}
        Some(Ruling::Skip(reason)) => wish.skip(reason),
        Some(Ruling::Cut(to, reason)) => wish.cut(to, reason),
    }
}

/// Places of the drafts that stand: sells first, each side by falling |drift|, ties by instrument id.
fn sells_first(desk: &Desk, wishes: &[Wish]) -> Vec<usize> {
    let mut order = desk.by_distance();
    order.retain(|index| wishes[*index].stands());
    order.sort_by_key(|index| wishes[*index].quantity > 0);
    order
}
