//! A cycle: one rebalance of one portfolio, from its plan to its last word.
//!
//! ```text
//!  plan ─┬─► PROPOSED                    (CHECK, shadow)       no cycle, nothing leaves
//!        ├─► NO_ACTION_NEEDED │ REFUSED │ FAILED               no cycle, nothing leaves
//!        ├─► RELEASED                    (AUTOMATIC)           opens the cycle
//!        └─► PENDING_APPROVAL            (APPROVAL)            opens the cycle
//!              ├─► PENDING_APPROVAL      newer drift: another proposal and hash; the first of two approvals
//!              ├─► REJECTED │ EXPIRED                          ends it
//!              └─► APPROVED ─► RELEASED
//!  RELEASED (first wave)
//!    ├─► RELEASED                        the next slices of large orders, once those before are terminal and applied
//!    ├─► RELEASED                        the wave of buys, once every sell is terminal and applied
//!    ├─► STUCK                           no terminal state after the cancel request, executions that the
//!    │                                   book never saw, or reports that contradict each other
//!    └─► COMPLETED │ FAILED              every leg terminal and applied, and none contradicted
//!  STUCK ─► COMPLETED │ FAILED           only by a late terminal status, missing fills, or a RECONCILE
//! ```
//!
//! What contradicts an order of a cycle that has ended is STUCK as well: nothing is planned until a person
//! settles it, or a later report, its earlier ones and the book agree after all.
//!
//! It promises one open cycle for each portfolio, one id for each order, no order after a time-out, and
//! an end for every cycle or a STUCK that calls for a person. It plans nothing: that is [`crate::plan`].

pub mod announcement;
pub mod approval;
pub mod desk;
pub mod execution;
pub mod leg;
pub mod moved;
pub mod opening;
pub mod progress;
pub mod proposal;
pub mod release;
pub mod shadow;
pub mod slices;
pub mod strangers;
pub mod turn;

pub use desk::{Contradiction, Desk};
pub use leg::{Leg, Word};
pub use proposal::Proposal;
pub use slices::Slices;
pub use turn::Turn;

use crate::orders::draft::Draft;
use crate::orders::ids;
use crate::orders::wave::Terms;
use domain::drift::Drift;
use domain::enums::{Decision, RebalanceStatus, RebalanceTrigger};
use domain::reason::ReasonCode;
use domain::rebalance_event::ExplanationLine;
use domain::{Bps, InstrumentId, OrderId, PortfolioId, RebalanceId, SmolStr, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A drift event and its place in its topic: later places know more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// Offset in the drift topic.
    pub offset: i64,
    /// The event.
    pub drift: Box<Drift>,
}

/// Why no further orders of a cycle leave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// Code.
    pub code: ReasonCode,
    /// Words.
    pub text: SmolStr,
}

/// An open cycle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cycle {
    /// Counts from 1 in its portfolio.
    pub number: u64,
    /// Its id.
    pub id: RebalanceId,
    /// What made it.
    pub trigger: RebalanceTrigger,
    /// What its orders have in common.
    pub terms: Terms,
    /// Who asked for it, where that was a person: somebody else approves it.
    pub asked_by: Option<SmolStr>,
    /// The proposal that waits for a person; `None` once released.
    pub proposal: Option<Proposal>,
    /// Orders that have left.
    pub legs: Vec<Leg>,
    /// Buys that wait for the sells; none of an instrument that a corporate action has changed since.
    pub later: Vec<Draft>,
    /// What its newest plan says of each instrument.
    pub lines: Vec<ExplanationLine>,
    /// Furthest that the price of a buy, or its rate, may have moved since it was approved.
    pub tolerance: Option<Bps>,
    /// Waves that have left.
    pub waves: i32,
    /// Legs that have an id.
    pub numbered: u32,
    /// Why no further orders leave.
    pub stop: Option<Stop>,
    /// By when the book must have applied what the reports say was executed.
    pub settle_by: Option<Timestamp>,
    /// Whether STUCK was said for that.
    pub unsettled: bool,
    /// The question for the drift event on which the buys or the next slices are planned.
    pub question: Option<Question>,
    /// Slices of what has left in part.
    pub slices: Slices,
}

