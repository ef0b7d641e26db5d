//! Rows of tables without months: those from before a moment go, in more than one statement where they are many, and an
//! order whose rebalance is open stays.

use crate::projections::{order, s, status};
use crate::scratch::{Scratch, apply};
use postgres_store::projections::{Aged, OrderRow, OrderStatusRow, ProjectionBatch};
use postgres_store::{Micros, Settings};

const DAY: i64 = 86_400_000_000;

/// The 11th of January 1970, the moment before which rows go here.
const BEFORE: Micros = Micros(10 * DAY);

#[tokio::test]
async fn old_rows_go_and_the_newer_stay() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    let at = "timestamptz '1970-01-01 00:00Z' + CASE WHEN n <= 12000 THEN 10 * interval '1 day' - n * interval '1 us' ELSE 10 * interval '1 day' END";
    let letters = format!(
        "INSERT INTO dead_letters (topic, partition, record_offset, source_topic, source_partition, source_offset, code, reason, headers, occurred_at)
         SELECT 'fills.v1.dlq', 0, n, 'fills.v1', 0, n, 'INVALID', 'no', '{{}}', {at} FROM generate_series(1, 12007) AS n"
    );
    scratch.run(letters).await;
    let answers = format!(
        "INSERT INTO command_answers (portfolio_id, command_id, rebalance_id, status, answered_at, source_offset)
         SELECT 'p', 'c' || n, 'r', 'RELEASED', {at}, n FROM generate_series(11991, 12003) AS n"
    );
    scratch.run(answers).await;
    for (table, gone, left) in [(Aged::DeadLetters, 12_000, 7), (Aged::Answers, 10, 3), (Aged::Orders, 0, 0)] {
        assert_eq!(store.delete_aged(table, BEFORE).await.unwrap(), gone, "{}", table.table());
        assert_eq!(store.delete_aged(table, BEFORE).await.unwrap(), 0, "{}", table.table());
        assert_eq!(scratch.number(&format!("SELECT count(*) FROM {}", table.table())).await, left, "{}", table.table());
    }
}

#[tokio::test]
async fn an_order_of_an_open_or_stuck_rebalance_stays() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    store.prepare_months(Micros(0)).await.unwrap();
    let rebalances = "INSERT INTO portfolio_rebalances
             (rebalance_id, portfolio_id, timestamp, type, old_allocations, new_allocations, status, explanation, orders, shadow, source_offset, updated_at)
         SELECT status, 'p', timestamptz '1970-01-01 00:00Z', 'THRESHOLD', '[]', '[]', status, '[]', '[]', false, 1, timestamptz '1970-01-01 00:00Z'
         FROM unnest(ARRAY['RELEASED', 'STUCK', 'COMPLETED', 'FAILED']) AS s (status)";
    scratch.run(rebalances).await;
    let (mut orders, mut order_statuses) = (Vec::new(), Vec::new());
    for rebalance_id in ["RELEASED", "STUCK", "COMPLETED", "FAILED", "unknown"].map(s) {
        for (is_rejected, day) in [(false, 9), (false, 10), (true, 9), (true, 10)] {
            let order_id = format!("{rebalance_id} {} {day}", if is_rejected { "REJECTED" } else { "RELEASED" });
            let rebalance_id = rebalance_id.clone();
            if is_rejected {
                let (order_id, rebalance_id) = (order_id.clone(), rebalance_id.clone());
                order_statuses.push(OrderStatusRow { order_id, rebalance_id, ..status("REJECTED", "0", 2) });
            }
            orders.push(OrderRow { order_id, rebalance_id, released_at: Micros(day * DAY), ..order(1) });
        }
    }
    apply(&store, ProjectionBatch { orders, order_statuses, ..ProjectionBatch::default() }).await;
    assert_eq!(store.delete_aged(Aged::Orders, BEFORE).await.unwrap(), 5);
    let old = "SELECT string_agg(order_id, ', ' ORDER BY order_id) FROM orders WHERE order_id LIKE '% 9'";
    assert_eq!(scratch.text(old).await, "RELEASED REJECTED 9, RELEASED RELEASED 9, STUCK REJECTED 9, STUCK RELEASED 9, unknown RELEASED 9");
    assert_eq!(scratch.number("SELECT count(*) FROM orders").await, 15);
}

#[tokio::test]
async fn a_report_of_an_order_that_never_left_goes_by_when_it_was_read() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    // What the router says of time is its own affair.
    let reports = "INSERT INTO early_order_reports
             (order_id, portfolio_id, rebalance_id, status, filled_quantity, leaves_quantity, status_at, status_offset, arrived_at)
         SELECT 'o' || day, 'p', 'r', 'FILLED', 1, 0, timestamptz '9999-01-01 00:00Z', 1, timestamptz '1970-01-01 00:00Z' + day * interval '1 day'
         FROM unnest(ARRAY[9, 10]) AS d (day)";
    scratch.run(reports).await;
    assert_eq!(store.delete_aged(Aged::EarlyReports, BEFORE).await.unwrap(), 1);
    assert_eq!(scratch.text("SELECT order_id FROM early_order_reports").await, "o10");
}

#[test]
fn days_are_told_for_each_table_and_none_means_for_ever() {
    let now = Micros(400 * DAY);
    let kept = |settings: &Settings| Aged::ALL.map(|table| settings.rows_kept_from(table, now));
    let early = Some(Micros(370 * DAY));
    assert_eq!(kept(&Settings::default()), [None, early, None, None]);
    let settings = Settings { keep_orders_days: 100, keep_answers_days: 200, keep_dead_letters_days: 300, ..Settings::default() };
    assert_eq!(kept(&settings), [Some(Micros(300 * DAY)), early, Some(Micros(200 * DAY)), Some(Micros(100 * DAY))]);
}
