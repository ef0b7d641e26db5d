//! Scheduled rebalances: a drift event is asked for when one is due, and a plan of every line follows from it. A turn
//! that was missed (the service was down, the clock jumped) is taken once, when the lane next looks; one that finds
//! every market closed is told all the same, and comes again on the next day that counts; one that finds a price or a
//! rate missing or too old is told all the same, and once more when none is.

use super::{PositionKeeper, TIMER_SCHEDULE, TIMER_SHADOW_SCHEDULE};
use crate::book::{Portfolio, PortfolioIx};
use crate::drift::Request;
use crate::prices::Market;
use domain::enums::{DriftCause, MarketState};
use domain::policy::Policy;
use domain::schedule::Schedule;
use domain::{SmolStr, Timestamp};
use engine::{Context, Timer};

impl PositionKeeper {
    /// Other rules hold, or none: sets the timers of their schedules. One that is as before keeps its turn.
    pub(crate) fn follow_schedules(&mut self, ix: PortfolioIx, policy: Option<&Policy>, cx: &mut Context<'_>) {
        for kind in [TIMER_SCHEDULE, TIMER_SHADOW_SCHEDULE] {
            let portfolio = self.portfolio_mut(ix);
            let before = portfolio.policy.as_deref().and_then(|policy| schedule(policy, kind));
            let now = policy.and_then(|policy| schedule(policy, kind));
            if before == now {
                continue;
            }
            match now.and_then(|schedule| schedule.next_turn(cx.now)) {
                Some(due) => cx.timers.set(due, kind, portfolio.id.as_str()),
                None => cx.timers.clear(kind, portfolio.id.as_str()),
            }
            if let Some(requests) = requests(portfolio, kind) {
                requests.retain(|request| !request.told);
            }
        }
    }

    /// A turn is due: asks for its drift event, and sets the next one.
    pub(super) fn take_turn(&mut self, ix: PortfolioIx, timer: &Timer, cx: &mut Context<'_>) {
        let Some(schedule) = self.portfolio(ix).policy.as_deref().and_then(|policy| schedule(policy, timer.kind)) else { return };
        if let Some(due) = schedule.next_turn(cx.now) {
            cx.timers.set(due, timer.kind, &timer.id);
        }
        let Some(requests) = requests(self.portfolio_mut(ix), timer.kind) else { return };
        // Of turns that nobody could answer, the newest is answered.
        requests.retain(|request| request.cause != DriftCause::Schedule);
        requests.push(Request::new(DriftCause::Schedule, Some(SmolStr::new(timer.due.to_string()))));
        self.marks.look(ix);
    }

    /// Of what was asked for: what is answered now, and what waits for prices, `fit` being whether all are there. Where a
    /// turn finds every market closed, it comes again on the next day.
    pub(super) fn answered(
        &self,
        kind: u8,
        seen: &Portfolio,
        fit: bool,
        asked: Vec<Request>,
        cx: &mut Context<'_>,
    ) -> (Vec<Request>, Vec<Request>) {
        let (mut waiting, now): (Vec<_>, Vec<_>) = asked.into_iter().partition(|request| request.told && !fit);
        if let Some(turn) = now.iter().find(|request| request.cause == DriftCause::Schedule) {
            if all_closed(seen, &self.market, cx.now) {
                self.come_again(kind, seen, cx);
            } else if !fit {
                waiting.push(Request { told: true, ..turn.clone() });
            }
        }
        (now, waiting)
    }

    fn come_again(&self, kind: u8, seen: &Portfolio, cx: &mut Context<'_>) {
        // Its own policy has both schedules.
        let policy = self.portfolio(seen.ix).policy.as_deref();
        let again = policy.and_then(|policy| schedule(policy, kind)).and_then(|schedule| schedule.next_day(cx.now));
        let id = seen.id.as_str();
        if let Some(again) = again.filter(|again| cx.timers.get(kind, id).is_none_or(|next| *again < next)) {
            cx.timers.set(again, kind, id);
        }
    }
}

/// What is asked for by a policy's own rules or by its shadow.
fn requests(portfolio: &mut Portfolio, kind: u8) -> Option<&mut Vec<Request>> {
    match kind {
        TIMER_SHADOW_SCHEDULE => portfolio.shadow.as_mut().map(|shadow| &mut shadow.requests),
        _ => Some(&mut portfolio.requests),
    }
}

fn schedule(policy: &Policy, kind: u8) -> Option<Schedule> {
    match kind {
        TIMER_SHADOW_SCHEDULE => Schedule::of(policy, &policy.shadow.as_ref()?.trigger),
        _ => Schedule::of(policy, &policy.trigger),
    }
}

/// Whether there are markets, and none of them trades.
fn all_closed(seen: &Portfolio, market: &Market, now: Timestamp) -> bool {
    let needs_word = seen.policy.as_deref().is_some_and(|policy| policy.orders.require_market_status);
    let closed = |state: MarketState| match state {
        MarketState::Open => false,
        MarketState::Unknown => needs_word,
        MarketState::Closed | MarketState::Auction | MarketState::Halted => true,
    };
    let mut states = seen.lines.counting().map(|(_, line)| market.market_state(line.instrument, now)).peekable();
    states.peek().is_some() && states.all(closed)
}
