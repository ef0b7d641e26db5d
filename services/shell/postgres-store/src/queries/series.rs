//! Value, cash and exposure over time: by day from closes, by minute and hour from snapshots.

use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::BTreeMap;

use super::ONE_MOMENT;
use crate::{Micros, Store, StoreError};

const DOING: &str = "reading values over time";

/// A closed day; amounts are in the base currency.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct DayValue {
    /// The day, as YYYY-MM-DD.
    pub date: String,
    /// When it was cut.
    pub cut_at: Option<Micros>,
    /// Equity at the cut.
    pub total_value: Decimal,
    /// Cash at the cut, where it is told.
    pub cash_value: Option<Decimal>,
    /// Value of long holdings.
    pub long_value: Option<Decimal>,
    /// Magnitude of short holdings.
    pub short_value: Option<Decimal>,
    /// Net external flows since the close before.
    pub net_external_flow: Decimal,
    /// Whether nothing was missing.
    pub complete: bool,
    /// Whether another version is to be expected.
    pub provisional: bool,
    /// Figures of its record of performance (timeframe DAY), one object a figure; absent where none is stored.
    #[sqlx(skip)]
    pub record: Option<Value>,
    /// Whether later records may still change these; absent where there are none.
    #[sqlx(skip)]
    pub record_provisional: Option<bool>,
}

/// The same, and the moment that its record bears.
#[derive(sqlx::FromRow)]
struct Day {
    #[sqlx(flatten)]
    value: DayValue,
    record_at: Micros,
}

/// A record of performance.
#[derive(sqlx::FromRow)]
struct Record {
    as_of: Micros,
    metrics: Value,
    provisional: bool,
}

/// What has come after the newest closed day, up to the newest snapshot; amounts are in the base currency.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct RunningDay {
    /// The closed day, as YYYY-MM-DD.
    pub since: String,
    /// Equity at its cut.
    pub value_before: Decimal,
    /// The moment of the snapshot.
    pub as_of: Micros,
    /// Equity of the snapshot.
    pub total_value: Decimal,
    /// Net external flows since the closed day.
    pub net_external_flow: Decimal,
    /// Whether no price was missing in the snapshot.
    pub complete: bool,
}

/// A minute or an hour; amounts are in the base currency.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct SpanValue {
    /// When it begins.
    pub at: Micros,
    /// Equity of its first snapshot.
    pub open_value: Decimal,
    /// Least equity.
    pub low_value: Decimal,
    /// Greatest equity.
    pub high_value: Decimal,
    /// Equity of its last snapshot.
    pub total_value: Decimal,
    /// Cash of its last snapshot.
    pub cash_value: Decimal,
    /// Value of long holdings in it.
    pub long_value: Option<Decimal>,
    /// Magnitude of short holdings in it.
    pub short_value: Option<Decimal>,
    /// Whether each of its snapshots was complete.
    pub complete: bool,
}

/// How wide a span is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// A minute.
    Minute,
    /// An hour.
    Hour,
}

impl Store {
    /// The closed days of a span of dates (YYYY-MM-DD, both included), oldest first, behind the newest day before it,
    /// which is what the first of them is measured from; each with its record of performance.
    ///
    /// # Errors
    /// What the server says.
    pub async fn days(&self, portfolio: &str, from: &str, to: &str) -> Result<Vec<DayValue>, StoreError> {
        let limit = self.limit();
        let mut transaction = limit.run(DOING, self.pool().begin_with(ONE_MOMENT)).await?;
        let select = sqlx::query_as(DAYS).bind(portfolio).bind(from).bind(to).fetch_all(&mut *transaction);
        let days: Vec<Day> = limit.run(DOING, select).await?;
        let moments = || days.iter().map(|day| day.record_at);
        let Some((first, last)) = moments().min().zip(moments().max()) else { return Ok(Vec::new()) };
        // Planning for these very moments takes longer, over all months of many years, than looking into each of them.
        let generic = sqlx::query("SET LOCAL plan_cache_mode = force_generic_plan").execute(&mut *transaction);
        limit.run(DOING, generic).await?;
        let select = sqlx::query_as(RECORDS).bind(portfolio).bind(first).bind(last).fetch_all(&mut *transaction);
        let records: Vec<Record> = limit.run(DOING, select).await?;
        limit.run(DOING, transaction.commit()).await?;
        let mut records: BTreeMap<Micros, Record> = records.into_iter().map(|record| (record.as_of, record)).collect();
        let with_record = |Day { value, record_at }: Day| {
            let found = records.remove(&record_at);
            let (record, record_provisional) = found.map(|found| (found.metrics, found.provisional)).unzip();
            DayValue { record, record_provisional, ..value }
        };
        Ok(days.into_iter().map(with_record).collect())
    }

