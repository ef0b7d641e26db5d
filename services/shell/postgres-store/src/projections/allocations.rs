//! Allocations: what a portfolio should hold (from its policy), holds (from its snapshot), and when
//! it was last brought there (from completed rebalances).
//!
//! Promises: a newer policy or snapshot replaces its own columns of the whole set; a line that is
//! neither targeted, nor held, nor ever rebalanced is gone. The three sources may come in any order.

use rust_decimal::Decimal;
use sqlx::{Postgres, Transaction};

use super::column::{column, newest, opt_text, text};
use super::strategies::{self, StrategyLine};
use crate::statement::Limit;
use crate::{Micros, StoreError};

const DOING: &str = "projecting allocations";

/// All targets of a policy. Groups may stand in `instrument_id` as the policy names them.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetSet {
    /// Portfolio.
    pub portfolio_id: String,
    /// Offset of the policy: newer wins.
    pub source_offset: i64,
    /// Its lines; empty when it is closed.
    pub targets: Vec<TargetLine>,
}

/// One target.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetLine {
    /// Instrument.
    pub instrument_id: String,
    /// Fraction of equity, signed.
    pub target_weight: Decimal,
    /// Lower limit, a fraction of equity.
    pub min_weight: Option<Decimal>,
    /// Upper limit, a fraction of equity.
    pub max_weight: Option<Decimal>,
}

/// All allocations of a snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct AllocationSet {
    /// Portfolio.
    pub portfolio_id: String,
    /// Version of the snapshot: newer wins.
    pub snapshot_version: i64,
    /// Its lines.
    pub lines: Vec<AllocationLine>,
    /// The sub-positions of its lines, in its order.
    pub strategies: Vec<StrategyLine>,
}

/// One holding as a snapshot shows it. Values are in the portfolio's base currency.
#[derive(Debug, Clone, PartialEq)]
pub struct AllocationLine {
    /// Instrument.
    pub instrument_id: String,
    /// Symbol.
    pub symbol: Option<String>,
    /// Sector.
    pub sector: Option<String>,
    /// EQUITY, ETF, BOND and so on.
    pub kind: Option<String>,
    /// Signed quantity.
    pub quantity: Decimal,
    /// In the instrument's currency; absent when flat.
    pub average_price: Option<Decimal>,
    /// In the instrument's currency; absent when unpriced.
    pub price: Option<Decimal>,
    /// Time of the price.
    pub price_time: Option<Micros>,
    /// Whether the price is older than it may be.
    pub stale: bool,
    /// Market value.
    pub value: Option<Decimal>,
    /// Value over equity, in per cent.
    pub percentage: Option<Decimal>,
    /// Value over equity, a fraction of one.
    pub current_weight: Option<Decimal>,
    /// current_weight − target_weight.
    pub drift: Option<Decimal>,
    /// Unrealized profit.
    pub unrealized: Option<Decimal>,
    /// Realized profit, net.
    pub realized: Option<Decimal>,
}

/// An instrument that a completed rebalance brought to its goal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebalanced {
    /// Portfolio.
    pub portfolio_id: String,
    /// Instrument.
    pub instrument_id: String,
    /// When the rebalance was completed.
    pub at: Micros,
}

pub(super) async fn replace_targets(
    limit: &Limit,
    transaction: &mut Transaction<'_, Postgres>,
    sets: &[TargetSet],
) -> Result<(), StoreError> {
    if sets.is_empty() {
        return Ok(());
    }
    let sets = newest(sets, |s| &s.portfolio_id, |s| s.source_offset);
    let heads = sqlx::query_scalar(
        "INSERT INTO allocation_heads AS h (portfolio_id, policy_offset)
         SELECT * FROM UNNEST($1::text[], $2::bigint[])
         ON CONFLICT (portfolio_id) DO UPDATE SET policy_offset = EXCLUDED.policy_offset
         WHERE h.policy_offset IS NULL OR h.policy_offset < EXCLUDED.policy_offset
         RETURNING portfolio_id",
    )
    .bind(column(&sets, |s| text(&s.portfolio_id)))
    .bind(column(&sets, |s| s.source_offset))
    .fetch_all(&mut **transaction);
    let accepted: Vec<String> = limit.run(DOING, heads).await?;
    let clear = sqlx::query(
        "UPDATE portfolio_allocations
         SET target_weight = NULL, min_weight = NULL, max_weight = NULL
         WHERE portfolio_id = ANY($1)",
    )
    .bind(&accepted)
    .execute(&mut **transaction);
    limit.run(DOING, clear).await?;
    let lines: Vec<(&str, &TargetLine)> = sets
        .iter()
        .filter(|s| accepted.contains(&text(&s.portfolio_id)))
        .flat_map(|s| s.targets.iter().map(|l| (s.portfolio_id.as_str(), l)))
        .collect();
    upsert_targets(limit, transaction, &lines).await?;
    drop_empty(limit, transaction, &accepted).await
}

