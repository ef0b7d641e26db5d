//! What was held at a moment, as it was known at another: before and after cancels, corrections and late records.
//!
//! Promises: quantities and cash are sums of what the ledger and the closes say, with no price in them. Does not value
//! them: it hands over the newest valuation of then, and the caller looks whether it fits.

use rust_decimal::Decimal;
use serde_json::Value;
use sqlx::Postgres;
use sqlx::postgres::{PgArguments, PgConnection};

use super::portfolio::BookView;
use crate::statement::Limit;
use crate::{Micros, StoreError};

const DOING: &str = "reading what was held";

/// What was held.
#[derive(Debug, Clone, PartialEq)]
pub struct BookAsOf {
    /// Units of each instrument, none of them zero.
    pub positions: Vec<Held>,
    /// Cash by currency and trade date.
    pub cash: Vec<CashHeld>,
    /// The newest snapshot that was there by then and was known then.
    pub snapshot: Option<SnapshotAsOf>,
    /// The newest closed day by then, in the version that was known then.
    pub close: Option<CloseAsOf>,
}

impl BookAsOf {
    /// From when on the bookings were made that are in it beside a closed day; `None` where all are.
    #[must_use]
    pub fn bookings_from(&self) -> Option<Micros> {
        self.close.as_ref().and_then(|close| close.cut_at).map(dated_ahead)
    }
}

/// Units of an instrument.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// Instrument.
    pub instrument_id: String,
    /// Signed units.
    pub quantity: Decimal,
}

/// A balance.
#[derive(Debug, Clone, PartialEq)]
pub struct CashHeld {
    /// Currency.
    pub currency: String,
    /// Amount in it.
    pub amount: Decimal,
}

/// A snapshot with its lines.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct SnapshotAsOf {
    /// The valuation.
    #[sqlx(flatten)]
    pub book: BookView,
    /// Lines, as in `portfolio.snapshots.v1`.
    pub allocations: Value,
}

/// A version of a closed day; amounts are in the base currency.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct CloseAsOf {
    /// The day, as YYYY-MM-DD.
    pub date: String,
    /// The same as days since 1970-01-01.
    pub day: i32,
    /// Its version.
    pub version: i64,
    /// When it was cut.
    pub cut_at: Option<Micros>,
    /// When this version was made.
    pub known_from: Micros,
    /// Base currency.
    pub base_currency: Option<String>,
    /// Equity at the cut.
    pub equity: Decimal,
    /// Holdings, as in `portfolio.closes.v1`.
    pub positions: Value,
    /// Cash by currency and trade date: an object of amounts.
    pub cash: Value,
    /// What cash and receivables of each currency are worth.
    pub currencies: Value,
    /// Whether nothing was missing.
    pub complete: bool,
    /// Whether another version was to be expected.
    pub provisional: bool,
    /// Why.
    pub incomplete_reason: Option<String>,
}

/// How far back the newest snapshot or close of a moment is looked for first: two months' tables instead of all.
const NEAR: i64 = 40 * DAY;
/// How long before the cut of a day a booking of a later date can have been made: dates lie a day ahead at most.
const DATED_AHEAD: i64 = 4 * DAY;
/// The same of a booking of a later moment.
const MOMENT_AHEAD: i64 = 366 * DAY;
/// How long after a day was closed a booking that belongs to it is looked for: until then it is closed again.
const CLOSED_AGAIN: i64 = 2 * DAY;
const DAY: i64 = 86_400_000_000;
/// A day before any that a booking is dated by, since 1970-01-01.
const BEFORE_ALL: i32 = -700_000;

pub(super) async fn read(
    limit: &Limit,
    connection: &mut PgConnection,
    portfolio: &str,
    moment: Micros,
    known_at: Micros,
) -> Result<BookAsOf, StoreError> {
    // A plan for any value would hold every month; one for these values holds those that can have a row.
    let custom = sqlx::query("SET LOCAL plan_cache_mode = force_custom_plan").execute(&mut *connection);
    limit.run(DOING, custom).await?;
    let close = close(limit, connection, portfolio, moment, known_at).await?;
    let sums = limit.run(DOING, since(portfolio, moment, known_at, close.as_ref()).fetch_all(&mut *connection)).await?;
    let (mut positions, mut cash) = (Vec::new(), Vec::new());
    for Sum { is_cash, name, amount } in sums {
        if is_cash {
            cash.push(CashHeld { currency: name, amount });
        } else {
            positions.push(Held { instrument_id: name, quantity: amount });
        }
    }
    let snapshot = snapshot(limit, connection, portfolio, moment.min(known_at)).await?;
    Ok(BookAsOf { positions, cash, snapshot, close })
}

