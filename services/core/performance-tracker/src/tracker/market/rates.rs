//! Rates of currencies from the prices of pairs: the pair, else its inverse, else one cross through the alphabetically
//! first currency that has both. For statistics: exact rates are the position-keeper's.

use domain::{Currency, InstrumentId};
use std::collections::BTreeMap;

/// The pairs among the instruments, by (of, in).
#[derive(Debug, Clone, Default)]
pub struct Pairs(BTreeMap<(Currency, Currency), InstrumentId>);

impl Pairs {
    /// Learns of an instrument that may be a pair.
    pub fn learn(&mut self, id: &InstrumentId) {
        if let Some(pair) = id.pair() {
            self.0.insert(pair, id.clone());
        }
    }
    /// Units of `base` for one of `of`.
    pub fn rate(&self, of: Currency, base: Currency, price: &dyn Fn(&InstrumentId) -> Option<f64>) -> Option<f64> {
        if of == base {
            return Some(1.0);
        }
        self.leg(of, base, price).or_else(|| self.cross(of, base, price))
    }
    fn leg(&self, of: Currency, base: Currency, price: &dyn Fn(&InstrumentId) -> Option<f64>) -> Option<f64> {
        let priced = |pair| self.0.get(&pair).and_then(price);
        priced((of, base)).or_else(|| priced((base, of)).map(|inverse| 1.0 / inverse))
    }
    fn cross(&self, of: Currency, base: Currency, price: &dyn Fn(&InstrumentId) -> Option<f64>) -> Option<f64> {
        let other = |pair: &(Currency, Currency)| match *pair {
            (a, b) if a == of => Some(b),
            (a, b) if b == of => Some(a),
            _ => None,
        };
        let mut through: Vec<Currency> = self.0.keys().filter_map(other).collect();
        through.sort_unstable();
        through.dedup();
        through.into_iter().find_map(|middle| Some(self.leg(of, middle, price)? * self.leg(middle, base, price)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pair_then_its_inverse_then_one_cross() {
        let prices = [("EUR/USD", 1.25), ("USD/JPY", 150.0)];
        let mut pairs = Pairs::default();
        prices.iter().for_each(|(id, _)| pairs.learn(&id.parse().unwrap()));
        let price = |id: &InstrumentId| prices.iter().find(|(name, _)| *name == id.as_str()).map(|(_, price)| *price);
        let rate = |of: &str, base: &str| pairs.rate(of.parse().unwrap(), base.parse().unwrap(), &price);
        assert_eq!([rate("USD", "USD"), rate("EUR", "USD"), rate("USD", "EUR")], [Some(1.0), Some(1.25), Some(0.8)]);
        assert_eq!((rate("EUR", "JPY"), rate("EUR", "CHF")), (Some(187.5), None));
    }
}
