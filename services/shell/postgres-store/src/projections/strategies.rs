//! Sub-positions by strategy, as the newest snapshot shows them.
//!
//! Promises: the rows of a portfolio are those of one snapshot. Which snapshot is the newest is decided where its
//! allocations are replaced.

use rust_decimal::Decimal;
use sqlx::{Postgres, Transaction};

use super::column::{column, opt_text, text};
use crate::StoreError;
use crate::statement::Limit;

const DOING: &str = "projecting strategies";

/// What one strategy holds and has earned of an instrument. Amounts are in the portfolio's base currency.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StrategyLine {
    /// Instrument; absent for those together that are neither held nor targeted any more.
    pub instrument_id: Option<String>,
    /// Strategy; absent for what is of none.
    pub strategy: Option<String>,
    /// Whether it is what all strategies together leave of the line.
    pub residual: bool,
    /// Signed quantity.
    pub quantity: Decimal,
    /// In the instrument's currency; absent when flat.
    pub average_price: Option<Decimal>,
    /// Book cost.
    pub cost: Decimal,
    /// Market value.
    pub value: Decimal,
    /// Realized profit before fees.
    pub realized_gross: Decimal,
    /// Fees.
    pub fees: Decimal,
    /// Dividends and interest.
    pub income: Decimal,
    /// Realized profit, net.
    pub realized_net: Decimal,
    /// Unrealized profit.
    pub unrealized: Decimal,
}

/// Replaces the rows of portfolios by these: each with its portfolio and its place in the snapshot.
pub(super) async fn replace(
    limit: &Limit,
    transaction: &mut Transaction<'_, Postgres>,
    portfolios: &[String],
    lines: &[(&str, i32, &StrategyLine)],
) -> Result<(), StoreError> {
    let clear = sqlx::query("DELETE FROM portfolio_strategies WHERE portfolio_id = ANY($1)").bind(portfolios).execute(&mut **transaction);
    limit.run(DOING, clear).await?;
    if lines.is_empty() {
        return Ok(());
    }
    let statement = sqlx::query(INSERT)
        .bind(column(lines, |(p, ..)| text(p)))
        .bind(column(lines, |(_, place, _)| *place))
        .bind(column(lines, |(.., l)| opt_text(&l.instrument_id)))
        .bind(column(lines, |(.., l)| opt_text(&l.strategy)))
        .bind(column(lines, |(.., l)| l.residual))
        .bind(column(lines, |(.., l)| l.quantity))
        .bind(column(lines, |(.., l)| l.average_price))
        .bind(column(lines, |(.., l)| l.cost))
        .bind(column(lines, |(.., l)| l.value))
        .bind(column(lines, |(.., l)| l.realized_gross))
        .bind(column(lines, |(.., l)| l.fees))
        .bind(column(lines, |(.., l)| l.income))
        .bind(column(lines, |(.., l)| l.realized_net))
        .bind(column(lines, |(.., l)| l.unrealized))
        .execute(&mut **transaction);
    limit.run(DOING, statement).await?;
    Ok(())
}

const INSERT: &str = "
INSERT INTO portfolio_strategies
    (portfolio_id, place, instrument_id, strategy, residual, quantity, average_price, cost, value,
     realized_gross, fees, income, realized_net, unrealized)
SELECT * FROM UNNEST($1::text[], $2::integer[], $3::text[], $4::text[], $5::bool[], $6::numeric[],
                     $7::numeric[], $8::numeric[], $9::numeric[], $10::numeric[], $11::numeric[],
                     $12::numeric[], $13::numeric[], $14::numeric[])";
