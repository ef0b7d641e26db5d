//! Shadow rules in the window's decisions: judged on the valuation of the same moment, beside the policy's own
//! rules and after them. Whoever has none costs a look at an empty collection. A portfolio that is marked for the
//! sake of its shadow alone is looked at and owes no snapshot for it.

use super::{NEVER, PositionKeeper, TIMER_SHADOW, TIMER_SHADOW_SCHEDULE};
use crate::book::{Portfolio, PortfolioIx};
use crate::drift::event::{Circumstances, News};
use crate::drift::shadow::{self, Laid};
use crate::drift::{Request, Shadow};
use crate::prices::InstrumentIx;
use crate::valuation::{View, appraise, sweep};
use domain::enums::DriftKind;
use domain::policy::Policy;
use domain::{Output, Timestamp};
use engine::Context;
use std::collections::{BTreeMap, BTreeSet};

/// Which portfolios are looked at for the sake of their shadow.
#[derive(Debug, Default)]
pub(crate) struct Shadows {
    /// By the instruments that a shadow targets.
    holders: BTreeMap<InstrumentIx, BTreeSet<PortfolioIx>>,
    /// By when the first price that is fresh now goes stale by the shadow's rules.
    stale_at: BTreeMap<PortfolioIx, Timestamp>,
    /// Those with shadow rules.
    all: BTreeSet<PortfolioIx>,
}

impl Shadows {
    fn note(&mut self, ix: PortfolioIx, laid: &Laid) {
        self.all.insert(ix);
        laid.targets.iter().for_each(|(instrument, _)| _ = self.holders.entry(*instrument).or_default().insert(ix));
    }
    fn forget(&mut self, ix: PortfolioIx, laid: Option<&Laid>) {
        for (instrument, _) in laid.iter().flat_map(|laid| &laid.targets) {
            self.holders.get_mut(instrument).map(|holders| holders.remove(&ix));
        }
        self.holders.retain(|_, holders| !holders.is_empty());
        self.stale_at.remove(&ix);
        self.all.remove(&ix);
    }
    /// The first moment at which a price goes stale.
    pub(super) fn next_stale(&self) -> Option<Timestamp> {
        self.stale_at.values().min().copied()
    }
}

impl PositionKeeper {
    /// Other shadow rules hold, or none.
    pub(crate) fn follow_shadow(&mut self, ix: PortfolioIx, policy: &Policy, asked: Request, cx: &mut Context<'_>) {
        let class = self.market.currency(policy.base_currency);
        let laid = Laid::of(policy, class, |id| self.market.intern(id));
        cx.timers.clear(TIMER_SHADOW, self.portfolio(ix).id.as_str());
        self.watch_shadow(ix, laid.as_deref());
        let known = &mut self.portfolio_mut(ix).shadow;
        if laid.is_some() || known.is_some() {
            known.get_or_insert_default().follow(laid, asked);
        }
    }

    /// Notes which instruments a shadow targets, in place of those of the rules before.
    pub(super) fn watch_shadow(&mut self, ix: PortfolioIx, laid: Option<&Laid>) {
        let before = self.portfolios[ix.at()].shadow.as_deref().and_then(|shadow| shadow.laid.as_deref());
        self.shadows.forget(ix, before);
        if let Some(laid) = laid {
            self.shadows.note(ix, laid);
        }
    }

    /// There is no policy any more, and so no shadow: its episode is over without a word.
    pub(crate) fn close_shadow(&mut self, ix: PortfolioIx, asked: Request, cx: &mut Context<'_>) {
        cx.timers.clear(TIMER_SHADOW, self.portfolio(ix).id.as_str());
        self.watch_shadow(ix, None);
        if let Some(shadow) = &mut self.portfolio_mut(ix).shadow {
            shadow.follow(None, asked);
        }
    }

    pub(super) fn rearm_shadow(&mut self, ix: PortfolioIx) {
        if let Some(shadow) = &mut self.portfolio_mut(ix).shadow {
            shadow.watch.rearmed = true;
            self.marks.look(ix);
        }
    }

