//! Arithmetic whose middle leaves 128 bits: one product and one division in 256, rounded half-even,
//! and the exact comparison of two products. It knows no scales and no money.

use crate::fixed::{FixedError, pow10};
use ethnum::I256;
use std::cmp::Ordering;

/// a × b ÷ divisor, rounded half-even. Errors: a zero divisor, a result beyond `i128`.
#[inline]
pub fn mul_div_half_even(a: i128, b: i128, divisor: i128) -> Result<i128, FixedError> {
    if divisor == 0 {
        return Err(FixedError::Overflow);
    }
    match a.checked_mul(b) {
        Some(product) => div_half_even(product, divisor).ok_or(FixedError::Overflow),
        None => wide_mul_div(a, b, divisor),
    }
}

/// a × b ÷ divisor, cut toward zero. Errors: a zero divisor, a result beyond `i128`.
pub fn mul_div_truncate(a: i128, b: i128, divisor: i128) -> Result<i128, FixedError> {
    let product = I256::from(a) * I256::from(b);
    product.checked_div(I256::from(divisor)).and_then(|q| i128::try_from(q).ok()).ok_or(FixedError::Overflow)
}

/// a × b × one ÷ (c × d), cut toward zero: a ratio of two products in units of which `one` are one. Each number is below
/// 10^28 in magnitude, as on the wire, and `one` at most 10^12. Errors: a zero divisor, a result beyond `i128`.
pub fn ratio_of_products_truncate(one: i128, (a, b): (i128, i128), (c, d): (i128, i128)) -> Result<i128, FixedError> {
    let wide = I256::from;
    let ratio = (wide(a) * wide(b) * wide(one)).checked_div(wide(c) * wide(d));
    ratio.and_then(|q| i128::try_from(q).ok()).ok_or(FixedError::Overflow)
}

/// A value at scale `from` at scale `to`, rounded half-even where digits fall away.
#[inline]
pub fn rescale_half_even(units: i128, from: u32, to: u32) -> Result<i128, FixedError> {
    if to >= from {
        units.checked_mul(pow10(to - from)).ok_or(FixedError::Overflow)
    } else {
        let divisor = pow10(from - to);
        match u32::try_from(divisor) {
            Ok(short) => Ok(div_short_half_even(units, short)),
            Err(_) => div_half_even(units, divisor).ok_or(FixedError::Overflow),
        }
    }
}

/// A value without its last eight digits, rounded half-even: an amount as it is published. By a divisor that is known
/// here a division is a multiplication, and few amounts need more than the two of the middle case.
#[inline]
pub fn without_eight_digits(value: i128) -> i128 {
    const BY: u64 = 100_000_000;
    if value == 0 {
        return 0;
    }
    let magnitude = value.unsigned_abs();
    let (quotient, rest) = match u64::try_from(magnitude) {
        Ok(short) => (u128::from(short / BY), short % BY),
        Err(_) => match u64::try_from(magnitude >> 32) {
            Ok(high) => {
                let low = (high % BY) << 32 | u64::from(limb(magnitude, 0));
                ((u128::from(high / BY) << 32) + u128::from(low / BY), low % BY)
            }
            Err(_) => return div_short_half_even(value, 100_000_000),
        },
    };
    let up = rest > BY / 2 || (rest == BY / 2 && quotient % 2 == 1);
    let rounded = (quotient + u128::from(up)).cast_signed();
    if value < 0 { rounded.wrapping_neg() } else { rounded }
}

/// Whether |a ÷ b − c ÷ d| is above a bound in units of which `one` are one, exactly. `b`, `d`, `one` and the bound are not
/// below zero, and no number beyond 10^37.
pub fn ratios_differ_by_more(one: i128, bound: i128, (a, b): (i128, i128), (c, d): (i128, i128)) -> bool {
    let wide = I256::from;
    let apart = (wide(a) * wide(d) - wide(c) * wide(b)).abs();
    // apart × one > bound × whole, without leaving 256 bits.
    let (whole, one, bound) = (wide(b) * wide(d), wide(one), wide(bound));
    let left = apart - bound * (whole / one);
    left > bound || (left.is_positive() && left * one > bound * (whole % one))
}

/// Compares a × b with c × d exactly.
pub fn compare_products(a: i128, b: i128, c: i128, d: i128) -> Ordering {
    match (a.checked_mul(b), c.checked_mul(d)) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => (I256::from(a) * I256::from(b)).cmp(&(I256::from(c) * I256::from(d))),
    }
}

/// As [`div_half_even`], by a divisor above zero that 32 bits hold: four short divisions in place of a long one.
#[inline]
fn div_short_half_even(value: i128, divisor: u32) -> i128 {
    let magnitude = value.unsigned_abs();
    let by = u64::from(divisor);
    let (mut quotient, mut rest) = (0_u128, 0_u64);
    for shift in [96_u32, 64, 32, 0] {
        let part = (rest << 32) | u64::from(limb(magnitude, shift));
        quotient = (quotient << 32) | u128::from(part / by);
        rest = part % by;
    }
    let up = rest > by - rest || (rest == by - rest && quotient % 2 == 1);
    let rounded = (quotient + u128::from(up)).cast_signed();
    // Only the least value divided by one keeps the magnitude that has no positive form; its sign is right already.
    if value < 0 { rounded.wrapping_neg() } else { rounded }
}

