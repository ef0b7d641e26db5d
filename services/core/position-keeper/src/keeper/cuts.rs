//! Day cuts: which portfolios have a day to close, and the prices that it is closed at. A cut is held open until the
//! frames of before it are folded, those of its own window and, while the lane is behind, of later ones: what was published
//! then is what the day ended at, whenever it is read. It closes no day.

use super::{PositionKeeper, TIMER_DAY_CUT};
use crate::book::PortfolioIx;
use crate::book::portfolio::DayBase;
use crate::prices::cuts::{DayCut, cuts_since, next_cut};
use crate::valuation::{View, appraise};
use domain::frame::FramePrice;
use domain::{SmolStr, Timestamp, TradingDays};
use engine::{Context, Timer};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A cut that is held open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OpenCut {
    cut: DayCut,
    /// Whether some portfolio's day is closed at it.
    is_day: bool,
    /// Whether the equity is kept from which the next day's profit counts.
    is_based: bool,
}

impl PositionKeeper {
    /// A cut is due, and with it those of its name that were missed.
    pub(super) fn cut_day(&mut self, Timer { id: name, due, .. }: &Timer, cx: &mut Context<'_>) {
        let own = self.cut_by(name);
        let cuts = cuts_since(name, *due, cx.now);
        // Before the ex-dates of the new day begin, which may do so in the same moment. Who is behind needs prices first.
        if !cx.behind {
            let ends = |ix: &PortfolioIx| cuts.iter().any(|cut| self.counts(*ix, cut));
            let begun: Vec<PortfolioIx> = own.iter().copied().filter(ends).collect();
            self.begin_day(&begun, cx.now);
        }
        for cut in cuts {
            let is_day = self.note_cut(&cut, &own);
            self.open_cuts.push(OpenCut { cut, is_day, is_based: !cx.behind });
        }
        self.open_cuts.sort_by(|a, b| (a.cut.at, &a.cut.name).cmp(&(b.cut.at, &b.cut.name)));
        if own.is_empty() {
            return self.cuts.forget(name);
        }
        if let Some(due) = next_cut(name, cx.now) {
            cx.timers.set(due, TIMER_DAY_CUT, name);
        }
    }

    /// A policy came that was sent at `sent`, while the lane stood still: its day may have been cut since. Prices that
    /// nobody has kept are those of now, and its close says so.
    pub(crate) fn note_missed_cuts(&mut self, ix: PortfolioIx, sent: Timestamp, cx: &Context<'_>) {
        let name = self.portfolio(ix).rules.cut.clone();
        // Before its last window the lane has read what there was; before its first it had no days.
        if self.last_now <= Timestamp::default() {
            return;
        }
        let Some(first) = next_cut(&name, sent.max(self.last_now)).filter(|first| *first <= cx.now) else { return };
        for cut in cuts_since(&name, first, cx.now) {
            let is_open = self.open_cuts.iter().any(|open| open.cut == cut);
            if self.note_cut(&cut, &[ix]) && !is_open {
                self.cut_prices.keep(&cut, &self.market, true);
            }
        }
    }

    /// The portfolios whose days end by cuts of that name.
    fn cut_by(&self, name: &SmolStr) -> Vec<PortfolioIx> {
        let own = self.portfolios.iter().filter(|portfolio| portfolio.policy.is_some() && portfolio.rules.cut == *name);
        own.map(|portfolio| portfolio.ix).collect()
    }

    /// Whether a cut ends a day of a portfolio: one on a weekend or a holiday may not.
    fn counts(&self, ix: PortfolioIx, cut: &DayCut) -> bool {
        self.portfolio(ix).rules.days.count(cut.date)
    }

    /// Notes a cut for the portfolios whose days it ends; whether there is one.
    fn note_cut(&mut self, cut: &DayCut, portfolios: &[PortfolioIx]) -> bool {
        let mut is_day = false;
        for ix in portfolios.iter().copied() {
            if self.counts(ix, cut) && self.portfolio_mut(ix).days.cut(cut.clone()) {
                self.to_close.insert(ix);
                is_day = true;
            }
        }
        is_day
    }

    /// Ends the cuts that are held open, unless the lane is behind: its frames of before them have all been folded.
    pub(super) fn end_cuts(&mut self, cx: &Context<'_>) {
        if cx.behind {
            return;
        }
        for place in 0..self.open_cuts.len() {
            self.end_cut(place, cx.now);
        }
        self.open_cuts.clear();
    }

    /// Ends the cuts that are held open up to the moment of a frame, of whose prices those of before a cut count.
    pub(crate) fn end_cuts_before(&mut self, frame: Timestamp, prices: &mut Vec<FramePrice>, cx: &Context<'_>) {
        let past = self.open_cuts.iter().take_while(|open| open.cut.at <= frame).count();
        for place in 0..past {
            let at = self.open_cuts[place].cut.at;
            for price in prices.extract_if(.., |price| price.event_time < at) {
                self.quote(price, frame.min(cx.now));
            }
            self.end_cut(place, cx.now);
        }
        self.open_cuts.drain(..past);
    }

    /// Keeps the prices.
    fn end_cut(&mut self, place: usize, now: Timestamp) {
        let OpenCut { cut, is_day, is_based } = self.open_cuts[place].clone();
        if is_day {
            self.cut_prices.keep(&cut, &self.market, false);
        }
        let own = self.cut_by(&cut.name);
        let mut by_days: BTreeMap<TradingDays, Vec<PortfolioIx>> = BTreeMap::new();
        for ix in own {
            by_days.entry(self.portfolio(ix).rules.days.clone()).or_default().push(ix);
        }
        for (days, own) in by_days {
            // A day's profit is since the newest cut that counts.
            let is_newest = !self.open_cuts[place + 1..].iter().any(|open| open.cut.name == cut.name && days.count(open.cut.date));
            if !days.count(cut.date) || !is_newest {
                continue;
            }
            if !is_based {
                self.begin_day(&own, now);
            }
            self.cuts.cut(&cut, days, &self.market);
        }
    }

    /// Keeps the equity from which a new day's profit counts, as long as there is one.
    fn begin_day(&mut self, portfolios: &[PortfolioIx], now: Timestamp) {
        for ix in portfolios.iter().copied() {
            let portfolio = self.portfolio(ix);
            let appraisal = appraise(portfolio, View { market: &self.market, now });
            // An old price still values its holding, and most are old when a day is cut at night.
            let whole = appraisal.unpriced.is_empty();
            let base = DayBase { equity: appraisal.equity, net_flows: portfolio.sums.net_flows };
            self.portfolio_mut(ix).day = whole.then_some(base);
            self.portfolio_mut(ix).vigil.begin_day();
            self.marks.change(ix);
        }
    }
}