async fn upsert_targets(
    limit: &Limit,
    transaction: &mut Transaction<'_, Postgres>,
    lines: &[(&str, &TargetLine)],
) -> Result<(), StoreError> {
    let lines = newest(lines, |(p, l)| (*p, &l.instrument_id), |_| ());
    let statement = sqlx::query(
        "INSERT INTO portfolio_allocations
             (portfolio_id, instrument_id, target_weight, min_weight, max_weight)
         SELECT * FROM UNNEST($1::text[], $2::text[], $3::numeric[], $4::numeric[], $5::numeric[])
         ON CONFLICT (portfolio_id, instrument_id) DO UPDATE SET
             target_weight = EXCLUDED.target_weight, min_weight = EXCLUDED.min_weight,
             max_weight = EXCLUDED.max_weight",
    )
    .bind(column(&lines, |(p, _)| text(p)))
    .bind(column(&lines, |(_, l)| text(&l.instrument_id)))
    .bind(column(&lines, |(_, l)| l.target_weight))
    .bind(column(&lines, |(_, l)| l.min_weight))
    .bind(column(&lines, |(_, l)| l.max_weight))
    .execute(&mut **transaction);
    limit.run(DOING, statement).await?;
    Ok(())
}

pub(super) async fn replace_holdings(
    limit: &Limit,
    transaction: &mut Transaction<'_, Postgres>,
    sets: &[AllocationSet],
) -> Result<(), StoreError> {
    if sets.is_empty() {
        return Ok(());
    }
    let sets = newest(sets, |s| &s.portfolio_id, |s| s.snapshot_version);
    let heads = sqlx::query_scalar(
        "INSERT INTO allocation_heads AS h (portfolio_id, snapshot_version)
         SELECT * FROM UNNEST($1::text[], $2::bigint[])
         ON CONFLICT (portfolio_id) DO UPDATE SET snapshot_version = EXCLUDED.snapshot_version
         WHERE h.snapshot_version IS NULL OR h.snapshot_version < EXCLUDED.snapshot_version
         RETURNING portfolio_id",
    )
    .bind(column(&sets, |s| text(&s.portfolio_id)))
    .bind(column(&sets, |s| s.snapshot_version))
    .fetch_all(&mut **transaction);
    let accepted: Vec<String> = limit.run(DOING, heads).await?;
    let lines: Vec<(&str, &AllocationLine)> = sets
        .iter()
        .filter(|s| accepted.contains(&text(&s.portfolio_id)))
        .flat_map(|s| s.lines.iter().map(|l| (s.portfolio_id.as_str(), l)))
        .collect();
    clear_holdings(limit, transaction, &accepted, &lines).await?;
    upsert_holdings(limit, transaction, &lines).await?;
    let taken = sets.iter().filter(|s| accepted.contains(&text(&s.portfolio_id)));
    let rows = taken.flat_map(|s| (0..).zip(&s.strategies).map(|(place, l)| (s.portfolio_id.as_str(), place, l)));
    let strategies: Vec<(&str, i32, &StrategyLine)> = rows.collect();
    strategies::replace(limit, transaction, &accepted, &strategies).await?;
    drop_empty(limit, transaction, &accepted).await
}

/// Clears only the lines that the new set lacks: most lines stay, and are overwritten once.
async fn clear_holdings(
    limit: &Limit,
    transaction: &mut Transaction<'_, Postgres>,
    accepted: &[String],
    lines: &[(&str, &AllocationLine)],
) -> Result<(), StoreError> {
    let clear = sqlx::query(
        "UPDATE portfolio_allocations a
         SET current_weight = NULL, quantity = NULL, average_price = NULL, price = NULL,
             price_time = NULL, stale = NULL, value = NULL, percentage = NULL, drift = NULL,
             unrealized = NULL, realized = NULL
         WHERE portfolio_id = ANY($1) AND quantity IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM UNNEST($2::text[], $3::text[]) AS k (p, i)
                           WHERE k.p = a.portfolio_id AND k.i = a.instrument_id)",
    )
    .bind(accepted)
    .bind(column(lines, |(p, _)| text(p)))
    .bind(column(lines, |(_, l)| text(&l.instrument_id)))
    .execute(&mut **transaction);
    limit.run(DOING, clear).await?;
    Ok(())
}

