//! Rates of currencies from the prices of pairs. `AAA/BBB` quotes BBB per AAA.
//!
//! The pair itself, else its inverse, else one cross: through the alphabetically first currency for
//! which both legs have a price, each leg as a pair or an inverse. Inverses and crosses are rounded
//! half-even at the rate's scale, a cross once. Nothing is guessed: without these there is no rate.

use super::market::InstrumentIx;
use domain::fixed::pow10;
use domain::wide::mul_div_half_even;
use domain::{Currency, FxRate, InstrumentId, Price};
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// A rate and the pairs that it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    /// Units of the quote currency for one of the other.
    pub rate: FxRate,
    /// Pairs used; none for a currency in itself.
    pub pairs: SmallVec<[InstrumentIx; 2]>,
}

/// The price that an instrument has: now, or at some cut.
pub trait Prices: Fn(InstrumentIx) -> Option<Price> + Copy {}
impl<F: Fn(InstrumentIx) -> Option<Price> + Copy> Prices for F {}

/// The pairs among the instruments.
#[derive(Debug, Clone, Default)]
pub struct Pairs {
    /// By (of, in): AAA and BBB of `AAA/BBB`.
    by_pair: BTreeMap<(Currency, Currency), InstrumentIx>,
}

impl Pairs {
    /// Learns of an instrument; returns whether it is a pair.
    pub fn learn(&mut self, id: &InstrumentId, ix: InstrumentIx) -> bool {
        let Some(pair) = id.pair() else { return false };
        self.by_pair.insert(pair, ix);
        true
    }

    /// Units of `quoted` for one of `of`, by the prices that instruments have.
    pub fn rate(&self, price: impl Prices, of: Currency, quoted: Currency) -> Option<Rate> {
        if of == quoted {
            return Some(Rate { rate: FxRate::ONE, pairs: SmallVec::new() });
        }
        self.leg(price, of, quoted).or_else(|| self.cross(price, of, quoted))
    }

    fn leg(&self, price: impl Prices, of: Currency, quoted: Currency) -> Option<Rate> {
        let (leg, rate) = self.quoted(price, of, quoted)?;
        Some(Rate { rate, pairs: SmallVec::from_slice(&[leg.pair()]) })
    }

    /// The pair, else its inverse, where it is a rate, rounded.
    fn quoted(&self, price: impl Prices, of: Currency, quoted: Currency) -> Option<(Leg, FxRate)> {
        let direct = self.priced(price, of, quoted).map(|(ix, price)| Leg::Direct(ix, price));
        let inverse = || self.priced(price, quoted, of).map(|(ix, price)| Leg::Inverse(ix, price));
        let rated = |leg: Leg| Some((leg, leg.rate()?));
        direct.and_then(rated).or_else(|| inverse().and_then(rated))
    }

    fn priced(&self, price: impl Prices, of: Currency, quoted: Currency) -> Option<(InstrumentIx, Price)> {
        let ix = *self.by_pair.get(&(of, quoted))?;
        Some((ix, price(ix)?))
    }

    fn cross(&self, price: impl Prices, of: Currency, quoted: Currency) -> Option<Rate> {
        let mut through: Vec<Currency> = self.by_pair.keys().filter_map(|pair| other_side(*pair, of)).collect();
        through.sort_unstable();
        through.dedup();
        through.into_iter().filter(|middle| *middle != quoted).find_map(|middle| {
            let ((first, _), (second, _)) = (self.quoted(price, of, middle)?, self.quoted(price, middle, quoted)?);
            let pairs = SmallVec::from_slice(&[first.pair(), second.pair()]);
            let units = first.times(second)?;
            usable(units).map(|rate| Rate { rate, pairs })
        })
    }
}

/// One step of a way from one currency to another.
#[derive(Debug, Clone, Copy)]
enum Leg {
    /// By the price of the pair.
    Direct(InstrumentIx, Price),
    /// By one divided by the price of the opposite pair.
    Inverse(InstrumentIx, Price),
}

