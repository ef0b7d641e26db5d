//! I8: orders that leave twice, that no event tells of, or of more than was planned, and cycles that end or begin twice.

use super::super::story::*;
use super::{finds, passes};
use domain::enums::RebalanceStatus;
use domain::order::NamedNumber;
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
    finds("I8", &["asks for 18", "was filled 19"], |story| story.wave().orders[0].quantity = v("18"));
    let mut flagged = clean();
    flagged.wave().orders[0].quantity = v("18");
    flagged.snapshot(2).health.unreconciled = true;
    passes(&flagged);
}