#[allow(clippy::cast_possible_truncation, reason = "the lowest 32 bits are asked for")]
const fn limb(value: u128, shift: u32) -> u32 {
    (value >> shift) as u32
}

fn div_half_even(value: i128, divisor: i128) -> Option<i128> {
    let quotient = value.checked_div(divisor)?;
    // A second division would take as long as the first.
    let rest = value.wrapping_sub(quotient.wrapping_mul(divisor));
    if rest == 0 {
        return Some(quotient);
    }
    let away = if (value < 0) == (divisor < 0) { 1 } else { -1 };
    // |rest| against |divisor| − |rest|: neither side can wrap.
    let (rest, divisor) = (rest.unsigned_abs(), divisor.unsigned_abs());
    match rest.cmp(&(divisor - rest)) {
        Ordering::Less => Some(quotient),
        Ordering::Greater => quotient.checked_add(away),
        Ordering::Equal if quotient % 2 == 0 => Some(quotient),
        Ordering::Equal => quotient.checked_add(away),
    }
}

#[cold]
fn wide_mul_div(a: i128, b: i128, divisor: i128) -> Result<i128, FixedError> {
    let (value, by) = (I256::from(a) * I256::from(b), I256::from(divisor));
    let (quotient, rest) = value.div_rem(by);
    let twice = rest.abs() * I256::from(2);
    let away = if (value < I256::ZERO) == (divisor < 0) { I256::ONE } else { -I256::ONE };
    let odd = quotient.low() & 1 == 1;
    let rounded = match twice.cmp(&by.abs()) {
        Ordering::Less => quotient,
        Ordering::Equal if !odd => quotient,
        _ => quotient + away,
    };
    i128::try_from(rounded).map_err(|_| FixedError::Overflow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_of_products_are_cut_toward_zero() {
        for (a, b, c, d, told) in [(1, 1, 1, 3, 333), (-1, 2, 1, 3, -666), (2, 3, 2, 3, 1000), (0, 5, 1, 1, 0), (1, 1, 1, 1001, 0)] {
            assert_eq!(ratio_of_products_truncate(1000, (a, b), (c, d)), Ok(told), "{a} × {b} ÷ ({c} × {d})");
        }
        let most = 10_i128.pow(28) - 1;
        assert_eq!(ratio_of_products_truncate(10_i128.pow(12), (most, most), (most, most)), Ok(10_i128.pow(12)));
        assert!(ratio_of_products_truncate(1, (1, 1), (0, 1)).is_err());
        assert!(ratio_of_products_truncate(10_i128.pow(12), (most, most), (1, 1)).is_err());
    }

    #[test]
    fn ratios_are_compared_to_the_last_unit() {
        let one = 1_000_000_000_000;
        // 1/3 − 1/4 is a twelfth, 0.0833….
        assert!(ratios_differ_by_more(one, 83_333_333_333, (1, 3), (1, 4)));
        assert!(!ratios_differ_by_more(one, 83_333_333_334, (1, 3), (1, 4)));
        assert!(!ratios_differ_by_more(one, one / 2, (3, 4), (1, 4)), "exactly a half");
        assert!(ratios_differ_by_more(one, one / 2, (-3, 4), (1, 4)));
        assert!(
            !ratios_differ_by_more(one, 0, (1, 3), (2, 6))
                && ratios_differ_by_more(one, 0, (1, 3), (10_i128.pow(36), 3 * 10_i128.pow(36) - 1))
        );
        let large = 10_i128.pow(36);
        assert!(ratios_differ_by_more(one, one / 2 - 1, (large, large), (large / 2, large)));
        assert!(!ratios_differ_by_more(one, one / 2, (large, large), (large / 2, large)));
        assert!(!ratios_differ_by_more(one, 2 * one, (large, large), (-large, large)));
    }

    #[test]
    fn narrow_and_wide_paths_agree() {
        for a in [-1_000_001_i128, -15, -5, 0, 5, 25, 35, 999] {
            for b in [-3_i128, 1, 7, 1000] {
                for d in [-10_i128, -7, 1, 2, 10, 40] {
                    assert_eq!(mul_div_half_even(a, b, d).unwrap(), wide_mul_div(a, b, d).unwrap(), "{a}*{b}/{d}");
                }
            }
        }
        for value in [0, 1, 4, 5, 6, 15, 25, 10_i128.pow(27) + 5, i128::MAX, i128::MIN, i128::MIN + 1]
            .into_iter()
            .flat_map(|v| [v, v.wrapping_neg()])
        {
            for divisor in [1_u32, 2, 3, 10, 100_000_000, u32::MAX] {
                assert_eq!(Some(div_short_half_even(value, divisor)), div_half_even(value, i128::from(divisor)), "{value}/{divisor}");
            }
        }
        let halves = (0..127).flat_map(|power| [-1, 0, 1].map(|step| (1_i128 << power) + step));
        for value in halves.flat_map(|v| [v, v / 100_000_000 * 100_000_000 + 50_000_000]).flat_map(|v| [v - 1, v, v + 1, -v, 1 - v]) {
            assert_eq!(Some(without_eight_digits(value)), div_half_even(value, 100_000_000), "{value}");
        }
        assert_eq!(mul_div_half_even(i128::MAX, 10, 10).unwrap(), i128::MAX);
        assert!(mul_div_half_even(i128::MAX, 10, 9).is_err());
        assert!(mul_div_half_even(1, 1, 0).is_err());
    }
}