    /// What has come after the newest closed day; `None` before the first, and where no snapshot came after it.
    ///
    /// # Errors
    /// What the server says.
    pub async fn running_day(&self, portfolio: &str) -> Result<Option<RunningDay>, StoreError> {
        self.limit().run(DOING, sqlx::query_as(RUNNING).bind(portfolio).fetch_optional(self.pool())).await
    }

    /// The minutes or hours that begin within a span, the second end excluded.
    ///
    /// # Errors
    /// What the server says.
    pub async fn spans(&self, portfolio: &str, width: Width, from: Micros, until: Micros) -> Result<Vec<SpanValue>, StoreError> {
        let sql = match width {
            Width::Minute => MINUTES,
            Width::Hour => HOURS,
        };
        let select = sqlx::query_as(sql).bind(portfolio).bind(from).bind(until).fetch_all(self.pool());
        self.limit().run(DOING, select).await
    }
}

// A record of performance bears the moment of its day's cut; of a close that names none it is the end of the day in UTC.
pub(super) const DAYS: &str = "
SELECT date::text AS date, cut_at, total_value, cash_value, long_value, short_value, net_external_flow, complete, provisional,
       coalesce(cut_at, (date + 1)::timestamp AT TIME ZONE 'UTC') AS record_at
FROM values_by_day
WHERE portfolio_id = $1 AND date <= $3::date
  AND date >= coalesce((SELECT max(b.date) FROM values_by_day b WHERE b.portfolio_id = $1 AND b.date < $2::date), $2::date)
ORDER BY values_by_day.date";

// Apart from the days: joined to them, each day of many years would look into every month.
pub(super) const RECORDS: &str = "
SELECT as_of, metrics, provisional FROM performance_records
WHERE portfolio_id = $1 AND timeframe = 'DAY' AND as_of >= $2 AND as_of <= $3";

pub(super) const RUNNING: &str = "
SELECT c.date::text AS since, c.equity AS value_before, s.timestamp AS as_of, s.total_value,
       (s.metrics ->> 'net_flows')::numeric - c.net_flows AS net_external_flow, s.complete
FROM latest_snapshots s
CROSS JOIN LATERAL (SELECT date, cut_at, equity, net_flows, base_currency FROM close_versions
                    WHERE portfolio_id = s.portfolio_id AND known_until IS NULL ORDER BY date DESC LIMIT 1) c
WHERE s.portfolio_id = $1 AND s.timestamp > c.cut_at AND s.base_currency = c.base_currency
  AND c.net_flows IS NOT NULL AND s.metrics ->> 'net_flows' IS NOT NULL";

const MINUTES: &str = "
SELECT at, open_value, low_value, high_value, total_value, cash_value, long_value, short_value, complete
FROM values_by_minute WHERE portfolio_id = $1 AND at >= $2 AND at < $3 ORDER BY at";

const HOURS: &str = "
SELECT at, open_value, low_value, high_value, total_value, cash_value, long_value, short_value, complete
FROM values_by_hour WHERE portfolio_id = $1 AND at >= $2 AND at < $3 ORDER BY at";
