//! What a plan says: orders to make, the reason for each instrument, and where they lead.
//! A plan is complete and immutable; it has no ids, no clock and no state of an order.

use super::costs::Costs;
use domain::enums::{Side, Urgency};
use domain::order::NamedNumber;
use domain::reason::ReasonCode;
use domain::rebalance_event::{ExplanationLine, WeightLine};
use domain::target_risk::PlannedRisk;
use domain::{Currency, Fraction, FxRate, InstrumentId, Money, Price, Quantity, SmolStr, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What follows from a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// There are legs to order.
    Orders,
    /// Nothing is to be ordered; every instrument's reason stands in the explanation.
    NoActionNeeded,
    /// No plan can be made.
    Refused {
        /// Why.
        code: ReasonCode,
        /// The same in words, with what to do.
        text: SmolStr,
    },
}

/// One order that the plan asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// Instrument.
    pub instrument_id: InstrumentId,
    /// Side: SELL takes from what is held, SELL_SHORT goes beyond it, BUY also covers.
    pub side: Side,
    /// Units; positive.
    pub quantity: Quantity,
    /// The price that the plan used, in `currency`.
    pub reference_price: Price,
    /// When that price was made.
    pub reference_time: Timestamp,
    /// Currency of the prices.
    pub currency: Currency,
    /// The rate that the plan used: units of base for one of `currency`.
    pub reference_rate: FxRate,
    /// Limit price in `currency`, on the tick; null for orders at the market.
    pub limit_price: Option<Price>,
    /// |quantity| × reference × multiplier × FX, in the base currency, rounded half-even.
    pub expected_value: Money,
    /// Why: DRIFT_SELL, DRIFT_BUY, EXIT, CASH_RAISE or CASH_INVEST.
    pub reason: ReasonCode,
    /// The numbers behind it.
    pub numbers: Vec<NamedNumber>,
    /// Whether its line, or the group that the line shares a target of, stood outside its bounds when it was
    /// planned first: then `trigger.goal` says how far it was to go, else it was to go to its target.
    pub outside: bool,
    /// What it is expected to cost.
    pub costs: Costs,
    /// The instrument's venue.
    pub venue: Option<SmolStr>,
    /// The policy's urgency; of exits and sells that raise cash one step more.
    pub urgency: Urgency,
    /// The parts in which it leaves, where it is large for its instrument; `None`: it leaves whole.
    pub slice: Option<Slice>,
}

/// A part of an order that leaves in slices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// Units of each part but the last, which takes the rest: never more than these.
    pub quantity: Quantity,
    /// What the first part is expected to be worth, in the base currency, rounded half-even.
    pub expected_value: Money,
    /// What the first part is expected to cost.
    pub costs: Costs,
}

impl Leg {
    /// Units that leave first: all of them, or a slice.
    pub fn first(&self) -> Quantity {
        self.slice.map_or(self.quantity, |slice| slice.quantity.min(self.quantity))
    }
    /// The change that it makes to the position: negative for sells.
    pub fn signed_quantity(&self) -> Quantity {
        if self.side == Side::Buy { self.quantity } else { Quantity::from_units(-self.quantity.units()) }
    }
}

/// A limit on what leaves in a day or a minute that has kept an order back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum LimitMet {
    /// `max_daily_notional`.
    DailyNotional {
        /// The limit.
        limit: Money,
        /// Released since the day cut.
        released: Money,
        /// Worth of all orders that were to leave now; `None` beyond what a number can hold.
        wanted: Option<Money>,
    },
    /// `max_orders_per_minute`.
    OrdersPerMinute {
        /// The limit.
        limit: i32,
        /// Released in the last 60 seconds.
        released: i32,
        /// Orders that were to leave now.
        wanted: i64,
    },
}

impl fmt::Display for LimitMet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DailyNotional { limit, released, wanted } => {
                let wanted = wanted.map_or("more than a number can hold".to_owned(), |wanted| wanted.to_string());
                write!(f, "max_daily_notional {limit} was met ({released} released since the day cut, {wanted} to be released)")
            }
            Self::OrdersPerMinute { limit, released, wanted } => {
                write!(f, "max_orders_per_minute {limit} was met ({released} orders in the last 60 s, {wanted} to be released)")
            }
        }
    }
}

/// A plan. Amounts are in the base currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What follows from it.
    pub verdict: Verdict,
    /// Limits of a day or a minute that kept orders back.
    pub met: Vec<LimitMet>,
    /// What no line can say: a group outside its band that no instrument can move.
    pub note: Option<SmolStr>,
    /// Sells before buys, each by instrument id; an order that crosses zero is a SELL and a SELL_SHORT.
    /// Empty unless the verdict is `Orders`.
    pub legs: Vec<Leg>,
    /// One line for every line of the drift event, in its order, ordered or not.
    pub explanation: Vec<ExplanationLine>,
    /// Holdings and weights before.
    pub old_allocations: Vec<WeightLine>,
    /// Holdings and weights once every leg is filled at its reference; fees are not taken off.
    pub new_allocations: Vec<WeightLine>,
    /// rate × notional + fixed, over all legs; null when refused.
    pub expected_fees: Option<Money>,
    /// Σ `costs.spread` of the legs; null where one is not known, or when refused.
    pub expected_spread: Option<Money>,
    /// Σ `costs.impact` of the legs; null where one is not known, or when refused.
    pub expected_impact: Option<Money>,
    /// What of the expected costs is not known, where the policy asks for them, and what to do.
    pub unknown_costs: Option<SmolStr>,
    /// Σ |order value| ÷ equity; null when refused.
    pub turnover: Option<Fraction>,
    /// Half of Σ |drift| before, cash included; null when refused.
    pub drift_before: Option<Fraction>,
    /// The same once every leg is filled at its reference; null when refused.
    pub drift_after: Option<Fraction>,
    /// What it does to the risk; null without a target, or when refused.
    pub risk: Option<Box<PlannedRisk>>,
    /// Whether buys must wait until every sell is terminal and applied (then: `later_wave`).
    pub waits_for_sells: bool,
}

impl Plan {
    /// Legs that sell, also short.
    pub fn sells(&self) -> impl Iterator<Item = &Leg> {
        self.legs.iter().filter(|leg| leg.side != Side::Buy)
    }
    /// Legs that buy.
    pub fn buys(&self) -> impl Iterator<Item = &Leg> {
        self.legs.iter().filter(|leg| leg.side == Side::Buy)
    }
}
