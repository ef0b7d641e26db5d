//! Decisions, once a window, on the newest state: value what was touched, judge its bounds, publish.

use super::{NEVER, PositionKeeper, TIMER_BEHIND, TIMER_MARKET, TIMER_REARM, TIMER_SCHEDULE, TIMER_SNAPSHOT, TIMER_STALE};
use crate::book::{Portfolio, PortfolioIx};
use crate::drift::event::{self, Circumstances, News};
use crate::drift::watch::{Astray, Say};
use crate::drift::{Request, Watch, measure};
use crate::prices::Market;
use crate::snapshot;
use crate::valuation::{Appraisal, Sweep, View, appraise, sweep};
use domain::enums::{DriftCause, DriftKind};
use domain::snapshot::InputOffset;
use domain::{Amount, Output, SmolStr, Timestamp};
use engine::Context;

/// How long a lane that is behind goes without a look whether it still is.
const BEHIND_SECONDS: i64 = 1;

impl PositionKeeper {
    pub(super) fn decide_window(&mut self, cx: &mut Context<'_>) {
        self.last_now = cx.now;
        self.mark_holders(cx);
        self.mark_stale(cx.now);
        self.mark_stale_shadows(cx.now);
        self.catch_up(cx);
        self.end_cuts(cx);
        for (ix, changed) in self.marks.take() {
            self.decide_portfolio(ix, changed, cx);
        }
        self.close_days(cx);
        self.wake_when_stale(cx);
    }

    /// What was not judged while behind is judged once the lane is not. A quiet lane needs a window for that.
    fn catch_up(&mut self, cx: &mut Context<'_>) {
        let was_behind = std::mem::replace(&mut self.was_behind, cx.behind);
        if cx.behind && cx.timers.get(TIMER_BEHIND, "").is_none() {
            cx.timers.set(cx.now.plus_seconds(BEHIND_SECONDS), TIMER_BEHIND, "");
        } else if was_behind && !cx.behind {
            cx.timers.clear(TIMER_BEHIND, "");
            (0..self.portfolios.len()).for_each(|at| self.marks.look(PortfolioIx::of(at)));
        }
    }

    /// Weighs a portfolio's risk against its target; whether its targets are scaled by something else now. That is told,
    /// and so is that they cease to follow the newest figures, or follow them again.
    fn weigh_risk(&mut self, ix: PortfolioIx, now: Timestamp) -> bool {
        let portfolio = &mut self.portfolios[ix.at()];
        let unfollowed = |portfolio: &Portfolio| {
            let weighed = portfolio.policy.as_deref().zip(portfolio.risk.standing());
            weighed.is_some_and(|(policy, standing)| standing.unfollowed(&policy.orders.risk).is_some())
        };
        let (before, was_unfollowed) = (portfolio.rules.scale, unfollowed(portfolio));
        self.dirty[ix.at()] |= portfolio.weigh_risk(&self.market, now);
        let rescaled = portfolio.rules.scale != before;
        // Who follows the events hears of other targets, of those of another policy with it.
        if (rescaled || was_unfollowed != unfollowed(portfolio))
            && !portfolio.requests.iter().any(|request| request.cause == DriftCause::Policy)
        {
            let close = portfolio.risk.standing().and_then(|standing| standing.date);
            portfolio.requests.retain(|request| request.cause != DriftCause::Risk);
            portfolio.requests.push(Request::new(DriftCause::Risk, close.map(|date| SmolStr::new(date.to_string()))));
            self.dirty[ix.at()] = true;
        }
        rescaled
    }

    fn mark_stale(&mut self, now: Timestamp) {
        let stale = self.stale_at.iter().enumerate().filter(|(_, at)| now > **at);
        stale.for_each(|(at, _)| self.marks.change(PortfolioIx::of(at)));
    }

    fn wake_when_stale(&self, cx: &mut Context<'_>) {
        let own = self.stale_at.iter().min().copied().filter(|at| *at != NEVER);
        let next = own.into_iter().chain(self.shadows.next_stale()).min().map(|at| at.plus_micros(1));
        match next {
            Some(due) if cx.timers.get(TIMER_STALE, "") != Some(due) => cx.timers.set(due, TIMER_STALE, ""),
            Some(_) => {}
            None => cx.timers.clear(TIMER_STALE, ""),
        }
    }

