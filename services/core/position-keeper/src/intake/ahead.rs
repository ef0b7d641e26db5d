//! What is told of a fill before it is folded: its own checks, its hashes, and whom and what it names. None of it
//! depends on the fills that stand ahead of it. It judges and books nothing.

use super::fills::{check, hashes};
use crate::book::{PortfolioIx, Trouble};
use crate::keeper::PositionKeeper;
use crate::prices::InstrumentIx;
use domain::enums::ExecType;
use domain::fill::Fill;
use domain::{Date, Input};
use engine::dedup::RecordId;
use std::hint::black_box;

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
            Input::Fill(fill) if fill.exec_type == ExecType::Trade => Some(check(fill).map(|()| self.learn(fill))),
            _ => None,
        }
    }

    /// What is known of a checked trade.
    pub(crate) fn learn(&mut self, fill: &Fill) -> Known {
        let (id, content) = hashes(&mut self.parts, fill);
        let (portfolio, instrument) = (self.find(&fill.portfolio_id), self.market.find(&fill.instrument_id));
        Known { id, content, date: fill.trade_date, portfolio, instrument }
    }

    /// Reads what booking a trade will read: the portfolio, its ids of the day, the line and its newest bookings.
    pub(crate) fn fetch(&self, known: &Known) {
        let Some(portfolio) = known.portfolio.and_then(|ix| self.portfolios.get(ix.at())) else { return };
        portfolio.fills.touch(known.date, known.id);
        let place = known.instrument.and_then(|instrument| portfolio.lines.find(instrument));
        if let Some(line) = place.map(|place| portfolio.lines.at(place)) {
            black_box((line.position.quantity, line.newest));
        }
        black_box(portfolio.cash.balances().first());
    }
}
