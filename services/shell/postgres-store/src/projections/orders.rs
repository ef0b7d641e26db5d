//! Orders: what a wave asked for and what the router answered, in one row.
//!
//! Promises: the two sources fill their own columns and may come in either order; a terminal status
//! (FILLED, CANCELLED, REJECTED, EXPIRED) is final, and a report that the service does not take over
//! changes nothing. Does not flag contradictions: the rebalancer does.

use rust_decimal::Decimal;
use serde_json::Value;
use sqlx::{Postgres, Transaction};
use std::collections::BTreeMap;

use super::column::{column, newest, opt_text, text};
use crate::statement::Limit;
use crate::{Micros, StoreError};

/// An order of a wave.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderRow {
    /// Key.
    pub order_id: String,
    /// Portfolio.
    pub portfolio_id: String,
    /// The cycle that it belongs to.
    pub rebalance_id: String,
    /// The wave that carried it.
    pub wave_id: String,
    /// Number of the wave in its cycle.
    pub wave_number: i32,
    /// Instrument.
    pub instrument_id: String,
    /// BUY, SELL or SELL_SHORT.
    pub side: String,
    /// Positive quantity.
    pub quantity: Decimal,
    /// MARKET or LIMIT.
    pub order_type: String,
    /// In `currency`; for LIMIT.
    pub limit_price: Option<Decimal>,
    /// DAY and so on.
    pub time_in_force: String,
    /// Currency of the instrument.
    pub currency: String,
    /// The price that the plan used, in `currency`.
    pub reference_price: Decimal,
    /// |quantity| × reference × multiplier × FX, in the base currency.
    pub expected_value: Decimal,
    /// Why: a reason code.
    pub reason_code: String,
    /// The numbers behind the reason.
    pub explanation: Value,
    /// Version of the policy.
    pub policy_version: i64,
    /// Version of the snapshot that it was planned on.
    pub snapshot_version: i64,
    /// When it may no longer trade.
    pub valid_until: Micros,
    /// Key under which a router may trade blocks.
    pub block_key: Option<String>,
    /// Time of the wave.
    pub released_at: Micros,
    /// Offset of the wave: newer wins.
    pub wave_offset: i64,
}

/// A request to cancel an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderCancel {
    /// Order.
    pub order_id: String,
    /// Portfolio.
    pub portfolio_id: String,
    /// The cycle that it belongs to.
    pub rebalance_id: String,
    /// When it was asked.
    pub at: Micros,
}

/// What the router says of an order.
#[derive(Debug, Clone, PartialEq)]
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

pub(super) async fn upsert(limit: &Limit, transaction: &mut Transaction<'_, Postgres>, rows: &[OrderRow]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows = newest(rows, |r| &r.order_id, |r| r.wave_offset);
    let forgotten = sqlx::query(FORGET_STRANGE)
        .bind(column(&rows, |r| text(&r.order_id)))
        .bind(column(&rows, |r| text(&r.portfolio_id)))
        .bind(column(&rows, |r| text(&r.rebalance_id)))
        .execute(&mut **transaction);
    limit.run("forgetting strange reports of orders", forgotten).await?;
    let statement = sqlx::query(UPSERT)
        .bind(column(&rows, |r| text(&r.order_id)))
        .bind(column(&rows, |r| text(&r.portfolio_id)))
        .bind(column(&rows, |r| text(&r.rebalance_id)))
        .bind(column(&rows, |r| text(&r.wave_id)))
        .bind(column(&rows, |r| r.wave_number))
        .bind(column(&rows, |r| text(&r.instrument_id)))
        .bind(column(&rows, |r| text(&r.side)))
        .bind(column(&rows, |r| r.quantity))
        .bind(column(&rows, |r| text(&r.order_type)))
        .bind(column(&rows, |r| r.limit_price))
        .bind(column(&rows, |r| text(&r.time_in_force)))
        .bind(column(&rows, |r| text(&r.currency)))
        .bind(column(&rows, |r| r.reference_price))
        .bind(column(&rows, |r| r.expected_value))
        .bind(column(&rows, |r| text(&r.reason_code)))
        .bind(column(&rows, |r| super::column::json(&r.explanation)))
        .bind(column(&rows, |r| r.policy_version))
        .bind(column(&rows, |r| r.snapshot_version))
        .bind(column(&rows, |r| r.valid_until))
        .bind(column(&rows, |r| opt_text(&r.block_key)))
        .bind(column(&rows, |r| r.released_at))
        .bind(column(&rows, |r| r.wave_offset))
        .execute(&mut **transaction);
    limit.run("projecting orders", statement).await?;
    Ok(())
}

pub(super) async fn mark_cancels(
    limit: &Limit,
    transaction: &mut Transaction<'_, Postgres>,
    rows: &[OrderCancel],
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows = newest(rows, |r| &r.order_id, |r| std::cmp::Reverse(r.at));
    let statement = sqlx::query(
        "INSERT INTO orders AS o (order_id, portfolio_id, rebalance_id, cancel_requested_at)
         SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[], $4::timestamptz[])
         ON CONFLICT (order_id) DO UPDATE SET cancel_requested_at =
             LEAST(o.cancel_requested_at, EXCLUDED.cancel_requested_at)",
    )
    .bind(column(&rows, |r| text(&r.order_id)))
    .bind(column(&rows, |r| text(&r.portfolio_id)))
    .bind(column(&rows, |r| text(&r.rebalance_id)))
    .bind(column(&rows, |r| r.at))
    .execute(&mut **transaction);
    limit.run("projecting cancel requests", statement).await?;
    Ok(())
}

