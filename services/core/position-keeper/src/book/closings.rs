//! What executions that close units come to, by trade date: each its realised profit less its own fees, in base at the
//! rates of booking, rounded once, so that what is taken back is what was told. It books nothing.

use super::execution::Effect;
use domain::ledger::ClosedTrades;
use domain::{Date, FixedError};
use smallvec::SmallVec;

/// Closed trades by trade date, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Closings(Vec<ClosedTrades>);

impl Closings {
    /// Makes it empty, keeping its room.
    pub fn clear(&mut self) {
        self.0.clear();
    }
    /// Whether no date has any.
    pub fn is_nothing(&self) -> bool {
        self.0.iter().all(ClosedTrades::is_nothing)
    }
    /// Adds others, or takes them away.
    pub fn add(&mut self, other: &Self, sign: i64) -> Result<(), FixedError> {
        other.0.iter().try_for_each(|trades| self.take(trades, sign))
    }
    fn take(&mut self, trades: &ClosedTrades, sign: i64) -> Result<(), FixedError> {
        match self.0.binary_search_by_key(&trades.trade_date, |own| own.trade_date) {
            Ok(at) => self.0[at].add(trades, sign),
            Err(at) => {
                self.0.insert(at, ClosedTrades::none(trades.trade_date));
                self.0[at].add(trades, sign)
            }
        }
    }
    /// As the ledger tells them.
    pub fn told(&self) -> SmallVec<[ClosedTrades; 1]> {
        self.0.iter().filter(|trades| !trades.is_nothing()).copied().collect()
    }
}

impl Effect {
    /// Closes a trade with all that was realised and charged so far.
    pub(super) fn close_trade(&mut self, trade_date: Date) -> Result<(), FixedError> {
        let net = self.change.realized_gross.checked_sub(self.change.fees)?.to_money()?;
        if !net.fits_wire() {
            return Err(FixedError::Overflow);
        }
        self.closings.take(&ClosedTrades::one(trade_date, net), 1)
    }
}
