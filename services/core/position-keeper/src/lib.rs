//! The position-keeper: fills, cash entries and prices become positions, ledger, snapshots, drift and closed days.
//!
//! One [`PositionKeeper`] is the state of one lane. In a window it folds, in this order:
//! frames (facts and prices before what needs them), policies (a portfolio before its bookings), figures of risk,
//! commands and refreshes (they only ask; answers are made on the newest state), cash (money before the
//! trades that spend it), fills. Then it values what changed, once, and decides: which snapshots are due,
//! which bounds are broken, which drift events were asked for. Ledger records leave when the step closes.
//!
//! - `book`: positions and the lots of the methods that keep them, cash, corporate actions, sums that tie out to the
//!   last unit, the history of bookings, the journal.
//! - `prices`: instruments, accepted prices, rates, market hours, day cuts.
//! - `valuation`: equity, quick and whole.
//! - `anomaly`: figures beyond the policy's bounds, on which nothing is planned.
//! - `target_risk`: the newest figures of risk, and what targets are scaled by for them.
//! - `drift`, `snapshot`, `close`: what is published of it.
//! - `intake`: one file for each kind of input.
//! - `keeper`: the role, its decisions, its image.
//!
//! It promises: a fill acts at most once and in log order; what came too early waits, what cannot be
//! booked is dead-lettered whole and quarantines its portfolio; equity − net flows =
//! realized_net + unrealized + fx_cash − transferred exactly. It does not order anything.

pub mod anomaly;
pub mod book;
pub mod close;
pub mod drift;
mod intake;
mod keeper;
pub mod prices;
pub mod snapshot;
pub mod target_risk;
pub mod valuation;

pub use keeper::PositionKeeper;
pub use valuation::revalue_all;
