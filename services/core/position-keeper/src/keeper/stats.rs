//! How a lane's books stand, for gauges. Looks closely only at instruments whose price is old for somebody.

use super::PositionKeeper;
use crate::book::PortfolioIx;
use crate::prices::InstrumentIx;
use domain::Timestamp;
use engine::Stats;

impl PositionKeeper {
    pub(super) fn stats_at(&self, now: Timestamp) -> Stats {
        Stats {
            waiting_records: Some(self.waiting()),
            oldest_waiting_seconds: Some(self.oldest_waiting_seconds(now)),
            breached_portfolios: Some(self.portfolios.iter().filter(|portfolio| portfolio.watch.open).count()),
            stale_prices: Some(self.stale_prices(now)),
            unfinished_days: Some(
                self.portfolios.iter().filter(|portfolio| portfolio.policy.is_some()).map(|portfolio| portfolio.days.unfinished()).sum(),
            ),
            quarantined_portfolios: Some(self.quarantined()),
            ..Stats::default()
        }
    }

    fn oldest_waiting_seconds(&self, now: Timestamp) -> usize {
        self.waits.oldest().map_or(0, |since| usize::try_from(now.since(since) / 1_000_000).unwrap_or(0))
    }

    fn stale_prices(&self, now: Timestamp) -> usize {
        let strictest = self.portfolios.iter().map(|portfolio| portfolio.rules.max_age_seconds).min().unwrap_or(i64::MAX);
        let stale = |(instrument, holders): &(InstrumentIx, &Vec<PortfolioIx>)| {
            // A price that is fresh enough for the strictest is so for everybody.
            !self.is_fit(*instrument, strictest, now) && holders.iter().any(|ix| self.misses(*ix, *instrument, now))
        };
        (0..).map(InstrumentIx).zip(&self.holders).filter(stale).count()
    }

    fn is_fit(&self, instrument: InstrumentIx, max_age_seconds: i64, now: Timestamp) -> bool {
        self.market.slot(instrument).price.is_some() && !self.market.is_stale(instrument, max_age_seconds, now)
    }

    /// Whether a portfolio holds or targets an instrument whose price is not fit for it.
    fn misses(&self, ix: PortfolioIx, instrument: InstrumentIx, now: Timestamp) -> bool {
        let portfolio = self.portfolio(ix);
        let line = portfolio.lines.find(instrument).map(|place| portfolio.lines.at(place));
        line.is_some_and(|line| line.counts()) && !self.is_fit(instrument, portfolio.rules.max_age_seconds, now)
    }
}
