//! A portfolio whole: who it is, its newest book, and the figures that are known of it.

use rust_decimal::Decimal;
use serde_json::Value;
use sqlx::postgres::PgConnection;

use super::as_of::{self, BookAsOf};
use super::figures::{self, FigureSet};
use crate::statement::Limit;
use crate::{Micros, Store, StoreError};

const DOING: &str = "reading a portfolio";

/// A portfolio and its policy.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct PortfolioHead {
    /// Portfolio.
    pub portfolio_id: String,
    /// Session that quotes it.
    pub session_id: Option<String>,
    /// Name for people.
    pub name: String,
    /// Text for people.
    pub description: Option<String>,
    /// AGGRESSIVE, BALANCED, CONSERVATIVE or CUSTOM.
    #[sqlx(rename = "type")]
    pub kind: String,
    /// Volatility a year, a fraction of one.
    pub target_risk: Option<Decimal>,
    /// NONE, DAILY, WEEKLY or MONTHLY.
    pub rebalance_freq: String,
    /// Base currency.
    pub base_currency: String,
    /// AUTOMATIC or APPROVAL.
    pub mode: String,
    /// Version of the policy in force.
    pub policy_version: i64,
    /// The policy whole, as in `portfolio.policies.v1`.
    pub policy: Value,
    /// Whether its policy was withdrawn.
    pub closed: bool,
    /// Why targets that are to follow the risk do not follow its newest figures.
    pub scaling_notice: Option<String>,
    /// When its first policy was made.
    pub created_at: Micros,
}

/// A valuation; amounts are in the base currency.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct BookView {
    /// Version of the snapshot.
    pub version: i64,
    /// The moment that it shows.
    pub as_of: Micros,
    /// Base currency.
    pub base_currency: String,
    /// Equity.
    pub total_value: Decimal,
    /// Cash by trade date.
    pub cash_value: Decimal,
    /// Cash that may be spent.
    pub available_cash: Decimal,
    /// By currency: trade date and settled.
    pub cash: Value,
    /// Profit and its parts.
    pub metrics: Value,
    /// Exposure, sectors, concentration.
    pub risk: Value,
    /// What is stale, missing or waits.
    pub health: Value,
    /// Whether nothing is.
    pub complete: bool,
    /// Version of the policy in force then.
    pub policy_version: Option<i64>,
}

/// A line held or targeted; amounts are in the base currency.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct AllocationView {
    /// Instrument.
    pub instrument_id: String,
    /// Symbol.
    pub symbol: Option<String>,
    /// Sector.
    pub sector: Option<String>,
    /// EQUITY, ETF and so on.
    #[sqlx(rename = "type")]
    pub kind: Option<String>,
    /// Signed units; absent where it is only targeted.
    pub quantity: Option<Decimal>,
    /// In the instrument's currency.
    pub average_price: Option<Decimal>,
    /// In the instrument's currency.
    pub price: Option<Decimal>,
    /// When the price was made.
    pub price_time: Option<Micros>,
    /// Whether it is too old or missing.
    pub stale: Option<bool>,
    /// Market value.
    pub value: Option<Decimal>,
    /// Value over equity, in per cent.
    pub percentage: Option<Decimal>,
    /// Fraction of equity.
    pub target_weight: Option<Decimal>,
    /// Fraction of equity.
    pub min_weight: Option<Decimal>,
    /// Fraction of equity.
    pub max_weight: Option<Decimal>,
    /// weight − target, a fraction of one.
    pub drift: Option<Decimal>,
    /// Unrealized profit.
    pub unrealized: Option<Decimal>,
    /// Realized profit, net.
    pub realized: Option<Decimal>,
    /// When a rebalance that ordered it completed last.
    pub last_rebalance: Option<Micros>,
}

