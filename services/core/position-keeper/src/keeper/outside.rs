//! Outside books in the window's decisions: compared on the newest state, and never while the lane is behind, so that
//! what was booked there and has been sent here is read first. It decides nothing about orders.

use super::PositionKeeper;
use crate::book::PortfolioIx;
use crate::book::outside::Compared;
use engine::Context;

impl PositionKeeper {
    /// Compares what outside books have said of a portfolio; what each list came to.
    pub(super) fn compare_outside(&mut self, ix: PortfolioIx, cx: &Context<'_>) -> Vec<Compared> {
        let asked = self.portfolio(ix).outside.as_ref().is_some_and(|outside| outside.is_asked());
        if !asked || cx.behind {
            return Vec::new();
        }
        let Some(outside) = self.portfolio_mut(ix).outside.take() else { return Vec::new() };
        let (outside, all) = outside.compared(self.portfolio(ix), &self.market);
        self.portfolio_mut(ix).outside = outside;
        all
    }
}
