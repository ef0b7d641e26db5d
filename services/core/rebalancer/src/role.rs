//! The rebalancer as a role: commands, drift events and order reports in; waves of orders, the events of
//! each rebalance, and requests for drift out.
//!
//! Folding only writes down what was heard; every decision is taken once all records of the window are
//! in, on the newest drift event, and none while the lane is behind: what is due then waits, marked as
//! held, for the first window that is not.

mod image;
mod stats;

use crate::commands;
use crate::commands::halt::Halts;
use crate::commands::inbox::Admission;
use crate::cycle::desk::past_cycle;
use crate::cycle::opening::{Refusal, ask_when_postponed, decide_on_fresh};
use crate::cycle::{Desk, Turn, Word, approval, progress, shadow};
use domain::command::{Command, validity};
use domain::drift::Drift;
use domain::enums::{CommandKind, HaltScope, OrderState};
use domain::order_status::OrderStatus;
use domain::reason::{DeadLetterCode, ReasonCode};
use domain::{Input, PortfolioId, Quantity, RebalanceId, SmolStr, Timestamp, Topic};
use engine::commands::{CommandMemory, Known};
use engine::{Context, Origin, Role, Settings, Stats, Timer};
use std::collections::{BTreeMap, BTreeSet};

/// The one kind of timer: look at a portfolio again.
const LOOK_AGAIN: u8 = 1;
/// Seconds after which a held portfolio is looked at again.
const HELD_SECONDS: i64 = 1;

/// The state of the rebalancer in one lane.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rebalancer {
    desks: BTreeMap<PortfolioId, Desk>,
    first: u64,
    halts: Halts,
    known: CommandMemory,
    touched: BTreeSet<PortfolioId>,
    held: BTreeSet<PortfolioId>,
    dirty: BTreeSet<SmolStr>,
}

impl Rebalancer {
    /// The halts in force.
    pub fn halts(&self) -> &Halts {
        &self.halts
    }
    /// The desk of a portfolio, as far as anything was heard of it.
    pub fn desk(&self, portfolio: &str) -> Option<&Desk> {
        self.desks.get(portfolio)
    }

    fn touch(&mut self, portfolio: &PortfolioId) -> &mut Desk {
        self.touched.insert(portfolio.clone());
        self.dirty.insert(SmolStr::new(portfolio.as_str()));
        self.desks.entry(portfolio.clone()).or_insert_with(|| Desk::after(self.first))
    }

    /// A stranger's report makes no desk, unless it names a cycle of an earlier life.
    fn count_past(&mut self, portfolio: &PortfolioId, rebalance: RebalanceId) {
        let cycles = self.desks.get(portfolio).map_or(0, |desk| desk.cycles);
        if let Some(number) = past_cycle(portfolio, rebalance, cycles) {
            self.touch(portfolio).cycles = number;
        }
    }

    fn hear_command(&mut self, command: Box<Command>, origin: &Origin<'_>, cx: &mut Context<'_>) {
        if let Some((code, text)) = validity::problem(&command) {
            return cx.refuse(origin, command.portfolio_id.clone(), code, text);
        }
        match command.kind {
            // The position-keeper's; their ids are known here too, so that one role answers for all.
            CommandKind::Admit | CommandKind::Discard | CommandKind::Release => _ = self.is_new(&command, origin, cx),
            CommandKind::Halt | CommandKind::Resume if self.is_new(&command, origin, cx) => self.hear_halt(&command, origin, cx),
            CommandKind::Halt | CommandKind::Resume => {}
            _ => self.ask(command, origin, cx),
        }
    }

    /// Remembers a command that is acted on at once, or by another role; a repeat of it is accounted for.
    fn is_new(&mut self, command: &Command, origin: &Origin<'_>, cx: &mut Context<'_>) -> bool {
        let known = match &command.portfolio_id {
            Some(portfolio) => self.touch(portfolio).inbox.hear(command),
            None => self.known.hear(command),
        };
        let stops = matches!(command.kind, CommandKind::Halt | CommandKind::Resume);
        match known {
            Known::New => {}
            Known::Same if stops && !self.stands(command) => refuse_outdated(command, origin, cx),
            Known::Same => cx.count_duplicate(origin.topic),
            Known::Other => refuse_conflict(command, origin, cx),
        }
        known == Known::New
    }