/// A question for a drift event, and how often it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// When it was asked last.
    pub asked_at: Timestamp,
    /// How often.
    pub times: u32,
    /// The answer, until it is acted on.
    pub answer: Option<Heard>,
    /// What came of the last answer.
    pub last: Stop,
}

impl Cycle {
    /// A cycle that opens, without proposal, legs or waves.
    pub fn new(portfolio: &PortfolioId, number: u64, trigger: RebalanceTrigger, terms: Terms) -> Self {
        Self {
            number,
            id: ids::rebalance(portfolio, number),
            trigger,
            terms,
            asked_by: None,
            proposal: None,
            legs: Vec::new(),
            later: Vec::new(),
            lines: Vec::new(),
            tolerance: None,
            waves: 0,
            numbered: 0,
            stop: None,
            settle_by: None,
            unsettled: false,
            question: None,
            slices: Slices::default(),
        }
    }
    /// Whether anything of it waits to leave.
    pub fn waits(&self) -> bool {
        !self.slices.is_empty() || !self.later.is_empty()
    }
    /// The id of its next leg.
    pub fn next_order(&mut self, portfolio: &PortfolioId, instrument: &InstrumentId) -> OrderId {
        self.numbered += 1;
        ids::order(portfolio, self.number, instrument, self.numbered)
    }
    /// Why the plan before left an instrument alone whose breach a newer one leaves to another cycle.
    pub fn reason_before(&self, line: &ExplanationLine) -> ReasonCode {
        let skipped = |before: &&ExplanationLine| before.instrument_id == line.instrument_id && before.decision == Decision::Skip;
        match self.lines.iter().find(skipped).map(|before| before.reason) {
            // These held on the event before, and the line stands outside now.
            None => ReasonCode::OpenCycle,
            Some(reason) if asks_for_nothing(reason) => ReasonCode::OpenCycle,
            Some(reason) => reason,
        }
    }
    /// Stops further orders; the first reason stays.
    pub fn stop(&mut self, code: ReasonCode, text: impl AsRef<str>) {
        self.stop.get_or_insert_with(|| Stop { code, text: SmolStr::new(text.as_ref()) });
    }
    /// Whether a person is needed.
    pub fn is_stuck(&self) -> bool {
        self.unsettled || self.legs.iter().any(|leg| leg.stuck)
    }
    /// Whether one of its orders is contradicted.
    pub fn is_contradicted(&self, contradictions: &BTreeMap<OrderId, Contradiction>) -> bool {
        !contradictions.is_empty() && self.legs.iter().any(|leg| contradictions.contains_key(&leg.order.order_id))
    }
    /// Where it stands, by what is known to contradict its orders.
    pub fn standing(&self, contradictions: &BTreeMap<OrderId, Contradiction>) -> RebalanceStatus {
        match (&self.proposal, self.is_contradicted(contradictions) || self.is_stuck()) {
            (Some(_), _) => RebalanceStatus::PendingApproval,
            (None, true) => RebalanceStatus::Stuck,
            (None, false) => RebalanceStatus::Released,
        }
    }
}

/// The released cycle that a portfolio closed last: kept for words about its orders that come late, until
/// the next one closes. A proposal that ended is none: nothing of it has left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// Its id.
    pub id: RebalanceId,
    /// What made it.
    pub trigger: RebalanceTrigger,
    /// How it ended.
    pub status: RebalanceStatus,
    /// Offset of the drift event that had applied all its executions.
    pub applied_at: i64,
    /// Its orders.
    pub legs: Vec<Leg>,
}

/// An order of an earlier cycle that is not settled: contradicted, or with executions that the book must still
/// be told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsettled {
    /// What made its cycle.
    pub trigger: RebalanceTrigger,
    /// How that ended.
    pub status: RebalanceStatus,
    /// The order.
    pub leg: Leg,
}

/// Whether it says that the policy asks nothing of a line, as it stands on an event.
pub fn asks_for_nothing(reason: ReasonCode) -> bool {
    matches!(reason, ReasonCode::WithinBand | ReasonCode::NotBreached | ReasonCode::BelowMinimumDeviation)
}
