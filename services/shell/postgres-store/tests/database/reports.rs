//! Orders and what is reported of them: whichever is read first, the row is the same; what the service does not take over
//! changes nothing; and when a rebalance has ended, its orders have what the book had.

use crate::projections::{order, rebalance, s, status};
use crate::scratch::{Scratch, apply};
use postgres_store::Micros;
use postgres_store::projections::{OrderCancel, OrderStatusRow, ProjectionBatch, RebalanceRow};

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

#[tokio::test]
async fn an_order_and_its_status_come_in_either_order() {
    for wave_first in [true, false] {
        let scratch = Scratch::new().await;
        let store = scratch.migrated().await;
        let wave = ProjectionBatch { orders: vec![order(4)], ..ProjectionBatch::default() };
        let part = ProjectionBatch {
            order_statuses: vec![status("ACKNOWLEDGED", "0", 1), status("PART_FILLED", "4", 2)],
            ..ProjectionBatch::default()
        };
        let batches = if wave_first { [wave, part] } else { [part, wave] };
        for batch in batches {
            apply(&store, batch).await;
        }
        let row = "SELECT concat_ws(' ', side, quantity, status, filled_quantity, leaves_quantity) FROM orders";
        assert_eq!(scratch.text(row).await, "SELL 10 PART_FILLED 4 6");

        let cancel = OrderCancel { order_id: s("o1"), portfolio_id: s("p1"), rebalance_id: s("r1"), at: Micros(8) };
        let end = ProjectionBatch {
            order_cancels: vec![cancel],
            order_statuses: vec![status("CANCELLED", "4", 5), status("FILLED", "10", 6)],
            ..ProjectionBatch::default()
        };
        apply(&store, end).await;
        let late = ProjectionBatch { order_statuses: vec![status("PART_FILLED", "5", 7)], ..ProjectionBatch::default() };
        apply(&store, late).await;
        assert_eq!(scratch.text(row).await, "SELL 10 CANCELLED 4 6", "terminal is final");
        let asked = "SELECT count(*) FROM orders WHERE cancel_requested_at IS NOT NULL";
        assert_eq!(scratch.number(asked).await, 1);
    }
}

#[tokio::test]
async fn a_report_that_is_not_taken_over_changes_no_row() {
    let strange = || OrderStatusRow { reason: Some(s("strange")), ..status("FILLED", "10", 1) };
    let foreign = [OrderStatusRow { rebalance_id: s("r9"), ..strange() }, OrderStatusRow { portfolio_id: s("p9"), ..strange() }];
    for (foreign, together) in foreign.iter().flat_map(|foreign| [(foreign, true), (foreign, false)]) {
        for wave_first in [true, false] {
            let scratch = Scratch::new().await;
            let store = scratch.migrated().await;
            let wave = ProjectionBatch { orders: vec![order(4)], ..ProjectionBatch::default() };
            let before = ProjectionBatch { order_statuses: vec![foreign.clone()], ..ProjectionBatch::default() };
            for batch in if wave_first { [wave, before] } else { [before, wave] } {
                apply(&store, batch).await;
            }
            let row =
                "SELECT concat_ws(' ', portfolio_id, rebalance_id, side, quantity, status, filled_quantity, status_reason) FROM orders";
            assert_eq!(scratch.text(row).await, "p1 r1 SELL 10 RELEASED 0");
            let reports =
                [status("PART_FILLED", "11", 2), status("FILLED", "9", 3), status("CANCELLED", "4", 5), status("FILLED", "10", 6)];
            let each = if together { vec![reports.to_vec()] } else { reports.iter().map(|report| vec![report.clone()]).collect() };
            for order_statuses in each {
                apply(&store, ProjectionBatch { order_statuses, ..ProjectionBatch::default() }).await;
            }
            assert_eq!(scratch.text(row).await, "p1 r1 SELL 10 CANCELLED 4", "together: {together}");
        }
    }
}

/// What a rebalance says of its order at its end: 10 were ordered, so many were executed.
fn end(status: &str, filled: &str, offset: i64) -> RebalanceRow {
    let execution = serde_json::json!({"execution": {"lines": [{"order_id": "o1", "filled": filled}]}});
    RebalanceRow { metrics: Some(execution), ..rebalance(status, offset) }
}

