//! What executions that close units come to, by trade date: each its realised profit less its own fees (of a flip, the
//! part of what it closes), in base at the rates of booking, rounded once, so that what is taken back is what was told. It
//! books nothing.

use super::execution::Effect;
use domain::ledger::ClosedTrades;
use domain::{Amount, Date, FixedError, Money};
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
        let found = self.0.binary_search_by_key(&trades.trade_date, |own| own.trade_date);
        let at = found.unwrap_or_else(|at| {
            self.0.insert(at, ClosedTrades::none(trades.trade_date));
            at
        });
        self.0[at].add(trades, sign)?;
        if self.0[at].fit_wire() { Ok(()) } else { Err(FixedError::Overflow) }
    }
    /// As the ledger tells them.
    pub fn told(&self) -> SmallVec<[ClosedTrades; 1]> {
        self.0.iter().filter(|trades| !trades.is_nothing()).copied().collect()
    }
}

/// What a closed trade came to that realised so much, for such fees.
#[inline]
pub fn net_of(realized: Amount, fees: Amount) -> Result<Money, FixedError> {
    let net = realized.checked_sub(fees)?.to_money()?;
    if net.fits_wire() { Ok(net) } else { Err(FixedError::Overflow) }
}

impl Effect {
    /// Closes a trade with all that was realised so far, and all fees but those of what it opens.
    pub(super) fn close_trade(&mut self, trade_date: Date, opening: Amount) -> Result<(), FixedError> {
        let net = net_of(self.change.realized_gross, self.change.fees.checked_sub(opening)?)?;
        self.closings.take(&ClosedTrades::one(trade_date, net), 1)
    }
}
