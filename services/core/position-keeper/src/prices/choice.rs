//! Which price of a quote is the mark, and whether a move is believed.

use domain::enums::PriceSource;
use domain::frame::FramePrice;
use domain::wide::compare_products;
use domain::{Bps, Price};
use std::cmp::Ordering;

/// The price that `source` takes from a quote, where it is there; it may be zero or negative.
/// AUTO is the mark, else the middle of bid and ask, else the last; every other source is itself only.
pub fn choose(quote: &FramePrice, source: PriceSource) -> Option<Price> {
    let chosen = match source {
        PriceSource::Auto | PriceSource::Unknown => quote.mark.or_else(|| middle(quote)).or(quote.last),
        PriceSource::Mark => quote.mark,
        PriceSource::Mid => middle(quote),
        PriceSource::Last => quote.last,
        PriceSource::Bid => quote.bid,
        PriceSource::Ask => quote.ask,
    };
    chosen.filter(|price| price.fits_wire())
}

/// The middle of bid and ask, rounded half-even at the price's scale.
fn middle(quote: &FramePrice) -> Option<Price> {
    let sum = quote.bid?.checked_add(quote.ask?).ok()?;
    domain::wide::mul_div_half_even(sum.units(), 1, 2).ok().map(Price::from_units)
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
    use domain::Timestamp;

    fn quote(bid: &str, ask: &str, last: &str, mark: &str) -> FramePrice {
        let read = |text: &str| text.parse::<Price>().ok();
        FramePrice {
            instrument_id: "A".parse().unwrap(),
            bid: read(bid),
            ask: read(ask),
            last: read(last),
            mark: read(mark),
            accrued: None,
            volume: None,
            venue: None,
            event_time: Timestamp::from_micros(0),
            sequence: None,
        }
    }

    #[test]
    fn auto_takes_mark_then_middle_then_last() {
        let shown = |q: &FramePrice, s| choose(q, s).map(|p| p.to_string());
        assert_eq!(shown(&quote("9", "10", "8", "11"), PriceSource::Auto).as_deref(), Some("11"));
        assert_eq!(shown(&quote("9", "10", "8", ""), PriceSource::Auto).as_deref(), Some("9.5"));
        assert_eq!(shown(&quote("9", "", "8", ""), PriceSource::Auto).as_deref(), Some("8"));
        assert_eq!(shown(&quote("9", "", "8", ""), PriceSource::Mid), None);
        assert_eq!(shown(&quote("", "", "-8", ""), PriceSource::Last).as_deref(), Some("-8"));
        assert_eq!(shown(&quote("", "", "0", ""), PriceSource::Last).as_deref(), Some("0"));
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
