//! Quotes as they come: the newest price of an instrument, and the price at cuts that have ended, where it was made before
//! them. It ends no cut and closes no day.

use super::PositionKeeper;
use crate::book::PortfolioIx;
use crate::prices::InstrumentIx;
use crate::prices::cut_prices::Change;
use crate::prices::cuts::DayCut;
use domain::frame::FramePrice;
use domain::{Date, SmolStr, Timestamp};
use std::collections::BTreeMap;

impl PositionKeeper {
    /// Takes a quote in that comes at `clock`. Where it was made before a cut that has ended, whoever published it stood
    /// still meanwhile: it is then the price at that cut, and the days of who holds it are closed again.
    pub(crate) fn quote(&mut self, update: FramePrice, clock: Timestamp) {
        let oldest = update.oldest();
        if !self.cut_prices.may_concern(oldest) && !self.cuts.may_concern(oldest) {
            self.market.quote(update, clock);
            return;
        }
        let before = self.market.find(&update.instrument_id).and_then(|ix| self.market.slot(ix).quoted());
        let ix = self.market.quote(update, clock);
        let change = Change::between(before, self.market.slot(ix).quoted());
        if let Some(accepted) = change.accepted {
            self.cuts.correct(ix, accepted);
        }
        let days = self.cut_prices.correct(ix, change, &self.market);
        if !days.is_empty() {
            self.touch_days(ix, &days);
        }
    }

    /// Who is concerned by a price at cuts closes his days again, from the earliest of each name on.
    fn touch_days(&mut self, ix: InstrumentIx, days: &BTreeMap<SmolStr, Date>) {
        // Whoever has anything abroad, or had it then, is concerned by a rate.
        let holders = if self.market.is_pair(ix) {
            (0..self.portfolios.len()).map(PortfolioIx::of).collect()
        } else {
            self.holders.get(ix.at()).cloned().unwrap_or_default()
        };
        for holder in holders {
            let concerns = |cut: &DayCut| days.get(&cut.name).is_some_and(|first| cut.date >= *first);
            let closed = self.portfolio(holder).days.closed().iter().map(|day| &day.cut);
            if let Some(first) = closed.filter(|cut| concerns(cut)).map(|cut| cut.date).min() {
                self.portfolio_mut(holder).days.touch(Some(first));
                self.marks.look(holder);
            }
        }
    }
}
