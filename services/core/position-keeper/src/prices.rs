//! What the lane knows of instruments: facts, accepted prices, actions, rates, market hours, day cuts.
//! It folds frames; it knows no portfolio.

pub mod actions;
pub mod choice;
mod clocks;
pub mod cut_prices;
pub mod cuts;
pub mod hours;
pub mod market;
pub mod rates;
pub mod slot;

pub use actions::{Action, Actions};
pub use choice::Mark;
pub use cut_prices::{CutPrices, PricesOfDay};
pub use cuts::Cuts;
pub use market::{HotPrice, InstrumentIx, Market};
pub use rates::Rate;
pub use slot::Slot;
