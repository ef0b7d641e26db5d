//! Whole numbers of 512 bits at fixed scales, in which a plan computes. Products are exact; the one place
//! that rounds says how. It promises no overflow: [`crate::plan::book`] refuses a book whose values reach
//! 10^52 units of money and rules whose weights reach 100,000, so the longest product here has 133 of the
//! 154 digits.

use bnum::cast::As;
use bnum::types::{I512, I1024};
use domain::{Fraction, Money};

/// A whole number whose scale its name or documentation says.
pub(crate) type Int = I512;

/// Scale of the value of one unit: price 10, multiplier 8, FX 12.
pub(crate) const UNIT: u32 = 30;
/// Scale of values and of equity: quantity 8 on top of [`UNIT`].
pub(crate) const VALUE: u32 = 38;
/// Scale of bounds and goals: band × target, halved.
pub(crate) const WEIGHT: u32 = 25;
/// Scale of a value times a fraction: fees, reserves.
pub(crate) const SHARE: u32 = VALUE + Fraction::SCALE;

/// Ten to the power of `n`.
pub(crate) const fn ten(n: u32) -> Int {
    Int::TEN.pow(n)
}

/// The number itself.
pub(crate) fn int(units: i128) -> Int {
    Int::from(units)
}

/// The number in 1,024 bits: three figures of the book in one product are more than [`Int`] holds.
pub(crate) fn wide(number: Int) -> I1024 {
    number.as_()
}

/// Money at the scale of values.
pub(crate) fn money(money: Money) -> Int {
    const STEP: Int = ten(VALUE - Money::SCALE);
    int(money.units()) * STEP
}

/// A fraction at the scale of weights.
pub(crate) fn weight(fraction: Fraction) -> Int {
    const STEP: Int = ten(WEIGHT - Fraction::SCALE);
    int(fraction.units()) * STEP
}

/// The quotient rounded toward minus infinity; `by` is positive.
pub(crate) fn floor(value: Int, by: Int) -> Int {
    let (quotient, rest) = (value / by, value % by);
    if rest.is_negative() { quotient - Int::ONE } else { quotient }
}

/// The quotient rounded toward plus infinity; `by` is positive.
pub(crate) fn ceiling(value: Int, by: Int) -> Int {
    -floor(-value, by)
}

/// The quotient rounded half-even; `by` is positive.
pub(crate) fn half_even(value: Int, by: Int) -> Int {
    let quotient = floor(value, by);
    let twice = (value - quotient * by) * Int::TWO;
    let odd = quotient % Int::TWO != Int::ZERO;
    if twice > by || (twice == by && odd) { quotient + Int::ONE } else { quotient }
}

/// The smallest whole number whose square is not below part ÷ whole; `part` is not negative, `whole` positive.
pub(crate) fn root_above(part: I1024, whole: I1024) -> I1024 {
    let quotient = part / whole;
    let root = root_below(quotient);
    if root * root == quotient && quotient * whole == part { root } else { root + I1024::ONE }
}

/// The greatest whole number whose square is not above `square`: Newton's steps from above, which end there.
fn root_below(square: I1024) -> I1024 {
    if square.is_zero() {
        return square;
    }
    let mut root = I1024::ONE << square.bits().div_ceil(2);
    loop {
        let next = (root + square / root) / I1024::TWO;
        if next >= root {
            return root;
        }
        root = next;
    }
}

/// The number as an `i128`; `None` where it does not fit.
pub(crate) fn narrow(value: Int) -> Option<i128> {
    i128::try_from(value).ok()
}

/// The count at `from` rounded half-even to the scale `to`, as an `i128`; `None` where it does not fit.
pub(crate) fn rescaled(value: Int, from: u32, to: u32) -> Option<i128> {
    narrow(half_even(value, ten(from - to)))
}

/// A value as published money; `None` beyond its range.
pub(crate) fn to_money(value: Int) -> Option<Money> {
    rescaled(value, VALUE, Money::SCALE).map(Money::from_units)
}

/// part ÷ whole as a fraction, both at one scale, rounded half-even; `None` beyond its range.
pub(crate) fn ratio(part: Int, whole: Int) -> Option<Fraction> {
    narrow(half_even(part * ten(Fraction::SCALE), whole)).map(Fraction::from_units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_goes_where_its_name_says() {
        for (value, by, down, up, even) in
            [(7, 2, 3, 4, 4), (-7, 2, -4, -3, -4), (5, 2, 2, 3, 2), (-5, 2, -3, -2, -2), (6, 3, 2, 2, 2), (-1, 3, -1, 0, 0)]
        {
            assert_eq!(narrow(floor(int(value), int(by))), Some(down), "{value}/{by}");
            assert_eq!(narrow(ceiling(int(value), int(by))), Some(up), "{value}/{by}");
            assert_eq!(narrow(half_even(int(value), int(by))), Some(even), "{value}/{by}");
        }
    }

    #[test]
    fn a_root_is_rounded_up() {
        let root = |part: i128, whole: i128| narrow(root_above(wide(int(part)), wide(int(whole))).as_());
        for (part, whole, up) in
            [(0, 7, 0), (1, 1, 1), (2, 1, 2), (4, 1, 2), (5, 1, 3), (9, 4, 2), (1, 4, 1), (16, 4, 2), (17, 4, 3), (99, 1, 10), (100, 1, 10)]
        {
            assert_eq!(root(part, whole), Some(up), "{part}/{whole}");
        }
        let long = wide(ten(150));
        assert_eq!(root_above(long * long, I1024::ONE), long);
        assert_eq!(root_above(long * long + I1024::ONE, I1024::ONE), long + I1024::ONE);
    }

    #[test]
    fn the_longest_product_fits() {
        let goal_times_equity = ten(30) * ten(102);
        assert_eq!(goal_times_equity / ten(102), ten(30));
        assert_eq!(narrow(ten(39)), None);
    }
}