    /// Whether what a HALT or RESUME asked for is so: one of a portfolio sets it free of the latch as well.
    fn stands(&self, command: &Command) -> bool {
        let is_latched = |portfolio: PortfolioId| self.desk(portfolio.as_str()).is_some_and(|desk| desk.latch.is_some());
        self.halts.stands(command) && !resumed(command).is_some_and(is_latched)
    }

    fn ask(&mut self, command: Box<Command>, origin: &Origin<'_>, cx: &mut Context<'_>) {
        let Some(portfolio) = command.portfolio_id.clone() else { return };
        let kept = command.clone();
        match self.touch(&portfolio).inbox.admit(command, cx.now) {
            Admission::New => {}
            Admission::Known => cx.count_duplicate(origin.topic),
            Admission::Conflict => refuse_conflict(&kept, origin, cx),
            Admission::Full => {
                let refusal = Refusal::new(
                    ReasonCode::Backlog,
                    "too many commands of this portfolio wait for an answer: ask again later, under a new command_id",
                );
                let desk = self.desks.entry(portfolio.clone()).or_insert_with(|| Desk::after(self.first));
                commands::refuse(desk, &kept, refusal, &mut Turn { portfolio: &portfolio, halts: &self.halts, cx });
            }
        }
    }

    fn hear_halt(&mut self, command: &Command, origin: &Origin<'_>, cx: &mut Context<'_>) {
        if let Err(text) = self.halts.hear(command) {
            return cx.refuse(origin, command.portfolio_id.clone(), DeadLetterCode::OutOfRange, &text);
        }
        if let Some(portfolio) = resumed(command).filter(|portfolio| self.desks.contains_key(portfolio)) {
            self.touch(&portfolio).latch = None;
        }
        for (portfolio, desk) in &mut self.desks {
            let Some(cycle) = &mut desk.open else { continue };
            // Written down at once: a RESUME that is read before the next decision takes nothing of it back.
            progress::note_halts(cycle, portfolio, &self.halts);
            self.touched.insert(portfolio.clone());
            self.dirty.insert(SmolStr::new(portfolio.as_str()));
        }
    }

    fn hear_drift(&mut self, drift: Box<Drift>, origin: &Origin<'_>) {
        let portfolio = drift.portfolio_id.clone();
        self.touch(&portfolio).hear_drift(origin.offset(), drift);
    }

    fn hear_status(&mut self, report: &OrderStatus, origin: &Origin<'_>, cx: &mut Context<'_>) {
        let portfolio = &report.portfolio_id;
        let refuse = |cx: &mut Context<'_>, code, text: &str| cx.refuse(origin, Some(portfolio.clone()), code, text);
        if report.status == OrderState::Unknown {
            return refuse(cx, DeadLetterCode::UnknownEnum, &OrderState::unknown("status"));
        }
        if report.cum_qty < Quantity::ZERO || report.leaves_qty < Quantity::ZERO {
            return refuse(cx, DeadLetterCode::OutOfRange, "cum_qty and leaves_qty are never negative");
        }
        let word = if self.desks.contains_key(portfolio) { self.touch(portfolio).hear_status(report) } else { None };
        match word {
            Some(Word::News | Word::Contradiction(_)) => {}
            Some(Word::Known) => cx.count_duplicate(origin.topic),
            None => {
                self.count_past(portfolio, report.rebalance_id);
                let text = "no order of this id left in the rebalance that is open, or in the one before it, under that rebalance_id";
                refuse(cx, DeadLetterCode::InvalidRecord, text);
            }
        }
    }
}

/// The one portfolio that a RESUME sets free. One of a wider scope lifts what was halted widely, and no latch.
fn resumed(command: &Command) -> Option<PortfolioId> {
    let lifts = command.kind == CommandKind::Resume && command.scope == Some(HaltScope::Portfolio);
    let named = || command.portfolio_id.clone().or_else(|| PortfolioId::new(command.target.as_deref()?).ok());
    lifts.then(named).flatten()
}

fn refuse_conflict(command: &Command, origin: &Origin<'_>, cx: &mut Context<'_>) {
    let text = format!(
        "command {:?} was sent before with other content, and that one was answered: an id names one command for ever; send a new command_id",
        command.command_id
    );
    cx.refuse(origin, command.portfolio_id.clone(), DeadLetterCode::DuplicateConflict, text);
}