    /// Looks at portfolios whose shadow targets one of these instruments.
    pub(crate) fn mark_shadows(&mut self, changed: &[InstrumentIx]) {
        if self.shadows.holders.is_empty() {
            return;
        }
        let holders = changed.iter().filter_map(|instrument| self.shadows.holders.get(instrument));
        holders.flatten().for_each(|ix| self.marks.look(*ix));
    }

    /// Looks at portfolios whose shadow is valued at a rate of another currency.
    pub(crate) fn mark_foreign_shadows(&mut self) {
        let foreign = |ix: &&PortfolioIx| self.portfolios[ix.at()].shadow.as_ref().is_some_and(|shadow| shadow.foreign);
        self.shadows.all.iter().filter(foreign).for_each(|ix| self.marks.look(*ix));
    }

    pub(super) fn mark_stale_shadows(&mut self, now: Timestamp) {
        let stale = self.shadows.stale_at.iter().filter(|(_, at)| now > **at);
        stale.for_each(|(ix, _)| self.marks.look(*ix));
    }

    /// Judges a portfolio by its shadow rules, and tells what follows behind what its own rules have told.
    pub(super) fn decide_shadow(&mut self, ix: PortfolioIx, cx: &mut Context<'_>) {
        let Some(mut seen) = self.portfolios[ix.at()].by_shadow() else { return };
        seen.weigh_risk(&self.market, cx.now);
        let swept = self.sweep_shadow(ix, &seen, cx.now);
        // Also while behind: by it a rate finds whom it concerns.
        if std::mem::replace(&mut self.shadow_mut(ix).foreign, swept.foreign) != swept.foreign {
            self.dirty[ix.at()] = true;
        }
        // Bookings may bring more lines than an event has room for; none of them is refused for a shadow's sake.
        if cx.behind || seen.lines.hot().len() > cx.settings.max_lines {
            return;
        }
        let judged = super::decide::judged(&seen, &self.market, &self.weighed, &swept);
        let rearm_seconds = seen.rules.rearm_seconds;
        let known = self.shadow_mut(ix);
        let before = known.watch.clone();
        let asked = std::mem::take(&mut known.requests);
        let (asked, waiting) = self.answered(TIMER_SHADOW_SCHEDULE, &seen, swept.fit, asked, cx);
        self.shadow_mut(ix).requests = waiting;
        let mut news: Vec<News> = asked.into_iter().map(News::requested).collect();
        if let Some((watch, say)) = judged {
            seen.watch = watch.clone();
            self.shadow_mut(ix).watch = watch;
            news.extend(say.event.map(News::told));
            self.arm(ix, say, TIMER_SHADOW, rearm_seconds, cx);
        }
        if !news.is_empty() || before != self.shadow_mut(ix).watch {
            self.dirty[ix.at()] = true;
        }
        self.tell_shadow(ix, &mut seen, news, cx);
    }

    fn shadow_mut(&mut self, ix: PortfolioIx) -> &mut Shadow {
        self.portfolios[ix.at()].shadow.as_mut().expect("who is seen by shadow rules has some")
    }

    /// Values a portfolio as its shadow sees it, and notes when a price goes stale.
    pub(super) fn sweep_shadow(&mut self, ix: PortfolioIx, seen: &Portfolio, now: Timestamp) -> crate::valuation::Sweep {
        let swept = sweep(seen, View { market: &self.market, now }, &mut self.weighed);
        match swept.stale_at.filter(|at| *at != NEVER) {
            Some(at) => _ = self.shadows.stale_at.insert(ix, at),
            None => _ = self.shadows.stale_at.remove(&ix),
        }
        swept
    }

    fn tell_shadow(&self, ix: PortfolioIx, seen: &mut Portfolio, news: Vec<News>, cx: &mut Context<'_>) {
        if news.is_empty() {
            return;
        }
        debug_assert!(news.iter().all(|news| news.event != DriftKind::Unknown), "what is told has a name");
        let appraisal = appraise(seen, View { market: &self.market, now: cx.now });
        let around: Circumstances<'_> = self.circumstances(ix, cx);
        for news in news {
            cx.emit(Output::Drift(Box::new(shadow::event(self.portfolio(ix), seen, &appraisal, &around, news))));
        }
    }
}
