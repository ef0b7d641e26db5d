//! How all portfolios stand together, for gauges: how many are in which condition, how figures are spread over them,
//! and the figures of a few that are listed.
//!
//! Unlike what people ask, it reads a row of every portfolio: whoever asks does so now and then only. Numbers are
//! rounded to floats, since nothing is decided by them.

use crate::largest_drift::largest_drift;
use crate::{Micros, Store, StoreError};

const DOING: &str = "reading how portfolios stand";

/// How many portfolios are in which condition, by their newest snapshots; closed ones are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Conditions {
    /// All of them.
    pub portfolios: i64,
    /// Something of the book is missing, old, or waits.
    pub incomplete: i64,
    /// An instrument's price is too old.
    pub stale_price: i64,
    /// An instrument has no price.
    pub unpriced: i64,
    /// Records wait.
    pub waiting: i64,
    /// A record was refused and nobody has decided about it.
    pub quarantined: i64,
    /// The book differs from its orders or from an outside book.
    pub unreconciled: i64,
    /// A figure is beyond its bound and nobody has accepted it.
    pub anomalous: i64,
    /// Targets that are to follow the risk do not follow its newest figures.
    pub risk_unknown: i64,
    /// Holdings that differ from outside books.
    pub position_breaks: i64,
    /// Balances that differ from outside books.
    pub cash_breaks: i64,
    /// Proposals that wait for a person.
    pub pending_approvals: i64,
    /// When the oldest of them was last heard of.
    pub oldest_approval: Option<Micros>,
}

/// Quantiles of figures over all portfolios that have them, in the order in which they were asked for; `None` where
/// no portfolio has one. Parts of equity, or of one.
#[derive(Debug, Clone, Default, PartialEq, sqlx::FromRow)]
pub struct Spreads {
    /// Largest absolute drift of a line, where the portfolio has targets.
    pub drift: Option<Vec<f64>>,
    /// Gross exposure.
    pub gross_exposure: Option<Vec<f64>>,
    /// Net exposure.
    pub net_exposure: Option<Vec<f64>>,
    /// Historical value at risk of the lowest confidence.
    pub value_at_risk: Option<Vec<f64>>,
    /// Return of the newest day.
    pub day_return: Option<Vec<f64>>,
    /// Deepest fall.
    pub drawdown: Option<Vec<f64>>,
}

/// The figures of one portfolio; `None` where it has none.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Figures {
    /// Portfolio.
    pub portfolio_id: String,
    /// Currency of its value.
    pub base_currency: String,
    /// Equity.
    pub total_value: f64,
    /// Largest absolute drift of a line, where the portfolio has targets.
    pub drift: Option<f64>,
    /// Gross exposure.
    pub gross_exposure: Option<f64>,
    /// Net exposure.
    pub net_exposure: Option<f64>,
    /// Historical value at risk of the lowest confidence.
    pub value_at_risk: Option<f64>,
    /// Return of the newest day.
    pub day_return: Option<f64>,
    /// Deepest fall.
    pub drawdown: Option<f64>,
}

impl Store {
    /// How many portfolios are in which condition.
    ///
    /// # Errors
    /// What the server says.
    pub async fn conditions(&self) -> Result<Conditions, StoreError> {
        self.limit().run(DOING, sqlx::query_as(CONDITIONS).fetch_one(self.pool())).await
    }

    /// Quantiles of the figures of all portfolios.
    ///
    /// # Errors
    /// What the server says.
    pub async fn spreads(&self, quantiles: &[f64]) -> Result<Spreads, StoreError> {
        self.limit().run(DOING, sqlx::query_as(SPREADS).bind(quantiles).fetch_one(self.pool())).await
    }

    /// The figures of these portfolios, as far as there are such.
    ///
    /// # Errors
    /// What the server says.
    pub async fn figures(&self, portfolios: &[String]) -> Result<Vec<Figures>, StoreError> {
        self.limit().run(DOING, sqlx::query_as(LISTED).bind(portfolios).fetch_all(self.pool())).await
    }