impl Leg {
    fn pair(self) -> InstrumentIx {
        let (Leg::Direct(ix, _) | Leg::Inverse(ix, _)) = self;
        ix
    }
    fn rate(self) -> Option<FxRate> {
        match self {
            Leg::Direct(_, price) => price.rescaled_half_even(FxRate::SCALE).ok().and_then(usable),
            // 1 ÷ price at scale 12: 10^(10 + 12) ÷ units.
            Leg::Inverse(_, price) => mul_div_half_even(Price::ONE.units(), FxRate::ONE.units(), price.units()).ok().and_then(usable),
        }
    }
    /// Units of the rate of both steps, rounded once.
    fn times(self, next: Leg) -> Option<i128> {
        let one = Price::ONE.units();
        match (self, next) {
            // p × q at scale 20, at scale 12.
            (Leg::Direct(_, p), Leg::Direct(_, q)) => mul_div_half_even(p.units(), q.units(), pow10(2 * Price::SCALE - FxRate::SCALE)).ok(),
            (Leg::Direct(_, p), Leg::Inverse(_, q)) | (Leg::Inverse(_, q), Leg::Direct(_, p)) => {
                mul_div_half_even(p.units(), FxRate::ONE.units(), q.units()).ok()
            }
            // Beyond 128 bits the rate is below its last decimal.
            (Leg::Inverse(_, p), Leg::Inverse(_, q)) => {
                mul_div_half_even(one * FxRate::ONE.units(), one, p.units().checked_mul(q.units())?).ok()
            }
        }
    }
}

fn other_side(pair: (Currency, Currency), of: Currency) -> Option<Currency> {
    match pair {
        (a, b) if a == of => Some(b),
        (a, b) if b == of => Some(a),
        _ => None,
    }
}

fn usable(units: i128) -> Option<FxRate> {
    Some(FxRate::from_units(units)).filter(|rate| rate.is_positive() && rate.fits_wire())
}

#[cfg(test)]
mod tests {
    use super::super::market::Market;
    use domain::Timestamp;
    use domain::frame::FramePrice;

    fn market(prices: &[(&str, &str)]) -> Market {
        let mut market = Market::default();
        for (id, price) in prices {
            let last = price.parse().ok();
            let update = FramePrice { last, ..FramePrice::empty(id.parse().unwrap(), Timestamp::from_micros(1)) };
            market.quote(update, Timestamp::default());
        }
        market
    }
    fn rate(prices: &[(&str, &str)], of: &str, quoted: &str) -> Option<String> {
        market(prices).rate(of.parse().unwrap(), quoted.parse().unwrap()).map(|r| r.rate.to_string())
    }

    #[test]
    fn direct_then_inverse_then_one_cross() {
        assert_eq!(rate(&[], "USD", "USD").as_deref(), Some("1"));
        assert_eq!(rate(&[("EUR/USD", "1.25")], "EUR", "USD").as_deref(), Some("1.25"));
        assert_eq!(rate(&[("EUR/USD", "1.25")], "USD", "EUR").as_deref(), Some("0.8"));
        assert_eq!(rate(&[("EUR/USD", "1.25"), ("USD/EUR", "0.81")], "USD", "EUR").as_deref(), Some("0.81"));
        assert_eq!(rate(&[("EUR/USD", "1.25"), ("USD/JPY", "150")], "EUR", "JPY").as_deref(), Some("187.5"));
        assert_eq!(
            rate(&[("USD/EUR", "0.8"), ("USD/JPY", "150")], "JPY", "EUR").as_deref(),
            Some("0.005333333333"),
            "0.8 ÷ 150, rounded once"
        );
        assert_eq!(rate(&[("EUR/USD", "3"), ("JPY/EUR", "3")], "USD", "JPY").as_deref(), Some("0.111111111111"));
        // Two ways: the alphabetically first common currency is taken.
        let two = [("EUR/CHF", "1"), ("CHF/JPY", "170"), ("EUR/USD", "1.25"), ("USD/JPY", "150")];
        assert_eq!(rate(&two, "EUR", "JPY").as_deref(), Some("170"));
        assert_eq!(rate(&[("EUR/USD", "1.25"), ("USD/JPY", "150"), ("JPY/KRW", "9")], "EUR", "KRW"), None);
    }
}
