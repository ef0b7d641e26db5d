//! Laws about the plan as a document: complete, in order, and true to what it was made from.

use super::Violations;
use super::exact::Exact;
use super::view::View;
use crate::plan::{Leg, Plan, PlanInput, Verdict};
use domain::enums::{Decision, OrderType, PriceFlag, Side};
use domain::{Bps, Money};
use std::collections::{BTreeMap, BTreeSet};

/// Every line has one explanation, whatever the verdict; only a plan with orders has legs.
pub(super) fn complete(input: &PlanInput, plan: &Plan, found: &mut Violations) {
    let lines: Vec<_> = input.drift.lines.iter().map(|line| &line.instrument_id).collect();
    let explained: Vec<_> = plan.explanation.iter().map(|line| &line.instrument_id).collect();
    found.law("one explanation for every line", lines != explained, || format!("{lines:?} explained as {explained:?}"));
    for (name, weights) in [("old", &plan.old_allocations), ("new", &plan.new_allocations)] {
        let listed = weights.iter().map(|line| &line.instrument_id).eq(lines.iter().copied());
        found.law("allocations list every line", !listed, || format!("the {name} ones do not"));
    }
    let orders = plan.verdict == Verdict::Orders;
    found.law("legs if and only if the verdict is orders", orders == plan.legs.is_empty(), || format!("{:?}", plan.verdict));
    let legs: BTreeSet<_> = plan.legs.iter().map(|leg| &leg.instrument_id).collect();
    for line in &plan.explanation {
        let ordered = legs.contains(&line.instrument_id);
        let said = matches!(line.decision, Decision::Order | Decision::Cut);
        found.law("decisions tell of legs", ordered != said, || format!("{}: {}", line.instrument_id, line.decision));
        let plain = line.numbers.iter().all(|n| n.value.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-'));
        found.law("numbers are plain decimals", !plain, || line.instrument_id.to_string());
    }
}

/// Orders stand on a fit book: no halt, no backlog, no flag, fresh positive prices, equity above zero.
pub(super) fn fit(view: &View, found: &mut Violations) {
    let (input, health) = (view.input, &view.input.drift.health);
    let halted = input.halted.firm || input.halted.portfolio || input.halted.strategy.is_some() || input.behind;
    found.law("no plan while halted or behind", halted, String::new);
    let unfit = !health.complete
        || health.quarantined
        || health.unreconciled
        || !health.anomalies.is_empty()
        || health.waiting != 0
        || !health.stale.is_empty()
        || !health.unpriced.is_empty();
    found.law("no plan on an unfit book", unfit, || format!("{health:?}"));
    for row in &view.rows {
        let fresh = row.line.price_flag == PriceFlag::Fresh && row.unit.sign() > 0 && row.quoted.sign() > 0;
        found.law("no plan without fresh prices", !fresh, || row.id().to_string());
    }
    found.law("no plan without equity", view.equity.sign() <= 0, || view.equity.to_string());
}

/// Sells before buys, one direction an instrument, SELL within the holding, SELL_SHORT only beyond it.
pub(super) fn sides(view: &View, found: &mut Violations) {
    let legs = &view.plan.legs;
    let buys_first = legs.windows(2).any(|pair| pair[0].side == Side::Buy && pair[1].side != Side::Buy);
    found.law("sells before buys", buys_first, String::new);
    let waits = view.plan.waits_for_sells;
    let mixed = legs.iter().any(|leg| leg.side == Side::Buy) && legs.iter().any(|leg| leg.side != Side::Buy);
    found.law("only buys wait, and only for sells", waits && !mixed, String::new);
    let mut seen = BTreeMap::<_, Side>::new();
    for leg in legs {
        let id = &leg.instrument_id;
        found.law("legs have positive quantities and a side", !leg.quantity.is_positive() || leg.side == Side::Unknown, || id.to_string());
        found.law("legs are of lines of the event", view.row(id).is_none(), || id.to_string());
        let before = seen.insert(id, leg.side);
        let crossing = before == Some(Side::Sell) && leg.side == Side::SellShort;
        found.law("one direction an instrument", before.is_some() && !crossing, || id.to_string());
    }
    for row in view.ordered() {
        found.law("never more sold than held", row.sold > row.sellable, || format!("{}: {} of {}", row.id(), row.sold, row.sellable));
        let early = row.shorted.sign() > 0 && row.sold < row.sellable;
        found.law("short only beyond the holding", early, || row.id().to_string());
        let short = row.shorted.sign() > 0 && !view.input.rules.orders.allow_short;
        found.law("short only where allowed", short, || row.id().to_string());
    }
}

/// A leg repeats the event's price, time and currency; its value is that price's; its limit lies on the tick.
pub(super) fn references(view: &View, found: &mut Violations) {
    for leg in &view.plan.legs {
        let Some(row) = view.row(&leg.instrument_id) else { continue };
        let line = row.line;
        let same = Some(leg.reference_price) == line.price && Some(leg.reference_time) == line.price_time && leg.currency == line.currency;
        found.law("references are the event's", !same, || leg.instrument_id.to_string());
        let value = &Exact::from(leg.quantity) * &row.quoted;
        let off = (&value - &Exact::from(leg.expected_value)).abs() > Exact::from(Money::from_units(1));
        found.law("expected value is quantity at the reference", off, || format!("{}: {value}", leg.instrument_id));
        limit_price(view, leg, line.tick_size, found);
    }
}

fn limit_price(view: &View, leg: &Leg, tick: Option<domain::Price>, found: &mut Violations) {
    let orders = view.input.rules.orders;
    let wanted = orders.order_type == OrderType::Limit;
    found.law("limit orders have a limit price", wanted != leg.limit_price.is_some(), || leg.instrument_id.to_string());
    let Some(price) = leg.limit_price else { return };
    let tick = Exact::from(tick.filter(|tick| tick.is_positive()).unwrap_or(domain::Price::from_units(1)));
    let price = Exact::from(price);
    found.law("limit prices lie on the tick", price.sign() <= 0 || !price.is_multiple_of(&tick), || {
        format!("{}: {price}", leg.instrument_id)
    });
    let whole = Exact::from(Bps::from_units(Bps::ONE.units() * 10_000));
    let offset = Exact::from(orders.limit_offset_bp);
    let part = if leg.side == Side::Buy { &whole + &offset } else { &whole - &offset };
    // price × 10,000 bp against reference × (10,000 bp ± offset): within a tick, on the cautious side.
    let gap = &(&Exact::from(leg.reference_price) * &part) - &(&price * &whole);
    let gap = if leg.side == Side::Buy { gap } else { -&gap };
    found.law("limit prices keep the offset", gap.sign() < 0 || gap >= &tick * &whole, || format!("{}: {price}", leg.instrument_id));
}
