//! Outside books in the window's decisions: compared on the newest state, and never while the lane is behind, so that
//! what was booked there and has been sent here is read first. It decides nothing about orders.

use super::PositionKeeper;
use crate::book::PortfolioIx;
use engine::Context;

impl PositionKeeper {
    /// Compares what an outside book has said of a portfolio; whether there was something to compare.
    pub(super) fn compare_outside(&mut self, ix: PortfolioIx, cx: &Context<'_>) -> bool {
        let asked = self.portfolio(ix).outside.as_ref().is_some_and(|outside| outside.is_asked());
        if !asked || cx.behind {
            return false;
        }
        let outside = self.portfolio_mut(ix).outside.take();
        let compared = outside.and_then(|outside| outside.compared(self.portfolio(ix), &self.market));
        self.portfolio_mut(ix).outside = compared;
        true
    }
}
