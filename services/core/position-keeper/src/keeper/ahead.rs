//! Reading ahead: the books that the next fills will touch are fetched together, not one after the other.
//! A book of a large lane lies in far memory, and most of a booking's time would be waiting for it.
//! It changes nothing and finds nothing out; without it everything is the same, only slower.

use super::PositionKeeper;
use crate::book::PortfolioIx;
use crate::prices::InstrumentIx;
use domain::Input;
use std::hint::black_box;

/// The places that the next fills will touch.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    places: Vec<(PortfolioIx, InstrumentIx)>,
}

impl PositionKeeper {
    /// Touches what the fills among the inputs will book on.
    pub(super) fn read_ahead<'a>(&mut self, inputs: impl Iterator<Item = &'a Input>) {
        let mut places = std::mem::take(&mut self.ahead.places);
        for input in inputs {
            if let Input::Fill(fill) = input
                && let (Some(portfolio), Some(instrument)) = (self.find(&fill.portfolio_id), self.market.find(&fill.instrument_id))
            {
                places.push((portfolio, instrument));
            }
        }
        // Each pass asks for addresses that the pass before has brought.
        for (portfolio, _) in &places {
            self.portfolio(*portfolio).touch();
        }
        for (portfolio, instrument) in &places {
            self.portfolio(*portfolio).touch_line(*instrument);
            black_box(self.market.slot(*instrument).facts.as_deref().map(|facts| facts.currency));
        }
        places.clear();
        self.ahead.places = places;
    }
}
