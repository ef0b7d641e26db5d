//! The role: the state of one lane, and what each call of the engine does with it.

mod closes;
mod cuts;
mod decide;
mod image;
mod marks;
mod outside;
mod quotes;
mod schedule;
mod shadow;
mod stats;
mod vigil;

use crate::book::booking::Booking;
use crate::book::entry::Source;
use crate::book::notes::Notes;
use crate::book::trade::Planned;
use crate::book::{Portfolio, PortfolioIx, journal};
use crate::intake::{Ahead, Waits};
use crate::prices::{CutPrices, Cuts, InstrumentIx, Market};
use domain::fill::FillRef;
use domain::{Amount, Input, Output, PortfolioId, SmolStr, Timestamp, Topic};
use engine::commands::CommandMemory;
use engine::dedup::Parts;
use engine::quarantine::Quarantine;
use engine::refused::Refused;
use engine::waiting::Waiter;
use engine::{Context, Origin, Role, Settings, Stats, Timer};
use marks::Marks;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

/// A throttled snapshot is due; by portfolio.
const TIMER_SNAPSHOT: u8 = 1;
/// A standing breach may be said again; by portfolio.
pub(crate) const TIMER_REARM: u8 = 2;
/// Cash settles; by portfolio.
const TIMER_SETTLE: u8 = 3;
/// A day is cut; by the cut's name.
pub(crate) const TIMER_DAY_CUT: u8 = 4;
/// A price goes stale; one for the lane.
const TIMER_STALE: u8 = 5;
/// An announced market state takes effect; one for the lane.
const TIMER_MARKET: u8 = 6;
/// The lane was behind: whether it still is, is looked at again; one for the lane.
const TIMER_BEHIND: u8 = 7;
/// A standing breach of shadow rules may be said again; by portfolio.
pub(crate) const TIMER_SHADOW: u8 = 8;
/// The ex-date of an announced action begins; one for the lane.
pub(crate) const TIMER_ACTIONS: u8 = 9;
/// A scheduled rebalance is due; by portfolio.
pub(crate) const TIMER_SCHEDULE: u8 = 10;
/// A scheduled rebalance of shadow rules is due; by portfolio.
pub(crate) const TIMER_SHADOW_SCHEDULE: u8 = 11;
/// What was booked changes days that were closed: they are closed again; by portfolio.
const TIMER_RESTATE: u8 = 12;
/// More days are to be closed than one window does; one for the lane.
const TIMER_CLOSES: u8 = 13;

/// A step makes fewer snapshots, and fewer ledger records, of one portfolio.
const VERSIONS_A_STEP: i64 = 100_000;

/// The state of one lane of the position-keeper.
#[derive(Debug, Default)]
pub struct PositionKeeper {
    pub(crate) market: Market,
    pub(crate) cuts: Cuts,
    /// Cuts that are held open, in order.
    open_cuts: Vec<cuts::OpenCut>,
    /// Prices at the cuts of the newest days.
    cut_prices: CutPrices,
    /// Portfolios with a closed day that lacks a rate; derived.
    pub(crate) lacking_rates: BTreeSet<PortfolioIx>,
    /// Portfolios with days that are to be closed.
    to_close: closes::Queue,
    pub(crate) portfolios: Vec<Portfolio>,
    by_id: FxHashMap<PortfolioId, PortfolioIx>,
    pub(crate) waits: Waits,
    pub(crate) quarantine: Quarantine,
    pub(crate) refused: Refused,
    /// Commands of portfolios that have no policy yet.
    pub(crate) strangers: BTreeMap<PortfolioId, CommandMemory>,
    /// Sessions of open portfolios; derived.
    pub(crate) sessions: BTreeMap<SmolStr, PortfolioIx>,
    /// Portfolios with a line in each instrument; derived.
    pub(crate) holders: Vec<Vec<PortfolioIx>>,
    /// Portfolios with a line whose corporate action waits for a rate; derived.
    pub(crate) unrated: BTreeSet<PortfolioIx>,
    /// When each portfolio's first fresh price goes stale; derived.
    stale_at: Vec<Timestamp>,
    /// What shadow rules ask for beside that; derived.
    pub(crate) shadows: shadow::Shadows,
    /// Portfolios whose snapshot timer is known to be set; derived.
    armed: Vec<bool>,
    was_behind: bool,
    /// What versions of portfolios begin above.
    pub(crate) first: i64,
    /// Whether a date has left a window whose portfolio awaits executions; within one record.
    pub(crate) aged: bool,
    last_now: Timestamp,
    /// Bookings that the open window folds again.
    pub(crate) cost: u64,
    pub(crate) marks: Marks,
    pub(crate) dirty: Vec<bool>,
    pub(crate) stepped: Vec<PortfolioIx>,
    pub(crate) in_step: Vec<bool>,
    sealed: Vec<Output>,
    pub(crate) full: bool,
    pub(crate) ledger_bytes: usize,
    pub(crate) parts: Parts,
    /// Room in which a trade is planned; of the last one after that.
    pub(crate) planned: Option<Box<Planned>>,
    /// The plain trade that was kept last: room for the next one.
    pub(crate) kept: Option<Box<Booking>>,
    /// Plain trades of the open step. Journals hold places among them: they are forgotten when all of those are sealed.
    pub(crate) notes: Notes,
    weighed: Vec<Amount>,
    restoring: image::Restoring,
}

