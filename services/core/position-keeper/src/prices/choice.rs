//! Which price of a quote is the mark, and whether a move is believed.

use super::actions::Actions;
use domain::enums::PriceSource;
use domain::frame::{FramePrice, PriceOrigin, Sourced};
use domain::wide::compare_products;
use domain::{Bps, Date, Price, Timestamp};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// A price as it was quoted, from which its value in today's units follows: that of one field, or of two which
/// it is the middle of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    one: (Price, Timestamp),
    other: Option<(Price, Timestamp)>,
}

/// A price as it was quoted, with the accrued interest of then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quoted {
    /// The price.
    pub mark: Mark,
    /// Accrued interest per unit, and when it was given.
    pub accrued: Option<(Price, Timestamp)>,
}

impl Quoted {
    /// Whether all of it was made before a moment.
    pub fn is_before(&self, moment: Timestamp) -> bool {
        self.newest() < moment
    }
    /// When the newest part of it was made.
    pub fn newest(&self) -> Timestamp {
        self.accrued.map_or(self.mark.newest(), |(_, given)| given.max(self.mark.newest()))
    }
}

impl Mark {
    /// Its value in today's units; `None` where it leaves the range of prices.
    pub fn value(&self, actions: &Actions) -> Option<Price> {
        self.value_by(|price, made| actions.price(price, made))
    }
    /// Its value in the units of a day; `None` where it leaves the range of prices.
    pub fn value_on(&self, actions: &Actions, day: Date) -> Option<Price> {
        self.value_by(|price, made| actions.price_on(price, made, day))
    }
    fn value_by(&self, unit: impl Fn(Price, Timestamp) -> Option<Price>) -> Option<Price> {
        let (price, made) = self.one;
        let one = unit(price, made)?;
        let price = match self.other {
            None => one,
            Some((other, made)) => one.middle(unit(other, made)?).ok()?,
        };
        Some(price).filter(|price| price.fits_wire())
    }
    /// Whether all of it was made before a moment.
    pub fn is_before(&self, moment: Timestamp) -> bool {
        self.newest() < moment
    }
    /// When the newer part of it was made.
    pub fn newest(&self) -> Timestamp {
        self.other.map_or(self.one.1, |(_, other)| self.one.1.max(other))
    }
    /// When it was made; a middle is as old as the older of bid and ask.
    pub fn time(&self) -> Timestamp {
        self.other.map_or(self.one.1, |(_, other)| self.one.1.min(other))
    }
}

/// A price chosen from a quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chosen {
    /// As it was quoted.
    pub mark: Mark,
    /// The price in today's units; it may be zero or negative.
    pub price: Price,
    /// Where it came from.
    pub origin: PriceOrigin,
}

/// The price that `source` takes from a quote, where it is there.
pub fn choose(quote: &FramePrice, source: PriceSource, actions: &Actions) -> Option<Chosen> {
    let Sourced { one, other, origin } = quote.sourced(source)?;
    let mark = Mark { one, other };
    Some(Chosen { mark, price: mark.value(actions)?, origin })
}

/// Whether `price` lies within `limit` basis points of `from`, exactly.
pub fn within(price: Price, from: Price, limit: Bps) -> bool {
    let Ok(move_) = price.checked_sub(from) else { return false };
    // |move| ÷ from ≤ limit ÷ 10,000, with the limit at scale 4.
    compare_products(move_.abs().units(), 10_000 * Bps::ONE.units(), limit.units(), from.units()) != Ordering::Greater
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quote(bid: &str, ask: &str, last: &str, mark: &str) -> FramePrice {
        let read = |text: &str| text.parse::<Price>().ok();
        FramePrice {
            bid: read(bid),
            ask: read(ask),
            last: read(last),
            mark: read(mark),
            ..FramePrice::empty("A".parse().unwrap(), Timestamp::from_micros(9))
        }
    }

    #[test]
    fn auto_takes_mark_then_middle_then_last() {
        let shown = |q: &FramePrice, s| choose(q, s, &Actions::default()).map(|c| c.price.to_string());
        assert_eq!(shown(&quote("9", "10", "8", "11"), PriceSource::Auto).as_deref(), Some("11"));
        assert_eq!(shown(&quote("9", "10", "8", ""), PriceSource::Auto).as_deref(), Some("9.5"));
        assert_eq!(shown(&quote("9", "", "8", ""), PriceSource::Auto).as_deref(), Some("8"));
        assert_eq!(shown(&quote("9", "", "8", ""), PriceSource::Mid), None);
        assert_eq!(shown(&quote("", "", "-8", ""), PriceSource::Last).as_deref(), Some("-8"));
        assert_eq!(shown(&quote("", "", "0", ""), PriceSource::Last).as_deref(), Some("0"));
    }

    #[test]
    fn a_price_is_as_old_as_the_fields_that_it_came_from() {
        let (old, new) = (Timestamp::from_micros(2), Timestamp::from_micros(9));
        let quote = FramePrice { bid_time: Some(old), ..quote("9", "11", "8", "") };
        let made = |source| choose(&quote, source, &Actions::default()).map(|chosen| (chosen.mark.time(), chosen.origin));
        assert_eq!(made(PriceSource::Auto), Some((old, PriceOrigin::Mid)));
        assert_eq!(made(PriceSource::Ask), Some((new, PriceOrigin::Ask)));
        assert_eq!(made(PriceSource::Last), Some((new, PriceOrigin::Last)));
        assert!(PriceOrigin::Mid.given_by(&quote) && !PriceOrigin::Mark.given_by(&quote));
    }

    #[test]
    fn a_move_is_measured_exactly() {
        let price = |text: &str| text.parse::<Price>().unwrap();
        let limit = "500".parse::<Bps>().unwrap();
        assert!(within(price("105"), price("100"), limit));
        assert!(!within(price("105.0000000001"), price("100"), limit));
        assert!(within(price("95"), price("100"), limit));
    }
}
