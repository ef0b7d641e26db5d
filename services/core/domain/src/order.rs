//! `rebalance.orders.v1`: one record a wave, with all its orders inside.

use crate::enums::{OrderType, Side, TimeInForce, Urgency, WaveKind};
use crate::reason::ReasonCode;
use crate::{Currency, InstrumentId, Money, OrderId, PortfolioId, Price, Quantity, RebalanceId, SmolStr, Timestamp, Uuid};
use serde::{Deserialize, Serialize};

/// A number that stands behind a decision, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedNumber {
    /// Name, such as `drift` or `lot_size`.
    pub name: SmolStr,
    /// Value as a decimal in plain digits.
    pub value: SmolStr,
}

/// One order request (FIX 35=D), or the request to cancel it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The one id of this order for ever (FIX 11).
    pub order_id: OrderId,
    /// Rebalance (FIX 66).
    pub rebalance_id: RebalanceId,
    /// Portfolio (FIX 1).
    pub portfolio_id: PortfolioId,
    /// Instrument (FIX 55).
    pub instrument_id: InstrumentId,
    /// Side (FIX 54).
    pub side: Side,
    /// Units (FIX 38); positive.
    pub quantity: Quantity,
    /// Type (FIX 40).
    pub order_type: OrderType,
    /// Limit price (FIX 44), in `currency`.
    pub limit_price: Option<Price>,
    /// Time in force (FIX 59).
    pub time_in_force: TimeInForce,
    /// Currency of the prices (FIX 15).
    pub currency: Currency,
    /// The price that the plan used.
    pub reference_price: Price,
    /// When that price was made.
    pub reference_time: Timestamp,
    /// |quantity| × reference × multiplier × FX, in the base currency.
    pub expected_value: Money,
    /// Why.
    pub reason: ReasonCode,
    /// The numbers behind it.
    pub numbers: Vec<NamedNumber>,
    /// Policy that made it.
    pub policy_version: i64,
    /// Last snapshot before it.
    pub snapshot_version: i64,
    /// After this moment it must not be sent any more.
    pub valid_until: Timestamp,
    /// Groups orders of one firm, instrument, side and hour for routers that trade blocks: `instrument|side|hour` in UTC,
    /// the hour in which the order was proposed or left. The firm is the deployment: no other shares its topics.
    pub block_key: SmolStr,
    /// Expected fee, in the base currency; null in records from before it was told.
    #[serde(default)]
    pub expected_fees: Option<Money>,
    /// Expected cost of crossing half the spread, in the base currency, rounded up; null where it is not known.
    #[serde(default)]
    pub expected_spread: Option<Money>,
    /// Expected market impact, in the base currency, rounded up; null where it is not known.
    #[serde(default)]
    pub expected_impact: Option<Money>,
    /// Market identifier code of the instrument's venue (FIX 207).
    #[serde(default)]
    pub venue: Option<SmolStr>,
    /// How much of a hurry it is in.
    #[serde(default = "normal")]
    pub urgency: Urgency,
}

fn normal() -> Urgency {
    Urgency::Normal
}

/// Orders that leave together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderWave {
    /// UUIDv5 of the rebalance, the wave number and the kind.
    pub wave_id: Uuid,
    /// Rebalance.
    pub rebalance_id: RebalanceId,
    /// Portfolio; also the record's key.
    pub portfolio_id: PortfolioId,
    /// Counts from 1 within the rebalance.
    pub wave_number: i32,
    /// New orders, or cancel requests.
    pub kind: WaveKind,
    /// Sells before buys.
    pub orders: Vec<Order>,
    /// How it is paid for, in words.
    pub funding_note: Option<SmolStr>,
    /// Policy that made it.
    pub policy_version: i64,
    /// Episode of the drift event that it was planned on.
    pub drift_episode: i64,
    /// After this moment it must not be sent any more.
    pub valid_until: Timestamp,
}