pub(super) async fn upsert_statuses(
    limit: &Limit,
    transaction: &mut Transaction<'_, Postgres>,
    rows: &[OrderStatusRow],
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    for rows in rounds(rows) {
        let statement = sqlx::query(UPSERT_STATUS)
            .bind(column(&rows, |r| text(&r.order_id)))
            .bind(column(&rows, |r| text(&r.portfolio_id)))
            .bind(column(&rows, |r| text(&r.rebalance_id)))
            .bind(column(&rows, |r| text(&r.status)))
            .bind(column(&rows, |r| r.filled_quantity))
            .bind(column(&rows, |r| r.leaves_quantity))
            .bind(column(&rows, |r| opt_text(&r.reason_code)))
            .bind(column(&rows, |r| opt_text(&r.reason)))
            .bind(column(&rows, |r| r.at))
            .bind(column(&rows, |r| r.source_offset))
            .execute(&mut **transaction);
        limit.run("projecting order status", statement).await?;
    }
    Ok(())
}

/// The reports in rounds of one for each order, in the order of their offsets: whether one counts hangs on those before it.
fn rounds(rows: &[OrderStatusRow]) -> Vec<Vec<&OrderStatusRow>> {
    let mut in_order: Vec<_> = rows.iter().collect();
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

// What a report has made that came before the wave and is not of its order.
const FORGET_STRANGE: &str = "
DELETE FROM orders o USING UNNEST($1::text[], $2::text[], $3::text[]) AS g (order_id, portfolio_id, rebalance_id)
WHERE o.order_id = g.order_id AND (o.portfolio_id <> g.portfolio_id OR o.rebalance_id <> g.rebalance_id)";

const UPSERT: &str = "
INSERT INTO orders AS o
    (order_id, portfolio_id, rebalance_id, wave_id, wave_number, instrument_id, side, quantity,
     order_type, limit_price, time_in_force, currency, reference_price, expected_value, reason_code,
     explanation, policy_version, snapshot_version, valid_until, block_key, released_at, wave_offset)
SELECT order_id, portfolio_id, rebalance_id, wave_id, wave_number, instrument_id, side, quantity,
       order_type, limit_price, time_in_force, currency, reference_price, expected_value,
       reason_code, explanation::jsonb, policy_version, snapshot_version, valid_until, block_key,
       released_at, wave_offset
FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::text[], $7::text[],
            $8::numeric[], $9::text[], $10::numeric[], $11::text[], $12::text[], $13::numeric[],
            $14::numeric[], $15::text[], $16::text[], $17::bigint[], $18::bigint[],
            $19::timestamptz[], $20::text[], $21::timestamptz[], $22::bigint[])
    AS g (order_id, portfolio_id, rebalance_id, wave_id, wave_number, instrument_id, side, quantity,
          order_type, limit_price, time_in_force, currency, reference_price, expected_value,
          reason_code, explanation, policy_version, snapshot_version, valid_until, block_key,
          released_at, wave_offset)
ON CONFLICT (order_id) DO UPDATE SET
    wave_id = EXCLUDED.wave_id, wave_number = EXCLUDED.wave_number,
    instrument_id = EXCLUDED.instrument_id, side = EXCLUDED.side, quantity = EXCLUDED.quantity,
    order_type = EXCLUDED.order_type, limit_price = EXCLUDED.limit_price,
    time_in_force = EXCLUDED.time_in_force, currency = EXCLUDED.currency,
    reference_price = EXCLUDED.reference_price, expected_value = EXCLUDED.expected_value,
    reason_code = EXCLUDED.reason_code, explanation = EXCLUDED.explanation,
    policy_version = EXCLUDED.policy_version, snapshot_version = EXCLUDED.snapshot_version,
    valid_until = EXCLUDED.valid_until, block_key = EXCLUDED.block_key,
    released_at = EXCLUDED.released_at, wave_offset = EXCLUDED.wave_offset
WHERE o.wave_offset IS NULL OR o.wave_offset < EXCLUDED.wave_offset";

// A report that the service does not take over changes nothing: of another portfolio or rebalance, of more than was ordered,
// FILLED with another quantity, behind a terminal one, of less than was executed, or one that brings nothing new. What the
// book has executed is not known here: an end with less than that is taken over.
const UPSERT_STATUS: &str = "
INSERT INTO orders AS o
    (order_id, portfolio_id, rebalance_id, status, filled_quantity, leaves_quantity,
     status_reason_code, status_reason, status_at, status_offset)
SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::numeric[], $6::numeric[],
                     $7::text[], $8::text[], $9::timestamptz[], $10::bigint[])
ON CONFLICT (order_id) DO UPDATE SET
    status = EXCLUDED.status, filled_quantity = EXCLUDED.filled_quantity,
    leaves_quantity = EXCLUDED.leaves_quantity, status_reason_code = EXCLUDED.status_reason_code,
    status_reason = EXCLUDED.status_reason, status_at = EXCLUDED.status_at,
    status_offset = EXCLUDED.status_offset
WHERE (o.status_offset IS NULL OR o.status_offset < EXCLUDED.status_offset)
  AND o.status NOT IN ('FILLED', 'CANCELLED', 'REJECTED', 'EXPIRED')
  AND o.portfolio_id = EXCLUDED.portfolio_id AND o.rebalance_id = EXCLUDED.rebalance_id
  AND (o.quantity IS NULL OR EXCLUDED.filled_quantity <= o.quantity)
  AND (o.quantity IS NULL OR EXCLUDED.status <> 'FILLED' OR EXCLUDED.filled_quantity = o.quantity)
  AND CASE WHEN o.status_offset IS NULL THEN true
           WHEN EXCLUDED.status IN ('FILLED', 'CANCELLED', 'REJECTED', 'EXPIRED') THEN EXCLUDED.filled_quantity >= o.filled_quantity
           ELSE EXCLUDED.filled_quantity > o.filled_quantity END";
