//! Figures of performance and risk, from their topics.
//!
//! Promises: of each portfolio and timeframe the newest record stands apart and outlives every month; of records for
//! one moment the newer by offset stays. Does not compute a figure.

use serde_json::Value;
use sqlx::{Postgres, Transaction};

use super::column::{column, json, newest, opt_text, text};
use crate::statement::Limit;
use crate::{Micros, StoreError};

const DOING: &str = "projecting figures of performance and risk";

/// A record of `portfolio.performance.v1`.
#[derive(Debug, Clone, PartialEq)]
pub struct PerformanceRow {
    /// Portfolio.
    pub portfolio_id: String,
    /// Period that the figures cover.
    pub timeframe: String,
    /// The moment that they reach to.
    pub as_of: Micros,
    /// Base currency.
    pub base_currency: String,
    /// Whether later records may still change them.
    pub provisional: bool,
    /// One object a figure.
    pub metrics: Value,
    /// One object a grouping.
    pub attribution: Value,
    /// Last day that they cover, as YYYY-MM-DD.
    pub date: Option<String>,
    /// First day that they cover.
    pub from_date: Option<String>,
    /// The deepest fall of the index, and the one that it is in.
    pub drawdowns: Value,
    /// Offset of the record: newer wins.
    pub source_offset: i64,
}

/// A record of `portfolio.risk.v1`.
#[derive(Debug, Clone, PartialEq)]
pub struct RiskRow {
    /// Portfolio.
    pub portfolio_id: String,
    /// Period that the figures cover.
    pub timeframe: String,
    /// The moment that they reach to.
    pub as_of: Micros,
    /// Base currency.
    pub base_currency: String,
    /// Whether later records may still change them.
    pub provisional: bool,
    /// One object a figure.
    pub metrics: Value,
    /// Day of whose close the holdings are, as YYYY-MM-DD.
    pub date: Option<String>,
    /// One object a holding.
    pub components: Value,
    /// One object a pair.
    pub correlations: Value,
    /// One object a sector.
    pub sectors: Value,
    /// Offset of the record: newer wins.
    pub source_offset: i64,
}

pub(super) async fn upsert_performance(
    limit: &Limit,
    transaction: &mut Transaction<'_, Postgres>,
    rows: &[PerformanceRow],
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let every = newest(rows, |r| (&r.portfolio_id, &r.timeframe, r.as_of), |r| r.source_offset);
    let latest = newest(rows, |r| (&r.portfolio_id, &r.timeframe), |r| (r.as_of, r.source_offset));
    for (sql, rows) in [(PERFORMANCE, every), (LATEST_PERFORMANCE, latest)] {
        let statement = sqlx::query(sql)
            .bind(column(&rows, |r| text(&r.portfolio_id)))
            .bind(column(&rows, |r| text(&r.timeframe)))
            .bind(column(&rows, |r| r.as_of))
            .bind(column(&rows, |r| text(&r.base_currency)))
            .bind(column(&rows, |r| r.provisional))
            .bind(column(&rows, |r| json(&r.metrics)))
            .bind(column(&rows, |r| json(&r.attribution)))
            .bind(column(&rows, |r| r.source_offset))
            .bind(column(&rows, |r| opt_text(&r.date)))
            .bind(column(&rows, |r| opt_text(&r.from_date)))
            .bind(column(&rows, |r| json(&r.drawdowns)))
            .execute(&mut **transaction);
        limit.run(DOING, statement).await?;
    }
    Ok(())
}

