//! Orders: what a wave asked for, when it was asked back, and what the book had of it when its rebalance ended, in one row.
//!
//! Promises: a row is made by its wave alone; what routers report and how a rebalance ended fill columns of their own, and
//! each may come in any order. Does not flag contradictions: the rebalancer does.

use rust_decimal::Decimal;
use serde_json::Value;
use sqlx::{Postgres, Transaction};

use super::RebalanceRow;
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

pub(super) async fn upsert(limit: &Limit, transaction: &mut Transaction<'_, Postgres>, rows: &[OrderRow]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows = newest(rows, |r| &r.order_id, |r| r.wave_offset);
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
        "UPDATE orders AS o SET cancel_requested_at = LEAST(o.cancel_requested_at, g.at)
         FROM UNNEST($1::text[], $2::timestamptz[]) AS g (order_id, at) WHERE o.order_id = g.order_id",
    )
    .bind(column(&rows, |r| text(&r.order_id)))
    .bind(column(&rows, |r| r.at))
    .execute(&mut **transaction);
    limit.run("projecting cancel requests", statement).await?;
    Ok(())
}

/// Takes over what the book had of each order at the end of its rebalance, of those whose waves or last events a batch has:
/// whichever of the two comes later.
pub(super) async fn settle(
    limit: &Limit,
    transaction: &mut Transaction<'_, Postgres>,
    orders: &[OrderRow],
    rebalances: &[RebalanceRow],
) -> Result<(), StoreError> {
    let told = |row: &RebalanceRow| row.metrics.as_ref().is_some_and(|metrics| metrics.get("execution").is_some());
    let ended = rebalances.iter().filter(|row| told(row)).map(|row| &row.rebalance_id);
    let mut ids: Vec<_> = orders.iter().map(|row| &row.rebalance_id).chain(ended).map(|id| text(id)).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(());
    }
    limit.run("projecting how orders ended", sqlx::query(SETTLE).bind(ids).execute(&mut **transaction)).await?;
    Ok(())
}

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
WHERE o.wave_offset < EXCLUDED.wave_offset";

const SETTLE: &str = "
UPDATE orders AS o SET settled_quantity = (line ->> 'filled')::numeric
FROM portfolio_rebalances AS r, LATERAL jsonb_array_elements(r.metrics -> 'execution' -> 'lines') AS line
WHERE r.rebalance_id = ANY($1)
  AND o.order_id = line ->> 'order_id' AND o.portfolio_id = r.portfolio_id
  AND o.settled_quantity IS DISTINCT FROM (line ->> 'filled')::numeric";
