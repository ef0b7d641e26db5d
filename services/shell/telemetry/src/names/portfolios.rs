//! Metrics of portfolios as SQL shows them: name, unit, meaning, labels.

use super::{Definition, gauge};

/// Portfolios.
pub const PORTFOLIOS: Definition = gauge("ballast_portfolios", "{portfolio}", &[], "Portfolios that have a snapshot and are not closed");
/// Portfolios by condition.
pub const PORTFOLIO_CONDITIONS: Definition = gauge(
    "ballast_portfolio_conditions",
    "{portfolio}",
    &["condition"],
    "Portfolios whose newest snapshot says so: incomplete, stale_price, unpriced, waiting, quarantined, unreconciled, anomalous; or whose newest event does: risk_unknown; one may be in several",
);
/// Differences from outside books.
pub const OUTSIDE_BREAKS: Definition = gauge(
    "ballast_outside_breaks",
    "{break}",
    &["kind"],
    "Differences between books and outside books that are not settled, of positions and of cash; the first 50 of each kind and portfolio",
);
/// Proposals that wait for a person.
pub const PENDING_APPROVALS: Definition = gauge("ballast_pending_approvals", "{proposal}", &[], "Proposals that wait for a person");
/// Age of the oldest proposal that waits.
pub const OLDEST_APPROVAL: Definition =
    gauge("ballast_oldest_approval_seconds", "s", &[], "Time since the oldest proposal that waits for a person was last heard of, else 0");
/// Largest drift of portfolios.
pub const PORTFOLIO_DRIFT: Definition = gauge(
    "ballast_portfolio_drift_ratio",
    "1",
    &["quantile"],
    "Largest absolute drift of a line of each portfolio: smallest (0), median (0.5) and largest (1) of all portfolios, and between",
);
/// Gross exposure of portfolios.
pub const PORTFOLIO_GROSS: Definition =
    gauge("ballast_portfolio_gross_exposure_ratio", "1", &["quantile"], "Gross exposure over equity, over all portfolios by quantile");
/// Net exposure of portfolios.
pub const PORTFOLIO_NET: Definition =
    gauge("ballast_portfolio_net_exposure_ratio", "1", &["quantile"], "Net exposure over equity, over all portfolios by quantile");
/// Value at risk of portfolios.
pub const PORTFOLIO_VAR: Definition = gauge(
    "ballast_portfolio_value_at_risk_ratio",
    "1",
    &["quantile"],
    "Historical value at risk of the last close over equity, over all portfolios that have it by quantile",
);
/// Return of the newest day.
pub const PORTFOLIO_DAY_RETURN: Definition = gauge(
    "ballast_portfolio_day_return_ratio",
    "1",
    &["quantile"],
    "Time-weighted return of the newest closed or provisional day, over all portfolios that have it by quantile",
);
/// Deepest fall.
pub const PORTFOLIO_DRAWDOWN: Definition = gauge(
    "ballast_portfolio_drawdown_ratio",
    "1",
    &["quantile"],
    "Largest fall since inception as a part of one, over all portfolios that have it by quantile",
);
/// Value of a listed portfolio.
pub const LISTED_VALUE: Definition = gauge(
    "ballast_listed_portfolio_value",
    "1",
    &["portfolio", "currency"],
    "Value of a portfolio that telemetry.portfolios lists, in its base currency",
);
/// A figure of a listed portfolio.
pub const LISTED_RATIO: Definition = gauge(
    "ballast_listed_portfolio_ratio",
    "1",
    &["portfolio", "figure"],
    "A figure of a portfolio that telemetry.portfolios lists: drift, gross_exposure, net_exposure, value_at_risk, day_return, drawdown",
);
/// Age of the figures of portfolios.
pub const FIGURES_AGE: Definition = gauge(
    "ballast_portfolio_figures_age_seconds",
    "s",
    &[],
    "Time since the figures of portfolios were last read from SQL; it grows while Postgres is away",
);