#[tokio::test]
async fn whatever_is_read_first_an_order_ends_with_what_the_book_had() {
    let wave = || ProjectionBatch { orders: vec![order(4)], ..ProjectionBatch::default() };
    let said = |row: &OrderStatusRow| OrderStatusRow { reason: Some(s("router")), ..row.clone() };
    let reported = |rows: Vec<OrderStatusRow>| {
        move || ProjectionBatch { order_statuses: rows.iter().map(said).collect(), ..ProjectionBatch::default() }
    };
    let ended = |row: RebalanceRow| move || ProjectionBatch { rebalances: vec![row.clone()], ..ProjectionBatch::default() };
    for (reports, last, stands) in [
        (vec![status("FILLED", "10", 5)], end("COMPLETED", "10", 9), "FILLED 10 0 router 5"),
        (vec![status("PART_FILLED", "4", 5), status("CANCELLED", "4", 6)], end("FAILED", "4", 9), "CANCELLED 4 0 router 6"),
        (vec![status("REJECTED", "0", 5)], end("FAILED", "0", 9), "REJECTED 0 0 router 5"),
        // Silent, or wrong, and a person found out.
        (vec![], end("FAILED", "0", 9), "CANCELLED 0 0"),
        (vec![status("PART_FILLED", "4", 5)], end("COMPLETED", "10", 9), "FILLED 10 0 router 5"),
        (vec![status("CANCELLED", "4", 5)], end("FAILED", "6", 9), "CANCELLED 6 0 router 5"),
        (vec![status("FILLED", "10", 5)], end("FAILED", "7", 9), "CANCELLED 7 0 router 5"),
        (vec![status("REJECTED", "0", 5)], end("FAILED", "3", 9), "CANCELLED 3 0 router 5"),
        (vec![status("FILLED", "10", 5)], end("COMPLETED", "12", 9), "FILLED 12 0 router 5"),
    ] {
        let (reports, last) = (reported(reports), ended(last));
        let steps: [&dyn Fn() -> ProjectionBatch; 3] = [&wave, &reports, &last];
        for way in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let scratch = Scratch::new().await;
            let store = scratch.migrated().await;
            for step in way {
                apply(&store, steps[step]()).await;
            }
            let row = "SELECT concat_ws(' ', status, filled_quantity, leaves_quantity, status_reason, status_offset) FROM orders";
            assert_eq!(scratch.text(row).await, stands, "{way:?}");
            assert_eq!(scratch.number("SELECT count(*) FROM early_order_reports").await, 0, "{way:?}");
            // What follows changes nothing: a repeat, and an event without the book's figures.
            let repeats = vec![status("FILLED", "10", 20), status("CANCELLED", "1", 21)];
            let late = RebalanceRow { metrics: None, ..rebalance("STUCK", 12) };
            apply(&store, ProjectionBatch { rebalances: vec![late], ..ProjectionBatch::default() }).await;
            let settled = "SELECT concat_ws(' ', filled_quantity, leaves_quantity) FROM orders";
            let before = scratch.text(settled).await;
            apply(&store, ProjectionBatch { order_statuses: repeats, ..ProjectionBatch::default() }).await;
            assert_eq!(scratch.text(settled).await, before, "{way:?}");
        }
    }
}

#[tokio::test]
async fn a_strange_report_before_the_wave_hides_no_right_one() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    // Of more than was ordered, and final: only the wave can tell that it is wrong.
    let reports = vec![status("FILLED", "99", 1), status("PART_FILLED", "4", 2), status("CANCELLED", "6", 3)];
    for report in reports {
        apply(&store, ProjectionBatch { order_statuses: vec![report], ..ProjectionBatch::default() }).await;
    }
    assert_eq!(scratch.number("SELECT count(*) FROM orders").await, 0, "a report makes no order");
    assert_eq!(scratch.number("SELECT count(*) FROM early_order_reports").await, 3);
    let rest = vec![OrderStatusRow { order_id: s("nobody's"), ..status("FILLED", "1", 4) }];
    apply(&store, ProjectionBatch { orders: vec![order(4)], order_statuses: rest, ..ProjectionBatch::default() }).await;
    assert_eq!(scratch.text("SELECT concat_ws(' ', order_id, status, filled_quantity) FROM orders").await, "o1 CANCELLED 6");
    assert_eq!(scratch.text("SELECT order_id FROM early_order_reports").await, "nobody's");
    // A cancel request of an order whose row is gone makes none.
    let cancel = OrderCancel { order_id: s("gone"), portfolio_id: s("p1"), rebalance_id: s("r1"), at: Micros(8) };
    apply(&store, ProjectionBatch { order_cancels: vec![cancel], ..ProjectionBatch::default() }).await;
    assert_eq!(scratch.number("SELECT count(*) FROM orders").await, 1);
}
