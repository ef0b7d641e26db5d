//! What is told of a fill before it is folded: its own checks, its hashes, and whom and what it names. None of it
//! depends on the fills that stand ahead of it. It judges and books nothing.

use super::fills::{check, hashes};
use crate::book::{PortfolioIx, Trouble};
use crate::keeper::PositionKeeper;
use crate::prices::InstrumentIx;
use domain::enums::ExecType;
use domain::fill::FillRef;
use domain::{Date, Input};
use engine::dedup::RecordId;

/// What is told of a record; `None` of all but trades.
pub type Ahead = Option<Result<Known, Trouble>>;

/// What is known of a checked trade.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// The hash of what names it.
    pub id: RecordId,
    /// The hash of what it says.
    pub content: u64,
    /// Its business date.
    pub date: Date,
    /// Its portfolio, where that has a policy.
    pub portfolio: Option<PortfolioIx>,
    /// Its instrument, where that was named before.
    pub instrument: Option<InstrumentIx>,
}

impl PositionKeeper {
    pub(crate) fn look_at(&mut self, input: &Input) -> Ahead {
        match input {
            Input::Fill(fill) if fill.exec_type == ExecType::Trade => {
                let view = fill.view();
                Some(check(&view).map(|()| self.learn(&view)))
            }
            _ => None,
        }
    }

    /// The same of a fill that is only viewed: of a checked trade of a portfolio and an instrument that are known.
    pub(crate) fn look_at_view(&mut self, fill: &FillRef<'_>) -> Option<Ahead> {
        if fill.exec_type != ExecType::Trade || check(fill).is_err() {
            return None;
        }
        let known = self.learn(fill);
        (known.portfolio.is_some() && known.instrument.is_some()).then_some(Some(Ok(known)))
    }

    /// What is known of a checked trade.
    pub(crate) fn learn(&mut self, fill: &FillRef<'_>) -> Known {
        let (id, content) = hashes(&mut self.parts, fill);
        let (portfolio, instrument) = (self.find_text(fill.portfolio_id), self.market.find_text(fill.instrument_id));
        Known { id, content, date: fill.trade_date, portfolio, instrument }
    }

    /// Reads what booking a trade will read of its portfolio, at one depth of memory.
    pub(crate) fn fetch(&self, known: &Known, depth: usize) {
        if let Some(portfolio) = known.portfolio.and_then(|ix| self.portfolios.get(ix.at())) {
            portfolio.touch((known.date, known.id), known.instrument, depth);
        }
    }
}
