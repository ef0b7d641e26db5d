//! A small honest router for demos and tests: order waves become acknowledgements and fills.
//!
//! An order is filled at the next price, never at one that was known when it came: at the first frame
//! after it that carries a price of its instrument. Delays, part fills, rejections and fees are settings;
//! chance is a hash of the seed and the order's id, so that the same orders meet the same fate in every
//! run. An order id is executed at most once for ever, whatever is sent twice, and never after its
//! `valid_until`.
//!
//! It has no order book, no market impact and no lots: a fee is a share of quantity × price. It keeps no
//! prices, only what bonds have accrued. It never trades at a price of zero or below, nor while its lane is behind:
//! the frames that it catches up with may be older than the order.

mod acceptance;
mod bonds;
mod chance;
mod desk;
mod execution;
mod report;
mod router;

pub use router::PaperRouter;