    /// Wakes the lane when an announced market state takes effect, or a calendar opens or closes a market.
    pub(crate) fn announce_market(&mut self, cx: &mut Context<'_>) {
        self.market.set_clocks(cx.now);
        match self.market.next_market_change(cx.now) {
            Some(due) => cx.timers.set(due, TIMER_MARKET, ""),
            None => cx.timers.clear(TIMER_MARKET, ""),
        }
    }

    fn decide_portfolio(&mut self, ix: PortfolioIx, changed: bool, cx: &mut Context<'_>) {
        let mut compared = if self.portfolios[ix.at()].outside.is_some() { self.compare_outside(ix, cx) } else { Vec::new() };
        // First of all: bands are laid around the targets that hold now.
        let changed = changed | self.weigh_risk(ix, cx.now) || !compared.is_empty();
        let swept = sweep(&self.portfolios[ix.at()], View { market: &self.market, now: cx.now }, &mut self.weighed);
        self.stale_at[ix.at()] = swept.stale_at.unwrap_or(NEVER);
        let portfolio = &mut self.portfolios[ix.at()];
        if swept.foreign != portfolio.foreign {
            portfolio.foreign = swept.foreign;
            self.dirty[ix.at()] = true;
        }
        let mut news = Vec::new();
        let changed = changed | self.keep_vigil(ix, cx);
        // Who plans on an event must find all inputs in it: what is asked for while behind is answered afterwards.
        if !cx.behind {
            let asked = std::mem::take(&mut self.portfolios[ix.at()].requests);
            let (asked, waiting) = self.answered(TIMER_SCHEDULE, &self.portfolios[ix.at()], swept.fit, asked, cx);
            self.portfolios[ix.at()].requests = waiting;
            self.dirty[ix.at()] |= !asked.is_empty();
            news.extend(asked.into_iter().map(|request| News::requested(request).comparing(&mut compared)));
            news.extend(self.judge(ix, &swept, cx).map(News::told));
        }
        let due = self.snapshot_due(ix, changed, cx);
        if due || !news.is_empty() {
            let appraisal = appraise(&self.portfolios[ix.at()], View { market: &self.market, now: cx.now });
            debug_assert_eq!(appraisal.equity, swept.equity, "the quick and the whole valuation agree");
            self.publish(ix, &appraisal, due, news, cx);
        }
        if self.portfolios[ix.at()].shadow.is_some() {
            self.decide_shadow(ix, cx);
        }
        self.look_at_days(ix, cx);
    }

    /// Judges a portfolio's bounds and moves its watch.
    fn judge(&mut self, ix: PortfolioIx, swept: &Sweep, cx: &mut Context<'_>) -> Option<DriftKind> {
        let portfolio = &self.portfolios[ix.at()];
        let (watch, say) = judged(portfolio, &self.market, &self.weighed, swept)?;
        let rearm_seconds = portfolio.rules.rearm_seconds;
        if watch != portfolio.watch {
            self.portfolio_mut(ix).watch = watch;
        }
        self.arm(ix, say, TIMER_REARM, rearm_seconds, cx);
        say.event
    }

    /// Sets or clears the timer after which a standing breach is said again.
    pub(super) fn arm(&self, ix: PortfolioIx, say: Say, timer: u8, rearm_seconds: i64, cx: &mut Context<'_>) {
        let id = self.portfolios[ix.at()].id.as_str();
        if say.rearm {
            cx.timers.set(cx.now.plus_seconds(rearm_seconds), timer, id);
        }
        if say.disarm {
            cx.timers.clear(timer, id);
        }
    }

