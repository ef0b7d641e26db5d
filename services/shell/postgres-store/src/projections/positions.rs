//! Positions, from the ledger.
//!
//! Promises: the state after the newest ledger record of the portfolio that touched the instrument.

use rust_decimal::Decimal;
use serde_json::Value;
use sqlx::{Postgres, Transaction};

use super::column::{column, newest, opt_json, opt_text, text};
use crate::statement::Limit;
use crate::{Micros, StoreError};

/// A position after a ledger entry; amounts of profit are cumulative and in the instrument's currency. Of
/// two rows of one ledger version the later in the batch stays.
#[derive(Debug, Clone, PartialEq)]
pub struct PositionRow {
    /// Portfolio.
    pub portfolio_id: String,
    /// Instrument.
    pub instrument_id: String,
    /// Signed quantity.
    pub quantity: Decimal,
    /// Signed cost of what is held, in the instrument's currency.
    pub cost: Decimal,
    /// Cost over quantity; absent when flat.
    pub average_price: Option<Decimal>,
    /// Currency of cost and average price.
    pub currency: Option<String>,
    /// Realized profit before fees and income.
    pub realized_gross: Decimal,
    /// Fees paid; a rebate is negative.
    pub fees: Decimal,
    /// Dividends and interest.
    pub income: Decimal,
    /// realized_gross − fees + income.
    pub realized_net: Decimal,
    /// Lots, where the cost method keeps them.
    pub lots: Option<Value>,
    /// Version of the ledger record: newer wins.
    pub ledger_version: i64,
    /// Time of the entry.
    pub at: Micros,
}

pub(super) async fn upsert(limit: &Limit, transaction: &mut Transaction<'_, Postgres>, rows: &[PositionRow]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows = newest(rows, |r| (&r.portfolio_id, &r.instrument_id), |r| r.ledger_version);
    let statement = sqlx::query(UPSERT)
        .bind(column(&rows, |r| text(&r.portfolio_id)))
        .bind(column(&rows, |r| text(&r.instrument_id)))
        .bind(column(&rows, |r| r.quantity))
        .bind(column(&rows, |r| r.cost))
        .bind(column(&rows, |r| r.average_price))
        .bind(column(&rows, |r| opt_text(&r.currency)))
        .bind(column(&rows, |r| r.realized_gross))
        .bind(column(&rows, |r| r.fees))
        .bind(column(&rows, |r| r.income))
        .bind(column(&rows, |r| r.realized_net))
        .bind(column(&rows, |r| opt_json(&r.lots)))
        .bind(column(&rows, |r| r.ledger_version))
        .bind(column(&rows, |r| r.at))
        .execute(&mut **transaction);
    limit.run("projecting positions", statement).await?;
    Ok(())
}

const UPSERT: &str = "
INSERT INTO positions AS p
    (portfolio_id, instrument_id, quantity, cost, average_price, currency, realized_gross, fees,
     income, realized_net, lots, ledger_version, updated_at)
SELECT portfolio_id, instrument_id, quantity, cost, average_price, currency, realized_gross, fees,
       income, realized_net, lots::jsonb, ledger_version, at
FROM UNNEST($1::text[], $2::text[], $3::numeric[], $4::numeric[], $5::numeric[], $6::text[],
            $7::numeric[], $8::numeric[], $9::numeric[], $10::numeric[], $11::text[],
            $12::bigint[], $13::timestamptz[])
    AS g (portfolio_id, instrument_id, quantity, cost, average_price, currency, realized_gross,
          fees, income, realized_net, lots, ledger_version, at)
ON CONFLICT (portfolio_id, instrument_id) DO UPDATE SET
    quantity = EXCLUDED.quantity, cost = EXCLUDED.cost, average_price = EXCLUDED.average_price,
    currency = EXCLUDED.currency, realized_gross = EXCLUDED.realized_gross, fees = EXCLUDED.fees,
    income = EXCLUDED.income, realized_net = EXCLUDED.realized_net, lots = EXCLUDED.lots,
    ledger_version = EXCLUDED.ledger_version, updated_at = EXCLUDED.updated_at
WHERE p.ledger_version < EXCLUDED.ledger_version";
