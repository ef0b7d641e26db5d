//! I8: orders that leave twice, that no event tells of, or of more than was planned, and cycles that end or begin twice.

use super::super::seen::REBALANCER;
use super::super::story::*;
use super::{finds, passes};
use domain::drift::RecentOrder;
use domain::enums::{RebalanceStatus, Side};
use domain::order::NamedNumber;
use domain::reason::ReasonCode;
use domain::{Output, RebalanceId, Uuid};

#[test]
fn i8_orders_and_cycles() {
    finds("I8", &["was ordered before, at rebalance.orders.v1/0@0"], |story| {
        let mut again = story.wave().clone();
        again.wave_id = Uuid::from_u128(10);
        story.steps()[1].outputs.push(Output::OrderWave(Box::new(again)));
    });
    finds("I8", &["of which no event tells"], |story| story.wave().rebalance_id = RebalanceId(Uuid::from_u128(8)));
    finds("I8", &["is RELEASED while", "is open"], |story| {
        let Output::RebalanceEvent(mut other) = event(RebalanceStatus::Released, true) else { unreachable!() };
        other.rebalance_id = RebalanceId(Uuid::from_u128(8));
        story.steps()[1].outputs.push(Output::RebalanceEvent(other));
    });
    finds("I8", &["is RELEASED after it ended"], |story| {
        let again = event(RebalanceStatus::Released, true);
        story.steps()[5].outputs.push(again);
    });
    let asked = |story: &mut Story, units: &str| {
        story.event(0).explanation[0].numbers = vec![NamedNumber { name: "ordered".into(), value: units.into() }];
    };
    let mut planned = clean();
    asked(&mut planned, "19");
    passes(&planned);
    finds("I8", &["19 of AAPL have left", "planned were 18"], |story| asked(story, "18"));
}

/// The order asks for 18 and is filled 19; the drift events behind that fill say so.
fn filled_beyond_its_size(story: &mut Story) {
    story.wave().orders[0].quantity = v("18");
    for event in 1..=2 {
        story.drift(event).recent_orders = vec![recent("19")];
    }
}

fn recent(executed: &str) -> RecentOrder {
    RecentOrder {
        order_id: order_id(),
        executed_quantity: v(executed),
        instrument_id: Some(v("AAPL")),
        side: Side::Buy,
        contradicted: false,
        notional: None,
        fees: None,
        first_fill_at: None,
        last_fill_at: None,
    }
}

#[test]
fn i8_an_order_filled_beyond_its_size_is_said() {
    finds("I8", &["asks for 18", "was filled 19"], filled_beyond_its_size);
    let mut flagged = clean();
    filled_beyond_its_size(&mut flagged);
    flagged.snapshot(2).health.unreconciled = true;
    passes(&flagged);
    let mut named = clean();
    filled_beyond_its_size(&mut named);
    named.event(1).code = Some(ReasonCode::Unreconciled);
    named.event(1).text = Some(format!("the book has executions of 19 for order {}", order_id()).into());
    passes(&named);
}

#[test]
fn i8_executed_units_are_those_booked() {
    let mut told = clean();
    told.drift(1).recent_orders = vec![recent("19")];
    passes(&told);
    for wrong in ["18", "20"] {
        finds("I8", &["of order", "were executed, booked were 19"], |story| story.drift(2).recent_orders = vec![recent(wrong)]);
    }
}

#[test]
fn i8_nothing_is_owed_before_the_rebalancer_was_told() {
    let mut untold = clean();
    filled_beyond_its_size(&mut untold);
    for event in 1..=2 {
        untold.drift(event).recent_orders = Vec::new();
    }
    passes(&untold);
    let mut unread = clean();
    filled_beyond_its_size(&mut unread);
    assert!(matches!(unread.events.pop(), Some(Event::Step(step)) if step.role == REBALANCER));
    passes(&unread);
    // Its step was begun, and is not done.
    let mut torn = clean();
    filled_beyond_its_size(&mut torn);
    let Some(Event::Step(last)) = torn.events.pop() else { unreachable!() };
    torn.events.push(Event::Torn(last, 0));
    passes(&torn);
}