impl PositionKeeper {
    /// The portfolios, in the order of their first policies.
    pub fn portfolios(&self) -> &[Portfolio] {
        &self.portfolios
    }
    /// Instruments and prices.
    pub fn market(&self) -> &Market {
        &self.market
    }
    /// How many records wait for a policy, an instrument, a rate or an execution.
    pub fn waiting(&self) -> usize {
        self.waits.len()
    }
    /// How many portfolios are quarantined.
    pub fn quarantined(&self) -> usize {
        self.quarantine.len()
    }

    pub(crate) fn find(&self, id: &PortfolioId) -> Option<PortfolioIx> {
        self.find_text(id.as_str())
    }
    /// The same of an id that is still a text.
    pub(crate) fn find_text(&self, id: &str) -> Option<PortfolioIx> {
        self.by_id.get(id).copied()
    }
    pub(crate) fn portfolio(&self, ix: PortfolioIx) -> &Portfolio {
        &self.portfolios[ix.at()]
    }
    /// The portfolio, to be changed: it will stand in the next checkpoint.
    pub(crate) fn portfolio_mut(&mut self, ix: PortfolioIx) -> &mut Portfolio {
        self.dirty[ix.at()] = true;
        &mut self.portfolios[ix.at()]
    }
    pub(crate) fn add(&mut self, portfolio: Portfolio) {
        self.by_id.insert(portfolio.id.clone(), portfolio.ix);
        self.portfolios.push(portfolio);
        self.stale_at.push(NEVER);
        self.armed.push(false);
        self.dirty.push(true);
        self.in_step.push(false);
        self.marks.grow();
    }
    /// Notes that a portfolio has a line in an instrument.
    pub(crate) fn hold(&mut self, instrument: InstrumentIx, ix: PortfolioIx) {
        if self.holders.len() <= instrument.at() {
            self.holders.resize_with(instrument.at() + 1, Vec::new);
        }
        let holders = &mut self.holders[instrument.at()];
        if let Err(at) = holders.binary_search(&ix) {
            holders.insert(at, ix);
        }
    }
    /// Makes a ledger record of what a portfolio booked so far in the step.
    pub(crate) fn seal(&mut self, ix: PortfolioIx) {
        let ledger = self.take_ledger(ix);
        self.sealed.extend(ledger);
    }
    /// The ledger record of what a portfolio booked so far in the step: it is told once.
    fn take_ledger(&mut self, ix: PortfolioIx) -> Option<Output> {
        let ledger = journal::seal(&mut self.portfolios[ix.at()], &self.market, &self.notes)?;
        Some(Output::Ledger(Box::new(ledger)))
    }

    /// Quarantines a portfolio for a refused record of it.
    pub(crate) fn shut(&mut self, portfolio: &PortfolioId, place: SmolStr, value: Option<&[u8]>, now: Timestamp) {
        if self.find(portfolio).is_some() {
            self.quarantine.enter(portfolio, place.clone());
        } else {
            self.quarantine.enter_stranger(portfolio, place.clone());
        }
        // Of a stranger too many nothing can be admitted.
        if self.quarantine.holds(portfolio) {
            self.refused.keep(portfolio, place, value, now);
        }
        self.mark_by_id(portfolio);
    }

    fn settle_cash(&mut self, id: &str, cx: &mut Context<'_>) {
        let Some(ix) = self.by_id.get(id).copied() else { return };
        let settled = self.portfolio_mut(ix).cash.settle(cx.now.date_utc());
        self.wake_to_settle(ix, cx);
        if settled {
            self.marks.change(ix);
        }
    }

    /// Wakes the lane on the next day on which cash of a portfolio settles.
    pub(crate) fn wake_to_settle(&self, ix: PortfolioIx, cx: &mut Context<'_>) {
        let portfolio = self.portfolio(ix);
        if let Some(next) = portfolio.cash.next_settlement() {
            cx.timers.set(next.start_utc(), TIMER_SETTLE, portfolio.id.as_str());
        }
    }
}

/// A moment that no window reaches.
const NEVER: Timestamp = Timestamp::from_micros(i64::MAX);

impl Role for PositionKeeper {
    type Ahead = Ahead;
    const NAME: &'static str = "position-keeper";
    const INPUTS: &'static [Topic] =
        &[Topic::Frames, Topic::Policies, Topic::Risk, Topic::Commands, Topic::Refresh, Topic::Cash, Topic::Fills];
    const PROGRESS: Topic = Topic::PositionKeeperProgress;
    const DEPTHS: usize = Portfolio::DEPTHS;
    const OWN_OUTPUTS: &'static [Topic] = &[Topic::Ledger, Topic::Snapshots, Topic::Drift, Topic::PortfolioCloses];
    /// The rebalancer answers for every command that nobody can read.
    const REPORTED_ELSEWHERE: &'static [Topic] = &[Topic::Commands];

