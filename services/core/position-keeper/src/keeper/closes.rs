//! Closing of days: a day that was cut is closed once the lane is up to date, and closed again when what it lacked has
//! come, or something was booked that concerns it. So many lines are closed in a window, the rest in the next ones: a
//! close is of its cut, whenever it is made.

use super::{PositionKeeper, TIMER_CLOSES, TIMER_RESTATE};
use crate::book::PortfolioIx;
use crate::book::days::{ClosedDay, Lack};
use crate::close::{Closed, Closing};
use crate::prices::cuts::{DayCut, cuts_since};
use domain::portfolio_close::PortfolioClose;
use domain::{Money, Output, SmolStr, Timestamp};
use engine::Context;
use engine::digest::entity_fingerprint;
use engine::image::to_bytes;
use std::collections::BTreeSet;

/// Lines that are closed in one window, but for those of its last portfolio.
const LINES_A_WINDOW: usize = 5_000;
/// How many bookings that are folded again take as long as closing a line.
const BOOKINGS_A_LINE: u64 = 8;
/// What one close counts for beside its lines.
const LINES_A_CLOSE: usize = 2;
/// Seconds in which what changes closed days is gathered before they are closed again.
const RESTATE_SECONDS: i64 = 60;

impl PositionKeeper {
    /// Days of that name were cut, the first at `first`: notes them for the portfolios whose days they are, and keeps
    /// their prices.
    pub(super) fn note_cuts(&mut self, name: &SmolStr, portfolios: &[PortfolioIx], first: Timestamp, now: Timestamp) {
        let (cuts, mut days) = (cuts_since(name, first, now), BTreeSet::new());
        for ix in portfolios.iter().copied() {
            let has_weekends = self.portfolio(ix).rules.has_weekends;
            for cut in cuts.iter().filter(|cut| domain::schedule::counts(has_weekends, cut.date)) {
                if self.portfolio_mut(ix).days.cut(cut.clone()) {
                    self.to_close.insert(ix);
                    days.insert(cut.date);
                }
            }
        }
        self.cut_prices.keep(name, &days, &self.market);
    }

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
        !day.lacks.is_empty() && day.lacks.iter().all(has_come)
    }

    fn closing_of<'a>(&'a self, ix: PortfolioIx, cut: &'a DayCut) -> Closing<'a> {
        let prices = self.cut_prices.of(&cut.name, cut.date);
        Closing { portfolio: self.portfolio(ix), market: &self.market, cut, prices }
    }

    /// Closes what is to be closed, as far as a window goes.
    pub(super) fn close_days(&mut self, cx: &mut Context<'_>) {
        // While behind, what was sent before the cut has not all been read.
        if cx.behind {
            return;
        }
        let mut left = LINES_A_WINDOW;
        while left > 0
            && let Some(ix) = self.to_close.pop_first()
        {
            left = left.saturating_sub(self.close_portfolio_days(ix, cx));
        }
        if !self.to_close.is_empty() {
            cx.timers.set(cx.now.plus_micros(1), TIMER_CLOSES, "");
        }
    }

    /// Closes everything that is to be closed, without waiting: nothing more will come.
    pub(super) fn close_all_days(&mut self, cx: &mut Context<'_>) {
        let concerned = |portfolio: &crate::book::Portfolio| portfolio.days.clone().look();
        let touched: Vec<PortfolioIx> = self.portfolios.iter().filter(|p| concerned(p)).map(|p| p.ix).collect();
        self.to_close.extend(touched);
        while let Some(ix) = self.to_close.pop_first() {
            self.close_portfolio_days(ix, cx);
        }
    }

    /// Closes the days of a portfolio: first again those that have changed, then those that are due. Returns what it
    /// took, in lines.
    fn close_portfolio_days(&mut self, ix: PortfolioIx, cx: &mut Context<'_>) -> usize {
        let touched = self.portfolio_mut(ix).days.take_touched();
        cx.timers.clear(TIMER_RESTATE, self.portfolio(ix).id.as_str());
        let mut took = 0;
        for place in 0..self.portfolio(ix).days.closed().len() {
            let day = self.portfolio(ix).days.closed()[place].clone();
            if touched.is_some_and(|touched| touched <= day.cut.date) || self.is_whole_now(ix, &day) {
                took += self.close_day(ix, place, &day.cut, cx);
            }
        }
        for cut in self.portfolio_mut(ix).days.take_due() {
            let place = self.portfolio(ix).days.closed().len();
            took += self.close_day(ix, place, &cut, cx);
        }
        self.portfolio_mut(ix).days.let_go();
        self.note_lacking_rates(ix);
        took
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
        let Closed { mut record, mut lacks, lines } = closing.make(portfolio.days.flows_before(place));
        let took = LINES_A_CLOSE + lines + self.folded(ix, cut);
        let figures = fingerprint(&record);
        let known = portfolio.days.closed().get(place);
        let waiting = self.waits.count(&portfolio.id);
        lacks.extend((waiting > 0).then_some(Lack::Waiting));
        lacks.extend(self.quarantine.holds(&portfolio.id).then_some(Lack::Release));
        let lacks: Vec<Lack> = lacks.into_iter().collect();
        let is_same = |known: &ClosedDay| known.figures == figures && (known.lacks.is_empty() || known.lacks == lacks);
        // What cannot be told apart any more stays as it was closed.
        if known.is_some_and(|known| is_same(known) || lacks.contains(&Lack::Bookings)) {
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
        if !portfolio.history.may_hold(cut.date.plus_days(1)) {
            return 0;
        }
        let bookings = portfolio.history.reach(&portfolio.changes, portfolio.history.first(&portfolio.changes));
        usize::try_from(bookings / BOOKINGS_A_LINE).unwrap_or(usize::MAX)
    }
}

/// A fingerprint of the figures of a close of which nothing else is written yet.
fn fingerprint(record: &PortfolioClose) -> u128 {
    entity_fingerprint("close", &to_bytes(record))
}
