//! Closing of days: a day that was cut is closed once the lane is up to date, and closed again when what it lacked has
//! come, or something was booked that concerns it. So many lines are closed in a window, the rest in the next ones: a
//! close is of its cut, whenever it is made.

use super::{PositionKeeper, TIMER_CLOSES, TIMER_RESTATE};
use crate::book::PortfolioIx;
use crate::book::days::{ClosedDay, Lack};
use crate::book::history::{Changes, History};
use crate::close::{Closed, Closing};
use crate::prices::cuts::DayCut;
use domain::portfolio_close::PortfolioClose;
use domain::{Money, Output, Timestamp};
use engine::Context;
use engine::digest::entity_fingerprint;
use engine::image::to_bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ops::Bound;

/// Lines that are closed in one window, but for those of its last day.
const LINES_A_WINDOW: usize = 5_000;
/// How many bookings that are folded again take as long as closing a line.
const BOOKINGS_A_LINE: u64 = 8;
/// What one close counts for beside its lines.
const LINES_A_CLOSE: usize = 2;
/// Seconds in which what changes closed days is gathered before they are closed again.
const RESTATE_SECONDS: i64 = 60;

/// Portfolios with days that are to be closed. They have their turns round robin: one that always has something to close
/// holds up no other.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Queue {
    waiting: BTreeSet<PortfolioIx>,
    last: Option<PortfolioIx>,
}

impl Queue {
    pub(super) fn insert(&mut self, ix: PortfolioIx) {
        self.waiting.insert(ix);
    }
    /// The one with the highest number.
    pub(super) fn last_waiting(&self) -> Option<PortfolioIx> {
        self.waiting.last().copied()
    }
    fn pop(&mut self) -> Option<PortfolioIx> {
        let after = self.last.map_or(Bound::Unbounded, Bound::Excluded);
        let next = self.waiting.range((after, Bound::Unbounded)).next().or(self.waiting.first()).copied()?;
        self.last = Some(next);
        self.waiting.remove(&next);
        Some(next)
    }
    fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

impl PositionKeeper {
    /// Of a portfolio that something happened to: whether closed days are to be closed again, now or in a while.
    pub(super) fn look_at_days(&mut self, ix: PortfolioIx, cx: &mut Context<'_>) {
        let portfolio = &mut self.portfolios[ix.at()];
        if portfolio.days.closed().is_empty() {
            return;
        }
        if portfolio.days.look() && cx.timers.get(TIMER_RESTATE, portfolio.id.as_str()).is_none() {
            cx.timers.set(cx.now.plus_seconds(RESTATE_SECONDS), TIMER_RESTATE, portfolio.id.as_str());
        }
        let portfolio = &self.portfolios[ix.at()];
        if portfolio.days.closed().iter().any(|day| self.is_whole_now(ix, day)) {
            self.to_close.insert(ix);
        }
    }

    /// Whether all has come that the newest close of a day lacked.
    fn is_whole_now(&self, ix: PortfolioIx, day: &ClosedDay) -> bool {
        let id = &self.portfolio(ix).id;
        let has_come = |lack: &Lack| match lack {
            Lack::Waiting => self.waits.count(id) == 0,
            Lack::Release => !self.quarantine.holds(id),
            lack => self.closing_of(ix, &day.cut).has_come(lack),
        };
        !day.lacks.is_empty() && day.lacks.iter().all(has_come) && self.cut_prices.of(&day.cut).is_some()
    }

    fn closing_of<'a>(&'a self, ix: PortfolioIx, cut: &'a DayCut) -> Closing<'a> {
        Closing { portfolio: self.portfolio(ix), market: &self.market, cut, prices: self.cut_prices.of(cut) }
    }

    /// Closes what is to be closed, as far as a window goes.
    pub(super) fn close_days(&mut self, cx: &mut Context<'_>) {
        // While behind, what was sent before the cut has not all been read.
        if cx.behind {
            return;
        }
        let mut left = LINES_A_WINDOW;
        while left > 0
            && let Some(ix) = self.to_close.pop()
        {
            self.close_portfolio_days(ix, &mut left, cx);
        }
        if !self.to_close.is_empty() {
            cx.timers.set(cx.now.plus_micros(1), TIMER_CLOSES, "");
        }
    }

    /// Closes everything that is to be closed, without waiting: nothing more will come.
    pub(super) fn close_all_days(&mut self, cx: &mut Context<'_>) {
        let concerned = |portfolio: &crate::book::Portfolio| portfolio.days.clone().look();
        self.portfolios.iter().filter(|portfolio| concerned(portfolio)).for_each(|portfolio| self.to_close.insert(portfolio.ix));
        let mut left = usize::MAX;
        while let Some(ix) = self.to_close.pop() {
            self.close_portfolio_days(ix, &mut left, cx);
        }
    }

