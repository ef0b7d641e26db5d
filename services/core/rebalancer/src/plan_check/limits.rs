//! Laws about how much may be ordered: one order, all orders, the weights that they lead to.

use super::Violations;
use super::exact::Exact;
use super::view::{Row, View};
use domain::SmolStr;
use domain::enums::{CashBasis, Rounding, Side};
use std::collections::BTreeMap;

/// Limits of single orders.
pub(super) fn orders(view: &View, found: &mut Violations) {
    let (limits, orders) = (view.input.rules.limits, view.input.rules.orders);
    for leg in &view.plan.legs {
        // Each order that leaves is held to them: a slice, where it leaves in slices.
        let largest = view.leaves(leg);
        let Some(value) = view.row(&leg.instrument_id).map(|row| &Exact::from(largest) * &row.quoted) else { continue };
        let over = limits.max_order_notional.is_some_and(|limit| value > Exact::from(limit));
        found.law("max_order_notional", over, || format!("{}: {value}", leg.instrument_id));
        let over = limits.max_order_quantity.is_some_and(|limit| largest > limit);
        found.law("max_order_quantity", over, || format!("{}: {}", leg.instrument_id, leg.quantity));
        let Some(row) = view.row(&leg.instrument_id) else { continue };
        // On the way across zero the holding is closed by an exit, though nothing be sold short behind it.
        let rest = &row.sellable - &Exact::from(leg.quantity);
        let sells_all = view.target_is_short(row) && rest.sign() >= 0 && rest < view.lot(row);
        let closes = view.target_is_zero(row) || leg.side == Side::Sell && (row.shorted.sign() > 0 || sells_all);
        let Some(whole) = view.notional(leg) else { continue };
        let small = !view.parts && whole < Exact::from(orders.min_notional) && !(orders.exit_exempt && closes);
        found.law("min_notional", small, || format!("{}: {whole}", leg.instrument_id));
    }
    for row in view.ordered() {
        let units = row.ordered().abs();
        let over = orders
            .volume_cap
            .is_some_and(|cap| row.line.average_daily_volume.is_none_or(|volume| units > &Exact::from(cap) * &Exact::from(volume)));
        found.law("volume_cap", over, || format!("{}: {units}", row.id()));
    }
}

/// Limits of all orders together.
pub(super) fn sums(view: &View, found: &mut Violations) {
    let (limits, legs) = (view.input.rules.limits, &view.plan.legs);
    if let Some(limit) = limits.max_daily_notional {
        let released = Exact::from(view.input.released_today);
        let sum = legs.iter().fold(released, |sum, leg| &sum + &Exact::from(leg.expected_value));
        found.law("max_daily_notional", !legs.is_empty() && sum > Exact::from(limit), || sum.to_string());
    }
    if let Some(limit) = limits.max_orders_per_minute {
        let orders = legs.len() as i128 + i128::from(view.input.orders_last_minute);
        found.law("max_orders_per_minute", !legs.is_empty() && orders > i128::from(limit), || orders.to_string());
    }
    if let Some(cap) = view.input.rules.orders.turnover_cap {
        let sum = legs.iter().filter_map(|leg| view.notional(leg)).fold(Exact::zero(), |sum, value| &sum + &value);
        found.law("turnover_cap", sum > &Exact::from(cap) * &view.equity, || sum.to_string());
    }
}

/// Weights that orders lead to, where they move away from zero.
pub(super) fn weights(view: &View, found: &mut Violations) {
    let limits = view.input.rules.limits;
    let (sold, all) = (sectors(view, false), sectors(view, true));
    for row in view.ordered() {
        let after = &row.expected() + &row.ordered();
        let away = after.sign() == row.ordered().sign();
        if let Some(limit) = limits.max_position_weight.filter(|_| away) {
            let value = &after.abs() * &row.unit;
            found.law("max_position_weight", value > &Exact::from(limit) * &view.equity, || format!("{}: {value}", row.id()));
        }
        // A sell must fit before any buy has filled.
        let sectors = if row.ordered().sign() > 0 { &all } else { &sold };
        let net = row.line.sector.as_ref().and_then(|sector| sectors.get(sector));
        if let (Some(limit), Some(net)) = (limits.max_sector_weight, net) {
            let over = net.sign() == row.ordered().sign() && net.abs() > &Exact::from(limit) * &view.equity;
            found.law("max_sector_weight", over, || format!("{}: {net}", row.id()));
        }
    }
}

