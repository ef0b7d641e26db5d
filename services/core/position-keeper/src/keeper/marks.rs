//! Which portfolios the open window has touched, each once.

use crate::book::PortfolioIx;

/// To be looked at: something may be due.
const LOOK: u8 = 1;
/// Changed: a snapshot is owed too.
const CHANGED: u8 = 3;

/// Marks by portfolio.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    flags: Vec<u8>,
    marked: Vec<PortfolioIx>,
}

impl Marks {
    /// Makes room for one portfolio more.
    pub(crate) fn grow(&mut self) {
        self.flags.push(0);
    }
    /// Something may be due for a portfolio.
    pub(crate) fn look(&mut self, ix: PortfolioIx) {
        self.mark(ix, LOOK);
    }
    /// A portfolio's book, prices or health changed.
    pub(crate) fn change(&mut self, ix: PortfolioIx) {
        self.mark(ix, CHANGED);
    }
    fn mark(&mut self, ix: PortfolioIx, flag: u8) {
        let held = &mut self.flags[ix.at()];
        if *held == 0 {
            self.marked.push(ix);
        }
        *held |= flag;
    }
    /// The marked portfolios in order, each with whether it changed; the marks are gone.
    pub(crate) fn take(&mut self) -> Vec<(PortfolioIx, bool)> {
        let mut marked = std::mem::take(&mut self.marked);
        marked.sort_unstable();
        let flags = &mut self.flags;
        marked.into_iter().map(|ix| (ix, std::mem::take(&mut flags[ix.at()]) == CHANGED)).collect()
    }
}