    /// When each of these orders left, of those whose wave was read.
    ///
    /// # Errors
    /// What the server says.
    pub async fn releases(&self, orders: &[String]) -> Result<Vec<(String, Micros)>, StoreError> {
        self.limit().run("reading when orders left", sqlx::query_as(RELEASES).bind(orders).fetch_all(self.pool())).await
    }
}

const CONDITIONS: &str = "
SELECT count(*) AS portfolios,
       count(*) FILTER (WHERE NOT s.complete) AS incomplete,
       count(*) FILTER (WHERE jsonb_array_length(s.health -> 'stale') > 0) AS stale_price,
       count(*) FILTER (WHERE jsonb_array_length(s.health -> 'unpriced') > 0) AS unpriced,
       count(*) FILTER (WHERE (s.health ->> 'waiting')::bigint > 0) AS waiting,
       count(*) FILTER (WHERE (s.health ->> 'quarantined')::boolean) AS quarantined,
       count(*) FILTER (WHERE (s.health ->> 'unreconciled')::boolean) AS unreconciled,
       count(*) FILTER (WHERE jsonb_array_length(coalesce(s.health -> 'anomalies', '[]')) > 0) AS anomalous,
       count(*) FILTER (WHERE p.scaling_notice IS NOT NULL) AS risk_unknown,
       coalesce(sum(jsonb_array_length(coalesce(s.health -> 'position_breaks', '[]'))), 0)::bigint AS position_breaks,
       coalesce(sum(jsonb_array_length(coalesce(s.health -> 'cash_breaks', '[]'))), 0)::bigint AS cash_breaks,
       (SELECT count(*) FROM portfolio_rebalances WHERE status = 'PENDING_APPROVAL' AND NOT shadow) AS pending_approvals,
       (SELECT min(updated_at) FROM portfolio_rebalances WHERE status = 'PENDING_APPROVAL' AND NOT shadow) AS oldest_approval
FROM latest_snapshots s JOIN portfolios p USING (portfolio_id) WHERE NOT p.closed";

macro_rules! figures {
    ($ending:literal) => {
        concat!(
            "WITH figures AS (
    SELECT s.portfolio_id, s.base_currency, s.total_value::float8 AS total_value,
           ",
            largest_drift!(),
            "::float8 AS drift,
           (s.risk -> 'exposure' ->> 'gross')::float8 AS gross_exposure,
           (s.risk -> 'exposure' ->> 'net')::float8 AS net_exposure,
           ((SELECT figure(r.metrics, 'value_at_risk') FROM latest_risk r WHERE r.portfolio_id = s.portfolio_id
             ORDER BY r.as_of DESC LIMIT 1) / nullif(s.total_value, 0))::float8 AS value_at_risk,
           (SELECT figure(f.metrics, 'time_weighted_return') FROM latest_performance f
            WHERE f.portfolio_id = s.portfolio_id AND f.timeframe = 'DAY')::float8 AS day_return,
           (SELECT abs(figure(f.metrics, 'max_drawdown')) FROM latest_performance f
            WHERE f.portfolio_id = s.portfolio_id AND f.timeframe = 'ALL')::float8 AS drawdown
    FROM latest_snapshots s JOIN portfolios p USING (portfolio_id) WHERE NOT p.closed
) ",
            $ending
        )
    };
}

const SPREADS: &str = figures!(
    "SELECT percentile_disc($1) WITHIN GROUP (ORDER BY drift) AS drift,
       percentile_disc($1) WITHIN GROUP (ORDER BY gross_exposure) AS gross_exposure,
       percentile_disc($1) WITHIN GROUP (ORDER BY net_exposure) AS net_exposure,
       percentile_disc($1) WITHIN GROUP (ORDER BY value_at_risk) AS value_at_risk,
       percentile_disc($1) WITHIN GROUP (ORDER BY day_return) AS day_return,
       percentile_disc($1) WITHIN GROUP (ORDER BY drawdown) AS drawdown
FROM figures"
);

const LISTED: &str = figures!("SELECT * FROM figures WHERE portfolio_id = ANY($1)");

const RELEASES: &str = "SELECT order_id, released_at FROM orders WHERE order_id = ANY($1)";
