//! What was held at a moment, as it was known at another: before and after cancels, corrections and late records.
//!
//! Promises: quantities and cash are sums of what the ledger and the closes say, with no price in them. Does not value
//! them: it hands over the newest valuation of then, and the caller looks whether it fits.

use rust_decimal::Decimal;
use serde_json::Value;
use sqlx::postgres::PgConnection;

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

/// Units of an instrument.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Held {
    /// Instrument.
    pub instrument_id: String,
    /// Signed units.
    pub quantity: Decimal,
}

/// A balance.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
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

pub(super) async fn read(
    limit: &Limit,
    connection: &mut PgConnection,
    portfolio: &str,
    moment: Micros,
    known_at: Micros,
) -> Result<BookAsOf, StoreError> {
    let positions = sqlx::query_as(POSITIONS).bind(portfolio).bind(moment).bind(known_at).fetch_all(&mut *connection);
    let positions = limit.run(DOING, positions).await?;
    let cash = sqlx::query_as(CASH).bind(portfolio).bind(moment).bind(known_at).fetch_all(&mut *connection);
    let cash = limit.run(DOING, cash).await?;
    let snapshot = sqlx::query_as(SNAPSHOT).bind(portfolio).bind(moment.min(known_at)).fetch_optional(&mut *connection);
    let snapshot = limit.run(DOING, snapshot).await?;
    let close = sqlx::query_as(CLOSE).bind(portfolio).bind(moment).bind(known_at).fetch_optional(&mut *connection);
    let close = limit.run(DOING, close).await?;
    Ok(BookAsOf { positions, cash, snapshot, close })
}

pub(super) const SNAPSHOT: &str = "
SELECT version, timestamp AS as_of, base_currency, total_value, cash_value, available_cash, cash, metrics, risk, health, complete,
       policy_version, allocations
FROM performance_snapshots WHERE portfolio_id = $1 AND timestamp <= $2
ORDER BY timestamp DESC, version DESC LIMIT 1";

pub(super) const CLOSE: &str = "
SELECT date::text AS date, version, cut_at, known_from, base_currency, equity, positions, cash, currencies, complete, provisional,
       incomplete_reason
FROM close_as_of($1, $2, $3)";

pub(super) const POSITIONS: &str = "SELECT instrument_id, quantity FROM positions_as_of($1, $2, $3)";

pub(super) const CASH: &str = "SELECT currency, amount FROM cash_as_of($1, $2, $3)";
