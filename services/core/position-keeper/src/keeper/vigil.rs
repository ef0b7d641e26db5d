//! Figures beyond their bounds in the window's decisions: they are told in a portfolio's health, accepted by a RELEASE, and
//! once none is left a breach that stands is said again, for what was refused meanwhile.

use super::PositionKeeper;
use crate::anomaly::{Found, Measured};
use crate::book::PortfolioIx;
use crate::valuation::{View, appraise};
use domain::Timestamp;
use domain::snapshot::Anomaly;
use engine::Context;

impl PositionKeeper {
    /// Whether a portfolio bounds any figure: of the others nothing is measured.
    fn bounds_figures(&self, ix: PortfolioIx) -> bool {
        let policy = self.portfolio(ix).policy.as_deref();
        policy.is_some_and(|policy| policy.book.max_daily_return.is_some() || policy.book.max_weight_jump.is_some())
    }

    fn measured<T>(&self, ix: PortfolioIx, now: Timestamp, what: impl FnOnce(&Measured<'_>) -> Vec<T>) -> Vec<T> {
        if !self.bounds_figures(ix) {
            return Vec::new();
        }
        let portfolio = self.portfolio(ix);
        let appraisal = appraise(portfolio, View { market: &self.market, now });
        what(&Measured { portfolio, appraisal: &appraisal, market: &self.market, cuts: &self.cuts })
    }

    /// What is to be told of a portfolio.
    pub(super) fn anomalies(&self, ix: PortfolioIx, now: Timestamp) -> Vec<Anomaly> {
        self.measured(ix, now, |measured| measured.told())
    }

    /// Looks whether figures have gone out, or all have come back; whether that is so, and news.
    pub(super) fn keep_vigil(&mut self, ix: PortfolioIx, cx: &Context<'_>) -> bool {
        let before = self.portfolio(ix).vigil.held;
        if cx.behind || (!before && !self.bounds_figures(ix)) {
            return false;
        }
        let held = !self.measured(ix, cx.now, |measured| measured.found()).is_empty();
        if held == before {
            return false;
        }
        let portfolio = self.portfolio_mut(ix);
        portfolio.vigil.held = held;
        // What was refused on these figures is asked for anew.
        portfolio.watch.rearmed |= !held && portfolio.watch.open;
        true
    }

    /// Accepts what is out now; whether there was any.
    pub(crate) fn accept_anomalies(&mut self, ix: PortfolioIx, now: Timestamp) -> bool {
        let found: Vec<Found> = self.measured(ix, now, |measured| measured.found());
        if found.is_empty() {
            return false;
        }
        self.portfolio_mut(ix).vigil.accept(&found);
        self.marks.change(ix);
        true
    }
}
