//! `portfolio.commands.v1`: what people and gateways ask for.

pub mod validity;

use crate::enums::{CommandKind, CommandMode, HaltScope};
use crate::{Currency, InstrumentId, Money, OrderId, PortfolioId, Price, Quantity, RebalanceId, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// A record header: name and bytes (in JSON: lower-case hexadecimal).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Name.
    pub name: SmolStr,
    /// Value.
    #[serde(with = "crate::dead_letter::hex")]
    pub value: Vec<u8>,
}

/// A dead letter with its original bytes, so that it can be taken back in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeadLetterReference {
    /// Topic that it came from (not the dead-letter topic).
    pub topic: SmolStr,
    /// Partition of that topic.
    pub partition: i32,
    /// Offset in that partition.
    pub offset: i64,
    /// Original key.
    #[serde(default, with = "crate::dead_letter::hex_option")]
    pub key: Option<Vec<u8>>,
    /// Original headers.
    #[serde(default)]
    pub headers: Vec<Header>,
    /// Original value.
    #[serde(default, with = "crate::dead_letter::hex")]
    pub bytes: Vec<u8>,
}

/// An order, or an instrument in a proposal, and its quantity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandOrder {
    /// The order (RECONCILE: with its final executed quantity).
    #[serde(default)]
    pub order_id: Option<OrderId>,
    /// The instrument of a proposed order (EDIT), in place of its id.
    #[serde(default)]
    pub instrument_id: Option<InstrumentId>,
    /// EDIT: units to order, without a sign; zero strikes the order out. RECONCILE: units executed in all.
    pub quantity: Quantity,
}

/// A position of an outside book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutsidePosition {
    /// Instrument.
    pub instrument_id: InstrumentId,
    /// Signed units held.
    pub quantity: Quantity,
    /// Average price there, where it is known.
    #[serde(default)]
    pub average_price: Option<Price>,
}

/// A cash balance of an outside book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutsideCash {
    /// Currency.
    pub currency: Currency,
    /// Balance.
    pub amount: Money,
}

/// A command; the same `command_id` acts once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// Idempotency key.
    pub command_id: SmolStr,
    /// Portfolio, also the record's key; null for wider scopes, which go to every lane.
    #[serde(default)]
    pub portfolio_id: Option<PortfolioId>,
    /// What it asks for.
    pub kind: CommandKind,
    /// How far it may go on its own.
    #[serde(default)]
    pub mode: Option<CommandMode>,
    /// The rebalance that it is about.
    #[serde(default)]
    pub rebalance_id: Option<RebalanceId>,
    /// The proposal that the person saw (lower-case hexadecimal).
    #[serde(default)]
    pub proposal_hash: Option<SmolStr>,
    /// What a halt or resume covers.
    #[serde(default)]
    pub scope: Option<HaltScope>,
    /// The instrument, strategy or portfolio of that scope.
    #[serde(default)]
    pub target: Option<SmolStr>,
    /// The record that ADMIT and DISCARD are about. An ADMIT carries the very bytes that were refused there; a
    /// DISCARD closes that refusal, or takes a record out that waits.
    #[serde(default)]
    pub dead_letter: Option<DeadLetterReference>,
    /// Orders of EDIT and RECONCILE.
    #[serde(default)]
    pub orders: Vec<CommandOrder>,
    /// Positions of RECONCILE.
    #[serde(default)]
    pub positions: Vec<OutsidePosition>,
    /// Cash of RECONCILE.
    #[serde(default)]
    pub cash: Vec<OutsideCash>,
    /// Who asks.
    pub actor: SmolStr,
    /// Why, in words.
    #[serde(default)]
    pub reason: Option<SmolStr>,
    /// When it was asked.
    pub issued_at: Timestamp,
}

impl Command {
    /// A command that says nothing but what every command says.
    pub fn new(kind: CommandKind, command_id: SmolStr, portfolio_id: Option<PortfolioId>, actor: SmolStr, issued_at: Timestamp) -> Self {
        Self {
            command_id,
            portfolio_id,
            kind,
            mode: None,
            rebalance_id: None,
            proposal_hash: None,
            scope: None,
            target: None,
            dead_letter: None,
            orders: Vec::new(),
            positions: Vec::new(),
            cash: Vec::new(),
            actor,
            reason: None,
            issued_at,
        }
    }
}