async fn upsert_holdings(
    limit: &Limit,
    transaction: &mut Transaction<'_, Postgres>,
    lines: &[(&str, &AllocationLine)],
) -> Result<(), StoreError> {
    let lines = newest(lines, |(p, l)| (*p, &l.instrument_id), |_| ());
    let statement = sqlx::query(UPSERT_HOLDINGS)
        .bind(column(&lines, |(p, _)| text(p)))
        .bind(column(&lines, |(_, l)| text(&l.instrument_id)))
        .bind(column(&lines, |(_, l)| opt_text(&l.symbol)))
        .bind(column(&lines, |(_, l)| opt_text(&l.sector)))
        .bind(column(&lines, |(_, l)| opt_text(&l.kind)))
        .bind(column(&lines, |(_, l)| l.quantity))
        .bind(column(&lines, |(_, l)| l.average_price))
        .bind(column(&lines, |(_, l)| l.price))
        .bind(column(&lines, |(_, l)| l.price_time))
        .bind(column(&lines, |(_, l)| l.stale))
        .bind(column(&lines, |(_, l)| l.value))
        .bind(column(&lines, |(_, l)| l.percentage))
        .bind(column(&lines, |(_, l)| l.current_weight))
        .bind(column(&lines, |(_, l)| l.drift))
        .bind(column(&lines, |(_, l)| l.unrealized))
        .bind(column(&lines, |(_, l)| l.realized))
        .execute(&mut **transaction);
    limit.run(DOING, statement).await?;
    Ok(())
}

pub(super) async fn mark_rebalanced(
    limit: &Limit,
    transaction: &mut Transaction<'_, Postgres>,
    rows: &[Rebalanced],
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows = newest(rows, |r| (&r.portfolio_id, &r.instrument_id), |r| r.at);
    let heads =
        sqlx::query("INSERT INTO allocation_heads (portfolio_id) SELECT DISTINCT p FROM UNNEST($1::text[]) AS p ON CONFLICT DO NOTHING")
            .bind(column(&rows, |r| text(&r.portfolio_id)))
            .execute(&mut **transaction);
    limit.run(DOING, heads).await?;
    let statement = sqlx::query(
        "INSERT INTO portfolio_allocations AS a (portfolio_id, instrument_id, last_rebalance)
         SELECT * FROM UNNEST($1::text[], $2::text[], $3::timestamptz[])
         ON CONFLICT (portfolio_id, instrument_id) DO UPDATE SET
             last_rebalance = GREATEST(a.last_rebalance, EXCLUDED.last_rebalance)",
    )
    .bind(column(&rows, |r| text(&r.portfolio_id)))
    .bind(column(&rows, |r| text(&r.instrument_id)))
    .bind(column(&rows, |r| r.at))
    .execute(&mut **transaction);
    limit.run(DOING, statement).await?;
    Ok(())
}

async fn drop_empty(limit: &Limit, transaction: &mut Transaction<'_, Postgres>, portfolios: &[String]) -> Result<(), StoreError> {
    let statement = sqlx::query(
        "DELETE FROM portfolio_allocations WHERE portfolio_id = ANY($1)
           AND target_weight IS NULL AND quantity IS NULL AND last_rebalance IS NULL",
    )
    .bind(portfolios)
    .execute(&mut **transaction);
    limit.run(DOING, statement).await?;
    Ok(())
}

const UPSERT_HOLDINGS: &str = "
INSERT INTO portfolio_allocations
    (portfolio_id, instrument_id, symbol, sector, type, quantity, average_price, price, price_time,
     stale, value, percentage, current_weight, drift, unrealized, realized)
SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::numeric[],
                     $7::numeric[], $8::numeric[], $9::timestamptz[], $10::bool[], $11::numeric[],
                     $12::numeric[], $13::numeric[], $14::numeric[], $15::numeric[], $16::numeric[])
ON CONFLICT (portfolio_id, instrument_id) DO UPDATE SET
    symbol = EXCLUDED.symbol, sector = EXCLUDED.sector, type = EXCLUDED.type,
    quantity = EXCLUDED.quantity, average_price = EXCLUDED.average_price, price = EXCLUDED.price,
    price_time = EXCLUDED.price_time, stale = EXCLUDED.stale, value = EXCLUDED.value,
    percentage = EXCLUDED.percentage, current_weight = EXCLUDED.current_weight,
    drift = EXCLUDED.drift, unrealized = EXCLUDED.unrealized, realized = EXCLUDED.realized";