/// The repeat of a HALT whose RESUME was read since, or of a RESUME behind another HALT.
fn refuse_outdated(command: &Command, origin: &Origin<'_>, cx: &mut Context<'_>) {
    let text = format!(
        "{} {:?} was read before by this lane, and holds there no more: its opposite was read since, or a limit was met, or it was refused; \
         a command acts once by its id, so that this repeat changes nothing here; to ask for it anew, send a new command_id",
        command.kind, command.command_id
    );
    cx.refuse(origin, command.portfolio_id.clone(), DeadLetterCode::DuplicateConflict, text);
}

/// Everything that a portfolio has to decide, in one order: what time and policy end; the cycle's own way;
/// commands, oldest first; what they set free; new drift; the shadow.
fn decide_for(desk: &mut Desk, turn: &mut Turn<'_, '_>) {
    approval::expire_if_due(desk, turn);
    progress::advance(desk, turn);
    commands::follow(desk, turn);
    progress::advance(desk, turn);
    decide_on_fresh(desk, turn);
    ask_when_postponed(desk, turn);
    shadow::decide(desk, turn);
    let cancel_seconds = turn.cancel_seconds();
    let cycle = progress::next_due(desk, cancel_seconds);
    let others = desk.inbox.next_due().filter(|_| desk.policy.is_some()).into_iter().chain(desk.postponed_to());
    match cycle.into_iter().chain(others).min() {
        Some(due) => turn.cx.timers.set(due, LOOK_AGAIN, turn.portfolio.as_str()),
        None => turn.cx.timers.clear(LOOK_AGAIN, turn.portfolio.as_str()),
    }
}

impl Role for Rebalancer {
    type Ahead = ();
    const NAME: &'static str = "rebalancer";
    /// Commands first, so that within a window the drift event that answers a command finds it (the other
    /// way round works too, across windows). Reports last: a fill's drift event and its report then meet in
    /// one decision, whichever topic is ahead.
    const INPUTS: &'static [Topic] = &[Topic::Commands, Topic::Drift, Topic::OrderStatus];
    const PROGRESS: Topic = Topic::RebalancerProgress;
    const OWN_OUTPUTS: &'static [Topic] = &[Topic::Orders, Topic::RebalanceEvents, Topic::Refresh];

    fn configure(&mut self, _settings: &Settings) {}

    fn begin_after(&mut self, step: i64) {
        self.first = step.unsigned_abs();
    }

    fn fold(&mut self, input: Input, _ahead: (), origin: &Origin<'_>, cx: &mut Context<'_>) {
        match input {
            Input::Command(command) => self.hear_command(command, origin, cx),
            Input::Drift(drift) => self.hear_drift(drift, origin),
            Input::OrderStatus(report) => self.hear_status(&report, origin, cx),
            _ => {}
        }
    }

    /// A report that nobody can read leaves its order without a terminal state: its deadline finds out.
    fn refused(&mut self, _origin: &Origin<'_>, _portfolio: Option<&PortfolioId>, _cx: &mut Context<'_>) {}

    fn fire(&mut self, timer: Timer, _cx: &mut Context<'_>) {
        if let Ok(portfolio) = PortfolioId::new(&timer.id) {
            self.touch(&portfolio);
        }
    }

    fn decide(&mut self, cx: &mut Context<'_>) {
        let touched = std::mem::take(&mut self.touched);
        if cx.behind {
            return self.hold(touched, cx);
        }
        let mut due = touched;
        due.append(&mut self.held);
        for portfolio in due {
            let Some(desk) = self.desks.get_mut(&portfolio) else { continue };
            desk.held = false;
            self.dirty.insert(SmolStr::new(portfolio.as_str()));
            decide_for(desk, &mut Turn { portfolio: &portfolio, halts: &self.halts, cx });
        }
    }

    fn stats(&self, _now: Timestamp) -> Stats {
        self.stats_now()
    }
}

impl Rebalancer {
    fn hold(&mut self, touched: BTreeSet<PortfolioId>, cx: &mut Context<'_>) {
        for portfolio in touched {
            if let Some(desk) = self.desks.get_mut(&portfolio) {
                desk.held = true;
                cx.timers.set(cx.now.plus_seconds(HELD_SECONDS), LOOK_AGAIN, portfolio.as_str());
                progress::ask_halted_back(desk, &mut Turn { portfolio: &portfolio, halts: &self.halts, cx });
                self.dirty.insert(SmolStr::new(portfolio.as_str()));
                self.held.insert(portfolio);
            }
        }
    }
}
