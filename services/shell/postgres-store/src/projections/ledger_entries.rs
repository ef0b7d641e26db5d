//! Bookings, from the ledger: each with when it takes effect and when it was booked.
//!
//! Promises: a booking is written once and never changed; old months go only by
//! [`Store::drop_months`](crate::Store::drop_months).

use rust_decimal::Decimal;
use serde_json::Value;
use sqlx::{Postgres, Transaction};

use super::column::{column, json, opt_text, text};
use crate::statement::Limit;
use crate::{Micros, StoreError};

/// A booking; amounts are in the instrument's currency unless a currency stands beside them.
#[derive(Debug, Clone, PartialEq)]
pub struct LedgerEntryRow {
    /// Portfolio.
    pub portfolio_id: String,
    /// Version of the ledger record that holds it.
    pub version: i64,
    /// Its place in that record, from 0.
    pub place: i32,
    /// TRADE, CANCEL, CORRECT, RESTATE, CASH_DEPOSIT and so on.
    pub kind: String,
    /// Topic of the record that caused it.
    pub cause_topic: String,
    /// Its partition.
    pub cause_partition: i32,
    /// Its offset.
    pub cause_offset: i64,
    /// Execution id, entry id or action id.
    pub cause_id: String,
    /// Instrument; absent for plain cash.
    pub instrument_id: Option<String>,
    /// Strategy.
    pub strategy: Option<String>,
    /// Venue.
    pub venue: Option<String>,
    /// The day that it belongs to, as YYYY-MM-DD, where a date tells it; absent where `effective_at` does.
    pub dated: Option<String>,
    /// When it takes effect.
    pub effective_at: Micros,
    /// When it was booked.
    pub recorded_at: Micros,
    /// Signed change of units.
    pub quantity_change: Decimal,
    /// Price of a unit.
    pub price: Option<Decimal>,
    /// Units of base for one of the instrument's currency.
    pub fx_rate: Option<Decimal>,
    /// Change of cash: an object of amounts by currency.
    pub cash: Value,
    /// Profit realised, before fees.
    pub realized_gross: Decimal,
    /// Fees: an object of amounts by currency.
    pub fees: Value,
    /// Dividends, interest, accrued interest.
    pub income: Decimal,
    /// Net flow across the portfolio's boundary, in the base currency.
    pub external_flow: Decimal,
}

pub(super) async fn insert(limit: &Limit, transaction: &mut Transaction<'_, Postgres>, rows: &[LedgerEntryRow]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let statement = sqlx::query(INSERT)
        .bind(column(rows, |r| text(&r.portfolio_id)))
        .bind(column(rows, |r| r.version))
        .bind(column(rows, |r| r.place))
        .bind(column(rows, |r| text(&r.kind)))
        .bind(column(rows, |r| text(&r.cause_topic)))
        .bind(column(rows, |r| r.cause_partition))
        .bind(column(rows, |r| r.cause_offset))
        .bind(column(rows, |r| text(&r.cause_id)))
        .bind(column(rows, |r| opt_text(&r.instrument_id)))
        .bind(column(rows, |r| opt_text(&r.strategy)))
        .bind(column(rows, |r| opt_text(&r.venue)))
        .bind(column(rows, |r| opt_text(&r.dated)))
        .bind(column(rows, |r| r.effective_at))
        .bind(column(rows, |r| r.recorded_at))
        .bind(column(rows, |r| r.quantity_change))
        .bind(column(rows, |r| r.price))
        .bind(column(rows, |r| r.fx_rate))
        .bind(column(rows, |r| json(&r.cash)))
        .bind(column(rows, |r| r.realized_gross))
        .bind(column(rows, |r| json(&r.fees)))
        .bind(column(rows, |r| r.income))
        .bind(column(rows, |r| r.external_flow))
        .execute(&mut **transaction);
    limit.run("projecting bookings", statement).await?;
    Ok(())
}

const INSERT: &str = "
INSERT INTO ledger_entries
    (portfolio_id, version, place, kind, cause_topic, cause_partition, cause_offset, cause_id, instrument_id, strategy,
     venue, dated, effective_at, recorded_at, quantity_change, price, fx_rate, cash, realized_gross, fees, income, external_flow)
SELECT portfolio_id, version, place, kind, cause_topic, cause_partition, cause_offset, cause_id, instrument_id, strategy,
       venue, dated::date, effective_at, recorded_at, quantity_change, price, fx_rate, cash::jsonb, realized_gross, fees::jsonb,
       income, external_flow
FROM UNNEST($1::text[], $2::bigint[], $3::integer[], $4::text[], $5::text[], $6::integer[], $7::bigint[], $8::text[], $9::text[],
            $10::text[], $11::text[], $12::text[], $13::timestamptz[], $14::timestamptz[], $15::numeric[], $16::numeric[],
            $17::numeric[], $18::text[], $19::numeric[], $20::text[], $21::numeric[], $22::numeric[])
    AS g (portfolio_id, version, place, kind, cause_topic, cause_partition, cause_offset, cause_id, instrument_id, strategy,
          venue, dated, effective_at, recorded_at, quantity_change, price, fx_rate, cash, realized_gross, fees, income, external_flow)
ON CONFLICT DO NOTHING";
