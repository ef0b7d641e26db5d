//! Which commands cannot be understood. They are dead-lettered: without an id, an actor and what the
//! kind needs there is nothing to act on and nobody to answer.

use super::{Command, CommandOrder};
use crate::enums::{CommandKind, CommandMode, HaltScope};
use crate::ids::is_id;
use crate::reason::DeadLetterCode;
use std::collections::BTreeSet;

/// Why a command cannot be understood; `None` when it can.
pub fn problem(command: &Command) -> Option<(DeadLetterCode, String)> {
    let kind = command.kind;
    let invalid = |text: String| Some((DeadLetterCode::InvalidCommand, text));
    let needs = |what: &str| invalid(format!("{} needs {what}: send it again with a new command_id", named(kind)));
    if !is_id(&command.command_id) {
        return invalid("command_id has 1 to 128 bytes and no control characters".into());
    }
    if !is_id(&command.actor) {
        return invalid("actor has 1 to 128 bytes and no control characters: name who asks".into());
    }
    if command.actor.trim() != command.actor {
        return invalid(format!("actor is {:?}: it has no spaces around it, so that one person has one name", command.actor));
    }
    if command.mode == Some(CommandMode::Unknown) {
        return Some((DeadLetterCode::UnknownEnum, CommandMode::unknown("mode")));
    }
    if command.scope == Some(HaltScope::Unknown) {
        return Some((DeadLetterCode::UnknownEnum, HaltScope::unknown("scope")));
    }
    match kind {
        CommandKind::Halt | CommandKind::Resume => halt_problem(command).and_then(|text| invalid(format!("{} {text}", named(kind)))),
        _ if command.portfolio_id.is_none() => needs("a portfolio_id"),
        CommandKind::Approve if command.proposal_hash.is_none() => needs("the proposal_hash of the proposal that was read"),
        CommandKind::Approve | CommandKind::Reject | CommandKind::Edit if command.rebalance_id.is_none() => needs("a rebalance_id"),
        CommandKind::Edit if command.orders.is_empty() => needs("orders"),
        CommandKind::Edit if command.proposal_hash.is_none() => needs("the proposal_hash of the proposal that was read"),
        CommandKind::Edit if command.orders.iter().any(is_nameless) => needs("an order_id or an instrument_id in each of its orders"),
        CommandKind::Edit if command.orders.iter().any(|order| order.quantity.is_negative() || !order.quantity.fits_wire()) => {
            needs("quantities in units, without a sign: zero strikes an order out, and its side stays as it is")
        }
        CommandKind::Reconcile if is_empty(command) => needs("orders with their final quantities, positions or cash"),
        CommandKind::Reconcile if command.orders.iter().any(|order| order.order_id.is_none()) => needs("an order_id in each of its orders"),
        CommandKind::Reconcile => statement_problem(command).and_then(invalid),
        CommandKind::Unknown => Some((DeadLetterCode::UnknownEnum, CommandKind::unknown("kind"))),
        _ => None,
    }
}

/// The kind with its article.
fn named(kind: CommandKind) -> String {
    let article = if kind.symbol().starts_with(['A', 'E', 'I', 'O', 'U']) { "an" } else { "a" };
    format!("{article} {kind}")
}

fn is_nameless(order: &CommandOrder) -> bool {
    order.order_id.is_none() && order.instrument_id.is_none()
}

fn is_empty(command: &Command) -> bool {
    command.orders.is_empty() && command.positions.is_empty() && command.cash.is_empty()
}

/// What is wrong with the outside book that a RECONCILE carries.
fn statement_problem(command: &Command) -> Option<String> {
    let (positions, cash) = (&command.positions, &command.cash);
    let has_book = !positions.is_empty() || !cash.is_empty();
    if has_book && !command.orders.is_empty() {
        return Some("a RECONCILE is of orders, or of positions and cash: send two, each with its command_id".into());
    }
    let twice = |what: &str, name: &str| Some(format!("a RECONCILE names {what} {name} twice: send each once, with all that is held"));
    let (mut instruments, mut currencies) = (BTreeSet::new(), BTreeSet::new());
    if let Some(again) = positions.iter().find(|position| !instruments.insert(&position.instrument_id)) {
        return twice("instrument", again.instrument_id.as_str());
    }
    if let Some(again) = cash.iter().find(|cash| !currencies.insert(cash.currency)) {
        return twice("currency", again.currency.as_str());
    }
    let fits = positions.iter().all(|position| position.quantity.fits_wire()) && cash.iter().all(|cash| cash.amount.fits_wire());
    (!fits).then(|| "a RECONCILE names a quantity or an amount of more than 28 digits".into())
}

fn halt_problem(command: &Command) -> Option<String> {
    let target = command.target.as_deref().filter(|target| is_id(target));
    let own = command.portfolio_id.as_ref().map(|portfolio| portfolio.as_str());
    match command.scope {
        None => Some(format!("needs a scope: one of {}", HaltScope::SYMBOLS[1..].join(", "))),
        Some(HaltScope::Firm) if own.is_some() => Some("of the FIRM goes to every lane: send it to all, without a portfolio_id".into()),
        Some(HaltScope::Portfolio) if own.or(target).is_none() => Some("of a PORTFOLIO needs a portfolio_id or a target".into()),
        Some(HaltScope::Portfolio) if own.zip(target).is_some_and(|(own, target)| own != target) => {
            Some("of a PORTFOLIO names two: portfolio_id and target differ".into())
        }
        Some(scope @ (HaltScope::Instrument | HaltScope::Strategy)) if target.is_none() => {
            Some(format!("of scope {scope} needs a target: its id, of 1 to 128 bytes without control characters"))
        }
        _ => None,
    }
}