    fn configure(&mut self, settings: &Settings) {
        self.ledger_bytes = settings.ledger_bytes;
    }

    /// Of snapshots and ledger records a step may make several.
    fn begin_after(&mut self, step: i64) {
        self.first = step.saturating_mul(VERSIONS_A_STEP);
    }

    fn look_ahead(&mut self, input: &Input) -> Ahead {
        self.look_at(input)
    }

    fn look_ahead_at_fill(&mut self, fill: &FillRef<'_>) -> Option<Ahead> {
        self.look_at_view(fill)
    }

    fn touch(&self, ahead: &Ahead, depth: usize) {
        if let Some(Ok(known)) = ahead {
            self.fetch(known, depth);
        }
    }

    fn fold(&mut self, input: Input, ahead: Ahead, origin: &Origin<'_>, cx: &mut Context<'_>) {
        // A window's frames come first.
        if !self.open_cuts.is_empty() && !matches!(input, Input::Frame(_)) {
            self.end_cuts(cx);
        }
        match input {
            Input::Frame(frame) => self.take_frame(*frame, origin, cx),
            Input::Policy(policy) => self.take_policy(*policy, origin, cx),
            Input::PolicyClosed(portfolio) => self.close_portfolio(&portfolio, origin, cx),
            Input::Risk(risk) => self.take_risk(&risk),
            Input::Command(command) => self.take_command(&command, origin, cx),
            Input::Refresh(refresh) => self.take_refresh(&refresh, origin, cx),
            record @ (Input::Cash(_) | Input::Fill(_)) => self.settle_record(&record, ahead, origin, cx),
            // Not among the inputs of this role.
            Input::Tick(_)
            | Input::Instrument(_)
            | Input::CorporateAction(_)
            | Input::MarketStatus(_)
            | Input::Close(_)
            | Input::OrderStatus(_)
            | Input::Drift(_)
            | Input::Ledger(_)
            | Input::PortfolioClose(_)
            | Input::OrderWave(_) => {}
        }
    }

    fn fold_fill(&mut self, fill: &FillRef<'_>, ahead: Ahead, origin: &Origin<'_>, cx: &mut Context<'_>) -> bool {
        self.open_cuts.is_empty() && self.book_view(fill, ahead, &Source::from(origin), cx)
    }

    fn refused(&mut self, origin: &Origin<'_>, portfolio: Option<&PortfolioId>, cx: &mut Context<'_>) {
        if let (Topic::Fills | Topic::Cash, Some(portfolio)) = (origin.topic, portfolio) {
            self.shut(portfolio, Source::from(origin).place(), origin.record.value(), cx.now);
        }
    }

    fn fire(&mut self, timer: Timer, cx: &mut Context<'_>) {
        let portfolio = self.by_id.get(timer.id.as_str()).copied();
        match (timer.kind, portfolio) {
            (TIMER_SNAPSHOT, Some(ix)) => {
                self.armed[ix.at()] = false;
                self.marks.look(ix);
            }
            (TIMER_REARM, Some(ix)) => {
                self.portfolio_mut(ix).watch.rearmed = true;
                self.marks.look(ix);
            }
            (TIMER_SHADOW, Some(ix)) => self.rearm_shadow(ix),
            (TIMER_SCHEDULE | TIMER_SHADOW_SCHEDULE, Some(ix)) => self.take_turn(ix, &timer, cx),
            (TIMER_SETTLE, _) => self.settle_cash(&timer.id, cx),
            (TIMER_ACTIONS, _) => self.apply_due(cx),
            (TIMER_DAY_CUT, _) => self.cut_day(&timer, cx),
            (TIMER_RESTATE, Some(ix)) => self.to_close.insert(ix),
            (TIMER_MARKET, _) => {
                self.market.mark_reported();
                self.announce_market(cx);
            }
            // Stale prices and a backlog that is gone are found by every decision; the timers only make sure that
            // there is one.
            _ => {}
        }
    }

    fn decide(&mut self, cx: &mut Context<'_>) {
        self.cost = 0;
        self.decide_window(cx);
    }

    fn close_step(&mut self, publish: &mut dyn FnMut(Output)) {
        self.sealed.drain(..).for_each(&mut *publish);
        for ix in std::mem::take(&mut self.stepped) {
            self.in_step[ix.at()] = false;
            self.take_ledger(ix).into_iter().for_each(&mut *publish);
        }
        self.notes.clear();
        self.full = false;
    }

    fn holds_outputs(&self) -> bool {
        !self.sealed.is_empty() || self.stepped.iter().any(|ix| !self.portfolios[ix.at()].journal.is_empty())
    }

    fn cost(&self) -> u64 {
        self.cost
    }

    fn step_full(&self) -> bool {
        self.full || self.notes.are_many()
    }

    fn stats(&self, now: Timestamp) -> Stats {
        self.stats_at(now)
    }

    fn waiters(&self) -> Vec<Waiter> {
        self.waits.waiters(Self::NAMED)
    }

    fn finish(&mut self, cx: &mut Context<'_>) {
        self.publish_pending(cx);
        self.close_all_days(cx);
    }
}
