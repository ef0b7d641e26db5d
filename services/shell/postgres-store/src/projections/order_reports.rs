//! What routers report of orders. A report of an order whose wave has not been read waits for it, in a table of its own.
//!
//! Promises: the reports of an order count in the order of their offsets, whichever of wave and report was read first; a
//! terminal status (FILLED, CANCELLED, REJECTED, EXPIRED) is final, and a report that the service does not take over
//! changes nothing. Makes no row of an order: its wave does.

use rust_decimal::Decimal;
use sqlx::{Postgres, Transaction};
use std::collections::BTreeMap;

use super::OrderRow;
use super::column::{column, opt_text, text};
use crate::statement::Limit;
use crate::{Micros, StoreError};

/// What the router says of an order.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct OrderStatusRow {
    /// Order.
    pub order_id: String,
    /// Portfolio.
    pub portfolio_id: String,
    /// The cycle that it belongs to.
    pub rebalance_id: String,
    /// ACKNOWLEDGED, PART_FILLED, FILLED, CANCELLED, REJECTED or EXPIRED.
    pub status: String,
    /// Executed so far.
    pub filled_quantity: Decimal,
    /// Still open.
    pub leaves_quantity: Decimal,
    /// The router's code.
    pub reason_code: Option<String>,
    /// The router's words.
    pub reason: Option<String>,
    /// When it happened.
    pub at: Micros,
    /// Offset of the status: newer wins.
    pub source_offset: i64,
}

/// Takes the reports over, and those that waited for the orders of this batch.
pub(super) async fn apply(
    limit: &Limit,
    transaction: &mut Transaction<'_, Postgres>,
    orders: &[OrderRow],
    rows: &[OrderStatusRow],
) -> Result<(), StoreError> {
    let waited = waited(limit, transaction, orders).await?;
    if !rows.is_empty() {
        write(limit, transaction, "keeping early reports of orders", WAIT, &rows.iter().collect::<Vec<_>>()).await?;
    }
    for round in rounds(waited.iter().chain(rows)) {
        write(limit, transaction, "projecting order status", REPORT, &round).await?;
    }
    Ok(())
}

/// What was reported of orders before their wave was read; it waits no longer.
async fn waited(
    limit: &Limit,
    transaction: &mut Transaction<'_, Postgres>,
    orders: &[OrderRow],
) -> Result<Vec<OrderStatusRow>, StoreError> {
    if orders.is_empty() {
        return Ok(Vec::new());
    }
    let taken = sqlx::query_as(TAKE).bind(column(orders, |row| text(&row.order_id))).fetch_all(&mut **transaction);
    limit.run("taking early reports of orders", taken).await
}

async fn write(
    limit: &Limit,
    transaction: &mut Transaction<'_, Postgres>,
    doing: &'static str,
    statement: &'static str,
    rows: &[&OrderStatusRow],
) -> Result<(), StoreError> {
    let statement = sqlx::query(statement)
        .bind(column(rows, |r| text(&r.order_id)))
        .bind(column(rows, |r| text(&r.portfolio_id)))
        .bind(column(rows, |r| text(&r.rebalance_id)))
        .bind(column(rows, |r| text(&r.status)))
        .bind(column(rows, |r| r.filled_quantity))
        .bind(column(rows, |r| r.leaves_quantity))
        .bind(column(rows, |r| opt_text(&r.reason_code)))
        .bind(column(rows, |r| opt_text(&r.reason)))
        .bind(column(rows, |r| r.at))
        .bind(column(rows, |r| r.source_offset))
        .execute(&mut **transaction);
    limit.run(doing, statement).await?;
    Ok(())
}

/// The reports in rounds of one for each order, in the order of their offsets: whether one counts hangs on those before it.
fn rounds<'r>(rows: impl Iterator<Item = &'r OrderStatusRow>) -> Vec<Vec<&'r OrderStatusRow>> {
    let mut in_order: Vec<_> = rows.collect();
    in_order.sort_by_key(|row| row.source_offset);
    let (mut rounds, mut of_order) = (Vec::<Vec<_>>::new(), BTreeMap::<&str, usize>::new());
    for row in in_order {
        let round = of_order.entry(&row.order_id).and_modify(|round| *round += 1).or_insert(0);
        if rounds.len() == *round {
            rounds.push(Vec::new());
        }
        rounds[*round].push(row);
    }
    rounds
}

const TAKE: &str = "
DELETE FROM early_order_reports WHERE order_id = ANY($1)
RETURNING order_id, portfolio_id, rebalance_id, status, filled_quantity, leaves_quantity, status_reason_code AS reason_code,
          status_reason AS reason, status_at AS at, status_offset AS source_offset";

// Those of orders that have a row wait for nothing.
const WAIT: &str = "
INSERT INTO early_order_reports
    (order_id, portfolio_id, rebalance_id, status, filled_quantity, leaves_quantity,
     status_reason_code, status_reason, status_at, status_offset)
SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::numeric[], $6::numeric[],
                     $7::text[], $8::text[], $9::timestamptz[], $10::bigint[])
    AS g (order_id, portfolio_id, rebalance_id, status, filled, leaves, reason_code, reason, at, source_offset)
WHERE NOT EXISTS (SELECT FROM orders o WHERE o.order_id = g.order_id)
ON CONFLICT (order_id, portfolio_id, status_offset) DO NOTHING";

// A report that the service does not take over changes nothing: of another portfolio or rebalance, of more than was ordered,
// FILLED with another quantity, behind a terminal one, of less than was executed, or one that brings nothing new. What the
// book has executed is not known here until the rebalance ends: an end with less than that is taken over until then.
const REPORT: &str = "
UPDATE orders AS o SET
    reported_status = g.status, reported_quantity = g.filled, reported_leaves = g.leaves, status_reason_code = g.reason_code,
    status_reason = g.reason, status_at = g.at, status_offset = g.source_offset
FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::numeric[], $6::numeric[],
            $7::text[], $8::text[], $9::timestamptz[], $10::bigint[])
    AS g (order_id, portfolio_id, rebalance_id, status, filled, leaves, reason_code, reason, at, source_offset)
WHERE o.order_id = g.order_id AND o.portfolio_id = g.portfolio_id AND o.rebalance_id = g.rebalance_id
  AND (o.status_offset IS NULL OR o.status_offset < g.source_offset)
  AND o.reported_status NOT IN ('FILLED', 'CANCELLED', 'REJECTED', 'EXPIRED')
  AND g.filled <= o.quantity AND (g.status <> 'FILLED' OR g.filled = o.quantity)
  AND CASE WHEN o.status_offset IS NULL THEN true
           WHEN g.status IN ('FILLED', 'CANCELLED', 'REJECTED', 'EXPIRED') THEN g.filled >= o.reported_quantity
           ELSE g.filled > o.reported_quantity END";
