//! Whether a value stands well inside its bounds, told by numbers of 64 bits: nearly every value does, and nearly every
//! look at a line asks for no more. What it does not vouch for may stand inside all the same: `bounds` compares exactly.

use super::bounds::{Bounds, ONE};
use domain::Amount;

/// Decimals of a short weight, binary: the millionth part of equity.
const SHARE_BITS: u32 = 20;
/// Bits of a short equity. With those of a share they leave room for weights of several hundred in 64.
const EQUITY_BITS: u32 = 31;
/// Values are below so much of the same unit; a weight beyond `WIDEST` would need a larger one.
const LARGEST: u64 = 1 << 39;
/// The largest short weight that is told apart from larger ones.
const WIDEST: i128 = 1 << 10;

/// The ends of bounds as short weights, each moved inward to the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inner {
    lower: i64,
    upper: i64,
}

impl Inner {
    /// Those of bounds.
    #[allow(clippy::cast_possible_truncation, reason = "2^10 in units of 2^-20 at most")]
    pub fn of(bounds: &Bounds) -> Self {
        let shares = |weight: i128| weight.clamp(-WIDEST * ONE, WIDEST * ONE) << SHARE_BITS;
        Self { lower: -((-shares(bounds.lower)).div_euclid(ONE)) as i64, upper: shares(bounds.upper).div_euclid(ONE) as i64 }
    }
}

/// A portfolio's equity, cut for a look at its lines.
#[derive(Debug, Clone, Copy)]
pub struct Glance {
    equity: i64,
    cut: u32,
}

impl Glance {
    /// At an equity above zero.
    #[allow(clippy::cast_possible_truncation, reason = "all but the highest bits are cut off")]
    pub fn at(equity: Amount) -> Self {
        let units = equity.units();
        let cut = (i128::BITS - units.leading_zeros()).saturating_sub(EQUITY_BITS);
        Self { equity: (units >> cut) as i64, cut }
    }

    /// Whether a value stands inside both bounds for sure. Of each number only the whole part is known: it lies between that
    /// and the next one, and the end that is worse has to do.
    #[inline]
    pub fn vouches(self, inner: Inner, value: Amount) -> bool {
        let Ok(value) = i64::try_from(value.units() >> self.cut) else { return false };
        // An equity that needed no cut may be too small to tell a wide weight from a wider one.
        if value.unsigned_abs() >= LARGEST || self.cut == 0 {
            return false;
        }
        let most = |share: i64| share * (self.equity + i64::from(share > 0));
        let least = |share: i64| share * (self.equity + i64::from(share < 0));
        most(inner.lower) < value << SHARE_BITS && (value + 1) << SHARE_BITS < least(inner.upper)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::wide::{compare_products, mul_div_truncate};
    use std::cmp::Ordering;

    #[test]
    fn what_is_vouched_for_is_inside() {
        let weights = ["-100000", "-1024", "-1.5", "-0.25", "-0.000001", "0", "0.000001", "0.25", "1", "3", "1024", "100000"];
        let weights = weights.map(|text| text.parse::<domain::Fraction>().unwrap().units() * domain::Fraction::ONE.units());
        let equities = ["0.000000000000000001", "0.000000001", "0.0000015", "1", "1234567.891", "999999999999.000000000000000001"];
        let (mut sure, mut inside) = (0, 0);
        for (lower, upper) in weights.iter().flat_map(|lower| weights.iter().map(move |upper| (*lower, *upper))) {
            let inner = Inner::of(&Bounds { lower, upper, ..Bounds::default() });
            for equity in equities.map(|text| text.parse::<Amount>().unwrap()) {
                let near = |weight: i128| mul_div_truncate(equity.units(), weight, ONE).unwrap();
                let steps = [0, 1, 1_000, 1 << 40, 1 << 41, 1 << 60].into_iter().flat_map(|step: i128| [step, -step]);
                for value in steps.flat_map(|step| [near(lower) + step, near(upper) + step, near(lower) / 2 + near(upper) / 2 + step]) {
                    let at = |weight: i128| compare_products(value, ONE, equity.units(), weight);
                    let holds = at(lower) == Ordering::Greater && at(upper) == Ordering::Less;
                    let vouched = Glance::at(equity).vouches(inner, Amount::from_units(value));
                    assert!(holds || !vouched, "{value} of {equity} between {lower} and {upper}");
                    (sure, inside) = (sure + u32::from(vouched), inside + u32::from(holds));
                }
            }
        }
        assert!(sure * 5 > inside, "it vouches for many: {sure} of {inside}");
    }

    #[test]
    fn a_usual_line_is_vouched_for_up_to_a_millionth_of_equity_from_its_bounds() {
        let amount = |text: &str| text.parse::<Amount>().unwrap();
        let at = |text: &str| text.parse::<domain::Fraction>().unwrap().units() * domain::Fraction::ONE.units();
        let inner = Inner::of(&Bounds { lower: at("0.35"), upper: at("0.45"), ..Bounds::default() });
        for (value, vouched) in [("350.003", true), ("449.997", true), ("350", false), ("450", false), ("-400", false), ("900000", false)] {
            assert_eq!(Glance::at(amount("1000")).vouches(inner, amount(value)), vouched, "{value}");
        }
    }

    #[test]
    fn bounds_beyond_all_numbers_are_never_nearer_than_they_are() {
        let equity = "1000".parse::<Amount>().unwrap();
        for (lower, upper) in [(i128::MIN, i128::MAX), (i128::MAX, i128::MAX), (i128::MIN, i128::MIN)] {
            let inner = Inner::of(&Bounds { lower, upper, ..Bounds::default() });
            for units in [0, equity.units(), -equity.units(), i128::MAX, i128::MIN] {
                let vouched = Glance::at(equity).vouches(inner, Amount::from_units(units));
                assert_eq!(vouched, lower < upper && units.abs_diff(0) <= equity.units().unsigned_abs(), "{units}");
            }
        }
    }
}