pub(super) async fn upsert_risk(limit: &Limit, transaction: &mut Transaction<'_, Postgres>, rows: &[RiskRow]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let every = newest(rows, |r| (&r.portfolio_id, &r.timeframe, r.as_of), |r| r.source_offset);
    let latest = newest(rows, |r| (&r.portfolio_id, &r.timeframe), |r| (r.as_of, r.source_offset));
    for (sql, rows) in [(RISK, every), (LATEST_RISK, latest)] {
        let statement = sqlx::query(sql)
            .bind(column(&rows, |r| text(&r.portfolio_id)))
            .bind(column(&rows, |r| text(&r.timeframe)))
            .bind(column(&rows, |r| r.as_of))
            .bind(column(&rows, |r| text(&r.base_currency)))
            .bind(column(&rows, |r| r.provisional))
            .bind(column(&rows, |r| json(&r.metrics)))
            .bind(column(&rows, |r| r.source_offset))
            .bind(column(&rows, |r| opt_text(&r.date)))
            .bind(column(&rows, |r| json(&r.components)))
            .bind(column(&rows, |r| json(&r.correlations)))
            .bind(column(&rows, |r| json(&r.sectors)))
            .execute(&mut **transaction);
        limit.run(DOING, statement).await?;
    }
    Ok(())
}

macro_rules! performance_into {
    ($table:literal, $conflict:literal) => {
        concat!(
            "INSERT INTO ",
            $table,
            " AS p
    (portfolio_id, timeframe, as_of, base_currency, provisional, metrics, attribution, source_offset, date, from_date, drawdowns)
SELECT portfolio_id, timeframe, as_of, base_currency, provisional, metrics::jsonb, attribution::jsonb, source_offset,
       date::date, from_date::date, drawdowns::jsonb
FROM UNNEST($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::bool[], $6::text[], $7::text[], $8::bigint[],
            $9::text[], $10::text[], $11::text[])
    AS g (portfolio_id, timeframe, as_of, base_currency, provisional, metrics, attribution, source_offset, date, from_date, drawdowns)
",
            $conflict,
            "
    base_currency = EXCLUDED.base_currency, provisional = EXCLUDED.provisional, metrics = EXCLUDED.metrics,
    attribution = EXCLUDED.attribution, source_offset = EXCLUDED.source_offset, date = EXCLUDED.date,
    from_date = EXCLUDED.from_date, drawdowns = EXCLUDED.drawdowns
WHERE (p.as_of, p.source_offset) < (EXCLUDED.as_of, EXCLUDED.source_offset)"
        )
    };
}

macro_rules! risk_into {
    ($table:literal, $conflict:literal) => {
        concat!(
            "INSERT INTO ",
            $table,
            " AS p
    (portfolio_id, timeframe, as_of, base_currency, provisional, metrics, source_offset, date, components, correlations, sectors)
SELECT portfolio_id, timeframe, as_of, base_currency, provisional, metrics::jsonb, source_offset, date::date,
       components::jsonb, correlations::jsonb, sectors::jsonb
FROM UNNEST($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::bool[], $6::text[], $7::bigint[], $8::text[], $9::text[],
            $10::text[], $11::text[])
    AS g (portfolio_id, timeframe, as_of, base_currency, provisional, metrics, source_offset, date, components, correlations, sectors)
",
            $conflict,
            "
    base_currency = EXCLUDED.base_currency, provisional = EXCLUDED.provisional, metrics = EXCLUDED.metrics,
    source_offset = EXCLUDED.source_offset, date = EXCLUDED.date, components = EXCLUDED.components,
    correlations = EXCLUDED.correlations, sectors = EXCLUDED.sectors
WHERE (p.as_of, p.source_offset) < (EXCLUDED.as_of, EXCLUDED.source_offset)"
        )
    };
}

const PERFORMANCE: &str = performance_into!("performance_records", "ON CONFLICT (portfolio_id, timeframe, as_of) DO UPDATE SET");
const LATEST_PERFORMANCE: &str =
    performance_into!("latest_performance", "ON CONFLICT (portfolio_id, timeframe) DO UPDATE SET as_of = EXCLUDED.as_of,");
const RISK: &str = risk_into!("risk_records", "ON CONFLICT (portfolio_id, timeframe, as_of) DO UPDATE SET");
const LATEST_RISK: &str = risk_into!("latest_risk", "ON CONFLICT (portfolio_id, timeframe) DO UPDATE SET as_of = EXCLUDED.as_of,");
