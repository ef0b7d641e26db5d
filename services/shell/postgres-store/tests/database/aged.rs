//! Rows of tables without months: those from before a moment go, in more than one statement where they are many, and an
//! order whose rebalance is open stays.

use crate::scratch::Scratch;
use postgres_store::projections::Aged;
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
    let orders = "INSERT INTO orders (order_id, portfolio_id, rebalance_id, status, released_at)
         SELECT concat_ws(' ', rebalance, status, day), 'p', rebalance, status, timestamptz '1970-01-01 00:00Z' + day * interval '1 day'
         FROM unnest(ARRAY['RELEASED', 'STUCK', 'COMPLETED', 'FAILED', 'unknown']) AS r (rebalance),
              unnest(ARRAY['RELEASED', 'REJECTED']) AS s (status), unnest(ARRAY[9, 10]) AS d (day)";
    scratch.run(orders).await;
    // Of an order that never left: when it was reported.
    let ghosts = "INSERT INTO orders (order_id, portfolio_id, rebalance_id, status, status_at)
         SELECT 'ghost ' || day, 'p', 'unknown', 'FILLED', timestamptz '1970-01-01 00:00Z' + day * interval '1 day' FROM unnest(ARRAY[9, 10]) AS d (day)";
    scratch.run(ghosts).await;
    assert_eq!(store.delete_aged(Aged::Orders, BEFORE).await.unwrap(), 6);
    let old = "SELECT string_agg(order_id, ', ' ORDER BY order_id) FROM orders WHERE order_id LIKE '% 9'";
    assert_eq!(scratch.text(old).await, "RELEASED REJECTED 9, RELEASED RELEASED 9, STUCK REJECTED 9, STUCK RELEASED 9, unknown RELEASED 9");
    assert_eq!(scratch.number("SELECT count(*) FROM orders").await, 16);
}

#[test]
fn days_are_told_for_each_table_and_none_means_for_ever() {
    let now = Micros(400 * DAY);
    let kept = |settings: &Settings| Aged::ALL.map(|table| settings.rows_kept_from(table, now));
    assert_eq!(kept(&Settings::default()), [None; 3]);
    let settings = Settings { keep_orders_days: 100, keep_answers_days: 200, keep_dead_letters_days: 300, ..Settings::default() };
    assert_eq!(kept(&settings), [300, 200, 100].map(|days| Some(Micros(days * DAY))));
}
