//! `rebalance.events.v1`: the life of a rebalance, and the reason for every order and every non-order.

use crate::enums::{Decision, RebalanceStatus, RebalanceTrigger};
use crate::execution::Execution;
use crate::order::{NamedNumber, Order};
use crate::reason::ReasonCode;
use crate::target_risk::PlannedRisk;
use crate::{Fraction, InstrumentId, Money, PortfolioId, Quantity, RebalanceId, SmolStr, Timestamp};
use serde::{Deserialize, Serialize};

/// A weight, before or after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeightLine {
    /// Instrument.
    pub instrument_id: InstrumentId,
    /// Units.
    pub quantity: Quantity,
    /// Weight; null when equity is not above zero.
    pub weight: Option<Fraction>,
}

/// What the plan did with one instrument, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplanationLine {
    /// Instrument.
    pub instrument_id: InstrumentId,
    /// Weight before.
    pub weight: Option<Fraction>,
    /// Target weight.
    pub target: Fraction,
    /// weight − target.
    pub drift: Option<Fraction>,
    /// What was done.
    pub decision: Decision,
    /// Why.
    pub reason: ReasonCode,
    /// The numbers behind it.
    pub numbers: Vec<NamedNumber>,
}

/// One event of a rebalance. Amounts are in the base currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RebalanceEvent {
    /// The rebalance; a refusal that opened none has an id of its own.
    pub rebalance_id: RebalanceId,
    /// Portfolio; also the record's key.
    pub portfolio_id: PortfolioId,
    /// What made it.
    pub trigger: RebalanceTrigger,
    /// Where it stands now.
    pub status: RebalanceStatus,
    /// Why, for refusals, failures and expiries.
    pub code: Option<ReasonCode>,
    /// The same in words, with what to do.
    pub text: Option<SmolStr>,
    /// Whether the shadow rules made it.
    pub shadow: bool,
    /// Names the proposal that an APPROVE must quote (lower-case hexadecimal).
    pub proposal_hash: Option<SmolStr>,
    /// When.
    pub as_of: Timestamp,
    /// Weights before.
    pub old_allocations: Vec<WeightLine>,
    /// Weights that the plan leads to.
    pub new_allocations: Vec<WeightLine>,
    /// Orders proposed or released.
    pub orders: Vec<Order>,
    /// One line for every held or targeted instrument.
    pub explanation: Vec<ExplanationLine>,
    /// Expected fees of the plan.
    pub expected_fees: Option<Money>,
    /// Σ |order value| ÷ equity.
    pub turnover: Option<Fraction>,
    /// Half of Σ |drift| before.
    pub drift_before: Option<Fraction>,
    /// Half of Σ |drift| that the plan leads to.
    pub drift_after: Option<Fraction>,
    /// Policy in force.
    pub policy_version: Option<i64>,
    /// Episode of the drift event that it was planned on.
    pub drift_episode: i64,
    /// Who approved, rejected or asked.
    pub actor: Option<SmolStr>,
    /// The command behind it.
    pub command_id: Option<SmolStr>,
    /// Σ `expected_spread` of the plan's orders; null where that of one is not known.
    #[serde(default)]
    pub expected_spread: Option<Money>,
    /// Σ `expected_impact` of the plan's orders; null where that of one is not known.
    #[serde(default)]
    pub expected_impact: Option<Money>,
    /// How well its orders were executed: of COMPLETED and FAILED, where orders had left.
    #[serde(default)]
    pub execution: Option<Box<Execution>>,
    /// What the plan does to the risk; null without a plan, or where the policy has no `target_risk`.
    #[serde(default)]
    pub risk: Option<Box<PlannedRisk>>,
}
