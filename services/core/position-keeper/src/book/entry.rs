//! Where a booking comes from, and the pieces of its ledger entry.

use super::cash::Movements;
use domain::ids::small_text;
use domain::ledger::{Cause, CurrencyAmount};
use domain::{Amount, Currency, Money, SmolStr, Topic};
use engine::{Origin, RawRecord};
use smallvec::SmallVec;

/// A record's place in its topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// Topic.
    pub topic: Topic,
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
}

impl Source {
    /// The cause of an entry, with the record's id.
    pub fn cause(&self, id: &str) -> Cause {
        self.cause_of(small_text(id))
    }
    /// The same, of an id that is kept already.
    pub fn cause_of(&self, id: SmolStr) -> Cause {
        Cause { topic: self.topic, partition: self.partition, offset: self.offset, id }
    }
    /// The place as quarantine names it.
    pub fn place(&self) -> SmolStr {
        engine::quarantine::Quarantine::place(self.topic.name(), self.partition, self.offset)
    }
}

impl From<&Origin<'_>> for Source {
    fn from(origin: &Origin<'_>) -> Self {
        Self { topic: origin.topic, partition: origin.partition, offset: origin.offset() }
    }
}

impl From<&RawRecord> for Source {
    fn from(raw: &RawRecord) -> Self {
        Self { topic: raw.topic, partition: raw.partition, offset: raw.offset }
    }
}

/// The published form of an amount that the book keeps or a valuation made, both of which are bounded.
pub fn money(amount: Amount) -> Money {
    amount.to_money().expect("amounts of the book and of valuations are bounded below the range of money")
}

/// Charges as published.
pub fn charged<'a, C: FromIterator<CurrencyAmount>>(charges: impl IntoIterator<Item = &'a (Currency, Amount)>) -> C {
    charges.into_iter().map(|(currency, amount)| CurrencyAmount { currency: *currency, amount: money(*amount) }).collect()
}

/// The cash legs of an entry.
pub fn legs(movements: &Movements) -> SmallVec<[CurrencyAmount; 1]> {
    let moved = movements.iter().filter(|movement| !movement.amount.is_zero());
    moved.map(|movement| CurrencyAmount { currency: movement.currency, amount: money(movement.amount) }).collect()
}
