//! What each closed day returned, from the records of performance of one day.
//!
//! Promises: of records for one day the newer by offset stays; days are kept for good. Does not compute a return.

use rust_decimal::Decimal;
use sqlx::{Postgres, Transaction};

use super::column::{column, newest, opt_text, text};
use crate::StoreError;
use crate::queries::ClosedTrades;
use crate::statement::Limit;

/// A closed day by its record; amounts are in the base currency.
#[derive(Debug, Clone, PartialEq)]
pub struct DayReturnRow {
    /// Portfolio.
    pub portfolio_id: String,
    /// Its day, as YYYY-MM-DD.
    pub date: String,
    /// Time-weighted return, a fraction of one.
    pub time_weighted_return: Option<Decimal>,
    /// Why there is none, or how it is to be read.
    pub reason: Option<String>,
    /// How it was found, in words.
    pub method: String,
    /// Change of equity less the flow.
    pub profit: Option<Decimal>,
    /// What the benchmark returned since its last price, a fraction of one.
    pub benchmark_return: Option<Decimal>,
    /// What the risk-free instrument returned since its last price, a fraction of one.
    pub risk_free_return: Option<Decimal>,
    /// The trades that were closed, where there are any.
    pub trades: Option<ClosedTrades>,
    /// Equity at the cut, as the record has it.
    pub total_value: Option<Decimal>,
    /// Net external flow since the close before, as the record has it.
    pub net_external_flow: Option<Decimal>,
    /// Whether later records may still change these.
    pub provisional: bool,
    /// Offset of the record: newer wins.
    pub source_offset: i64,
}

pub(super) async fn upsert(limit: &Limit, transaction: &mut Transaction<'_, Postgres>, rows: &[DayReturnRow]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let days = newest(rows, |r| (&r.portfolio_id, &r.date), |r| r.source_offset);
    let statement = sqlx::query(UPSERT)
        .bind(column(&days, |r| text(&r.portfolio_id)))
        .bind(column(&days, |r| text(&r.date)))
        .bind(column(&days, |r| r.time_weighted_return))
        .bind(column(&days, |r| opt_text(&r.reason)))
        .bind(column(&days, |r| text(&r.method)))
        .bind(column(&days, |r| r.profit))
        .bind(column(&days, |r| r.benchmark_return))
        .bind(column(&days, |r| r.risk_free_return))
        .bind(column(&days, |r| r.total_value))
        .bind(column(&days, |r| r.net_external_flow))
        .bind(column(&days, |r| r.provisional))
        .bind(column(&days, |r| r.source_offset))
        .bind(column(&days, |r| r.trades.map(|closed| closed.trades)))
        .bind(column(&days, |r| r.trades.map(|closed| closed.winning)))
        .bind(column(&days, |r| r.trades.map(|closed| closed.losing)))
        .bind(column(&days, |r| r.trades.and_then(|closed| closed.gross_profit)))
        .bind(column(&days, |r| r.trades.and_then(|closed| closed.gross_loss)))
        .execute(&mut **transaction);
    limit.run("projecting returns by day", statement).await?;
    Ok(())
}

const UPSERT: &str = "
INSERT INTO returns_by_day AS r
    (portfolio_id, date, time_weighted_return, reason, method, profit, benchmark_return, risk_free_return, total_value, net_external_flow,
     provisional, source_offset, trades, winning_trades, losing_trades, gross_profit, gross_loss)
SELECT portfolio_id, date::date, time_weighted_return, reason, method, profit, benchmark_return, risk_free_return, total_value,
       net_external_flow, provisional, source_offset, trades, winning_trades, losing_trades, gross_profit, gross_loss
FROM UNNEST($1::text[], $2::text[], $3::numeric[], $4::text[], $5::text[], $6::numeric[], $7::numeric[], $8::numeric[], $9::numeric[],
            $10::numeric[], $11::bool[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::numeric[], $17::numeric[])
    AS g (portfolio_id, date, time_weighted_return, reason, method, profit, benchmark_return, risk_free_return, total_value,
          net_external_flow, provisional, source_offset, trades, winning_trades, losing_trades, gross_profit, gross_loss)
ON CONFLICT (portfolio_id, date) DO UPDATE SET
    time_weighted_return = EXCLUDED.time_weighted_return, reason = EXCLUDED.reason, method = EXCLUDED.method, profit = EXCLUDED.profit,
    benchmark_return = EXCLUDED.benchmark_return, risk_free_return = EXCLUDED.risk_free_return, total_value = EXCLUDED.total_value,
    net_external_flow = EXCLUDED.net_external_flow, provisional = EXCLUDED.provisional, source_offset = EXCLUDED.source_offset,
    trades = EXCLUDED.trades, winning_trades = EXCLUDED.winning_trades, losing_trades = EXCLUDED.losing_trades,
    gross_profit = EXCLUDED.gross_profit, gross_loss = EXCLUDED.gross_loss
WHERE r.source_offset < EXCLUDED.source_offset";