/// Σ |value| beyond `max_gross`, where an order adds to it: sells before any buy has filled.
pub(super) fn gross(view: &View, found: &mut Violations) {
    let nearest = view.input.rules.orders.rounding == Rounding::Nearest;
    let half = |row: &Row| &(&view.lot(row) * &row.unit) * &Exact::new(5, 1);
    let slack = view.ordered().filter(|row| nearest && !view.target_is_zero(row)).fold(Exact::zero(), |sum, row| &sum + &half(row));
    let most = &(&Exact::from(view.input.rules.orders.max_gross) * &view.equity) + &slack;
    for buys in [false, true] {
        let after = |row: &Row| {
            let counts = buys || row.ordered().sign() < 0;
            if counts { &row.expected() + &row.ordered() } else { row.expected() }
        };
        let mut grown = view.ordered().filter(|row| (row.ordered().sign() > 0) == buys && after(row).abs() > row.expected().abs());
        let sum = view.rows.iter().fold(Exact::zero(), |sum, row| &sum + &(&after(row).abs() * &row.unit));
        found.law("max_gross", sum > most && grown.next().is_some(), || sum.to_string());
    }
}

/// Net value of each sector after the sells, and after the buys too.
fn sectors<'a>(view: &View<'a>, buys: bool) -> BTreeMap<&'a SmolStr, Exact> {
    let mut sums = BTreeMap::new();
    for row in &view.rows {
        let Some(sector) = &row.line.sector else { continue };
        let ordered = if buys || row.ordered().sign() < 0 { row.ordered() } else { Exact::zero() };
        let sum = sums.entry(sector).or_insert_with(Exact::zero);
        *sum = &*sum + &(&(&row.expected() + &ordered) * &row.unit);
    }
    sums
}

/// Whole lots, but for exits.
pub(super) fn lots(view: &View, found: &mut Violations) {
    if view.input.rules.orders.rounding == Rounding::None {
        return;
    }
    for row in view.ordered().filter(|row| !view.target_is_zero(row)) {
        let whole = row.ordered().is_multiple_of(&Exact::from(row.line.lot_size));
        found.law("whole lots", !whole, || format!("{}: {}", row.id(), row.ordered()));
    }
}

/// Buys never need more than the cash that they may use.
pub(super) fn cash(view: &View, found: &mut Violations) {
    let orders = view.input.rules.orders;
    if !orders.cash_limited || view.plan.buys().next().is_none() {
        return;
    }
    let mut left = &view.spendable - &(&Exact::from(orders.cash_reserve) * &view.equity);
    // In the cash, and lent: what short sales brought is not spent.
    left = &left - &Exact::from(view.input.short_proceeds);
    for order in view.input.open.iter().filter(|order| order.side == Side::Buy && order.remaining.is_positive()) {
        left = &left - &Exact::from(order.expected_value);
    }
    for leg in &view.plan.legs {
        let (Some(row), Some(value), Some(interest)) = (view.row(&leg.instrument_id), view.most(leg), view.interest(leg)) else { continue };
        let units = Exact::from(leg.quantity);
        left = &left - &(&(&value * &Exact::from(orders.fees.rate)) + &Exact::from(orders.fees.fixed));
        left = match (leg.side, row.is_future()) {
            // Unsettled until later: only what a future loses counts at once.
            (Side::Sell, _) if orders.cash_basis == CashBasis::Settled => &left + &(&units * &row.worth.clone().min(Exact::zero())),
            (Side::Sell, _) => &left + &(&units * &row.worth),
            (Side::Buy, false) => &left - &(&value + &interest),
            // What covering a future loses is paid; what it gains is not spent.
            (Side::Buy, true) => &left - &(&units.min((-&row.held).max(Exact::zero())) * &row.worth.clone().max(Exact::zero())),
            _ => left,
        };
    }
    found.law("cash is never overdrawn", left.sign() < 0, || left.to_string());
}