async fn close(
    limit: &Limit,
    connection: &mut PgConnection,
    portfolio: &str,
    moment: Micros,
    known_at: Micros,
) -> Result<Option<CloseAsOf>, StoreError> {
    for back in [Micros(moment.0.saturating_sub(NEAR)), Micros(i64::MIN)] {
        let select = sqlx::query_as(CLOSE).bind(portfolio).bind(moment).bind(known_at).bind(back).fetch_optional(&mut *connection);
        let found = limit.run(DOING, select).await?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

async fn snapshot(
    limit: &Limit,
    connection: &mut PgConnection,
    portfolio: &str,
    moment: Micros,
) -> Result<Option<SnapshotAsOf>, StoreError> {
    for back in [Micros(moment.0.saturating_sub(NEAR)), Micros(i64::MIN)] {
        let select = sqlx::query_as(SNAPSHOT).bind(portfolio).bind(moment).bind(back).fetch_optional(&mut *connection);
        let found = limit.run(DOING, select).await?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Units of an instrument, or an amount of a currency.
#[derive(sqlx::FromRow)]
struct Sum {
    is_cash: bool,
    name: String,
    amount: Decimal,
}

type Summed<'q> = sqlx::query::QueryAs<'q, Postgres, Sum, PgArguments>;

/// From when on bookings can have been made that are dated behind a cut.
fn dated_ahead(cut: Micros) -> Micros {
    Micros(cut.0.saturating_sub(DATED_AHEAD))
}

/// Sums of what a closed day holds and of the bookings that are not in it. Their bounds are values, so that the server
/// plans for the months that can hold one and for no others.
fn since<'q>(portfolio: &'q str, moment: Micros, known_at: Micros, base: Option<&'q CloseAsOf>) -> Summed<'q> {
    let cut = base.and_then(|close| close.cut_at).unwrap_or(Micros(i64::MIN));
    sqlx::query_as(HELD)
        .bind(portfolio)
        .bind(moment)
        .bind(known_at)
        .bind(base.map_or(BEFORE_ALL, |close| close.day))
        .bind(base.map(|close| close.version))
        .bind(cut)
        .bind(dated_ahead(cut))
        .bind(Micros(cut.0.saturating_sub(MOMENT_AHEAD)))
        .bind(base.map_or(Micros(i64::MIN), |close| close.known_from))
        .bind(base.map_or(Micros(i64::MIN), |close| known_at.min(Micros(close.known_from.0.saturating_add(CLOSED_AGAIN)))))
}

pub(super) const SNAPSHOT: &str = "
SELECT version, timestamp AS as_of, base_currency, total_value, cash_value, available_cash, cash, metrics, risk, health, complete,
       policy_version, allocations
FROM performance_snapshots WHERE portfolio_id = $1 AND timestamp <= $2 AND timestamp >= $3
ORDER BY timestamp DESC, version DESC LIMIT 1";

// As `close_as_of` says, from a moment on.
pub(super) const CLOSE: &str = "
SELECT date::text AS date, date - date '1970-01-01' AS day, version, cut_at, known_from, base_currency, equity, positions, cash, currencies, complete, provisional,
       incomplete_reason
FROM close_versions
WHERE portfolio_id = $1 AND date <= ($2 AT TIME ZONE 'UTC')::date + 1 AND date >= ($4 AT TIME ZONE 'UTC')::date
  AND cut_at <= $2 AND known_from <= $3 AND (known_until IS NULL OR known_until > $3)
ORDER BY close_versions.date DESC LIMIT 1";

// As `positions_as_of` and `cash_as_of` say, both from one look at the bookings.
pub(super) const HELD: &str = "
WITH base AS (
    SELECT positions, cash FROM close_versions WHERE portfolio_id = $1 AND date = date '1970-01-01' + $4::integer AND version = $5
), since AS MATERIALIZED (
    SELECT instrument_id, quantity_change, cash FROM ledger_entries
    WHERE portfolio_id = $1 AND dated > date '1970-01-01' + $4::integer AND effective_at <= $2 AND recorded_at <= $3 AND recorded_at >= $7
    UNION ALL
    SELECT instrument_id, quantity_change, cash FROM ledger_entries
    WHERE portfolio_id = $1 AND dated IS NULL AND effective_at >= $6 AND effective_at <= $2 AND recorded_at <= $3 AND recorded_at >= $8
    UNION ALL
    SELECT instrument_id, quantity_change, cash FROM ledger_entries
    WHERE portfolio_id = $1 AND recorded_at > $9 AND recorded_at <= $10 AND effective_at <= $2
      AND (dated <= date '1970-01-01' + $4::integer OR (dated IS NULL AND effective_at < $6))
)
SELECT false AS is_cash, name, sum(amount) AS amount FROM (
    SELECT held ->> 'instrument_id' AS name, (held ->> 'quantity')::numeric AS amount FROM base, jsonb_array_elements(positions) AS held
    UNION ALL
    SELECT instrument_id, quantity_change FROM since WHERE instrument_id IS NOT NULL) units
GROUP BY name HAVING sum(amount) <> 0
UNION ALL
SELECT true, name, sum(amount) FROM (
    SELECT held.key AS name, held.value::numeric AS amount FROM base, jsonb_each_text(cash) AS held
    UNION ALL
    SELECT moved.key, moved.value::numeric FROM since, jsonb_each_text(since.cash) AS moved) balances
GROUP BY name
ORDER BY is_cash, name";
