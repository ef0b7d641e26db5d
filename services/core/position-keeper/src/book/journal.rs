//! What a portfolio booked in the open step, until it becomes one ledger record.

use super::entry::{charged, money};
use super::lots::Lots;
use super::notes::{Noted, Notes};
use super::portfolio::Portfolio;
use crate::prices::{InstrumentIx, Market};
use domain::ledger::{CurrencyAmount, Ledger, LedgerEntry, Lot, PositionState};
use domain::{Amount, SmolStr};
use engine::near::read;

/// Bytes that one entry, one position, one balance, one lot, one strategy's part, the closed trades of one day at most take on the wire, ids at their usual length:
/// an estimate that stands well below the difference to the topic's own limit.
const ENTRY_BYTES: usize = 320;
const POSITION_BYTES: usize = 320;
const BALANCE_BYTES: usize = 32;
const LOT_BYTES: usize = 80;
const PART_BYTES: usize = 96;
const CLOSED_BYTES: usize = 64;
/// Estimated bytes, the lots of the whole portfolio among them, at which a record is closed although its entries are
/// few: with all ids at their longest it takes twice as many, and one more booking still fits into 4 MiB.
const FULL_BYTES: usize = 1_920_000;

/// The most entries for which a journal keeps its room from step to step.
const ROOM: usize = 64;

/// An entry until its record is made.
#[derive(Debug, Clone)]
enum Entry {
    /// A plain trade, by its place among the notes.
    Noted(usize),
    Whole(Box<LedgerEntry>),
}

/// The entries of the open step.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    entries: Vec<Entry>,
    touched: Vec<InstrumentIx>,
    /// Parts by strategy, and days with closed trades, in all entries.
    parts: usize,
    closed: usize,
}

impl Journal {
    /// Adds an entry and the position that it touched.
    pub fn add(&mut self, entry: LedgerEntry, touched: Option<InstrumentIx>) {
        self.parts += entry.by_strategy.len();
        self.closed += entry.closed_trades.len();
        self.entries.push(Entry::Whole(Box::new(entry)));
        if let Some(ix) = touched {
            self.note_touched(ix);
        }
    }
    /// Adds the entry of a plain trade, which touched the position of its instrument.
    #[inline]
    pub fn note(&mut self, noted: Noted, notes: &mut Notes) {
        self.closed += usize::from(noted.net.is_some());
        let touched = noted.instrument;
        self.entries.push(Entry::Noted(notes.push(noted)));
        self.note_touched(touched);
    }
    #[inline]
    fn note_touched(&mut self, ix: InstrumentIx) {
        if let Err(at) = self.touched.binary_search(&ix) {
            self.touched.insert(at, ix);
        }
    }
    /// Reads the names of the lines that it has touched.
    pub fn touch(&self) {
        read((self.touched.first().copied(), self.entries.len()));
    }
    /// Forgets what it holds. Usual room stays for the next step.
    fn clear(&mut self) {
        self.entries.clear();
        self.entries.shrink_to(ROOM);
        self.touched.clear();
        self.touched.shrink_to(ROOM);
        (self.parts, self.closed) = (0, 0);
    }
    /// Whether it holds no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
    /// Whether its record is as large as it may be: about so many bytes without lots, or more with them than fit.
    /// Lots stand in each record of their line, so that those alone close none early.
    pub fn is_full(&self, balances: usize, lots: usize, most: usize) -> bool {
        let entries = self.entries.len() * ENTRY_BYTES + self.parts * PART_BYTES + self.closed * CLOSED_BYTES;
        let bytes = entries + self.touched.len() * POSITION_BYTES + balances * BALANCE_BYTES;
        bytes >= most || bytes + lots * LOT_BYTES >= FULL_BYTES
    }
}

/// Makes the ledger record of what was booked since the last one; `None` where nothing was.
pub fn seal(portfolio: &mut Portfolio, market: &Market, notes: &Notes) -> Option<Ledger> {
    if portfolio.journal.is_empty() {
        return None;
    }
    portfolio.ledger_version += 1;
    let mut journal = std::mem::take(&mut portfolio.journal);
    for entry in &journal.entries {
        if let Entry::Noted(place) = entry {
            notes[*place].touch();
        }
    }
    let mut entries = Vec::with_capacity(journal.entries.len());
    entries.extend(journal.entries.drain(..).map(|entry| match entry {
        Entry::Noted(place) => notes[place].told(market),
        Entry::Whole(entry) => *entry,
    }));
    let mut positions = Vec::with_capacity(journal.touched.len());
    positions.extend(journal.touched.iter().filter_map(|ix| position_state(portfolio, market, *ix)));
    positions.sort_by(|a, b| a.instrument_id.cmp(&b.instrument_id));
    journal.clear();
    portfolio.journal = journal;
    let cash = portfolio.cash.balances().iter().map(|b| CurrencyAmount { currency: b.currency, amount: money(b.amount) });
    Some(Ledger { portfolio_id: portfolio.id.clone(), version: portfolio.ledger_version, entries, cash: cash.collect(), positions })
}

fn position_state(portfolio: &Portfolio, market: &Market, ix: InstrumentIx) -> Option<PositionState> {
    let line = portfolio.lines.at(portfolio.lines.find(ix)?);
    let (position, facts) = (&line.position, market.slot(ix).facts.as_deref()?);
    let beside = portfolio.besides.of(ix);
    let net = position.realized_net().and_then(|net| net.checked_sub(beside.fees)?.checked_add(beside.income));
    Some(PositionState {
        instrument_id: facts.instrument_id.clone(),
        currency: facts.currency,
        quantity: position.quantity,
        cost: money(position.cost),
        average_price: position.average_price(facts.multiplier),
        realized_gross: money(position.realized_gross),
        fees: charged(line.fees.iter()),
        income: money(sum(position.income, beside.income)),
        realized_net: money(net.expect(FEW)),
        cycle_realized_gross: money(position.cycle_realized),
        cycle_fees: money(position.cycle_fees),
        cycle_income: money(position.cycle_income),
        lots: if line.lots.is_empty() { Vec::new() } else { lots(&line.lots) },
    })
}

const FEW: &str = "a few bounded amounts add up";

fn sum(a: Amount, b: Amount) -> Amount {
    a.checked_add(b).expect(FEW)
}

/// Apart from the positions, most of which have none.
#[inline(never)]
fn lots(lots: &Lots) -> Vec<Lot> {
    let published = |lot: &super::lots::Lot| Lot {
        exec_id: lot.opened_by.clone(),
        trade_date: lot.trade_date,
        quantity: lot.held.quantity,
        cost: money(lot.held.cost),
    };
    lots.iter().map(published).collect()
}

/// The name under which an instrument is shown where it has no symbol.
pub fn shown(market: &Market, ix: InstrumentIx) -> SmolStr {
    let slot = market.slot(ix);
    let symbol = slot.actions.symbol().or(slot.facts.as_ref().and_then(|facts| facts.symbol.as_ref()));
    symbol.cloned().unwrap_or_else(|| SmolStr::new(slot.id.as_str()))
}
