//! Decimals of any length: a whole number and the count of its decimals. Sums and products are exact, there
//! is no division but by powers of ten, where a number is cut. Shared with nothing: the plan computes in other numbers.

use num_bigint::BigInt;
use std::cmp::Ordering;
use std::ops::{Add, Mul, Neg, Sub};

/// A decimal of any length.
#[derive(Debug, Clone)]
pub(super) struct Exact {
    units: BigInt,
    decimals: u32,
}

impl Exact {
    /// units × 10^-decimals.
    pub(super) fn new(units: i128, decimals: u32) -> Self {
        Self { units: BigInt::from(units), decimals }
    }
    /// Nothing.
    pub(super) fn zero() -> Self {
        Self::new(0, 0)
    }
    /// A whole number.
    pub(super) fn whole(number: i128) -> Self {
        Self::new(number, 0)
    }
    /// -1, 0 or 1.
    pub(super) fn sign(&self) -> i128 {
        match self.units.cmp(&BigInt::ZERO) {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        }
    }
    /// The magnitude.
    pub(super) fn abs(&self) -> Self {
        if self.sign() < 0 { -self } else { self.clone() }
    }
    /// Whether this is a whole multiple of `step`, which is not zero.
    pub(super) fn is_multiple_of(&self, step: &Self) -> bool {
        let (value, step) = aligned(self, step);
        (value % step) == BigInt::ZERO
    }
    /// Cut toward zero at so many decimals.
    pub(super) fn cut(&self, decimals: u32) -> Self {
        if self.decimals <= decimals {
            return self.clone();
        }
        Self { units: &self.units / BigInt::from(10).pow(self.decimals - decimals), decimals }
    }
    fn scaled(&self, decimals: u32) -> BigInt {
        &self.units * BigInt::from(10).pow(decimals - self.decimals)
    }
}

fn aligned(a: &Exact, b: &Exact) -> (BigInt, BigInt) {
    let decimals = a.decimals.max(b.decimals);
    (a.scaled(decimals), b.scaled(decimals))
}

impl Add for &Exact {
    type Output = Exact;
    fn add(self, other: Self) -> Exact {
        let (a, b) = aligned(self, other);
        Exact { units: a + b, decimals: self.decimals.max(other.decimals) }
    }
}
impl Sub for &Exact {
    type Output = Exact;
    fn sub(self, other: Self) -> Exact {
        self + &-other
    }
}
impl Mul for &Exact {
    type Output = Exact;
    fn mul(self, other: Self) -> Exact {
        Exact { units: &self.units * &other.units, decimals: self.decimals + other.decimals }
    }
}
impl Neg for &Exact {
    type Output = Exact;
    fn neg(self) -> Exact {
        Exact { units: -&self.units, decimals: self.decimals }
    }
}
impl PartialEq for Exact {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Exact {}
impl PartialOrd for Exact {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Exact {
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b) = aligned(self, other);
        a.cmp(&b)
    }
}
impl std::fmt::Display for Exact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = format!("{:0>width$}", self.units.magnitude().to_string(), width = self.decimals as usize + 1);
        let (whole, part) = digits.split_at(digits.len() - self.decimals as usize);
        let (sign, part) = (if self.sign() < 0 { "-" } else { "" }, part.trim_end_matches('0'));
        if part.is_empty() { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{part}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_products_and_comparisons_are_exact() {
        let (third, tick) = (Exact::new(-333, 3), Exact::new(5, 2));
        assert_eq!((&third * &tick).to_string(), "-0.01665");
        assert_eq!((&third - &tick).to_string(), "-0.383");
        assert_eq!((&third + &third.abs()).to_string(), "0");
        assert_eq!(Exact::new(100, 2), Exact::whole(1));
        assert_eq!((third.cut(2).to_string(), third.cut(4).to_string()), ("-0.33".to_owned(), "-0.333".to_owned()));
        assert!(third < tick && Exact::zero() < tick);
        assert!(Exact::new(15, 2).is_multiple_of(&tick) && !Exact::new(151, 3).is_multiple_of(&tick));
    }
}
