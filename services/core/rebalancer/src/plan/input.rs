//! What a plan is made from: a drift event, the rules in force, and what the cycle knows of its own orders.
//! Values only: nothing here is computed.

use domain::drift::Drift;
use domain::enums::{RebalanceTrigger, Side};
use domain::policy::{Band, Limits, Orders, Policy, Shadow, Target, Trigger};
use domain::{Fraction, InstrumentId, Money, Quantity, SmolStr};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The groups of a policy, or of its shadow, that a plan follows.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// Lines.
    pub targets: &'a [Target],
    /// Band.
    pub band: &'a Band,
    /// Trigger.
    pub trigger: &'a Trigger,
    /// Orders.
    pub orders: &'a Orders,
    /// Limits.
    pub limits: &'a Limits,
}

impl<'a> Rules<'a> {
    /// The rules that orders follow.
    pub fn of(policy: &'a Policy) -> Self {
        Self { targets: &policy.targets, band: &policy.band, trigger: &policy.trigger, orders: &policy.orders, limits: &policy.limits }
    }
    /// The rules that are planned and explained beside the first, and never ordered.
    pub fn of_shadow(shadow: &'a Shadow) -> Self {
        Self { targets: &shadow.targets, band: &shadow.band, trigger: &shadow.trigger, orders: &shadow.orders, limits: &shadow.limits }
    }
}

/// What the book will still be told of one order of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenOrder {
    /// Instrument.
    pub instrument_id: InstrumentId,
    /// Side.
    pub side: Side,
    /// Ordered (filled, once terminal) less what the drift event has applied; signed: negative for a sell.
    pub remaining: Quantity,
    /// What `remaining` was expected to be worth, in the base currency, not negative. An open buy's is held
    /// back from the cash of new buys; a sell's is not used.
    pub expected_value: Money,
}

/// The halts in force that a plan obeys. An order serves all strategies of its book, so that a halt of one stops all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HaltView {
    /// Everything stands still.
    pub firm: bool,
    /// This portfolio stands still.
    pub portfolio: bool,
    /// A strategy that stands still.
    pub strategy: Option<SmolStr>,
    /// Instruments that are not ordered.
    pub instruments: BTreeSet<InstrumentId>,
}

/// Everything that a plan depends on.
#[derive(Debug, Clone, Copy)]
pub struct PlanInput<'a> {
    /// The book, its prices and their fitness.
    pub drift: &'a Drift,
    /// Rules: of the policy, or of its shadow where `drift.shadow`.
    pub rules: Rules<'a>,
    /// THRESHOLD plans breached lines or, where one is, the whole book; SCHEDULED and MANUAL plan every line.
    pub trigger: RebalanceTrigger,
    /// Orders of ours that the book has not wholly seen.
    pub open: &'a [OpenOrder],
    /// Σ expected_value released since the day cut, in the base currency.
    pub released_today: Money,
    /// Orders released in the last 60 seconds.
    pub orders_last_minute: i32,
    /// Halts.
    pub halted: &'a HaltView,
    /// Whether the lane is behind its inputs: then there is no plan.
    pub behind: bool,
    /// What short sales of the same cycle have brought, in the base currency: it is in the cash, and buys may
    /// not use it.
    pub short_proceeds: Money,
}

impl PlanInput<'_> {
    /// What the event says that targets are scaled by; `None` where they stand as the policy has them.
    pub(crate) fn scale(&self) -> Option<Fraction> {
        self.drift.risk.as_deref()?.scale
    }
}
