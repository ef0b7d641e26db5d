//! Figures of performance and risk: the newest, those of a moment, and profit by grouping day by day.

use serde_json::Value;
use sqlx::postgres::PgConnection;

use crate::statement::Limit;
use crate::{Micros, Store, StoreError};

const DOING: &str = "reading figures of performance and risk";

/// The figures of one timeframe.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct FigureSet {
    /// Period that they cover: DAY, MTD, YTD, ALL and so on.
    pub timeframe: String,
    /// The moment that they reach to.
    pub as_of: Micros,
    /// First day that they cover, as YYYY-MM-DD, where it is told.
    pub from_date: Option<String>,
    /// Last day that they cover, as YYYY-MM-DD, where it is told.
    pub date: Option<String>,
    /// Currency of amounts that name none.
    pub base_currency: String,
    /// Whether later records may still change them.
    pub provisional: bool,
    /// One object a figure.
    pub metrics: Value,
}

/// Profit of one day by grouping.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct AttributionDay {
    /// The moment that the day reaches to.
    pub as_of: Micros,
    /// One object a grouping.
    pub attribution: Value,
    /// Whether later records may still change it.
    pub provisional: bool,
}

impl Store {
    /// Profit by grouping of each day that ends after a moment and by another.
    ///
    /// # Errors
    /// What the server says.
    pub async fn attribution(&self, portfolio: &str, after: Micros, until: Micros) -> Result<Vec<AttributionDay>, StoreError> {
        let select = sqlx::query_as(ATTRIBUTION).bind(portfolio).bind(after).bind(until).fetch_all(self.pool());
        self.limit().run(DOING, select).await
    }

    /// Figures of performance of every timeframe, the newest by a moment.
    ///
    /// # Errors
    /// What the server says.
    pub async fn performance_as_of(&self, portfolio: &str, moment: Micros) -> Result<Vec<FigureSet>, StoreError> {
        let select = sqlx::query_as(PERFORMANCE_AS_OF).bind(portfolio).bind(moment).fetch_all(self.pool());
        self.limit().run(DOING, select).await
    }
}

/// Figures of performance and of risk. A record is not told apart by when it was known: it reaches to the earlier moment.
pub(super) async fn read(
    limit: &Limit,
    connection: &mut PgConnection,
    portfolio: &str,
    past: Option<(Micros, Micros)>,
) -> Result<(Vec<FigureSet>, Vec<FigureSet>), StoreError> {
    let Some((moment, known_at)) = past else {
        let performance = limit.run(DOING, sqlx::query_as(LATEST_PERFORMANCE).bind(portfolio).fetch_all(&mut *connection)).await?;
        let risk = limit.run(DOING, sqlx::query_as(LATEST_RISK).bind(portfolio).fetch_all(&mut *connection)).await?;
        return Ok((performance, risk));
    };
    let moment = moment.min(known_at);
    let performance = limit.run(DOING, sqlx::query_as(PERFORMANCE_AS_OF).bind(portfolio).bind(moment).fetch_all(&mut *connection)).await?;
    let risk = limit.run(DOING, sqlx::query_as(RISK_AS_OF).bind(portfolio).bind(moment).fetch_all(&mut *connection)).await?;
    Ok((performance, risk))
}

pub(super) const LATEST_PERFORMANCE: &str = "
SELECT timeframe, as_of, from_date::text AS from_date, date::text AS date, base_currency, provisional, metrics
FROM latest_performance WHERE portfolio_id = $1 ORDER BY timeframe";

pub(super) const LATEST_RISK: &str = "
SELECT timeframe, as_of, NULL::text AS from_date, date::text AS date, base_currency, provisional, metrics
FROM latest_risk WHERE portfolio_id = $1 ORDER BY timeframe";

// The timeframes are few, and each is found by one look into the index.
pub(super) const PERFORMANCE_AS_OF: &str = "
SELECT p.timeframe, p.as_of, p.from_date::text AS from_date, p.date::text AS date, p.base_currency, p.provisional, p.metrics
FROM latest_performance t CROSS JOIN LATERAL (
    SELECT * FROM performance_records r
    WHERE r.portfolio_id = t.portfolio_id AND r.timeframe = t.timeframe AND r.as_of <= $2 ORDER BY r.as_of DESC LIMIT 1) p
WHERE t.portfolio_id = $1 ORDER BY p.timeframe";

pub(super) const RISK_AS_OF: &str = "
SELECT p.timeframe, p.as_of, NULL::text AS from_date, p.date::text AS date, p.base_currency, p.provisional, p.metrics
FROM latest_risk t CROSS JOIN LATERAL (
    SELECT * FROM risk_records r
    WHERE r.portfolio_id = t.portfolio_id AND r.timeframe = t.timeframe AND r.as_of <= $2 ORDER BY r.as_of DESC LIMIT 1) p
WHERE t.portfolio_id = $1 ORDER BY p.timeframe";

// A day is told anew while it lasts: the last word of each counts.
pub(super) const ATTRIBUTION: &str = "
SELECT DISTINCT ON (date) as_of, attribution, provisional
FROM (SELECT coalesce(date, (as_of AT TIME ZONE 'UTC')::date) AS date, as_of, attribution, provisional FROM performance_records
      WHERE portfolio_id = $1 AND timeframe = 'DAY' AND as_of > $2 AND as_of <= $3) days
ORDER BY date, as_of DESC";
