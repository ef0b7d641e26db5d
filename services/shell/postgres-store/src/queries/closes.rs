//! Closed days with what was held on each, and the sectors of what a portfolio holds or targets.

use rust_decimal::Decimal;
use serde_json::Value;

use crate::{Micros, Store, StoreError};

const DOING: &str = "reading closed days";

/// The newest version of a closed day; amounts are in the base currency.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct ClosedDay {
    /// The day, as YYYY-MM-DD.
    pub date: String,
    /// When it was cut.
    pub cut_at: Option<Micros>,
    /// Base currency, where it is told.
    pub base_currency: Option<String>,
    /// Equity at the cut.
    pub equity: Decimal,
    /// Net external flows since the close before.
    pub net_external_flow: Decimal,
    /// Holdings, as in `portfolio.closes.v1`.
    pub positions: Value,
    /// Whether nothing was missing.
    pub complete: bool,
    /// Whether another version is to be expected.
    pub provisional: bool,
}

/// An instrument with its sector.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Sectored {
    /// Instrument.
    pub instrument_id: String,
    /// Sector, where it has one.
    pub sector: Option<String>,
}

impl Store {
    /// The closed days of a span of dates (YYYY-MM-DD, both included), oldest first, behind the newest day before it.
    ///
    /// # Errors
    /// What the server says.
    pub async fn closed_days(&self, portfolio: &str, from: &str, to: &str) -> Result<Vec<ClosedDay>, StoreError> {
        let select = sqlx::query_as(CLOSED_DAYS).bind(portfolio).bind(from).bind(to).fetch_all(self.pool());
        self.limit().run(DOING, select).await
    }

    /// The sectors of what a portfolio holds or targets, or a completed rebalance has ordered, as they are now.
    ///
    /// # Errors
    /// What the server says.
    pub async fn sectors(&self, portfolio: &str) -> Result<Vec<Sectored>, StoreError> {
        let select = sqlx::query_as(SECTORS).bind(portfolio).fetch_all(self.pool());
        self.limit().run(DOING, select).await
    }
}

pub(super) const CLOSED_DAYS: &str = "
SELECT date::text AS date, cut_at, base_currency, equity, net_external_flow, positions, complete, provisional
FROM close_versions
WHERE portfolio_id = $1 AND known_until IS NULL AND date <= $3::date
  AND date >= coalesce((SELECT b.date FROM close_versions b WHERE b.portfolio_id = $1 AND b.known_until IS NULL AND b.date < $2::date
                        ORDER BY b.date DESC LIMIT 1), $2::date)
ORDER BY close_versions.date";

pub(super) const SECTORS: &str = "
SELECT instrument_id, sector FROM portfolio_allocations WHERE portfolio_id = $1 ORDER BY instrument_id";
