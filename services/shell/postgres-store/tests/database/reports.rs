//! Reports of orders that go back: what the service does not take over changes no row.

use crate::projections::{order, status};
use crate::scratch::{Scratch, apply};
use postgres_store::projections::ProjectionBatch;

#[tokio::test]
async fn a_report_that_goes_back_changes_nothing() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    apply(&store, ProjectionBatch { orders: vec![order(1)], ..ProjectionBatch::default() }).await;
    for (number, (reported, filled, stands)) in [
        ("ACKNOWLEDGED", "0", "ACKNOWLEDGED 0"),
        ("PART_FILLED", "4", "PART_FILLED 4"),
        ("ACKNOWLEDGED", "0", "PART_FILLED 4"),
        ("PART_FILLED", "3", "PART_FILLED 4"),
        ("CANCELLED", "3", "PART_FILLED 4"),
        ("REJECTED", "0", "PART_FILLED 4"),
        ("PART_FILLED", "5", "PART_FILLED 5"),
        ("CANCELLED", "5", "CANCELLED 5"),
        ("PART_FILLED", "6", "CANCELLED 5"),
    ]
    .into_iter()
    .enumerate()
    {
        let report = status(reported, filled, i64::try_from(number).unwrap() + 1);
        apply(&store, ProjectionBatch { order_statuses: vec![report], ..ProjectionBatch::default() }).await;
        assert_eq!(scratch.text("SELECT concat_ws(' ', status, filled_quantity) FROM orders").await, stands, "{reported} {filled}");
    }
}
