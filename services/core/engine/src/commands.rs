//! The memory of commands: the same id acts once, and a known id with other content is seen. An id is a
//! portfolio's own. Memory is bounded: the newest ids are known, and every role that hears the same commands
//! knows the same of them. It does not know what a command does, nor what becomes of one that was heard before.

use crate::dedup::Parts;
use domain::command::Command;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Commands that one memory holds. Roles that hear the same commands must forget the same.
pub const KNOWN: usize = 1024;

/// What the memory says of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It was never heard, as far as is remembered.
    New,
    /// It was heard, with the same content.
    Same,
    /// Its id was heard, with other content.
    Other,
}

/// The newest commands, by hash.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CommandMemory {
    order: VecDeque<u64>,
    contents: BTreeMap<u64, u64>,
}

impl CommandMemory {
    /// Whether it knows an id of a portfolio.
    pub fn knows(&self, portfolio: &str, command_id: &str) -> bool {
        self.contents.contains_key(&id_of(Some(portfolio), command_id))
    }
    /// Judges a command, and remembers it among the newest [`KNOWN`] if it is new.
    pub fn hear(&mut self, command: &Command) -> Known {
        self.hear_among(command, KNOWN)
    }
    fn hear_among(&mut self, command: &Command, limit: usize) -> Known {
        let (id, content) = (id_of(scope(command), &command.command_id), content_of(command));
        if let Some(known) = self.contents.get(&id) {
            return if *known == content { Known::Same } else { Known::Other };
        }
        self.contents.insert(id, content);
        self.order.push_back(id);
        if self.order.len() > limit
            && let Some(oldest) = self.order.pop_front()
        {
            self.contents.remove(&oldest);
        }
        Known::New
    }
}

fn scope(command: &Command) -> Option<&str> {
    command.portfolio_id.as_ref().map(|portfolio| portfolio.as_str())
}

fn id_of(portfolio: Option<&str>, command_id: &str) -> u64 {
    Parts::default().optional(portfolio.map(str::as_bytes)).part(command_id.as_bytes()).content()
}

/// All that is asked for. When it was asked is no part of that: whoever sends a command again may date it anew.
fn content_of(command: &Command) -> u64 {
    let mut parts = Parts::default();
    parts
        .number(command.kind.index() as i128)
        .optional(command.mode.map(|mode| mode.index().to_le_bytes()).as_ref().map(|bytes| bytes.as_slice()))
        .optional(command.rebalance_id.as_ref().map(|id| id.0.as_bytes().as_slice()))
        .optional(command.proposal_hash.as_ref().map(|text| text.as_bytes()))
        .optional(command.scope.map(|scope| scope.index().to_le_bytes()).as_ref().map(|bytes| bytes.as_slice()))
        .optional(command.target.as_ref().map(|text| text.as_bytes()))
        .part(command.actor.as_bytes())
        .optional(command.reason.as_ref().map(|text| text.as_bytes()))
        .number(command.orders.len() as i128);
    for order in &command.orders {
        parts
            .optional(order.order_id.as_ref().map(|id| id.0.as_bytes().as_slice()))
            .optional(order.instrument_id.as_ref().map(|id| id.as_str().as_bytes()))
            .number(order.quantity.units());
    }
    parts.number(command.positions.len() as i128);
    for position in &command.positions {
        let price = position.average_price.map(|price| price.units().to_le_bytes());
        parts
            .part(position.instrument_id.as_str().as_bytes())
            .number(position.quantity.units())
            .optional(price.as_ref().map(|b| b.as_slice()));
    }
    parts.number(command.cash.len() as i128);
    for cash in &command.cash {
        parts.part(cash.currency.as_str().as_bytes()).number(cash.amount.units());
    }
    if let Some(letter) = &command.dead_letter {
        parts.part(letter.topic.as_bytes()).number(i128::from(letter.partition)).number(i128::from(letter.offset));
        parts.optional(letter.key.as_deref()).part(&letter.bytes).number(letter.headers.len() as i128);
        letter.headers.iter().for_each(|header| _ = parts.part(header.name.as_bytes()).part(&header.value));
    }
    parts.content()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::enums::CommandKind;
    use domain::{PortfolioId, Timestamp};

    fn command(portfolio: Option<&str>, id: &str) -> Command {
        let portfolio = portfolio.map(|id| PortfolioId::new(id).unwrap());
        Command::new(CommandKind::Rebalance, id.into(), portfolio, "me".into(), Timestamp::from_micros(0))
    }

    #[test]
    fn a_command_is_known_while_it_is_remembered() {
        let mut memory = CommandMemory::default();
        assert_eq!(memory.hear_among(&command(Some("p"), "a"), 2), Known::New);
        assert_eq!(memory.hear_among(&command(Some("p"), "a"), 2), Known::Same);
        assert!(memory.knows("p", "a") && !memory.knows("q", "a"), "an id is a portfolio's own");
        assert_eq!(memory.hear_among(&command(None, "a"), 2), Known::New);
        assert_eq!(memory.hear_among(&command(Some("q"), "a"), 2), Known::New);
        assert_eq!(memory.hear_among(&command(Some("p"), "a"), 2), Known::New, "the oldest was forgotten");
        assert_eq!(memory.order.len(), memory.contents.len());
    }

    #[test]
    fn other_content_is_seen_and_another_date_is_none() {
        let mut memory = CommandMemory::default();
        memory.hear_among(&command(Some("p"), "a"), 9);
        let later = Command { issued_at: Timestamp::from_micros(0).plus_seconds(9), ..command(Some("p"), "a") };
        assert_eq!(memory.hear_among(&later, 9), Known::Same);
        for other in [
            Command { kind: CommandKind::Cancel, ..later.clone() },
            Command { actor: "you".into(), ..later.clone() },
            Command { reason: Some("".into()), ..later.clone() },
        ] {
            assert_eq!(memory.hear_among(&other, 9), Known::Other);
        }
    }
}