/// A portfolio as it stands, or stood.
#[derive(Debug, Clone, PartialEq)]
pub struct PortfolioView {
    /// Who it is, now.
    pub head: PortfolioHead,
    /// Its newest book; absent before the first snapshot.
    pub book: Option<BookView>,
    /// Lines held or targeted, by falling absolute value; of now.
    pub allocations: Vec<AllocationView>,
    /// What was held at the moment that was asked for.
    pub past: Option<BookAsOf>,
    /// Figures of performance by timeframe, of then.
    pub performance: Vec<FigureSet>,
    /// Figures of risk by timeframe, of then.
    pub risk: Vec<FigureSet>,
}

impl Store {
    /// The portfolio of an id, which may be that of its session; `None` where there is none.
    ///
    /// # Errors
    /// What the server says.
    pub async fn portfolio_of(&self, id: &str) -> Result<Option<String>, StoreError> {
        self.limit().run("looking a portfolio up", sqlx::query_scalar(RESOLVE).bind(id).fetch_optional(self.pool())).await
    }

    /// A portfolio as it stands, all of one moment of the database; `None` where there is none.
    ///
    /// # Errors
    /// What the server says.
    pub async fn portfolio(&self, portfolio: &str) -> Result<Option<PortfolioView>, StoreError> {
        self.view(portfolio, None).await
    }

    /// The same as of a moment, as it was known at another.
    ///
    /// # Errors
    /// What the server says.
    pub async fn portfolio_as_of(&self, portfolio: &str, moment: Micros, known_at: Micros) -> Result<Option<PortfolioView>, StoreError> {
        self.view(portfolio, Some((moment, known_at))).await
    }

    async fn view(&self, portfolio: &str, past: Option<(Micros, Micros)>) -> Result<Option<PortfolioView>, StoreError> {
        let limit = self.limit();
        let mut transaction = limit.run(DOING, self.pool().begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")).await?;
        let view = read(limit, &mut transaction, portfolio, past).await?;
        limit.run(DOING, transaction.commit()).await?;
        Ok(view)
    }
}

async fn read(
    limit: &Limit,
    connection: &mut PgConnection,
    portfolio: &str,
    past: Option<(Micros, Micros)>,
) -> Result<Option<PortfolioView>, StoreError> {
    let head = limit.run(DOING, sqlx::query_as(HEAD).bind(portfolio).fetch_optional(&mut *connection)).await?;
    let Some(head) = head else { return Ok(None) };
    let book = limit.run(DOING, sqlx::query_as(BOOK).bind(portfolio).fetch_optional(&mut *connection)).await?;
    let allocations = limit.run(DOING, sqlx::query_as(ALLOCATIONS).bind(portfolio).fetch_all(&mut *connection)).await?;
    let (performance, risk) = figures::read(limit, connection, portfolio, past).await?;
    let past = match past {
        Some((moment, known_at)) => Some(as_of::read(limit, connection, portfolio, moment, known_at).await?),
        None => None,
    };
    Ok(Some(PortfolioView { head, book, allocations, past, performance, risk }))
}

pub(super) const RESOLVE: &str = "
SELECT portfolio_id FROM (
    SELECT portfolio_id, 1 AS rank FROM portfolios WHERE portfolio_id = $1
    UNION ALL
    SELECT portfolio_id, 2 FROM portfolios WHERE session_id = $1) known
ORDER BY rank LIMIT 1";

pub(super) const HEAD: &str = "
SELECT portfolio_id, session_id, name, description, type, target_risk, rebalance_freq, base_currency, mode, policy_version, policy, closed,
       scaling_notice, created_at
FROM portfolios WHERE portfolio_id = $1";

pub(super) const BOOK: &str = "
SELECT version, timestamp AS as_of, base_currency, total_value, cash_value, available_cash, cash, metrics, risk, health, complete,
       policy_version
FROM latest_snapshots WHERE portfolio_id = $1";

pub(super) const ALLOCATIONS: &str = "
SELECT instrument_id, symbol, sector, type, quantity, average_price, price, price_time, stale, value, percentage, target_weight,
       min_weight, max_weight, drift, unrealized, realized, last_rebalance
FROM portfolio_allocations
WHERE portfolio_id = $1 AND (quantity IS NOT NULL OR target_weight IS NOT NULL)
ORDER BY abs(value) DESC NULLS LAST, instrument_id";
