//! Events of a rebalance, put together: what happened, why, on which plan, by whom.

use crate::cycle::opening::Refusal;
use crate::cycle::{Cycle, Turn};
use crate::explain;
use crate::plan::Plan;
use domain::command::Command;
use domain::drift::Drift;
use domain::enums::{RebalanceStatus, RebalanceTrigger};
use domain::execution::Execution;
use domain::order::Order;
use domain::reason::ReasonCode;
use domain::rebalance_event::{ExplanationLine, RebalanceEvent};
use domain::{Output, RebalanceId, SmolStr};

/// An event in the making; nothing is said before [`Announcement::send`].
pub struct Announcement(Box<RebalanceEvent>);

impl Announcement {
    /// An event without plan, orders and reason.
    pub fn new(turn: &Turn<'_, '_>, id: RebalanceId, trigger: RebalanceTrigger, status: RebalanceStatus) -> Self {
        Self(Box::new(RebalanceEvent {
            rebalance_id: id,
            portfolio_id: turn.portfolio.clone(),
            trigger,
            status,
            code: None,
            text: None,
            shadow: false,
            proposal_hash: None,
            as_of: turn.now(),
            old_allocations: Vec::new(),
            new_allocations: Vec::new(),
            orders: Vec::new(),
            explanation: Vec::new(),
            expected_fees: None,
            turnover: None,
            drift_before: None,
            drift_after: None,
            policy_version: None,
            drift_episode: 0,
            actor: None,
            command_id: None,
            expected_spread: None,
            expected_impact: None,
            execution: None,
            risk: None,
        }))
    }
    /// An event of an open cycle, with what its newest plan says of each instrument.
    pub fn of(turn: &Turn<'_, '_>, cycle: &Cycle, status: RebalanceStatus) -> Self {
        let mut event = Self::new(turn, cycle.id, cycle.trigger, status);
        event.0.policy_version = Some(cycle.terms.policy_version);
        event.0.drift_episode = cycle.terms.drift_episode;
        event.0.proposal_hash = cycle.proposal.as_ref().map(|proposal| proposal.hash.clone());
        event.0.explanation = cycle.lines.clone();
        event
    }
    /// With the proposal that it is about.
    pub fn naming(mut self, hash: &SmolStr) -> Self {
        self.0.proposal_hash = Some(hash.clone());
        self
    }
    /// With its code and words.
    pub fn because(mut self, code: ReasonCode, text: impl AsRef<str>) -> Self {
        self.0.code = Some(code);
        self.with_text(text)
    }
    /// With why releases are off after it, where they are.
    pub fn latched(self, text: Option<SmolStr>) -> Self {
        match text {
            Some(text) => self.because(ReasonCode::OrderLimit, text),
            None => self,
        }
    }
    /// With words, behind those that it has.
    pub fn with_text(mut self, text: impl AsRef<str>) -> Self {
        let text = text.as_ref();
        self.0.text = Some(self.0.text.map_or_else(|| SmolStr::new(text), |said| SmolStr::new(format!("{said}; {text}"))));
        self
    }
    /// With the command behind it.
    pub fn by(mut self, command: Option<&Command>) -> Self {
        self.0.actor = command.map(|command| command.actor.clone());
        self.0.command_id = command.map(|command| command.command_id.clone());
        self
    }
    /// With the drift event that it was decided on.
    pub fn on(mut self, drift: &Drift) -> Self {
        self.0.shadow = drift.shadow;
        self.0.drift_episode = drift.episode;
        self.0.policy_version = drift.policy.as_ref().map(|policy| policy.policy_version);
        self
    }
    /// With a plan's explanation, figures and note, its orders apart.
    pub fn planned(mut self, plan: Plan) -> Self {
        let of_risk = plan.risk.as_ref().and_then(|risk| risk.text.as_ref());
        for note in plan.note.iter().chain(&plan.unknown_costs).chain(of_risk) {
            self = self.with_text(note);
        }
        self.0.explanation = plan.explanation;
        self.0.old_allocations = plan.old_allocations;
        self.0.new_allocations = plan.new_allocations;
        self.0.expected_fees = plan.expected_fees;
        self.0.expected_spread = plan.expected_spread;
        self.0.expected_impact = plan.expected_impact;
        self.0.turnover = plan.turnover;
        self.0.drift_before = plan.drift_before;
        self.0.drift_after = plan.drift_after;
        self.0.risk = plan.risk;
        self
    }
    /// Without a plan on this event: every instrument is left alone, for that reason.
    pub fn left_alone(mut self, drift: &Drift, code: ReasonCode) -> Self {
        self.0.explanation = explain::refusal(drift, code);
        self.0.old_allocations = explain::published(drift);
        self.0.new_allocations = explain::published(drift);
        self
    }
    /// With a plan that came to no orders, or the reason why there is none.
    pub fn told(self, drift: &Drift, plan: Option<Plan>, why: Option<Refusal>) -> Self {
        let event = match (plan, &why) {
            (Some(plan), _) => self.planned(plan),
            (None, Some(refusal)) => self.left_alone(drift, refusal.code),
            (None, None) => self,
        };
        match why {
            Some(refusal) => event.because(refusal.code, refusal.text),
            None => event,
        }
    }
    /// With these lines.
    pub fn explained(mut self, lines: Vec<ExplanationLine>) -> Self {
        self.0.explanation = lines;
        self
    }
    /// With orders.
    pub fn with_orders(mut self, orders: Vec<Order>) -> Self {
        self.0.orders = orders;
        self
    }
    /// With how well its orders were executed.
    pub fn executed(mut self, execution: Option<Box<Execution>>) -> Self {
        self.0.execution = execution;
        self
    }
    /// Publishes it.
    pub fn send(self, turn: &mut Turn<'_, '_>) {
        turn.emit(Output::RebalanceEvent(self.0));
    }
}