    /// Whether a snapshot is published now; where one is owed and it is too early, a timer is set.
    fn snapshot_due(&mut self, ix: PortfolioIx, changed: bool, cx: &mut Context<'_>) -> bool {
        let published = self.portfolios[ix.at()].published;
        if !changed && !published.pending {
            return false;
        }
        let earliest = published.at.plus_micros(cx.settings.snapshot_interval_ms.saturating_mul(1000));
        if earliest <= cx.now || published.version == 0 {
            return true;
        }
        if !published.pending {
            self.portfolio_mut(ix).published.pending = true;
        }
        if !std::mem::replace(&mut self.armed[ix.at()], true) {
            let id = self.portfolios[ix.at()].id.as_str();
            if cx.timers.get(TIMER_SNAPSHOT, id).is_none() {
                cx.timers.set(earliest, TIMER_SNAPSHOT, id);
            }
        }
        false
    }

    /// What events and snapshots of a portfolio need beside it.
    pub(super) fn circumstances(&self, ix: PortfolioIx, cx: &Context<'_>) -> Circumstances<'_> {
        let offset = |((topic, partition), offset): (&(domain::Topic, i32), &i64)| InputOffset {
            topic: *topic,
            partition: *partition,
            offset: *offset,
        };
        let id = &self.portfolio(ix).id;
        let weighs = self.portfolio(ix).risk.standing().is_some();
        Circumstances {
            view: View { market: &self.market, now: cx.now },
            cuts: &self.cuts,
            quarantined: self.quarantine.holds(id),
            waiting: self.waits.count(id),
            anomalies: self.anomalies(ix, cx.now),
            // What holds no risk against a target hangs on no record of it.
            offsets: cx.positions.iter().filter(|((topic, _), _)| weighs || *topic != domain::Topic::Risk).map(offset).collect(),
        }
    }

    fn publish(&mut self, ix: PortfolioIx, appraisal: &Appraisal, snapshot: bool, news: Vec<News>, cx: &mut Context<'_>) {
        if snapshot {
            let now = cx.now;
            let published = &mut self.portfolio_mut(ix).published;
            *published = crate::book::portfolio::Published { version: published.version + 1, at: now, pending: false };
            cx.timers.clear(TIMER_SNAPSHOT, self.portfolios[ix.at()].id.as_str());
            self.armed[ix.at()] = false;
        }
        let portfolio = &self.portfolios[ix.at()];
        let around = self.circumstances(ix, cx);
        if snapshot {
            let record = snapshot::assemble(portfolio, appraisal, &around, portfolio.published.version);
            cx.emit(Output::Snapshot(Box::new(record)));
        }
        for news in news {
            cx.emit(Output::Drift(Box::new(event::assemble(portfolio, appraisal, &around, news))));
        }
    }

    /// Publishes every snapshot that is owed.
    pub(super) fn publish_pending(&mut self, cx: &mut Context<'_>) {
        for at in 0..self.portfolios.len() {
            if self.portfolios[at].published.pending {
                let appraisal = appraise(&self.portfolios[at], View { market: &self.market, now: cx.now });
                self.publish(PortfolioIx::of(at), &appraisal, true, Vec::new(), cx);
            }
        }
    }
}

/// Where a portfolio's watch stands after a look at it as it was swept, and what is to be said; `None` where its
/// rules ask for nothing. `weighed` are the values of its counting lines.
pub(super) fn judged(portfolio: &Portfolio, market: &Market, weighed: &[Amount], swept: &Sweep) -> Option<(Watch, Say)> {
    if portfolio.policy.is_none() || !portfolio.rules.watched {
        return None;
    }
    let mut watch = portfolio.watch.clone();
    let say = match (swept.fit, swept.equity.is_positive()) {
        (false, _) => watch.unpriced(),
        (true, false) => {
            watch.priced();
            Say::default()
        }
        (true, true) => watch.look(&astray(portfolio, market, weighed, swept)),
    };
    Some((watch, say))
}

/// What does not stand inside its clear level. Of a book without an open episode one quick look tells that nothing is out.
fn astray(portfolio: &Portfolio, market: &Market, weighed: &[Amount], swept: &Sweep) -> Vec<Astray> {
    if !portfolio.watch.open && measure::is_inside(portfolio, market, weighed, swept.equity, swept.cash) {
        return Vec::new();
    }
    measure::unclear(portfolio, market, weighed, swept.equity, swept.cash)
}
