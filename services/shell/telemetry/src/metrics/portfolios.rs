//! What is told of portfolios as SQL shows them: how many are in which condition, how figures are spread over all of
//! them, and the figures of those few that the settings list.
//!
//! Promises: the number of series does not grow with the number of portfolios.

use std::sync::Arc;

use super::cell::{Age, Gauge};
use super::families::Families;
use super::family::Family;

/// Quantiles that are told of each figure, as their label says them.
pub const QUANTILES: [&str; 5] = ["0", "0.1", "0.5", "0.9", "1"];

/// A figure that each portfolio may have: a part of its equity, or of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Figure {
    /// Largest absolute drift of a line.
    Drift,
    /// Gross exposure.
    GrossExposure,
    /// Net exposure.
    NetExposure,
    /// Historical value at risk.
    ValueAtRisk,
    /// Return of the newest day.
    DayReturn,
    /// Deepest fall.
    Drawdown,
}

impl Figure {
    /// All of them.
    pub const ALL: [Figure; 6] =
        [Figure::Drift, Figure::GrossExposure, Figure::NetExposure, Figure::ValueAtRisk, Figure::DayReturn, Figure::Drawdown];

    /// Its name as a label.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Figure::Drift => "drift",
            Figure::GrossExposure => "gross_exposure",
            Figure::NetExposure => "net_exposure",
            Figure::ValueAtRisk => "value_at_risk",
            Figure::DayReturn => "day_return",
            Figure::Drawdown => "drawdown",
        }
    }
}

/// The metrics of portfolios. Clones share the numbers.
#[derive(Debug, Clone)]
pub struct PortfolioMetrics {
    families: Arc<Families>,
}

impl PortfolioMetrics {
    pub(super) fn new(families: &Arc<Families>) -> Self {
        PortfolioMetrics { families: Arc::clone(families) }
    }

    /// Portfolios that are not closed.
    #[must_use]
    pub fn count(&self) -> Arc<Gauge> {
        self.families.portfolios.with([])
    }

    /// Portfolios in a condition of a closed list.
    #[must_use]
    pub fn condition(&self, condition: &str) -> Arc<Gauge> {
        self.families.portfolio_conditions.with([condition])
    }

    /// Differences from outside books, of `position` or of `cash`.
    #[must_use]
    pub fn outside_breaks(&self, kind: &str) -> Arc<Gauge> {
        self.families.outside_breaks.with([kind])
    }

    /// Proposals that wait for a person.
    #[must_use]
    pub fn pending_approvals(&self) -> Arc<Gauge> {
        self.families.pending_approvals.with([])
    }

    /// Seconds since the oldest of them was last heard of.
    #[must_use]
    pub fn oldest_approval(&self) -> Arc<Gauge> {
        self.families.oldest_approval.with([])
    }

    /// Since these figures were read last.
    #[must_use]
    pub fn age(&self) -> Arc<Age> {
        self.families.figures_age.with([])
    }

    /// Shows how a figure is spread over all portfolios, in the order of [`QUANTILES`]; takes it away where no portfolio
    /// has it.
    pub fn set_spread(&self, figure: Figure, quantiles: Option<[f64; 5]>) {
        let family = self.spread(figure);
        let Some(quantiles) = quantiles else {
            return family.forget_where(|_| true);
        };
        for (label, level) in QUANTILES.into_iter().zip(quantiles) {
            family.with([label]).set(level);
        }
    }

    /// Shows the portfolios that the settings list: value with its currency, and the figures that each has. Others are
    /// taken away.
    pub fn set_listed(&self, values: &[(&str, &str, f64)], figures: &[(&str, Figure, f64)]) {
        let (value, ratio) = (&self.families.listed_value, &self.families.listed_ratio);
        value.forget_where(|key| !values.iter().any(|(portfolio, currency, _)| key[0] == *portfolio && key[1] == *currency));
        ratio.forget_where(|key| !figures.iter().any(|(portfolio, figure, _)| key[0] == *portfolio && key[1] == figure.name()));
        values.iter().for_each(|(portfolio, currency, level)| value.with([portfolio, currency]).set(*level));
        figures.iter().for_each(|(portfolio, figure, level)| ratio.with([portfolio, figure.name()]).set(*level));
    }

    /// Takes everything away: another process tells of portfolios now, or none.
    pub fn forget(&self) {
        let f = &self.families;
        for family in [&f.portfolios, &f.pending_approvals, &f.oldest_approval] {
            family.forget_where(|_| true);
        }
        for family in [&f.portfolio_conditions, &f.outside_breaks] {
            family.forget_where(|_| true);
        }
        Figure::ALL.into_iter().for_each(|figure| self.set_spread(figure, None));
        self.set_listed(&[], &[]);
        f.figures_age.forget_where(|_| true);
    }

    fn spread(&self, figure: Figure) -> &Family<Gauge, 1> {
        let f = &self.families;
        match figure {
            Figure::Drift => &f.drift,
            Figure::GrossExposure => &f.gross,
            Figure::NetExposure => &f.net,
            Figure::ValueAtRisk => &f.value_at_risk,
            Figure::DayReturn => &f.day_return,
            Figure::Drawdown => &f.drawdown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Metrics;

    #[test]
    fn the_number_of_series_is_that_of_the_quantiles_and_of_the_list() {
        let metrics = Metrics::new();
        let told = metrics.portfolios();
        told.set_spread(Figure::Drift, Some([0.0, 0.01, 0.02, 0.05, 0.4]));
        told.set_listed(&[("growth", "USD", 5.0), ("income", "EUR", 7.0)], &[("growth", Figure::Drift, 0.4)]);
        assert!(metrics.text().contains("ballast_portfolio_drift_ratio{quantile=\"1\"} 0.4"), "{}", metrics.text());
        assert!(metrics.text().contains("ballast_listed_portfolio_ratio{portfolio=\"growth\",figure=\"drift\"} 0.4"));
        told.set_spread(Figure::Drift, None);
        told.set_listed(&[("growth", "USD", 6.0)], &[]);
        let shown = metrics.text();
        assert!(!shown.contains("drift") && !shown.contains("income"), "{shown}");
        assert!(shown.contains("ballast_listed_portfolio_value{portfolio=\"growth\",currency=\"USD\"} 6.0"), "{shown}");
        told.forget();
        assert!(!metrics.text().contains("portfolio"), "{}", metrics.text());
    }
}