    /// Closes the days of a portfolio: first again those that have changed, then those that are due. Where `left` lines
    /// do not go so far, the rest has its turn after the other portfolios.
    fn close_portfolio_days(&mut self, ix: PortfolioIx, left: &mut usize, cx: &mut Context<'_>) {
        // What is touched while days are left of an earlier turn waits for its own: they would never all be closed.
        let rest = self.portfolio_mut(ix).days.rest.take();
        let touched = rest.or_else(|| {
            cx.timers.clear(TIMER_RESTATE, self.portfolios[ix.at()].id.as_str());
            self.portfolio_mut(ix).days.take_touched()
        });
        for place in 0..self.portfolio(ix).days.closed().len() {
            let day = self.portfolio(ix).days.closed()[place].clone();
            if touched.is_none_or(|touched| day.cut.date < touched) && !self.is_whole_now(ix, &day) {
                continue;
            }
            if *left == 0 {
                // What is left of the touched days, this one and those after it.
                self.portfolio_mut(ix).days.rest = touched.map(|touched| touched.max(day.cut.date));
                self.to_close.insert(ix);
                break;
            }
            *left = left.saturating_sub(self.close_day(ix, place, &day.cut, cx));
        }
        while *left > 0
            && let Some(cut) = self.portfolio_mut(ix).days.take_due()
        {
            let place = self.portfolio(ix).days.closed().len();
            *left = left.saturating_sub(self.close_day(ix, place, &cut, cx));
        }
        // A day that is due is closed before what was touched meanwhile, or it might never be.
        let days = &mut self.portfolio_mut(ix).days;
        days.rest = days.rest.or(days.first_due());
        let is_owed = self.portfolio(ix).days.is_touched() && cx.timers.get(TIMER_RESTATE, self.portfolio(ix).id.as_str()).is_none();
        if is_owed || self.portfolio(ix).days.rest.is_some() {
            self.to_close.insert(ix);
        }
        self.portfolio_mut(ix).days.let_go();
        self.note_lacking_rates(ix);
    }

    /// Notes whether a rate would make a closed day of a portfolio whole.
    pub(super) fn note_lacking_rates(&mut self, ix: PortfolioIx) {
        if self.portfolio(ix).days.lack_a_rate() {
            self.lacking_rates.insert(ix);
        } else {
            self.lacking_rates.remove(&ix);
        }
    }

    /// Closes one day, for the first time or again, and publishes it where it says something new.
    fn close_day(&mut self, ix: PortfolioIx, place: usize, cut: &DayCut, cx: &mut Context<'_>) -> usize {
        let portfolio = self.portfolio(ix);
        let closing = self.closing_of(ix, cut);
        let known = portfolio.days.closed().get(place);
        // At other prices it would be another day.
        if known.is_some() && closing.prices.is_none() {
            return LINES_A_CLOSE;
        }
        let Closed { mut record, mut lacks, lines } = closing.make(portfolio.days.flows_before(place));
        let took = LINES_A_CLOSE + lines + self.folded(ix, cut);
        let figures = fingerprint(&mut record);
        let waiting = self.waits.count(&portfolio.id);
        lacks.extend((waiting > 0).then_some(Lack::Waiting));
        lacks.extend(self.quarantine.holds(&portfolio.id).then_some(Lack::Release));
        let lacks: Vec<Lack> = lacks.into_iter().collect();
        debug_assert!(!lacks.contains(&Lack::Fold), "what is kept folds to what is held");
        let is_same = |known: &ClosedDay| known.figures == figures && (known.lacks.is_empty() || known.lacks == lacks);
        if known.is_some_and(is_same) {
            return took;
        }
        // What cannot be told apart any more stays as it was closed, whatever else comes.
        if let Some(known) = known
            && lacks.iter().any(Lack::is_untold)
        {
            if !known.lacks.is_empty() {
                self.portfolio_mut(ix).days.lack(place, lacks);
            }
            return took;
        }
        record.version = known.map_or(self.first, |known| known.version) + 1;
        record.restates = known.map(|known| known.version);
        record.complete = !lacks.iter().any(Lack::is_of_figures);
        record.provisional = !lacks.is_empty();
        record.incomplete_reason = closing.reason(&lacks, waiting);
        record.as_of = Some(cx.now);
        record.policy_version = portfolio.policy.as_ref().map(|policy| policy.policy_version);
        record.input_offsets = self.circumstances(ix, cx).offsets;
        let day =
            ClosedDay { cut: cut.clone(), version: record.version, figures, lacks, net_flows: record.net_flows.unwrap_or(Money::ZERO) };
        self.portfolio_mut(ix).days.write(place, day);
        cx.emit(Output::PortfolioClose(Box::new(record)));
        took
    }

    /// What folding bookings again for a day takes, in lines.
    fn folded(&self, ix: PortfolioIx, cut: &DayCut) -> usize {
        let portfolio = self.portfolio(ix);
        let whole = |history: &History, changes: &Changes| history.reach(changes, history.first(changes));
        let mut bookings = 0;
        if portfolio.history.may_hold(cut.date.plus_days(1)) {
            bookings += whole(&portfolio.history, &portfolio.changes);
        }
        if portfolio.payments.may_hold(cut.at.date_utc()) {
            bookings += whole(&portfolio.payments, &portfolio.payment_changes);
        }
        usize::try_from(bookings / BOOKINGS_A_LINE).unwrap_or(usize::MAX)
    }
}

/// A fingerprint of the figures of a close of which nothing else is written yet. When each price was made is none of them:
/// the same price said again within its day is no news.
fn fingerprint(record: &mut PortfolioClose) -> u128 {
    let made: Vec<Option<Timestamp>> = record.positions.iter_mut().map(|position| position.price_time.take()).collect();
    let fingerprint = entity_fingerprint("close", &to_bytes(record));
    record.positions.iter_mut().zip(made).for_each(|(position, made)| position.price_time = made);
    fingerprint
}
