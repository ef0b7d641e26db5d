//! Ratios of integers of any length, and the one rounding that books and publications know. Written for the oracles.

use num_bigint::BigInt;
use num_rational::BigRational;

/// A ratio.
pub type Exact = BigRational;

/// Reads plain digits.
pub fn exact(text: &str) -> Exact {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits: BigInt = format!("{whole}{part}").parse().unwrap();
    Exact::new(digits, BigInt::from(10).pow(u32::try_from(part.len()).unwrap()))
}

/// A whole number.
pub fn whole(value: i64) -> Exact {
    Exact::from_integer(BigInt::from(value))
}

/// Half-even at so many decimals.
pub fn rounded(value: &Exact, decimals: u32) -> Exact {
    let unit = Exact::from_integer(BigInt::from(10).pow(decimals));
    let scaled = value * &unit;
    let (floor, half) = (scaled.floor(), Exact::new(BigInt::from(1), BigInt::from(2)));
    let rest = &scaled - &floor;
    let is_even = (floor.to_integer() % BigInt::from(2)) == BigInt::from(0);
    let up = rest > half || rest == half && !is_even;
    (if up { floor + whole(1) } else { floor }) / unit
}

/// Whether two numbers are no further apart than that.
pub fn near(a: &Exact, b: &Exact, within: &str) -> bool {
    let difference = a - b;
    let within = exact(within);
    difference <= within && difference >= -within
}
