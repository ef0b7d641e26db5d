//! The plain trades of the open step, of which only what differs is kept until their ledger records are made.
//! It decides nothing about them and knows no portfolio: journals hold the places.

use super::entry::Source;
use crate::prices::{InstrumentIx, Market};
use domain::enums::EntryKind;
use domain::ledger::{ClosedTrades, CurrencyAmount, LedgerEntry};
use domain::{Currency, Date, FxRate, Money, Price, Quantity, SmolStr, Timestamp};
use engine::near::read;
use std::ops::Index;

/// Notes at which a step is closed: some forty megabytes of ledger. Where commits are slower than bookings, each step
/// would else be larger than the one before, until none could be committed in time.
const MOST: usize = 1 << 17;
/// Notes in a chunk.
const CHUNK: usize = 1 << 10;
/// Chunks for which room stays, however few a step needed.
const LEAST: usize = 16;

/// The notes of all portfolios: what is written is written behind what was written last. They stand in chunks, so that
/// none is moved by those that come after it, and so that a step of any size finds the room of the one before.
#[derive(Debug, Clone, Default)]
pub struct Notes {
    chunks: Vec<Vec<Noted>>,
    len: usize,
}

impl Notes {
    /// Adds a note; its place.
    #[inline]
    pub fn push(&mut self, noted: Noted) -> usize {
        let place = self.len;
        if place / CHUNK == self.chunks.len() {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        self.chunks[place / CHUNK].push(noted);
        self.len += 1;
        place
    }

    /// Whether there are as many as a step may have.
    pub fn are_many(&self) -> bool {
        self.len >= MOST
    }

    /// Forgets all of them. Room for as many stays; what the step did not need goes, but for a little.
    pub fn clear(&mut self) {
        self.chunks.truncate(self.len.div_ceil(CHUNK).max(LEAST));
        self.chunks.iter_mut().for_each(Vec::clear);
        self.len = 0;
    }
}

impl Index<usize> for Notes {
    type Output = Noted;

    #[inline]
    fn index(&self, place: usize) -> &Noted {
        &self.chunks[place / CHUNK][place % CHUNK]
    }
}

/// A plain trade that was booked: what its ledger entry is made of, without what all of them have in common.
#[derive(Debug, Clone)]
pub struct Noted {
    /// The execution's id.
    pub id: SmolStr,
    /// Where it was made.
    pub venue: Option<SmolStr>,
    /// Where the fill lies.
    pub source: Source,
    /// The line that it touched.
    pub instrument: InstrumentIx,
    /// Its trade date.
    pub trade_date: Date,
    /// When it was made.
    pub at: Timestamp,
    /// Of price, cash and fee, and the portfolio's base.
    pub currency: Currency,
    /// Signed: sells are negative.
    pub quantity: Quantity,
    /// Its price.
    pub price: Price,
    /// What it moved of the cash; `None` where that is nothing.
    pub cash: Option<Money>,
    /// Before the fee.
    pub realized: Money,
    /// What it cost, where it cost anything.
    pub fee: Option<Money>,
    /// What the trade came to that it closed.
    pub net: Option<Money>,
}

impl Noted {
    /// Reads the places over which it extends: the notes of one portfolio lie apart.
    pub fn touch(&self) {
        read((self.source.offset, self.price, self.net));
    }
    /// What the ledger says of it.
    pub fn told(&self, market: &Market) -> LedgerEntry {
        let own = |amount| CurrencyAmount { currency: self.currency, amount };
        LedgerEntry {
            kind: EntryKind::Trade,
            cause: self.source.cause_of(self.id.clone()),
            instrument_id: Some(market.slot(self.instrument).id.clone()),
            strategy: None,
            venue: self.venue.clone(),
            trade_date: Some(self.trade_date),
            effective_at: self.at,
            transact_time: Some(self.at),
            quantity_change: self.quantity,
            price: Some(self.price),
            fx_rate: Some(FxRate::ONE),
            cash: self.cash.map(own).into_iter().collect(),
            realized_gross: self.realized,
            fees: self.fee.map(own).into_iter().collect(),
            income: Money::ZERO,
            external_flow: Money::ZERO,
            equity_before: None,
            by_strategy: Vec::new(),
            closed_trades: self.net.map(|net| ClosedTrades::one(self.trade_date, net)).into_iter().collect(),
            in_base: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Topic;

    fn noted(nth: usize) -> Noted {
        let offset = i64::try_from(nth).expect("a few");
        Noted {
            id: SmolStr::new_static("E"),
            venue: None,
            source: Source { topic: Topic::Fills, partition: 0, offset },
            instrument: InstrumentIx(0),
            trade_date: Date::from_days(0),
            at: Timestamp::from_micros(0),
            currency: Currency::new("USD").expect("a code"),
            quantity: Quantity::ZERO,
            price: Price::ZERO,
            cash: None,
            realized: Money::ZERO,
            fee: None,
            net: None,
        }
    }

    fn fill(notes: &mut Notes, count: usize) {
        for nth in 0..count {
            assert_eq!(notes.push(noted(nth)), nth);
        }
    }

    #[test]
    fn each_note_stands_at_its_place_in_steps_of_every_size() {
        let mut notes = Notes::default();
        for count in [0, 1, CHUNK, CHUNK + 1, (LEAST + 3) * CHUNK + 7, 2, 3 * CHUNK] {
            fill(&mut notes, count);
            for nth in 0..count {
                assert_eq!(usize::try_from(notes[nth].source.offset), Ok(nth));
            }
            notes.clear();
        }
    }

    #[test]
    fn a_step_is_full_of_them() {
        let mut notes = Notes::default();
        fill(&mut notes, MOST - 1);
        assert!(!notes.are_many());
        notes.push(noted(MOST - 1));
        assert!(notes.are_many());
        notes.clear();
        assert!(!notes.are_many());
    }

    #[test]
    fn room_stays_for_a_step_of_the_same_size_and_goes_after_a_smaller_one() {
        let mut notes = Notes::default();
        let large = (LEAST + 3) * CHUNK;
        fill(&mut notes, large);
        notes.clear();
        assert_eq!(notes.chunks.len(), LEAST + 3);
        fill(&mut notes, large);
        assert_eq!(notes.chunks.len(), LEAST + 3, "it found the room of the one before");
        notes.clear();
        fill(&mut notes, 1);
        notes.clear();
        assert_eq!(notes.chunks.len(), LEAST);
    }
}
