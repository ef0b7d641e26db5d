//! Value and cash over time: by day from closes, with what the day returned by its record; by minute and hour, with
//! exposure, from snapshots.

use rust_decimal::Decimal;
use sqlx::postgres::PgRow;
use sqlx::types::time::Date;
use sqlx::{FromRow, Row};

use crate::numeric::Exact;
use crate::{Micros, Store, StoreError};

const DOING: &str = "reading values over time";

/// A closed day; amounts are in the base currency.
#[derive(Debug, Clone, PartialEq)]
pub struct DayValue {
    /// The day, as YYYY-MM-DD.
    pub date: String,
    /// When it was cut.
    pub cut_at: Option<Micros>,
    /// Equity at the cut.
    pub total_value: Decimal,
    /// Cash at the cut, where it is told.
    pub cash_value: Option<Decimal>,
    /// Net external flows since the close before.
    pub net_external_flow: Decimal,
    /// Whether nothing was missing.
    pub complete: bool,
    /// Whether another version is to be expected.
    pub provisional: bool,
    /// What its record of performance says of it; absent where none is stored.
    pub returned: Option<DayReturn>,
}

/// A closed day by its record of performance (timeframe DAY); amounts are in the base currency.
#[derive(Debug, Clone, PartialEq)]
pub struct DayReturn {
    /// Time-weighted return, a fraction of one; or why there is none.
    pub time_weighted_return: Result<Decimal, String>,
    /// How it was found, in words.
    pub method: String,
    /// Change of equity less the flow.
    pub profit: Option<Decimal>,
    /// What the benchmark returned since its last price, a fraction of one.
    pub benchmark_return: Option<Decimal>,
    /// What the risk-free instrument returned since its last price, a fraction of one.
    pub risk_free_return: Option<Decimal>,
    /// Trades that it closed; absent where it tells of none.
    pub trades: Option<ClosedTrades>,
    /// Whether it tells the equity and the flow that the newest close does not.
    pub is_of_an_earlier_close: bool,
    /// Whether later records may still change these.
    pub provisional: bool,
}

/// Trades that were closed on a day: executions that closed units. Amounts are in the base currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClosedTrades {
    /// All of them.
    pub trades: i64,
    /// Those that came to more than nothing.
    pub winning: i64,
    /// Those that came to less than nothing.
    pub losing: i64,
    /// Sum of the winning ones; absent beyond the range of figures.
    pub gross_profit: Option<Decimal>,
    /// Sum of the losing ones, negative; absent beyond the range of figures.
    pub gross_loss: Option<Decimal>,
}

/// An exact number that may be absent.
fn figure(row: &PgRow, at: usize) -> Result<Option<Decimal>, sqlx::Error> {
    Ok(row.try_get::<Option<Exact>, _>(at)?.map(|exact| exact.0))
}

impl FromRow<'_, PgRow> for DayValue {
    /// By place: ten years are thousands of rows, and names would be looked up in each.
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            date: row.try_get::<Date, _>(0)?.to_string(),
            cut_at: row.try_get(1)?,
            total_value: row.try_get::<Exact, _>(2)?.0,
            cash_value: figure(row, 3)?,
            net_external_flow: row.try_get::<Exact, _>(4)?.0,
            complete: row.try_get(5)?,
            provisional: row.try_get(6)?,
            returned: row.try_get::<Option<String>, _>(7)?.map(|method| DayReturn::of(row, method)).transpose()?,
        })
    }
}

impl DayReturn {
    fn of(row: &PgRow, method: String) -> Result<Self, sqlx::Error> {
        let value = figure(row, 8)?;
        Ok(Self {
            time_weighted_return: match value {
                Some(value) => Ok(value),
                None => Err(row.try_get::<Option<String>, _>(9)?.unwrap_or_default()),
            },
            method,
            profit: figure(row, 10)?,
            benchmark_return: figure(row, 11)?,
            risk_free_return: figure(row, 12)?,
            is_of_an_earlier_close: row.try_get::<Option<bool>, _>(13)?.unwrap_or_default(),
            provisional: row.try_get(14)?,
            trades: row.try_get::<Option<i64>, _>(15)?.map(|trades| ClosedTrades::of(row, trades)).transpose()?,
        })
    }
}

impl ClosedTrades {
    fn of(row: &PgRow, trades: i64) -> Result<Self, sqlx::Error> {
        Ok(Self {
            trades,
            winning: row.try_get(16)?,
            losing: row.try_get(17)?,
            gross_profit: figure(row, 18)?,
            gross_loss: figure(row, 19)?,
        })
    }
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
        // The server takes any span to be a short one, and would look up what each of its days returned by itself.
        let mut transaction = limit.run(DOING, self.pool().begin_with("BEGIN READ ONLY; SET LOCAL enable_nestloop = off")).await?;
        let select = sqlx::query_as(DAYS).bind(portfolio).bind(from).bind(to).fetch_all(&mut *transaction);
        let days = limit.run(DOING, select).await?;
        limit.run(DOING, transaction.commit()).await?;
        Ok(days)
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

pub(super) const DAYS: &str = "
WITH span AS MATERIALIZED (
    SELECT coalesce((SELECT max(b.date) FROM values_by_day b WHERE b.portfolio_id = $1 AND b.date < $2::date), $2::date) AS first)
SELECT v.date, v.cut_at, v.total_value, v.cash_value, v.net_external_flow, v.complete, v.provisional,
       r.method, r.time_weighted_return, r.reason, r.profit, r.benchmark_return, r.risk_free_return,
       r.total_value <> v.total_value OR r.net_external_flow <> v.net_external_flow AS is_of_an_earlier_close,
       r.provisional AS record_provisional,
       r.trades, r.winning_trades, r.losing_trades, r.gross_profit, r.gross_loss
FROM values_by_day v
LEFT JOIN returns_by_day r
    ON r.portfolio_id = $1 AND r.date = v.date AND r.date >= (SELECT first FROM span) AND r.date <= $3::date
WHERE v.portfolio_id = $1 AND v.date >= (SELECT first FROM span) AND v.date <= $3::date
ORDER BY v.date";

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
